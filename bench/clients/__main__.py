"""Measure and report: a table on standard output, all runs and the goals in bench/out/clients.json."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from bench.clients import report
from bench.clients.job import MIB
from bench.clients.rounds import Plan, Run, runs, unchecked
from bench.clients.rows import CRC, ROWS

if TYPE_CHECKING:
    from collections.abc import Sequence


def main() -> None:
    given = _arguments()
    plan = Plan(
        rows=[row for row in ROWS if not given.rows or row.name in given.rows.split(",")],
        parts=_sizes(given.parts),
        memory_parts=_sizes(given.memory_parts),
        rounds=given.rounds,
        parallel=given.parallel,
        mib=round(given.gib * 1024),
    )
    blind = unchecked(plan.rows, plan.parallel)
    made: list[Run] = []
    for run in runs(plan):
        made.append(run)
        _say(run)
    _report(plan, made, blind, given.out)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.clients", description="Mossaic's SDK beside its peers."
    )
    parser.add_argument("--gib", type=float, default=1.0, help="size of the file")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--parts", default="1,8", help="part sizes in MiB")
    parser.add_argument("--memory-parts", default="64", help="further part sizes, for our own rows alone")
    parser.add_argument("--parallel", type=int, default=4)
    parser.add_argument("--rows", default="", help="names, comma between them; all by default")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "out" / "clients")
    return parser.parse_args()


def _sizes(text: str) -> list[int]:
    return [int(float(size) * MIB) for size in text.split(",") if size]


def _say(run: Run) -> None:
    figures = f"{run.mib_s:7,.0f} MiB/s {run.cpu:6.2f} CPU s/GiB +{run.grown_mib:.1f} MiB"
    noise = f"others {run.noise:.0%}"
    print(
        f"{run.row:<16} {run.part_size // MIB:>3} MiB  {run.error or figures}  {noise}",
        file=sys.stderr,
        flush=True,
    )


def _report(plan: Plan, made: Sequence[Run], blind: Sequence[str], out: Path) -> None:
    found = report.medians(made)
    failed = {(run.row, run.part_size): run.error for run in made if run.error}
    goals = list(report.goals(found, plan.parts, [*plan.parts, *plan.memory_parts]))
    around = report.surroundings()
    size, cores = plan.mib / 1024, os.cpu_count()
    opening = f"{size:g} GiB, {plan.parallel} parallel, {plan.rounds} rounds, {cores} cores; " + ", ".join(
        f"{name} {value}" for name, value in around.items()
    )
    noisy = f"~: other processes took more than {report.NOISY:.0%} of the machine."
    claiming = [row.name for row in plan.rows if row.checks == CRC and (row.name, plan.parts[0]) in found]
    careful = [name for name in claiming if name not in blind]
    checked = f"A wrong CRC-64 was refused by: {', '.join(careful) or 'nobody'}"
    checked += f"; NOT noticed by: {', '.join(blind)}." if blind else "."
    text = (
        "\n\n".join((opening, report.table(found, failed), noisy, checked, report.goal_table(goals))) + "\n"
    )
    print(text)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.with_suffix(".md").write_text(text)
    record = {
        "gib": size,
        "parallel": plan.parallel,
        "rounds": plan.rounds,
        "cores": cores,
        "surroundings": around,
        "took_a_wrong_crc": list(blind),
        "medians": [asdict(cell) for cell in found.values()],
        "goals": [asdict(goal) | {"reached": goal.reached} for goal in goals],
        "runs": [asdict(run) for run in made],
    }
    out.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
