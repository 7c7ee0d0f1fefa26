"""What processes take of the machine: CPU seconds by whom, memory of a process and its children."""

from __future__ import annotations

import os
import platform
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

_TICK: Final = os.sysconf("SC_CLK_TCK")
_PROC: Final = Path("/proc")
_KERNEL_THREAD: Final = 0x00200000  # PF_KTHREAD
CORES: Final = os.cpu_count() or 1


class Process(NamedTuple):
    """`cpu`: seconds of user and system, ended children that were waited for included."""

    pid: int
    parent: int
    cpu: float
    is_kernel: bool


class Usage(NamedTuple):
    """CPU seconds so far: of a server's process tree, of kernel threads, of everybody, and stolen by other machines."""

    at: float
    server: float
    kernel: float
    busy: float
    stolen: float


def processes() -> dict[int, Process]:
    found: dict[int, Process] = {}
    for folder in _PROC.iterdir():
        if not folder.name.isdigit():
            continue
        with suppress(OSError):  # it has ended meanwhile
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            pid = int(folder.name)
            cpu = sum(map(int, fields[11:15])) / _TICK
            found[pid] = Process(pid, int(fields[1]), cpu, bool(int(fields[6]) & _KERNEL_THREAD))
    return found


def tree(root: int, all_of_them: dict[int, Process]) -> list[int]:
    """The process and everything that descends from it."""
    members = [root] if root in all_of_them else []
    for member in members:
        members += [pid for pid, process in all_of_them.items() if process.parent == member]
    return members


def usage(root: int) -> Usage:
    all_of_them = processes()
    user, nice, system, _idle, _wait, irq, soft, steal = map(
        int, (_PROC / "stat").read_text().split(maxsplit=9)[1:9]
    )
    return Usage(
        at=time.perf_counter(),
        server=sum(all_of_them[pid].cpu for pid in tree(root, all_of_them)),
        kernel=sum(process.cpu for process in all_of_them.values() if process.is_kernel),
        busy=(user + nice + system + irq + soft) / _TICK,
        stolen=steal / _TICK,
    )


def others(begin: Usage, end: Usage, own: float) -> float:
    """The share of the machine (0 … 1) that neither the server nor the load generator (`own` CPU seconds) nor kernel threads took."""
    busy = end.busy - begin.busy - (end.kernel - begin.kernel) - (end.server - begin.server) - own
    seconds = max(end.at - begin.at, 1e-9) * CORES
    return max(0.0, busy) / seconds + max(0.0, end.stolen - begin.stolen) / seconds


class Memory(NamedTuple):
    """MiB of a process tree: resident; proportional, where what processes share counts once; and of that what is no file's."""

    resident: float
    proportional: float
    anonymous: float


def memory(root: int) -> Memory:
    sums = dict.fromkeys(("Rss:", "Pss:", "Pss_Anon:"), 0)
    for pid in tree(root, processes()):
        for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()[1:]:
            name, amount = line.split()[:2]
            if name in sums:
                sums[name] += int(amount)
    return Memory(*(kib / 1024 for kib in sums.values()))


def settle(root: int, *, quiet_s: float = 0.2, at_most_s: float = 10.0) -> None:
    """Wait until the server has nothing more to do (files of aborted uploads are freed in the background)."""
    until = time.perf_counter() + at_most_s
    while time.perf_counter() < until:
        before = usage(root)
        time.sleep(quiet_s)
        if usage(root).server - before.server <= 1 / _TICK:
            return


def surroundings(folder: Path) -> dict[str, str]:
    """What the figures depend on, without the machine's name."""
    lines = (_PROC / "cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    memory_kib = int((_PROC / "meminfo").read_text().split()[1])
    return {
        "processor": f"{CORES} x {models[0] if models else platform.machine()}",
        "memory": f"{memory_kib / 1024 / 1024:.0f} GiB",
        "system": f"Linux {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "data on": _file_system(folder),
    }


def _file_system(folder: Path) -> str:
    """On a file system in memory a sync costs nothing, and every durable figure would lie."""
    best, kind = "", "?"
    for line in (_PROC / "mounts").read_text().splitlines():
        mount, its_kind = line.split()[1:3]
        if folder.resolve().is_relative_to(mount) and len(mount) >= len(best):
            best, kind = mount, its_kind
    return f"{kind} (NOT A DISK: set BENCH_DIR)" if kind in ("tmpfs", "ramfs") else kind
