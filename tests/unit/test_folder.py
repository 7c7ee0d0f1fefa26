"""One sync of a folder for several names, and none that is trusted without one."""

from __future__ import annotations

import errno
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mossaic.model.names import new_blob_id
from mossaic.stores.blobs.folder import Folder

PLACE = Path("a-folder")


class Syncs:
    """Stands in for the disk: says how many names were there when each sync began."""

    def __init__(self) -> None:
        self.covered: list[int] = []
        self.made = 0
        self.fails = False

    def __call__(self, path: Path) -> None:
        assert path == PLACE
        if self.fails:
            raise OSError(errno.EIO, "input/output error")
        self.covered.append(self.made)


def test_a_sync_covers_what_was_there_before_it() -> None:
    syncs = Syncs()
    folder = Folder(PLACE, syncs)
    first, second = folder.made(), folder.made()

    folder.settle(second)
    folder.settle(first)

    assert len(syncs.covered) == 1


def test_a_name_made_during_a_sync_needs_another() -> None:
    names: list[int] = []
    count = 0

    def sync(path: Path) -> None:
        nonlocal count
        count += 1
        if not names:
            names.append(folder.made())

    folder = Folder(PLACE, sync)
    folder.settle(folder.made())
    assert count == 1

    folder.settle(names[0])
    assert count == 2


def test_after_a_failed_sync_no_name_of_before_is_trusted() -> None:
    syncs = Syncs()
    folder = Folder(PLACE, syncs)
    first, second = folder.made(), folder.made()
    syncs.fails = True
    with pytest.raises(OSError):
        folder.settle(first)

    syncs.fails = False
    with pytest.raises(OSError):
        folder.settle(second)
    folder.settle(folder.made())

    assert len(syncs.covered) == 1


def test_whoever_returns_was_covered_however_many_wait_at_once() -> None:
    syncs = Syncs()
    folder = Folder(PLACE, syncs)
    lock = threading.Lock()

    def store(_: int) -> bool:
        with lock:
            number = folder.made()
            syncs.made = number
        folder.settle(number)
        return any(covered >= number for covered in syncs.covered)

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(store, range(2_000)))


def test_blobs_of_one_time_lie_together_and_time_spreads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    prefixes: list[str] = []
    for slot in range(256):
        now = slot * 10.0
        prefixes.append(new_blob_id()[:2])
        now += 9.9
        assert new_blob_id()[:2] == prefixes[-1]

    assert len(set(prefixes)) == 256
    assert len({new_blob_id() for _ in range(1_000)}) == 1_000
