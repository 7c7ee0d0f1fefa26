"""Blobs made from bytes that are here already: merged tails of appended objects, small copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mossaic.model.manifest import Manifest
from mossaic.model.names import new_blob_id
from mossaic.model.object import Blob
from mossaic.protocol.checksum import Sums

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mossaic.ports import BlobStore
    from mossaic.service.intake import Received


def write_blob(blobs: BlobStore, pieces: Iterable[bytes], *, md5: bool) -> Blob:
    """A durable blob of `pieces` in order, with its MD5 or without. Blocks. Crash: an orphan stays, which the sweeper finds."""
    blob_id = new_blob_id()
    sums = Sums(md5=md5)
    sink = blobs.create(blob_id, None)
    try:
        for piece in pieces:
            sink.write(memoryview(piece))
            sums.add(piece)
        sink.commit()
    except BaseException:  # whatever stops it, nothing half done may stay
        sink.discard()
        raise
    return Blob(blob_id=blob_id, size=sums.size, md5=sums.md5, crc64=sums.crc64)


def received_manifest(received: Received) -> Manifest:
    """Where the bytes of a received body lie: in its one blob, or nowhere (inline)."""
    if received.blob is None:
        return Manifest()
    return Manifest.of_blob(received.blob.blob_id, received.size)
