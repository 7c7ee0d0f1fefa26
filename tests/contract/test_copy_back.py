"""The log is copied back beside what is written, little more than once, and nothing of it is lost."""

from __future__ import annotations

import asyncio
import errno
import signal
import subprocess
import sys
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pytest

from mossaic.ports import StoreError
from mossaic.stores.lock import FileLock, Sharing
from mossaic.stores.sql import SqliteMetadata
from mossaic.stores.sql.changes import Changes
from mossaic.stores.sql.wal import CopyBack

LONG = 200  # pages
_WRITER = """
import asyncio, os, signal, sys
from mossaic.stores.lock import Sharing
from mossaic.stores.sql import SqliteMetadata, changes, wal

path, name, count, kills = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
wal.WAL_PAGES, wal._FEW_PAGES = 60, 20
if kills:
    changes._sync = lambda _: os.kill(os.getpid(), signal.SIGKILL)

async def main():
    store = SqliteMetadata.open(path, sharing=Sharing(processes=2))
    for number in range(count):
        await store.put_setting(f"{name}-{number}", "x" * 9_000)
        print(number, flush=True)
    await store.close()

asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def _short_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mossaic.stores.sql.wal.WAL_PAGES", LONG)
    monkeypatch.setattr("mossaic.stores.sql.wal._FEW_PAGES", LONG // 8)


def both(tmp_path: Path, *, sync: bool = False) -> list[SqliteMetadata]:
    """As two workers have the store."""
    return [
        SqliteMetadata.open(tmp_path / "m.db", sync=sync, sharing=Sharing(processes=2, is_ready=bool(number)))
        for number in range(2)
    ]


async def write(store: SqliteMetadata, name: str, times: int) -> None:
    for number in range(times):
        await store.put_setting(f"{name}-{number}", "x" * 9_000)


def frames_of(store: SqliteMetadata) -> int:
    frames = store._database.changes.frames()
    assert frames is not None
    return frames


async def test_two_that_write_copy_little_more_than_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[int] = []  # frames in the log, each time
    run = CopyBack.run

    def counted(*given: Any) -> bool:  # Any: as it is called
        copied.append(given[2])
        return run(*given)

    monkeypatch.setattr(CopyBack, "run", counted)
    stores = both(tmp_path)

    await asyncio.gather(*(write(store, f"{number}", 600) for number, store in enumerate(stores)))

    begun_anew = sum(after < before for before, after in pairwise(copied))
    assert begun_anew > 10
    assert len(copied) <= 5 * begun_anew  # twice, but for what is added meanwhile; it was twenty times
    assert max(copied) < 3 * LONG
    assert await stores[0].check() == []
    for store in stores:
        await store.close()


async def test_much_is_copied_without_the_turn_and_little_with_it(tmp_path: Path) -> None:
    ours, theirs = both(tmp_path)
    lock, other = (FileLock(tmp_path / "m.db-copying") for _ in range(2))
    copy_back, writer = CopyBack(ours._database.changes, lock), ours._database._writer
    given: list[int] = []  # frames in the log, when the turn was given back

    def give() -> None:
        assert not other.take_at_once()
        given.append(frames_of(ours))

    await write(theirs, "many", LONG // 5)
    many = frames_of(ours)
    assert LONG // 8 < many < LONG
    assert copy_back.run(writer, many, give)
    assert given == [many]
    assert ours._database.changes.copied() == many
    await write(theirs, "few", 1)  # begins anew
    few = frames_of(ours)
    assert few < LONG // 8
    assert copy_back.run(writer, few, give)
    assert given == [many]
    assert ours._database.changes.copied() == few

    assert other.take_at_once()
    other.close(), copy_back.close()
    await asyncio.gather(ours.close(), theirs.close())


async def test_while_one_copies_the_others_write_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stores = both(tmp_path)
    other = FileLock(tmp_path / "m.db-copying")
    assert other.take_at_once()
    runs: list[int] = []
    run = CopyBack.run

    def counted(*given: Any) -> bool:  # Any: as it is called
        runs.append(given[2])
        return run(*given)

    monkeypatch.setattr(CopyBack, "run", counted)

    numbers = count()
    while frames_of(stores[0]) < 2 * LONG - 20:
        await stores[0].put_setting(f"{next(numbers)}", "x" * 9_000)
    assert runs == []
    await write(stores[0], "more", 20)  # so many are for everybody

    assert runs
    assert frames_of(stores[0]) < LONG
    other.close()
    for store in stores:
        await store.close()


async def test_a_database_that_cannot_be_synced_takes_no_more_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: Changes) -> None:
        raise OSError(errno.EIO, "the disk is gone")

    stores = both(tmp_path)
    monkeypatch.setattr(Changes, "sync_database", fails)

    with pytest.raises((StoreError, OSError), match="failed sync"):
        await asyncio.gather(*(write(store, f"{number}", 2_000) for number, store in enumerate(stores)))

    broken = [store for store in stores if store._database.broken.is_set()]
    assert broken
    with pytest.raises((StoreError, OSError)):
        await broken[0].put_setting("late", "x")
    await asyncio.gather(*(store.close() for store in stores))


async def test_kill_9_between_copying_and_its_sync(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    await SqliteMetadata.open(path).close()
    killed, whole = (
        subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(path), name, "1500", kills], stdout=subprocess.PIPE, text=True
        )
        for name, kills in (("killed", "1"), ("whole", "0"))
    )

    said = {"killed": killed.communicate(timeout=60)[0], "whole": whole.communicate(timeout=60)[0]}

    assert (killed.returncode, whole.returncode) == (-signal.SIGKILL, 0)
    durable = [f"{name}-{number}" for name, lines in said.items() for number in lines.split()]
    assert len(durable) > 1_500
    again = SqliteMetadata.open(path)
    assert await again.check() == []
    for name in durable:
        assert await again.setting(name) == "x" * 9_000
    await again.close()
