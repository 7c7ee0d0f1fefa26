"""Where an object's bytes lie: an ordered list of extents of immutable blobs, cut by bisection."""

from __future__ import annotations

import struct
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from mossaic.model.names import BlobId

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PACKED: Final = struct.Struct(">16sQQ")  # blob id (16 bytes), offset, length


@dataclass(frozen=True, slots=True)
class Extent:
    """`length` bytes of `blob_id` from `offset`. Bytes; length is never 0 inside a manifest."""

    blob_id: BlobId
    offset: int
    length: int


@dataclass(frozen=True)
class Manifest:
    """Extents in object order. Not slotted: the running ends are computed once, on first use."""

    extents: tuple[Extent, ...] = ()

    @cached_property
    def ends(self) -> tuple[int, ...]:
        return tuple(accumulate(extent.length for extent in self.extents))

    @property
    def size(self) -> int:
        return self.ends[-1] if self.extents else 0

    @property
    def blob_ids(self) -> frozenset[BlobId]:
        return frozenset(extent.blob_id for extent in self.extents)

    def cut(self, start: int, stop: int) -> Iterator[Extent]:
        """The extents that hold bytes start … stop (half open, inside 0 … size), cut to fit."""
        assert 0 <= start <= stop <= self.size, (start, stop, self.size)
        index = bisect_right(self.ends, start)
        position = self.ends[index - 1] if index else 0
        while position < stop:
            extent = self.extents[index]
            skip = max(start - position, 0)
            take = min(stop - position, extent.length) - skip
            yield Extent(extent.blob_id, extent.offset + skip, take)
            position += extent.length
            index += 1

    def pack(self) -> bytes:
        """32 bytes an extent: blob id, offset, length, big-endian."""
        return b"".join(_PACKED.pack(bytes.fromhex(e.blob_id), e.offset, e.length) for e in self.extents)

    @classmethod
    def unpack(cls, packed: bytes) -> Manifest:
        return cls(
            tuple(
                Extent(BlobId(raw.hex()), offset, length)
                for raw, offset, length in _PACKED.iter_unpack(packed)
            )
        )

    @classmethod
    def join(cls, parts: Iterable[Manifest]) -> Manifest:
        return cls(tuple(extent for part in parts for extent in part.extents))
