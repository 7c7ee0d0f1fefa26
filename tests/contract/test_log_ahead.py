"""The log of a synced store is written ahead of what is in it, and nothing of what is in it suffers from that."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from mossaic.stores.sql import SqliteMetadata
from mossaic.stores.sql.database import Database
from mossaic.stores.sql.wal import CopyBack, RoomAhead
from tests.contract.given import BUCKET, given_bucket, key, put_inline

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1024 * 1024
_WRITER = """
import asyncio, os, signal, sys
from mossaic.stores.lock import Sharing
from mossaic.stores.sql import SqliteMetadata

path, name, count, processes, stop = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
written, write = 0, os.pwrite

def stopping(descriptor, data, offset):
    global written
    written += 1
    if written == stop:
        write(descriptor, data[: len(data) // 2], offset)
        os.kill(os.getpid(), signal.SIGKILL)
    return write(descriptor, data, offset)

os.pwrite = stopping

async def main():
    store = SqliteMetadata.open(path, sharing=Sharing(processes=processes))
    for number in range(count):
        await store.put_setting(f"{name}-{number}", "x" * 9_000)
        print(number, flush=True)
    await store.close()

asyncio.run(main())
"""


def writing(path: Path, name: str, count: int, *, processes: int = 1, stop: int = 0) -> subprocess.Popen[str]:
    """A process that puts so many settings, and says which are durable. Told to `stop`, it is killed in the middle of that piece of the room."""
    command = [sys.executable, "-c", _WRITER, str(path), name, *map(str, (count, processes, stop))]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def log_of(tmp_path: Path) -> Path:
    return tmp_path / "m.db-wal"


async def settled(metadata: SqliteMetadata) -> None:
    """Behind the last group, and behind what follows it in the thread."""
    await metadata._database.write(lambda _: None)


async def given_used_store(metadata: SqliteMetadata) -> None:
    """One with a log of some length."""
    await given_bucket(metadata)
    for number in range(20):
        await put_inline(metadata, f"earlier{number}", b"x" * 9_000)
    await settled(metadata)


async def test_commits_do_not_make_the_log_longer(tmp_path: Path) -> None:
    metadata = SqliteMetadata.open(tmp_path / "m.db")
    await given_used_store(metadata)
    before = log_of(tmp_path).stat().st_size
    for number in range(60):
        await put_inline(metadata, f"k{number}", b"x" * 9_000)
        assert log_of(tmp_path).stat().st_size == before

    assert 4 * MIB <= before < 5 * MIB
    assert await metadata.check() == []
    await metadata.close()


async def test_there_is_room_all_the_time_and_no_more_than_the_log_needs(tmp_path: Path) -> None:
    metadata = SqliteMetadata.open(tmp_path / "m.db")
    database: Database = metadata._database
    await given_bucket(metadata)
    sizes = set()
    for number in range(120):
        await put_inline(metadata, f"k{number % 4}", b"x" * 250_000)
        await settled(metadata)
        assert database.changes.frames() is not None
        sizes.add(log_of(tmp_path).stat().st_size // MIB)

    assert len(sizes) <= 6  # before there is room, and four times as much
    assert max(sizes) == 16
    assert await metadata.check() == []
    await metadata.close()


async def test_who_writes_once_or_twice_makes_none(tmp_path: Path) -> None:
    metadata = SqliteMetadata.open(tmp_path / "m.db")
    await given_bucket(metadata)
    await settled(metadata)

    assert log_of(tmp_path).stat().st_size < MIB
    await metadata.close()


async def test_a_store_that_does_not_sync_has_none(tmp_path: Path) -> None:
    metadata = SqliteMetadata.open(tmp_path / "m.db", sync=False)
    await given_used_store(metadata)

    assert log_of(tmp_path).stat().st_size < MIB
    await metadata.close()


async def test_a_log_with_room_is_read_again_after_a_crash(tmp_path: Path) -> None:
    """Without its index, which is made anew from the log."""
    metadata = SqliteMetadata.open(tmp_path / "m.db")
    await given_used_store(metadata)
    for number in range(10):
        await put_inline(metadata, f"k{number}", b"x" * 9_000)
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for name in ("m.db", "m.db-wal"):
        shutil.copy(tmp_path / name, crashed / name)
    await metadata.close()
    assert log_of(crashed).stat().st_size >= 4 * MIB

    again = SqliteMetadata.open(crashed / "m.db")

    for number in range(10):
        assert await again.head(BUCKET, key(f"k{number}")) is not None
    await put_inline(again, "after", b"x")
    assert await again.check() == []
    await again.close()


async def test_kill_9_in_the_middle_of_making_room(tmp_path: Path) -> None:
    for stop in range(1, 7):  # the second time that there is too little, too
        folder = tmp_path / str(stop)
        folder.mkdir()
        await SqliteMetadata.open(folder / "m.db", sync=False).close()

        with writing(folder / "m.db", "a", 2_000, stop=stop) as process:
            assert process.stdout is not None
            acknowledged = process.stdout.read().split()
        assert process.returncode == -signal.SIGKILL

        store = SqliteMetadata.open(folder / "m.db")
        assert [n for n in acknowledged if await store.setting(f"a-{n}") is None] == []
        await store.put_setting("after", "x")
        assert await store.check() == []
        await store.close()
        assert acknowledged


async def test_processes_that_write_while_room_is_made_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    await SqliteMetadata.open(path, sync=False).close()

    writers = [writing(path, name, 150, processes=count) for name, count in (("a", 2), ("b", 2), ("c", 1))]
    for process in writers:
        process.communicate(timeout=120)

    assert [process.returncode for process in writers] == [0, 0, 0]
    store = SqliteMetadata.open(path)
    for name in "abc":
        for number in range(150):
            assert await store.setting(f"{name}-{number}") == "x" * 9_000
    assert await store.check() == []
    await store.close()


async def test_another_process_finds_the_room_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = SqliteMetadata.open(tmp_path / "m.db")
    await given_used_store(metadata)
    other = RoomAhead(tmp_path / "m.db", wanted=True)
    assert other.is_short(40)
    monkeypatch.setattr(os, "pwrite", None)

    other.extend(metadata._database._writer, 40)

    assert not other.is_short(40)
    await metadata.close()


async def test_no_room_is_made_while_another_program_writes(tmp_path: Path) -> None:
    metadata = SqliteMetadata.open(tmp_path / "m.db", sync=False)
    await given_bucket(metadata)
    room, writer = RoomAhead(tmp_path / "m.db", wanted=True), metadata._database._writer
    before = log_of(tmp_path).stat().st_size
    other = sqlite3.connect(tmp_path / "m.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    room.extend(writer, 40)
    assert (room.is_short(40), log_of(tmp_path).stat().st_size) == (True, before)
    other.execute("ROLLBACK")
    other.close()
    room.extend(writer, 40)

    assert (room.is_short(40), log_of(tmp_path).stat().st_size) == (False, before + 4 * MIB)
    await metadata.close()


async def test_where_there_is_no_room_the_log_stays_as_it_was(tmp_path: Path) -> None:
    metadata = SqliteMetadata.open(tmp_path / "m.db", sync=False)
    await given_bucket(metadata)
    await put_inline(metadata, "before", b"x" * 9_000)
    room, before = RoomAhead(tmp_path / "m.db", wanted=True), log_of(tmp_path).stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (before + 2 * MIB, hard))
    try:
        room.extend(metadata._database._writer, 40)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)

    assert log_of(tmp_path).stat().st_size == before
    assert not room.is_short(40)  # nobody asks again
    await put_inline(metadata, "after", b"x" * 9_000)
    assert await metadata.head(BUCKET, key("before")) is not None
    assert await metadata.check() == []
    await metadata.close()


@pytest.mark.parametrize("slow", [(RoomAhead, "extend"), (CopyBack, "run")])
@pytest.mark.parametrize("closed", ["while it lasts", "when it is over"])
def test_what_follows_a_commit_may_outlive_the_loop_of_who_asked_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slow: tuple[type, str], closed: str
) -> None:
    """Commands run one loop after the other, and nobody waits for what follows a commit."""
    monkeypatch.setattr("mossaic.stores.sql.wal.WAL_PAGES", 1)
    metadata = SqliteMetadata.open(tmp_path / "m.db")
    may_end = threading.Event()

    def waits(*_: object) -> bool:
        return may_end.wait(10)

    monkeypatch.setattr(*slow, waits)
    first = asyncio.new_event_loop()
    first.run_until_complete(metadata.put_setting("a", "x" * 200_000))
    if closed == "when it is over":
        may_end.set()
        assert metadata._database._in_thread is not None
        metadata._database._in_thread.result(10)
    first.close()

    async def close() -> None:
        asyncio.get_running_loop().call_later(0.1, may_end.set)
        await asyncio.wait_for(metadata.close(), 10)

    asyncio.run(close())

    again = SqliteMetadata.open(tmp_path / "m.db")
    assert asyncio.run(again.setting("a")) == "x" * 200_000
    asyncio.run(again.close())
