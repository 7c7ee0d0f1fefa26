"""A file that one process at a time may hold locked; the kernel lets go when the process ends, however it ends."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class FileLock:
    """Not held at first. The file stays: removing it would let two processes lock two files of that name."""

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        import fcntl  # noqa: PLC0415  # not on every platform

        self._fcntl = fcntl
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take_at_once(self) -> bool:
        """False when another process holds it."""
        try:
            self._fcntl.flock(self._descriptor, self._fcntl.LOCK_EX | self._fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def take(self) -> None:
        """Wait for it, in the kernel's queue: for as long as those before hold it."""
        self._fcntl.flock(self._descriptor, self._fcntl.LOCK_EX)

    def give_back(self) -> None:
        """Idempotent."""
        self._fcntl.flock(self._descriptor, self._fcntl.LOCK_UN)

    def close(self) -> None:
        """Gives it back, too. Idempotent."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class Turn:
    """A lock that nobody takes twice in a row while others wait for it: who wants it goes through a door first, where at most one
    waits for the lock, and finds the door shut when somebody does."""

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self._door = FileLock(path.with_name(path.name + "-next"))
        self._lock = FileLock(path.with_name(path.name + "-turn"))

    def take_at_once(self) -> bool:
        """False when another process has it or waits for it."""
        if not self._door.take_at_once():
            return False
        taken = self._lock.take_at_once()
        self._door.give_back()
        return taken

    def take(self) -> None:
        """Wait for it: for as long as those before hold it."""
        self._door.take()
        self._lock.take()
        self._door.give_back()

    def give_back(self) -> None:
        """Idempotent."""
        self._lock.give_back()

    def close(self) -> None:
        """Gives it back, too. Idempotent."""
        self._door.close()
        self._lock.close()
