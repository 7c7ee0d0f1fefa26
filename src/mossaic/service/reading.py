"""An object's bytes on their way out: pieces of open files where there are files, plain bytes otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mossaic.ports import FilePiece
from mossaic.protocol.checksum import Sums
from mossaic.protocol.limits import KIB
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mossaic.model.object import ObjectVersion
    from mossaic.ports import BlobStore

_BLOCK: Final = 512 * KIB  # bytes read at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Bytes start … stop (half open) of an object version. Its blobs stay readable for the store's reader grace, so an
    overwrite or a delete in the meantime does not disturb it."""

    blobs: BlobStore
    version: ObjectVersion
    start: int
    stop: int

    @classmethod
    def whole(cls, blobs: BlobStore, version: ObjectVersion) -> Reading:
        return cls(blobs=blobs, version=version, start=0, stop=version.size)

    @property
    def length(self) -> int:
        return self.stop - self.start

    @property
    def in_memory(self) -> bytes | None:
        """The bytes, where they need no reading: small objects lie beside the metadata."""
        if self.length == 0:
            return b""
        return None if self.version.inline is None else self.version.inline[self.start : self.stop]

    def pieces(self) -> Iterator[FilePiece | bytes]:
        """Blocks. A descriptor is valid until the next piece is asked for. Raises Damaged when bytes are missing."""
        if self.in_memory is not None:
            yield self.in_memory
            return
        for extent in self.version.manifest.cut(self.start, self.stop):
            with self.blobs.open(extent.blob_id) as source:
                descriptor = source.fileno()
                if descriptor is not None:
                    yield FilePiece(descriptor, extent.offset, extent.length)
                    continue
                for offset in range(extent.offset, extent.offset + extent.length, _BLOCK):
                    yield source.read(offset, min(_BLOCK, extent.offset + extent.length - offset))

    def blocks(self) -> Iterator[bytes]:
        """The bytes themselves, at most 512 KiB at a time. Blocks; raises Damaged."""
        if self.in_memory is not None:
            yield self.in_memory
            return
        for extent in self.version.manifest.cut(self.start, self.stop):
            with self.blobs.open(extent.blob_id) as source:
                for offset in range(extent.offset, extent.offset + extent.length, _BLOCK):
                    yield source.read(offset, min(_BLOCK, extent.offset + extent.length - offset))

    def sums(self, *, md5: bool) -> Sums:
        """CRC-64 of the bytes and, where it is wanted, their MD5. Blocks; raises Damaged."""
        sums = Sums(md5=md5)
        for block in self.blocks():
            sums.add(block)
        return sums
