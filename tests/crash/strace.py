"""strace on a running process: faults that only the kernel can give, and the order of its calls."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.e2e.harness import need_tool

if TYPE_CHECKING:
    from collections.abc import Iterator


def need_strace() -> None:
    """Skip by name without strace, or where a process may not be traced; under CI that is a failure."""
    if sys.platform != "linux":
        pytest.skip("strace is for Linux")
    need_tool("strace")
    if not _may_attach():
        reason = "this machine does not allow to trace a running process (ptrace)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@cache
def _may_attach() -> bool:
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        try:
            with attached(sleeper.pid, "--trace=none"):
                return True
        except RuntimeError:
            return False
        finally:
            sleeper.kill()


@contextmanager
def attached(process: int, *options: str) -> Iterator[None]:
    """strace holds the process before the block begins; it lets go at the end, or ends with the process.

    Raises RuntimeError when it cannot.
    """
    command = ["strace", "-p", str(process), *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as tracer:
        assert tracer.stderr is not None
        said = tracer.stderr.readline()
        if "attached" not in said:
            tracer.terminate()
            raise RuntimeError(f"strace: {said.strip()}")
        # What it says is read all the time: it stops, and the process with it, when a pipe is full.
        reading = threading.Thread(target=tracer.stderr.read, daemon=True)
        reading.start()
        try:
            yield
        finally:
            tracer.terminate()  # detaches
            reading.join(10)
            tracer.wait(10)
