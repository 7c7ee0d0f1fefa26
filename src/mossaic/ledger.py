"""Numbers by name that worker processes tell each other, in a piece of memory that all of them share.

A place writes its own entries only. Each belongs to one of a few sets by its name; the oldest makes room where a set is full, and
comes back when its worker tells it again.
"""

from __future__ import annotations

import mmap
import os
import threading
from hashlib import blake2b
from typing import Final

_SETS: Final = 512
_WAYS: Final = 8  # entries of a set
_KEY, _NUMBER, _AT, _TENURE = range(4)  # of an entry; times in milliseconds
_ENTRY: Final = 4
_SIZE: Final = _SETS * _WAYS * _ENTRY  # numbers of a place


class Ledger:
    """Made by the parent before workers are; `places`: how many of them there may be at a time."""

    def __init__(self, places: int) -> None:
        self.places = places
        self.salt = os.urandom(16)  # so that nobody chooses who shares a set
        self._memory = mmap.mmap(-1, (places * _SIZE + places) * 8)  # pages that nobody touched cost nothing
        cells = memoryview(self._memory).cast("q")
        self.entries = cells[: places * _SIZE]
        self.tenures = cells[places * _SIZE :]  # how many have had each place

    def vacate(self, number: int) -> None:
        """Its worker is gone, and with it what it told."""
        self.tenures[number] += 1

    def tally(self, number: int) -> LedgerTally:
        return LedgerTally(self, number)


class LedgerTally:
    """`mossaic.service.tally.Tally` for all workers; may be used by several threads."""

    def __init__(self, ledger: Ledger, number: int) -> None:
        self._ledger = ledger
        self._number = number
        self._one = threading.Lock()

    def put(self, name: str, number: int, at_s: float = 0.0) -> None:
        if self._ledger.places == 1:
            return  # nobody asks
        key, first = self._find(name)
        entries, tenure = self._ledger.entries, self._ledger.tenures[self._number]
        with self._one:
            at = min(self._set(self._number, first), key=lambda at: self._worth(at, key, tenure))
            if entries[at + _KEY] != key:
                if not number:
                    return
                entries[at + _NUMBER] = 0  # nobody may take the old number for the new name's
            entries[at + _KEY] = key
            entries[at + _AT] = int(at_s * 1000)
            entries[at + _TENURE] = tenure
            entries[at + _NUMBER] = number

    def others(self, name: str, after_s: float = -1.0) -> int:
        key, first = self._find(name)
        entries, tenures, after = self._ledger.entries, self._ledger.tenures, int(after_s * 1000)
        return sum(
            entries[at + _NUMBER]
            for place in range(self._ledger.places)
            if place != self._number
            for at in self._set(place, first)
            if entries[at + _KEY] == key
            and entries[at + _AT] > after
            and entries[at + _TENURE] == tenures[place]
        )

    def _find(self, name: str) -> tuple[int, int]:
        """Its key, and where its set begins in each place."""
        key = int.from_bytes(
            blake2b(name.encode(), digest_size=8, key=self._ledger.salt).digest(), "big", signed=True
        )
        return key, key % _SETS * _WAYS * _ENTRY

    def _set(self, place: int, first: int) -> range:
        begin = place * _SIZE + first
        return range(begin, begin + _WAYS * _ENTRY, _ENTRY)

    def _worth(self, at: int, key: int, tenure: int) -> tuple[int, int]:
        """The least is written over: what has the name, what nobody needs, the oldest."""
        entries = self._ledger.entries
        is_own = entries[at + _TENURE] == tenure
        if is_own and entries[at + _KEY] == key:
            return 0, 0
        if not is_own or not entries[at + _NUMBER]:
            return 1, 0
        return 2, entries[at + _AT]
