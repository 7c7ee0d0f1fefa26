"""`mossaic` with a sampling profiler inside, started only by the benchmark: SIGUSR1 begins, SIGUSR2 ends and writes.

python -m bench.server.profile.sampled serve …   (BENCH_PROFILE: the file to write)

A timer of CPU time (ITIMER_PROF) interrupts the process; the handler looks at the stacks of all threads and gives each the CPU time
that its own clock counted since the last look. Unlike cProfile it adds nothing to a call: some 20 microseconds a sample.
"""

from __future__ import annotations

import json
import linecache
import os
import signal
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mossaic.cli.main import main

if TYPE_CHECKING:
    from types import FrameType

INTERVAL_S: Final = 0.001  # the kernel rounds it up to its tick
_DEPTH: Final = 60

Place = tuple[str, str, int]  # file, function, line


class Sampler:
    """`nanoseconds` of CPU time by thread and stack, innermost place first."""

    def __init__(self) -> None:
        self.count = 0
        self.nanoseconds: dict[tuple[str, tuple[Place, ...]], int] = defaultdict(int)
        self._seen: dict[int, int] = {}
        self._times = os.times()

    def begin(self, *_: object) -> None:
        self.count = 0
        self.nanoseconds.clear()
        self._seen = {ident: _clock(ident) for ident in _frames()}
        self._times = os.times()
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)

    def end(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        target = Path(os.environ["BENCH_PROFILE"])
        unfinished = target.with_suffix(".part")
        unfinished.write_text(json.dumps(self._record()))
        unfinished.rename(target)

    def _look(self, _number: int, frame: FrameType | None) -> None:
        self.count += 1
        main_thread = threading.main_thread().ident
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        for ident, its_frame in _frames().items():
            now = _clock(ident)
            used = now - self._seen.get(ident, now)
            self._seen[ident] = now
            if used > 0:
                stack = _stack(frame if ident == main_thread else its_frame)
                self.nanoseconds[names.get(ident, "?").rstrip("_-0123456789"), stack] += used

    def _record(self) -> dict[str, object]:
        now = os.times()
        return {
            "samples": self.count,
            "user_s": now.user - self._times.user,
            "system_s": now.system - self._times.system,
            "stacks": [
                [
                    name,
                    [[*place, linecache.getline(place[0], place[2]).strip()] for place in stack],
                    used / 1e9,
                ]
                for (name, stack), used in self.nanoseconds.items()
            ],
        }


def _frames() -> dict[int, FrameType]:
    """By thread. The interpreter has no public way to the stacks of other threads."""
    return sys._current_frames()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


def _clock(ident: int) -> int:
    try:
        return time.clock_gettime_ns(time.pthread_getcpuclockid(ident))
    except OSError:  # it has just ended
        return 0


def _stack(frame: FrameType | None) -> tuple[Place, ...]:
    """Innermost first. A function that is just being entered has used nothing: its caller has, which may be the event loop."""
    if frame is not None and frame.f_back is not None and frame.f_lineno == frame.f_code.co_firstlineno:
        frame = frame.f_back
    places: list[Place] = []
    while frame is not None and len(places) < _DEPTH:
        places.append((frame.f_code.co_filename, frame.f_code.co_name, frame.f_lineno or 0))
        frame = frame.f_back
    return tuple(places)


if __name__ == "__main__":
    sampler = Sampler()
    signal.signal(signal.SIGUSR1, sampler.begin)
    signal.signal(signal.SIGUSR2, sampler.end)
    main(prog_name="mossaic")
