"""One SQLite file: a connection for short reads on the caller's thread, and a writer thread that commits in groups."""

from __future__ import annotations

import asyncio
import errno
import os
import queue
import sqlite3
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

from mossaic.ports import Busy, Damaged, StoreError
from mossaic.stores.sql.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence
    from pathlib import Path

T = TypeVar("T")
Row = tuple[Any, ...]  # sqlite3 gives values of the types that the schema (STRICT) declares

MAX_BATCH: Final = 256  # steps in one commit
MAX_WAITING: Final = 16_384  # steps in the queue; beyond that the store is Busy
BUSY_TIMEOUT_MS: Final = 10_000  # how long another process's transaction is waited for
WAL_PAGES: Final = 4_000  # the WAL is copied back after about 16 MB
WAL_BYTES: Final = 64 * 1024 * 1024  # and cut to this size when it had grown longer
CACHE_KIB: Final = 32 * 1024  # page cache of each of the two connections


class Reader:
    """Statements on one connection. Every result is fetched at once, so that no read stays open behind our back."""

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def close(self) -> None:
        self._connection.close()

    def one(self, sql: str, *values: object) -> Row | None:
        rows = self._connection.execute(sql, values).fetchall()
        return rows[0] if rows else None

    def all(self, sql: str, *values: object) -> list[Row]:
        return self._connection.execute(sql, values).fetchall()

    def each(self, sql: str, *values: object) -> Generator[Row, None, None]:
        """Row by row, for reading inside `snapshot` only; close the iterator when leaving early."""
        cursor = self._connection.execute(sql, values)
        try:
            yield from cursor
        finally:
            cursor.close()

    @contextmanager
    def snapshot(self) -> Generator[None]:
        """All statements inside see the same state. Never await inside."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("COMMIT")


class Transaction(Reader):
    """One step of a batch: it stays as a whole or leaves no trace. `freed`: it left blobs without reference."""

    __slots__ = ("freed",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self.freed = False

    def run(self, sql: str, *values: object) -> int:
        """The number of rows that were changed."""
        return self._connection.execute(sql, values).rowcount

    def insert(self, sql: str, *values: object) -> int:
        """The new row's id."""
        row_id = self._connection.execute(sql, values).lastrowid
        assert row_id is not None
        return row_id

    def many(self, sql: str, values: Iterable[Sequence[object]]) -> int:
        return self._connection.executemany(sql, values).rowcount


@dataclass(slots=True)
class _Step(Generic[T]):
    """A step that waits for its commit; `error` or `result` is set by the writer thread."""

    work: Callable[[Transaction], T]
    future: asyncio.Future[T]
    result: T | None = None
    error: BaseException | None = None
    freed: bool = False

    def settle(self) -> None:
        if self.future.done():  # the waiter was cancelled; what was done stays done
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)  # type: ignore[arg-type]  # set whenever error is not


