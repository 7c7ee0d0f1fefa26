"""From the readings of all rounds to one figure a row: medians, ranges, ratios to the limits of the same round."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bench.server.rows import Goal, Row

NOISY: Final = 0.12  # share of the machine that others may take before a figure is doubted


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One round of one row. `limits`: in the row's unit, measured just before. `more`: further figures by name (p99 ms, …).
    `server_cpu`, `load_cpu`: seconds a GiB or microseconds a request; None where they say nothing. `noise`: the share of the machine
    that others took. With `error` the rest means nothing."""

    row: str
    value: float = 0.0
    limits: Mapping[str, float] = field(default_factory=dict[str, float])
    more: Mapping[str, float] = field(default_factory=dict[str, float])
    server_cpu: float | None = None
    load_cpu: float | None = None
    noise: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A row over all rounds. `value`: the median, between `least` and `most`. `ratios`: figure to limit, the median of the rounds'
    ratios; `best_ratios`: of the best round, which noise cannot have made worse."""

    row: str
    rounds: int
    value: float
    least: float
    most: float
    limits: Mapping[str, float]
    ratios: Mapping[str, float]
    best_ratios: Mapping[str, float]
    more: Mapping[str, float]
    server_cpu: float | None
    load_cpu: float | None
    noise: float
    errors: tuple[str, ...] = ()


def figures(rows: Sequence[Row], readings: Iterable[Reading]) -> dict[str, Figure]:
    """By row, in the rows' order; rows without a reading are left out."""
    by_row: dict[str, list[Reading]] = {row.name: [] for row in rows}
    for reading in readings:
        if reading.row in by_row:
            by_row[reading.row].append(reading)
    return {row.name: _figure(row, by_row[row.name]) for row in rows if by_row[row.name]}


def _figure(row: Row, readings: Sequence[Reading]) -> Figure:
    good = [reading for reading in readings if not reading.error]
    values = [reading.value for reading in good] or [0.0]
    ratios = _by_name([_ratios(reading) for reading in good])
    best = min if row.lower else max
    return Figure(
        row=row.name,
        rounds=len(good),
        value=statistics.median(values),
        least=min(values),
        most=max(values),
        limits=_medians([reading.limits for reading in good]),
        ratios={name: statistics.median(found) for name, found in ratios.items()},
        best_ratios={name: best(found) for name, found in ratios.items()},
        more=_medians([reading.more for reading in good]),
        server_cpu=_median(reading.server_cpu for reading in good),
        load_cpu=_median(reading.load_cpu for reading in good),
        noise=_median(reading.noise for reading in good) or 0.0,
        errors=tuple(reading.error for reading in readings if reading.error),
    )


def _ratios(reading: Reading) -> dict[str, float]:
    return {name: reading.value / limit for name, limit in reading.limits.items() if limit}


def _by_name(given: Iterable[Mapping[str, float]]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for mapping in given:
        for name, value in mapping.items():
            found.setdefault(name, []).append(value)
    return found


def _medians(given: Iterable[Mapping[str, float]]) -> dict[str, float]:
    return {name: statistics.median(values) for name, values in _by_name(given).items()}


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def reached(row: Row, figure: Figure, goal: Goal) -> bool | None:
    """None: not to be told, as the limit was not measured (nginx is not installed) or every round failed."""
    if not figure.rounds:
        return None
    got = figure.ratios.get(goal.limit) if goal.limit else figure.value
    if got is None:
        return None
    return got <= goal.wanted if row.lower else got >= goal.wanted
