"""A limit on bytes a second that several threads share and that may change while they run."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mossaic.client.http import Scope

_STEP_S: Final = 0.1  # how soon a new limit or a cancel is noticed
_CHUNKS_A_SECOND: Final = 16
_SMALLEST_CHUNK: Final = 4096


class Throttle:
    """`limit`: bytes a second, None for none; `parent`: a limit that holds as well (the client's, for all its uploads)."""

    def __init__(self, limit: float | None = None, parent: Throttle | None = None) -> None:
        self._lock = threading.Lock()
        self._parent = parent
        self._free_at = 0.0
        self._era = 0  # counts the limits there were: what is owed to an old one is forgiven
        self._limit = _checked(limit)

    @property
    def limit(self) -> float | None:
        return self._limit

    def set(self, limit: float | None) -> None:
        """Counts from now on. Raises ValueError for a limit that is not above zero."""
        checked = _checked(limit)
        with self._lock:
            self._limit = checked
            self._free_at = 0.0
            self._era += 1

    def chunk(self, most: int) -> int:
        """How many bytes to send at once, so that the line is never blocked for long."""
        limit = self._limit
        size = most if limit is None else max(_SMALLEST_CHUNK, min(most, int(limit / _CHUNKS_A_SECOND)))
        return size if self._parent is None else self._parent.chunk(size)

    def take(self, count: int, scope: Scope | None = None) -> None:
        """Wait until `count` bytes may go. Raises Cancelled."""
        if self._parent is not None:
            self._parent.take(count, scope)
        if self.limit is None:
            return
        with self._lock:
            limit, era = self._limit, self._era
            begins = max(time.monotonic(), self._free_at)
            if limit is None:
                return
            self._free_at = begins + count / limit
        while era == self._era and (left := begins - time.monotonic()) > 0:
            if scope is not None:
                scope.check()
            time.sleep(min(left, _STEP_S))


def _checked(limit: float | None) -> float | None:
    if limit is not None and not limit > 0:
        raise ValueError(f"a bandwidth limit is a number of bytes a second above zero, not {limit!r}")
    return limit
