"""Takes connections from sockets that several processes share, no more of them than a process's share."""

from __future__ import annotations

import asyncio
import errno
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from mossaic.gateway.http.limits import Listener
    from mossaic.gateway.http.site import Site

_log = logging.getLogger(__name__)

_YIELD_S: Final = 0.002  # how long a process that has more connections than another leaves a new one to that
_EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_EXHAUSTED_S: Final = 1.0


class Acceptor:
    """Every process sees every new connection, and one gets it. An event loop's own server takes all that wait in one go; here
    each event takes one, and who has more than others leaves it to them for a moment, so that they end up with equally many."""

    def __init__(self, listener: Listener, site: Site, factory: Callable[[], asyncio.BaseProtocol]) -> None:
        self.sockets = listener.sockets
        self.arriving: set[asyncio.Task[None]] = set()  # accepted, not yet a connection: TLS takes its time
        self._site = site
        self._factory = factory
        self._tls = listener.tls
        self._handshake_s = site.limits.head_timeout_s if listener.tls else None
        self._loop = asyncio.get_running_loop()
        self._is_closed = False
        for sock in self.sockets:
            sock.setblocking(False)
            self._loop.add_reader(sock, self._ready, sock)

    def close(self) -> None:
        """Take no more; those that arrive are let in."""
        if self._is_closed:
            return
        self._is_closed = True
        for sock in self.sockets:
            self._loop.remove_reader(sock)
            sock.close()

    def _ready(self, sock: socket.socket) -> None:
        least = self._site.crowd.least()
        own = len(self._site.connections) + len(self.arriving)
        if least is not None and own > least:
            self._pause(sock, _YIELD_S)
        else:
            self._accept(sock)

    def _pause(self, sock: socket.socket, seconds: float) -> None:
        self._loop.remove_reader(sock)
        self._loop.call_later(seconds, self._resume, sock)

    def _resume(self, sock: socket.socket) -> None:
        """What is still there the others do not want: they may be stuck."""
        if not self._is_closed:
            self._loop.add_reader(sock, self._ready, sock)
            self._accept(sock)

    def _accept(self, sock: socket.socket) -> None:
        try:
            accepted, _ = sock.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another process was faster, or the client is gone
        except OSError as error:
            if error.errno not in _EXHAUSTED:
                raise
            _log.error("no connection can be taken: %s", error)  # the trace would say nothing more
            self._pause(sock, _EXHAUSTED_S)
            return
        accepted.setblocking(False)
        task = self._loop.create_task(self._let_in(accepted))
        self.arriving.add(task)
        task.add_done_callback(self.arriving.discard)

    async def _let_in(self, accepted: socket.socket) -> None:
        with suppress(OSError):  # the client is gone, or its TLS is no good
            await self._loop.connect_accepted_socket(
                self._factory, accepted, ssl=self._tls, ssl_handshake_timeout=self._handshake_s
            )
