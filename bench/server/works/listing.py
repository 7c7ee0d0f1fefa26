"""Pages of listings from random places, one connection; every page must be full."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from bench.server import rows
from bench.server.fill import PER_FOLDER, Filled, object_key, upload_key
from bench.server.load.jobs import Requests
from bench.server.load.message import Request
from bench.server.stage import measure

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.server.figure import Reading
    from bench.server.load.crew import Job
    from bench.server.service import Service
    from bench.server.stage import Stage

PAGE: Final = 1000
LISTED_PARTS: Final = Filled(key="parts/listed", count=10_000, size=1024 * 1024)
_PLACES: Final = 200  # random ones, signed beforehand
_COUNTED: Final = 10  # every so many-th page's entries are counted


def keys(stage: Stage) -> list[Reading]:
    job = keys_job(stage.service, stage.scale.keys, stage.scale.seconds)
    return _pages(stage, "list", job, stage.keys.pages)


def keys_job(service: Service, count: int, seconds: float) -> Job:
    """Pages of keys from anywhere among `count` objects of `fill.objects`."""

    def query(place: int) -> str:
        return f"list-type=2&max-keys={PAGE}&prefix=list%2F&start-after={quote(object_key(place), safe='')}"

    return _job(service, seconds, element=b"<Key>", query=lambda: query(random.randrange(count - PAGE)))


def prefixes(stage: Stage) -> list[Reading]:
    places = stage.scale.keys // PER_FOLDER - PAGE

    def query() -> str:
        after = object_key(random.randrange(places) * PER_FOLDER).rpartition("/")[0] + "/"
        return f"delimiter=%2F&list-type=2&max-keys={PAGE}&prefix=list%2F&start-after={quote(after, safe='')}"

    job = _job(stage.service, stage.scale.seconds, element=b"<CommonPrefixes>", query=query)
    return _pages(stage, "prefixes", job, stage.keys.prefixes)


def parts(stage: Stage) -> list[Reading]:
    def query() -> str:
        after = random.randrange(LISTED_PARTS.count - PAGE)
        return f"max-parts={PAGE}&part-number-marker={after}&uploadId={LISTED_PARTS.upload_id}"

    job = _job(stage.service, stage.scale.seconds, element=b"<PartNumber>", query=query, key=LISTED_PARTS.key)
    return _pages(stage, "listparts", job, stage.keys.pages)


def uploads(stage: Stage) -> list[Reading]:
    places = stage.scale.uploads - PAGE

    def query() -> str:
        after = quote(upload_key(random.randrange(places)), safe="")
        return f"key-marker={after}&max-uploads={PAGE}&prefix=open%2F&uploads"

    job = _job(stage.service, stage.scale.seconds, element=b"<Upload>", query=query)
    return _pages(stage, "listuploads", job, stage.keys.pages)


def _pages(stage: Stage, row: str, job: Job, limit: Callable[[float], float]) -> list[Reading]:
    limits = {rows.SQLITE: limit(stage.scale.limit_seconds)}
    done = measure(stage.service.pid, [job])
    return [done.reading(row, done.rate, per="op", limits=limits)]


def _job(service: Service, seconds: float, *, element: bytes, query: Callable[[], str], key: str = "") -> Job:
    def make() -> list[Request]:
        return [
            Request(
                service.signer.head("GET", key, query()),
                entries=(element, PAGE) if index % _COUNTED == 0 else None,
            )
            for index in range(_PLACES)
        ]

    return Requests(
        port=service.port, make=make, connections=1, seconds=seconds, again=True, warm=2 * _COUNTED
    )
