"""The workers: every part once, the first failure raised, an order to leave heard by all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from mossaic.client.errors import Cancelled, DeadlineExceeded
from mossaic.client.http import Scope
from mossaic.client.transfer.crew import Crew
from mossaic.client.transfer.gate import Gate


class Work:
    """What a crew works for, in memory."""

    def __init__(self, parallel: int = 3, tick: Callable[[], None] = lambda: None) -> None:
        self.scope = Scope()
        self.on_throttled: Callable[[], None] | None = None
        self.parallel = parallel
        self.tick = tick
        self.until = float("inf")

    def wire_bytes(self) -> int:
        return 0

    def adapted(self, parallel: int) -> None:
        """Not listened to."""

    def time_left(self) -> float:
        if time.monotonic() > self.until:
            raise DeadlineExceeded("over")
        return 1.0


class Numbers:
    def __init__(self, count: int) -> None:
        self._left = iter(range(count))
        self._lock = threading.Lock()

    def open(self) -> Iterator[int]:
        while True:
            with self._lock:
                number = next(self._left, None)
            if number is None:
                return
            yield number


def test_every_part_is_done_once_and_several_at_the_same_time() -> None:
    done: list[int] = []
    together = threading.Barrier(3, timeout=5)

    def work(number: int) -> None:
        if number < 3:
            together.wait()
        done.append(number)

    Crew(Work(3), Gate(), Numbers(20), work).run()

    assert sorted(done) == list(range(20))


def test_a_failure_stops_new_parts_and_lets_those_under_way_finish() -> None:
    failed, done = threading.Event(), []

    def work(number: int) -> None:
        if number == 0:
            failed.set()
            raise KeyError("mine")
        failed.wait(5)
        time.sleep(0.05)  # others have had the time to take a further one
        done.append(number)

    job = Work(2)
    with pytest.raises(KeyError, match="mine"):
        Crew(job, Gate(), Numbers(100), work).run()

    assert done in ([], [1], [1, 2])
    assert not job.scope.cancelled


def test_an_interrupt_of_the_watching_thread_cuts_those_under_way() -> None:
    begun = threading.Event()

    def interrupt() -> None:
        if begun.is_set():
            raise KeyboardInterrupt

    job = Work(2, interrupt)
    cut: list[int] = []

    def work(number: int) -> None:
        begun.set()
        while not job.scope.cancelled:
            time.sleep(0.001)
        cut.append(number)
        job.scope.check()

    with pytest.raises(KeyboardInterrupt):
        Crew(job, Gate(), Numbers(100), work).run()

    assert len(cut) in (1, 2)


def test_a_cancel_and_a_deadline_end_it_even_while_it_is_paused() -> None:
    gate, job = Gate(), Work()
    gate.pause()
    threading.Timer(0.02, job.scope.cancel).start()
    with pytest.raises(Cancelled):
        Crew(job, gate, Numbers(5), lambda _: None).run()

    late = Work()
    late.until = time.monotonic() + 0.02
    gate = Gate()
    gate.pause()
    with pytest.raises(DeadlineExceeded):
        Crew(late, gate, Numbers(5), lambda _: None).run()


def test_a_feed_that_fails_is_a_failure() -> None:
    class Broken:
        def open(self) -> Iterator[int]:
            yield 1
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        Crew(Work(1), Gate(), Broken(), lambda _: None).run()


def test_who_listened_before_hears_of_throttling_too() -> None:
    heard: list[int] = []
    job = Work()
    job.on_throttled = lambda: heard.append(1)

    Crew(job, Gate(), Numbers(0), lambda _: None).run()
    job.on_throttled()

    assert heard == [1]
