"""How processes that wait for a turn hear at once that it is free."""

from __future__ import annotations

import mmap
import os
from contextlib import suppress
from typing import Final

_ENOUGH: Final = 64  # bytes read at once: one would do


class Bells:
    """Made by the parent before workers are; `places`: how many of them there may be at a time."""

    def __init__(self, places: int) -> None:
        """Raises OSError."""
        self.waits = mmap.mmap(-1, places)  # shared with whoever is forked: 1 where somebody waits
        self.pipes = [os.pipe() for _ in range(places)]
        for descriptor in (end for pipe in self.pipes for end in pipe):
            os.set_blocking(descriptor, False)

    def bell(self, number: int) -> Bell:
        """For the worker that has that place now."""
        self.waits[number] = 0
        return Bell(self, number)


class Bell:
    """One worker's side. A ring may be of no use, and may be missed when its ringer is killed: who waits looks now and then, too."""

    __slots__ = ("_bells", "_number", "descriptor")

    def __init__(self, bells: Bells, number: int) -> None:
        self._bells = bells
        self._number = number
        self.descriptor, _ = bells.pipes[number]  # readable when it was rung

    def listen(self, listens: bool) -> None:
        """Whether to be rung. To be said before one looks, lest the turn is given back in between."""
        self._bells.waits[self._number] = listens

    def heard(self) -> None:
        """Be ready for the next ring."""
        with suppress(BlockingIOError):
            os.read(self.descriptor, _ENOUGH)

    def ring(self) -> None:
        """Wake the others that wait. Any thread."""
        waits = self._bells.waits
        if not any(waits[:]):
            return
        for number, (_, ear) in enumerate(self._bells.pipes):
            if waits[number] and number != self._number:
                waits[number] = 0
                with suppress(OSError):  # full of rings that nobody heard: its worker is gone
                    os.write(ear, b"\0")
