"""SQLite's write-ahead log as a file: how long it gets, how it begins anew, and room in it that is there before it is needed.

A commit that makes the file longer is dear: its sync has to bring the file's new size and blocks to the disk as well, in further writes. One
that writes over bytes which are there already takes two thirds of the time (ADR 31). SQLite does that by itself from the second time on that it
fills the log; so the log of a young service is filled with zeros ahead of it. What follows the last frame means nothing to SQLite:
usually that is the end of an earlier round (sqlite.org/walformat.html, "Checkpoint and recovery").
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from mossaic.stores.sql.failures import is_failed_sync

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mossaic.stores.lock import FileLock
    from mossaic.stores.sql.changes import Changes

WAL_PAGES: Final = 4_000  # the WAL is copied back after about 16 MB
WAL_BYTES: Final = 64 * 1024 * 1024  # and cut to this size when it had grown longer
_FEW_PAGES: Final = 256  # may be copied back and synced while everybody waits
_FRAME_BYTES: Final = 4_096 + 24  # a page and its header
_AHEAD_BYTES: Final = 4 * 1024 * 1024  # at a time: some milliseconds
_PIECE_BYTES: Final = 1024 * 1024
_ENOUGH_BYTES: Final = (WAL_PAGES + 256) * _FRAME_BYTES  # a little more than what is copied back
_LEAST_FRAMES: Final = 64  # ahead: as many as a large group has
_WORTH_FRAMES: Final = 32  # in the log: a command that writes once or twice is over before room pays


def switch_to_wal(connection: sqlite3.Connection) -> None:
    """Kept in the file. Done only where needed: two processes that set it at once are refused by SQLite."""
    row = connection.execute("PRAGMA journal_mode").fetchone()
    if row[0] != "wal":
        connection.execute("PRAGMA journal_mode = WAL")


class CopyBack:
    """Copies the log back into the database, behind commits that find it long; then the next commit begins it anew.

    It begins anew only when all of it was copied, and SQLite syncs the database only then, too. What others add while it is copied would
    have to be copied again and again, so it is done in two parts: nearly all of it, synced, while others write; and what they
    have added since while nobody does. Of several processes one at a time copies; the others go on as if the log were short.
    """

    __slots__ = ("_changes", "_lock")

    def __init__(self, changes: Changes, lock: FileLock | None) -> None:
        """`lock`: of the processes that share the database, None for one that is alone."""
        self._changes = changes
        self._lock = lock

    def is_due(self, frames: int) -> bool:
        """Behind a commit after so many frames. Far too many are for everybody."""
        if frames < WAL_PAGES or frames >= 2 * WAL_PAGES or self._lock is None:
            return frames >= WAL_PAGES
        is_free = self._lock.take_at_once()
        if is_free:
            self._lock.give_back()
        return is_free

    def run(self, writer: sqlite3.Connection, frames: int, give_turn: Callable[[], None]) -> bool:
        """Called with the turn to write, which is given back when there is much to copy and others may write that long. What is still read
        stays for the next time. Blocks. False: a sync has failed, and what was copied may never come to the disk."""
        if self._lock is not None and not self._lock.take_at_once() and frames < 2 * WAL_PAGES:
            return True
        try:
            if frames < 2 * WAL_PAGES and frames - self._changes.copied() > _FEW_PAGES:
                give_turn()
            writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if self._changes.copied() < (self._changes.frames() or 0):
                self._changes.sync_database()
        except sqlite3.Error as error:  # else it is tried again after the next commit
            return not is_failed_sync(error)
        except OSError:
            return False
        finally:
            if self._lock is not None:
                self._lock.give_back()
        return True

    def close(self) -> None:
        """Idempotent."""
        if self._lock is not None:
            self._lock.close()


class RoomAhead:
    """The room in the log of the database at `path`, as far as this process knows."""

    __slots__ = ("_end", "_path")

    def __init__(self, path: Path, *, wanted: bool) -> None:
        """Not `wanted`: it is never short. Where commits are not synced there is nothing to save."""
        self._path = path.with_name(f"{path.name}-wal")
        self._end = 0 if wanted else _ENOUGH_BYTES

    def is_short(self, frames: int) -> bool:
        """Whether a commit after so many frames may make the file longer, which it need not."""
        return self._end < _needed(frames)

    def extend(self, writer: sqlite3.Connection, frames: int) -> None:
        """Make room, if no other process has; blocks for some milliseconds. It keeps everybody from writing meanwhile, other programs, too.
        Where there is no room on the disk the file stays as it is, and nobody asks again."""
        with suppress(sqlite3.Error):  # somebody writes just now: it is tried again after the next commit
            writer.execute("BEGIN IMMEDIATE")
            try:
                self._end = _extended(self._path, frames)
            except OSError:
                self._end = _ENOUGH_BYTES
            finally:
                writer.execute("ROLLBACK")


def _needed(frames: int) -> int:
    """How long the log should be."""
    return 0 if frames < _WORTH_FRAMES else min((frames + _LEAST_FRAMES) * _FRAME_BYTES, _ENOUGH_BYTES)


def _extended(path: Path, frames: int) -> int:
    """The length of the file now. Raises OSError, and nothing has changed."""
    # No lock is lost by closing it: SQLite's are on the two other files.
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        end = size = os.fstat(descriptor).st_size
        if size >= _needed(frames):
            return size
        wanted = min(size + _AHEAD_BYTES, _ENOUGH_BYTES)
        try:
            while end < wanted:
                end += os.pwrite(descriptor, bytes(min(_PIECE_BYTES, wanted - end)), end)
            os.fsync(descriptor)  # else the next commit would have to
        except OSError:
            os.ftruncate(descriptor, size)
            raise
        return end
    finally:
        os.close(descriptor)
