"""The C library's heap: what a server frees it needs again at once, so it is not given back each time."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

KEPT: Final = 4 * 1024 * 1024  # bytes at the end of the heap that stay with the process when they are free
MAPPED: Final = (
    1024 * 1024
)  # bytes from which on an allocation is a mapping of its own, gone when it is freed
_M_TRIM_THRESHOLD: Final = -1  # malloc.h
_M_MMAP_THRESHOLD: Final = -3


def keep_freed() -> None:
    """With glibc's defaults each page of a listing is memory that is new to the process, zeroed by the kernel in pieces of 4 KiB
    and given back after it: a fifth of what the page costs. Does nothing with another C library."""
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_TRIM_THRESHOLD, KEPT)
        mallopt(_M_MMAP_THRESHOLD, MAPPED)
