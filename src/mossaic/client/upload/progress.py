"""Byte-exact progress: what was sent, what is stored, how fast, how long still."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Phase = Literal["checking", "sending", "receiving", "completing", "done"]

_WINDOW_S: Final = 5.0  # speed is the mean over this long
_SAMPLE_S: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A moment of a transfer. Sizes in bytes.

    `sent` never falls and ends at `total`: a part that is sent again counts once, and what an earlier attempt stored
    (`resumed`) counts from the beginning. `stored` is what the server has acknowledged. Of a download, `sent` is what was
    received, and `stored` what is in finished parts. `total` and `parts_total` are None while the end of a stream is not
    known. `speed` is bytes a second over the last five seconds, None before there is one; `eta_s` seconds to go. `retries`
    counts requests that were made again.
    """

    phase: Phase
    sent: int
    stored: int
    resumed: int
    total: int | None
    speed: float | None
    eta_s: float | None
    parts_done: int
    parts_total: int | None
    retries: int

    @property
    def fraction(self) -> float | None:
        """0 … 1; None while the total is not known."""
        if self.total is None:
            return None
        return self.sent / self.total if self.total else float(self.phase == "done")


class Speed:
    """Bytes a second over the last five seconds. Asked by one thread at a time."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def at(self, now: float, count: int) -> float | None:
        """`count`: all bytes so far; `now`: of time.monotonic(). None before there is a speed."""
        samples = self._samples
        if not samples or now - samples[-1][0] >= _SAMPLE_S:
            samples.append((now, count))
        while len(samples) > 2 and now - samples[1][0] > _WINDOW_S:
            samples.popleft()
        since, before = samples[0]
        return (count - before) / (now - since) if now - since >= _SAMPLE_S else None


class Meter:
    """Counts for one transfer. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.phase: Phase = "checking"
        self.total: int | None = None
        self.parts_total: int | None = None
        self._sent = 0
        self._stored = 0
        self._resumed = 0
        self._wire = 0  # bytes given to the network, repeated ones too
        self._retries = 0
        self._parts_done = 0
        self._high: dict[int, int] = {}  # part number → the most bytes of it that one attempt has sent
        self._done: set[int] = set()
        self._speed = Speed()

    def begin(self, *, total: int | None, parts_total: int | None) -> None:
        with self._lock:
            self.total, self.parts_total = total, parts_total

    def ends(self, *, total: int, parts_total: int) -> None:
        """The end of a stream was reached."""
        self.begin(total=total, parts_total=parts_total)

    def kept(self, sizes: Iterable[tuple[int, int]]) -> None:
        """Parts (number, size) that an earlier attempt stored."""
        with self._lock:
            for number, size in sizes:
                self._done.add(number)
                self._sent += size
                self._stored += size
                self._resumed += size
                self._parts_done += 1

    def kept_some(self, number: int, size: int) -> None:
        """The first `size` bytes of a part are there from an earlier attempt, which did not finish it."""
        with self._lock:
            self._sent += size
            self._resumed += size
            self._high[number] = size

    def moved(self, number: int, position: int, count: int) -> None:
        """`count` more bytes of a part went out and brought this attempt to `position`."""
        with self._lock:
            self._wire += count
            high = self._high.get(number, 0)
            if position > high:
                self._sent += position - high
                self._high[number] = position

    def stored(self, number: int, size: int) -> None:
        """The server has acknowledged a part."""
        with self._lock:
            self._high.pop(number, None)
            self._done.add(number)
            self._stored += size
            self._parts_done += 1

    def retried(self) -> None:
        with self._lock:
            self._retries += 1

    def wire_bytes(self) -> int:
        return self._wire

    def part_map(self) -> dict[int, float]:
        """Part number → bytes sent of the parts under way, and -1 for those that are stored."""
        with self._lock:
            return {**dict.fromkeys(self._done, -1), **self._high}

    def snapshot(self) -> Progress:
        with self._lock:
            speed = self._speed.at(time.monotonic(), self._wire)
            left = None if self.total is None else self.total - self._sent
            return Progress(
                phase=self.phase,
                sent=self._sent,
                stored=self._stored,
                resumed=self._resumed,
                total=self.total,
                speed=speed,
                eta_s=left / speed if left is not None and speed else None,
                parts_done=self._parts_done,
                parts_total=self.parts_total,
                retries=self._retries,
            )
