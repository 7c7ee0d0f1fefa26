"""Where a work is measured: the server, a folder, what is in its bucket; and the measuring itself."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from bench.server import machine
from bench.server.figure import Reading
from bench.server.load.contents import Contents
from bench.server.load.crew import Job, Tally, together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bench.server.limits.listing import Keys
    from bench.server.service import Service

GIB: Final = 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much: seconds of a work and of a limit; keys that are listed, open uploads, idle connections."""

    seconds: float
    limit_seconds: float
    keys: int
    uploads: int
    connections: int

    @classmethod
    def quick(cls) -> Scale:
        return cls(seconds=0.8, limit_seconds=0.3, keys=20_000, uploads=10_000, connections=500)

    @classmethod
    def full(cls) -> Scale:
        return cls(seconds=3.0, limit_seconds=1.0, keys=100_000, uploads=100_000, connections=1_000)

    def with_keys(self, keys: int) -> Scale:
        return replace(self, keys=keys)

    def with_seconds(self, seconds: float) -> Scale:
        return replace(self, seconds=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """`command`: how the server is started, for works that start one of their own. `nginx`: its port, None without it. `keys`: the
    same keys in SQLite alone, None where that is no limit."""

    service: Service
    command: str
    folder: Path
    scale: Scale
    contents: Contents
    turn: int = 0
    nginx: int | None = None
    keys: Keys | None = None


@lru_cache(maxsize=1)
def contents() -> Contents:
    """Made once, before processes that send them are forked: they share its memory."""
    return Contents()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the processes of the load generator did together, and who used the machine meanwhile (CPU seconds)."""

    tallies: Sequence[Tally]
    server_cpu: float
    noise: float

    @property
    def count(self) -> int:
        return sum(tally.count for tally in self.tallies)

    @property
    def size(self) -> int:
        return sum(tally.size for tally in self.tallies)

    @property
    def seconds(self) -> float:
        return max(tally.ended for tally in self.tallies) - min(tally.began for tally in self.tallies)

    @property
    def load_cpu(self) -> float:
        return sum(tally.cpu for tally in self.tallies)

    @property
    def mb_s(self) -> float:
        return self.size / self.seconds / 1e6

    @property
    def rate(self) -> float:
        return self.count / self.seconds

    def together(self) -> Tally:
        whole = Tally()
        for tally in self.tallies:
            whole.took.extend(tally.took)
        return whole

    def latencies(self) -> dict[str, float]:
        whole = self.together()
        return {"p50 ms": whole.quantile(0.5), "p99 ms": whole.quantile(0.99)}

    def reading(self, row: str, value: float, *, per: str, limits: Mapping[str, float]) -> Reading:
        amount = self.size / GIB if per == "GiB" else self.count / 1e6
        return Reading(
            row=row,
            value=value,
            limits=limits,
            more=self.latencies(),
            server_cpu=self.server_cpu / amount,
            load_cpu=self.load_cpu / amount,
            noise=self.noise,
        )


def measure(pid: int, jobs: Sequence[Job]) -> Measured:
    """Run the jobs against the server `pid`, once it has come to rest. Raises WrongAnswer."""
    machine.settle(pid)
    marks: list[tuple[machine.Usage, float]] = []

    def mark() -> None:
        marks.append((machine.usage(pid), time.process_time()))

    tallies = together(jobs, begin=mark, end=mark)
    (began, own_began), (ended, own_ended) = marks
    own = sum(tally.cpu for tally in tallies) + own_ended - own_began
    return Measured(
        tallies=tallies, server_cpu=ended.server - began.server, noise=machine.others(began, ended, own)
    )
