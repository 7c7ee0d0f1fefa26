"""Sends content that is too big to hold: by sendfile from a worker thread, or in pieces through the loop (TLS)."""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
import threading
import time
from typing import TYPE_CHECKING, Final

from mossaic.gateway.http.reader import wait_ready
from mossaic.gateway.message import FilePiece

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mossaic.gateway.http.pace import Pace
    from mossaic.gateway.message import Content

PIECE: Final = 256 * 1024  # bytes read at a time where sendfile cannot be used
_STALL_S: Final = 0.2  # a client that takes nothing for so long gets its thread back to the pool
# Where the kernel keeps to a limit of time, it does the waiting for room in the middle of a call: one call sends what would be a dozen,
# with a wait, and with the way back to the interpreter, between two of them.
_WAITS_IN_CALLS: Final = sys.platform == "linux"
_ROUND: Final = 1024 * 1024  # bytes asked of one such call
_CALL_WAIT: Final = struct.pack("@ll", 0, 100_000)  # struct timeval: for each 64 KiB of it
_SLOW_S: Final = 0.5  # whose client takes less than a round in that time does not hold a thread in calls
_SENDFILE_MOST: Final = 1 << 30  # bytes asked of one call that does not wait
_SENDFILE: Final = hasattr(os, "sendfile")
_NO_SENDFILE: Final = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)  # this file cannot be sent so: read it
_MORE: Final[int] = getattr(socket, "MSG_MORE", 0)  # Linux: the head waits for the first bytes of the body


class WrongLength(Exception):
    """The pieces are not as many bytes as were announced."""


class Pieces:
    """The pieces of a content as bytes, and a check that they are `length` in all. Blocking."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._left = content.length
        self._pieces: Iterator[FilePiece | bytes] | None = None

    def next(self) -> FilePiece | bytes | None:
        """None at the end. Raises WrongLength."""
        if self._pieces is None:
            self._pieces = self._content.pieces()
        for piece in self._pieces:
            size = piece.length if isinstance(piece, FilePiece) else len(piece)
            self._left -= size
            if self._left < 0:
                raise WrongLength
            if size:
                return piece
        if self._left:
            raise WrongLength
        return None

    def close(self) -> None:
        """Let a generator close its files."""
        close = getattr(self._pieces, "close", None)
        if close is not None:
            close()


def read_piece(piece: FilePiece, offset: int, count: int) -> bytes:
    """Up to `count` bytes from `offset` of the piece. Raises WrongLength when the file ends early."""
    data = os.pread(piece.fileno, min(count, piece.length - offset), piece.offset + offset)
    if not data:
        raise WrongLength
    return data


def iterate_bytes(pieces: Pieces) -> Iterator[bytes]:
    """All content in bytes of at most PIECE (pieces that are bytes already pass as they are). Blocking."""
    while (piece := pieces.next()) is not None:
        if isinstance(piece, bytes):
            yield piece
            continue
        offset = 0
        while offset < piece.length:
            data = read_piece(piece, offset, PIECE)
            offset += len(data)
            yield data


def read_all(content: Content) -> bytes:
    """A small content. Blocking."""
    pieces = Pieces(content)
    try:
        return b"".join(iterate_bytes(pieces))
    finally:
        pieces.close()


class Chunks:
    """A content as bytes, for a loop that asks for one chunk at a time. Both methods block and exclude each other."""

    def __init__(self, content: Content) -> None:
        self._lock = threading.Lock()
        self._pieces = Pieces(content)
        self._chunks = iterate_bytes(self._pieces)

    def next(self) -> bytes:
        """No bytes at the end."""
        with self._lock:
            return next(self._chunks, b"")

    def close(self) -> None:
        with self._lock:
            self._pieces.close()


class Sender:
    """Sends a head and the pieces of a content on a socket of its own, which is `returned` when all is sent or sending has failed;
    it may go on in another thread. `run` and `close` exclude each other."""

    def __init__(
        self,
        sock: socket.socket,
        *,
        head: bytes,
        content: Content,
        pace: Pace,
        returned: Callable[[socket.socket], None],
    ) -> None:
        self.is_closed = False
        self._lock = threading.Lock()
        self._sock = sock
        self._bytes = memoryview(head)
        self._flags = _MORE
        self._pace = pace
        self._pieces = Pieces(content)
        self._returned = returned
        self._file: FilePiece | None = None
        self._offset = 0
        self._by_sendfile = _SENDFILE
        self._waits = False

    def run(self) -> bool:
        """Send until all is sent (True) or the client takes nothing more for a while (False: call again when the
        socket is writable). Raises OSError, WrongLength and what `pieces` raises."""
        with self._lock:
            is_sent = True
            try:
                self._wait_in_calls(_WAITS_IN_CALLS)
                is_sent = self._run()
            finally:
                self._wait_in_calls(False)
                if is_sent:  # or failed
                    self._close()
            return is_sent

    def close(self) -> None:
        """Blocks while `run` runs. Idempotent."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self.is_closed:
            return
        self.is_closed = True
        self._returned(self._sock)
        self._pieces.close()

    def _wait_in_calls(self, waits: bool) -> None:
        """The loop has the same socket: it does not read meanwhile, and finds it as it was."""
        if waits != self._waits:
            self._waits = waits
            self._sock.setblocking(waits)
            if waits:
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _CALL_WAIT)

    def _run(self) -> bool:
        while self._bytes or self._file is not None or self._take():
            began = time.monotonic()
            try:
                sent = self._send()
            except BlockingIOError:
                if not wait_ready(self._sock, write=True, timeout_s=_STALL_S):
                    return False
            else:
                self._pace.moved(sent)
            if self._waits and time.monotonic() - began > _SLOW_S:
                self._wait_in_calls(False)
        return True

    def _take(self) -> bool:
        piece = self._pieces.next()
        if isinstance(piece, FilePiece):
            self._file, self._offset = piece, 0
        elif piece is not None:
            self._bytes = memoryview(piece)
        return piece is not None

    def _send(self) -> int:
        if self._bytes:
            sent = self._sock.send(self._bytes, self._flags)
            self._bytes = self._bytes[sent:]
            if not self._bytes:
                self._flags = 0
            return sent
        assert self._file is not None
        sent = self._send_file(self._file)
        self._offset += sent
        if self._offset == self._file.length:
            self._file = None
        return sent

    def _send_file(self, piece: FilePiece) -> int:
        left = piece.length - self._offset
        if not self._by_sendfile:
            return self._sock.send(read_piece(piece, self._offset, PIECE))
        try:
            count = min(left, _ROUND if self._waits else _SENDFILE_MOST)
            sent = os.sendfile(self._sock.fileno(), piece.fileno, piece.offset + self._offset, count)
        except OSError as error:
            if error.errno not in _NO_SENDFILE:
                raise
            self._by_sendfile = False
            return 0
        if sent == 0:
            raise WrongLength
        return sent
