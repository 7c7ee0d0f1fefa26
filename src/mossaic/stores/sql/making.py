"""Makes a new database under a name of its own and gives it its name when all of it is on the disk: with one sync, not a dozen."""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from mossaic.stores.blobs.disk import sync_folder
from mossaic.stores.sql.failures import translated
from mossaic.stores.sql.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def make(path: Path, settings: Mapping[str, str]) -> None:
    """A database with this program's schema and these settings, mode 0600, unless one is there or the file system has no links:
    then opening makes it where it is.

    Raises StoreError, OSError. Crash: a file stays that nobody needs, or the database is there as a whole.
    """
    if path.exists():
        return
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(scratch, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        _fill(scratch, settings)
        os.fsync(descriptor)
        with suppress(OSError):  # no links, or another process was faster
            os.link(scratch, path)
    finally:
        os.close(descriptor)
        scratch.unlink()
    sync_folder(path.parent)


def _fill(path: Path, settings: Mapping[str, str]) -> None:
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = OFF")  # a half-made one is never used
            connection.execute("PRAGMA journal_mode = MEMORY")
            migrate(connection)
            connection.executemany("INSERT INTO settings VALUES (?, ?)", settings.items())
            connection.execute("PRAGMA journal_mode = WAL")  # kept in the file
    except sqlite3.Error as error:
        raise translated(error) from error
