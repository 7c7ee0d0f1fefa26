"""The bytes of one part on their way: read, counted, checked and paced in one pass."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import TYPE_CHECKING, Protocol

from mossaic.protocol.checksum import crc64

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mossaic.client.http import Scope
    from mossaic.client.upload.plan import Piece
    from mossaic.client.upload.task import Task


class Readable(Protocol):
    """What a part's bytes are read from: a source, or the spool of a stream."""

    def chunks(self, offset: int, size: int, most: Callable[[int], int]) -> Iterator[memoryview]: ...


class PartBody:
    """One attempt to send a piece. `crc64` is that of the bytes sent, once they all are; None with checks off. `is_out`: its last
    byte was given to the network, which may have lost it.

    `before_last` is called with the CRC-64 of the piece when all of it was read and the last chunk is not yet sent: what it raises keeps
    the server from ever having the whole.
    """

    def __init__(
        self,
        task: Task,
        source: Readable,
        piece: Piece,
        scope: Scope,
        *,
        before_last: Callable[[int], None] | None = None,
    ) -> None:
        self._task = task
        self._source = source
        self._piece = piece
        self._scope = scope
        self._before_last = before_last
        self._check = task.options.checksum != "none"
        self.length: int | None = piece.size
        self.crc64: int | None = 0 if self._check else None
        self.is_out = False

    def chunks(self) -> Iterator[memoryview]:
        number, at, value = self._piece.number, 0, 0
        throttle, meter, check = self._task.throttle, self._task.meter, self._check
        for chunk in self._source.chunks(self._piece.offset, self._piece.size, throttle.chunk):
            if check:
                value = crc64(chunk, value)
            is_last = at + len(chunk) == self._piece.size
            if is_last and self._before_last is not None:
                self._before_last(value)
            throttle.take(len(chunk), self._scope)
            if is_last:  # before it goes: when the line breaks now, all of it may have arrived
                self._let_out(value)
            yield chunk
            at += len(chunk)
            meter.moved(number, at, len(chunk))
        if self._piece.size == 0:
            self._let_out(value)

    def _let_out(self, value: int) -> None:
        self.is_out = True
        if self._check:
            self.crc64 = value


def whole(most: int) -> int:
    """For reading without a limit of bandwidth."""
    return most


def crc64_of(source: Readable, piece: Piece) -> int:
    """CRC-64 of a piece as it is now."""
    value = 0
    for chunk in source.chunks(piece.offset, piece.size, whole):
        value = crc64(chunk, value)
    return value


def md5_of(source: Readable, piece: Piece) -> bytes:
    """The binary MD5 of a piece as it is now; in hex it is the part's usual ETag, in base64 Content-MD5."""
    digest = hashlib.md5(usedforsecurity=False)
    for chunk in source.chunks(piece.offset, piece.size, whole):
        digest.update(chunk)
    return digest.digest()


def content_md5(digest: bytes) -> dict[str, str]:
    return {"Content-MD5": b64encode(digest).decode("ascii")}
