"""The same works among 10,000, 100,000 and 1,000,000 objects: nothing may cost more because a bucket is full or old.

Each size has a server of its own; they run side by side and are asked in turn, so that a noisy minute falls on all of them.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bench.server import fill
from bench.server.figure import Reading
from bench.server.load.message import WrongAnswer
from bench.server.rows import among, growth_name
from bench.server.service import make_bucket, service
from bench.server.stage import Stage, contents
from bench.server.works import growing, idle

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from pathlib import Path

    from bench.server.plan import Plan

_UPLOADS: Final = 10_000  # open ones, beside any number of objects


def readings(plan: Plan, folder: Path, say: Callable[[str], None]) -> Iterator[Reading]:
    """All rounds. Raises NoStart."""
    say(f"filling buckets with {', '.join(f'{size:,}' for size in plan.growth)} objects")
    wanted = [work for work in plan.growth_works if work in growing.WORKS]
    with _filled(plan, folder, wanted) as stages:
        for turn in range(plan.rounds):
            for work in wanted:
                say(f"round {turn + 1} of {plan.rounds}: growth, {work}")
                yield from _compared(work, plan.growth, _measuring(work, stages, turn))
    # Last: a folder has one server at a time, and by now those that held the folders have ended.
    for turn in range(plan.rounds if "start" in plan.growth_works else 0):
        say(f"round {turn + 1} of {plan.rounds}: growth, start")
        yield from _compared("start", plan.growth, _starting(plan, folder))


@contextmanager
def _filled(plan: Plan, folder: Path, wanted: Sequence[str]) -> Generator[dict[int, Stage]]:
    """Running servers by number of objects, each with what these works need."""
    with ExitStack() as stack:
        stages: dict[int, Stage] = {}
        for size in plan.growth:
            running = stack.enter_context(service(_home(folder, size), plan.command))
            make_bucket(running)
            fill.objects(running.data, size)
            stages[size] = Stage(
                service=running,
                command=plan.command,
                folder=running.folder,
                scale=replace(plan.scale, keys=size, uploads=_UPLOADS),
                contents=contents(),
            )
            for work in wanted:
                growing.WORKS[work].fill(stages[size])
        yield stages


def _measuring(work: str, stages: dict[int, Stage], turn: int) -> Callable[[int], Reading]:
    return lambda size: growing.WORKS[work].reading(work, replace(stages[size], turn=turn))


def _starting(plan: Plan, folder: Path) -> Callable[[int], Reading]:
    return lambda size: idle.first_answer(service(_home(folder, size), plan.command))


def _home(folder: Path, size: int) -> Path:
    return folder / f"among-{size}"


def _compared(work: str, sizes: Sequence[int], measured: Callable[[int], Reading]) -> Iterator[Reading]:
    """One for each size; the smallest is the limit of the others."""
    limits: dict[str, float] = {}
    for size in sizes:
        row = growth_name(work, size)
        try:
            found = measured(size)
        except WrongAnswer as error:
            yield Reading(row=row, error=str(error))
            continue
        yield replace(found, row=row, limits=limits)
        limits = limits or {among(size): found.value}
