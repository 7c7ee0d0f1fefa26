"""The regression check: ratios of a fresh run beside those that were stored.

Figures of two runs are not compared, as machines and their moods differ: what is compared is the figure as a share of the limit that
was measured in the same run. Rows that have no limit (memory, latency) are compared as they are.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from bench.server.figure import NOISY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bench.server.figure import Figure
    from bench.server.rows import Row


class Verdict(Enum):
    """NOISY: worse, but others had the machine. UNKNOWN: nothing is stored for the row. FAILED: an answer was wrong."""

    SAME = "as before"
    BETTER = "better"
    WORSE = "REGRESSION"
    NOISY = "not judged: others had the machine"
    UNKNOWN = "not in the baseline"
    FAILED = "FAILED"

    @property
    def is_bad(self) -> bool:
        return self in (Verdict.WORSE, Verdict.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`now` and `then`: the ratio to `limit`, or the figure itself where `limit` is empty."""

    row: str
    limit: str
    then: float | None
    now: float
    verdict: Verdict


def stored(rows: Sequence[Row], figures: Mapping[str, Figure]) -> dict[str, dict[str, float]]:
    """What a baseline keeps: by row, the ratio to its first limit, or the figure where it has none."""
    kept: dict[str, dict[str, float]] = {}
    for row in rows:
        figure = figures.get(row.name)
        if figure is not None and figure.rounds and _is_comparable(row):
            limit = _limit(row, figure)
            kept[row.name] = {limit: figure.ratios[limit] if limit else figure.value}
    return kept


def compare(
    rows: Sequence[Row], figures: Mapping[str, Figure], baseline: Mapping[str, Mapping[str, float]]
) -> list[Comparison]:
    """Of all rows that were measured and say something elsewhere. Worse means: even the best round is worse than stored by more than the row's tolerance."""
    return [
        _compared(row, figures[row.name], baseline)
        for row in rows
        if row.name in figures and _is_comparable(row)
    ]


def _compared(row: Row, figure: Figure, baseline: Mapping[str, Mapping[str, float]]) -> Comparison:
    limit = _limit(row, figure)
    now = figure.ratios[limit] if limit else figure.value
    then = baseline.get(row.name, {}).get(limit)
    return Comparison(row=row.name, limit=limit, then=then, now=now, verdict=_verdict(row, figure, then))


def _verdict(row: Row, figure: Figure, then: float | None) -> Verdict:
    if figure.errors or not figure.rounds:
        return Verdict.FAILED
    if then is None:
        return Verdict.UNKNOWN
    limit = _limit(row, figure)
    alone = figure.least if row.lower else figure.most
    best = figure.best_ratios[limit] if limit else alone
    median = figure.ratios[limit] if limit else figure.value
    if _is_worse(row, best, then):
        return Verdict.NOISY if figure.noise > NOISY else Verdict.WORSE
    return Verdict.BETTER if _is_worse(row, then, median) else Verdict.SAME


def _is_worse(row: Row, value: float, reference: float) -> bool:
    if row.lower:
        return value > reference * (1 + row.tolerance)
    return value < reference / (1 + row.tolerance)


def _is_comparable(row: Row) -> bool:
    return row.absolute or bool(row.limits)


def _limit(row: Row, figure: Figure) -> str:
    return next((name for name in row.limits if name in figure.ratios), "")


def read(path: Path) -> dict[str, dict[str, float]]:
    """Raises OSError, ValueError."""
    found: Any = json.loads(path.read_text())  # Any: what a file says is looked at below
    try:
        ratios: dict[str, dict[str, float]] = found["ratios"]
        return {
            row: {limit: float(value) for limit, value in limits.items()} for row, limits in ratios.items()
        }
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no baseline: {error!r}") from None


def write(path: Path, ratios: Mapping[str, Mapping[str, float]], surroundings: Mapping[str, str]) -> None:
    """Rows that are stored already and not among `ratios` stay."""
    ratios = (read(path) if path.exists() else {}) | dict(ratios)
    rounded = {
        row: {limit: float(f"{value:.4g}") for limit, value in limits.items()}
        for row, limits in ratios.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": dict(surroundings), "ratios": rounded}, indent=1) + "\n")


def report(comparisons: Sequence[Comparison]) -> str:
    lines = ["| row | to | stored | now | |", "| --- | --- | --- | --- | --- |"]
    for found in comparisons:
        then = "" if found.then is None else f"{found.then:.3f}"
        lines.append(
            f"| {found.row} | {found.limit or 'itself'} | {then} | {found.now:.3f} | {found.verdict.value} |"
        )
    return "\n".join(lines)
