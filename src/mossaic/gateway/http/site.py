"""What all connections of one server share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mossaic.gateway.http.limits import HttpLimits
    from mossaic.gateway.http.workers import Workers
    from mossaic.gateway.message import HttpRequest, HttpResponse


class Held(Protocol):
    """A connection as the server sees it."""

    def tick(self, now: float) -> None: ...
    def retire(self) -> None: ...
    def cut(self) -> None: ...


@dataclass(slots=True, kw_only=True)
class Site:
    """`tasks` are requests that are being answered; they are finished even when their client is gone. `refused` is told
    of each request that could not be read (the client's address, the status) and gives the id for its answer."""

    limits: HttpLimits
    handle: Callable[[HttpRequest], Awaitable[HttpResponse]]
    refused: Callable[[str, int], str]
    workers: Workers
    max_connections: int
    connections: set[Held] = field(default_factory=set[Held])
    tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])
    closing: bool = False
    accepted: int = 0
    turned_away: int = 0
    emptied: asyncio.Event = field(default_factory=asyncio.Event)
