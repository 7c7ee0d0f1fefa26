"""Where a run is kept: Markdown and JSON under bench/results, and marked sections of docs/performance.md."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from bench.server.figure import reached
from bench.server.table import legend, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.server.figure import Figure, Reading
    from bench.server.rows import Row

ROOT: Final = Path(__file__).parents[2]
RESULTS: Final = ROOT / "bench" / "results"
PAGE: Final = ROOT / "docs" / "performance.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """`date`: ISO, UTC. `mode`: quick or full."""

    rows: Sequence[Row]
    readings: Sequence[Reading]
    figures: Mapping[str, Figure]
    surroundings: Mapping[str, str]
    rounds: int
    mode: str
    date: str

    def opening(self) -> str:
        around = ", ".join(f"{name} {value}" for name, value in self.surroundings.items())
        return (
            f"{self.date}, {self.mode}, {self.rounds} rounds; {around}; the load generator on the same cores."
        )

    def markdown(self) -> str:
        return "\n\n".join((self.opening(), table(self.rows, self.figures), legend())) + "\n"

    def record(self) -> dict[str, object]:
        return {
            "date": self.date,
            "mode": self.mode,
            "rounds": self.rounds,
            "machine": dict(self.surroundings),
            "figures": [_shortened(asdict(figure)) for figure in self.figures.values()],
            "goals": [
                {
                    "row": row.name,
                    "limit": goal.limit,
                    "wanted": goal.wanted,
                    "reached": reached(row, figure, goal),
                }
                for row in self.rows
                if (figure := self.figures.get(row.name)) is not None
                for goal in row.goals
            ],
            "readings": [_shortened(asdict(reading)) for reading in self.readings],
        }


def store(run: Run, out: Path) -> None:
    """OUT.md and OUT.json."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.with_suffix(".md").write_text(run.markdown())
    out.with_suffix(".json").write_text(json.dumps(run.record(), separators=(",", ":")) + "\n")


def _shortened(fields: Mapping[str, object]) -> dict[str, object]:
    """Floats with four digits: more is noise, and the file stays small."""
    return {name: _short(value) for name, value in fields.items() if value not in (None, "", (), {})}


def _short(value: object) -> object:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        inside = cast("dict[str, object]", value)
        return {name: _short(inner) for name, inner in inside.items()}
    return value


def with_section(page: str, name: str, text: str) -> str:
    """The page with `text` between the marks of that section. Raises ValueError when it has none."""
    begin, end = f"<!-- {name}: written by bench -->", f"<!-- /{name} -->"
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the page has no section {name}")
    return f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}"


def write_section(name: str, text: str) -> None:
    PAGE.write_text(with_section(PAGE.read_text(), name, text))
