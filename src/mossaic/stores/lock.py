"""A file that one process at a time may hold locked; the kernel lets go when the process ends, however it ends."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mossaic.quick import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from mossaic.stores.bells import Bell


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
    waits for the lock, and finds the door shut when somebody does.

    `bell` rings when it is given back, for whoever found it taken."""

    def __init__(self, path: Path, bell: Bell | None = None) -> None:
        """Raises OSError."""
        self.bell = bell
        self._door = FileLock(path.with_name(path.name + "-next"))
        self._lock = FileLock(path.with_name(path.name + "-turn"))

    def take_at_once(self) -> bool:
        """False when another process has it or waits for it."""
        if self.bell is None:
            return self._take_at_once()
        self.bell.listen(True)
        taken = self._take_at_once()
        if taken:
            self.bell.listen(False)
        return taken

    def _take_at_once(self) -> bool:
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
        if self.bell is not None:
            self.bell.ring()

    def close(self) -> None:
        """Gives it back, too. Idempotent."""
        self._door.close()
        self._lock.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """The processes of a service that write to one file. `is_ready`: a parent of this one has made and opened it before; `bell`: this
    one's, where they come from one parent."""

    processes: int = 1
    is_ready: bool = False
    bell: Bell | None = None

    def turn(self, path: Path) -> Turn | None:
        """None for one that is alone. Raises OSError."""
        return Turn(path, self.bell) if self.processes > 1 else None

    def copying(self, path: Path) -> FileLock | None:
        """Held by the one that copies the log of changes back; None as above. Raises OSError."""
        return FileLock(path.with_name(path.name + "-copying")) if self.processes > 1 else None
