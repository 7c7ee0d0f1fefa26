"""Medians, ratios within one run, and the goals: reached or not."""

from __future__ import annotations

import operator
import platform
import statistics
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Final

from bench.clients.job import MIB
from bench.clients.rows import ROWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bench.clients.rounds import Run

NOISY: Final = 0.12
PEERS: Final = ("obstore", "oss2", "oss-v2")
PACKAGES: Final = ("alibabacloud-oss-v2", "boto3", "fastcrc", "obstore", "oss2", "s3transfer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Median:
    """Of the runs that went well; `least` and `most` are MiB/s. `grown_mib` is the largest of all runs, not the median."""

    row: str
    part_size: int
    runs: int
    mib_s: float
    least: float
    most: float
    cpu: float
    sink_cpu: float
    rss_mib: float
    grown_mib: float
    noise: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """`got` None: not measured in this run."""

    name: str
    part_mib: int
    wanted: float
    got: float | None
    at_most: bool = False

    @property
    def reached(self) -> bool | None:
        if self.got is None:
            return None
        return self.got <= self.wanted if self.at_most else self.got >= self.wanted


Medians = dict[tuple[str, int], Median]


def medians(runs: Sequence[Run]) -> Medians:
    cells: dict[tuple[str, int], list[Run]] = {}
    for run in runs:
        if not run.error:
            cells.setdefault((run.row, run.part_size), []).append(run)
    return {cell: _median(cell, good) for cell, good in cells.items()}


def _median(cell: tuple[str, int], good: Sequence[Run]) -> Median:
    def of(field: str) -> float:
        return float(statistics.median(map(operator.attrgetter(field), good)))

    return Median(
        row=cell[0],
        part_size=cell[1],
        runs=len(good),
        mib_s=of("mib_s"),
        least=min(run.mib_s for run in good),
        most=max(run.mib_s for run in good),
        cpu=of("cpu"),
        sink_cpu=of("sink_cpu"),
        rss_mib=of("rss_mib"),
        grown_mib=max(run.grown_mib for run in good),
        noise=of("noise"),
    )


def goals(found: Medians, parts: Sequence[int], memory_parts: Sequence[int]) -> Iterator[Goal]:
    def ratio(field: str, row: str, peer: str, part: int) -> float | None:
        ours, theirs = found.get((row, part)), found.get((peer, part))
        if ours is None or theirs is None:
            return None
        mine, other = float(getattr(ours, field)), float(getattr(theirs, field))
        return mine / other

    faster = {MIB: {"oss2": 18.0, "oss-v2": 22.0}, 8 * MIB: {"oss2": 7.0, "oss-v2": 9.0}}
    for part in parts:
        wanted = {"obstore": 1.0, **faster.get(part, {})}
        for peer, times in wanted.items():
            got = ratio("mib_s", "mossaic", peer, part)
            yield Goal(name=f"throughput to {peer}", part_mib=part // MIB, wanted=times, got=got)
        cpu = ratio("cpu", "mossaic", "obstore", part)
        yield Goal(name="CPU to obstore", part_mib=part // MIB, wanted=0.65, got=cpu, at_most=True)
        got = ratio("mib_s", "mossaic asyncio", "mossaic", part)
        yield Goal(name="asyncio to sync", part_mib=part // MIB, wanted=0.9, got=got)
    ours = [row.name for row in ROWS if row.ours]
    for part in memory_parts:
        for row in ours:
            got = found[row, part].grown_mib if (row, part) in found else None
            name = f"memory above import, MiB: {row}"
            yield Goal(name=name, part_mib=part // MIB, wanted=8.0, got=got, at_most=True)


def table(found: Medians, failed: Mapping[tuple[str, int], str]) -> str:
    columns = "part | uploader | MiB/s [least-most] | " + " | ".join(f"x {peer}" for peer in PEERS)
    columns += " | CPU s/GiB | x obstore | sink CPU | import MiB | above it | checks"
    lines = [f"| {columns} |", "|" + " --- |" * (columns.count("|") + 1)]
    checks = {row.name: row.checks for row in ROWS}
    order = {row.name: index for index, row in enumerate(ROWS)}
    for row, part in sorted({*found, *failed}, key=lambda cell: (cell[1], order[cell[0]])):
        start = f"| {part // MIB} MiB | {row} |"
        if (row, part) not in found:
            lines.append(f"{start} {failed[row, part]} |" + " |" * 9)
            continue
        cell = found[row, part]
        mark = "~" if cell.noise > NOISY else ""
        ratios = [_ratio(found, cell, peer, operator.attrgetter("mib_s")) for peer in PEERS]
        cpu = _ratio(found, cell, "obstore", operator.attrgetter("cpu"))
        figures = [f"{cell.mib_s:,.0f}{mark} [{cell.least:,.0f}-{cell.most:,.0f}]", *ratios]
        figures += [f"{cell.cpu:.2f}", cpu, f"{cell.sink_cpu:.2f}", f"{cell.rss_mib:.0f}"]
        figures += [f"+{cell.grown_mib:.1f}", checks[row]]
        broke = f"; {failed[row, part]}" if (row, part) in failed else ""
        lines.append(f"{start} {' | '.join(figures)}{broke} |")
    return "\n".join(lines)


def _ratio(found: Medians, cell: Median, peer: str, field: Callable[[Median], float]) -> str:
    other = found.get((peer, cell.part_size))
    return f"{field(cell) / field(other):.2f}" if other and field(other) else ""


def goal_table(reached: Sequence[Goal]) -> str:
    lines = ["| goal | part | wanted | got | |", "| --- | --- | --- | --- | --- |"]
    words = {True: "reached", False: "NOT reached", None: "not measured"}
    for goal in reached:
        sign = "<=" if goal.at_most else ">="
        got = "" if goal.got is None else f"{goal.got:.2f}"
        lines.append(
            f"| {goal.name} | {goal.part_mib} MiB | {sign} {goal.wanted:g} | {got} | {words[goal.reached]} |"
        )
    return "\n".join(lines)


def surroundings() -> dict[str, str]:
    """What the figures depend on, without the machine's name."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return {
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "python": platform.python_version(),
        **versions,
    }
