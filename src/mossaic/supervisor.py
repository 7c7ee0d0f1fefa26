"""The parent of several worker processes: starts them, starts them again when they die, renews all of them, stops them in order.

It knows nothing of what they do, and has neither threads nor an event loop: it sleeps until a signal or a worker says something.
Workers are forked from it as it stands, so what it has opened before, such as listening sockets, is theirs, too.
"""

from __future__ import annotations

import errno
import gc
import logging
import os
import select
import signal
import sys
import threading
import time
from contextlib import suppress
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, Protocol, Self

from mossaic.quick import dataclass
from mossaic.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger("mossaic.supervisor")

STOP: Final = signal.SIGTERM  # to a worker: finish what has begun, soon; a second one: at once
RETIRE: Final = (
    signal.SIGUSR2
)  # to a worker: take no more connections, finish what has begun, take the time it needs
_HEEDED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
_START_S: Final = 60.0  # a worker that does not answer by then is killed
_STEADY_S: Final = 10.0  # a worker that dies before has not done well
_LONGEST_PAUSE_S: Final = 5.0  # between attempts to start one
_ATTEMPTS: Final = 5  # if no worker ever answered, that many that died are enough
_KILL_S: Final = 10.0  # after their time to stop is over, until workers are killed


class CannotReload(Exception):
    """What is asked for cannot be had without a restart; the text says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A worker's place. `slot`: a number that no other living worker has, from 0 to twice their count. `lifeline`: a descriptor
    that comes to its end when the parent does. `ready`: to be called once, when requests are answered."""

    slot: int
    lifeline: int
    ready: Callable[[], None]


class Service(Protocol):
    """What workers do. `stop_s`: how long they may take to stop."""

    @property
    def stop_s(self) -> float: ...

    def work(self, post: Post) -> int:
        """A worker's life, in its process; the exit code."""
        ...

    def renewed(self) -> Self:
        """What the workers of a reload do. Raises CannotReload."""
        ...

    def starting(self) -> None:
        """Signals are heeded, and no worker is there yet. Called once; what it raises, `Supervisor.run` does."""
        ...

    def ended(self, slot: int) -> None:
        """The worker of that place is gone."""
        ...

    def answering(self) -> None:
        """The first worker answers. Called once."""
        ...

    def stopping(self) -> None:
        """No more connections shall come."""
        ...


class _Phase(Enum):
    STARTING = auto()
    SERVING = auto()
    LEAVING = auto()


@dataclass(slots=True, kw_only=True)
class _Child:
    pid: int
    slot: int
    generation: int
    ready: int  # a descriptor: a byte comes when it answers
    started: float
    phase: _Phase = _Phase.STARTING


