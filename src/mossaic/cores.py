"""How many cores this process may use: those that it may run on, and no more than its control groups give it time on."""

from __future__ import annotations

import os
from contextlib import suppress
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_GROUPS: Final = Path("/sys/fs/cgroup")
_MINE: Final = Path("/proc/self/cgroup")


def usable_cores(groups: Path = _GROUPS, mine: Path = _MINE) -> int:
    """At least 1. A quota of one and a half cores is two: there is work for the second half of the time."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([allowed, *(ceil(quota) for quota in _quotas(groups, mine))]))


def _quotas(groups: Path, mine: Path) -> Iterator[float]:
    """In cores, of this process's group and of all above it. In a container those that are not seen are left out."""
    try:
        lines = mine.read_text().splitlines()
    except OSError:
        return  # not Linux
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        root = groups / "cpu" if controllers else groups  # version 1, or the only tree of version 2
        group = root / path.lstrip("/")
        for folder in (group, *group.parents):
            with suppress(OSError, ValueError):  # no such group, or no limit there
                yield _quota_1(folder) if controllers else _quota_2(folder)
            if folder == root:
                break


def _quota_1(folder: Path) -> float:
    """Raises OSError, ValueError (none)."""
    quota = int((folder / "cpu.cfs_quota_us").read_text())
    if quota <= 0:
        raise ValueError(quota)
    return quota / int((folder / "cpu.cfs_period_us").read_text())


def _quota_2(folder: Path) -> float:
    """Raises OSError, ValueError (none)."""
    quota, period = (folder / "cpu.max").read_text().split()
    return int(quota) / int(period)
