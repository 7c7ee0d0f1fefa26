"""The same works among 10,000, 100,000 and 1,000,000 objects: nothing may cost more because a bucket is full or old.

Each size has a server of its own; they run side by side and are asked in turn, so that a noisy minute falls on all of them.
"""

from __future__ import annotations

import random
import statistics
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from bench.server import fill
from bench.server.figure import Reading
from bench.server.load.jobs import Requests
from bench.server.load.message import Request, WrongAnswer
from bench.server.rows import among, growth_name
from bench.server.service import make_bucket, service
from bench.server.stage import measure
from bench.server.works import completing, listing, small

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from bench.server.load.contents import Contents
    from bench.server.load.crew import Job
    from bench.server.service import Service
    from bench.server.stage import Measured

_PLACES: Final = 20_000  # objects that are read, anywhere in the bucket


class Growth:
    """Servers by number of objects. `close` ends them."""

    def __init__(self, folder: Path, command: str, *, sizes: Sequence[int], contents: Contents) -> None:
        self._contents = contents
        self._stack = ExitStack()
        self._services: dict[int, Service] = {}
        for size in sizes:
            running = self._stack.enter_context(service(folder / f"among-{size}", command))
            make_bucket(running)
            fill.objects(running.data, size)
            self._services[size] = running

    def close(self) -> None:
        self._stack.close()

    def readings(self, work: str, turn: int, seconds: float) -> Iterator[Reading]:
        """One for each size; the smallest is the limit of the others."""
        jobs: dict[str, Callable[[Service, int], Job]] = {
            "put": lambda running, _: small.puts(running, self._contents, f"put/{turn}", seconds),
            "get": lambda running, size: _gets(running, size, seconds),
            "list": lambda running, size: listing.keys_job(running, size, seconds),
            "complete": lambda running, _: completing.job_of(running, f"{turn}", 1_000, completing.SMALL),
        }
        limits: dict[str, float] = {}
        for size, running in self._services.items():
            row = growth_name(work, size)
            try:
                done = measure(running.pid, [jobs[work](running, size)])
            except WrongAnswer as error:
                yield Reading(row=row, error=str(error))
                continue
            value = _value(work, done)
            yield Reading(row=row, value=value, limits=dict(limits), noise=done.noise)
            limits = limits or {among(size): value}


def _value(work: str, done: Measured) -> float:
    return statistics.median(done.together().took) * 1000 if work == "complete" else done.rate


def _gets(running: Service, size: int, seconds: float) -> Job:
    def make() -> list[Request]:
        signer = running.signer
        places = random.sample(range(size), min(size, _PLACES))
        return [
            Request(
                signer.head("GET", fill.object_key(place)),
                size=len(fill.CONTENT),
                same=fill.CONTENT if index % 100 == 0 else None,
            )
            for index, place in enumerate(places)
        ]

    return Requests(
        port=running.port, make=make, connections=small.CONNECTIONS, seconds=seconds, again=True, warm=1_000
    )
