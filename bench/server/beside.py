"""Two servers side by side: both run all the time, and short bursts of the same work go to one and the other in random order.

A machine's mood changes from minute to minute, by more than most changes of a program are worth: two runs, one after the other, do not
show a difference of 5 %, and many short bursts in turn do. What is compared is a burst's figure with that of the other server
right beside it, so the mood falls on both.
"""

from __future__ import annotations

import math
import random
import statistics
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.server.load.contents import KIB, MIB
from bench.server.service import make_bucket, many_files, service
from bench.server.stage import Stage, contents, measure
from bench.server.works import mixed, small
from bench.server.works.uploads import parts_job

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

    from bench.server.plan import Plan
    from bench.server.stage import Measured

    Figures = dict[str, float]

_STARTS: Final = 3  # of each server: what it has in which memory is chance, too


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One figure of the two servers. `first`, `other`: medians; `ratio`: how many times as much the other one has, the geometric mean of all
    pairs of bursts, give or take `error` (a standard error, as a share); `higher`: in how many of the `pairs` it had more."""

    name: str
    first: float
    other: float
    ratio: float
    error: float
    higher: int
    pairs: int


def beside(plan: Plan, other: str, folder: Path, say: Callable[[str], None]) -> list[Compared]:
    """`plan.command` and the `other` command; `plan.rounds` bursts of each work, shared among a few starts. Raises NoStart, WrongAnswer."""
    many_files()
    contents()
    works = {name: burst for name, burst in BURSTS.items() if name in plan.wanted}
    pairs: dict[str, list[tuple[float, float]]] = {}
    for start in range(_STARTS):
        with ExitStack() as stack:
            commands = (plan.command, other)
            stages = [
                stack.enter_context(_stage(plan, command, folder / f"{start}-{place}"))
                for place, command in enumerate(commands)
            ]
            count = len(range(start, plan.rounds, _STARTS))
            for turn in range(-1, count):  # the first one is for the caches
                say(f"start {start + 1} of {_STARTS}: burst {turn + 1} of {count}")
                for burst in works.values():
                    for name, pair in _pair(burst, stages).items():
                        if turn >= 0:
                            pairs.setdefault(name, []).append(pair)
    return [compared(name, found) for name, found in pairs.items()]


def compared(name: str, pairs: Sequence[tuple[float, float]]) -> Compared:
    """Of pairs of figures, the first server's first. All are above 0."""
    logs = [math.log(other / first) for first, other in pairs]
    error = statistics.stdev(logs) / math.sqrt(len(logs)) if len(logs) > 1 else 0.0
    return Compared(
        name=name,
        first=statistics.median([first for first, _ in pairs]),
        other=statistics.median([other for _, other in pairs]),
        ratio=math.exp(statistics.mean(logs)),
        error=error,
        higher=sum(log > 0 for log in logs),
        pairs=len(logs),
    )


def table(found: Sequence[Compared]) -> str:
    """Markdown."""
    lines = ["| figure | first | other | other / first | higher in |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| {one.name} | {one.first:,.2f} | {one.other:,.2f} | **{one.ratio:.3f}** ± {one.error:.1%} | {one.higher} of {one.pairs} |"
        for one in found
    ]
    return "\n".join(lines)


@contextmanager
def _stage(plan: Plan, command: str, folder: Path) -> Generator[Stage]:
    with service(folder, command) as running:
        make_bucket(running)
        if plan.wanted & {"get4k", "mixed"}:
            small.fill(running, contents())
        yield Stage(
            service=running,
            command=command,
            folder=folder,
            scale=plan.scale,
            contents=contents(),
        )


def _pair(burst: Callable[[Stage], Figures], stages: Sequence[Stage]) -> dict[str, tuple[float, float]]:
    order = random.sample(range(len(stages)), len(stages))
    made = {place: burst(stages[place]) for place in order}
    return {name: (figure, made[1][name]) for name, figure in made[0].items()}


def _parts(name: str, size: int) -> Callable[[Stage], Figures]:
    def burst(stage: Stage) -> Figures:
        done = measure(stage.service.pid, [parts_job(stage, name, size, stage.scale.seconds)])
        return {f"{name}, MB/s": done.mb_s, **_cpu(name, done)}

    return burst


def _puts(stage: Stage) -> Figures:
    folder = f"put/{random.randbytes(4).hex()}"
    done = measure(
        stage.service.pid, [small.puts(stage.service, stage.contents, folder, stage.scale.seconds)]
    )
    return {"put4k, /s": done.rate, **_cpu("put4k", done)}


def _gets(stage: Stage) -> Figures:
    done = measure(stage.service.pid, [small.gets(stage, stage.service.signer, stage.scale.seconds)])
    return {"get4k, /s": done.rate, **_cpu("get4k", done)}


def _mixed(stage: Stage) -> Figures:
    done = measure(stage.service.pid, mixed.jobs(stage))
    reads = done.tallies[1]
    return {
        "mixed, MB/s": mixed.upload_rate(done),
        "mixed, GET/s": reads.count / (reads.ended - reads.began),
        "mixed, GET p99 ms": reads.quantile(0.99),
    }


def _cpu(name: str, done: Measured) -> Figures:
    return {f"{name}, server CPU us": done.server_cpu / done.count * 1e6}


# By the names of rows, as far as they are measured here; parts of 100 KiB, the shortest that OSS allows, have no row.
BURSTS: Final[dict[str, Callable[[Stage], Figures]]] = {
    "parts8": _parts("parts8", 8 * MIB),
    "parts1": _parts("parts1", MIB),
    "parts100k": _parts("parts100k", 100 * KIB),
    "put4k": _puts,
    "get4k": _gets,
    "mixed": _mixed,
}
