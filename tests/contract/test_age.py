"""A store that has been in use for long costs what a new one does: its log stays short, room is used again, and neither a
start nor a quiet round of the sweeper looks at what is stored."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING

from mossaic.config import Settings
from mossaic.model.page import ListQuery
from mossaic.service.sweeper import Sweeper
from mossaic.stores.blobs import FileBlobs
from mossaic.stores.sql import SqliteMetadata
from mossaic.stores.sql.wal import WAL_PAGES
from tests.contract.given import BUCKET, NOW, given_bucket, given_upload, key, put, put_inline, put_part
from tests.in_process import StandingClock

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

PAGE_BYTES = 4096


async def test_the_log_stays_short_under_writes_that_never_pause_and_readers(tmp_path: Path) -> None:
    metadata = SqliteMetadata.open(tmp_path / "m.db", sync=False)
    await given_bucket(metadata)
    log = tmp_path / "m.db-wal"
    longest = written = 0

    async def write(name: str) -> None:
        for _ in range(25):
            await put_inline(metadata, name, b"x" * 16_000)

    while written < 4 * WAL_PAGES * PAGE_BYTES:
        await asyncio.gather(
            *(write(f"k{number}") for number in range(64)),
            *(metadata.list_objects(ListQuery(bucket=BUCKET)) for _ in range(64)),
        )
        written += 64 * 25 * 16_000
        longest = max(longest, log.stat().st_size)
    await metadata.close()

    assert longest < 2 * WAL_PAGES * PAGE_BYTES


async def test_room_of_what_was_deleted_is_used_again(tmp_path: Path) -> None:
    metadata = SqliteMetadata.open(tmp_path / "m.db", sync=False)
    await given_bucket(metadata)
    pages: list[int] = []

    for _ in range(6):
        await asyncio.gather(*(put_inline(metadata, f"k{n}", b"x" * 9_000) for n in range(200)))
        await asyncio.gather(*(metadata.delete_object(BUCKET, key(f"k{n}"), None, NOW) for n in range(200)))
        pages.append(metadata._database.read.all("PRAGMA page_count")[0][0])
    await metadata.close()

    assert pages[-1] <= pages[0] * 1.2


async def test_neither_start_nor_sweeper_looks_at_what_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = [await cost_of_a_start(tmp_path / str(count), count, monkeypatch) for count in (10, 1_000)]

    assert costs[1] < costs[0] * 1.2


async def cost_of_a_start(folder: Path, count: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Steps of SQLite's machine in opening a store with `count` objects, uploads and parts, and in a round with nothing to do."""
    before = SqliteMetadata.open(folder / "m.db", sync=False)
    await given_bucket(before)
    upload = await given_upload(before, "U0", name="parts")
    await asyncio.gather(*(put(before, f"k{number}") for number in range(count)))
    await asyncio.gather(*(given_upload(before, f"U{number}", name="k") for number in range(1, count)))
    await asyncio.gather(*(put_part(before, upload, number) for number in range(1, count)))
    await before.close()
    ticks = 0
    connect = sqlite3.connect

    def tick() -> int:
        nonlocal ticks
        ticks += 1
        return 0

    def counted(*values: object, **named: object) -> sqlite3.Connection:
        connection = connect(*values, **named)  # type: ignore[call-overload]  # whatever it was called with
        connection.set_progress_handler(tick, 1)
        return connection  # type: ignore[no-any-return]  # as above

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", counted)
        metadata = SqliteMetadata.open(folder / "m.db", sync=False)
    settings = Settings()
    sweeper = Sweeper(
        metadata=metadata,
        blobs=FileBlobs(folder / "blobs"),
        clock=StandingClock(NOW),
        settings=settings.sweep,
        receipts_s=settings.upload.replay_s,
    )
    await metadata.probe()
    await sweeper.sweep_once(NOW)
    await metadata.close()
    assert ticks > 0
    return ticks
