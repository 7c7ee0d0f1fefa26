"""What a store keeps of its reads is never older than what a read would find, whoever wrote meanwhile."""

from __future__ import annotations

import mmap
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from mossaic.protocol.limits import MIB
from mossaic.stores.sql import SqliteMetadata
from mossaic.stores.sql.recent import Recent
from tests.contract.given import BUCKET, GRACE_S, NOW, given_bucket, key, put_inline

if TYPE_CHECKING:
    from pathlib import Path

KEY = key("k")


@pytest.mark.parametrize("has_maps", [True, False])
async def test_a_write_of_another_process_is_seen_by_the_next_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_maps: bool
) -> None:
    """Two stores over one file are two processes, as far as SQLite is concerned. Where the WAL index cannot be mapped, the
    database is asked."""
    if not has_maps:
        monkeypatch.setattr(mmap, "mmap", _no_maps)
    ours = SqliteMetadata.open(tmp_path / "metadata.db", sync=False, reader_grace_s=GRACE_S)
    theirs = SqliteMetadata.open(tmp_path / "metadata.db", sync=False, reader_grace_s=GRACE_S)
    await given_bucket(ours)
    await put_inline(ours, "k", b"one")
    first = await ours.head(BUCKET, KEY)

    again = await ours.head(BUCKET, KEY)
    await put_inline(theirs, "k", b"two")
    second = await ours.head(BUCKET, KEY)
    await theirs.change_object(BUCKET, KEY, None, tags={"colour": "blue"})
    third = await ours.head(BUCKET, KEY)
    await theirs.delete_object(BUCKET, KEY, None, NOW)
    last = await ours.head(BUCKET, KEY)

    assert first is not None
    assert again is first
    assert second is not None
    assert (first.inline, second.inline) == (b"one", b"two")
    assert third is not None
    assert third.tags == {"colour": "blue"}
    assert last is None
    await ours.close()
    await theirs.close()


async def test_what_is_kept_is_bounded(tmp_path: Path) -> None:
    store = SqliteMetadata.open(tmp_path / "metadata.db", sync=False, reader_grace_s=GRACE_S)
    store._database.recent = Recent(most_bytes=MIB)
    await given_bucket(store)
    for number in range(100):
        await put_inline(store, f"{number}", bytes(16_000))

    for number in range(100):
        assert (await store.head(BUCKET, key(f"{number}"))) is not None

    assert MIB // 4 < store._database.recent.size < MIB
    await store.close()


async def test_closing_one_store_leaves_the_locks_of_another_of_the_same_process(tmp_path: Path) -> None:
    """POSIX drops all of a process's locks on a file with the first descriptor of it that is closed; without them another
    process would take the database for unused, and reset its WAL."""
    path = tmp_path / "metadata.db"
    stays = SqliteMetadata.open(path, sync=False, reader_grace_s=GRACE_S)
    await given_bucket(stays)
    goes = SqliteMetadata.open(path, sync=False, reader_grace_s=GRACE_S)

    await goes.close()

    assert not _lockable_by_another_process(path)
    await stays.close()


def _no_maps(*_: object, **__: object) -> None:
    raise ValueError("no maps here")


def _lockable_by_another_process(path: Path) -> bool:
    """Whether the byte that all users of a WAL hold a shared lock on (WAL_DMS, the last of SQLite's locks) is free."""
    program = (
        "import fcntl, sys\n"
        "with open(sys.argv[1], 'r+b') as index:\n"
        "    try: fcntl.lockf(index, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 128)\n"
        "    except OSError: sys.exit(1)\n"
    )
    return subprocess.run([sys.executable, "-c", program, f"{path}-shm"], check=False).returncode == 0
