"""The measured process: make one uploader, look at the memory, upload, and say on standard output what it took.

python -m bench.clients.measured MODULE FUNCTION JOB   (JOB: the fields of job.Job as JSON)
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time
from pathlib import Path
from typing import Final

from bench.clients.job import Job

_STATUS: Final = Path("/proc/self/status")


def main(module: str, function: str, job: Job) -> None:
    upload = getattr(importlib.import_module(f"bench.clients.uploaders.{module}"), function)(job)
    if _STATUS.exists():
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    memory, cpu, started = _memory("VmRSS"), _cpu(), time.perf_counter()
    upload()
    seconds = time.perf_counter() - started
    peak = _memory("VmHWM")
    print(json.dumps({"seconds": seconds, "cpu_s": _cpu() - cpu, "rss_mib": memory, "peak_mib": peak}))


def _cpu() -> float:
    """User and system seconds of this process and of the children that it waited for."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _memory(field: str) -> float:
    """MiB. Where there is no /proc only the peak of the whole life is known: growth then reads too small, never too large."""
    if not _STATUS.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 / 1024
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Job(**json.loads(sys.argv[3])))
