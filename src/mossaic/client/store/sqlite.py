"""Journals in one SQLite file."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mossaic.client.store.disk import make_private, open_private
from mossaic.client.store.hold import Busy, take
from mossaic.client.store.journal import SYNC_EVERY_S, Held, Journal, Log, StoreError, decode

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from mossaic.client.store.hold import Hold, Locking

_BUSY_S: Final = 10.0  # other journals' commits take milliseconds
_LOOK_AGAIN_S: Final = 0.01
_JOURNALS: Final = (
    "CREATE TABLE IF NOT EXISTS mossaic_journal ("
    "id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, syncs INTEGER NOT NULL DEFAULT 0)"
)
_RECORDS: Final = (
    "CREATE TABLE IF NOT EXISTS mossaic_record (journal_id INTEGER NOT NULL, number INTEGER NOT NULL,"
    " body TEXT NOT NULL, PRIMARY KEY (journal_id, number)) WITHOUT ROWID"
)
_BODIES: Final = (
    "SELECT body FROM mossaic_record JOIN mossaic_journal ON id = journal_id WHERE name = ? ORDER BY number"
)


class SQLite:
    """Journals in the SQLite file `path`, which may have other tables; a new one is for this user only.

    While a journal is open a lock file stands beside the database. `locking` and `sync_every_s` as in `File`; the same promises
    after a crash.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, locking: Locking = "auto", sync_every_s: float = SYNC_EVERY_S
    ) -> None:
        self.path: Path = Path(os.path.abspath(path))  # noqa: PTH100  # keeps symbolic links
        self._locking: Locking = locking
        self._sync_every_s = sync_every_s

    def open(self, name: str) -> Journal:
        digest = hashlib.sha256(_key(name)).hexdigest()[:32]
        with _failing("open", self.path):
            make_private(self.path.parent)
            try:
                hold = take(self.path.with_name(f"{self.path.name}-{digest}.held"), self._locking)
            except Busy as busy:
                raise Held(name, busy.pid) from None
            try:
                os.close(open_private(self.path.resolve(), os.O_RDWR | os.O_CREAT))
                return _SqliteJournal(name, self.path, hold, self._sync_every_s)
            except BaseException:
                hold.release()
                raise

    def names(self) -> Iterator[str]:
        rows = self._rows(
            "SELECT name FROM mossaic_journal WHERE id IN (SELECT journal_id FROM mossaic_record)"
        )
        return (bytes(row[0]).decode("utf-8", "surrogatepass") for row in rows)

    def peek(self, name: str) -> list[dict[str, object]]:
        return [decode(row[0]) for row in self._rows(_BODIES, _key(name))]

    def _rows(self, query: str, *values: bytes) -> list[tuple[bytes]]:
        if not self.path.exists():
            return []
        with _failing("read", self.path):
            try:
                return _rows(self.path.as_uri() + "?mode=rw", query, values)
            except sqlite3.OperationalError:
                wal = self.path.with_name(self.path.name + "-wal")
                if wal.exists() and wal.stat().st_size > 0:
                    raise
                # Nobody has it open, and a full or read-only disk has no room for what reading usually needs.
                return _rows(self.path.as_uri() + "?mode=ro&immutable=1", query, values)


def _rows(uri: str, query: str, values: tuple[bytes, ...]) -> list[tuple[bytes]]:
    with contextlib.closing(
        sqlite3.connect(uri, timeout=_BUSY_S, isolation_level=None, uri=True)
    ) as connection:
        made = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'mossaic_record'").fetchone()
        return connection.execute(query, values).fetchall() if made else []


class _SqliteJournal(Log):
    """`_connection` is used under `_writing` only: a connection has one transaction at a time."""

    def __init__(self, name: str, path: Path, hold: Hold, sync_every_s: float) -> None:
        super().__init__(name, sync_every_s=sync_every_s)
        self._path = path
        self._hold = hold
        self._connection = _connected(path)

    def _read(self) -> list[bytes]:
        with _failing("read", self._path):
            return [row[0].encode() for row in self._connection.execute(_BODIES, (_key(self.name),))]

    def _write(self, body: bytes) -> None:
        with self._transaction("append to", durable=False) as journal:
            self._insert(journal, [body])

    def _rewrite(self, bodies: Sequence[bytes]) -> None:
        with self._transaction("rewrite", durable=True) as journal:
            self._connection.execute("DELETE FROM mossaic_record WHERE journal_id = ?", (journal,))
            self._insert(journal, bodies)

    def _sync(self) -> None:
        """A durable commit of whatever settles all commits before it."""
        with self._writing, self._transaction("sync", durable=True):
            pass

    def _remove(self) -> None:
        with self._transaction("remove", durable=True) as journal:
            self._delete(journal)

    def _release(self) -> None:
        try:
            self._connection.close()
        finally:
            self._hold.release()

    def _insert(self, journal: int, bodies: Sequence[bytes]) -> None:
        row = self._connection.execute(
            "SELECT coalesce(max(number), 0) FROM mossaic_record WHERE journal_id = ?", (journal,)
        ).fetchone()
        self._connection.executemany(
            "INSERT INTO mossaic_record (journal_id, number, body) VALUES (?, ?, ?)",
            [(journal, row[0] + count, body.decode()) for count, body in enumerate(bodies, 1)],
        )

    def _delete(self, journal: int) -> None:
        self._connection.execute("DELETE FROM mossaic_record WHERE journal_id = ?", (journal,))
        self._connection.execute("DELETE FROM mossaic_journal WHERE id = ?", (journal,))

    @contextlib.contextmanager
    def _transaction(self, verb: str, *, durable: bool) -> Generator[int]:
        """The journal's id, in a transaction that is committed at the end."""
        connection = self._connection
        with _failing(verb, self._path):
            # In WAL mode NORMAL writes at once and syncs never, FULL syncs the whole log.
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                (journal,) = connection.execute(
                    "INSERT INTO mossaic_journal (name) VALUES (?)"
                    " ON CONFLICT (name) DO UPDATE SET syncs = syncs + ? RETURNING id",
                    (_key(self.name), durable),
                ).fetchone()
                yield journal
                connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        _use_wal(connection)
        connection.execute(_JOURNALS)
        connection.execute(_RECORDS)
    except BaseException:
        connection.close()
        raise
    return connection


def _key(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")


def _use_wal(connection: sqlite3.Connection) -> None:
    """SQLite does not wait for a lock when it changes the journal's mode, whatever its timeout: others may be making the same file."""
    until = time.monotonic() + _BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(_LOOK_AGAIN_S)
        else:
            return


@contextlib.contextmanager
def _failing(verb: str, path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"could not {verb} {path}: {error.strerror or error}") from error
    except sqlite3.Error as error:
        raise StoreError(f"could not {verb} {path}: {error}") from error
