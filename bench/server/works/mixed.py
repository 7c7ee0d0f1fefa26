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
    from bench.server.stage import Measured, Stage

_READERS: Final = 8
_SIZE: Final = 8 * MIB  # of a part


def mixed(stage: Stage) -> list[Reading]:
    limits = {rows.CEILING: upload_limits(stage, _SIZE)[rows.CEILING]}
    done = measure(stage.service.pid, jobs(stage))
    uploads, reads = done.tallies
    uploaded = uploads.size / GIB
    whole = Reading(
        row="mixed",
        value=upload_rate(done),
        limits=limits,
        more={"GET /s": reads.count / _seconds(stage), "part p99 ms": uploads.quantile(0.99)},
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


def jobs(stage: Stage) -> list[Job]:
    """The uploads, and the reads."""
    seconds = _seconds(stage)
    return [
        parts_job(stage, "mixed", _SIZE, seconds),
        gets(stage, stage.service.signer, seconds, connections=_READERS),
    ]


def upload_rate(done: Measured) -> float:
    """MB/s."""
    uploads = done.tallies[0]
    return uploads.size / (uploads.ended - uploads.began) / 1e6


def _seconds(stage: Stage) -> float:
    return 1.5 * stage.scale.seconds
