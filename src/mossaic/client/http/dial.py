"""Makes a line to an origin: name, connection, a tunnel through a proxy, TLS. All of it has a time limit and can be cancelled."""

from __future__ import annotations

import errno
import os
import select
import socket
import ssl
from time import monotonic
from typing import TYPE_CHECKING, Final

from mossaic.client.errors import Cancelled, ConnectionTimeoutError, DeadlineExceeded, NetworkError
from mossaic.client.http.connection import Connection
from mossaic.client.http.head import write_head
from mossaic.client.http.line import PlainLine, SecureLine, cut
from mossaic.client.http.lookup import find_addresses

if TYPE_CHECKING:
    from mossaic.client.http.line import Line
    from mossaic.client.http.lookup import Address
    from mossaic.client.http.message import Origin
    from mossaic.client.http.proxy import Proxy
    from mossaic.client.http.scope import Scope

_SLICE_S: Final = 0.1  # where a shutdown does not wake a connect (macOS), cancelling takes so long
_UNDER_WAY: Final = (errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EINTR)


class Dial:
    """One attempt to reach an origin; good for one `line`. `connect_s`: seconds for each step (name, each address, tunnel, TLS)."""

    def __init__(self, *, connect_s: float, scope: Scope | None, deadline: float | None) -> None:
        self._connect_s = connect_s
        self._scope = scope
        self._deadline = deadline
        self._sock: socket.socket | None = None

    def line(self, origin: Origin, proxy: Proxy | None, tls: ssl.SSLContext | None) -> Line:
        """Raises NetworkError (refused, no such name, TLS, the proxy), ConnectionTimeoutError, DeadlineExceeded, Cancelled."""
        host, port = (proxy.host, proxy.port) if proxy else (origin.host, origin.port)
        try:
            sock = self._reach(host, port)
            if tls is None:
                return PlainLine(sock)
            if proxy is not None:
                self._tunnel(sock, origin, proxy)
            return SecureLine(self._handshake(sock, origin, tls))
        except BaseException as error:
            self._drop()
            if isinstance(error, NetworkError) and self._scope is not None and self._scope.cancelled:
                raise Cancelled("the work was cancelled") from error
            raise
        finally:
            self._let_go()

    def interrupt(self) -> None:
        if self._sock is not None:
            cut(self._sock)

    # --- the steps ----------------------------------------------------------------------------------------------------

    def _reach(self, host: str, port: int) -> socket.socket:
        """A connected socket, by the first address that answers."""
        peer = f"{host}:{port}"
        wait_s = self._left(self._until())
        try:
            addresses = find_addresses(host, port, scope=self._scope, wait_s=wait_s)
        except TimeoutError:
            raise self._timed_out(f"no answer about the name {host}") from None
        except OSError as error:
            raise NetworkError(f"the host {host} is not found: {error.strerror or error}") from error
        failures: list[NetworkError] = []
        for address in addresses:
            try:
                return self._connect(address, peer)
            except NetworkError as error:
                self._drop()
                if self._scope is not None:
                    self._scope.check()
                failures.append(error)
        if not failures:
            raise NetworkError(f"the host {host} has no address")
        raise failures[-1]

    def _connect(self, address: Address, peer: str) -> socket.socket:
        until = self._until()
        failed = f"no connection to {peer} ({address})"
        try:
            sock = socket.socket(address.family, socket.SOCK_STREAM)
        except OSError as error:  # no such family here, or too many files
            raise NetworkError(f"{failed}: {error.strerror}") from error
        self._hold(sock)
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = sock.connect_ex(address.where)
        if code in _UNDER_WAY:
            self._await_connection(sock, peer, until)
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise NetworkError(f"{failed}: {os.strerror(code)}")
        return sock

    def _await_connection(self, sock: socket.socket, peer: str, until: float) -> None:
        poll = select.poll()
        poll.register(sock, select.POLLOUT)
        while not poll.poll(min(_SLICE_S, max(0.0, until - monotonic())) * 1000):
            if self._scope is not None:
                self._scope.check()
            if monotonic() >= until:
                raise self._timed_out(f"no connection to {peer}")

    def _tunnel(self, sock: socket.socket, origin: Origin, proxy: Proxy) -> None:
        authority = origin.authority
        fields = [("Host", authority)]
        if proxy.authorization:
            fields.append(("Proxy-Authorization", proxy.authorization))
        peer = f"the proxy {proxy.host}:{proxy.port}"
        connection = Connection(PlainLine(sock), origin=origin, peer=peer, idle_s=self._connect_s)
        connection.begin("CONNECT", scope=None, deadline=self._deadline)
        connection.push(write_head("CONNECT", authority, fields, 0))
        connection.sent = False  # the request itself is still to be sent
        answer = connection.answer()
        if answer.status >= 300:
            raise connection.failure(f"gave no tunnel to {authority}: {answer.status} {answer.reason}")
        if connection.inbox:
            raise connection.failure("sent bytes before the tunnel was used")

    def _handshake(self, sock: socket.socket, origin: Origin, tls: ssl.SSLContext) -> ssl.SSLSocket:
        peer = origin.authority
        sock.settimeout(self._left(self._until()))
        try:
            secure = tls.wrap_socket(
                sock, server_hostname=origin.host, do_handshake_on_connect=False, suppress_ragged_eofs=False
            )
            self._sock = secure
            if self._scope is not None:
                self._scope.check()  # nobody could have woken it between the two sockets
            secure.do_handshake()
        except ssl.SSLCertVerificationError as error:
            raise NetworkError(
                f"the certificate of {peer} is not trusted: {error.verify_message}; "
                "`verify` takes the file of the authority that signed it"
            ) from error
        except TimeoutError:
            raise self._timed_out(f"no TLS with {peer}") from None
        except ssl.SSLError as error:
            reason = (error.reason or str(error)).replace("_", " ").lower()
            raise NetworkError(f"TLS with {peer} failed: {reason}") from error
        except ValueError as error:  # a host that is no server name
            raise NetworkError(f"TLS with {peer} failed: {error}") from error
        except OSError as error:
            raise NetworkError(f"{peer} broke the TLS handshake: {error.strerror or error}") from error
        return secure

    # --- time and cancelling ------------------------------------------------------------------------------------------

    def _until(self) -> float:
        until = monotonic() + self._connect_s
        return until if self._deadline is None else min(until, self._deadline)

    def _left(self, until: float) -> float:
        left = until - monotonic()
        if left <= 0:
            raise self._timed_out("no connection")
        return left

    def _timed_out(self, what: str) -> ConnectionTimeoutError | DeadlineExceeded:
        if self._deadline is not None and monotonic() >= self._deadline:
            return DeadlineExceeded(f"the time given for the call is over; {what}")
        return ConnectionTimeoutError(f"{what} within {self._connect_s:g} s")

    def _hold(self, sock: socket.socket) -> None:
        self._sock = sock
        if self._scope is not None:
            self._scope.add(self)

    def _let_go(self) -> None:
        if self._scope is not None:
            self._scope.remove(self)
        self._sock = None

    def _drop(self) -> None:
        sock = self._sock
        self._let_go()  # before it is closed: its number may be somebody else's at once
        if sock is not None:
            sock.close()
