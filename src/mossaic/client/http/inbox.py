"""A reusable buffer for what was received and not yet used: heads, chunk lines, the first bytes of bodies. No I/O."""

from __future__ import annotations

from typing import Final

from mossaic.client.http.head import MAX_HEAD, Malformed

_SIZE: Final = 16 * 1024  # bytes to begin with; it grows only for a longer head
_HEAD_END: Final = b"\r\n\r\n"
_START: Final = b"HTTP/"


class Inbox:
    """Bytes wait between `_start` and `_end`. The owner receives into `room()` and says `grew(count)`."""

    __slots__ = ("_buffer", "_end", "_seen", "_start", "_view")

    def __init__(self) -> None:
        self._buffer = bytearray(_SIZE)
        self._view = memoryview(self._buffer)
        self._start = 0
        self._end = 0
        self._seen = 0  # no line end begins before this place: it was looked for already

    def __len__(self) -> int:
        return self._end - self._start

    def room(self) -> memoryview:
        """Free space, at least one byte."""
        if self._start == self._end:
            self._start = self._end = self._seen = 0
            return self._view
        if self._end == len(self._buffer):
            self._make_room()
        return self._view[self._end :]

    def grew(self, count: int) -> None:
        self._end += count

    def take(self, count: int) -> bytes:
        """The next `count` bytes, which are here."""
        start = self._start
        self._start += count
        return bytes(self._view[start : self._start])

    def take_into(self, buffer: memoryview) -> int:
        """Fill `buffer` as far as the bytes go; how many."""
        count = min(len(buffer), self._end - self._start)
        buffer[:count] = self._view[self._start : self._start + count]
        self._start += count
        return count

    def take_head(self) -> bytes | None:
        """A head without its empty line; None while it is not complete. Raises Malformed when it is none or too long."""
        start = self._start
        place = self._buffer.find(_HEAD_END, max(start, self._seen), self._end)
        if place < 0:
            waiting = self._end - start
            if not _START.startswith(self._buffer[start : start + min(5, waiting)]):
                raise Malformed("it does not speak HTTP")
            if waiting >= MAX_HEAD:
                raise Malformed(f"its head is longer than {MAX_HEAD} bytes")
            self._seen = self._end - 3
            return None
        if place - start > MAX_HEAD:
            raise Malformed(f"its head is longer than {MAX_HEAD} bytes")
        self._start = place + 4
        return bytes(self._view[start:place])

    def take_line(self, limit: int) -> bytes | None:
        """A line without its CRLF; None while it is not complete. Raises Malformed when it is longer than `limit`."""
        start = self._start
        place = self._buffer.find(b"\r\n", start, min(self._end, start + limit + 2))
        if place < 0:
            if self._end - start >= limit + 2:
                raise Malformed("a line of its chunked body is too long")
            return None
        self._start = place + 2
        return bytes(self._view[start:place])

    def _make_room(self) -> None:
        waiting = self._view[self._start : self._end]
        # At the start of the buffer already: it is full, and only a head may be so long.
        into = self._buffer if self._start else bytearray(2 * len(self._buffer))
        size = len(waiting)
        into[:size] = bytes(waiting)
        waiting.release()
        self._seen = max(0, self._seen - self._start)
        self._start, self._end = 0, size
        if into is not self._buffer:
            self._buffer, self._view = into, memoryview(into)
