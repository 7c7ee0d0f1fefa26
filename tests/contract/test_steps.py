"""Laws of steps: each is whole or leaves no trace, alone or in a group, and durable when it returns."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mossaic.model.names import UploadId
from mossaic.ports import Absent, Busy, Commit, Conflict, Damaged, Full
from mossaic.stores.sql import SqliteMetadata
from mossaic.stores.sql.migrate import migrations
from mossaic.stores.sql.wal import CopyBack
from tests.contract.given import (
    BUCKET,
    a_blob,
    a_bucket,
    a_version,
    complete,
    given_bucket,
    given_upload,
    key,
    put_inline,
    put_part,
    whole,
)

if TYPE_CHECKING:
    from mossaic.ports import MetadataStore
    from mossaic.stores.sql.database import Database
    from mossaic.stores.sql.statements import Transaction


async def test_a_failing_step_does_not_hurt_the_others_of_its_group(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    await put_inline(metadata, "taken")
    orphan = a_blob()
    good = [put_inline(metadata, f"k{n}") for n in range(20)]
    bad = [
        metadata.put_object(Commit(version=a_version("taken", inline=b"", size=0), forbid_overwrite=True)),
        metadata.put_object(Commit(version=a_version("k", whole(a_blob())), new_blobs=(orphan,))),
        metadata.abort(BUCKET, key("k"), (await given_upload(metadata, name="other")).upload_id),
        metadata.create_bucket(a_bucket(), quota=10),
    ]

    results = await asyncio.gather(*good[:7], *bad, *good[7:], return_exceptions=True)

    failures = [type(result) for result in results if isinstance(result, Exception)]
    assert failures == [Conflict, Damaged, Absent, Conflict]
    totals = await metadata.bucket_totals(BUCKET)
    assert [one.count for one in totals.classes.values()] == [21]
    assert await metadata.unknown([orphan.blob_id]) == [orphan.blob_id]


async def test_a_step_that_fails_alone_leaves_no_trace(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    orphan = a_blob()

    for _ in range(2):
        with pytest.raises(Damaged):
            await metadata.put_object(Commit(version=a_version("k", whole(a_blob())), new_blobs=(orphan,)))

    assert await metadata.unknown([orphan.blob_id]) == [orphan.blob_id]
    await put_inline(metadata, "k")
    assert await metadata.head(BUCKET, key("k")) is not None


async def test_a_step_that_fails_alone_is_not_run_again(tmp_path: Path) -> None:
    metadata = SqliteMetadata.open(tmp_path / "m.db", sync=False)
    runs: list[str] = []

    def fails(tx: Transaction) -> None:
        runs.append("fails")
        tx.run("CREATE TABLE left_over (n)")
        raise Conflict("no")

    with pytest.raises(Conflict):
        await metadata._database.write(fails)

    assert runs == ["fails"]
    assert (
        await metadata._database.write(
            lambda tx: tx.all("SELECT name FROM sqlite_master WHERE name = 'left_over'")
        )
        == []
    )
    await metadata.close()


async def test_a_cancelled_waiter_does_not_stop_its_step_or_the_group(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    tasks = [asyncio.ensure_future(put_inline(metadata, f"k{n}")) for n in range(10)]
    await asyncio.sleep(0)  # all have queued their step

    for task in tasks[::2]:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert [isinstance(result, asyncio.CancelledError) for result in results] == [True, False] * 5
    await metadata.probe()  # after the group
    for n in range(10):
        assert await metadata.head(BUCKET, key(f"k{n}")) is not None


async def test_steps_of_following_rounds_of_the_loop_share_a_commit(tmp_path: Path) -> None:
    metadata = SqliteMetadata.open(tmp_path / "m.db")
    await given_bucket(metadata)
    commits: list[str] = []
    connection: sqlite3.Connection = metadata._database._writer
    connection.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)

    async def late(number: int) -> None:
        for _ in range(number // 2):
            await asyncio.sleep(0)
        await put_inline(metadata, f"k{number}")

    await asyncio.gather(*map(late, range(20)))

    assert len(commits) == 1
    await metadata.close()


@pytest.mark.skipif(sys.platform != "linux", reason="open files are listed in /proc")
async def test_what_a_group_may_have_to_undo_makes_no_file(tmp_path: Path) -> None:
    metadata = SqliteMetadata.open(tmp_path / "m.db", sync=False)
    await given_bucket(metadata)
    names = [f"k{number}" for number in range(200)]
    await asyncio.gather(*(put_inline(metadata, name, b"x" * 4_096) for name in names))
    commits: list[set[str]] = []

    def note(sql: str) -> None:
        if sql == "COMMIT":
            commits.append(_nameless_files())

    before = _nameless_files()
    metadata._database._writer.set_trace_callback(note)
    await asyncio.gather(*(put_inline(metadata, name, b"y" * 4_096) for name in names[::2]))

    assert commits
    assert all(files <= before for files in commits)
    await metadata.close()


def _nameless_files() -> set[str]:
    """Open files of this process that are deleted already, as SQLite's temporary ones are."""
    found: set[str] = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the list's own
            found.add(str(descriptor.readlink()))
    return {file for file in found if file.endswith(" (deleted)")}


