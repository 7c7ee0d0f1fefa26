"""What a store keeps of its reads is never older than what a read would find, whoever wrote meanwhile."""

from __future__ import annotations

import asyncio
import mmap
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from mossaic.model.names import VersionId
from mossaic.model.object import ObjectAcl, ObjectType, StorageClass
from mossaic.ports import Absent, Commit
from mossaic.protocol.limits import MIB
from mossaic.stores.sql import SqliteMetadata
from mossaic.stores.sql.recent import Recent
from tests.contract.given import (
    BUCKET,
    GRACE_S,
    NOW,
    a_version,
    complete,
    given_bucket,
    given_upload,
    key,
    put_inline,
    put_part,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from mossaic.model.object import ObjectVersion

KEY = key("k")


@pytest.fixture
def has_maps() -> bool:
    return True


@pytest.fixture
async def stores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_maps: bool
) -> AsyncIterator[tuple[SqliteMetadata, SqliteMetadata]]:
    """Two stores over one file, which are two processes as far as SQLite is concerned, and an object in it. Where the WAL index
    cannot be mapped, the database is asked."""
    if not has_maps:
        monkeypatch.setattr(mmap, "mmap", _no_maps)
    path = tmp_path / "metadata.db"
    ours, theirs = (SqliteMetadata.open(path, sync=False, reader_grace_s=GRACE_S) for _ in range(2))
    await given_bucket(ours)
    await put_inline(ours, "k", b"one")
    yield ours, theirs
    await ours.close()
    await theirs.close()


@pytest.mark.parametrize("has_maps", [True, False])
async def test_a_write_of_another_process_is_seen_by_the_next_read(
    stores: tuple[SqliteMetadata, SqliteMetadata],
) -> None:
    ours, theirs = stores
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


async def test_what_is_kept_stays_while_others_commit_parts(
    stores: tuple[SqliteMetadata, SqliteMetadata],
) -> None:
    ours, theirs = stores
    first = await ours.head(BUCKET, KEY)

    for store in (theirs, ours):
        upload = await given_upload(store, f"U{store is ours:d}")
        await put_part(store, upload, 1)
        assert await ours.head(BUCKET, KEY) is first
    await theirs.abort(BUCKET, upload.key, upload.upload_id)
    assert await ours.head(BUCKET, KEY) is first
    await put_inline(theirs, "other", b"two")
    again = await ours.head(BUCKET, KEY)

    assert again is not first
    assert again == first


async def _put(store: SqliteMetadata, _: ObjectVersion) -> None:
    await put_inline(store, "k", b"two")


async def _append(store: SqliteMetadata, _: ObjectVersion) -> None:
    await store.append_object(
        Commit(version=a_version("new", type=ObjectType.APPENDABLE, inline=b"x", size=1)), position=0
    )


async def _delete(store: SqliteMetadata, _: ObjectVersion) -> None:
    await store.delete_object(BUCKET, KEY, None, NOW)


async def _delete_several(store: SqliteMetadata, _: ObjectVersion) -> None:
    await store.delete_objects(BUCKET, [(KEY, None)], NOW)


async def _delete_version(store: SqliteMetadata, version: ObjectVersion) -> None:
    await store.delete_object(BUCKET, KEY, version.version_id, NOW)


async def _change(store: SqliteMetadata, _: ObjectVersion) -> None:
    await store.change_object(BUCKET, KEY, None, acl=ObjectAcl.PRIVATE)


async def _expire(store: SqliteMetadata, version: ObjectVersion) -> None:
    assert await store.delete_unchanged(version, remove=True, now=NOW)


async def _relabel(store: SqliteMetadata, version: ObjectVersion) -> None:
    assert await store.relabel_unchanged(version, StorageClass.IA)


async def _complete(store: SqliteMetadata, _: ObjectVersion) -> None:
    upload = await given_upload(store)
    await complete(store, upload, [await put_part(store, upload, 1)])


@pytest.mark.parametrize(
    "work",
    [_put, _append, _delete, _delete_several, _delete_version, _change, _expire, _relabel, _complete],
)
async def test_nothing_is_kept_over_a_change_of_any_object(
    stores: tuple[SqliteMetadata, SqliteMetadata],
    work: Callable[[SqliteMetadata, ObjectVersion], Awaitable[None]],
) -> None:
    ours, theirs = stores
    first = await ours.head(BUCKET, KEY)
    assert first is not None

    await work(theirs, first)

    assert await ours.head(BUCKET, KEY) is not first


async def test_a_change_that_was_made_again_on_its_own_is_seen(
    stores: tuple[SqliteMetadata, SqliteMetadata],
) -> None:
    """A step of a group fails: the others begin again, one by one, and are counted then."""
    ours, theirs = stores
    assert (await ours.head(BUCKET, KEY)) is not None

    changed, refused = await asyncio.gather(
        theirs.delete_object(BUCKET, KEY, None, NOW),
        theirs.change_object(BUCKET, key("missing"), None, tags={}),
        return_exceptions=True,
    )

    assert isinstance(refused, Absent)
    assert not isinstance(changed, BaseException)
    assert await ours.head(BUCKET, KEY) is None


async def test_what_is_kept_is_bounded(tmp_path: Path) -> None:
    store = SqliteMetadata.open(tmp_path / "metadata.db", sync=False, reader_grace_s=GRACE_S)
    database = store._database
    database.recent = Recent(database.object_changes, most_bytes=MIB)
    await given_bucket(store)
    for number in range(100):
        await put_inline(store, f"{number}", bytes(16_000))

    for number in range(100):
        assert (await store.head(BUCKET, key(f"{number}"))) is not None

    assert MIB // 4 < database.recent.size < MIB
    await store.close()


async def test_a_version_that_is_read_by_its_id_is_kept_once(tmp_path: Path) -> None:
    store = SqliteMetadata.open(tmp_path / "metadata.db", sync=False, reader_grace_s=GRACE_S)
    await given_bucket(store)
    await put_inline(store, "k", b"one")
    first = await store.head(BUCKET, KEY)
    assert first is not None
    size = store._database.recent.size

    again = await store.head(BUCKET, KEY, first.version_id)
    other = await store.head(BUCKET, KEY, VersionId("another"))

    assert again is first
    assert other is None
    assert store._database.recent.size == size
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
