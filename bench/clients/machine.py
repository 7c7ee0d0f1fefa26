"""What the machine gives: a file in memory, a sink of its own, CPU seconds of others."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from bench.clients.job import MIB

if TYPE_CHECKING:
    from collections.abc import Iterator

_TICK: Final = os.sysconf("SC_CLK_TCK")
_STAT: Final = Path("/proc/stat")


class Material(NamedTuple):
    """`file` is `block` repeated."""

    file: Path
    block: Path
    size: int


@contextmanager
def material(mib: int) -> Iterator[Material]:
    """In a memory file system where there is one with room: a disk is not what is measured."""
    shared = Path("/dev/shm")
    roomy = shared.is_dir() and shutil.disk_usage(shared).free > mib * MIB * 1.2
    with tempfile.TemporaryDirectory(prefix="bench-clients-", dir=shared if roomy else None) as name:
        block, file = Path(name) / "block", Path(name) / "file"
        piece = os.urandom(MIB)
        block.write_bytes(piece)
        with file.open("wb") as target:
            for _ in range(mib):
                target.write(piece)
        yield Material(file, block, mib * MIB)


class Sink(NamedTuple):
    endpoint: str
    pid: int


@contextmanager
def sink(source: Material, part_sizes: list[int], *, wrong: bool = False) -> Iterator[Sink]:
    """`wrong`: its CRCs are not those of the file, so that a client that checks must fail."""
    lengths = {min(part, source.size) for part in part_sizes} | {source.size % part for part in part_sizes}
    command = [sys.executable, "-m", "bench.clients.sink", "--block", str(source.block)]
    command += ["--size", str(source.size), "--lengths", ",".join(map(str, sorted(lengths)))]
    command += ["--wrong"] if wrong else []
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Sink(f"http://127.0.0.1:{int(process.stdout.readline())}", process.pid)
    finally:
        process.terminate()
        process.wait(10)


def busy() -> float | None:
    """CPU seconds that all processes and the hypervisor took since the start; None where it is not told."""
    if not _STAT.exists():
        return None
    user, nice, system, _idle, _wait, irq, soft, steal = map(int, _STAT.read_text().split(maxsplit=9)[1:9])
    return (user + nice + system + irq + soft + steal) / _TICK


def cpu_of(pid: int) -> float | None:
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return None
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK
