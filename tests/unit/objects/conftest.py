"""A bucket on the real stores, in a temporary folder, and bodies that are already here."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

import pytest

from mossaic.model.bucket import Bucket, Versioning
from mossaic.model.headers import Attributes
from mossaic.model.names import BucketName
from mossaic.model.object import ObjectAcl, ObjectHeaders, StorageClass
from mossaic.service.copying import CopyService
from mossaic.service.intake import Expected, Intake
from mossaic.service.link_limits import LinkLimits
from mossaic.service.objects import ObjectService, ReadOrder
from mossaic.stores.blobs.files import FileBlobs
from mossaic.stores.sql.sqlite import SqliteMetadata

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from mossaic.model.names import ObjectKey
    from mossaic.ports import BodyReader, Stored

T = TypeVar("T")
LONG_AFTER = datetime(2100, 1, 1, tzinfo=UTC)


class BytesReader:
    def __init__(self, content: bytes) -> None:
        self._left = memoryview(content)

    def readinto(self, buffer: memoryview) -> int:
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count


class BytesBody:
    """`ports.Body` of bytes; `length` None is a chunked body."""

    def __init__(self, content: bytes, *, chunked: bool = False) -> None:
        self.content = content
        self.length = None if chunked else len(content)
        self.touched = False

    async def read(self, limit: int) -> bytes:
        assert len(self.content) <= limit
        self.touched = True
        return self.content

    async def consume(self, work: Callable[[BodyReader], T]) -> T:
        self.touched = True
        return await asyncio.to_thread(work, BytesReader(self.content))


class TickingClock:
    """Each look is a second later, so that times can be told apart."""

    def __init__(self) -> None:
        self._now = datetime(2026, 3, 5, 6, 7, 8, 900_000, tzinfo=UTC)

    def now(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now


def said(
    *,
    tags: dict[str, str] | None = None,
    forbid: bool = False,
    headers: ObjectHeaders | None = None,
    storage_class: StorageClass = StorageClass.STANDARD,
    acl: ObjectAcl = ObjectAcl.DEFAULT,
) -> Attributes:
    return Attributes(
        headers=headers or ObjectHeaders(stored={"Content-Type": "text/plain"}),
        tags=tags or {},
        acl=acl,
        storage_class=storage_class,
        forbid_overwrite=forbid,
    )


@dataclass
class World:
    """The services over one bucket."""

    metadata: SqliteMetadata
    blobs: FileBlobs
    clock: TickingClock
    intake: Intake
    objects: ObjectService
    copying: CopyService
    bucket: Bucket
    expected: Expected = field(default_factory=Expected)

    async def put(self, key: str, content: bytes, attributes: Attributes | None = None) -> Stored:
        return await self.objects.put(
            self.bucket,
            as_key(key),
            BytesBody(content),
            said=attributes or said(),
            expected=self.expected,
        )

    async def get(self, key: str, **order: object) -> bytes:
        found = await self.objects.look(
            self.bucket,
            ReadOrder(key=as_key(key), **order),  # type: ignore[arg-type]  # a test's shorthand
            nobody_minds,
        )
        return b"".join(self.objects.reading(found).blocks())

    async def version(self, versioning: Versioning) -> None:
        """Set the bucket's versioning."""
        await self.metadata.change_bucket(replace(self.bucket, versioning=versioning))
        found = await self.metadata.bucket(self.bucket.name)
        assert found is not None
        self.bucket = found

    def blob_count(self) -> int:
        return len(list(self.blobs.list(before=LONG_AFTER)))


def as_key(text: str) -> ObjectKey:
    from mossaic.model.names import object_key  # noqa: PLC0415  # next to its one use

    return object_key(text)


async def nobody_minds(_key: str) -> None:
    """Every key may be read."""


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> FileBlobs:
    """One for all tests, emptied after each: making its folders takes longer than a test."""
    return FileBlobs(tmp_path_factory.mktemp("blobs"), sync=False)


@pytest.fixture
async def world(tmp_path: Path, store: FileBlobs) -> AsyncIterator[World]:
    metadata = SqliteMetadata.open(tmp_path / "metadata.db", sync=False, reader_grace_s=0)
    blobs = store
    clock = TickingClock()
    intake = Intake(blobs)
    limits = LinkLimits(metadata=metadata, clock=clock)
    objects = ObjectService(metadata=metadata, blobs=blobs, intake=intake, clock=clock, limits=limits)
    copying = CopyService(metadata=metadata, blobs=blobs, objects=objects, clock=clock)
    bucket = Bucket(name=BucketName("bkt"), region="cn-hangzhou", owner_id="1", created_at=clock.now())
    await metadata.create_bucket(bucket, quota=10)
    found = await metadata.bucket(bucket.name)
    assert found is not None
    yield World(
        metadata=metadata,
        blobs=blobs,
        clock=clock,
        intake=intake,
        objects=objects,
        copying=copying,
        bucket=found,
    )
    await metadata.close()
    blobs.delete([blob_id for blob_id, _ in blobs.list(before=LONG_AFTER)])
