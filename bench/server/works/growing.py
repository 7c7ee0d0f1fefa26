"""The works that are measured among more and more objects: jobs of the other works, without their limits."""

from __future__ import annotations

import random
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.server import fill
from bench.server.figure import Reading
from bench.server.load.contents import MIB
from bench.server.load.jobs import Requests
from bench.server.load.message import Request
from bench.server.stage import measure
from bench.server.works import completing, downloads, listing, mixed, small, uploads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.server.load.crew import Job
    from bench.server.stage import Measured, Stage

_PLACES: Final = 20_000  # objects that are read, anywhere in the bucket
_COMPARED: Final = 100  # every so many-th answer is compared byte by byte
_LARGE: Final = 8 * MIB
# A page of common prefixes: of 1,000 there is one alone in the smallest bucket, which the service would remember.
_PREFIXES: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Growing:
    """`value`: in the unit of the work's row. `fill`: what the work needs beside the objects, once."""

    jobs: Callable[[Stage], Sequence[Job]]
    value: Callable[[Measured], float]
    fill: Callable[[Stage], None] = lambda _: None

    def reading(self, row: str, stage: Stage) -> Reading:
        done = measure(stage.service.pid, self.jobs(stage))
        return Reading(row=row, value=self.value(done), noise=done.noise)


def _puts(stage: Stage) -> list[Job]:
    return [small.puts(stage.service, stage.contents, f"put/{stage.turn}", stage.scale.seconds)]


def _gets(stage: Stage) -> list[Job]:
    signer, count = stage.service.signer, stage.scale.keys

    def make() -> list[Request]:
        return [
            Request(
                signer.head("GET", fill.object_key(place)),
                size=len(fill.CONTENT),
                same=fill.CONTENT if index % _COMPARED == 0 else None,
            )
            for index, place in enumerate(random.sample(range(count), min(count, _PLACES)))
        ]

    return [
        Requests(
            port=signer.port,
            make=make,
            connections=small.CONNECTIONS,
            seconds=stage.scale.seconds,
            again=True,
            warm=1_000,
        )
    ]


def _completions(stage: Stage) -> list[Job]:
    return [completing.job_of(stage.service, f"{stage.turn}", 1_000, completing.SMALL)]


def _parts(stage: Stage) -> list[Job]:
    return [uploads.parts_job(stage, "parts8", _LARGE, stage.scale.seconds)]


def _downloads(stage: Stage) -> Sequence[Job]:
    return downloads.jobs(stage.service.signer, _LARGE, stage.scale.seconds)


def _median_ms(done: Measured) -> float:
    return statistics.median(done.together().took) * 1000


def _mb_s(done: Measured) -> float:
    return done.mb_s


def _rate(done: Measured) -> float:
    return done.rate


# By work, as in rows.GROWTH_WORKS; `start` is not among them, as it needs a folder that no server has.
WORKS: Final[dict[str, Growing]] = {
    "put": Growing(jobs=_puts, value=_rate),
    "get": Growing(jobs=_gets, value=_rate),
    "list": Growing(jobs=lambda stage: [listing.keys_job(stage)], value=_rate),
    "complete": Growing(jobs=_completions, value=_median_ms),
    "parts8": Growing(jobs=_parts, value=_mb_s),
    "get8": Growing(
        jobs=_downloads,
        value=_mb_s,
        fill=lambda stage: downloads.fill(stage.service, stage.contents, _LARGE),
    ),
    "mixed": Growing(
        jobs=mixed.jobs, value=mixed.upload_rate, fill=lambda stage: small.fill(stage.service, stage.contents)
    ),
    "prefixes": Growing(jobs=lambda stage: [listing.prefixes_job(stage, _PREFIXES)], value=_rate),
    "listparts": Growing(
        jobs=lambda stage: [listing.parts_job(stage)],
        value=_rate,
        fill=lambda stage: fill.parts(stage.service.data, [listing.LISTED_PARTS]),
    ),
    "listuploads": Growing(
        jobs=lambda stage: [listing.uploads_job(stage)],
        value=_rate,
        fill=lambda stage: fill.uploads(stage.service.data, stage.scale.uploads),
    ),
}
