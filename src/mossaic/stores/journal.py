"""The last records of several processes, in memory that they share: a file without a name, made before they are forked."""

from __future__ import annotations

import os
import struct
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

_STATE: Final = struct.Struct("=QQ")  # bytes and records that are in force
_LENGTH: Final = struct.Struct("=Q")
_MORE: Final = 2  # times what is kept may lie in the file before it is written anew


class Journal:
    """At most `count` records of together `size` bytes; the oldest make room. Locked by the process, so one thread of each may
    use it; a process that is killed while it adds a record leaves the others as they are."""

    def __init__(self, *, count: int, size: int) -> None:
        """Raises OSError."""
        import fcntl  # noqa: PLC0415  # not on every platform

        self._lockf, self._lock, self._unlock = fcntl.lockf, fcntl.LOCK_EX, fcntl.LOCK_UN
        self._count = count
        self._size = size
        self._descriptor = _nameless()
        self._write(0, _STATE.pack(_STATE.size, 0))

    def append(self, record: bytes) -> None:
        """One that is too large alone is not kept. Raises OSError."""
        if not self._count or len(record) > self._size:
            return
        with self._locked():
            end, count = self._state()
            if count >= _MORE * self._count or end > _MORE * self._size:
                end, count = self._shorten()
            framed = _LENGTH.pack(len(record)) + record
            self._write(end, framed)
            self._write(0, _STATE.pack(end + len(framed), count + 1))

    def records(self) -> Sequence[bytes]:
        """The oldest first. Raises OSError."""
        with self._locked():
            return self._newest()

    @contextmanager
    def _locked(self) -> Generator[None]:
        self._lockf(self._descriptor, self._lock)
        try:
            yield
        finally:
            self._lockf(self._descriptor, self._unlock)

    def _state(self) -> tuple[int, int]:
        end, count = _STATE.unpack(os.pread(self._descriptor, _STATE.size, 0))
        return end, count

    def _newest(self) -> list[bytes]:
        end, _ = self._state()
        found: list[bytes] = []
        at = _STATE.size
        while at < end:
            (length,) = _LENGTH.unpack(os.pread(self._descriptor, _LENGTH.size, at))
            at += _LENGTH.size
            found.append(os.pread(self._descriptor, length, at))
            at += length
        kept: list[bytes] = []
        room = self._size
        for record in islice(reversed(found), self._count):
            room -= len(record)
            if room < 0:
                break
            kept.append(record)
        kept.reverse()
        return kept

    def _shorten(self) -> tuple[int, int]:
        kept = self._newest()
        self._write(0, _STATE.pack(_STATE.size, 0))  # whoever is killed now leaves none, not halves
        framed = b"".join(_LENGTH.pack(len(record)) + record for record in kept)
        self._write(_STATE.size, framed)
        return _STATE.size + len(framed), len(kept)

    def _write(self, at: int, data: bytes) -> None:
        left = memoryview(data)
        while left:
            written = os.pwrite(self._descriptor, left, at)
            left, at = left[written:], at + written


def _nameless() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("mossaic-journal", os.MFD_CLOEXEC)
    import tempfile  # noqa: PLC0415  # not on Linux

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
