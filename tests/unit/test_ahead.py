"""On a slow disk a blob's syncs begin before anybody waits for them, and none is forgotten, whatever becomes of it."""

from __future__ import annotations

import errno
import gc
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from mossaic.model.names import BlobId, new_blob_id
from mossaic.stores.blobs import FileBlobs
from mossaic.stores.blobs.folder import Folder
from mossaic.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mossaic.stores.blobs.files import FileSink

MIB = 1024 * 1024


class Disk:
    """In place of the kernel's fdatasync: one of a disk that may be slow, that may fail, and that may be held up."""

    def __init__(self) -> None:
        self.delay_s = 0.0
        self.fails = False
        self.open = threading.Event()
        self.open.set()
        self.sizes: list[int] = []  # what was written of the file, as each sync began
        self.done = 0
        self.threads: set[str] = set()

    def sync(self, descriptor: int) -> None:
        self.sizes.append(os.lseek(descriptor, 0, os.SEEK_CUR))
        self.threads.add(threading.current_thread().name)
        assert self.open.wait(30)
        time.sleep(self.delay_s)
        os.fstat(descriptor)  # it is still that of a file
        self.done += 1
        if self.fails:
            raise OSError(errno.EIO, "input/output error")

    @contextmanager
    def held_up(self) -> Iterator[None]:
        self.open.clear()
        try:
            yield
        finally:
            self.open.set()

    def forget(self) -> None:
        self.sizes.clear()
        self.threads.clear()
        self.done = 0


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    made = Disk()
    monkeypatch.setattr(os, "fdatasync", made.sync)
    return made


@pytest.fixture
def blobs(tmp_path: Path) -> FileBlobs:
    return FileBlobs(tmp_path / "blobs")


@pytest.fixture
def slow(disk: Disk, blobs: FileBlobs) -> FileBlobs:
    """It has seen that the disk is slow, and has no syncs in its future."""
    disk.delay_s = 0.1
    written(blobs, MIB)
    disk.delay_s = 0.0
    disk.forget()
    return blobs


def written(blobs: FileBlobs, *sizes: int, length: int | None = None) -> BlobId:
    blob_id, sink = begun(blobs, *sizes, length=sum(sizes) if length is None else length)
    sink.commit()
    return blob_id


def begun(blobs: FileBlobs, *sizes: int, length: int | None) -> tuple[BlobId, FileSink]:
    blob_id = new_blob_id()
    sink = blobs.create(blob_id, length)
    for size in sizes:
        sink.write(memoryview(bytes(size)))
    return blob_id, sink


def sizes(blobs: FileBlobs) -> dict[BlobId, int]:
    return dict(blobs.list(before=datetime.now(UTC) + timedelta(days=1)))


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_on_a_quick_disk_a_blob_is_synced_once_where_it_is_committed(disk: Disk, blobs: FileBlobs) -> None:
    for _ in range(3):
        written(blobs, *[MIB] * 5)

    assert disk.sizes == [5 * MIB] * 3
    assert disk.threads == {threading.current_thread().name}


def test_a_short_blob_is_synced_where_it_is_committed(disk: Disk, slow: FileBlobs) -> None:
    written(slow, 100_000)

    assert disk.threads == {threading.current_thread().name}


def test_on_a_slow_disk_the_sync_is_over_before_it_is_asked_for(disk: Disk, slow: FileBlobs) -> None:
    _, sink = begun(slow, MIB, length=MIB)
    until(lambda: disk.done == 1)

    sink.commit()

    assert disk.sizes == [MIB]
    assert threading.current_thread().name not in disk.threads


def test_a_commit_waits_for_the_sync_that_was_begun(disk: Disk, slow: FileBlobs) -> None:
    _, sink = begun(slow, MIB, length=MIB)
    disk.delay_s = 0.1
    with disk.held_up():
        _, late = begun(slow, MIB, length=MIB)
        until(lambda: len(disk.sizes) == 2)

    late.commit()
    sink.commit()

    assert disk.done == 2


def test_of_a_long_blob_one_sync_begins_behind_its_last_bytes(disk: Disk, slow: FileBlobs) -> None:
    _, sink = begun(slow, *[MIB] * 5, length=6 * MIB)
    assert disk.sizes == []

    sink.write(memoryview(bytes(MIB)))
    until(lambda: disk.done == 1)
    sink.commit()

    assert disk.sizes == [6 * MIB]


def test_of_a_blob_of_unknown_length_all_is_synced_where_it_is_committed(disk: Disk, slow: FileBlobs) -> None:
    _, sink = begun(slow, MIB, MIB, length=None)

    sink.commit()

    assert disk.sizes == [2 * MIB]
    assert disk.threads == {threading.current_thread().name}


