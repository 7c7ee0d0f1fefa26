"""`python -m bench`: the service beside this machine's own limits; docs/performance.md says how to read it."""

from __future__ import annotations

import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench.server import baseline, beside
from bench.server.arguments import BASELINE, Wish, parse
from bench.server.figure import Reading, figures
from bench.server.machine import surroundings
from bench.server.profile import report as profile
from bench.server.report import Run, store, write_section
from bench.server.rounds import readings

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(words: Sequence[str] | None = None) -> int:
    """The exit code: 1 for a regression or a row that failed, 2 when there is nothing to compare with."""
    wish = parse(words, datetime.now(UTC).date().isoformat())
    stored = None
    if wish.check is not None:
        try:
            stored = baseline.read(wish.check)
        except (OSError, ValueError) as error:
            say(f"no baseline: {error}; make one with --save-baseline")
            return 2
    with tempfile.TemporaryDirectory(prefix="mossaic-bench-", dir=os.environ.get("BENCH_DIR")) as name:
        if wish.profile:
            return _profile(wish, Path(name))
        if wish.beside is not None:
            print(beside.table(beside.beside(wish.plan, wish.beside, Path(name), say)))
            return 0
        run = _run(wish, Path(name))
    print(run.markdown())
    _keep(wish, run)
    failed = any(figure.errors for figure in run.figures.values())
    if stored is None:
        return int(failed)
    compared = baseline.compare(run.rows, run.figures, stored)
    print(baseline.report(compared))
    return int(any(found.verdict.is_bad for found in compared))


def _run(wish: Wish, folder: Path) -> Run:
    plan = wish.plan
    made: list[Reading] = []
    for reading in readings(plan, folder, say):
        made.append(reading)
        say(f"  {reading.row}: {reading.error or f'{reading.value:,.1f}'}")
    return Run(
        rows=plan.rows,
        readings=made,
        figures=figures(plan.rows, made),
        surroundings=surroundings(folder),
        rounds=plan.rounds,
        mode="quick" if wish.is_quick else "full",
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def _keep(wish: Wish, run: Run) -> None:
    if wish.out is not None:
        store(run, wish.out)
        say(f"kept in {wish.out}.md and .json")
    if wish.save:
        baseline.write(BASELINE, baseline.stored(run.rows, run.figures), run.surroundings)
        say(f"kept as the baseline in {BASELINE}")
    if wish.docs:
        write_section("table", run.markdown())


def _profile(wish: Wish, folder: Path) -> int:
    text = profile.profiles(wish.plan, folder, say)
    print(text)
    if wish.docs:
        write_section("profiles", text)
    return 0


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
