"""What all connections of one server share."""

from __future__ import annotations

import asyncio
from dataclasses import field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from mossaic.gateway.http.limits import SMALL
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mossaic.gateway.http.limits import HttpLimits
    from mossaic.gateway.http.workers import Workers
    from mossaic.gateway.lockstep import Lockstep
    from mossaic.gateway.message import HttpRequest, HttpResponse, Repeat


class Held(Protocol):
    """A connection as the server sees it."""

    def tick(self, now: float) -> None: ...
    def retire(self, patience_s: float) -> None: ...
    def cut(self) -> None: ...


class Crowd(Protocol):
    """The connections of all processes that share the listening sockets."""

    def listens(self, is_listening: bool) -> None:
        """Whether this process takes connections."""
        ...

    def have(self, connections: int) -> None:
        """How many connections this process has."""
        ...

    def lend(self, leases: int) -> None:
        """How many uploads hold a thread of this process."""
        ...

    def has_lent(self) -> bool:
        """Whether any process has lent a thread to an upload."""
        ...

    def others(self) -> int:
        """How many connections all other processes have."""
        ...

    def least(self) -> int | None:
        """The fewest connections that another process has which takes connections; None when there is none."""
        ...


class Alone:
    """The crowd of a single process."""

    def __init__(self) -> None:
        self._leases = 0

    def listens(self, is_listening: bool) -> None:
        pass

    def have(self, connections: int) -> None:
        pass

    def lend(self, leases: int) -> None:
        self._leases = leases

    def has_lent(self) -> bool:
        return self._leases > 0

    def others(self) -> int:
        return 0

    def least(self) -> int | None:
        return None


class Hooks(NamedTuple):
    """What the server may ask besides. `recognize` is shown each head (its bytes, without the empty line) before it is read;
    `refused` is told of each request that could not be read (the client's address, the status) and gives the id for its answer."""

    recognize: Callable[[bytes], Repeat | None] = lambda _head: None
    refused: Callable[[str, int], str] = lambda _remote, _status: ""


@dataclass(slots=True, kw_only=True)
class Site:
    """`lockstep` has the requests that are being answered. `capacity`: the connections that this process may have; the limit counts those of all. `patience_s`: while closing, how long idle
    connections may still bring a request, which is then answered as their last. `room` is where the loop reads into: one for
    all, because what comes is taken out before the next read."""

    limits: HttpLimits
    handle: Callable[[HttpRequest], Awaitable[HttpResponse]]
    hooks: Hooks
    workers: Workers
    lockstep: Lockstep
    capacity: int
    crowd: Crowd = field(default_factory=Alone)
    connections: set[Held] = field(default_factory=set[Held])
    closing: bool = False
    patience_s: float = 0.0
    room: memoryview = field(default_factory=lambda: memoryview(bytearray(SMALL)))
    accepted: int = 0
    turned_away: int = 0
    emptied: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def turns_away(self) -> bool:
        """A new connection finds no room, or a server that goes down."""
        count = len(self.connections)
        if count >= self.capacity or count + self.crowd.others() >= self.limits.max_connections:
            return True
        return self.closing and not self.patience_s
