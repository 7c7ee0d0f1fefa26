"""The workers that send parts, and the loop that watches them: progress, deadlines, pauses, how many at once.

The loop runs in the thread that called; each worker has a connection, a 256 KiB buffer and, for a stream, a spool. A failure stops
new parts from being taken, lets those under way finish (they need not be sent again), and is then raised.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, Protocol

from mossaic.client.errors import (
    Cancelled,
    ChecksumMismatch,
    MossaicError,
    NoSuchUpload,
    UploadAborted,
)
from mossaic.client.exchange import pause
from mossaic.client.http import Scope
from mossaic.client.upload.parallel import Parallelism
from mossaic.client.upload.part import send_part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mossaic.client.checkpoint import PartRecord
    from mossaic.client.upload.body import Readable
    from mossaic.client.upload.log import Log
    from mossaic.client.upload.plan import Piece
    from mossaic.client.upload.resume import Begun
    from mossaic.client.upload.task import Task

_WATCH_S: Final = 0.1


class Feed(Protocol):
    """Where workers get their parts."""

    def open(self) -> Iterator[tuple[Piece, Readable]]:
        """One worker's turn through the parts: each part goes to one worker. Thread-safe; may block while a stream is slow."""
        ...


class Engine:
    """Sends the parts that `feed` gives to the upload `begun`, until there are none."""

    def __init__(self, task: Task, begun: Begun, log: Log, feed: Feed) -> None:
        self._task = task
        self._begun = begun
        self._log = log
        self._feed = feed
        self._news = threading.Condition()
        self._workers = 0  # threads that may still take a part
        self._sending = 0
        self._paused = False
        self._stopping = False
        self._failure: BaseException | None = None
        self._attempts: set[Scope] = set()  # of the parts under way
        self._parallel = Parallelism(task.options.parallel)
        self._threads = 0

    @property
    def parallel(self) -> int:
        """Parts that may go at the same time, at the moment."""
        return self._parallel.allowed

    # --- orders, from any thread --------------------------------------------------------------------------------------

    def pause(self) -> None:
        """Stop sending now: parts under way are cut and begin again when it goes on."""
        with self._news:
            self._paused = True
            cut = tuple(self._attempts)
        for scope in cut:
            scope.cancel()

    def go_on(self) -> None:
        with self._news:
            self._paused = False
            self._news.notify_all()

    # --- the watching loop --------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Raises the first failure; a part's has `part_number`."""
        task = self._task
        task.on_throttled = self._parallel.throttled
        self._hire()
        try:
            while not self._finished():
                task.tick()
                task.time_left()
                task.scope.check()
                if self._parallel.adapt(task.meter.wire_bytes(), idle=self._paused):
                    task.events.say("parallel", parallel=self._parallel.allowed)
                    self._hire()
        except BaseException as error:  # noqa: BLE001  # raised below, when nobody sends any more
            self._stop(error)
            task.scope.cancel()  # what is under way is cut: the caller wants to leave
            self._wait_for_senders()
        if self._failure is not None:
            raise self._failure

    def _finished(self) -> bool:
        with self._news:
            self._news.wait_for(self._is_over, _WATCH_S)
            return self._is_over()

    def _is_over(self) -> bool:
        if self._stopping:
            return self._sending == 0  # a worker may hang in a read of the source: nobody waits for that
        return self._workers == 0

    def _wait_for_senders(self) -> None:
        with self._news:
            self._news.wait_for(lambda: self._sending == 0, timeout=10.0)

    def _hire(self) -> None:
        while self._threads < self._parallel.allowed:
            index, self._threads = self._threads, self._threads + 1
            with self._news:
                self._workers += 1
            threading.Thread(
                target=self._work, args=(index,), name=f"mossaic-part-{index}", daemon=True
            ).start()

    def _stop(self, error: BaseException) -> None:
        with self._news:
            if self._failure is None:
                self._failure = error
            self._stopping = True
            self._news.notify_all()

    # --- a worker -----------------------------------------------------------------------------------------------------

    def _work(self, index: int) -> None:
        try:
            parts = self._feed.open()
            while self._may_go_on(index):
                taken = next(parts, None)
                if taken is None or not self._enter():
                    return
                try:
                    self._send(*taken)
                finally:
                    self._leave()
        except BaseException as error:  # noqa: BLE001  # raised again by the watching loop
            self._stop(error)
        finally:
            with self._news:
                self._workers -= 1
                self._news.notify_all()

    def _may_go_on(self, index: int) -> bool:
        with self._news:
            self._news.wait_for(
                lambda: self._stopping or (not self._paused and index < self._parallel.allowed)
            )
            return not self._stopping

    def _enter(self) -> bool:
        with self._news:
            if self._stopping:
                return False
            self._sending += 1
            return True

    def _leave(self) -> None:
        with self._news:
            self._sending -= 1
            self._news.notify_all()

    def _send(self, piece: Piece, source: Readable) -> None:
        try:
            record = self._sent(piece, source)
        except NoSuchUpload as error:
            raise UploadAborted(
                f"the upload {self._begun.upload_id} was aborted or completed elsewhere"
            ) from error
        except MossaicError as error:
            error.part_number = piece.number
            raise
        self._begun.parts[piece.number] = record
        self._log.part(record)
        self._task.meter.stored(piece.number, piece.size)
        self._task.events.say("part", part_number=piece.number, size=piece.size)

    def _sent(self, piece: Piece, source: Readable) -> PartRecord:
        """Send until it is stored, through pauses and bytes that were damaged on the way."""
        damaged = 0
        while True:
            scope = Scope(parent=self._task.scope)
            with self._news:
                self._news.wait_for(lambda: self._stopping or not self._paused)
                if self._stopping:
                    raise Cancelled("the upload stops")
                self._attempts.add(scope)
            try:
                return send_part(self._task, self._begun.upload_id, piece, source, scope)
            except ChecksumMismatch:
                damaged += 1
                if damaged >= self._task.session.retry.attempts:
                    raise
                self._task.meter.retried()
                pause(self._task.session.retry.base, scope)
            except Cancelled:
                if self._stopping or self._task.scope.cancelled:
                    raise
            finally:
                with self._news:
                    self._attempts.discard(scope)


class Pieces:
    """The parts of a source that can be read anywhere: those that are missing, in order."""

    def __init__(self, source: Readable, pieces: Iterator[Piece]) -> None:
        self._source = source
        self._pieces = pieces
        self._lock = threading.Lock()

    def open(self) -> Iterator[tuple[Piece, Readable]]:
        while True:
            with self._lock:
                piece = next(self._pieces, None)
            if piece is None:
                return
            yield piece, self._source
