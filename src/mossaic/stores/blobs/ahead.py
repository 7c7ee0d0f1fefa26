"""A blob on its way to the disk: write-back as its bytes come, and its name and, where the disk is slow, its sync before anybody waits for them.

Asking for write-back is not enough everywhere: a disk with a cache of its own takes the bytes at once, and writes them when it is told to flush, which
only a sync does. Begun ahead, the disk works while the last bytes are hashed (ADR 33).
"""

from __future__ import annotations

import time
import weakref
from functools import partial
from typing import TYPE_CHECKING, Final

from mossaic.stores.blobs.disk import start_writeback, sync_data
from mossaic.threads import Job, Threads

if TYPE_CHECKING:
    from collections.abc import Callable

    from mossaic.stores.blobs.folder import Folder

_MIB: Final = 1024 * 1024
_SLOW_S: Final = 0.001  # the sync of a MiB, on average; hashing it takes twice that
_WEIGHT: Final = 1 / 8  # of the last sync in that average
_THREADS: Final = 8
_LEAST_BYTES: Final = 256 * 1024  # a shorter blob is hashed in less time than the way to another thread takes
_FLUSH_BYTES: Final = 256 * 1024  # write-back is asked for in pieces of at least this, but for the last


class Ahead:
    """The threads in which syncs begin ahead, and how long syncs have taken of late. Any thread."""

    __slots__ = ("__weakref__", "_mib_s", "_threads")

    def __init__(self) -> None:
        self._mib_s = 0.0  # seconds, the average
        self._threads = Threads(_THREADS, name="mossaic-sync")
        weakref.finalize(self, self._threads.close)

    @property
    def is_slow(self) -> bool:
        """The disk: to wait for a sync takes longer than the way to another thread and back."""
        return self._mib_s > _SLOW_S

    def begin(self, work: Callable[[], None]) -> Job | None:
        """Have it done soon; None when there is no thread to be had."""
        job = Job(work)
        return job if self._threads.take(job) else None

    def sync(self, descriptor: int, length: int) -> None:
        """A file of so many bytes. Blocks. Raises OSError."""
        began = time.monotonic()
        sync_data(descriptor)
        self._mib_s += ((time.monotonic() - began) * _MIB / max(length, _MIB) - self._mib_s) * _WEIGHT


class OnItsWay:
    """One blob. `descriptor` is that of its file, which was just made in the folder. One thread at a time."""

    __slots__ = (
        "_ahead",
        "_covered",
        "_descriptor",
        "_flushed",
        "_folder",
        "_name_begun",
        "_number",
        "_sync",
    )

    def __init__(self, descriptor: int, folder: Folder, ahead: Ahead) -> None:
        self._descriptor = descriptor
        self._folder = folder
        self._ahead = ahead
        self._number = folder.made()
        self._name_begun = False
        self._flushed = 0  # bytes from the start, of which write-back was asked for
        self._sync: Job | None = None
        self._covered = 0  # bytes from the start, by that one

    def wrote(self, end: int, *, is_last: bool) -> None:
        """The file has the bytes up to `end`."""
        is_worth_it = is_last and self._sync is None and end >= _LEAST_BYTES and self._ahead.is_slow
        if not self._name_begun and (is_worth_it or not is_last):
            self._name_begun = True
            self._ahead.begin(partial(self._folder.settle, self._number))  # `finish` hears of what has failed
        if is_worth_it:
            self._sync = self._ahead.begin(partial(self._ahead.sync, self._descriptor, end))
            self._covered = end
        elif is_last or end - self._flushed >= _FLUSH_BYTES:
            start_writeback(self._descriptor, self._flushed, end - self._flushed)
            self._flushed = end

    def finish(self, end: int) -> None:
        """Return when the bytes up to `end` and the name are on the disk. Raises OSError, also when the sync that was begun has failed: the
        kernel says so once."""
        covered = 0
        if self._sync is not None:
            if self._sync.cancel():  # all threads were busy
                self._sync = None
            else:
                self._sync.result()
                covered = self._covered
        if covered < end or not end:
            self._ahead.sync(self._descriptor, end)
        self._folder.settle(self._number)

    def stop(self) -> None:
        """Return when nothing uses the descriptor any more."""
        if self._sync is not None and not self._sync.cancel():
            self._sync.wait()