def test_what_comes_behind_the_announced_length_is_synced_too(disk: Disk, slow: FileBlobs) -> None:
    _, sink = begun(slow, 3 * MIB, length=3 * MIB)
    until(lambda: disk.done == 1)
    sink.write(memoryview(bytes(1000)))

    sink.commit()

    assert disk.sizes == [3 * MIB, 3 * MIB + 1000]


def test_an_empty_blob_is_synced(disk: Disk, slow: FileBlobs) -> None:
    written(slow)

    assert disk.sizes == [0]


@pytest.mark.parametrize("more", [0, 1000])
def test_a_sync_that_failed_before_it_was_asked_for_fails_the_blob(
    disk: Disk, slow: FileBlobs, more: int
) -> None:
    """The kernel tells of it once: the next sync of the file goes well."""
    disk.fails = True
    _, sink = begun(slow, MIB, length=MIB)
    until(lambda: disk.done == 1)
    disk.fails = False
    sink.write(memoryview(bytes(more)))

    with pytest.raises(OSError, match="input/output"):
        sink.commit()

    assert list(sizes(slow).values()) == [MIB]  # that of the fixture


def test_a_blob_is_discarded_when_its_sync_is_over(disk: Disk, slow: FileBlobs) -> None:
    """Else the descriptor could be another file's by then."""
    blob_id, sink = begun(slow, MIB, length=MIB)
    until(lambda: disk.done == 1)
    with disk.held_up():
        blob_id, sink = begun(slow, MIB, length=MIB)
        until(lambda: len(disk.sizes) == 2)
        discarding = threading.Thread(target=sink.discard)
        discarding.start()
        discarding.join(0.05)
        assert discarding.is_alive()
    discarding.join(30)

    assert disk.done == 2
    assert blob_id not in sizes(slow)


def test_when_all_threads_are_busy_who_commits_syncs(disk: Disk, slow: FileBlobs) -> None:
    busy = ThreadPoolExecutor(1)
    with disk.held_up():
        held = [begun(slow, MIB, length=MIB)[1] for _ in range(20)]
        until(lambda: len(disk.sizes) == 8)
        committing = busy.submit(written, slow, 3 * MIB)
        until(lambda: 3 * MIB in disk.sizes)
        held.pop().discard()
    committing.result(30)
    for sink in held:
        sink.commit()
    busy.shutdown()

    assert sorted(disk.sizes) == [MIB] * (1 + 18) + [3 * MIB]
    assert disk.done == len(disk.sizes)


def test_who_syncs_because_all_threads_are_busy_may_fail(disk: Disk, slow: FileBlobs) -> None:
    with disk.held_up():
        held = [begun(slow, MIB, length=MIB)[1] for _ in range(8)]
        until(lambda: len(disk.sizes) == 8)
        blob_id, sink = begun(slow, MIB, length=MIB)
        failed = ThreadPoolExecutor(1).submit(sink.commit)
        until(lambda: len(disk.sizes) == 9)
        disk.fails = True
    with pytest.raises(OSError, match="input/output"):
        failed.result(30)
    for other in held:
        other.discard()

    assert blob_id not in sizes(slow)


def test_threads_end_with_their_store(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    blobs = FileBlobs(tmp_path / "blobs")
    written(blobs, MIB, MIB)
    made = [thread for thread in set(threading.enumerate()) - before if thread.name == "mossaic-sync"]
    assert made

    del blobs
    gc.collect()

    for thread in made:
        thread.join(30)
        assert not thread.is_alive()


def test_a_disk_that_is_quick_again_is_seen(disk: Disk, slow: FileBlobs) -> None:
    for _ in range(100):
        written(slow, MIB)
    disk.forget()

    written(slow, MIB)

    assert disk.threads == {threading.current_thread().name}


def test_the_name_goes_ahead_of_a_blob_that_came_at_once(
    slow: FileBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled = threading.Event()
    settle = Folder.settle

    def follow(folder: Folder, number: int) -> None:
        settle(folder, number)
        settled.set()

    monkeypatch.setattr(Folder, "settle", follow)

    _, sink = begun(slow, MIB, length=MIB)

    assert settled.wait(30)
    sink.commit()


def test_a_name_that_was_lost_ahead_fails_the_blob(slow: FileBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
    fsync, failed = os.fsync, threading.Event()

    def fails(_: int) -> None:
        failed.set()
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(os, "fsync", fails)
    _, sink = begun(slow, MIB, length=MIB)
    assert failed.wait(30)
    monkeypatch.setattr(os, "fsync", fsync)

    with pytest.raises(OSError, match="failed before"):
        sink.commit()


def test_without_a_thread_who_commits_syncs(
    disk: Disk, slow: FileBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Threads, "take", lambda *_: False)

    written(slow, 3 * MIB, MIB)

    assert disk.sizes == [4 * MIB]
