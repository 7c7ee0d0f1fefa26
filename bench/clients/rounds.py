"""Every row once a round, in turn, so that a noisy minute falls on all of them."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.clients import machine
from bench.clients.job import ACCESS_KEY_ID, ACCESS_KEY_SECRET, BUCKET, GIB, KEY, MIB, REGION, Job
from bench.clients.rows import CRC

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.clients.machine import Material, Sink
    from bench.clients.rows import Row

ROOT: Final = Path(__file__).parents[2]
ALI_OSS: Final = ROOT / "tests/e2e/node/node_modules/ali-oss-latest"
SECONDS: Final = 600  # the longest that one upload may take


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One upload: MiB/s, CPU seconds a GiB of the client and of the sink, MiB of memory, share of the machine that others took."""

    row: str
    part_size: int
    mib_s: float = 0.0
    cpu: float = 0.0
    sink_cpu: float = 0.0
    rss_mib: float = 0.0
    grown_mib: float = 0.0
    noise: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`memory_parts`: further part sizes, in which our own rows alone are measured."""

    rows: Sequence[Row]
    parts: Sequence[int]
    memory_parts: Sequence[int]
    rounds: int
    parallel: int
    mib: int


def runs(plan: Plan) -> Iterator[Run]:
    sizes = [*plan.parts, *plan.memory_parts]
    with machine.material(plan.mib) as source, machine.sink(source, sizes) as sink:
        for turn in range(plan.rounds):
            for part_size in sizes:
                rows = [row for row in plan.rows if row.ours or part_size in plan.parts]
                first = turn % len(rows) if rows else 0
                for row in rows[first:] + rows[:first]:
                    job = Job(
                        endpoint=sink.endpoint,
                        path=str(source.file),
                        part_size=part_size,
                        parallel=plan.parallel,
                    )
                    yield _run(row, job, source, sink)


def unchecked(rows: Sequence[Row], parallel: int) -> list[str]:
    """The rows that take a sink's wrong CRC-64 for right, among those that say that they check it."""
    with machine.material(4) as source, machine.sink(source, [MIB], wrong=True) as sink:
        job = Job(endpoint=sink.endpoint, path=str(source.file), part_size=MIB, parallel=parallel)
        return [row.name for row in rows if row.checks == CRC and _measured(row, job)[0] is not None]


def _run(row: Row, job: Job, source: Material, sink: Sink) -> Run:
    before = _used(sink)
    started = time.perf_counter()
    said, error = _measured(row, job)
    seconds = time.perf_counter() - started
    own, served, machine_wide = (now - then for now, then in zip(_used(sink), before, strict=True))
    if said is None:
        return Run(row=row.name, part_size=job.part_size, error=error)
    others = max(0.0, machine_wide - own - served) / seconds / (os.cpu_count() or 1)
    return Run(
        row=row.name,
        part_size=job.part_size,
        mib_s=source.size / 2**20 / said["seconds"],
        cpu=said["cpu_s"] / (source.size / GIB),
        sink_cpu=served / (source.size / GIB),
        rss_mib=said["rss_mib"],
        grown_mib=said["peak_mib"] - said["rss_mib"],
        noise=others,
    )


def _used(sink: Sink) -> tuple[float, float, float]:
    """CPU seconds so far: of our ended children, of the sink, of the machine."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = children.ru_utime + children.ru_stime
    return own, machine.cpu_of(sink.pid) or 0.0, machine.busy() or 0.0


def _measured(row: Row, job: Job) -> tuple[dict[str, float] | None, str]:
    environment = os.environ | {"NO_PROXY": "*", "no_proxy": "*", "AWS_EC2_METADATA_DISABLED": "true"}
    with contextlib.ExitStack() as stack:
        given = subprocess.DEVNULL
        if row.piped:
            feeder = stack.enter_context(subprocess.Popen(["cat", job.path], stdout=subprocess.PIPE))
            assert feeder.stdout is not None
            given = feeder.stdout.fileno()
        process = subprocess.Popen(
            _command(row, job),
            cwd=ROOT,
            env=environment,
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        if row.piped and feeder.stdout is not None:
            feeder.stdout.close()  # so that `cat` ends when the uploader does
        try:
            said, complaint = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return None, f"more than {SECONDS} s"
    if process.returncode or not said.strip():
        return None, (complaint.strip().splitlines() or [f"exit {process.returncode}"])[-1][:160]
    return json.loads(said.splitlines()[-1]), ""


def _command(row: Row, job: Job) -> list[str]:
    if row.module:
        text = json.dumps(asdict(job))
        return [sys.executable, "-m", "bench.clients.measured", row.module, row.function, text]
    names = {"bucket": BUCKET, "key": KEY, "region": REGION}
    names |= {"access_key_id": ACCESS_KEY_ID, "access_key_secret": ACCESS_KEY_SECRET}
    script = Path(__file__).parent / "uploaders/ali_oss.js"
    return ["node", str(script), str(ALI_OSS), json.dumps(asdict(job) | names)]
