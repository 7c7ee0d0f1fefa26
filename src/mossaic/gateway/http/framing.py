"""Where the bytes of a body are in the stream: by length, or in chunks. No I/O; whoever reads the connection asks.

A reader calls `advance(inbox)`, which eats control bytes (chunk lines, trailers) from the inbox and says how many
payload bytes come next; it takes some of them and reports with `took`.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Final, Protocol

from mossaic.protocol.errors import INVALID_REQUEST, OssError

_CHUNK_LINE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})(;[\x09\x20-\x7e\x80-\xff]*)?")
_TRAILER: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\x09\x20-\x7e\x80-\xff]*")
MAX_LINE: Final = 1024  # bytes of a chunk line (size and extensions) or of a trailer line
MAX_EXTRA: Final = 64 * 1024  # bytes of all extensions and trailers of a body: they are read and thrown away


class Framing(Protocol):
    """The place in a body. `done` is true after its last byte, control bytes included."""

    @property
    def done(self) -> bool: ...

    @property
    def left(self) -> int | None:
        """Payload bytes still to come, None when only the client knows."""
        ...

    def advance(self, inbox: bytearray) -> int:
        """Payload bytes that come next; 0 when done or when more control bytes are needed. Raises OssError."""
        ...

    def took(self, count: int) -> None: ...


class LengthFraming:
    """A body of Content-Length bytes."""

    __slots__ = ("_left",)

    def __init__(self, length: int) -> None:
        self._left = length

    @property
    def done(self) -> bool:
        return self._left == 0

    @property
    def left(self) -> int | None:
        return self._left

    def advance(self, inbox: bytearray) -> int:  # noqa: ARG002 - no control bytes here
        return self._left

    def took(self, count: int) -> None:
        assert count <= self._left
        self._left -= count


class _At(Enum):
    SIZE = auto()
    DATA = auto()
    DATA_END = auto()
    TRAILER = auto()
    DONE = auto()
    BROKEN = auto()  # for good: what comes after a malformed line is nobody's request


class ChunkedFraming:
    """A chunked body (RFC 9112 7.1): CRLF only, plain hexadecimal sizes, bounded extensions and trailers."""

    __slots__ = ("_at", "_extra", "_left")

    def __init__(self) -> None:
        self._at = _At.SIZE
        self._left = 0
        self._extra = 0

    @property
    def done(self) -> bool:
        return self._at is _At.DONE

    @property
    def left(self) -> int | None:
        return 0 if self._at is _At.DONE else None

    def took(self, count: int) -> None:
        assert count <= self._left
        self._left -= count
        if self._left == 0:
            self._at = _At.DATA_END

    def advance(self, inbox: bytearray) -> int:
        if self._at is _At.BROKEN:
            raise malformed()
        try:
            while self._at is not _At.DATA:
                if self._at is _At.DONE or not self._step(inbox):
                    return 0
        except OssError:
            self._at = _At.BROKEN
            raise
        return self._left

    def _step(self, inbox: bytearray) -> bool:
        """One control line; False when it is not there yet."""
        if self._at is _At.DATA_END:
            return self._chunk_end(inbox)
        line = self._line(inbox)
        if line is None:
            return False
        if self._at is _At.SIZE:
            self._size_line(line)
        else:
            self._trailer_line(line)
        return True

    def _chunk_end(self, inbox: bytearray) -> bool:
        if not b"\r\n".startswith(inbox[:2]):
            raise malformed()
        if len(inbox) < 2:
            return False
        del inbox[:2]
        self._at = _At.SIZE
        return True

    def _size_line(self, line: bytes) -> None:
        found = _CHUNK_LINE.fullmatch(line)
        if found is None:
            raise malformed()
        self._count_extra(len(found[2] or b""))
        self._left = int(found[1], 16)
        self._at = _At.DATA if self._left else _At.TRAILER

    def _trailer_line(self, line: bytes) -> None:
        if not line:
            self._at = _At.DONE
            return
        if not _TRAILER.fullmatch(line):
            raise malformed()
        self._count_extra(len(line))

    def _count_extra(self, count: int) -> None:
        self._extra += count
        if self._extra > MAX_EXTRA:
            raise malformed()

    def _line(self, inbox: bytearray) -> bytes | None:
        end = inbox.find(b"\r\n", 0, MAX_LINE + 2)
        if end < 0:
            if len(inbox) > MAX_LINE + 1 or b"\n" in inbox:
                raise malformed()
            return None
        line = bytes(inbox[:end])
        del inbox[: end + 2]
        return line


def malformed() -> OssError:
    return OssError(INVALID_REQUEST, "The chunked encoding of the request body is malformed.")


def framing_of(length: int | None) -> Framing:
    return ChunkedFraming() if length is None else LengthFraming(length)
