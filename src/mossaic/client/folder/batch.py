"""A folder's transfer: what is to be done file by file, and several jobs that do it, each with one connection."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Literal

from mossaic.client.errors import (
    Cancelled,
    CredentialsError,
    DeadlineExceeded,
    InvalidAccessKeyId,
    NetworkError,
    NoSuchBucket,
    SignatureDoesNotMatch,
)
from mossaic.client.folder.entry import (
    BatchCancelled,
    BatchProgress,
    BatchResult,
    Counts,
    FolderEvent,
)
from mossaic.client.transfer.crew import Crew
from mossaic.client.transfer.gate import Gate
from mossaic.client.upload.progress import Speed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mossaic.client.folder.entry import Entry, FolderOptions, Found, Stored
    from mossaic.client.http import Scope
    from mossaic.client.transfer.handle import Transfer
    from mossaic.client.transfer.task import Parallel
    from mossaic.client.upload.throttle import Throttle

Pair = tuple["Found | None", "Stored | None"]

_KEPT_FAILURES: Final = 10_000
_DEAD_LINE: Final = 16  # files in a row that failed for the network: the others would, too
_PLANNERS: Final = 8
# What no other file would fare better with.
_FATAL: Final = (CredentialsError, DeadlineExceeded, InvalidAccessKeyId, NoSuchBucket, SignatureDoesNotMatch)


class Batch(ABC):
    """The transfer of a folder: go over it to see what would be done, or `run()` it, once. Methods may be called from any thread."""

    way: Literal["upload", "download"]

    def __init__(self, options: FolderOptions, *, scope: Scope, throttle: Throttle) -> None:
        self.options = options
        self.scope = scope
        self.on_throttled: Callable[[], None] | None = None
        self._throttle = throttle
        self._until = None if options.deadline is None else time.monotonic() + options.deadline
        self._gate = Gate()
        self._lock = threading.Lock()
        self._counts = Counts()
        self._active: dict[str, Transfer[Any]] = {}  # Any: of either way
        self._speed = Speed()
        self._next_tick = 0.0
        self._dead = 0

    # --- what its owner sees ------------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Entry]:
        """What would be done, in the order of keys, as it is found out; nothing is changed. Raises as `run`."""
        pairs = self._pairs()
        with ThreadPoolExecutor(_PLANNERS, "mossaic-plan") as executor:
            coming: deque[Any] = deque()  # Any: futures of entries
            for pair in pairs:
                coming.append(executor.submit(self._decide, *pair))
                if len(coming) >= 4 * _PLANNERS:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()

    def run(self) -> BatchResult:
        """Do it, and wait for the end. A file that fails does not stop the others.

        Raises BatchCancelled, DeadlineExceeded, CredentialsError, NoSuchBucket and what else no file can succeed with; NetworkError
        when one file after the other fails for it; OSError when the local folder cannot be read. What was done by then stays.
        """
        begins = time.monotonic()
        if self.options.progress is not None:
            threading.Thread(target=self._count, name="mossaic-count", daemon=True).start()
        try:
            self._run()
        except Cancelled as error:
            if not self.scope.cancelled:
                raise
            result = self._result(time.monotonic() - begins)
            raise BatchCancelled(f"the {self.way} of the folder was cancelled", result) from error
        except _Heard as heard:
            raise heard.error from None
        finally:
            self.scope.cancel()  # ends the counting, too
        self.tick(now=True)
        return self._result(time.monotonic() - begins)

    def _run(self) -> None:
        try:
            Crew(self, self._gate, _Pairs(self._pairs()), self._do).run()
        except BaseException:
            self._finish(clean=False)
            raise
        self._finish(clean=True)

    def cancel(self) -> None:
        """Stop at once; what is done stays, and the same call goes on with the rest."""
        self.scope.cancel()

    def pause(self) -> None:
        """Stop moving bytes until `resume()`."""
        self._gate.pause()
        for transfer in self._under_way().values():
            transfer.pause()

    def resume(self) -> None:
        """Go on after `pause()`."""
        self._gate.go_on()
        for transfer in self._under_way().values():
            transfer.resume()

    def set_bandwidth(self, limit: float | None) -> None:
        """Bytes a second for all files together, None for no limit. Raises ValueError for a limit that is not above zero."""
        self._throttle.set(limit)

    @property
    def progress(self) -> BatchProgress:
        """As it is now."""
        with self._lock:
            active = {name: transfer.progress for name, transfer in self._active.items()}
            counts = self._counts
            sent = counts.sent + sum(each.sent for each in active.values())
            wire = counts.wire + sum(each.sent - each.resumed for each in active.values())
            speed = self._speed.at(time.monotonic(), wire)
            left = max(0, counts.total - sent) if counts.counted else None
            return BatchProgress(
                done=counts.moved + counts.skipped,
                failed=counts.failed,
                skipped=counts.skipped,
                deleted=counts.deleted,
                files=counts.files,
                sent=sent,
                total=max(counts.total, sent),
                counted=counts.counted,
                speed=speed,
                eta_s=left / speed if left is not None and speed else None,
                retries=counts.retries + sum(each.retries for each in active.values()),
                active=active,
            )

    # --- the two ways -------------------------------------------------------------------------------------------------

    @abstractmethod
    def _pairs(self) -> Iterator[Pair]:
        """What there is, in the order of keys."""

    @abstractmethod
    def _sizes(self) -> Iterable[int]:
        """Bytes of each file that there is to move, for counting."""

    @abstractmethod
    def _decide(self, mine: Found | None, theirs: Stored | None) -> Entry:
        """What is to be done about it. Raises what says that nothing can be done at all."""

    @abstractmethod
    def _transfer(self, entry: Entry, left_s: float | None) -> Transfer[Any] | None:  # Any: of either way
        """What moves it; None when it is done with that."""

    @abstractmethod
    def _delete(self, entry: Entry) -> None:
        """On the side that is copied to. May do it later, with others."""

    def _moved(self, entry: Entry) -> None:  # noqa: B027  # most have nothing to do
        """A file has arrived."""

    @abstractmethod
    def _finish(self, *, clean: bool) -> None:
        """After the last file; not `clean`: something ended it before."""

    # --- what the crew asks -------------------------------------------------------------------------------------------

    @property
    def parallel(self) -> Parallel:
        return self.options.jobs

    def wire_bytes(self) -> int:
        with self._lock:
            active = [transfer.progress for transfer in self._active.values()]
            return self._counts.wire + sum(each.sent - each.resumed for each in active)

    def adapted(self, parallel: int) -> None:  # noqa: B027  # one of the crew's
        """Nobody has to know."""

    def time_left(self) -> float | None:
        """Seconds. Raises DeadlineExceeded."""
        if self._until is None:
            return None
        left = self._until - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded(f"the {self.way} of the folder took longer than {self.options.deadline} s")
        return left

    def tick(self, *, now: bool = False) -> None:
        """Report progress, at most every `progress_every_s`."""
        if self.options.progress is None:
            return
        moment = time.monotonic()
        if now or moment >= self._next_tick:
            self._next_tick = moment + self.options.progress_every_s
            self.options.progress(self.progress)

    # --- one file -----------------------------------------------------------------------------------------------------

    def _do(self, pair: Pair) -> None:
        """Raises what no other file would fare better with."""
        entry = self._decide(*pair)
        if self.options.dry_run:
            self._count_entry(entry)
            self._say(FolderEvent(kind="planned", entry=entry))
        elif entry.action == "skip":
            self._count_entry(entry)
            self._say(FolderEvent(kind="skipped", entry=entry))
        elif entry.action == "refuse":
            assert entry.problem is not None
            self._failed(entry, entry.problem)
        elif entry.action == "delete":
            self._guarded(entry, lambda: self._delete(entry))
        else:
            self._guarded(entry, lambda: self._move(entry))

    def _guarded(self, entry: Entry, act: Callable[[], None]) -> None:
        try:
            act()
        except _FATAL:
            raise
        except Exception as error:
            if self.scope.cancelled or isinstance(error, _Heard):
                raise
            self._failed(entry, error)
            if isinstance(error, NetworkError):
                self._dead += 1
                if self._dead >= _DEAD_LINE:
                    raise
        else:
            self._dead = 0

    def _move(self, entry: Entry) -> None:
        transfer = self._transfer(entry, self.time_left())
        if transfer is None:
            result = None
        else:
            if self.on_throttled is not None:
                transfer.when_throttled(self.on_throttled)
            with self._lock:
                self._active[entry.path] = transfer
            try:
                if self._gate.paused:
                    transfer.pause()
                self._say(FolderEvent(kind="begun", entry=entry, transfer=transfer))
                result = transfer.run()
            finally:
                self._over(entry, transfer)
        self._moved(entry)
        with self._lock:
            self._counts.moved += 1
            self._counts.size += entry.size
        self._say(FolderEvent(kind="done", entry=entry, transfer=transfer, result=result))

    def _over(self, entry: Entry, transfer: Transfer[Any]) -> None:  # Any: of either way
        seen = transfer.progress
        with self._lock:
            self._active.pop(entry.path, None)
            counts = self._counts
            counts.sent += seen.sent
            counts.wire += seen.sent - seen.resumed
            counts.retries += seen.retries
            counts.resumed_bytes += seen.resumed

    def _deleted(self, entry: Entry) -> None:
        with self._lock:
            self._counts.deleted += 1
        self._say(FolderEvent(kind="deleted", entry=entry))

    def _failed(self, entry: Entry, error: Exception) -> None:
        error.__traceback__ = None  # or it would keep the frames of every failure alive
        with self._lock:
            self._counts.failed += 1
            if len(self._counts.failures) < _KEPT_FAILURES:
                self._counts.failures[entry.path or entry.key] = error
        self._say(FolderEvent(kind="failed", entry=entry, error=error))

    def _count_entry(self, entry: Entry) -> None:
        """What needs no work; all of a dry run."""
        with self._lock:
            counts = self._counts
            match entry.action:
                case "skip":
                    counts.skipped += 1
                    counts.sent += entry.size
                case "delete":
                    counts.deleted += 1
                case "refuse":
                    counts.failed += 1
                    if entry.problem is not None and len(counts.failures) < _KEPT_FAILURES:
                        counts.failures[entry.path or entry.key] = entry.problem
                case "upload" | "download":
                    counts.moved += 1
                    counts.size += entry.size
                    counts.sent += entry.size

    def _say(self, event: FolderEvent) -> None:
        hear = self.options.on_event
        if hear is None:
            return
        try:
            hear(event)
        except Exception as error:
            raise _Heard(error) from error

    # --- the whole ----------------------------------------------------------------------------------------------------

    def _count(self) -> None:
        """Runs ahead, so that it is known how much there is to do."""
        try:
            for size in self._sizes():
                self.scope.check()
                with self._lock:
                    self._counts.files += 1
                    self._counts.total += size
        except Exception:  # noqa: BLE001  # whoever does the work meets the same and tells
            return
        with self._lock:
            self._counts.counted = True

    def _under_way(self) -> dict[str, Transfer[Any]]:  # Any: of either way
        with self._lock:
            return dict(self._active)

    def _result(self, seconds: float) -> BatchResult:
        with self._lock:
            counts = self._counts
            return BatchResult(
                moved=counts.moved,
                skipped=counts.skipped,
                deleted=counts.deleted,
                failed=counts.failed,
                size=counts.size,
                resumed_bytes=counts.resumed_bytes,
                seconds=seconds,
                failures=dict(counts.failures),
                dry_run=self.options.dry_run,
            )


class _Heard(Exception):
    """The owner's `on_event` raised `error`."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class _Pairs:
    """Each for one worker."""

    def __init__(self, pairs: Iterator[Pair]) -> None:
        self._pairs = pairs
        self._lock = threading.Lock()

    def open(self) -> Iterator[Pair]:
        while True:
            with self._lock:
                pair = next(self._pairs, None)
            if pair is None:
                return
            yield pair
