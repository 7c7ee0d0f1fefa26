"""A range of an object and how much of it is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mossaic.protocol.checksum import crc64_join

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mossaic.client.upload.plan import Piece


@dataclass(slots=True, kw_only=True)
class Span:
    """`size` bytes from `offset`, of which the first `done` have come; `crc64` is that of those, None with checks off.

    One thread at a time changes it.
    """

    number: int
    offset: int
    size: int
    done: int = 0
    crc64: int | None = 0

    @classmethod
    def of(cls, piece: Piece, *, checked: bool) -> Span:
        """Nothing of it is there."""
        crc64 = 0 if checked else None
        return cls(number=piece.number, offset=piece.offset, size=piece.size, crc64=crc64)

    @property
    def is_done(self) -> bool:
        return self.done == self.size

    @property
    def stop(self) -> int:
        return self.offset + self.size


def whole_crc64(spans: Iterable[Span]) -> int | None:
    """CRC-64 of the object that finished spans make, in order; None when some were not checked."""
    pieces = [(span.crc64, span.size) for span in spans]
    known = [(crc64, size) for crc64, size in pieces if crc64 is not None]
    return crc64_join(known) if len(known) == len(pieces) else None