class Database:
    """The two connections and the writer thread.

    Reads run where they are called: short ones belong on the event loop, a hop to a thread costs ten times as much.
    Writes are queued; the thread takes all that wait, runs each inside a savepoint of one transaction, commits, and
    then tells all waiters at once. With `sync` a step is on the disk when its waiter hears of it.
    """

    def __init__(self, path: Path, *, sync: bool) -> None:
        self.path = path
        self.freed = asyncio.Event()  # some step left garbage
        self._sync = sync
        self._queue: queue.SimpleQueue[_Step[Any] | None] = queue.SimpleQueue()  # steps of any result type
        self._waiting = 0  # touched on the event loop only
        self._closed = False
        self._broken: str | None = None
        self._writer = self._connect()
        self.read = Reader(self._connect(read_only=True))
        self._thread = threading.Thread(target=self._serve, name="metadata-writer", daemon=True)
        self._thread.start()

    @classmethod
    def open(cls, path: Path, *, sync: bool) -> Self:
        """Make or open the file (mode 0600: it holds secrets), bring its schema up to date. Raises Damaged, OSError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not path.exists()
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        try:
            with _closing(
                sqlite3.connect(path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None)
            ) as first:
                _switch_to_wal(first)
                migrate(first)
            database = cls(path, sync=sync)
        except sqlite3.Error as error:
            raise translated(error) from error
        if is_new:
            _sync_directory(path.parent)
        return database

    def connect_reader(self) -> sqlite3.Connection:
        """A further read-only connection, for long work in another thread. The caller closes it."""
        return self._connect(read_only=True)

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in the writer thread and wait until it is committed. A cancelled waiter does not stop it.

        Raises what `work` raised; Busy (queue full, database locked too long, closed), OSError (disk).
        """
        if self._closed or self._waiting >= MAX_WAITING:
            raise Busy("the metadata store is closed" if self._closed else "too many writes are waiting")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting += 1
        self._queue.put(_Step(work, future))
        return await future

    def close(self) -> None:
        """Finish what is queued, stop the thread, close the connections. Blocks; idempotent."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        self._thread.join()
        self.read.close()
        self._writer.close()

    def _connect(self, *, read_only: bool = False) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path,
            timeout=BUSY_TIMEOUT_MS / 1000,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        connection.execute(f"PRAGMA synchronous = {'FULL' if self._sync else 'NORMAL'}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        if read_only:
            connection.execute("PRAGMA query_only = ON")
        return connection

    # --- the writer thread -------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        while batch := self._take():
            self._commit(batch)
            by_loop: dict[asyncio.AbstractEventLoop, list[_Step[Any]]] = {}
            for step in batch:
                by_loop.setdefault(step.future.get_loop(), []).append(step)
            for loop, steps in by_loop.items():
                with suppress(RuntimeError):  # that loop was closed: nobody waits any more
                    loop.call_soon_threadsafe(self._settle, steps)

    def _take(self) -> list[_Step[Any]]:
        """All that wait, at most MAX_BATCH; waits for the first. Empty: the end."""
        batch: list[_Step[Any]] = []
        step = self._queue.get()
        while step is not None:
            batch.append(step)
            if len(batch) == MAX_BATCH:
                return batch
            try:
                step = self._queue.get_nowait()
            except queue.Empty:
                return batch
        if batch:
            self._queue.put(None)  # the end comes after this batch
        return batch

    def _commit(self, batch: list[_Step[Any]]) -> None:
        try:
            if self._broken is not None:
                raise OSError(errno.EIO, self._broken)  # noqa: TRY301  # one place that fails a whole batch
            self._writer.execute("BEGIN IMMEDIATE")
            for step in batch:
                self._attempt(step)
            self._writer.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            for step in batch:
                step.error = step.error or translated(error)
            if isinstance(error, sqlite3.Error) and _is_io_error(error):
                # After a failed sync nobody knows what is on the disk: only a restart may find out.
                self._broken = "the metadata store takes no writes after an I/O error; restart it"

    def _attempt(self, step: _Step[Any]) -> None:
        transaction = Transaction(self._writer)
        self._writer.execute("SAVEPOINT step")
        try:
            step.result = step.work(transaction)
            step.freed = transaction.freed
        except BaseException as error:  # the waiter raises it
            if not self._writer.in_transaction:
                raise  # SQLite gave up the whole transaction (disk full, I/O error)
            self._writer.execute("ROLLBACK TO step")
            step.error = translated(error)
        self._writer.execute("RELEASE step")

    def _settle(self, steps: list[_Step[Any]]) -> None:
        self._waiting -= len(steps)
        for step in steps:
            step.settle()
        if any(step.freed for step in steps):
            self.freed.set()


def translated(error: BaseException) -> BaseException:
    """SQLite's errors in the words of the ports; all others as they are."""
    if not isinstance(error, sqlite3.Error):
        return error
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return Busy(f"the metadata store is locked: {error}")
        case sqlite3.SQLITE_FULL:
            return OSError(errno.ENOSPC, f"no room for metadata: {error}")
        case sqlite3.SQLITE_IOERR | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN:
            return OSError(errno.EIO, f"metadata cannot be written: {error}")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return Damaged(f"the metadata store is damaged: {error}")
        case _:
            return StoreError(f"metadata: {error}")


def _is_io_error(error: sqlite3.Error) -> bool:
    return bool(getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_IOERR)


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Kept in the file. Done only where needed: two processes that set it at once are refused by SQLite."""
    row = connection.execute("PRAGMA journal_mode").fetchone()
    if row[0] != "wal":
        connection.execute("PRAGMA journal_mode = WAL")


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _closing(connection: sqlite3.Connection) -> Generator[sqlite3.Connection]:
    try:
        yield connection
    finally:
        connection.close()
