"""Measure and report: a table on standard output and all runs in bench/out/page.json.

python -m bench.page [--mib 128] [--rounds 4] [--parts 1,8] [--parallel 4]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.clients import machine
from bench.page import browser, report, uppy
from bench.page.rows import MIB, ROWS, Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.clients.machine import Material

OUT: Final = Path(__file__).parents[1] / "out" / "page.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One upload: MiB/s, CPU seconds a GiB of all Chromium processes and of the sink, peak memory, share that others took."""

    row: str
    part_size: int
    mib_s: float = 0.0
    cpu: float = 0.0
    sink_cpu: float = 0.0
    peak_mib: float = 0.0
    noise: float = 0.0
    error: str = ""


def main() -> None:
    given = _arguments()
    parts = [int(part) * MIB for part in given.parts.split(",")]
    rows = [row for row in ROWS if not given.rows or row.name in given.rows.split(",")]
    with machine.material(given.mib) as source:
        blind = _takes_wrong_for_right(source, given.parallel)
        made: list[Run] = []
        version = ""
        with _sink(source, parts) as sink:
            for turn in range(given.rounds):
                for part in parts:
                    first = turn % len(rows)
                    for row in rows[first:] + rows[:first]:
                        run, version = _run(row, source, sink, part, given.parallel)
                        made.append(run)
                        _say(run)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps([asdict(run) for run in made], indent=1))
    print(f"{given.mib} MiB, {given.parallel} parallel, {given.rounds} rounds, Chromium {version} headless, "
          f"uppy {uppy.VERSION}, ali-oss {report.ali_oss_version()}; {report.surroundings()}\n")  # fmt: skip
    print(report.table(made, parts))
    print(f"\nA wrong CRC-64 was {'NOT refused' if blind else 'refused'} by mossaic.\n")
    print(report.goals(made, parts))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.page", description="The page's engine beside its peers."
    )
    parser.add_argument("--mib", type=int, default=128, help="size of the file")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--parts", default="1,8", help="part sizes in MiB")
    parser.add_argument("--parallel", type=int, default=4)
    parser.add_argument("--rows", default="", help="names, comma between them; all by default")
    return parser.parse_args()


@contextmanager
def _sink(source: Material, parts: Sequence[int], *, wrong: bool = False) -> Iterator[machine.Sink]:
    sizes = {*parts, *(max(part, row.least) for part in parts for row in ROWS)}
    lengths = {min(part, source.size) for part in sizes} | {source.size % part for part in sizes}
    command = [
        sys.executable,
        "-m",
        "bench.page.sink",
        "--block",
        str(source.block),
        "--size",
        str(source.size),
    ]
    command += ["--lengths", ",".join(map(str, sorted(lengths))), *(["--wrong"] if wrong else [])]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield machine.Sink(f"http://127.0.0.1:{int(process.stdout.readline())}", process.pid)
    finally:
        process.terminate()
        process.wait(10)


def _run(row: Row, source: Material, sink: machine.Sink, part: int, parallel: int) -> tuple[Run, str]:
    gib = source.size / 2**30
    with browser.tab(sink.endpoint, source.file) as (page, version):
        served, everybody = machine.cpu_of(sink.pid) or 0.0, machine.busy() or 0.0
        try:
            took = browser.took(page, row.name, part_size=part, parallel=parallel)
        except Exception as error:  # noqa: BLE001 - a row that fails is reported as such
            return Run(row=row.label, part_size=part, error=str(error).splitlines()[0][:120]), version
        served = (machine.cpu_of(sink.pid) or 0.0) - served
        others = (machine.busy() or 0.0) - everybody - served - took.cpu_s
    run = Run(
        row=row.label,
        part_size=part,
        mib_s=source.size / MIB / took.seconds,
        cpu=took.cpu_s / gib,
        sink_cpu=served / gib,
        peak_mib=took.peak_mib,
        noise=max(0.0, others) / took.seconds / (report.CORES),
    )
    return run, version


def _takes_wrong_for_right(source: Material, parallel: int) -> bool:
    """Whether the engine completes an upload whose parts the sink calls damaged."""
    with _sink(source, [8 * MIB], wrong=True) as sink, browser.tab(sink.endpoint, source.file) as (page, _):
        try:
            browser.took(page, "mossaic", part_size=8 * MIB, parallel=parallel)
        except Exception as error:  # noqa: BLE001 - the refusal, as Playwright tells it
            return "damaged" not in str(error)
    return True


def _say(run: Run) -> None:
    figures = run.error or f"{run.mib_s:7.1f} MiB/s {run.cpu:6.2f} CPU s/GiB {run.peak_mib:6.0f} MiB"
    print(
        f"{run.row:<34} {run.part_size // MIB} MiB {figures}  others {run.noise:.0%}",
        file=sys.stderr,
        flush=True,
    )


if __name__ == "__main__":
    main()
