"""The workers of a transfer, and the loop that watches them: progress, deadlines, pauses, how many at once.

The loop runs in the thread that called; each worker has a connection, a buffer of 384 KiB and what its feed gives it. A failure stops
new parts from being taken, lets those under way finish (they need not be moved again), and is then raised.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from mossaic.client.upload.parallel import Parallelism

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mossaic.client.http import Scope
    from mossaic.client.transfer.gate import Gate
    from mossaic.client.transfer.task import Parallel

_WATCH_S: Final = 0.1

Part = TypeVar("Part")
Part_co = TypeVar("Part_co", covariant=True)


class Feed(Protocol[Part_co]):
    """Where workers get their parts."""

    def open(self) -> Iterator[Part_co]:
        """One worker's turn through the parts: each part goes to one worker. Thread-safe; may block while a stream is slow."""
        ...


class Watched(Protocol):
    """What the crew works for."""

    scope: Scope
    on_throttled: Callable[[], None] | None

    @property
    def parallel(self) -> Parallel: ...

    def wire_bytes(self) -> int:
        """Bytes that went over the network so far."""
        ...

    def adapted(self, parallel: int) -> None:
        """So many parts may go at the same time from now on."""
        ...

    def tick(self) -> None: ...

    def time_left(self) -> float | None: ...


class Crew(Generic[Part]):
    """Does `work` with every part that `feed` gives, several at a time."""

    def __init__(
        self,
        task: Watched,
        gate: Gate,
        feed: Feed[Part],
        work: Callable[[Part], None],
    ) -> None:
        self._task = task
        self._gate = gate
        self._feed = feed
        self._work = work
        self._news = gate.news
        self._workers = 0  # threads that may still take a part
        self._busy = 0
        self._stopping = False
        self._dry = False  # the feed has given its last part: nobody waits for a turn any more
        self._failure: BaseException | None = None
        self._parallel = Parallelism(task.parallel)
        self._threads = 0

    @property
    def parallel(self) -> int:
        """Parts that may go at the same time, at the moment."""
        return self._parallel.allowed

    # --- the watching loop --------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Raises the first failure."""
        task, others = self._task, self._task.on_throttled

        def throttled() -> None:
            self._parallel.throttled()
            if others is not None:
                others()

        task.on_throttled = throttled
        self._hire()
        try:
            while not self._finished():
                task.tick()
                task.time_left()
                task.scope.check()
                if self._parallel.adapt(task.wire_bytes(), idle=self._gate.paused):
                    task.adapted(self._parallel.allowed)
                    self._hire()
                    self._call_back()
        except BaseException as error:  # noqa: BLE001  # raised below, when nobody works any more
            self._stop(error)
            task.scope.cancel()  # what is under way is cut: the caller wants to leave
            self._wait_for_the_busy()
        if self._failure is not None:
            raise self._failure

    def _finished(self) -> bool:
        with self._news:
            self._news.wait_for(self._is_over, _WATCH_S)
            return self._is_over()

    def _is_over(self) -> bool:
        if self._stopping:
            return self._busy == 0  # a worker may hang in a read of the source: nobody waits for that
        return self._workers == 0

    def _wait_for_the_busy(self) -> None:
        with self._news:
            self._news.wait_for(lambda: self._busy == 0, timeout=10.0)

    def _hire(self) -> None:
        while self._threads < self._parallel.allowed:
            index, self._threads = self._threads, self._threads + 1
            with self._news:
                self._workers += 1
            threading.Thread(
                target=self._toil, args=(index,), name=f"mossaic-part-{index}", daemon=True
            ).start()

    def _call_back(self) -> None:
        """More may be allowed than before: those who wait for that look again."""
        with self._news:
            self._news.notify_all()

    def _stop(self, error: BaseException) -> None:
        with self._news:
            if self._failure is None:
                self._failure = error
            self._stopping = True
            self._gate.stop()

    # --- a worker -----------------------------------------------------------------------------------------------------

    def _toil(self, index: int) -> None:
        try:
            parts = self._feed.open()
            while self._may_go_on(index):
                try:
                    taken = next(parts)
                except StopIteration:
                    self._run_dry()
                    return
                if not self._enter():
                    return
                try:
                    self._work(taken)
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
                lambda: (
                    self._stopping or self._dry or (not self._gate.paused and index < self._parallel.allowed)
                )
            )
            return not self._stopping and not self._dry

    def _run_dry(self) -> None:
        with self._news:
            self._dry = True
            self._news.notify_all()

    def _enter(self) -> bool:
        with self._news:
            if self._stopping:
                return False
            self._busy += 1
            return True

    def _leave(self) -> None:
        with self._news:
            self._busy -= 1
            # Only then somebody waits for this; to wake everybody after each part costs more than the part's request.
            if self._stopping:
                self._news.notify_all()
