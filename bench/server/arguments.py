"""The command line of `python -m bench`."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.server import rows
from bench.server.beside import BURSTS
from bench.server.plan import Plan
from bench.server.report import RESULTS
from bench.server.service import OURS
from bench.server.stage import Scale

if TYPE_CHECKING:
    from collections.abc import Sequence

BASELINE: Final = RESULTS / "baseline.json"
_SIZES: Final = (10_000, 100_000)
_ALL_SIZES: Final = (*_SIZES, 1_000_000)
_FEWEST_KEYS: Final = 20_000
_BURSTS: Final = 30
_BURST_S: Final = 0.4
_DESCRIPTION: Final = (
    "Measure the service beside this machine's own limits. Everything runs on loopback, in a folder under BENCH_DIR (by default "
    "the system's temporary folder) that goes afterwards."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command line asks for. `check`: the baseline to compare with, None for no comparison. `out`: where the results go,
    without suffix; None leaves none. `beside`: a second server to compare with, and nothing else."""

    plan: Plan
    is_quick: bool
    out: Path | None
    check: Path | None
    save: bool
    docs: bool
    profile: bool
    beside: str | None = None


def parse(words: Sequence[str] | None, today: str) -> Wish:
    """`today`: ISO date, for the names of the result files. Exits with 2 and a usage line for what cannot be."""
    parser = _parser()
    given = parser.parse_args(words)
    if given.beside:
        return _side_by_side(parser, given)
    growth = [row.name for row in rows.growth_rows(_ALL_SIZES)]
    wanted = _names(parser, given.rows, with_growth=given.growth or not given.quick)
    sized = [name for name in growth if name.rpartition("-")[0] in wanted]
    scale = Scale.quick() if given.quick else Scale.full()
    if given.keys:
        if given.keys < _FEWEST_KEYS:
            parser.error(f"--keys: {_FEWEST_KEYS:,} at least, for pages from different places")
        scale = scale.with_keys(given.keys)
    plan = Plan(
        wanted=frozenset((*wanted, *sized)),
        rounds=given.rounds or (3 if given.quick else 5),
        scale=scale,
        command=given.server,
        growth=(_ALL_SIZES if given.growth else _SIZES) if sized else (),
    )
    default_out = None if given.check else RESULTS / f"{today}-server"
    return Wish(
        plan=plan,
        is_quick=given.quick,
        out=given.out or default_out,
        check=given.check,
        save=given.save_baseline,
        docs=given.docs,
        profile=given.profile,
    )


def _side_by_side(parser: argparse.ArgumentParser, given: argparse.Namespace) -> Wish:
    wanted = given.rows.split(",") if given.rows else list(BURSTS)
    if unknown := sorted(set(wanted) - set(BURSTS)):
        parser.error(f"no such burst: {', '.join(unknown)}; there are {', '.join(BURSTS)}")
    plan = Plan(
        wanted=frozenset(wanted),
        rounds=given.rounds or _BURSTS,
        scale=Scale.quick().with_seconds(_BURST_S),
        command=given.server,
    )
    return Wish(
        plan=plan,
        is_quick=True,
        out=None,
        check=None,
        save=False,
        docs=False,
        profile=False,
        beside=given.beside,
    )


def _names(parser: argparse.ArgumentParser, asked: str, *, with_growth: bool) -> list[str]:
    """Rows, and `growth-WORK` for that work at all sizes."""
    plain = [row.name for row in rows.ROWS]
    growth = [f"growth-{work}" for work in rows.GROWTH_WORKS]
    if not asked:
        return plain + (growth if with_growth else [])
    unknown = sorted(set(asked.split(",")) - {*plain, *growth})
    if unknown:
        parser.error(f"no such row: {', '.join(unknown)}; there are {', '.join(plain + growth)}")
    return asked.split(",")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=_DESCRIPTION)
    parser.add_argument("--quick", action="store_true", help="under three minutes: shorter, fewer keys")
    parser.add_argument(
        "--rows", default="", metavar="NAME,NAME", help="only these; a wrong name lists the right ones"
    )
    parser.add_argument("--rounds", type=int, default=0, help="5; 3 with --quick")
    parser.add_argument(
        "--growth", action="store_true", help="among 1,000,000 objects, too (minutes and 1 GB more)"
    )
    parser.add_argument("--keys", type=int, default=0, help="objects that are listed: 100,000; 20,000 quick")
    parser.add_argument(
        "--server",
        default=OURS,
        metavar="COMMAND",
        help="how to start the service; --listen and --data are added",
    )
    parser.add_argument(
        "--beside",
        metavar="COMMAND",
        help="compare with another service: bursts to both in turn, --rounds of each work (30)",
    )
    parser.add_argument("--out", type=Path, help="results without suffix: bench/results/DATE-server")
    parser.add_argument(
        "--check",
        nargs="?",
        type=Path,
        const=BASELINE,
        metavar="FILE",
        help="compare with stored ratios (bench/results/baseline.json); exit code 1 for a regression",
    )
    parser.add_argument(
        "--save-baseline", action="store_true", help="store this run's ratios as the baseline"
    )
    parser.add_argument("--docs", action="store_true", help="write the table into docs/performance.md")
    parser.add_argument(
        "--profile", action="store_true", help="where the time of the three hottest paths goes, instead"
    )
    return parser
