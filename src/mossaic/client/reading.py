"""An object that is being read: its bytes as they come, continued over broken connections, checked at the end."""

from __future__ import annotations

import io
import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from mossaic.client.errors import (
    ChecksumMismatch,
    DeadlineExceeded,
    NetworkError,
    NoSuchKey,
    NoSuchVersion,
    ObjectChanged,
    PreconditionFailed,
    ServerError,
)
from mossaic.client.exchange import pause
from mossaic.client.http.scope import current_scope
from mossaic.client.results import object_info
from mossaic.protocol.checksum import crc64
from mossaic.protocol.limits import KIB
from mossaic.protocol.operations.object import GET_OBJECT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    from mossaic.client.exchange import Ask, Reply, Session
    from mossaic.client.results import ObjectInfo
    from mossaic.protocol.operations.object import GetObject, GetObjectResult

_CHUNK: Final = 256 * KIB


class GetResult:
    """An open object: read it, iterate over it, close it; best in a `with`. One thread at a time.

    `info`: what is known of the object. `range`: which of its bytes these are, (start, stop), stop None when the service did not say.
    When the connection breaks, the read goes on behind the last byte that came, as often as the client's Retry allows without a
    byte in between, provided the object is still the same (If-Match).
    """

    info: ObjectInfo
    range: tuple[int, int | None]

    def __init__(self, session: Session, asked: GetObject, ask: Ask, *, verify: bool) -> None:
        """Asks. `verify`: compare the CRC-64 of a whole object. Raises as `Session.open`."""
        self._session = session
        self._ask = replace(ask, scope=ask.scope or current_scope.get())
        self._until = None if ask.deadline is None else time.monotonic() + ask.deadline
        self._asked = asked
        reply, self._response = session.open(GET_OBJECT, asked, self._ask)
        self._retry = ask.retry or session.retry
        self._closed = False
        self._failures = 0
        self._crc64 = 0
        try:
            self._read_head(reply, self._response.length)
        except BaseException:
            self._response.close()
            raise
        whole = asked.range is None and "x-oss-process" not in ask.query
        self._expected = self.info.crc64 if verify and whole and reply.status == 200 else None
        self._continues = "x-oss-process" not in ask.query
        self._at = self.range[0]
        if self._at == self.range[1]:
            self._check()

    def _read_head(self, reply: Reply[GetObjectResult], length: int | None) -> None:
        start, size = 0, length
        if reply.status == 206:
            start, size = _content_range(reply.value.content_range or "")
        elif self._asked.range is not None:
            raise _odd(reply, "the whole object instead of the range that was asked for")
        self.range = (start, None if length is None else start + length)
        self.info = object_info(
            reply.value,
            bucket=self._asked.bucket,
            name=self._asked.key,
            size=size or 0,
            headers=reply.headers,
        )

    @property
    def length(self) -> int | None:
        """How many bytes there are to read in all; None when the service did not say."""
        start, stop = self.range
        return None if stop is None else stop - start

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, fewer only at the end; all that is left when it is negative.

        Raises NetworkError, ConnectionTimeoutError, ChecksumMismatch (with the last byte of a whole object), ObjectChanged (it was
        replaced before a broken read could be continued), DeadlineExceeded, Cancelled; ValueError when it is closed.
        """
        self._check_open()
        stop = self.range[1]
        if size < 0 and stop is None:
            return b"".join(self)
        left = size if stop is None else stop - self._at
        wanted = left if size < 0 else min(size, left)
        data = bytearray(wanted)
        view = memoryview(data)
        while view and (count := self.readinto(view)):
            view = view[count:]
        taken = wanted - len(view)
        view.release()
        return bytes(data[:taken] if taken < wanted else data)

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Fill some of `buffer`; how many bytes, 0 at the end. Raises as `read`."""
        self._check_open()
        view = memoryview(buffer).cast("B")
        if not view or self._at == self.range[1]:
            return 0
        count = self._receive(view)
        self._at += count
        if self._expected is not None:
            self._crc64 = crc64(view[:count], self._crc64)
        if not count or self._at == self.range[1]:
            self._check()
        return count

    def __iter__(self) -> Iterator[bytes]:
        """Pieces of at most 256 KiB. Raises as `read`."""
        buffer = memoryview(bytearray(_CHUNK))
        while count := self.readinto(buffer):
            yield bytes(buffer[:count])

    def as_file(self) -> io.BufferedReader:
        """For what wants a binary file to read from (`tarfile`, `csv`, `gzip`). Closing it closes this."""
        return io.BufferedReader(_File(self), _CHUNK)

    def close(self) -> None:
        """Done with it; what was not read stays unread, and the connection is closed. Never raises."""
        self._closed = True
        self._response.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError("the object is closed")

    def _receive(self, view: memoryview) -> int:
        while True:
            try:
                count = self._response.readinto(view)
            except NetworkError as error:
                self._go_on(error)
                continue
            self._failures = 0
            return count

    def _go_on(self, error: NetworkError) -> None:
        """Open the rest. Raises `error` when that cannot be, and as `Session.open`."""
        self._response.close()
        self._failures += 1
        stop = self.range[1]
        if not self._continues or stop is None or self._failures >= self._retry.attempts:
            raise error
        if self._failures > 1:  # the first time the line is likely to be there again
            wait = random.uniform(0, min(self._retry.cap, self._retry.base * 2**self._failures))  # noqa: S311  # jitter
            pause(wait, self._ask.scope)
        rest = replace(
            self._asked,
            range=f"bytes={self._at}-{stop - 1}",
            range_behavior="standard",
            if_match=f'"{self.info.etag}"',
            if_none_match=None,
            if_modified_since=None,
            if_unmodified_since=None,
        )
        ask = replace(self._ask, deadline=self._left(error))
        try:
            reply, self._response = self._session.open(GET_OBJECT, rest, ask)
        except (PreconditionFailed, NoSuchKey, NoSuchVersion) as gone:
            raise ObjectChanged(f"{self.info.name} was replaced or deleted while it was read") from gone
        if reply.status != 206 or _content_range(reply.value.content_range or "")[0] != self._at:
            self._response.close()
            raise error

    def _left(self, error: NetworkError) -> float | None:
        if self._until is None:
            return None
        left = self._until - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded(f"reading did not end within {self._ask.deadline} s") from error
        return left

    def _check(self) -> None:
        """At the end, once."""
        expected, self._expected = self._expected, None
        if expected is not None and expected != self._crc64:
            self.close()
            raise ChecksumMismatch(
                f"the CRC-64 of the bytes received is {self._crc64}, that of {self.info.name} {expected}"
            )


class _File(io.RawIOBase):
    """A GetResult as the standard library's streams want it."""

    def __init__(self, source: GetResult) -> None:
        super().__init__()
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # a memoryview is what BufferedReader gives
        return self._source.readinto(buffer)

    def close(self) -> None:
        self._source.close()
        super().close()


def _content_range(text: str) -> tuple[int, int | None]:
    """`bytes 5-9/100` → (5, 100). Raises NetworkError."""
    try:
        span, _, size = text.removeprefix("bytes ").partition("/")
        return int(span.partition("-")[0]), None if size == "*" else int(size)
    except ValueError:
        raise NetworkError(f"the answer has no readable Content-Range: {text!r}", sent=True) from None


def _odd(reply: Reply[GetObjectResult], what: str) -> ServerError:
    return ServerError(
        code="UnreadableAnswer",
        status=reply.status,
        message=f"the service answered with {what}",
        request_id=reply.request_id,
        operation=GET_OBJECT.name,
    )
