"""The three hottest paths, each under load with the profiler on: a table of where each microsecond goes."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from bench.server import machine
from bench.server.load.contents import MIB
from bench.server.load.crew import Job, together
from bench.server.load.message import WrongAnswer
from bench.server.profile.groups import Place, grouped
from bench.server.service import make_bucket, service
from bench.server.stage import GIB, Stage, contents
from bench.server.works import small
from bench.server.works.uploads import parts_job

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bench.server.plan import Plan
    from bench.server.profile.groups import Group

_SAMPLED: Final = (
    f"{shlex.quote(sys.executable)} -m bench.server.profile.sampled serve --workers 1"  # it sees one process
)
_LONGER: Final = 5  # times a row's seconds
_UPLOAD_S: Final = 5.0  # at most: what is uploaded lies on the disk until the end
_PATIENCE_S: Final = 30.0

PATHS: Final[dict[str, tuple[str, Callable[[Stage, float], Job]]]] = {
    "UploadPart 8 MiB, 4 connections": (
        "s/GiB",
        lambda stage, seconds: parts_job(stage, "profile", 8 * MIB, min(seconds, _UPLOAD_S)),
    ),
    "GetObject 4 KiB, 16 connections": (
        "us",
        lambda stage, seconds: small.gets(stage, stage.service.signer, seconds),
    ),
    "PutObject 4 KiB, 16 connections": (
        "us",
        lambda stage, seconds: small.puts(stage.service, stage.contents, "profile", seconds),
    ),
}


def profiles(plan: Plan, folder: Path, say: Callable[[str], None]) -> str:
    """Markdown: a section for each path. Raises NoStart, WrongAnswer."""
    around = ", ".join(f"{name} {value}" for name, value in machine.surroundings(folder).items())
    sections = [f"{time.strftime('%Y-%m-%d', time.gmtime())}; {around}."]
    for number, (title, (unit, job)) in enumerate(PATHS.items()):
        say(f"profile: {title}")
        sections.append(_profiled(plan, folder / f"profile-{number}", title, unit, job))
    return "\n\n".join(sections) + "\n"


def _profiled(plan: Plan, folder: Path, title: str, unit: str, job: Callable[[Stage, float], Job]) -> str:
    contents()
    written = folder / "profile.json"
    with service(folder, _SAMPLED, more={"BENCH_PROFILE": str(written)}) as running:
        make_bucket(running)
        small.fill(running, contents())
        stage = Stage(
            service=running,
            command=plan.command,
            folder=folder,
            scale=plan.scale,
            contents=contents(),
        )
        tallies = together(
            [job(stage, plan.scale.seconds * _LONGER)],
            begin=lambda: os.kill(running.pid, signal.SIGUSR1),
            end=lambda: os.kill(running.pid, signal.SIGUSR2),
        )
        record = _awaited(written)
    tally = tallies[0]
    amount = tally.size / GIB if unit == "s/GiB" else tally.count / 1e6
    stacks = [
        (thread, [Place(*place) for place in stack], seconds) for thread, stack, seconds in record["stacks"]
    ]
    opening = (
        f"{tally.count:,} requests, {tally.count / (tally.ended - tally.began):,.0f} a second; {record['samples']:,} samples; "
        f"CPU {(record['user_s'] + record['system_s']) / amount:.2f} {unit} by the kernel's count, of it "
        f"{record['system_s'] / amount:.2f} in the kernel."
    )
    return f"#### {title}\n\n{opening}\n\n{table(grouped(stacks), amount, unit)}"


def table(groups: Mapping[str, Group], amount: float, unit: str) -> str:
    """`amount`: GiB, or millions of requests."""
    whole = sum(group.seconds for group in groups.values()) or 1.0
    lines = [f"| where | {unit} | share | most of it in |", "| --- | --- | --- | --- |"]
    for name, group in groups.items():
        places = ", ".join(f"`{place}` {seconds / whole:.0%}" for place, seconds in group.hottest(3))
        lines.append(f"| {name} | {group.seconds / amount:.2f} | {group.seconds / whole:.1%} | {places} |")
    lines.append(f"| all | {whole / amount:.2f} | 100% | |")
    return "\n".join(lines)


def _awaited(path: Path) -> dict[str, Any]:  # Any: JSON of the sampler
    until = time.perf_counter() + _PATIENCE_S
    while not path.exists():
        if time.perf_counter() > until:
            raise WrongAnswer("the profiler wrote nothing")
        time.sleep(0.05)
    found: dict[str, Any] = json.loads(path.read_text())  # Any: as above
    return found
