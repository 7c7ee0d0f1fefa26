"""Processes that put load on a server: all get ready, begin together, and say what they did and what it cost them."""

from __future__ import annotations

import gc
import multiprocessing
import time
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from bench.server.load.message import WrongAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess

_FORK: Final = multiprocessing.get_context("fork")
_PATIENCE_S: Final = 3600.0  # a million objects take minutes, on a busy machine many


@dataclass(slots=True, kw_only=True)
class Tally:
    """What one process did: requests, bytes, seconds of each request; CPU seconds of its own; monotonic begin and end."""

    count: int = 0
    size: int = 0
    cpu: float = 0.0
    began: float = 0.0
    ended: float = 0.0
    took: array[float] = field(default_factory=lambda: array("d"))

    def quantile(self, share: float) -> float:
        """Milliseconds; 0 when nothing was done."""
        ordered = sorted(self.took)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000 if ordered else 0.0


class Job(Protocol):
    """One process's part of a work. Only `run` is measured; all three run in the process itself."""

    def prepare(self) -> None: ...
    def run(self, tally: Tally) -> None: ...
    def finish(self) -> None: ...


def together(
    jobs: Sequence[Job], *, begin: Callable[[], None] = lambda: None, end: Callable[[], None] = lambda: None
) -> list[Tally]:
    """Run the jobs, each in a process; `begin` and `end` are called when the clock starts and stops.

    Raises WrongAnswer with the text of whatever one of them raised.
    """
    pipes = [_started(job) for job in jobs]
    try:
        for pipe, _ in pipes:
            _next(pipe)
        begin()
        for pipe, _ in pipes:
            pipe.send("go")
        tallies = [_next(pipe) for pipe, _ in pipes]
        end()
        for pipe, _ in pipes:
            _next(pipe)
    finally:
        for pipe, process in pipes:
            pipe.close()
            process.terminate()
            process.join()
    return [tally for tally in tallies if tally is not None]


def _started(job: Job) -> tuple[Connection[str, Tally | str | None], ForkProcess]:
    ours, theirs = _FORK.Pipe()
    process = _FORK.Process(target=_child, args=(theirs, job), daemon=True)
    process.start()
    theirs.close()
    return ours, process


def _next(pipe: Connection[str, Tally | str | None]) -> Tally | None:
    if not pipe.poll(_PATIENCE_S):
        raise WrongAnswer(f"the load generator says nothing for {_PATIENCE_S:.0f} s")
    try:
        said = pipe.recv()
    except EOFError:
        raise WrongAnswer("the load generator is gone") from None
    if isinstance(said, str):
        raise WrongAnswer(said)
    return said


def _child(pipe: Connection[Tally | str | None, str], job: Job) -> None:
    try:
        job.prepare()
        pipe.send(None)
        pipe.recv()
        gc.disable()
        cpu, tally = time.process_time(), Tally(began=time.perf_counter())
        job.run(tally)
        tally.ended = tally.ended or time.perf_counter()
        tally.cpu = time.process_time() - cpu
        pipe.send(tally)
        job.finish()
        pipe.send(None)
        pipe.recv()  # until the parent has had enough
    except EOFError:
        return
    except Exception as error:  # noqa: BLE001  # the parent raises it
        pipe.send(f"{type(error).__name__}: {error}")
