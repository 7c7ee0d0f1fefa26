"""Blobs made from bytes that are here already: merged tails of appended objects, small copies."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from mossaic.model.manifest import Extent, Manifest
from mossaic.model.names import new_blob_id
from mossaic.model.object import Blob
from mossaic.protocol.checksum import crc64

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mossaic.ports import BlobStore
    from mossaic.service.intake import Received


def write_blob(blobs: BlobStore, pieces: Iterable[bytes]) -> Blob:
    """A durable blob of `pieces` in order. Blocks. Crash: an orphan stays, which the sweeper finds."""
    blob_id = new_blob_id()
    md5, crc, size = hashlib.md5(usedforsecurity=False), 0, 0
    sink = blobs.create(blob_id, None)
    try:
        for piece in pieces:
            sink.write(memoryview(piece))
            md5.update(piece)
            crc = crc64(piece, crc)
            size += len(piece)
        sink.commit()
    except BaseException:  # whatever stops it, nothing half done may stay
        sink.discard()
        raise
    return Blob(blob_id=blob_id, size=size, md5=md5.hexdigest().upper(), crc64=crc)


def received_manifest(received: Received) -> Manifest:
    """Where the bytes of a received body lie: in its one blob, or nowhere (inline)."""
    if received.blob is None:
        return Manifest()
    return Manifest((Extent(received.blob.blob_id, 0, received.size),))
