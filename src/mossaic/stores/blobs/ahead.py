"""A blob on its way to the disk: write-back as its bytes come, its name and, where the disk is slow, its syncs before anybody waits for them.

Asking for write-back is not enough everywhere: a disk with a cache of its own takes the bytes at once, and writes them when it is told to flush, which
only a sync does. One sync at the end then waits for all of the blob. Begun ahead, the disk works while the bytes are hashed, and while more come (ADR 33).
"""

from __future__ import annotations

import threading
import time
import weakref
from typing import TYPE_CHECKING, Final

from mossaic.stores.blobs.disk import start_writeback, sync_data
from mossaic.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Callable

    from mossaic.stores.blobs.folder import Folder

_MIB: Final = 1024 * 1024
_SLOW_S: Final = 0.001  # the sync of a MiB, on average; hashing it takes twice that
_WEIGHT: Final = 1 / 8  # of the last sync in that average
_THREADS: Final = 8
_LEAST_BYTES: Final = 256 * 1024  # a shorter blob is hashed in less time than the way to another thread takes
_STEP_BYTES: Final = 2 * _MIB  # of a long blob, before a further sync is worth what it costs
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

    def begin(self, work: Callable[..., None], *args: int) -> Begun | None:
        """Have it done soon; None when there is no thread to be had."""
        begun = Begun(work, args)
        return begun if self._threads.take(begun) else None

    def sync(self, descriptor: int, length: int) -> None:
        """A file of which so many bytes are new. Blocks. Raises OSError."""
        began = time.monotonic()
        sync_data(descriptor)
        self._mib_s += ((time.monotonic() - began) * _MIB / max(length, _MIB) - self._mib_s) * _WEIGHT


class Begun:
    """Work that another thread does, once, unless it was cancelled before."""

    __slots__ = ("_args", "_claim", "_error", "_over", "_work")

    def __init__(self, work: Callable[..., None], args: tuple[int, ...]) -> None:
        self._work = work
        self._args = args
        self._error: BaseException | None = None
        self._claim = threading.Lock()  # on doing it: taken by the thread, or by who cancels
        self._over = threading.Lock()
        self._over.acquire()

    def __call__(self) -> None:
        if not self._claim.acquire(blocking=False):
            return
        try:
            self._work(*self._args)
        except BaseException as error:  # noqa: BLE001  # whatever it is belongs to whoever waits
            self._error = error
        finally:
            self._over.release()

    def cancel(self) -> bool:
        """False when it has begun."""
        return self._claim.acquire(blocking=False)

    def is_over(self) -> bool:
        return not self._over.locked()

    def wait(self) -> None:
        with self._over:
            pass

    def result(self) -> None:
        """Wait until it is over. Raises what the work raised."""
        self.wait()
        if self._error is not None:
            raise self._error


class OnItsWay:
    """One blob. `descriptor` is that of its file, which was just made in the folder. One thread at a time."""

    __slots__ = (
        "_ahead",
        "_begun",
        "_covered",
        "_descriptor",
        "_flushed",
        "_folder",
        "_name_begun",
        "_number",
    )

    def __init__(self, descriptor: int, folder: Folder, ahead: Ahead) -> None:
        self._descriptor = descriptor
        self._folder = folder
        self._ahead = ahead
        self._number = folder.made()
        self._name_begun = False
        self._flushed = 0  # bytes from the start, of which write-back was asked for
        self._covered = 0  # and those of the syncs that were begun
        self._begun: list[Begun] = []  # all but those that are known to have gone well

    def wrote(self, end: int, *, is_last: bool) -> None:
        """The file has the bytes up to `end`. Raises OSError: a sync that was begun has failed."""
        if not self._name_begun and (not is_last or self._is_worth_it(end)):
            self._name_begun = True
            self._ahead.begin(self._folder.settle, self._number)  # `finish` hears of what has failed
        if not is_last and end - self._flushed < _FLUSH_BYTES:
            return
        if not self._begin_sync(end, is_last=is_last):
            start_writeback(self._descriptor, self._flushed, end - self._flushed)
        self._flushed = end

    def finish(self, end: int) -> None:
        """Return when the bytes up to `end` and the name are on the disk. Raises OSError, also when a sync that was begun has failed: the
        kernel says so once."""
        while self._begun:
            begun = self._begun.pop()
            if begun.cancel():  # all threads were busy
                self._covered = 0
            else:
                begun.result()
        if self._covered < end or not end:
            self._ahead.sync(self._descriptor, end - self._covered)
        self._folder.settle(self._number)

    def stop(self) -> None:
        """Return when nothing uses the descriptor any more."""
        for begun in self._begun:
            if not begun.cancel():
                begun.wait()

    def _is_worth_it(self, end: int) -> bool:
        return self._ahead.is_slow and end >= _LEAST_BYTES

    def _begin_sync(self, end: int, *, is_last: bool) -> bool:
        """False when it is not worth it, or not yet."""
        if not self._is_worth_it(end):
            return False
        if not is_last and (
            end - self._covered < _STEP_BYTES or not all(begun.is_over() for begun in self._begun)
        ):
            return False
        while self._begun and self._begun[-1].is_over():
            self._begun.pop().result()
        begun = self._ahead.begin(self._ahead.sync, self._descriptor, end - self._covered)
        if begun is None:
            return False
        self._begun.append(begun)
        self._covered = end
        return True
