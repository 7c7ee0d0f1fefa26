"""Starts the HTTP/1.1 server, watches its deadlines, and stops it in order."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from mossaic.gateway.http.acceptor import Acceptor
from mossaic.gateway.http.connection import Connection
from mossaic.gateway.http.limits import HttpLimits, Listener
from mossaic.gateway.http.site import Alone, Hooks, Site
from mossaic.gateway.http.workers import Workers
from mossaic.gateway.lockstep import Lockstep

if sys.platform != "win32":
    import resource

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from mossaic.gateway.http.site import Crowd
    from mossaic.gateway.message import HttpRequest, HttpResponse

log = logging.getLogger(__name__)
_AFTERMATH_S = 1.0  # for threads and handlers whose connections were cut


class Server:
    """A running server."""

    def __init__(self, site: Site, listener: asyncio.Server | Acceptor) -> None:
        self._site = site
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(site.limits.tick_s, self._tick)
        site.crowd.listens(True)

    @property
    def addresses(self) -> Sequence[tuple[str, int]]:
        """Host and port of each listening socket."""
        return [cast("tuple[str, int]", sock.getsockname()[:2]) for sock in self._listener.sockets]

    @property
    def connections(self) -> int:
        """Open connections."""
        return len(self._site.connections)

    @property
    def requests(self) -> int:
        """Requests that are being answered."""
        return len(self._site.lockstep.tasks)

    @property
    def leases(self) -> int:
        """Uploads that hold a worker thread."""
        return self._site.workers.leases

    @property
    def busy_threads(self) -> int:
        """Work that runs in, or waits for, a worker thread."""
        return self._site.workers.busy

    @property
    def accepted(self) -> int:
        """Connections since the start."""
        return self._site.accepted

    @property
    def turned_away(self) -> int:
        """Connections since the start that found the server full."""
        return self._site.turned_away

    async def close(self, deadline_s: float = 30.0, *, patience_s: float = 0.0) -> None:
        """Stop listening, close idle connections, let requests finish within `deadline_s` seconds, cut the rest.

        With `patience_s` every connection may still bring one request, when it does so within that time.
        """
        site = self._site
        site.closing, site.patience_s = True, patience_s
        until = time.monotonic() + deadline_s
        self._listener.close()
        site.crowd.listens(False)
        self._retire()
        if patience_s:
            await _finished(self._arriving, until)
            await self._emptied(until)
        await _finished(site.lockstep.tasks, until)
        await self._emptied(min(until, time.monotonic() + _AFTERMATH_S))
        if site.lockstep.tasks or site.connections:
            log.warning(
                "cutting %d requests, %d connections", len(site.lockstep.tasks), len(site.connections)
            )
            self._cut()
            await _finished(site.lockstep.tasks, time.monotonic() + _AFTERMATH_S)
            for task in list(site.lockstep.tasks):
                task.cancel()
            await self._emptied(time.monotonic() + _AFTERMATH_S)
        self._timer.cancel()
        site.workers.close()

    def hasten(self, deadline_s: float) -> None:
        """While closing: have no more patience, and cut what is not finished within `deadline_s` seconds."""
        self._site.patience_s = 0.0
        self._retire()
        self._loop.call_later(deadline_s, self._cut)

    def _retire(self) -> None:
        for connection in list(self._site.connections):
            connection.retire(self._site.patience_s)

    def _cut(self) -> None:
        for connection in list(self._site.connections):
            connection.cut()

    @property
    def _arriving(self) -> set[asyncio.Task[None]]:
        return self._listener.arriving if isinstance(self._listener, Acceptor) else set()

    async def _emptied(self, until: float) -> None:
        site = self._site
        while site.connections and time.monotonic() < until:
            site.emptied.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(site.emptied.wait(), max(0.0, until - time.monotonic()))

    def _tick(self) -> None:
        now = time.monotonic()
        for connection in list(self._site.connections):
            connection.tick(now)
        self._timer = self._loop.call_later(self._site.limits.tick_s, self._tick)


async def _finished(tasks: set[asyncio.Task[None]], until: float) -> None:
    if tasks:
        await asyncio.wait(list(tasks), timeout=max(0.0, until - time.monotonic()))


async def serve(
    listener: Listener,
    handle: Callable[[HttpRequest], Awaitable[HttpResponse]],
    *,
    limits: HttpLimits | None = None,
    hooks: Hooks | None = None,
    crowd: Crowd | None = None,
) -> Server:
    """Start to listen; see `Hooks` and `Crowd`. Raises OSError when the address cannot be bound."""
    limits = limits or HttpLimits()
    crowd = crowd or Alone()
    site = Site(
        limits=limits,
        handle=handle,
        hooks=hooks or Hooks(),
        workers=Workers(limits, crowd.lend),
        lockstep=Lockstep(crowd.has_lent),
        capacity=_connection_cap(limits),
        crowd=crowd,
    )
    if listener.sockets:
        return Server(site, Acceptor(listener, site, lambda: Connection(site)))
    started = await asyncio.get_running_loop().create_server(
        lambda: Connection(site),
        listener.host,
        listener.port,
        backlog=listener.backlog,
        ssl=listener.tls,
        ssl_handshake_timeout=limits.head_timeout_s if listener.tls else None,
    )
    return Server(site, started)


def _connection_cap(limits: HttpLimits) -> int:
    """What the process's limit of open files allows, after raising it as far as it may: a connection needs one
    descriptor, a busy thread two more (its own of the connection, and a file)."""
    if sys.platform == "win32":
        return limits.max_connections
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    reserve = 2 * limits.max_threads + 256
    wanted = limits.max_connections + reserve
    if resource.RLIM_INFINITY not in (soft, hard) and soft < wanted:
        soft = min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    room = limits.max_connections if soft == resource.RLIM_INFINITY else soft - reserve
    return max(16, min(limits.max_connections, room))
