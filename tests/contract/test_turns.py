"""Several processes of one service that write at the same time: everybody gets a turn, and others need not know of it."""

from __future__ import annotations

import asyncio
import select
import sqlite3
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from mossaic.ports import Busy, Conflict
from mossaic.stores.bells import Bells
from mossaic.stores.lock import FileLock, Sharing, Turn
from mossaic.stores.sql.sqlite import SqliteMetadata

if TYPE_CHECKING:
    from pathlib import Path

WRITER = """
import asyncio, sys
from mossaic.stores.lock import Sharing
from mossaic.stores.sql.sqlite import SqliteMetadata

async def main():
    store = SqliteMetadata.open(sys.argv[1], sync=False, sharing=Sharing(processes=int(sys.argv[3])))
    for number in range(int(sys.argv[4])):
        await asyncio.gather(*(store.put_setting(f"{sys.argv[2]}-{number}-{each}", "x") for each in range(3)))
    await store.close()

asyncio.run(main())
"""
ROUNDS = 60


def writer(path: Path, name: str, *, processes: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(path), name, str(processes), str(ROUNDS)])


async def test_processes_that_take_turns_and_one_that_does_not_all_write(tmp_path: Path) -> None:
    path = tmp_path / "metadata.db"
    await SqliteMetadata.open(path, sync=False).close()

    writers = [
        writer(path, "a", processes=2),
        writer(path, "b", processes=2),
        writer(path, "outsider", processes=1),
    ]

    assert [process.wait(120) for process in writers] == [0, 0, 0]
    store = SqliteMetadata.open(path, sync=False)
    for name in ("a", "b", "outsider"):
        for number in range(ROUNDS):
            assert await store.setting(f"{name}-{number}-2") == "x"
    await store.close()


async def test_who_opens_a_store_that_another_process_is_closing_waits_for_that(tmp_path: Path) -> None:
    """The last one that closes a database has it for itself, for a moment."""
    path = tmp_path / "metadata.db"
    await SqliteMetadata.open(path, sync=False).close()
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN IMMEDIATE")
    other.execute("ROLLBACK")
    threading.Timer(0.3, other.close).start()

    store = SqliteMetadata.open(path, sync=False, sharing=Sharing(processes=2, is_ready=True))

    await store.put_setting("a", "x")
    assert await store.setting("a") == "x"
    await store.close()


async def test_who_waits_for_its_turn_does_not_stop_the_loop_and_a_failed_step_gives_it_back(
    tmp_path: Path,
) -> None:
    store = SqliteMetadata.open(tmp_path / "metadata.db", sync=False, sharing=Sharing(processes=2))
    other = FileLock(tmp_path / "metadata.db-turn")
    assert other.take_at_once()

    writing = asyncio.create_task(store.put_setting("a", "1"))
    for _ in range(20):
        await asyncio.sleep(0)
        assert await store.setting("a") is None  # reads go on
    other.give_back()
    assert await writing == "1"

    with pytest.raises(Conflict):
        await store._database.write(_fails)
    assert other.take_at_once()
    other.close()
    await store.close()


async def test_who_waits_for_its_turn_hears_the_bell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mossaic.stores.sql.database._LISTEN_S", 3_600.0)
    bells = Bells(3)
    path = tmp_path / "metadata.db"
    stores = [
        SqliteMetadata.open(path, sync=False, sharing=Sharing(processes=2, bell=bells.bell(n)))
        for n in range(2)
    ]
    outsider = Turn(path, bells.bell(2))

    for number in range(200):
        assert outsider.take_at_once()
        async with asyncio.timeout(10):
            writing = [asyncio.create_task(each.put_setting(f"{number}", "x")) for each in stores]
            while not all(bells.waits[:2]):
                await asyncio.sleep(0)
            outsider.give_back()
            await asyncio.gather(*writing)

    outsider.close()
    for store in stores:
        await store.close()


async def test_who_misses_the_bell_looks_again(tmp_path: Path) -> None:
    bells = Bells(2)
    path = tmp_path / "metadata.db"
    store = SqliteMetadata.open(path, sync=False, sharing=Sharing(processes=2, bell=bells.bell(0)))
    mute = Turn(path)
    assert mute.take_at_once()

    writing = asyncio.create_task(store.put_setting("a", "1"))
    while not bells.waits[0]:
        await asyncio.sleep(0)
    mute.give_back()

    assert await asyncio.wait_for(writing, 10) == "1"
    mute.close()
    await store.close()


def test_nobody_hears_a_bell_that_rings_for_others() -> None:
    bells = Bells(3)
    mine, other, dead = map(bells.bell, range(3))
    mine.listen(True)
    other.listen(True)
    other.listen(False)
    for _ in range(100_000):  # more than a pipe holds
        dead.listen(True)
        mine.ring()

    assert bells.waits[:] == b"\1\0\0"
    assert not select.select([mine.descriptor, other.descriptor], [], [], 0)[0]
    dead.heard()  # whoever has the place now
    mine.heard()  # nothing there


async def test_who_waits_too_long_for_its_turn_is_busy_and_keeps_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one was stopped in the middle of a commit, and goes on later."""
    monkeypatch.setattr("mossaic.stores.sql.database.BUSY_TIMEOUT_MS", 200)
    store = SqliteMetadata.open(tmp_path / "metadata.db", sync=False, sharing=Sharing(processes=2))
    other = FileLock(tmp_path / "metadata.db-turn")
    assert other.take_at_once()

    first = asyncio.create_task(store.put_setting("a", "1"))
    with pytest.raises(Busy):
        await first
    with pytest.raises(Busy):  # at once
        await store.put_setting("a", "2")
    assert await store.setting("a") is None  # reads go on
    door = FileLock(tmp_path / "metadata.db-next")
    assert not door.take_at_once()
    other.give_back()

    while not door.take_at_once():  # no event comes from a thread of the store
        await asyncio.sleep(0.01)
    door.close()
    while not await _is_put(store, "b"):
        await asyncio.sleep(0.01)
    assert await store.setting("a") is None  # who was told so did not write
    other.close()
    await store.close()


async def test_a_store_closes_while_another_process_does_not_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mossaic.stores.sql.database.BUSY_TIMEOUT_MS", 50)
    store = SqliteMetadata.open(tmp_path / "metadata.db", sync=False, sharing=Sharing(processes=2))
    other = FileLock(tmp_path / "metadata.db-turn")
    assert other.take_at_once()
    with pytest.raises(Busy):
        await store.put_setting("a", "1")

    await store.close()

    other.close()


async def _is_put(store: SqliteMetadata, name: str) -> bool:
    try:
        await store.put_setting(name, "1")
    except Busy:
        return False
    return True


def _fails(_: object) -> None:
    raise Conflict("on purpose")


def test_a_lock_is_free_when_its_holder_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from mossaic.stores.lock import FileLock;"
        "lock = FileLock(Path(sys.argv[1])); lock.take(); print('mine', flush=True); time.sleep(600)"
    )
    holder = subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "turn")], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"mine\n"
    lock = FileLock(tmp_path / "turn")
    assert not lock.take_at_once()

    holder.kill()
    holder.wait()

    assert lock.take_at_once()
    lock.close()
