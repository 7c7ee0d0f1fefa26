"""Transfers under way, shown: live bars with a map of parts on a terminal, a line every few seconds in a log, JSON for programs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from mossaic.cli.output import visible
from mossaic.cli.units import human_size, human_span

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from mossaic.cli.output import Output
    from mossaic.client.transfer.handle import Transfer
    from mossaic.client.upload.progress import Progress

_DRAW_S: Final = 0.12
_JSON_S: Final = 1.0
_MAP_WIDTH: Final = 48
_BAR_WIDTH: Final = 24
_NAME_WIDTH: Final = 28
_MOST_BARS: Final = 8


@dataclass(frozen=True, slots=True)
class _Line:
    title: str
    transfer: Transfer[Any]  # Any: uploads and downloads


class Board:
    """Where a command shows its transfers. `tick()` is called often, by one thread; it draws when it is time.

    `every_s`: seconds between the lines of a log.
    """

    def __init__(self, output: Output, *, every_s: float = 5.0) -> None:
        self._output = output
        self._every_s = every_s if output.face != "json" else _JSON_S
        self._lines: list[_Line] = []
        self._overall: Callable[[], str] | None = None
        self._next = 0.0 if output.live else time.monotonic() + self._every_s
        self._live: Any = None  # Any: rich is imported only for a terminal

    def __enter__(self) -> Self:
        if self._output.live:
            from rich.console import Console  # noqa: PLC0415  # 40 ms that a log does not need
            from rich.live import Live  # noqa: PLC0415

            console = Console(stderr=True, highlight=False, markup=False, emoji=False)
            self._live = Live(console=console, auto_refresh=False, transient=True, vertical_overflow="crop")
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def add(self, title: str, transfer: Transfer[Any]) -> None:  # Any: as above
        """Any thread; so is `remove`."""
        self._lines = [*self._lines, _Line(title, transfer)]

    def remove(self, transfer: Transfer[Any] | None) -> None:  # Any: as above
        self._lines = [line for line in self._lines if line.transfer is not transfer]

    def overall(self, words: Callable[[], str]) -> None:
        """A line about all of it, for many files."""
        self._overall = words

    def say(self, words: str) -> None:
        """A line above the bars, for people."""
        if self._live is not None:
            self._live.console.print(visible(words), soft_wrap=True)
        else:
            self._output.note(words)

    def tick(self) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (_DRAW_S if self._live is not None else self._every_s)
        if self._live is not None:
            self._draw()
        elif self._output.face == "json":
            for line in self._lines:
                self._output.event("progress", "", name=line.title, **record(line.transfer.progress))
        else:
            for line in self._lines[:_MOST_BARS]:
                self._log(line)
            if self._overall is not None and self._lines:
                self._output.note(self._overall())

    def _log(self, line: _Line) -> None:
        seen = line.transfer.progress
        if self._output.face == "plain":
            self._output.event("progress", "", name=line.title, **record(seen))
        else:
            self._output.note(f"{line.title}  {words(seen)}")

    def _draw(self) -> None:
        from rich.text import Text  # noqa: PLC0415  # as above

        width = self._live.console.width
        drawn = Text(no_wrap=True, overflow="ellipsis")
        for line in self._lines[:_MOST_BARS]:
            seen = line.transfer.progress
            name = _shortened(visible(line.title), min(_NAME_WIDTH, max(10, width - 60)))
            drawn.append(f"{name:<{_NAME_WIDTH}} ", style="bold")
            drawn.append(*_bar(seen))
            drawn.append(f" {words(seen)}\n")
            if seen.parts_total is not None and seen.parts_total > 1:
                drawn.append(f"{'':<{_NAME_WIDTH}} ")
                drawn.append(part_map(line.transfer, seen, _MAP_WIDTH), style="cyan")
                drawn.append(f" {seen.parts_done}/{seen.parts_total} parts\n", style="dim")
        if len(self._lines) > _MOST_BARS:
            drawn.append(f"... and {len(self._lines) - _MOST_BARS} more\n", style="dim")
        if self._overall is not None:
            drawn.append(self._overall(), style="bold")
        self._live.update(drawn, refresh=True)


def words(seen: Progress) -> str:
    """`45%  450.0 MiB of 1.0 GiB  80.2 MiB/s  6s left  2 retries`."""
    if seen.phase == "checking":
        return "checking what is stored"
    said = [f"{100 * (seen.fraction or 0):.0f}%"] if seen.fraction is not None else []
    said.append(human_size(seen.sent) + (f" of {human_size(seen.total)}" if seen.total is not None else ""))
    if seen.phase == "completing":
        return "  ".join([*said, "completing"])
    if seen.speed is not None:
        said.append(f"{human_size(seen.speed)}/s")
    if seen.eta_s is not None:
        said.append(f"{human_span(seen.eta_s)} left")
    if seen.retries:
        said.append(f"{seen.retries} {'retry' if seen.retries == 1 else 'retries'}")
    return "  ".join(said)


def record(seen: Progress) -> dict[str, object]:
    """For programs."""
    return {
        "phase": seen.phase,
        "sent": seen.sent,
        "stored": seen.stored,
        "resumed": seen.resumed,
        "total": seen.total,
        "speed": None if seen.speed is None else round(seen.speed),
        "eta_s": None if seen.eta_s is None else round(seen.eta_s, 1),
        "parts_done": seen.parts_done,
        "parts_total": seen.parts_total,
        "retries": seen.retries,
    }


def part_map(transfer: Transfer[Any], seen: Progress, width: int) -> str:  # Any: as above
    """One cell for some parts each: stored, partly or under way, not begun."""
    total = seen.parts_total or 0
    states = transfer.part_map
    cells: list[str] = []
    for cell in range(min(width, total)):
        first, last = cell * total // min(width, total), (cell + 1) * total // min(width, total)
        found = [states.get(number + 1) for number in range(first, last)]
        if all(state == -1 for state in found):
            cells.append("█")
        else:
            cells.append("▒" if any(state is not None for state in found) else "·")
    return "".join(cells)


def _bar(seen: Progress) -> tuple[str, str]:
    fraction = seen.fraction
    if fraction is None:
        return "~" * _BAR_WIDTH, "yellow"
    eighths = round(fraction * _BAR_WIDTH * 8)
    whole, rest = divmod(eighths, 8)
    bar = "█" * whole + (" ▏▎▍▌▋▊▉"[rest] if rest else "")
    return f"{bar:░<{_BAR_WIDTH}}", "green"


def _shortened(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width // 2 - 1]}…{text[-(width - width // 2) :]}"
