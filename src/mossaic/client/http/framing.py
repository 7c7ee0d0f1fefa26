"""Where the body of an answer ends: after a number of bytes, after the last chunk, or with the connection."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol

from mossaic.client.http.head import Malformed

if TYPE_CHECKING:
    from mossaic.client.http.connection import Connection

_CHUNK_LINE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})[\t ]*(?:;[\x09\x20-\x7e\x80-\xff]*)?")
_MAX_LINE: Final = 4096  # bytes of a chunk line or of a trailer
_MAX_TRAILERS: Final = 64 * 1024  # bytes of all trailers: they are read and thrown away
_DIRECT: Final = (
    4096  # a chunk with at least so many bytes left is received straight into the caller's buffer
)


class Framing(Protocol):
    """`left`: bytes still to come, None when unknown. `done`: nothing comes any more, and the connection stands behind the body."""

    left: int | None
    done: bool

    def readinto(self, buffer: memoryview) -> int:
        """At least one byte, or 0 at the end (or for an empty buffer). Raises NetworkError for a body that is cut or malformed."""
        ...


class Nothing:
    """No body at all."""

    __slots__ = ()
    left: int | None = 0
    done = True

    def readinto(self, buffer: memoryview) -> int:  # noqa: ARG002  # nothing comes
        return 0


class Sized:
    """A body of Content-Length bytes."""

    __slots__ = ("_connection", "done", "left")

    def __init__(self, connection: Connection, length: int) -> None:
        self._connection = connection
        self.left: int | None = length
        self.done = False

    def readinto(self, buffer: memoryview) -> int:
        left = self.left or 0
        if len(buffer) > left:
            buffer = buffer[:left]
        if not buffer:
            return 0
        connection = self._connection
        count = connection.inbox.take_into(buffer) or connection.receive(buffer)
        if not count:
            raise connection.failure(f"ended the answer {left} bytes too early (truncated)")
        self.left = left - count
        self.done = not self.left
        return count


class UntilClose:
    """A body that ends with the connection."""

    __slots__ = ("_connection", "done", "left")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.left: int | None = None
        self.done = False

    def readinto(self, buffer: memoryview) -> int:
        if self.done or not buffer:
            return 0
        count = self._connection.inbox.take_into(buffer) or self._connection.receive(buffer)
        if not count:
            self.left, self.done = 0, True
        return count


class Chunked:
    """A body in chunks (RFC 9112 7.1), CRLF only."""

    __slots__ = ("_begun", "_chunk", "_connection", "done", "left")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._chunk = 0  # bytes left of the present chunk
        self._begun = False
        self.left: int | None = None
        self.done = False

    def readinto(self, buffer: memoryview) -> int:
        if self.done or not buffer:
            return 0
        if not self._chunk:
            try:
                self._chunk = self._next_chunk()
            except Malformed as error:
                raise self._connection.failure(f"gave an answer that is not understood: {error}") from error
            if not self._chunk:
                self.left, self.done = 0, True
                return 0
        if len(buffer) > self._chunk:
            buffer = buffer[: self._chunk]
        count = self._take(buffer)
        self._chunk -= count
        return count

    def _take(self, buffer: memoryview) -> int:
        inbox = self._connection.inbox
        if not inbox:
            if len(buffer) >= _DIRECT:
                count = self._connection.receive(buffer)
                if not count:
                    raise self._truncated()
                return count
            self._fill()
        return inbox.take_into(buffer)

    def _next_chunk(self) -> int:
        if self._begun and self._line():
            raise Malformed("a chunk of its body has no end")
        self._begun = True
        found = _CHUNK_LINE.fullmatch(self._line())
        if found is None:
            raise Malformed("a chunk of its body has no size")
        size = int(found[1], 16)
        if not size:
            self._trailers()
        return size

    def _trailers(self) -> None:
        size = 0
        while line := self._line():
            size += len(line)
            if size > _MAX_TRAILERS:
                raise Malformed("its trailers are too long")

    def _line(self) -> bytes:
        while (line := self._connection.inbox.take_line(_MAX_LINE)) is None:
            self._fill()
        return line

    def _fill(self) -> None:
        inbox = self._connection.inbox
        count = self._connection.receive(inbox.room())
        if not count:
            raise self._truncated()
        inbox.grew(count)

    def _truncated(self) -> Exception:
        return self._connection.failure("ended the answer before its last chunk (truncated)")
