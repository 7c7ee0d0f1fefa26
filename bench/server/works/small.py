"""Objects of 4 KiB on 16 connections: stored durably, and read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.server import rows
from bench.server.limits import disk
from bench.server.limits.sink import answering, sink
from bench.server.load.jobs import Requests
from bench.server.load.loop import each
from bench.server.load.message import Request
from bench.server.load.signer import Unsigned
from bench.server.stage import measure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.server.figure import Reading
    from bench.server.load.contents import Contents
    from bench.server.load.signer import Signer
    from bench.server.service import Service
    from bench.server.stage import Stage

SIZE: Final = 4096
CONNECTIONS: Final = 16
COUNT: Final = 2_000  # objects that are read
_FASTEST: Final = 15_000  # PUTs a second that are signed for: when they are used up, the row ends early
_COMPARED: Final = 250  # every so many-th answer is compared byte by byte


def key(index: int) -> str:
    return f"small/{index:05d}"


def fill(service: Service, contents: Contents) -> None:
    """The objects that are read, by PutObject."""
    signer = service.signer
    made = [put_request(signer, contents, key(index), index) for index in range(COUNT)]
    each(service.port, made, connections=CONNECTIONS)


def put_request(signer: Signer, contents: Contents, name: str, index: int) -> Request:
    head = signer.head("PUT", name, length=SIZE)
    return Request(head, contents.of(index, SIZE), marks=contents.marks(index, SIZE))


def put4k(stage: Stage) -> list[Reading]:
    limits = {
        rows.DURABLE_ROWS: disk.durable_rows(stage.folder, stage.scale.limit_seconds),
        rows.BARE_ANSWER: _bare_answers(stage, lambda head: Request(head, stage.contents.of(0, SIZE))),
    }
    job = puts(stage.service, stage.contents, f"put/{stage.turn}", stage.scale.seconds)
    done = measure(stage.service.pid, [job])
    return [done.reading("put4k", done.rate, per="op", limits=limits)]


def puts(service: Service, contents: Contents, folder: str, seconds: float) -> Requests:
    """Unique keys under `folder`, every answer with the right ETag and CRC-64."""

    def make() -> Sequence[Request]:
        signer, count = service.signer, int(seconds * _FASTEST)
        return [
            put_request(signer, contents, f"{folder}/{index % 256:02x}/{index:06d}", index)
            for index in range(count)
        ]

    return Requests(
        port=service.port, make=make, connections=CONNECTIONS, seconds=seconds, warm=8 * CONNECTIONS
    )


def get4k(stage: Stage) -> list[Reading]:
    limits = {rows.BARE_ANSWER: _bare_answers(stage, lambda head: Request(head, size=SIZE))}
    if stage.nginx is not None:
        limits[rows.NGINX] = _rate(stage, gets(stage, Unsigned(stage.nginx), stage.scale.limit_seconds))
    done = measure(stage.service.pid, [gets(stage, stage.service.signer, stage.scale.seconds)])
    return [done.reading("get4k", done.rate, per="op", limits=limits)]


def gets(stage: Stage, signer: Signer | Unsigned, seconds: float, connections: int = CONNECTIONS) -> Requests:
    def make() -> Sequence[Request]:
        return [
            Request(
                signer.head("GET", key(index)),
                size=SIZE,
                same=stage.contents.of(index, SIZE) if index % _COMPARED == 0 else None,
            )
            for index in range(COUNT)
        ]

    return Requests(
        port=signer.port, make=make, connections=connections, seconds=seconds, again=True, warm=COUNT
    )


def _bare_answers(stage: Stage, request: Callable[[bytes], Request]) -> float:
    with sink(answering(SIZE)) as target:
        head = Unsigned(target.port).head("GET", "x")
        job = Requests(
            port=target.port,
            make=lambda: [request(head)],
            connections=CONNECTIONS,
            seconds=stage.scale.limit_seconds,
            again=True,
        )
        return measure(target.pid, [job]).rate


def _rate(stage: Stage, job: Requests) -> float:
    return measure(stage.service.pid, [job]).rate
