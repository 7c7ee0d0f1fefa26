"""Where an object's bytes lie: an ordered list of extents of immutable blobs, cut by bisection."""

from __future__ import annotations

import struct
from bisect import bisect_right
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from mossaic.model.names import BlobId
from mossaic.protocol.records import Lazy
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_PACKED: Final = struct.Struct(">16sQQ")  # blob id (16 bytes), offset, length
EXTENT_BYTES: Final = _PACKED.size


@dataclass(frozen=True, slots=True)
class Extent:
    """`length` bytes of `blob_id` from `offset`. Bytes; length is never 0 inside a manifest."""

    blob_id: BlobId
    offset: int
    length: int


class Manifest:
    """Extents in object order; a value, like a frozen dataclass.

    It is held packed or as extents, and each is made from the other on first use: joining the manifests of 10,000
    parts, or reading a range of such an object, should not make 10,000 Python objects.
    """

    def __init__(self, extents: Iterable[Extent] = (), *, packed: bytes | None = None) -> None:
        """From extents, or from what `pack` gave."""
        if packed is None:
            self.__dict__["extents"] = tuple(extents)
        else:
            self.__dict__["packed"] = packed

    @cached_property
    def extents(self) -> tuple[Extent, ...]:
        return tuple(self._extent(index) for index in range(len(self.packed) // EXTENT_BYTES))

    @cached_property
    def packed(self) -> bytes:
        """32 bytes an extent: blob id, offset, length, big-endian."""
        return b"".join(_PACKED.pack(bytes.fromhex(e.blob_id), e.offset, e.length) for e in self.extents)

    @cached_property
    def ends(self) -> tuple[int, ...]:
        """Where each extent ends in the object."""
        return tuple(accumulate(length for _, _, length in _PACKED.iter_unpack(self.packed)))

    @property
    def size(self) -> int:
        return self.ends[-1] if self.ends else 0

    @property
    def blob_ids(self) -> frozenset[BlobId]:
        return frozenset(extent.blob_id for extent in self.extents)

    def cut(self, start: int, stop: int) -> Iterator[Extent]:
        """The extents that hold bytes start … stop (half open, inside 0 … size), cut to fit."""
        assert 0 <= start <= stop <= self.size, (start, stop, self.size)
        if start == stop:
            return
        index = bisect_right(self.ends, start)
        position = self.ends[index - 1] if index else 0
        while position < stop:
            extent = self._extent(index)
            skip = max(start - position, 0)
            take = min(stop - position, extent.length) - skip
            yield Extent(extent.blob_id, extent.offset + skip, take)
            position += extent.length
            index += 1

    def pack(self) -> bytes:
        """32 bytes an extent: blob id, offset, length, big-endian."""
        return self.packed

    @classmethod
    def unpack(cls, packed: bytes) -> Manifest:
        return cls(packed=packed)

    @classmethod
    def of_blob(cls, blob_id: BlobId, length: int) -> Manifest:
        """The first `length` bytes, at least one, of one blob."""
        return cls(packed=_PACKED.pack(bytes.fromhex(blob_id), 0, length))

    @classmethod
    def join(cls, parts: Iterable[Manifest]) -> Manifest:
        return cls(packed=b"".join([part.packed for part in parts]))

    def _extent(self, index: int) -> Extent:
        raw, offset, length = _PACKED.unpack_from(self.packed, index * EXTENT_BYTES)
        return Extent(BlobId(raw.hex()), offset, length)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a manifest does not change: {name}")

    def __eq__(self, other: object) -> bool:
        return self.packed == other.packed if isinstance(other, Manifest) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.packed)

    def __repr__(self) -> str:
        return f"Manifest({self.extents!r})"


class Manifests(Lazy[bytes]):
    """Packed manifests of parts, one behind the other in `whole`. `lengths`: bytes of each; None where each has one extent, as
    parts have that were sent."""

    __slots__ = ("_stops", "whole")

    def __init__(self, whole: bytes = b"", lengths: Sequence[int] | None = None) -> None:
        super().__init__(len(whole) // EXTENT_BYTES if lengths is None else len(lengths))
        self.whole = whole
        self._stops = None if lengths is None else list(accumulate(lengths))

    @classmethod
    def of(cls, manifests: Sequence[bytes]) -> Manifests:
        lengths = list(map(len, manifests))
        return cls(b"".join(manifests), None if set(lengths) <= {EXTENT_BYTES} else lengths)

    @property
    def are_single(self) -> bool:
        return self._stops is None

    def _at(self, place: int) -> bytes:
        if self._stops is None:
            return self.whole[place * EXTENT_BYTES : (place + 1) * EXTENT_BYTES]
        return self.whole[self._stops[place - 1] if place else 0 : self._stops[place]]
