"""A request's body: gathered on the loop when it is small, read by a worker thread from the socket when it is not."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeVar

from mossaic.gateway.http.framing import framing_of
from mossaic.gateway.http.limits import SMALL
from mossaic.gateway.http.reader import MemoryReader, PulledReader, SocketReader
from mossaic.protocol.errors import ENTITY_TOO_LARGE, INCOMPLETE_BODY, OssError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mossaic.gateway.http.channel import Channel
    from mossaic.gateway.http.pace import Pace
    from mossaic.gateway.http.workers import Workers
    from mossaic.ports import BodyReader

T = TypeVar("T")
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_PROOF: Final = 16 * 1024  # bytes of a big body that are worth a thread: whoever only announces one gets none
_PULLED: Final = 256 * 1024  # bytes a thread gets at a time through the loop


class RequestBody:
    """See `mossaic.ports.Body`. `received` counts payload bytes so far."""

    __slots__ = ("_asked", "_channel", "_expected", "_framing", "_length", "_received", "_workers")

    def __init__(
        self, channel: Channel, workers: Workers, *, length: int | None, expects_continue: bool = False
    ) -> None:
        self._channel = channel
        self._framing = framing_of(length)
        self._length = length
        self._workers = workers
        self._expected = expects_continue and not self._framing.done
        self._asked = False
        self._received = 0

    @property
    def length(self) -> int | None:
        return self._length

    @property
    def received(self) -> int:
        return self._received

    @property
    def done(self) -> bool:
        """The whole body was read."""
        return self._framing.done

    def settled(self) -> bool:
        """Like `done`, but a chunked body that nobody read may turn out to be empty."""
        if not self._asked and not self._expected and not self._framing.done:
            with suppress(OssError):
                self._framing.advance(self._channel.inbox)
        return self._framing.done

    def drainable(self, limit: int) -> bool:
        """The rest may be read away: it is short, and the client does not wait for leave to send it."""
        left = self._framing.left
        return not self._expected and left is not None and left <= limit

    async def read(self, limit: int) -> bytes:
        self._start()
        if self._length is not None and self._length > limit:
            raise OssError(ENTITY_TOO_LARGE)
        return bytes(await self._gather(limit + 1, limit=limit))

    async def consume(self, work: Callable[[BodyReader], T]) -> T:
        self._start()
        is_big = self._length is not None and self._length > SMALL
        if is_big and not self._channel.secure:
            await self._arrive(_PROOF)
            start = bytearray()
        else:
            start = await self._gather(_PROOF if is_big else SMALL)
        if self._framing.done:
            reader = MemoryReader(start)
            return await self._workers.run(lambda: work(reader))
        await self._workers.borrow()
        try:
            if self._channel.secure:
                return await self._pull(work, start)
            return await self._hand_off(work, start)
        finally:
            self._workers.give_back()

    async def drain(self) -> None:
        """Read away the rest, which is `drainable`."""
        await self._gather(SMALL + 1 + (self._framing.left or 0))

    def _start(self) -> None:
        assert not self._asked, "the body is read once"
        self._asked = True

    async def _gather(self, enough: int, *, limit: int | None = None) -> bytearray:
        """Payload on the loop, until `enough` bytes are there or the body ends. Raises OssError: ENTITY_TOO_LARGE
        beyond `limit`, REQUEST_TIMEOUT, INCOMPLETE_BODY, INVALID_REQUEST."""
        out = bytearray()
        inbox = self._channel.inbox
        pace: Pace | None = None  # most short bodies are here already
        self._allow()
        while len(out) < enough:
            run = self._framing.advance(inbox)
            if limit is not None and len(out) + run > limit:
                raise OssError(ENTITY_TOO_LARGE)
            if self._framing.done:
                break
            count = min(run, len(inbox), enough - len(out))
            if count:
                out += inbox[:count]
                del inbox[:count]
                self._framing.took(count)
                self._received += count
            else:
                pace = pace or self._channel.body_pace()
                await self._channel.more(pace)
        return out

    async def _arrive(self, enough: int) -> None:
        """Wait for the first bytes of a long body, and leave them in the inbox: the thread that takes it copies them, once.
        Raises OssError: REQUEST_TIMEOUT, INCOMPLETE_BODY."""
        inbox = self._channel.inbox
        self._allow()
        if len(inbox) >= enough:
            return
        pace = self._channel.body_pace()
        while len(inbox) < enough:
            await self._channel.more(pace)

    def _allow(self) -> None:
        """The client waits for leave to send the body (Expect: 100-continue)."""
        if self._expected:
            self._expected = False
            if not self._channel.inbox:
                self._channel.write(_CONTINUE)

    async def _hand_off(self, work: Callable[[BodyReader], T], start: bytearray) -> T:
        channel = self._channel
        channel.pause()
        try:
            sock = channel.duplicate()
        except OSError as error:
            raise OssError(INCOMPLETE_BODY) from error
        reader = SocketReader(
            sock, start=start, inbox=channel.inbox, framing=self._framing, pace=channel.body_pace()
        )
        try:
            return await self._workers.run(lambda: work(reader), finish=lambda: channel.returned(sock))
        finally:
            self._received += reader.received

    async def _pull(self, work: Callable[[BodyReader], T], start: bytearray) -> T:
        loop = asyncio.get_running_loop()
        first = [start]

        def pull() -> bytearray:
            if first:
                return first.pop()
            return asyncio.run_coroutine_threadsafe(self._gather(_PULLED), loop).result()

        return await self._workers.run(lambda: work(PulledReader(pull)))
