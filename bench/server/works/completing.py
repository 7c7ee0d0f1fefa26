"""CompleteMultipartUpload: of few and many parts, of small and large ones, which must cost the same."""

from __future__ import annotations

import statistics
from functools import partial
from typing import TYPE_CHECKING, Final

from bench.server import rows
from bench.server.figure import Reading
from bench.server.fill import Filled, parts
from bench.server.limits import disk
from bench.server.load.jobs import Requests
from bench.server.load.message import Request
from bench.server.stage import measure

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.server.load.crew import Job
    from bench.server.service import Service
    from bench.server.stage import Stage

SMALL: Final = 100 * 1024
LARGE: Final = 100 * 1024 * 1024  # 10,000 of them: 1 TB
_TIMES: Final = {10: 10, 1_000: 3, 10_000: 1}  # in a round


def complete(stage: Stage, count: int, size: int, row: str) -> list[Reading]:
    limit = disk.durable_commit(stage.folder)
    job = job_of(stage.service, f"{row}/{stage.turn}", count, size)
    done = measure(stage.service.pid, [job])
    took = done.together().took
    return [
        Reading(
            row=row,
            value=statistics.median(took) * 1000,
            limits={rows.COMMIT: limit},
            more={"longest ms": max(took) * 1000},
            noise=done.noise,
        )
    ]


def job_of(service: Service, name: str, count: int, size: int) -> Job:
    """Fill uploads with parts in the store, then complete one after the other; ETag and CRC-64 of the object are checked."""
    uploads = [
        Filled(key=f"complete/{name}/{index}", count=count, size=size) for index in range(_TIMES[count])
    ]
    parts(service.data, uploads)
    return Requests(
        port=service.port,
        make=lambda: [_request(service, upload) for upload in uploads],
        connections=1,
        seconds=600.0,
    )


def _request(service: Service, upload: Filled) -> Request:
    document = upload.document()
    head = service.signer.head("POST", upload.key, f"uploadId={upload.upload_id}", len(document))
    return Request(head, document, marks=(f"crc64ecma: {upload.crc64()}\r".encode(),), keep=True)


def _works() -> dict[tuple[str, ...], Callable[[Stage], list[Reading]]]:
    found: dict[tuple[str, ...], Callable[[Stage], list[Reading]]] = {}
    for count in _TIMES:
        for suffix, size in (("", SMALL), ("-large", LARGE)):
            row = f"complete{count}{suffix}"
            found[(row,)] = partial(complete, count=count, size=size, row=row)
    return found


WORKS: Final = _works()
