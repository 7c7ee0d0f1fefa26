"""One SQLite file: short reads and short steps run on the event loop, commits and long steps in a thread, in groups."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
import threading
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

from mossaic.ports import Busy, StoreError
from mossaic.quick import dataclass
from mossaic.stores.lock import Sharing
from mossaic.stores.sql.changes import Changes
from mossaic.stores.sql.failures import is_failed_sync, translated
from mossaic.stores.sql.migrate import migrate
from mossaic.stores.sql.recent import ObjectChanges, Recent
from mossaic.stores.sql.statements import Reader, Transaction
from mossaic.stores.sql.wal import WAL_BYTES, WAL_PAGES, CopyBack, RoomAhead, switch_to_wal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mossaic.stores.bells import Bell
    from mossaic.stores.lock import Turn

T = TypeVar("T")

MAX_BATCH: Final = 128  # steps in one commit
MAX_WAITING: Final = 16_384  # steps in the queue; beyond that the store is Busy
BUSY_TIMEOUT_MS: Final = 10_000  # how long another process's transaction is waited for
QUICK_S: Final = 0.003  # a commit that takes less, on average, may keep the event loop waiting
_WEIGHT: Final = 1 / 8  # of the last commit in that average
_TRIES: Final = 8  # how often the loop asks for a turn that another process has, before a thread waits for it
_TRY_S: Final = 0.0005  # between them, where no bell rings; the group grows meanwhile
_LISTEN_S: Final = 0.002  # and where one does
CACHE_KIB: Final = (
    32 * 1024
)  # page cache of each of the two connections, shared by the processes of a service
ALONE: Final = Sharing()


@dataclass(slots=True)
class _Step(Generic[T]):
    """A step that waits for its commit; then `error` or `result` is set."""

    work: Callable[[Transaction], T]
    future: asyncio.Future[T]
    is_long: bool
    result: T | None = None
    error: BaseException | None = None

    def settle(self) -> None:
        if self.future.done():  # the waiter was cancelled; what was done stays done
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)  # type: ignore[arg-type]  # set whenever error is not


class Database:
    """Reads run where they are called: short ones belong on the event loop, a hop to a thread costs ten times as much.

    Writes are queued and committed in groups. The statements of short steps run on the event loop, too (a thread would
    wait for the interpreter's lock after each of them). So does the commit, which waits for the disk, as long as the disk is
    quick: the way to a thread and back costs more than that. Else it runs in a thread while the next group gathers. A group
    with a long step runs in the thread as a whole. With `sync` a step is on the disk when its waiter hears of it. One event
    loop at a time.

    Copying the WAL back takes a while, and SQLite does it within some commit: here behind one that runs in the thread
    (`stores.sql.wal.CopyBack`). So does writing the WAL ahead, while it is young.

    `sharing`: several processes queue up in the kernel (`Turn`), for SQLite's own way of waiting, which is to try again later and
    later, lets one of them starve for a second. Who does not queue, such as the command line, still gets its turn the SQLite way.
    """

    def __init__(self, path: Path, *, sync: bool, sharing: Sharing = ALONE) -> None:
        self.path = path
        self._cache_kib = CACHE_KIB // sharing.processes
        self._turn = sharing.turn(path)
        self._listening: asyncio.AbstractEventLoop | None = None  # to the bell
        self._retry: asyncio.TimerHandle | None = None
        self.freed = asyncio.Event()  # some step left garbage
        self.broken = asyncio.Event()  # a sync has failed: it takes no more writes
        self._sync = sync
        self._room = RoomAhead(path, wanted=sync)
        self._waiting: deque[_Step[Any]] = deque()  # steps of any result type
        self._batch: list[_Step[Any]] = []  # the group that is being committed
        self._in_thread: Future[None] | None = None  # the last one that was committed there
        self._end = Transaction(self._connect(patience_ms=0))  # what that group leaves for its end
        self._scheduled_on: asyncio.AbstractEventLoop | None = None
        self._is_closed = False
        self._broken: str | None = None
        self._commit_s = QUICK_S  # seconds, the average of late
        self._tries = 0
        self._gathered = 0  # steps that waited in the last round of the event loop
        self._is_stuck = False  # the thread has waited for its turn too long, and still does
        self._claim = (
            threading.Lock()
        )  # on the group that waits for its turn: taken by the thread, or by the deadline
        self._deadline: asyncio.TimerHandle | None = None
        self._writer = self._end.connection
        # What a savepoint may have to undo is more than the 64 KiB for which SQLite makes no file.
        self._writer.execute("PRAGMA temp_store = MEMORY")
        self.read = Reader(self._connect(read_only=True))
        self.changes = Changes(path, self.read.connection)
        self.object_changes = ObjectChanges(self.read, self.changes)
        self.recent = Recent(self.object_changes)  # what `read` found of late
        if self.changes.frames() is not None:
            self._writer.execute("PRAGMA wal_autocheckpoint = 0")
        self._copy_back = CopyBack(self.changes, sharing.copying(path))
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="metadata-writer")

    @classmethod
    def open(cls, path: Path, *, sync: bool, sharing: Sharing = ALONE) -> Self:
        """Make or open the file (mode 0600: it holds secrets), bring its schema up to date. Raises Damaged, OSError."""
        if sharing.is_ready:
            return cls._opened(path, sync=sync, sharing=sharing)
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not path.exists()
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        try:
            with closing(
                sqlite3.connect(path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None)
            ) as first:
                switch_to_wal(first)
                migrate(first)
        except sqlite3.Error as error:
            raise translated(error) from error
        database = cls._opened(path, sync=sync, sharing=sharing)
        if is_new:
            _sync_directory(path.parent)
        return database

    @classmethod
    def _opened(cls, path: Path, *, sync: bool, sharing: Sharing) -> Self:
        try:
            return cls(path, sync=sync, sharing=sharing)
        except sqlite3.Error as error:
            raise translated(error) from error

    def connect_reader(self) -> sqlite3.Connection:
        """A further read-only connection, for long work in another thread. The caller closes it."""
        return self._connect(read_only=True)

    async def write(self, work: Callable[[Transaction], T], *, is_long: bool = False) -> T:
        """Run `work` in a group and wait until it is committed. A cancelled waiter does not stop it.

        `work` may be run again from the start when another step of the group failed. `is_long`: more than about a
        hundred statements, which the event loop should not run.
        Raises what `work` raised; Busy (too many wait, database locked too long, closed), Full, OSError (disk).
        """
        if self._is_closed or self._is_stuck or len(self._waiting) >= MAX_WAITING:
            raise self._busy()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append(_Step(work, future, is_long))
        self._go_on(loop)
        return await future

    async def close(self) -> None:
        """Finish what waits, then close the connections. Idempotent."""
        if self._is_closed:
            return
        if self._waiting or self._batch:
            with suppress(StoreError, OSError):  # a broken store closes, too
                await self.write(lambda _: None)
        self._is_closed = True
        self._thread.shutdown(wait=not self._is_stuck)  # the process ends without it
        self.read.connection.close()
        self._writer.close()
        self.changes.close()
        self._copy_back.close()
        if self._turn is not None:
            self._stop_listening()
            self._turn.close()

    def _busy(self) -> Busy:
        if self._is_stuck:
            return Busy("another process of the service does not let go of the metadata store")
        return Busy("the metadata store is closed" if self._is_closed else "too many writes are waiting")

    def _connect(self, *, read_only: bool = False, patience_ms: int = BUSY_TIMEOUT_MS) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path,
            timeout=BUSY_TIMEOUT_MS / 1000,  # until it is there: another process may be closing its own
            isolation_level=None,
            check_same_thread=False,  # never two at a time
            cached_statements=256,
        )
        connection.execute(f"PRAGMA synchronous = {'FULL' if self._sync else 'NORMAL'}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")
        connection.execute(f"PRAGMA cache_size = -{self._cache_kib}")
        connection.execute(f"PRAGMA busy_timeout = {patience_ms}")
        if read_only:
            connection.execute("PRAGMA query_only = ON")
        return connection

    # --- a group: _start on the loop, _finish there or in the thread, _settle on the loop ------------------------------

    def _go_on(self, loop: asyncio.AbstractEventLoop) -> None:
        is_over = self._in_thread is not None and self._in_thread.done()
        if self._batch and is_over and self._batch[0].future.get_loop().is_closed():
            self._batch = []  # its loop was closed before it could settle it
        if self._waiting and not self._batch and self._scheduled_on is not loop:
            self._schedule(loop)

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        """Not at once: tasks that are ready now may still join the group."""
        self._scheduled_on = loop
        loop.call_soon(self._start, loop)

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._scheduled_on = None
        if not self._waiting:
            return
        if self._gathers():
            self._schedule(loop)
            return
        count = min(len(self._waiting), MAX_BATCH)
        is_short = self._broken is None and not any(step.is_long for step in islice(self._waiting, count))
        begun = is_short and self._begin_at_once()
        if is_short and not begun and self._turn is not None and self._tries < _TRIES:
            self._tries += 1
            self._scheduled_on = loop
            self._retry_later(self._turn, loop)
            return
        self._tries = 0
        batch = self._batch = [self._waiting.popleft() for _ in range(count)]
        if begun and not self._run_begun(batch):
            self._give_turn()
            self._settle(batch, loop)
        elif begun and self._is_quick():
            self._finish(batch, begun=True)
            self._give_turn()
            self._settle(batch, loop)
        else:
            if not begun and self._turn is not None:
                self._claim = threading.Lock()
                self._deadline = loop.call_later(BUSY_TIMEOUT_MS / 1000, self._give_up)
            self._in_thread = self._thread.submit(self._finish_in_thread, batch, loop, begun=begun)

    def _retry_later(self, turn: Turn, loop: asyncio.AbstractEventLoop) -> None:
        """When the bell rings, or soon: another program may be what has the store."""
        if turn.bell is not None and self._listening is not loop:
            self._stop_listening()
            self._listening = loop
            loop.add_reader(turn.bell.descriptor, self._hear, turn.bell, loop)
        patience_s = _TRY_S if turn.bell is None else _LISTEN_S
        self._retry = loop.call_later(patience_s, self._try_again, loop)

    def _hear(self, bell: Bell, loop: asyncio.AbstractEventLoop) -> None:
        bell.heard()
        if self._retry is not None:
            self._retry.cancel()
            self._try_again(loop)

    def _try_again(self, loop: asyncio.AbstractEventLoop) -> None:
        self._retry = None
        self._start(loop)

    def _stop_listening(self) -> None:
        """Of two loops the former is closed."""
        loop, self._listening = self._listening, None
        if (
            loop is not None
            and not loop.is_closed()
            and self._turn is not None
            and self._turn.bell is not None
        ):
            loop.remove_reader(self._turn.bell.descriptor)

    def _gathers(self) -> bool:
        """Each round of the event loop brings further steps: whoever asks in parallel asks for the next step when the last is
        committed, and a group of all of them costs the disk as much as a group of some. One that is alone never waits."""
        count, before = len(self._waiting), self._gathered
        self._gathered = count if before < count and 1 < count < MAX_BATCH else 0
        return self._gathered > 0

    def _give_up(self) -> None:
        """Who has the turn may have been stopped in its middle. The kernel's queue knows no deadline, so the thread stays in it
        and keeps its place; the writers are told, and until it comes back all that ask."""
        if not self._claim.acquire(blocking=False):
            return
        self._is_stuck = True
        for step in (*self._batch, *self._waiting):
            step.error = self._busy()
            step.settle()
        self._waiting.clear()

    def _is_quick(self) -> bool:
        """The commit may keep the event loop waiting: the disk is quick, and it is not one that copies the WAL back or makes it longer."""
        frames = self.changes.frames()
        if frames is None or self._copy_back.is_due(frames) or self._room.is_short(frames):
            return False
        return self._commit_s < QUICK_S

    def _run_begun(self, batch: list[_Step[Any]]) -> bool:
        """False when the group as a whole has failed."""
        try:
            self._run(batch)
        except Exception as error:  # noqa: BLE001  # whatever it is: those who wait must hear of it
            self._fail(batch, error)
            return False
        return True

    def _begin_at_once(self) -> bool:
        """Begin without waiting: False while another process writes, or when the disk fails."""
        if self._turn is not None and not self._turn.take_at_once():
            return False
        try:
            self._writer.execute("BEGIN IMMEDIATE")
        except sqlite3.Error:
            self._give_turn()
            return False
        return True

    def _begin_in_time(self) -> None:
        """Begin, and wait while another program writes. Blocks, and raises sqlite3.Error."""
        self._writer.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        try:
            self._writer.execute("BEGIN IMMEDIATE")
        finally:
            self._writer.execute("PRAGMA busy_timeout = 0")

    def _finish_in_thread(
        self, batch: list[_Step[Any]], loop: asyncio.AbstractEventLoop, *, begun: bool
    ) -> None:
        try:
            if begun or self._wait_for_turn(batch):
                self._finish(batch, begun=begun)
                self._see_to_wal(batch, loop)
            self._give_turn()
            loop.call_soon_threadsafe(self._settle, batch, loop)
        except RuntimeError:  # that loop was closed: nobody waits there any more
            self._give_turn()
            self._batch = []
            for step in self._waiting.copy():  # of the next loop, that of a command's end
                with suppress(RuntimeError):
                    step.future.get_loop().call_soon_threadsafe(self._go_on, step.future.get_loop())

    def _see_to_wal(self, batch: list[_Step[Any]], loop: asyncio.AbstractEventLoop) -> None:
        """Nobody who waits for the commit waits for this."""
        frames = self.changes.frames() or 0
        is_short, is_due = self._room.is_short(frames), self._copy_back.is_due(frames)
        if is_short or is_due:
            loop.call_soon_threadsafe(_tell, batch)
        if is_short:
            self._room.extend(self._writer, frames)
        if is_due and not self._copy_back.run(self._writer, frames, self._give_turn):
            self._break()

    def _wait_for_turn(self, batch: list[_Step[Any]]) -> bool:
        """False when there is nothing to do with it: waiting failed, or nobody waits for the group any more."""
        if self._turn is None:
            return True
        try:
            self._turn.take()
        except OSError as error:
            self._fail(batch, error)
            return False
        return self._claim.acquire(blocking=False)

    def _finish(self, batch: list[_Step[Any]], *, begun: bool) -> None:
        """The rest of the group, up to its commit."""
        try:
            if self._broken is not None:
                raise OSError(errno.EIO, self._broken)  # noqa: TRY301  # one place that fails a whole group
            if not begun:
                self._begin_in_time()
                self._run(batch)
            if not self._writer.in_transaction:
                return  # the only step has failed
            self._end.finish()
            began = time.monotonic()
            self._writer.execute("COMMIT")
            self._commit_s += (time.monotonic() - began - self._commit_s) * _WEIGHT
        except Exception as error:  # noqa: BLE001  # whatever it is: those who wait must hear of it
            self._fail(batch, error)

    def _give_turn(self) -> None:
        if self._turn is not None:
            self._turn.give_back()

    def _run(self, batch: list[_Step[Any]]) -> None:
        """All steps, without a savepoint each: few fail. When one does, all begin again, one by one.

        Raises sqlite3.Error when SQLite gave up the whole transaction (disk full, I/O error).
        """
        self._end = Transaction(self._writer)
        if len(batch) == 1:
            self._run_alone(batch[0])
            return
        self._writer.execute("SAVEPOINT batch")
        try:
            for step in batch:
                step.result = step.work(self._end)
        except BaseException:  # it comes again below, for the waiter of its step
            if not self._writer.in_transaction:
                raise
            self._writer.execute("ROLLBACK TO batch")
            self._run_apart(batch)

    def _run_alone(self, step: _Step[Any]) -> None:
        """When it fails the transaction is over: nobody else has a part in it."""
        try:
            step.result = step.work(self._end)
        except BaseException as error:  # the waiter raises it
            if not self._writer.in_transaction:
                raise
            self._writer.execute("ROLLBACK")
            self._end = Transaction(self._writer)
            step.error = translated(error)

    def _run_apart(self, batch: list[_Step[Any]]) -> None:
        self._end = Transaction(self._writer)
        for step in batch:
            part = Transaction(self._writer)
            self._writer.execute("SAVEPOINT step")
            try:
                step.result = step.work(part)
            except BaseException as error:  # the waiter raises it
                if not self._writer.in_transaction:
                    raise
                self._writer.execute("ROLLBACK TO step")
                step.error = translated(error)
            else:
                self._end.absorb(part)
            self._writer.execute("RELEASE step")

    def _fail(self, batch: list[_Step[Any]], error: Exception) -> None:
        if self._writer.in_transaction:
            with suppress(sqlite3.Error):  # the first error is the one to tell
                self._writer.execute("ROLLBACK")
        self._end = Transaction(self._writer)
        for step in batch:
            step.error = step.error or translated(error)
        if is_failed_sync(error):
            self._break()

    def _break(self) -> None:
        """A second sync would lie: only a restart may find out what is on the disk."""
        self._broken = "the metadata store takes no writes after a failed sync; restart it"

    def _settle(self, batch: list[_Step[Any]], loop: asyncio.AbstractEventLoop) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._is_stuck = False
        if self._end.freed:
            self.freed.set()
        if self._broken is not None:
            self.broken.set()
        _tell(batch)
        self._batch = []
        self._go_on(loop)


def _tell(batch: list[_Step[Any]]) -> None:
    """Again is no harm."""
    for step in batch:
        step.settle()


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
