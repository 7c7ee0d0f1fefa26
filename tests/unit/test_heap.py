"""The server's heap: memory that was freed is used again, not asked of the kernel anew."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

FAULTS = """
import resource
from mossaic.heap import keep_freed

def faults_of_pages():
    begun = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(200):
        pieces = [b"x" * 300_000 for _ in range(3)]
        del pieces
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - begun

keep_freed()
faults_of_pages()
print(faults_of_pages())
"""


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"),
    reason="of glibc",
)
def test_what_was_freed_is_not_faulted_in_again() -> None:
    out = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True).stdout

    assert int(out) < 200  # by default some 40,000
