"""Threads for jobs, at a fraction of what those of `concurrent.futures` cost.

Its way to a thread and back takes 45 us of CPU, this one 12, and the locks of its futures are what threads that share an interpreter wait for.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)


class Job:
    """Work for a thread that somebody waits for, unless it was cancelled before it began."""

    __slots__ = ("_claim", "_error", "_over", "_work")

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._error: BaseException | None = None
        self._claim = threading.Lock()  # on doing it: taken by the thread, or by who cancels
        self._over = threading.Lock()
        self._over.acquire()

    def __call__(self) -> None:
        if not self._claim.acquire(blocking=False):
            return
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001  # whatever it is belongs to whoever waits
            self._error = error
        finally:
            self._over.release()

    def cancel(self) -> bool:
        """False when it has begun."""
        return self._claim.acquire(blocking=False)

    def wait(self) -> None:
        with self._over:
            pass

    def result(self) -> None:
        """Wait until it is over. Raises what the work raised."""
        self.wait()
        if self._error is not None:
            raise self._error


class _Thread:
    """A thread that waits for its next job. Each waits for itself: of those that wait for a queue together, one too many wakes up for
    each job, and wants the interpreter."""

    __slots__ = ("_begun", "_job")

    def __init__(self, job: Callable[[], None]) -> None:
        self._job: Callable[[], None] | None = job
        self._begun = threading.Lock()

    def give(self, job: Callable[[], None] | None) -> None:
        """To one that waits; None ends it."""
        self._job = job
        self._begun.release()

    def take(self) -> Callable[[], None] | None:
        """The job that is there, or the next that is given."""
        self._begun.acquire()
        job, self._job = self._job, None
        return job


class Threads:
    """Up to `most` threads for jobs, started when they are needed. The one that waited for the shortest time gets the next: what it needs
    is still in the caches.

    `behind`: steps of `nice` behind the thread that starts them, where threads have a priority of their own.
    """

    def __init__(self, most: int, *, name: str, behind: int = 0) -> None:
        self._most = most
        self._name = name
        self._behind = behind
        self._lock = threading.Lock()
        self._idle: list[_Thread] = []
        self._waiting: deque[Callable[[], None]] = deque()
        self._count = 0
        self._is_closed = False

    def take(self, job: Callable[[], None]) -> bool:
        """Have a thread run the job, soon; False when they are closed, or the system has none left."""
        with self._lock:
            if self._is_closed:
                return False
            if self._idle:
                self._idle.pop().give(job)
                return True
            if self._count == self._most:
                self._waiting.append(job)
                return True
            self._count += 1
        try:
            threading.Thread(target=self._run, args=(_Thread(job),), name=self._name, daemon=True).start()
        except RuntimeError:  # also when the interpreter is about to end
            with self._lock:
                self._count -= 1
            return False
        return True

    def close(self) -> None:
        """Take no more jobs; those that wait still run."""
        with self._lock:
            self._is_closed = True
            while self._idle:
                self._idle.pop().give(None)

    def _run(self, thread: _Thread) -> None:
        _step_behind(self._behind)
        job = thread.take()
        while job is not None:
            try:
                job()
            except Exception:
                log.exception("work that nobody waits for failed")
            job = None  # what it holds is not kept until the next one
            job = self._waiting_job(thread) or thread.take()

    def _waiting_job(self, thread: _Thread) -> Callable[[], None] | None:
        """The job that waits for the longest time; when none does, the thread is free for the next, or ends."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            if self._is_closed:
                thread.give(None)
            else:
                self._idle.append(thread)
            return None


def _step_behind(steps: int) -> None:
    """Lower the priority of this thread. Only Linux has one for each thread, elsewhere it is the process's (nice(2), "C library/kernel differences")."""
    if steps and sys.platform == "linux":
        with suppress(OSError):  # a sandbox may forbid it
            os.nice(steps)
