"""What was written of late stays in the system's cache for its first readers, up to so many bytes; what is older is given up.

Else each blob comes to lie in memory that nobody used before, until there is none left. On many virtual machines that is dear: the host has taken unused
memory back, and gives and clears it again page by page, at several times the cost of writing (ADR 25). What is given up serves the next blob.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from mossaic.stores.blobs.disk import forget

if TYPE_CHECKING:
    from collections.abc import Callable

_LEAST: Final = 64 * 1024  # bytes that a piece counts for at least, so that short ones are not too many


class Warm:
    """The pieces of files that were written last, of `most_bytes` together. Any thread."""

    __slots__ = ("_bytes", "_forget", "_lock", "_most_bytes", "_pieces")

    def __init__(self, most_bytes: int, forget: Callable[[str, int, int], None] = forget) -> None:
        self._most_bytes = most_bytes
        self._forget = forget
        self._pieces: deque[tuple[str, int, int]] = deque()
        self._bytes = 0
        self._lock = threading.Lock()

    def add(self, path: str, offset: int, length: int) -> None:
        """A piece that is on the disk, or will be soon; `length` 0: up to the end of the file."""
        with self._lock:
            self._pieces.append((path, offset, length))
            self._bytes += max(length, _LEAST)
            old = self._too_old()
        for piece in old:
            with suppress(OSError):  # deleted meanwhile
                self._forget(*piece)

    def _too_old(self) -> list[tuple[str, int, int]]:
        old: list[tuple[str, int, int]] = []
        while self._bytes > self._most_bytes:
            old.append(self._pieces.popleft())
            self._bytes -= max(old[-1][2], _LEAST)
        return old
