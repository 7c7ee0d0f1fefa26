"""Sends requests over connections that are kept and used again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from mossaic.client.http.connection import Connection
from mossaic.client.http.dial import Dial
from mossaic.client.http.head import write_head
from mossaic.client.http.idle import Idle
from mossaic.client.http.proxy import Proxies
from mossaic.client.http.response import Response
from mossaic.client.http.tls import make_context
from mossaic.client.http.transmit import Chunks, transmit

if TYPE_CHECKING:
    import ssl

    from mossaic.client.http.message import Origin, Request
    from mossaic.client.http.proxy import Proxy
    from mossaic.client.http.scope import Scope
    from mossaic.client.options import Timeout

_LONGEST_S: Final = 1e6  # for ever, to the kernel


class Pool:
    """Any number of threads may use it; each request has a connection to itself. After a fork the child begins with none.

    `verify`: True (the system's authorities), a file with the certificates of others, an SSLContext, or False: whoever
    answers is believed. `proxy`: a URL `http://[user:password@]host:port`; None: what the environment says; "": none.

    Raises ValueError for a proxy of another kind or a file without certificates, OSError for one that cannot be read.
    """

    def __init__(
        self, *, timeout: Timeout, verify: bool | str | ssl.SSLContext = True, proxy: str | None = None
    ) -> None:
        self._connect_s = min(timeout.connect, _LONGEST_S)
        self._idle_s = min(timeout.idle, _LONGEST_S)
        self._verify = verify
        # The system's authorities take 20 ms to load: not before they are needed.
        self._tls = make_context(verify) if isinstance(verify, str) else None
        self._proxies = Proxies(proxy, os.environ)
        self._idle = Idle()
        self._closed = False

    def send(
        self, request: Request, *, scope: Scope | None = None, deadline: float | None = None
    ) -> Response:
        """Send the request once and wait for the head of the answer. `deadline` is of `time.monotonic()` and holds for reading the
        body, too.

        Any answer but a success ends the sending of a body when it comes earlier; it is returned. Nothing is repeated here.

        Raises NetworkError, ConnectionTimeoutError, DeadlineExceeded, Cancelled; ValueError for a request that cannot be sent
        as it is (control characters, a body longer or shorter than it says); whatever the body raises.
        """
        if scope is not None:
            scope.check()
        body = request.body
        length = 0 if body is None else body.length
        proxy = self._proxies.of(request.origin)
        head = _head(request, length, proxy)
        chunks = Chunks(iter(()) if body is None else body.chunks(), length)
        try:
            first = chunks.next()
            connection = self._connection(request.origin, proxy, scope, deadline)
            try:
                connection.begin(request.method, scope=scope, deadline=deadline)
                answer = transmit(connection, head, first, chunks)
            except BaseException:
                connection.close()
                raise
        finally:
            chunks.close()
        return Response(answer, connection, self)

    def close(self) -> None:
        """Close the idle connections; those in use follow when their answers were read. A request is still possible, without reuse."""
        self._closed = True
        self._idle.clear()

    def give_back(self, connection: Connection) -> None:
        """For Response: this one is free."""
        if self._closed:
            connection.close()
        else:
            self._idle.put(connection)

    def _connection(
        self, origin: Origin, proxy: Proxy | None, scope: Scope | None, deadline: float | None
    ) -> Connection:
        connection = self._idle.take(origin)
        if connection is not None:
            connection.reused = True
            return connection
        if origin.secure and self._tls is None:
            self._tls = make_context(self._verify)
        dial = Dial(connect_s=self._connect_s, scope=scope, deadline=deadline)
        line = dial.line(origin, proxy, self._tls if origin.secure else None)
        return Connection(line, origin=origin, idle_s=self._idle_s)


def _head(request: Request, length: int | None, proxy: Proxy | None) -> bytes:
    target, fields = request.target, request.headers
    if not target.startswith("/"):
        raise ValueError("the target of a request begins with a slash")
    if proxy is not None and not request.origin.secure:
        target = f"http://{_named(request.origin)}{target}"
        if proxy.authorization:
            fields = [*fields, ("Proxy-Authorization", proxy.authorization)]
    return write_head(request.method, target, fields, length)


def _named(origin: Origin) -> str:
    """As it stands in Host, which a signature covers and a proxy makes from this."""
    return origin.authority.removesuffix(":80")