class Supervisor:
    """`count` workers, always."""

    def __init__(self, service: Service, *, count: int) -> None:
        self._service = service
        self._next: Service | None = None  # during a reload: what the new workers do
        self._count = count
        self._children: dict[int, _Child] = {}  # by pid
        self._generation = 0  # the one that serves
        self._wants_reload = False
        self._has_answered = False
        self._early_deaths = 0  # in a row
        self._not_before = 0.0  # the next start
        self._signals = 0  # to stop
        self._kill_at = 0.0
        self._failed = False
        self._terminal = Terminal()
        self._lifeline = os.pipe()
        self._woken = os.pipe()

    def run(self) -> int:
        """Until told to stop; the exit code: 0, or 1 when no worker could be started or one had to be killed."""
        assert threading.active_count() == 1, "a fork takes no threads along"
        before = self._catch_signals()
        gc.freeze()  # what is here stays, and its pages stay shared
        try:
            self._service.starting()
            while not self._signals or self._children:
                self._look_after()
                self._sleep()
        finally:
            self._let_go(before)
        return 1 if self._failed else 0

    def _look_after(self) -> None:
        self._reap()
        self._hear()
        self._kill_late()
        if self._signals:
            return
        self._reload()
        if time.monotonic() >= self._not_before:
            self._fill(self._generation, self._service)

    # --- signals ------------------------------------------------------------------------------------------------------

    def _catch_signals(self) -> dict[signal.Signals, object]:
        for end in self._woken:
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._woken[1], warn_on_full_buffer=False)
        return {number: signal.signal(number, _noted) for number in _HEEDED}

    def _let_go(self, before: dict[signal.Signals, object]) -> None:
        signal.set_wakeup_fd(-1)
        for number, handler in before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what `signal` gave
        for end in (*self._woken, *self._lifeline):
            os.close(end)

    def _sleep(self) -> None:
        if self._signals and not self._children:
            return
        waiting = [child.ready for child in self._children.values() if child.phase is _Phase.STARTING]
        select.select([self._woken[0], *waiting], [], [], self._timeout())
        with suppress(BlockingIOError):
            for number in os.read(self._woken[0], 4096):
                self._heed(number)

    def _timeout(self) -> float | None:
        """Until something is due that nobody will wake us for."""
        due = [self._kill_at] if self._kill_at else []
        due += [each.started + _START_S for each in self._children.values() if each.phase is _Phase.STARTING]
        if not self._signals and len(self._of(self._generation)) < self._count:
            due.append(self._not_before)
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _heed(self, number: int) -> None:
        hung_up = number == signal.SIGHUP and self._terminal.went_away()
        if number in (signal.SIGTERM, signal.SIGINT) or hung_up:
            self._stop()
        elif number == signal.SIGHUP:
            self._wants_reload = True

    def _stop(self) -> None:
        self._signals += 1
        if self._signals == 1:
            self._service.stopping()
        patience = self._service.stop_s if self._signals == 1 else 0.0
        self._kill_at = time.monotonic() + patience + _KILL_S
        for child in self._children.values():
            self._tell(child, STOP)

    def _tell(self, child: _Child, number: signal.Signals) -> None:
        if number == STOP or child.phase is not _Phase.LEAVING:
            child.phase = _Phase.LEAVING
            with suppress(ProcessLookupError):
                os.kill(child.pid, number)

    # --- workers ------------------------------------------------------------------------------------------------------

    def _of(self, generation: int) -> list[_Child]:
        return [
            child
            for child in self._children.values()
            if child.generation == generation and child.phase is not _Phase.LEAVING
        ]

    def _fill(self, generation: int, service: Service) -> None:
        for _ in range(self._count - len(self._of(generation))):
            try:
                self._start(generation, service)
            except OSError as error:
                _log.error("no worker can be forked: %s", error)  # the trace would say nothing more
                self._not_before = time.monotonic() + _LONGEST_PAUSE_S
                return

    def _start(self, generation: int, service: Service) -> None:
        taken = {child.slot for child in self._children.values()}
        slot = next(number for number in range(len(taken) + 1) if number not in taken)
        ready, tell = os.pipe()
        _flush()
        # What is for the parent may not reach the child while it still has the parent's handlers: they write to one pipe.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _HEEDED)
        try:
            pid = os.fork()
            if pid == 0:
                os.close(ready)
                self._become(service, slot, tell)
        except OSError:
            os.close(ready)
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            os.close(tell)
        self._children[pid] = _Child(
            pid=pid, slot=slot, generation=generation, ready=ready, started=time.monotonic()
        )

    def _become(self, service: Service, slot: int, tell: int) -> None:
        """In the child: never returns."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in (
                signal.SIGINT,
                signal.SIGHUP,
            ):  # a terminal tells all; it is the parent's to pass on
                signal.signal(number, signal.SIG_IGN)
            for number in (STOP, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            for end in (*self._woken, self._lifeline[1], *(child.ready for child in self._children.values())):
                os.close(end)  # above all the lifeline's: it shall end with the parent
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEEDED)
            code = service.work(Post(slot=slot, lifeline=self._lifeline[0], ready=lambda: _say(tell)))
        except BaseException:  # noqa: BLE001  # nothing of a worker may return into the parent's code
            _log.exception("worker %d failed", os.getpid())
        finally:
            _flush()
            os._exit(code)

    def _hear(self) -> None:
        """Which workers answer now."""
        waiting = {each.ready: each for each in self._children.values() if each.phase is _Phase.STARTING}
        for descriptor in select.select(list(waiting), [], [], 0)[0]:
            child = waiting[descriptor]
            if not os.read(descriptor, 1):
                continue  # it died: the next SIGCHLD tells
            child.phase = _Phase.SERVING
            if not self._has_answered:
                self._has_answered = True
                self._service.answering()

    def _reap(self) -> None:
        while self._children:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = self._children.pop(pid, None)
            if child is not None:
                os.close(child.ready)
                self._service.ended(child.slot)
                self._bury(child, os.waitstatus_to_exitcode(status))

    def _bury(self, child: _Child, code: int) -> None:
        if child.phase is _Phase.LEAVING:
            if code not in (0, -STOP):  # as told, even before it had learned what that means
                _log.warning("worker %d, told to stop, ended with %s", child.pid, _said(code))
            return
        _log.error("worker %d died: %s", child.pid, _said(code))
        if child.generation != self._generation:
            self._drop_candidates("one of the new workers died")
            return
        now = time.monotonic()
        self._early_deaths = self._early_deaths + 1 if now < child.started + _STEADY_S else 0
        if not self._has_answered and self._early_deaths >= _ATTEMPTS and not self._signals:
            _log.critical("no worker can be started; giving up")
            self._failed = True
            self._stop()
        # The first one is replaced at once: somebody may have killed it.
        pause = 0.1 * 2 ** min(self._early_deaths - 2, 10) if self._early_deaths > 1 else 0.0
        self._not_before = now + min(pause, _LONGEST_PAUSE_S)

    def _kill_late(self) -> None:
        now = time.monotonic()
        for child in self._children.values():
            late = child.phase is _Phase.STARTING and now >= child.started + _START_S
            if late or (self._kill_at and now >= self._kill_at):
                _log.error("worker %d is killed: it took too long", child.pid)
                self._failed |= not late
                with suppress(ProcessLookupError):
                    os.kill(child.pid, signal.SIGKILL)
        if self._kill_at and now >= self._kill_at:
            self._kill_at = 0.0

    # --- reload -------------------------------------------------------------------------------------------------------

    def _reload(self) -> None:
        """New workers first; when all of them answer, the old ones retire. One reload at a time."""
        if self._next is not None:
            new = self._of(self._generation + 1)
            if len(new) == self._count and all(child.phase is _Phase.SERVING for child in new):
                self._hand_over(self._next)
        elif self._wants_reload and self._has_answered:
            leaving = [child for child in self._children.values() if child.phase is _Phase.LEAVING]
            if leaving:  # of the reload before: now they are in the way
                for child in leaving:
                    self._hurry(child)
                return
            self._wants_reload = False
            self._begin_reload()

    def _hurry(self, child: _Child) -> None:
        if child.generation >= 0:
            child.generation = -1  # told once
            self._tell(child, STOP)

    def _begin_reload(self) -> None:
        try:
            self._next = self._service.renewed()
        except CannotReload as error:
            _log.error("not reloaded: %s", error)  # the trace would say nothing more
            return
        _log.info("reloading")
        self._fill(self._generation + 1, self._next)

    def _hand_over(self, service: Service) -> None:
        self._service, self._next = service, None
        old = [child for child in self._children.values() if child.generation == self._generation]
        self._generation += 1
        self._early_deaths, self._not_before = 0, 0.0
        for child in old:
            self._tell(child, RETIRE)
        _log.info("reloaded")

    def _drop_candidates(self, reason: str) -> None:
        if self._next is not None:
            self._next = None
            _log.error("not reloaded: %s; the old ones go on", reason)
            for child in self._of(self._generation + 1):
                self._tell(child, STOP)


def _noted(_number: int, _frame: object) -> None:
    """The descriptor that wakes us has the number."""


def _flush() -> None:
    """So that nothing is written twice, by parent and child."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # whoever read it is gone
            stream.flush()


def _said(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _say(descriptor: int) -> None:
    try:
        os.write(descriptor, b".")
    except OSError as error:
        if error.errno != errno.EPIPE:  # the parent is gone: the lifeline tells
            raise
    os.close(descriptor)
