"""Objects, uploads and parts by the hundred thousand, through the store's own API: what a bucket holds is what is measured, not
how it came there.

Objects are a few bytes beside the metadata; parts name blobs that do not exist, which nobody reads: Complete and listings move
metadata only. About 10,000 entries a second. The server may run meanwhile.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

from bench.server.load.crew import together
from bench.server.load.signer import BUCKET
from mossaic.model.manifest import Extent, Manifest
from mossaic.model.names import BucketName, ObjectKey, UploadId, new_blob_id
from mossaic.model.object import Blob, ObjectVersion
from mossaic.model.upload import Part, Upload
from mossaic.ports import Commit
from mossaic.protocol.checksum import crc64, crc64_join, md5_hex, multipart_etag
from mossaic.stores.sql import SqliteMetadata

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator
    from pathlib import Path

    from bench.server.load.crew import Tally

CONTENT: Final = b"0123456789abcdef" * 4  # of every object
PER_FOLDER: Final = 10  # objects under one common prefix
_AT_ONCE: Final = 1024
_BUCKET: Final = BucketName(BUCKET)


def object_key(index: int) -> str:
    return f"list/d{index // PER_FOLDER:07d}/key-{index:08d}"


def upload_key(index: int) -> str:
    return f"open/{index:06d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """An open upload with parts 1 … `count` of `size` bytes each."""

    key: str
    count: int
    size: int

    @property
    def upload_id(self) -> str:
        return _upload_id(self.key)

    def document(self) -> bytes:
        """The body of its CompleteMultipartUpload."""
        listed = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{_etag(number)}</ETag></Part>"
            for number in range(1, self.count + 1)
        )
        return f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()

    def etag(self) -> str:
        """Of the object that it becomes."""
        return multipart_etag(_etag(number) for number in range(1, self.count + 1))

    def crc64(self) -> int:
        return crc64_join([(_crc64(number), self.size) for number in range(1, self.count + 1)])


def objects(data: Path, count: int) -> None:
    """Objects 0 … `count` - 1 of `object_key`, each of its own second, in the bucket of the benchmark, which must exist."""
    now = datetime.now(UTC)
    etag, crc = md5_hex(CONTENT), crc64(CONTENT)

    def steps(store: SqliteMetadata) -> Iterator[Awaitable[object]]:
        for index in range(count):
            version = ObjectVersion(
                bucket=_BUCKET,
                key=ObjectKey(object_key(index)),
                size=len(CONTENT),
                etag=etag,
                md5=etag,
                crc64=crc,
                modified_at=now - timedelta(seconds=index),
                inline=CONTENT,
            )
            yield store.put_object(Commit(version=version))

    _fill(data, steps)


def uploads(data: Path, count: int) -> None:
    """Open uploads without parts, of keys `upload_key(0)` …"""

    def steps(store: SqliteMetadata) -> Iterator[Awaitable[object]]:
        for index in range(count):
            yield store.create_upload(_upload(upload_key(index)))

    _fill(data, steps)


def parts(data: Path, wanted: Iterable[Filled]) -> None:
    """Open uploads with their parts."""
    now = datetime.now(UTC)

    def part(upload: Filled, number: int) -> tuple[Part, tuple[Blob, ...]]:
        blob = Blob(blob_id=new_blob_id(), size=upload.size, md5=_etag(number), crc64=_crc64(number))
        manifest = Manifest([Extent(blob.blob_id, 0, blob.size)])
        made = Part(
            number=number, size=blob.size, etag=blob.md5, crc64=blob.crc64, stored_at=now, manifest=manifest
        )
        return made, (blob,)

    listed = list(wanted)

    def begin(store: SqliteMetadata) -> Iterator[Awaitable[object]]:
        for upload in listed:
            yield store.create_upload(_upload(upload.key))

    def steps(store: SqliteMetadata) -> Iterator[Awaitable[object]]:
        for upload in listed:
            for number in range(1, upload.count + 1):
                yield store.put_part(UploadId(upload.upload_id), *part(upload, number))

    _fill(data, begin, steps)


def _upload_id(key: str) -> str:
    return md5_hex(key.encode())


def _upload(key: str) -> Upload:
    return Upload(
        upload_id=UploadId(_upload_id(key)),
        bucket=_BUCKET,
        key=ObjectKey(key),
        initiated_at=datetime.now(UTC),
        initiator="benchmark",
    )


def _etag(number: int) -> str:
    return md5_hex(str(number).encode())


def _crc64(number: int) -> int:
    return crc64(str(number).encode())


@dataclass(slots=True)
class _Fill:
    """The work as a job of its own process: the benchmark's own stays small."""

    data: Path
    rounds: tuple[Callable[[SqliteMetadata], Iterator[Awaitable[object]]], ...]

    def prepare(self) -> None:
        asyncio.run(self._all())

    def run(self, tally: Tally) -> None: ...

    def finish(self) -> None: ...

    async def _all(self) -> None:
        store = SqliteMetadata.open(self.data / "metadata.db", sync=False)
        for steps in self.rounds:
            waiting = steps(store)
            while batch := list(islice(waiting, _AT_ONCE)):
                await asyncio.gather(*batch)
        await store.close()


def _fill(data: Path, *rounds: Callable[[SqliteMetadata], Iterator[Awaitable[object]]]) -> None:
    together([_Fill(data, rounds)])
