"""A bucket on the real SQLite store and blob files, with the multipart service over it."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

import pytest

from mossaic.model.bucket import Bucket
from mossaic.model.names import BucketName, UploadId, object_key
from mossaic.model.object import ObjectVersion
from mossaic.ports import BodyReader, Commit, Stored
from mossaic.protocol.errors import OssError
from mossaic.protocol.operations import multipart as shapes
from mossaic.service.intake import Intake
from mossaic.service.link_limits import LinkLimits
from mossaic.service.multipart import MultipartService
from mossaic.stores.blobs.files import FileBlobs
from mossaic.stores.sql.sqlite import SqliteMetadata

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from mossaic.model.upload import Part

T = TypeVar("T")
FOREVER = datetime(2100, 1, 1, tzinfo=UTC)
KEY = "folder/big file.bin"
UNKNOWN = "0" * 32
REPLAY_S = 3600


class Body:
    """A body that is here already; `said` is its Content-Length. `before_end` runs when all of it was read."""

    def __init__(
        self, content: bytes, *, said: int | None = None, before_end: Callable[[], None] | None = None
    ):
        self.length = len(content) if said is None else said
        self.touched = False
        self._left = memoryview(content)
        self._before_end = before_end

    def readinto(self, buffer: memoryview) -> int:
        self.touched = True
        count = min(len(buffer), len(self._left))
        if count == 0 and self._before_end is not None:
            self._before_end()
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count

    async def read(self, limit: int) -> bytes:
        self.touched = True
        return bytes(self._left[:limit])

    async def consume(self, work: Callable[[BodyReader], T]) -> T:
        return await asyncio.to_thread(work, self)


class SetClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 5, 6, 7, 8, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


@dataclass
class World:
    metadata: SqliteMetadata
    blobs: FileBlobs
    service: MultipartService
    bucket: Bucket
    clock: SetClock = field(default_factory=SetClock)

    def another(self, *, replay_s: float = REPLAY_S) -> World:
        """The same store in another process, which has not heard of any upload."""
        return replace(self, service=_service(self.metadata, self.blobs, self.clock, replay_s))

    async def begin(self, key: str = KEY, **headers: object) -> UploadId:
        asked = shapes.InitiateMultipartUpload(bucket="bkt", key=key, **headers)  # type: ignore[arg-type]  # shorthand
        upload = await self.service.initiate(self.bucket, asked, initiator="1")
        return upload.upload_id

    async def put(self, upload_id: str, number: int, content: bytes, key: str = KEY) -> Part:
        _, part, _ = await self.service.put_part(
            self.bucket, self.asked(upload_id, str(number), key), Body(content)
        )
        return part

    def asked(self, upload_id: str, number: str | None, key: str = KEY) -> shapes.UploadPart:
        return shapes.UploadPart(
            bucket="bkt", key=key, upload_id=upload_id, part_number=number, content_length="said"
        )

    async def complete(
        self, upload_id: str, parts: Sequence[Part] | None, key: str = KEY, **headers: str
    ) -> Stored:
        document = None if parts is None else document_of(parts)
        asked = shapes.CompleteMultipartUpload(
            bucket="bkt", key=key, upload_id=upload_id, document=document, **headers
        )
        return await self.service.complete(self.bucket, asked)

    async def abort(self, upload_id: str, key: str = KEY) -> None:
        await self.service.abort(
            self.bucket, shapes.AbortMultipartUpload(bucket="bkt", key=key, upload_id=upload_id)
        )

    async def head(self, key: str = KEY) -> ObjectVersion | None:
        return await self.metadata.head(self.bucket.name, object_key(key))

    def content(self, version: ObjectVersion) -> bytes:
        if version.inline is not None:
            return version.inline
        pieces = []
        for extent in version.manifest.extents:
            with self.blobs.open(extent.blob_id) as source:
                pieces.append(source.read(extent.offset, extent.length))
        return b"".join(pieces)

    async def plain_object(self, key: str = KEY) -> None:
        version = ObjectVersion(
            bucket=self.bucket.name, key=object_key(key), modified_at=self.clock.now(), inline=b"", etag="E"
        )
        await self.metadata.put_object(Commit(version=version))

    async def free_garbage(self) -> int:
        """What the sweeper does; the number of blobs freed."""
        freed = await self.metadata.garbage(now=self.clock.now() + timedelta(days=1), limit=1000)
        self.blobs.delete(freed)
        await self.metadata.forget(freed)
        return len(freed)

    def blob_count(self) -> int:
        return len(list(self.blobs.list(before=FOREVER)))


def document_of(parts: Sequence[Part]) -> bytes:
    listed = "".join(
        f'<Part><PartNumber>{part.number}</PartNumber><ETag>"{part.etag}"</ETag></Part>' for part in parts
    )
    return f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()


def noise(size: int, seed: int = 0) -> bytes:
    return hashlib.shake_128(bytes([seed])).digest(size)


def _service(
    metadata: SqliteMetadata, blobs: FileBlobs, clock: SetClock, replay_s: float
) -> MultipartService:
    return MultipartService(
        metadata=metadata,
        blobs=blobs,
        intake=Intake(blobs),
        clock=clock,
        limits=LinkLimits(metadata=metadata, clock=clock),
        replay_s=replay_s,
    )


@pytest.fixture(scope="module")
def blobs(tmp_path_factory: pytest.TempPathFactory) -> FileBlobs:
    return FileBlobs(tmp_path_factory.mktemp("blobs"), sync=False)


@pytest.fixture
async def world(tmp_path: Path, blobs: FileBlobs) -> AsyncIterator[World]:
    metadata = SqliteMetadata.open(tmp_path / "metadata.db", sync=False, reader_grace_s=0)
    clock = SetClock()
    service = _service(metadata, blobs, clock, REPLAY_S)
    name = BucketName("bkt")
    bucket = Bucket(name=name, region="cn-hangzhou", owner_id="1", created_at=clock.now())
    await metadata.create_bucket(bucket, quota=10)
    found = await metadata.bucket(name)
    assert found is not None
    yield World(metadata=metadata, blobs=blobs, service=service, bucket=found, clock=clock)
    await metadata.close()
    blobs.delete([blob_id for blob_id, _ in blobs.list(before=FOREVER)])


async def refusal(doing: object) -> OssError:
    with pytest.raises(OssError) as caught:
        await doing  # type: ignore[misc]  # a coroutine of any result
    return caught.value
