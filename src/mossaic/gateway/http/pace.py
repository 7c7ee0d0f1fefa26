"""Tells a transfer that moves from one that does not."""

from __future__ import annotations

import time


class Pace:
    """A deadline (seconds of the monotonic clock) that moves on with every `quantum` bytes of progress."""

    __slots__ = ("_idle_s", "_moved", "_quantum", "deadline")

    def __init__(self, *, idle_s: float, quantum: int) -> None:
        self._idle_s = idle_s
        self._quantum = quantum
        self._moved = 0
        self.deadline = time.monotonic() + idle_s

    def moved(self, count: int) -> None:
        self._moved += count
        if self._moved >= self._quantum:
            self._moved = 0
            self.deadline = time.monotonic() + self._idle_s

    def left_s(self) -> float:
        """Seconds until the deadline, negative after it."""
        return self.deadline - time.monotonic()
