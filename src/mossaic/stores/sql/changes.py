"""Tells whether anything was committed since, by whichever process, without a system call.

SQLite publishes every commit in the header of the WAL index, a file that all its processes map ("-shm"; its first 48 bytes, of which
a counter of transactions is one: sqlite.org/walformat.html, "The WAL-Index Header"). A read would look there first as well.
`PRAGMA data_version` says the same, for a statement and four file locks a time.
"""

from __future__ import annotations

import mmap
import os
import struct
from typing import TYPE_CHECKING, Final

from mossaic.quick import dataclass

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

_sync: Final = getattr(os, "fdatasync", os.fsync)  # not on every platform
_HEADER: Final = 48  # bytes
_NUMBER: Final = struct.Struct("=I")  # the index is in the machine's byte order
_FRAMES_AT: Final = 16
_COPIED_AT: Final = 96  # nBackfill, behind the header and its copy
State = bytes | int


@dataclass(slots=True)
class _Map:
    """One index file in this process, and its database. POSIX gives up all locks of a process on a file when it closes any
    descriptor of it, and SQLite's locks are such: they are closed only when nobody here uses the database any more."""

    descriptor: int
    database: int
    view: mmap.mmap
    users: int = 0


_maps: Final[
    dict[tuple[int, int], _Map]
] = {}  # by device and inode; only the event loop's thread opens and closes


class Changes:
    """`state()` is another one after every commit. To be closed after the connections on the database."""

    __slots__ = ("_connection", "_place", "_view")

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """`connection`: on the database at `path`, in WAL mode. Where the index cannot be mapped it is asked instead."""
        self._connection = connection
        connection.execute(
            "SELECT 1 FROM sqlite_schema"
        ).fetchone()  # SQLite makes the index at the first read
        self._place = _place(path.with_name(f"{path.name}-shm"), path)
        self._view = None if self._place is None else _maps[self._place].view

    def state(self) -> State:
        if self._view is not None:
            return self._view[:_HEADER]
        version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return version

    def frames(self) -> int | None:
        """Pages in the WAL, those that were copied back among them (`mxFrame`); None where the index cannot be mapped."""
        return None if self._view is None else self._number(_FRAMES_AT)

    def copied(self) -> int:
        """How many of those were copied back. Where `frames` are known."""
        return self._number(_COPIED_AT)

    def sync_database(self) -> None:
        """Bring what was copied back to the disk. Where `frames` are known. Blocks; raises OSError."""
        assert self._place is not None
        _sync(_maps[self._place].database)

    def _number(self, at: int) -> int:
        assert self._view is not None
        (number,) = _NUMBER.unpack_from(self._view, at)
        return int(number)

    def close(self) -> None:
        """Idempotent."""
        place, self._place, self._view = self._place, None, None
        if place is None:
            return
        used = _maps[place]
        used.users -= 1
        if not used.users:
            del _maps[place]
            used.view.close()
            os.close(used.descriptor)
            os.close(used.database)


def _place(path: Path, database: Path) -> tuple[int, int] | None:
    """Where the index file's map is, which has one user more; None when it cannot be mapped here."""
    try:
        status = path.stat()
        place = (status.st_dev, status.st_ino)
        if place not in _maps:
            _maps[place] = _mapped(path, database)
    except (OSError, ValueError, AttributeError):  # no such file, or a system without such maps
        return None
    _maps[place].users += 1
    return place


def _mapped(path: Path, database: Path) -> _Map:
    # Not closed when one of these fails: see _Map. They cannot, but for memory.
    descriptor, of_database = (os.open(file, os.O_RDONLY | os.O_CLOEXEC) for file in (path, database))
    return _Map(descriptor, of_database, mmap.mmap(descriptor, mmap.PAGESIZE, prot=mmap.PROT_READ))
