"""Large objects on four connections, beside sendfile alone and nginx."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.server import rows
from bench.server.limits.sink import sending, sink
from bench.server.load.contents import MIB
from bench.server.load.jobs import Requests
from bench.server.load.loop import each
from bench.server.load.message import Request
from bench.server.load.signer import Unsigned
from bench.server.stage import measure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.server.figure import Reading
    from bench.server.load.contents import Contents
    from bench.server.load.signer import Signer
    from bench.server.service import Service
    from bench.server.stage import Stage

COUNTS: Final = {8 * MIB: 8, 64 * MIB: 2}  # objects by size
_PROCESSES: Final = 2  # of the load generator, each with two connections


def key(index: int, size: int) -> str:
    return f"large/{size}/{index}"


def fill(service: Service, contents: Contents, size: int) -> None:
    """The objects that are read, each read back once and compared."""
    signer, count = service.signer, COUNTS[size]
    puts = [
        Request(
            signer.head("PUT", key(index, size), length=size),
            contents.of(index, size),
            marks=contents.marks(index, size),
        )
        for index in range(count)
    ]
    gets = [
        Request(signer.head("GET", key(index, size)), same=contents.of(index, size)) for index in range(count)
    ]
    each(service.port, [*puts, *gets])


def get8(stage: Stage) -> list[Reading]:
    return _get(stage, "get8", 8 * MIB)


def get64(stage: Stage) -> list[Reading]:
    return _get(stage, "get64", 64 * MIB)


def _get(stage: Stage, row: str, size: int) -> list[Reading]:
    limits = {rows.SENDFILE: _bare(stage, stage.folder / "nginx" / "files" / key(0, size), size)}
    if stage.nginx is not None:
        signer = Unsigned(stage.nginx)
        done = measure(stage.service.pid, jobs(signer, size, stage.scale.limit_seconds))
        limits[rows.NGINX] = done.mb_s
    done = measure(stage.service.pid, jobs(stage.service.signer, size, stage.scale.seconds))
    return [done.reading(row, done.mb_s, per="GiB", limits=limits)]


def _bare(stage: Stage, path: Path, size: int) -> float:
    with sink(sending(path)) as target:
        return measure(target.pid, jobs(Unsigned(target.port), size, stage.scale.limit_seconds)).mb_s


def jobs(signer: Signer | Unsigned, size: int, seconds: float) -> list[Requests]:
    def make() -> Sequence[Request]:
        return [Request(signer.head("GET", key(index, size)), size=size) for index in range(COUNTS[size])]

    return [
        Requests(port=signer.port, make=make, connections=2, seconds=seconds, again=True)
        for _ in range(_PROCESSES)
    ]
