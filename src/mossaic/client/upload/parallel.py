"""How many parts go at the same time: as asked, or as many as the line makes use of."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mossaic.client.upload.task import Parallel

_FIRST: Final = 4
_MOST: Final = 16
MOST_ASKED: Final = 256
_LOOK_S: Final = 2.0
_WORTH_IT: Final = 1.1  # more parts at once are kept when they bring a tenth more bytes a second
_CALM_S: Final = 10.0  # after the server asked for less


class Parallelism:
    """`allowed` parts at once. "auto" begins with 4, goes up to 16 while that helps, and halves when the server answers 429 or 503.

    Raises ValueError: below 1 or above 256.
    """

    def __init__(self, asked: Parallel) -> None:
        self._auto = asked == "auto"
        self.allowed = _FIRST if asked == "auto" else asked
        if not 1 <= self.allowed <= MOST_ASKED:
            raise ValueError(f"parallel must be 1 to {MOST_ASKED} or 'auto', not {asked!r}")
        self._best = 0.0
        self._settled = False
        self._looked_at = time.monotonic()
        self._bytes = 0
        self._calm_until = 0.0
        self._cut = False

    def throttled(self) -> None:
        """The server asks for less. Any thread."""
        self._cut = True

    def adapt(self, wire_bytes: int, *, idle: bool) -> bool:
        """Look at what was sent so far; whether `allowed` changed. Called by one thread, often."""
        now = time.monotonic()
        if self._auto and self._cut:
            self._cut = False
            self._calm_until, self._best, self._settled = now + _CALM_S, 0.0, False
            before, self.allowed = self.allowed, max(1, self.allowed // 2)
            return self.allowed != before
        if not self._auto or now - self._looked_at < _LOOK_S:
            return False
        rate = (wire_bytes - self._bytes) / (now - self._looked_at)
        self._looked_at, self._bytes = now, wire_bytes
        if idle or self._settled or now < self._calm_until:
            return False
        if rate < self._best * _WORTH_IT:
            self._settled = True
            return False
        self._best = rate
        before, self.allowed = self.allowed, min(_MOST, self.allowed + 2)
        return self.allowed != before
