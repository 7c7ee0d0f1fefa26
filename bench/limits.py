"""What this machine can do at most: MD5, loopback, writing with sync, durable rows."""

from __future__ import annotations

import hashlib
import os
import socket
import sqlite3
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MIB = 1024 * 1024
SECONDS = 1.0


def in_threads(count: int, work: Callable[[int], int]) -> tuple[int, float]:
    """Run `work(index)` in threads; the sum of what they return, and the seconds it took."""
    results = [0] * count

    def run(index: int) -> None:
        results[index] = work(index)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(count)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(results), time.perf_counter() - started


def md5_all_cores() -> float:
    """MB/s of MD5 on all cores together: what a hash-bound upload cannot exceed."""
    piece = os.urandom(MIB)

    def work(_index: int) -> int:
        digest, done, until = hashlib.md5(usedforsecurity=False), 0, time.perf_counter() + SECONDS
        while time.perf_counter() < until:
            digest.update(piece)
            done += len(piece)
        return done

    done, took = in_threads(os.cpu_count() or 1, work)
    return done / took / 1e6


def write_and_sync(folder: Path, size: int, writers: int = 4) -> float:
    """MB/s of files of `size` bytes, each synced, by parallel writers."""
    piece = os.urandom(min(size, MIB))

    def work(index: int) -> int:
        done, number, until = 0, 0, time.perf_counter() + SECONDS
        while time.perf_counter() < until:
            path = folder / f"limit-{index}-{number}"
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            for _ in range(size // len(piece)):
                done += os.write(descriptor, piece)
            os.fsync(descriptor)
            os.close(descriptor)
            path.unlink()
            number += 1
        return done

    done, took = in_threads(writers, work)
    return done / took / 1e6


def loopback(connections: int = 4) -> float:
    """MB/s from socket to socket over 127.0.0.1, nothing done with the bytes."""
    piece = bytes(256 * 1024)
    listener = socket.create_server(("127.0.0.1", 0))
    until = time.perf_counter() + SECONDS

    def work(index: int) -> int:
        if index % 2:
            with socket.create_connection(listener.getsockname()) as sending:
                while time.perf_counter() < until:
                    sending.sendall(piece)
            return 0
        receiving, _ = listener.accept()
        buffer, done = bytearray(256 * 1024), 0
        with receiving:
            while count := receiving.recv_into(buffer):
                done += count
        return done

    done, took = in_threads(2 * connections, work)
    listener.close()
    return done / took / 1e6


def durable_rows(folder: Path, a_commit: int = 16) -> float:
    """Rows of 4 KiB a second in SQLite with FULL sync, `a_commit` in each transaction."""
    database = sqlite3.connect(folder / "limit.db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, body BLOB)")
    body, done, until, started = os.urandom(4096), 0, time.perf_counter() + SECONDS, time.perf_counter()
    while time.perf_counter() < until:
        database.execute("BEGIN")
        database.executemany("INSERT INTO rows (body) VALUES (?)", [(body,)] * a_commit)
        database.execute("COMMIT")
        done += a_commit
    took = time.perf_counter() - started
    database.close()
    return done / took