async def test_nobody_waits_while_the_wal_is_copied_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mossaic.stores.sql.wal.WAL_PAGES", 1)
    metadata = SqliteMetadata.open(tmp_path / "m.db", sync=False)
    await given_bucket(metadata)
    database: Database = metadata._database
    goes_on, run = threading.Event(), CopyBack.run
    while database._batch:  # the bucket's step copies back, too, after its answer
        await asyncio.sleep(0.001)

    def waits(*given: Any) -> bool:  # Any: whatever it is called with
        goes_on.wait(10)
        return run(*given)

    monkeypatch.setattr(CopyBack, "run", waits)

    async with asyncio.timeout(5):
        await put_inline(metadata, "k")
        assert await metadata.head(BUCKET, key("k")) is not None
    following = asyncio.ensure_future(put_inline(metadata, "l"))
    await asyncio.sleep(0.05)
    assert not following.done()  # one at a time uses the connection
    goes_on.set()
    await following
    await metadata.close()


async def test_what_was_written_is_read_at_once(metadata: MetadataStore) -> None:
    await given_bucket(metadata)

    async def write_then_read(n: int) -> bool:
        await put_inline(metadata, f"k{n}")
        return await metadata.head(BUCKET, key(f"k{n}")) is not None

    assert all(await asyncio.gather(*map(write_then_read, range(200))))


async def test_closing_finishes_what_waits_and_takes_no_more(tmp_path: Path) -> None:
    metadata = SqliteMetadata.open(tmp_path / "m.db", sync=False)
    await given_bucket(metadata)
    waiting = [asyncio.ensure_future(put_inline(metadata, f"k{n}")) for n in range(300)]
    await asyncio.sleep(0)

    await metadata.close()
    await metadata.close()

    assert all(task.done() and task.exception() is None for task in waiting)
    with pytest.raises(Busy):
        await put_inline(metadata, "late")


async def test_a_full_disk_fails_the_step_and_keeps_what_was(tmp_path: Path) -> None:
    metadata = SqliteMetadata.open(tmp_path / "m.db", sync=False)
    await given_bucket(metadata)
    await put_inline(metadata, "before")
    database: Database = metadata._database
    pages = database.read.all("PRAGMA page_count")[0][0]
    database._writer.execute(f"PRAGMA max_page_count = {pages + 2}")  # SQLite's own "disk full"

    with pytest.raises(Full):
        await asyncio.gather(*(put_inline(metadata, f"k{n}", b"x" * 9_000) for n in range(9)))
    database._writer.execute("PRAGMA max_page_count = 100000")
    await put_inline(metadata, "after")

    assert await metadata.head(BUCKET, key("before")) is not None
    assert await metadata.check() == []
    await metadata.close()


async def test_a_write_that_the_disk_refuses_fails_alone(tmp_path: Path) -> None:
    """A limit on the size of files makes the kernel refuse where a broken disk or a quota would."""
    metadata = SqliteMetadata.open(tmp_path / "m.db", sync=False)
    await given_bucket(metadata)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / "m.db-wal").stat().st_size + 20_000, hard))
    try:
        with pytest.raises(OSError):
            await put_inline(metadata, "big", b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)

    assert await metadata.head(BUCKET, key("big")) is None
    await put_inline(metadata, "after", b"x" * 100_000)
    assert await metadata.check() == []
    await metadata.close()


async def test_after_a_failed_sync_nothing_is_acknowledged(tmp_path: Path) -> None:
    metadata = SqliteMetadata.open(tmp_path / "m.db", sync=False)
    await given_bucket(metadata)
    failed = sqlite3.OperationalError("disk I/O error")
    failed.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC  # as SQLite reports it; no disk here fails on demand
    metadata._database._fail([], failed)

    for _ in range(2):
        with pytest.raises(OSError, match="restart"):
            await put_inline(metadata, "k")
    assert await metadata.bucket(BUCKET) is not None  # reading goes on
    await metadata.close()


