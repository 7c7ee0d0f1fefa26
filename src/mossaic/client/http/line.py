"""A socket with limits on how long a call may block: plain, or within TLS.

A plain socket stays in blocking mode and the kernel keeps the time (SO_SNDTIMEO, SO_RCVTIMEO): one system call for a chunk, where
Python's timeouts cost a poll before each one and a wake-up for every bit of free space. OpenSSL cannot have it that way.
"""

from __future__ import annotations

import contextlib
import fcntl
import select
import socket
import ssl
import struct
import sys
import termios
from time import monotonic
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    Chunk = bytes | bytearray | memoryview

_QUIET: Final[int] = getattr(socket, "MSG_NOSIGNAL", 0)  # a program may have asked to die of SIGPIPE
_PIECE: Final = 64 * 1024  # bytes of one write through TLS, which is told done or not as a whole
_SO_NWRITE: Final = 0x1024  # macOS
_SHORTEST_S: Final = 0.001  # zero would mean for ever


class Line(Protocol):
    """`wait_s` is the most seconds that a call blocks."""

    @property
    def joins(self) -> bool:
        """Whether small pieces are better joined before they are sent."""
        ...

    def send(self, parts: Sequence[Chunk], wait_s: float) -> int:
        """How many bytes went; fewer than all of them when the time was over. Raises OSError."""
        ...

    def receive(self, buffer: memoryview, wait_s: float) -> int:
        """0 at the end. Raises TimeoutError and other OSError."""
        ...

    def receive_now(self, buffer: memoryview) -> int | None:
        """As `receive`, but None when nothing is there."""
        ...

    def readable(self) -> bool:
        """Whether it is worth to call `receive_now`: bytes, an end or an error wait."""
        ...

    def unsent(self) -> int:
        """Bytes that the kernel took and the peer has not acknowledged; 0 where that is not known."""
        ...

    def interrupt(self) -> None:
        """End it, and so wake a thread that blocks in it. From any thread."""
        ...

    def close(self) -> None: ...


def cut(sock: socket.socket) -> None:
    """Wake whoever blocks on the socket. The base class's method: that of SSLSocket would take the TLS away from under its user."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def unsent(sock: socket.socket) -> int:
    try:
        if sys.platform == "darwin":
            return sock.getsockopt(socket.SOL_SOCKET, _SO_NWRITE)
        return int.from_bytes(fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4)), sys.byteorder)
    except OSError:
        return 0


def _timeval(seconds: float) -> bytes:
    seconds = max(seconds, _SHORTEST_S)
    return struct.pack("@ll", int(seconds), int(seconds % 1 * 1_000_000))


class PlainLine:
    """A connected socket as it is."""

    __slots__ = ("_poll", "_receive_wait_s", "_send_wait_s", "_sock", "joins")

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(None)
        self._sock = sock
        self.joins = False
        self._send_wait_s = self._receive_wait_s = 0.0
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    def send(self, parts: Sequence[Chunk], wait_s: float) -> int:
        if wait_s != self._send_wait_s:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(wait_s))
            self._send_wait_s = wait_s
        try:
            if len(parts) == 1:
                return self._sock.send(parts[0], _QUIET)
            return self._sock.sendmsg(parts, (), _QUIET)
        except BlockingIOError:
            return 0

    def receive(self, buffer: memoryview, wait_s: float) -> int:
        if wait_s != self._receive_wait_s:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _timeval(wait_s))
            self._receive_wait_s = wait_s
        try:
            return self._sock.recv_into(buffer)
        except BlockingIOError:
            raise TimeoutError from None

    def receive_now(self, buffer: memoryview) -> int | None:
        try:
            return self._sock.recv_into(buffer, 0, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None

    def readable(self) -> bool:
        return bool(self._poll.poll(0))

    def unsent(self) -> int:
        return unsent(self._sock)

    def interrupt(self) -> None:
        cut(self._sock)

    def close(self) -> None:
        self._sock.close()


class SecureLine:
    """A socket after its TLS handshake."""

    __slots__ = ("_poll", "_sock", "_wait_s", "joins")

    def __init__(self, sock: ssl.SSLSocket) -> None:
        self._sock = sock
        self.joins = True
        self._wait_s = -1.0
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    def send(self, parts: Sequence[Chunk], wait_s: float) -> int:
        self._wait(wait_s)
        until = monotonic() + wait_s
        total = 0
        for part in parts:
            start, size = 0, len(part)
            view = memoryview(part)
            while start < size:
                try:
                    # After a timeout OpenSSL wants the same bytes again, which it gets: the rest begins with them.
                    sent = self._sock.send(view[start : start + _PIECE])
                except TimeoutError:
                    return total
                start += sent
                total += sent
                if start < size and monotonic() > until:
                    return total
        return total

    def receive(self, buffer: memoryview, wait_s: float) -> int:
        self._wait(wait_s)
        return self._sock.recv_into(buffer)

    def receive_now(self, buffer: memoryview) -> int | None:
        self._wait(0.0)
        try:
            return self._sock.recv_into(buffer)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None  # what was there is no data: session tickets come at any time

    def readable(self) -> bool:
        return bool(self._sock.pending() or self._poll.poll(0))

    def unsent(self) -> int:
        return unsent(self._sock)

    def interrupt(self) -> None:
        cut(self._sock)

    def close(self) -> None:
        self._sock.close()

    def _wait(self, wait_s: float) -> None:
        if wait_s != self._wait_s:
            self._sock.settimeout(wait_s)
            self._wait_s = wait_s
