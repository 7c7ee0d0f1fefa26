"""The figures as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.server.figure import NOISY, reached

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.server.figure import Figure
    from bench.server.rows import Goal, Row

_COLUMNS = (
    "work",
    "figure [least-most]",
    "limits: figure / limit = ratio",
    "goal",
    "",
    "server CPU",
    "load CPU",
    "others",
)
_VERDICTS = {True: "reached", False: "NOT reached", None: "not measured"}


def table(rows: Sequence[Row], figures: Mapping[str, Figure]) -> str:
    lines = [_line(_COLUMNS), "|" + " --- |" * len(_COLUMNS)]
    lines += [_line(_cells(row, figures[row.name])) for row in rows if row.name in figures]
    return "\n".join(lines)


def legend() -> str:
    return (
        f"`~`: other processes took more than {NOISY:.0%} of the machine (`others`, the median of the rounds). CPU: seconds a GiB or "
        "microseconds a request, of the server's processes and of the load generator, which runs on the same cores."
    )


def _cells(row: Row, figure: Figure) -> list[str]:
    failed = f"failed: {figure.errors[0]}".replace("|", "/").replace("\n", " ")[:200] if figure.errors else ""
    if not figure.rounds:
        return [row.title, failed, "", *_goals(row, figure), "", "", ""]
    mark = "~" if figure.noise > NOISY else ""
    value = f"{number(figure.value)}{mark} {row.unit} [{number(figure.least)}-{number(figure.most)}]"
    more = ", ".join(f"{name} {number(amount)}" for name, amount in figure.more.items())
    limits = "; ".join(
        f"{name} {number(limit)} = **{figure.ratios[name]:.2f}**" if name in figure.ratios else name
        for name, limit in figure.limits.items()
    )
    shown = "; ".join(filter(None, (value, more, failed)))
    cpu = [_cpu(row, figure.server_cpu), _cpu(row, figure.load_cpu)]
    return [row.title, shown, limits, *_goals(row, figure), *cpu, f"{figure.noise:.0%}"]


def _goals(row: Row, figure: Figure) -> tuple[str, str]:
    sign = "<=" if row.lower else ">="
    asked = "; ".join(f"{sign} {_wanted(row, goal)}" for goal in row.goals)
    verdicts = "; ".join(_VERDICTS[reached(row, figure, goal)] for goal in row.goals)
    return asked, verdicts


def _wanted(row: Row, goal: Goal) -> str:
    return f"{goal.wanted:g} x {goal.limit}" if goal.limit else f"{goal.wanted:g} {row.unit}"


def _cpu(row: Row, amount: float | None) -> str:
    if amount is None:
        return ""
    return f"{amount:.2f} s/GiB" if row.per == "GiB" else f"{amount:.0f} us"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def number(value: float) -> str:
    """Three digits say all that a benchmark knows."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
