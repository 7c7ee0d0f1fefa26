"""What SQLite's errors mean for those who asked."""

from __future__ import annotations

import errno
import sqlite3
from typing import Final

from mossaic.ports import Busy, Damaged, Full, StoreError

_SYNC_FAILED: Final = frozenset({sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC})


def is_failed_sync(error: BaseException) -> bool:
    """Nobody knows what is on the disk then."""
    return getattr(error, "sqlite_errorcode", 0) in _SYNC_FAILED


def translated(error: BaseException) -> BaseException:
    """SQLite's errors in the words of the ports; all others as they are."""
    if not isinstance(error, sqlite3.Error):
        return error
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return Busy(f"the metadata store is locked: {error}")
        case sqlite3.SQLITE_FULL:
            return Full(f"no room for metadata: {error}")
        case sqlite3.SQLITE_IOERR | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN:
            return OSError(errno.EIO, f"metadata cannot be written: {error}")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return Damaged(f"the metadata store is damaged: {error}")
        case _:
            return StoreError(f"metadata: {error}")
