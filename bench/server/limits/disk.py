"""Writing with sync, and SQLite with FULL sync: what durable work cannot exceed."""

from __future__ import annotations

import ctypes
import os
import sqlite3
import statistics
import tempfile
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator

_STEP: Final = 512 * 1024
_WRITE: Final = 2  # SYNC_FILE_RANGE_WRITE


def write_and_sync(folder: Path, size: int, seconds: float, writers: int = 4) -> float:
    """MB/s of fresh files of `size` bytes, each synced, by parallel writers: the better of plain writing and of reserved space
    with early write-back."""
    return max(_written(folder, size, seconds / 2, writers, early=early) for early in (False, True))


def _written(folder: Path, size: int, seconds: float, writers: int, *, early: bool) -> float:
    start_write_back = ctypes.CDLL(None).sync_file_range
    start_write_back.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]
    block, done = memoryview(os.urandom(min(size, _STEP))), [0] * writers

    def write(path: Path) -> None:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        if early:
            os.posix_fallocate(descriptor, 0, size)
        for offset in range(0, size, len(block)):
            os.write(descriptor, block)
            if early:
                start_write_back(descriptor, offset, len(block), _WRITE)
        os.fdatasync(descriptor)
        os.close(descriptor)

    def work(index: int, place: Path) -> None:
        number, until = 0, time.perf_counter() + seconds
        while time.perf_counter() < until:
            path = place / f"{index}-{number}"
            write(path)
            path.unlink()
            done[index], number = done[index] + size, number + 1

    with tempfile.TemporaryDirectory(dir=folder) as name:
        threads = [threading.Thread(target=work, args=(index, Path(name))) for index in range(writers)]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(done) / (time.perf_counter() - began) / 1e6


@contextmanager
def _rows(folder: Path) -> Generator[sqlite3.Connection]:
    with (
        tempfile.TemporaryDirectory(dir=folder) as name,
        closing(sqlite3.connect(Path(name) / "rows.db", isolation_level=None)) as database,
    ):
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("CREATE TABLE rows (key TEXT PRIMARY KEY, body BLOB) WITHOUT ROWID")
        yield database


def _commit(database: sqlite3.Connection, rows: list[tuple[str, bytes]]) -> None:
    database.execute("BEGIN IMMEDIATE")
    database.executemany("INSERT INTO rows VALUES (?, ?)", rows)
    database.execute("COMMIT")


def durable_rows(folder: Path, seconds: float, a_commit: int = 16) -> float:
    """Rows of 4 KiB a second, `a_commit` in each transaction: as many as connections wait for it."""
    with _rows(folder) as database:
        body, done, began = os.urandom(4096), 0, time.perf_counter()
        while time.perf_counter() < began + seconds:
            _commit(database, [(f"key-{done + index:09d}", body) for index in range(a_commit)])
            done += a_commit
        return done / (time.perf_counter() - began)


def durable_commit(folder: Path, count: int = 30) -> float:
    """Milliseconds of a transaction of one small row, the median."""
    with _rows(folder) as database:
        took: list[float] = []
        for index in range(count):
            began = time.perf_counter()
            _commit(database, [(f"key-{index:09d}", b"x" * 100)])
            took.append(time.perf_counter() - began)
        return statistics.median(took) * 1000
