"""Parts, durable and checked, beside what hashing, receiving, writing and syncing alone would allow."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.server import machine, rows
from bench.server.limits import disk, hashing
from bench.server.limits.sink import sink, storing, taking
from bench.server.load.contents import MIB
from bench.server.load.jobs import Parts, Takes
from bench.server.load.signer import Unsigned
from bench.server.stage import GIB, measure

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from bench.server.figure import Reading
    from bench.server.stage import Measured, Stage

CONNECTIONS: Final = 4


def parts8(stage: Stage) -> list[Reading]:
    return _parts(stage, "parts8", 8 * MIB)


def parts1(stage: Stage) -> list[Reading]:
    return _parts(stage, "parts1", MIB)


def _parts(stage: Stage, row: str, size: int) -> list[Reading]:
    limits = upload_limits(stage, size) | {rows.STORING: _stored_alone(stage, size)}
    done = measure(stage.service.pid, [parts_job(stage, row, size, stage.scale.seconds)])
    return [done.reading(row, done.mb_s, per="GiB", limits=limits)]


def parts_job(stage: Stage, name: str, size: int, seconds: float) -> Parts:
    return Parts(
        signer=stage.service.signer,
        contents=stage.contents,
        key=f"{name}/{stage.turn}",
        size=size,
        seconds=seconds,
        connections=CONNECTIONS,
        most=int(seconds * 4e9 / size),
    )


def upload_limits(stage: Stage, size: int) -> dict[str, float]:
    """MB/s. The ceiling is what all cores could do if receiving, writing, MD5, CRC-64 and the load generator were all there is:
    the sum of what each costs in CPU time, which noise hardly touches."""
    seconds = stage.scale.limit_seconds
    md5, crc = hashing.md5(seconds / 2), hashing.crc(seconds / 2)
    with tempfile.TemporaryDirectory(dir=stage.folder) as name:
        written = _through_sink(stage, size, taking(Path(name)))
    received = _through_sink(stage, size, taking(None))
    received_cpu = (written.server_cpu + written.load_cpu) / (written.size / GIB)
    ceiling = machine.CORES / (received_cpu + md5.cpu + crc.cpu) * GIB / 1e6
    return {
        rows.CEILING: ceiling,
        rows.MD5: md5.mb_s * machine.CORES,
        rows.SYNC: disk.write_and_sync(stage.folder, size, seconds),
        rows.LOOPBACK: received.mb_s,
    }


def _stored_alone(stage: Stage, size: int) -> float:
    """MB/s."""
    with tempfile.TemporaryDirectory(dir=stage.folder) as name:
        return _through_sink(stage, size, storing(Path(name))).mb_s


def _through_sink(stage: Stage, size: int, serve: Callable[[socket.socket], None]) -> Measured:
    seconds = max(stage.scale.limit_seconds, 0.5)  # ticks of 10 ms: less would make a guess of the CPU time
    with sink(serve) as target:
        job = Takes(signer=Unsigned(target.port), contents=stage.contents, size=size, seconds=seconds)
        return measure(target.pid, [job])
