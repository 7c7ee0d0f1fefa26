"""SQLite alone: a page of 1,000 rows, and 1,000 common prefixes by skip scan, from random places of as many keys as are listed."""

from __future__ import annotations

import random
import sqlite3
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PAGE: Final = 1000
_MAKE: Final = "CREATE TABLE keys (key BLOB PRIMARY KEY, etag TEXT, size INTEGER, at INTEGER, class TEXT, kind TEXT) WITHOUT ROWID"
_FROM: Final = "SELECT * FROM keys WHERE key > ? ORDER BY key LIMIT ?"
_NEXT: Final = "SELECT key FROM keys WHERE key >= ? ORDER BY key LIMIT 1"


class Keys:
    """A table of `keys`, which ascend; `folders` are the first bytes that some of them share, up to a last slash."""

    def __init__(self, path: Path, keys: list[bytes]) -> None:
        self._keys = keys
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("BEGIN")
        self._database.execute(_MAKE)
        rows = ((key, "E" * 32, 64, 1_700_000_000_000_000, "Standard", "Normal") for key in keys)
        self._database.executemany("INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?)", rows)
        self._database.execute("COMMIT")

    def close(self) -> None:
        self._database.close()

    def pages(self, seconds: float) -> float:
        """Pages a second."""
        return _rate(lambda: len(self._database.execute(_FROM, (self._anywhere(), PAGE)).fetchall()), seconds)

    def prefixes(self, seconds: float) -> float:
        """Pages of common prefixes a second."""

        def page() -> int:
            at, found = self._anywhere(), 0
            while found < PAGE and (row := self._database.execute(_NEXT, (at,)).fetchone()) is not None:
                key: bytes = row[0]
                at, found = key[: key.rindex(b"/")] + b"0", found + 1  # "0" follows "/"
            return found

        return _rate(page, seconds)

    def _anywhere(self) -> bytes:
        return self._keys[random.randrange(max(1, len(self._keys) // 2))]


def _rate(page: Callable[[], int], seconds: float) -> float:
    done, began = 0, time.perf_counter()
    while time.perf_counter() < began + seconds:
        page()
        done += 1
    return done / (time.perf_counter() - began)
