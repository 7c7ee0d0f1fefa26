"""Pages of listings from random places, one connection; every page must be full."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from bench.server import rows
from bench.server.fill import PER_FOLDER, Filled, object_key, upload_key
from bench.server.limits.listing import Keys
from bench.server.load.jobs import Requests
from bench.server.load.message import Request
from bench.server.stage import measure

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.server.figure import Reading
    from bench.server.load.crew import Job
    from bench.server.stage import Stage

PAGE: Final = 1000
LISTED_PARTS: Final = Filled(key="parts/listed", count=10_000, size=1024 * 1024)
_PLACES: Final = 400  # random ones, signed beforehand: more than the service remembers pages of
_COUNTED: Final = 10  # every so many-th page's entries are counted


def keys(stage: Stage) -> list[Reading]:
    return _pages(stage, "list", keys_job(stage), Keys.pages)


def prefixes(stage: Stage) -> list[Reading]:
    return _pages(stage, "prefixes", prefixes_job(stage), Keys.prefixes)


def prefixes_again(stage: Stage) -> list[Reading]:
    return _pages(stage, "prefixes-again", prefixes_again_job(stage), Keys.prefixes)


def parts(stage: Stage) -> list[Reading]:
    return _pages(stage, "listparts", parts_job(stage), Keys.pages)


def uploads(stage: Stage) -> list[Reading]:
    return _pages(stage, "listuploads", uploads_job(stage), Keys.pages)


def keys_job(stage: Stage) -> Job:
    """Needs `fill.objects`."""
    places = stage.scale.keys - PAGE

    def query() -> str:
        after = quote(object_key(random.randrange(places)), safe="")
        return f"list-type=2&max-keys={PAGE}&prefix=list%2F&start-after={after}"

    return _job(stage, element=b"<Key>", query=query)


def prefixes_job(stage: Stage, page: int = PAGE) -> Job:
    """Needs `fill.objects`."""
    places = stage.scale.keys // PER_FOLDER - page + 1

    def query() -> str:
        # The marker ends before the slash: the prefix of this place follows it, so as many in all as a page has fill one.
        after = quote(object_key(random.randrange(places) * PER_FOLDER).rpartition("/")[0], safe="")
        return f"delimiter=%2F&list-type=2&max-keys={page}&prefix=list%2F&start-after={after}"

    return _job(stage, element=b"<CommonPrefixes>", query=query, page=page)


def prefixes_again_job(stage: Stage) -> Job:
    """Needs `fill.objects`."""
    query = f"delimiter=%2F&list-type=2&max-keys={PAGE}&prefix=list%2F"
    return _job(stage, element=b"<CommonPrefixes>", query=lambda: query)


def parts_job(stage: Stage) -> Job:
    """Needs the parts of `LISTED_PARTS`."""

    def query() -> str:
        after = random.randrange(LISTED_PARTS.count - PAGE)
        return f"max-parts={PAGE}&part-number-marker={after}&uploadId={LISTED_PARTS.upload_id}"

    return _job(stage, element=b"<PartNumber>", query=query, key=LISTED_PARTS.key)


def uploads_job(stage: Stage) -> Job:
    """Needs `fill.uploads`."""
    places = stage.scale.uploads - PAGE

    def query() -> str:
        after = quote(upload_key(random.randrange(places)), safe="")
        return f"key-marker={after}&max-uploads={PAGE}&prefix=open%2F&uploads"

    return _job(stage, element=b"<Upload>", query=query)


def _pages(stage: Stage, row: str, job: Job, limit: Callable[[Keys, float], float]) -> list[Reading]:
    limits = {} if stage.keys is None else {rows.SQLITE: limit(stage.keys, stage.scale.limit_seconds)}
    done = measure(stage.service.pid, [job])
    return [done.reading(row, done.rate, per="op", limits=limits)]


def _job(stage: Stage, *, element: bytes, query: Callable[[], str], key: str = "", page: int = PAGE) -> Job:
    def make() -> list[Request]:
        return [
            Request(
                stage.service.signer.head("GET", key, query()),
                entries=(element, page) if index % _COUNTED == 0 else None,
            )
            for index in range(_PLACES)
        ]

    return Requests(
        port=stage.service.port,
        make=make,
        connections=1,
        seconds=stage.scale.seconds,
        again=True,
        warm=2 * _COUNTED,
    )