async def test_a_database_locked_too_long_is_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mossaic.stores.sql.database.BUSY_TIMEOUT_MS", 50)
    metadata = SqliteMetadata.open(tmp_path / "m.db", sync=False)
    await given_bucket(metadata)
    other = sqlite3.connect(tmp_path / "m.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(Busy):
        await put_inline(metadata, "k")
    assert await metadata.bucket(BUCKET) is not None  # reading goes on
    other.execute("ROLLBACK")
    other.close()

    await put_inline(metadata, "k")
    await metadata.close()


async def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    metadata = SqliteMetadata.open(tmp_path / "m.db", sync=False)
    await given_bucket(metadata)

    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in tmp_path.iterdir())
    await metadata.close()


# --- opening ----------------------------------------------------------------------------------------------------------


async def test_everything_is_there_after_reopening(tmp_path: Path) -> None:
    first = SqliteMetadata.open(tmp_path / "m.db")
    await given_bucket(first)
    upload = await given_upload(first)
    part = await put_part(first, upload, 1)
    await first.close()

    second = SqliteMetadata.open(tmp_path / "m.db")
    assert await second.all_parts(upload.upload_id) == [part]
    await complete(second, upload, [part])
    assert await second.check() == []
    await second.close()


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.db").write_bytes(b"not a database, but long enough to be looked at" * 100)

    with pytest.raises(Damaged):
        SqliteMetadata.open(tmp_path / "m.db")


@pytest.mark.parametrize(
    "change", ["INSERT INTO migrations VALUES (9999, 'x', 'x', 'x')", "UPDATE migrations SET checksum = 'x'"]
)
async def test_a_schema_of_another_program_is_refused(tmp_path: Path, change: str) -> None:
    await SqliteMetadata.open(tmp_path / "m.db").close()
    connection = sqlite3.connect(tmp_path / "m.db", isolation_level=None)
    connection.execute(change)
    connection.close()

    with pytest.raises(Damaged):
        SqliteMetadata.open(tmp_path / "m.db")


def test_migrations_are_numbered_without_gaps() -> None:
    assert [migration.number for migration in migrations()] == list(range(1, len(migrations()) + 1))


async def test_check_finds_what_is_wrong(tmp_path: Path) -> None:
    metadata = SqliteMetadata.open(tmp_path / "m.db", sync=False)
    await given_bucket(metadata)
    upload = await given_upload(metadata)
    await put_part(metadata, upload, 1)
    blob = a_blob()
    await metadata.put_object(Commit(version=a_version("k", whole(blob)), new_blobs=(blob,)))
    assert await metadata.check() == []
    wrong = {
        "UPDATE blobs SET refs = refs + 1": "references",
        "DELETE FROM blobs": "not known",
        "UPDATE content SET refs = 2": "references",
        "DELETE FROM content": "has no content",
        "UPDATE class_totals SET size = size + 1": "totals",
        "UPDATE bucket_counts SET part_count = 7": "wrongly",
        "DELETE FROM uploads": "no open upload",
        "DELETE FROM buckets": "no bucket",
    }
    connection: sqlite3.Connection = metadata._database._writer
    for statement, word in wrong.items():
        connection.execute("VACUUM INTO ?", (str(tmp_path / "broken.db"),))
        broken = SqliteMetadata.open(tmp_path / "broken.db", sync=False)
        broken._database._writer.execute(statement)

        assert any(word in problem for problem in await broken.check()), statement

        await broken.close()
        for path in tmp_path.glob("broken.db*"):
            path.unlink()
    await metadata.close()


# --- power ------------------------------------------------------------------------------------------------------------

_WRITER = """
import asyncio, sys
from mossaic.stores.sql import SqliteMetadata
from tests.contract.given import *

async def main():
    metadata = SqliteMetadata.open(sys.argv[1])
    await given_bucket(metadata)
    upload = await given_upload(metadata)
    numbers = iter(range(1, 10_000))

    async def work():
        for number in numbers:
            part = await put_part(metadata, upload, number)
            await put_inline(metadata, f"k{number}")
            print(number, part.etag, flush=True)

    await asyncio.gather(*(work() for _ in range(8)))

asyncio.run(main())
"""


@pytest.mark.parametrize("after", [1, 40, 200])
async def test_what_was_acknowledged_is_there_after_kill_9(tmp_path: Path, after: int) -> None:
    path = tmp_path / "m.db"
    with subprocess.Popen([sys.executable, "-c", _WRITER, path], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        acknowledged = [writer.stdout.readline() for _ in range(after)]
        os.kill(writer.pid, signal.SIGKILL)
        acknowledged += [line for line in writer.stdout if line.endswith("\n")]

    metadata = SqliteMetadata.open(path)
    parts = {part.number: part.etag for part in await metadata.all_parts(UploadId("U1"))}
    for line in acknowledged:
        number, etag = line.split()
        assert parts[int(number)] == etag
        assert await metadata.head(BUCKET, key(f"k{number}")) is not None
    assert await metadata.check() == []
    await metadata.close()
