"""MD5 and CRC-64 on all cores at once."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from bench.server.machine import CORES
from mossaic.protocol.checksum import crc64

if TYPE_CHECKING:
    from collections.abc import Callable

GIB: Final = 1024**3
_PIECE: Final = 512 * 1024


class Hashing(NamedTuple):
    """`mb_s`: of one core, by CPU time, which other processes do not touch; `cpu`: seconds a GiB."""

    mb_s: float
    cpu: float


def md5(seconds: float) -> Hashing:
    return _on_all_cores(lambda: hashlib.md5(usedforsecurity=False).update, seconds)


def crc(seconds: float) -> Hashing:
    return _on_all_cores(lambda: crc64, seconds)


def _on_all_cores(make: Callable[[], Callable[[bytes], object]], seconds: float) -> Hashing:
    """All at once: cores that share a unit, or a clock that falls under load, are part of the limit."""
    piece = os.urandom(_PIECE)
    done, used = [0] * CORES, [0.0] * CORES

    def work(index: int) -> None:
        take, until, began = make(), time.perf_counter() + seconds, time.thread_time()
        while time.perf_counter() < until:
            take(piece)
            done[index] += _PIECE
        used[index] = time.thread_time() - began

    threads = [threading.Thread(target=work, args=(index,)) for index in range(CORES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Hashing(mb_s=sum(done) / sum(used) / 1e6, cpu=sum(used) / (sum(done) / GIB))
