"""Fixtures: the real stores in a temporary folder, and values to fill them with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from mossaic.service.buckets import Account, BucketService, NewBucket
from mossaic.stores.blobs import FileBlobs
from mossaic.stores.sql import SqliteMetadata

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from mossaic.model.bucket import Bucket

NOW = datetime(2026, 3, 5, 12, 0, 0, tzinfo=UTC)


@dataclass(slots=True)
class SetClock:
    """`ports.Clock` that stands where it was set."""

    moment: datetime = field(default=NOW)

    def now(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def metadata(tmp_path: Path) -> AsyncIterator[SqliteMetadata]:
    store = SqliteMetadata.open(tmp_path / "metadata.db", sync=False, reader_grace_s=0)
    yield store
    await store.close()


@pytest.fixture(scope="session")
def blob_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its 4,096 folders are made once; each test leaves it empty."""
    return tmp_path_factory.mktemp("blobs")


@pytest.fixture
def blobs(blob_root: Path) -> Iterator[FileBlobs]:
    store = FileBlobs(blob_root, sync=False)
    yield store
    store.delete([blob_id for blob_id, _ in store.list(before=datetime.max.replace(tzinfo=UTC))])


@pytest.fixture
def buckets(metadata: SqliteMetadata, clock: SetClock) -> BucketService:
    return BucketService(metadata=metadata, clock=clock, account=Account(owner_id="1001", quota=5))


@pytest.fixture
async def bucket(buckets: BucketService) -> Bucket:
    return await buckets.create(NewBucket(name="plain"))
