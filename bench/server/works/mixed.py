"""Small reads beside large uploads: who waits for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.server import rows
from bench.server.figure import Reading
from bench.server.load.contents import MIB
from bench.server.stage import GIB, measure
from bench.server.works.small import gets
from bench.server.works.uploads import parts_job, upload_limits

if TYPE_CHECKING:
    from bench.server.load.crew import Job
    from bench.server.stage import Stage

_READERS: Final = 8


def mixed(stage: Stage) -> list[Reading]:
    size, seconds = 8 * MIB, 1.5 * stage.scale.seconds
    limits = {rows.CEILING: upload_limits(stage, size)[rows.CEILING]}
    jobs: list[Job] = [
        parts_job(stage, "mixed", size, seconds),
        gets(stage, stage.service.signer, seconds, connections=_READERS),
    ]
    done = measure(stage.service.pid, jobs)
    uploads, reads = done.tallies
    took = uploads.ended - uploads.began
    uploaded = uploads.size / GIB
    whole = Reading(
        row="mixed",
        value=uploads.size / took / 1e6,
        limits=limits,
        more={"GET /s": reads.count / seconds, "part p99 ms": uploads.quantile(0.99)},
        server_cpu=done.server_cpu / uploaded,
        load_cpu=done.load_cpu / uploaded,
        noise=done.noise,
    )
    waited = Reading(
        row="mixed-p99",
        value=reads.quantile(0.99),
        more={"p50 ms": reads.quantile(0.5), "longest ms": reads.quantile(1.0)},
        noise=done.noise,
    )
    return [whole, waited]
