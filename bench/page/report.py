"""Medians, ratios within one run, and the goals: reached or not."""

from __future__ import annotations

import os
import platform
import re
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.page.rows import MIB, ROWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.page.__main__ import Run

CORES: Final = os.cpu_count() or 1
_VENDOR: Final = Path(__file__).parents[2] / "src" / "mossaic" / "page" / "vendor"
_NOISY: Final = 0.12
_FASTER: Final = 8.0
_LESS_CPU: Final = 1 / 8


def _cell(made: Sequence[Run], label: str, part: int) -> list[Run]:
    return [run for run in made if run.row == label and run.part_size == part and not run.error]


def _median(runs: Sequence[Run], field: str) -> float:
    return statistics.median(getattr(run, field) for run in runs)


def table(made: Sequence[Run], parts: Sequence[int]) -> str:
    columns = "part | uploader | MiB/s [least-most] | x ali-oss | CPU s/GiB | of ali-oss | peak MiB | sink CPU | checks"
    lines = [f"| {columns} |", "|" + " --- |" * (columns.count("|") + 1)]
    for part in parts:
        base = _cell(made, "ali-oss", part)
        for row in ROWS:
            runs = _cell(made, row.label, part)
            size = max(part, row.least) // MIB
            if not runs:
                failed = next((run.error for run in made if run.row == row.label and run.error), "")
                if failed:
                    lines.append(f"| {size} MiB | {row.label} | {failed} |" + " |" * 6)
                continue
            speeds = [run.mib_s for run in runs]
            mark = "~" if _median(runs, "noise") > _NOISY else ""
            speed, cpu = _median(runs, "mib_s"), _median(runs, "cpu")
            times = f"{speed / _median(base, 'mib_s'):.1f}" if base else ""
            share = f"{cpu / _median(base, 'cpu'):.3f}" if base else ""
            figures = (
                f"{speed:.0f}{mark} [{min(speeds):.0f}-{max(speeds):.0f}] | {times} | {cpu:.1f} | {share}"
            )
            memory = f"{max(run.peak_mib for run in runs):.0f} | {_median(runs, 'sink_cpu'):.2f}"
            lines.append(f"| {size} MiB | {row.label} | {figures} | {memory} | {row.checks} |")
    note = f"\n~: other processes took more than {_NOISY:.0%} of the machine. Peak: resident memory of all processes at most, shared pages in each."
    return "\n".join(lines) + "\n" + note


def goals(made: Sequence[Run], parts: Sequence[int]) -> str:
    lines = ["| goal | part | wanted | got | |", "| --- | --- | --- | --- | --- |"]
    for part in parts:
        ours, theirs = _cell(made, "mossaic", part), _cell(made, "ali-oss", part)
        if not ours or not theirs:
            continue
        faster = _median(ours, "mib_s") / _median(theirs, "mib_s")
        less = _median(ours, "cpu") / _median(theirs, "cpu")
        words = {True: "reached", False: "NOT reached"}
        size = f"{part // MIB} MiB"
        lines.append(
            f"| MiB/s to ali-oss | {size} | >= {_FASTER:g} | {faster:.1f} | {words[faster >= _FASTER]} |"
        )
        lines.append(
            f"| CPU a GiB to ali-oss | {size} | <= {_LESS_CPU:g} | {less:.3f} | {words[less <= _LESS_CPU]} |"
        )
    return "\n".join(lines)


def ali_oss_version() -> str:
    """Of the bundle that the page has."""
    head = (_VENDOR / "aliyun-oss-sdk.min.js").read_text(errors="replace")[:400]
    found = re.search(r"v?(\d+\.\d+\.\d+)", head)
    return found[1] if found else "vendored"


def surroundings() -> str:
    return f"{CORES} cores, {platform.system()} {platform.release()}, {platform.machine()}"
