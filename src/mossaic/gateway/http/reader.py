"""Body readers for worker threads: from memory, straight from the socket, or through the loop (TLS)."""

from __future__ import annotations

import select
from typing import TYPE_CHECKING, Final

from mossaic.gateway.http.limits import SMALL
from mossaic.protocol.errors import INCOMPLETE_BODY, REQUEST_TIMEOUT, OssError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from mossaic.gateway.http.framing import Framing
    from mossaic.gateway.http.pace import Pace

POLL: Final = hasattr(select, "poll")


def wait_ready(sock: socket.socket, *, write: bool, timeout_s: float) -> bool:
    """Block until the socket is ready (or broken, which the next call on it reports); False after the timeout."""
    if not POLL:
        ready = select.select([] if write else [sock], [sock] if write else [], [], max(0.0, timeout_s))
        return bool(ready[0] or ready[1])
    poll = select.poll()
    poll.register(sock, select.POLLOUT if write else select.POLLIN)
    return bool(poll.poll(max(0.0, timeout_s) * 1000))


class MemoryReader:
    """A body that is all here."""

    def __init__(self, data: bytes | bytearray) -> None:
        self._rest = memoryview(data)

    def readinto(self, buffer: memoryview) -> int:
        count = min(len(self._rest), len(buffer))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


class SocketReader:
    """The rest of a body, read from the connection by the thread itself.

    `start` is payload that the loop has taken already, `inbox` are raw bytes behind it. What is read beyond the body
    (the client's next request) stays in `inbox`, which goes back to the loop.
    """

    def __init__(
        self, sock: socket.socket, *, start: bytearray, inbox: bytearray, framing: Framing, pace: Pace
    ) -> None:
        self._sock = sock
        self._start = start
        self._inbox = inbox
        self._framing = framing
        self._pace = pace
        self._room: memoryview | None = None
        self.received = 0

    def readinto(self, buffer: memoryview) -> int:
        """Fills as much as is there: big pieces cost fewer calls of the digests and the disk."""
        filled = self._from_start(buffer)
        while filled < len(buffer):
            got = self._some(buffer[filled:], wait=filled == 0)
            if got == 0:
                break
            filled += got
        return filled

    def _from_start(self, buffer: memoryview) -> int:
        count = min(len(self._start), len(buffer))
        if count:
            buffer[:count] = self._start[:count]
            del self._start[:count]
        return count

    def _some(self, view: memoryview, *, wait: bool) -> int:
        """Payload bytes into `view`; 0 at the end of the body, or when none are there and `wait` is false."""
        while True:
            run = self._framing.advance(self._inbox)
            if self._framing.done:
                return 0
            want = min(run, len(view))
            if want and self._inbox:
                return self._from_inbox(view, want)
            if want and (want >= SMALL or self._framing.left == run):
                # Big enough to go straight to its place; no byte behind the run is touched.
                count = self._receive(view[:want], wait=wait)
                return self._took(count)
            if not self._refill(wait=wait):
                return 0

    def _from_inbox(self, view: memoryview, want: int) -> int:
        count = min(want, len(self._inbox))
        with memoryview(self._inbox) as waiting:  # no copy in between
            view[:count] = waiting[:count]
        del self._inbox[:count]
        return self._took(count)

    def _took(self, count: int) -> int:
        self._framing.took(count)
        self.received += count
        return count

    def _refill(self, *, wait: bool) -> bool:
        """Bring raw bytes (chunk lines, small chunks) into the inbox."""
        if self._room is None:
            self._room = memoryview(bytearray(SMALL))
        count = self._receive(self._room, wait=wait)
        self._inbox += self._room[:count]
        return count > 0

    def _receive(self, view: memoryview, *, wait: bool) -> int:
        """At least one byte; 0 only when nothing is there and `wait` is false."""
        while True:
            try:
                count = self._sock.recv_into(view)
            except BlockingIOError:
                if not wait:
                    return 0
                if not wait_ready(self._sock, write=False, timeout_s=self._pace.left_s()):
                    raise OssError(REQUEST_TIMEOUT) from None
                continue
            except OSError as error:
                raise OssError(INCOMPLETE_BODY) from error
            if count == 0:
                raise OssError(INCOMPLETE_BODY)
            self._pace.moved(count)
            return self._in_time(count)

    def _in_time(self, count: int) -> int:
        # A client that always has a few bytes ready never waits in poll: the deadline holds for it too.
        if self._pace.left_s() < 0:
            raise OssError(REQUEST_TIMEOUT)
        return count


class PulledReader:
    """The rest of a body, fetched piece by piece by the loop: for TLS, where the thread cannot read the socket."""

    def __init__(self, pull: Callable[[], bytearray]) -> None:
        """`pull` blocks for the next payload bytes; none at the end of the body."""
        self._pull = pull
        self._piece = bytearray()
        self._ended = False

    def readinto(self, buffer: memoryview) -> int:
        if not self._piece and not self._ended:
            self._piece = self._pull()
            self._ended = not self._piece
        count = min(len(self._piece), len(buffer))
        buffer[:count] = self._piece[:count]
        del self._piece[:count]
        return count
