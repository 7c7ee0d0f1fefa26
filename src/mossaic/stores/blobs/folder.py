"""The sync of a folder's names, one for several who wait: a folder's sync covers every name that was made before it began."""

from __future__ import annotations

import errno
import threading
from typing import TYPE_CHECKING

from mossaic.stores.blobs.disk import sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Folder:
    """Counts the names that were made in one folder, and how many of them are on the disk. Any thread."""

    __slots__ = ("_count_lock", "_durable", "_lost", "_made", "_path", "_sync", "_sync_lock")

    def __init__(self, path: Path, sync: Callable[[Path], None] = sync_folder) -> None:
        self._path = path
        self._sync = sync
        self._made = 0
        self._durable = 0
        self._lost = 0
        self._count_lock = threading.Lock()
        self._sync_lock = threading.Lock()

    def made(self) -> int:
        """A name is there: its number, for `settle`. To be called after it was made, never before."""
        with self._count_lock:
            self._made += 1
            return self._made

    def settle(self, number: int) -> None:
        """Return when the name of that number is on the disk. Raises OSError.

        Who waits for another's sync mostly finds its own name covered by it. After a failed sync the kernel takes what it could
        not write for written: nobody whose name was there by then may trust a later one.
        """
        with self._sync_lock:
            if number <= self._lost:
                raise OSError(errno.EIO, "the sync of the folder has failed before", str(self._path))
            if number <= self._durable:
                return
            covered = self._made
            try:
                self._sync(self._path)
            except OSError:
                self._lost = covered
                raise
            self._durable = covered
