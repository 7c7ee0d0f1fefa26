"""What a run measures: which rows, how often, how much, and with which server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.server import rows

if TYPE_CHECKING:
    from bench.server.stage import Scale


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`wanted`: names of rows. `growth`: numbers of objects, ascending; empty leaves growth out."""

    wanted: frozenset[str]
    rounds: int
    scale: Scale
    command: str
    growth: tuple[int, ...] = ()

    @property
    def rows(self) -> tuple[rows.Row, ...]:
        known = (*rows.ROWS, *(rows.growth_rows(self.growth) if self.growth else ()))
        return tuple(row for row in known if row.name in self.wanted)

    @property
    def growth_works(self) -> list[str]:
        return [
            work
            for work in rows.GROWTH_WORKS
            if any(rows.growth_name(work, size) in self.wanted for size in self.growth)
        ]
