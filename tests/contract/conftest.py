"""One fixture a port; a law that asks for it runs on every adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mossaic.stores.blobs import FileBlobs
from mossaic.stores.sql import SqliteMetadata
from tests.contract.given import GRACE_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from mossaic.ports import BlobStore, MetadataStore


@pytest.fixture(params=["sqlite"])
async def metadata(tmp_path: Path) -> AsyncIterator[MetadataStore]:
    """Empty; consistent at the end of every law, whatever the law did."""
    store = SqliteMetadata.open(tmp_path / "metadata.db", sync=False, reader_grace_s=GRACE_S)
    yield store
    problems = await store.check()
    await store.close()
    assert problems == []


@pytest.fixture(params=["files"])
def blobs(tmp_path: Path) -> BlobStore:
    return FileBlobs(tmp_path / "blobs")
