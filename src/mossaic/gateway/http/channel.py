"""One connection's bytes as the loop sees them: what came in and was not used yet, and whether more may be written."""

from __future__ import annotations

import math
import os
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING, Final, cast

from mossaic.gateway.http.limits import SMALL
from mossaic.gateway.http.pace import Pace
from mossaic.protocol.errors import INCOMPLETE_BODY, REQUEST_TIMEOUT, OssError

if TYPE_CHECKING:
    import asyncio

    from mossaic.gateway.http.limits import HttpLimits

_RESET: Final = struct.pack("ii", 1, 0)  # struct linger: on, 0 s
_LEASES: Final = (
    threading.Lock()
)  # between a thread that returns a descriptor and the loop that shuts it down


class Channel:
    """Wraps the transport. `deadline` (monotonic seconds) is watched by the connection's tick.

    Reading is paused when more than SMALL bytes wait unused; so a connection holds at most that and one read of the
    loop (as much again) in memory, however much a client sends.
    """

    __slots__ = (
        "_flushed", "_leased", "_limits", "_loop", "_more", "_paused", "_unsent", "deadline", "ended", "inbox", "lost",
        "secure", "timed_out", "transport", "writable",
    )  # fmt: skip

    def __init__(
        self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport, limits: HttpLimits
    ) -> None:
        self.transport = transport
        self.secure = transport.get_extra_info("sslcontext") is not None
        self.inbox = bytearray()
        self.deadline = math.inf
        self.ended = False  # the client sends no more
        self.lost = False  # there is no connection any more
        self.timed_out = False
        self._loop = loop
        self._limits = limits
        self._more: asyncio.Future[None] | None = None
        self._flushed: asyncio.Future[None] | None = None
        self._leased: socket.socket | None = None
        self._unsent = 0  # bytes in the transport when `flushed` last looked
        self._paused = False
        self.writable = True  # the kernel has all that was written
        # `pause_writing` shall tell of every byte that the kernel did not take at once: a plain transport calls it above
        # the high water mark, a TLS one at it.
        transport.set_write_buffer_limits(high=1 if self.secure else 0, low=0)

    # --- called by the protocol ---------------------------------------------------------------------------------------

    def feed(self, data: memoryview) -> None:
        self.inbox += data
        self._wake()
        if len(self.inbox) > SMALL:
            self.pause()

    def end(self) -> None:
        self.ended = True
        self._wake()

    @property
    def writing(self) -> bool:
        """Somebody waits in `flushed`."""
        return self._flushed is not None

    def lose(self) -> None:
        self.ended = self.lost = self.writable = True
        self._wake()
        self._wake_writer()

    def expire(self) -> None:
        """The deadline of whoever waits in `more` has passed."""
        self.timed_out = True
        self.deadline = math.inf
        self._wake()

    def still_writing(self, now: float) -> bool:
        """At the deadline of `flushed`: whether the client has taken enough since the last one to get another."""
        unsent = self.transport.get_write_buffer_size()
        if self._unsent - unsent < self._limits.quantum:
            return False
        self._unsent = unsent
        self.deadline = now + self._limits.write_idle_s
        return True

    def block(self, blocked: bool) -> None:
        self.writable = not blocked
        if not blocked:
            self._wake_writer()

    def _wake(self) -> None:
        if self._more is not None and not self._more.done():
            self._more.set_result(None)

    def _wake_writer(self) -> None:
        if self._flushed is not None and not self._flushed.done():
            self._flushed.set_result(None)

    # --- reading ------------------------------------------------------------------------------------------------------

    def pause(self) -> None:
        if not self._paused and not self.transport.is_closing():
            self._paused = True
            self.transport.pause_reading()

    def resume(self) -> None:
        if self._paused and not self.transport.is_closing():
            self._paused = False
            self.transport.resume_reading()

    def body_pace(self) -> Pace:
        return Pace(idle_s=self._limits.body_idle_s, quantum=self._limits.quantum)

    async def more(self, pace: Pace) -> None:
        """Wait until the inbox has grown. Raises OssError: REQUEST_TIMEOUT, INCOMPLETE_BODY."""
        self.check()
        self.resume()
        before = len(self.inbox)
        self.deadline = pace.deadline
        self._more = self._loop.create_future()
        try:
            await self._more
        finally:
            self._more = None
            self.deadline = math.inf
        pace.moved(len(self.inbox) - before)

    def check(self) -> None:
        """Raises OssError when no more bytes can come."""
        if self.timed_out:
            raise OssError(REQUEST_TIMEOUT)
        if self.ended:
            raise OssError(INCOMPLETE_BODY)

    # --- writing ------------------------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(data)

    def write_both(self, head: bytes, body: bytes) -> None:
        """In one call, and one packet where there is room; the body is not copied for that."""
        if not self.transport.is_closing():
            self.transport.writelines((head, body))

    def say_end(self) -> bool:
        """Nothing follows what was written (FIN); False when the connection is gone already."""
        try:
            self.transport.write_eof()
        except OSError:  # asyncio's transport shuts the socket down at once, and a reset one cannot be
            return False
        return True

    async def flushed(self) -> None:
        """Wait until the kernel has all that was written; returns also when the connection is lost."""
        if self.writable or self.lost:
            return
        self._unsent = self.transport.get_write_buffer_size()
        self.deadline = time.monotonic() + self._limits.write_idle_s
        self._flushed = self._loop.create_future()
        try:
            await self._flushed
        finally:
            self._flushed = None
            self.deadline = math.inf

    # --- hand-off -----------------------------------------------------------------------------------------------------

    def duplicate(self) -> socket.socket:
        """The connection under a descriptor of its own for a worker thread: whatever the loop does to the transport, the thread's
        descriptor cannot be reused under it. It is non-blocking, for both share the kernel's flag. Raises OSError when it is closed."""
        self._leased = made = self._same_socket()
        return made

    def _same_socket(self) -> socket.socket:
        if self.lost or self.transport.is_closing():
            raise ConnectionResetError
        known = cast("socket.socket", self.transport.get_extra_info("socket"))
        return socket.socket(known.family, known.type, known.proto, fileno=os.dup(known.fileno()))

    def returned(self, leased: socket.socket) -> None:
        """May be called from any thread."""
        with _LEASES:
            leased.close()
            if self._leased is leased:
                self._leased = None

    def cut(self, *, reset: bool = False) -> None:
        """End the connection now; a thread that holds it wakes up and fails. With `reset` the client gets RST, so
        that it cannot take what it has for a whole answer."""
        try:
            if reset and not self.secure:
                with self._same_socket() as same:
                    same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            with _LEASES:
                if self._leased is not None:
                    self._leased.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it is gone already, which is what we want
        self.transport.abort()
