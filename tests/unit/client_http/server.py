"""A server that does what a test says: one script, run in a thread, for each connection in turn."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING, Any

from mossaic.client.http import BytesBody, Origin, Request

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

    from mossaic.client.http import Body

WAIT_S = 20.0  # no test waits so long unless it fails

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


PROMPTLY_S = 5.0  # far less than the limits of most pools here, far more than a busy machine needs


@contextlib.contextmanager
def promptly() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < PROMPTLY_S


class Gone(Exception):
    """The client has closed the connection."""


class Peer:
    """The server's end of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._data = bytearray()

    def head(self) -> str:
        """The next request's head, without the empty line. Raises Gone."""
        while b"\r\n\r\n" not in self._data:
            self._more()
        return self._until(b"\r\n\r\n").decode("latin-1")

    def read(self, count: int) -> bytes:
        while len(self._data) < count:
            self._more()
        data = bytes(self._data[:count])
        del self._data[:count]
        return data

    def line(self) -> bytes:
        while b"\r\n" not in self._data:
            self._more()
        return self._until(b"\r\n")

    def request(self) -> tuple[str, bytes]:
        """A whole request with a body of known length."""
        head = self.head()
        found = re.search(r"\r\ncontent-length: (\d+)", head, re.IGNORECASE)
        return head, self.read(int(found[1]) if found else 0)

    def chunks(self) -> list[bytes]:
        """The chunks of a chunked body."""
        found = []
        while size := int(self.line(), 16):
            found.append(self.read(size))
            assert self.line() == b""
        assert self.line() == b""
        return found

    def send(self, data: bytes) -> None:
        try:
            self.sock.sendall(data)
        except ConnectionError:
            raise Gone from None

    def secure(self, context: ssl.SSLContext) -> None:
        assert not self._data
        self.sock = context.wrap_socket(self.sock, server_side=True)

    def reset(self) -> None:
        """Close with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def wait_closed(self) -> None:
        """Read until the client is gone."""
        with contextlib.suppress(Gone):
            while True:
                self._data.clear()
                self._more()

    def _until(self, mark: bytes) -> bytes:
        size = self._data.index(mark)
        data = self.read(size)
        self.read(len(mark))
        return data

    def _more(self) -> None:
        try:
            data = self.sock.recv(1 << 16)
        except ConnectionError:
            raise Gone from None
        if not data:
            raise Gone
        self._data += data


class ScriptedServer:
    """`scripts`: one for each connection in turn; the last one serves all further ones. `room`: bytes of the receive buffer."""

    def __init__(
        self,
        *scripts: Callable[[Peer], object],
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        room: int = 1 << 20,
    ) -> None:
        self._scripts = scripts
        self._tls = tls
        self._listener = socket.create_server(
            (host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET
        )
        # Bounded room, so that a client that is not read blocks for sure.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        self.host = host
        self.port: int = self._listener.getsockname()[1]
        self.accepted = 0
        self.failures: list[BaseException] = []
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._peers: list[Peer] = []
        self._start(self._accept)

    @property
    def origin(self) -> Origin:
        return Origin(self._tls is not None, self.host, self.port)

    def join_scripts(self) -> None:
        """Wait until every connection that was heard so far is over, and its socket closed."""
        with self._lock:
            threads = self._threads[1:]
        for thread in threads:
            thread.join(WAIT_S)
            assert not thread.is_alive(), "a script hangs"

    def close(self) -> None:
        """Wait for the scripts. Raises what went wrong in one."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for peer in self._peers:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(peer.sock, socket.SHUT_RDWR)
        self._threads[0].join(WAIT_S)
        self.join_scripts()
        if self.failures:
            raise self.failures[0]

    def _start(self, run: Callable[..., object], *args: Any) -> None:
        with self._lock:
            thread = threading.Thread(target=run, args=args, daemon=True)
            thread.start()
            self._threads.append(thread)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what was sent is there
            script = self._scripts[min(self.accepted, len(self._scripts) - 1)]
            self.accepted += 1
            self._start(self._serve, Peer(sock), script)

    def _serve(self, peer: Peer, script: Callable[[Peer], object]) -> None:
        self._peers.append(peer)
        try:
            if self._tls is not None:
                try:
                    peer.secure(self._tls)
                except OSError:
                    return  # a client that does not trust us
            script(peer)
        except Gone:
            pass
        except BaseException as error:
            self.failures.append(error)
        finally:
            peer.sock.close()


def always(answer: bytes) -> Callable[[Peer], object]:
    """Answers every request of a connection."""

    def script(peer: Peer) -> None:
        while True:
            peer.request()
            peer.send(answer)

    return script


def once(answer: bytes) -> Callable[[Peer], object]:
    """Answers one request and closes."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(answer)

    return script


class Chunks:
    """A body of given chunks; `asked` counts how many were asked for."""

    def __init__(self, chunks: Iterator[bytes] | list[bytes], length: int | None) -> None:
        self.length = length
        self.asked = 0
        self.closed = False
        self._chunks = chunks

    def chunks(self) -> Iterator[bytes]:
        try:
            for chunk in self._chunks:
                self.asked += 1
                yield chunk
        finally:
            self.closed = True


def get(origin: Origin, target: str = "/", *fields: tuple[str, str], method: str = "GET") -> Request:
    return Request(method=method, origin=origin, target=target, headers=[("Host", origin.authority), *fields])


def put(origin: Origin, body: Body | bytes, *fields: tuple[str, str]) -> Request:
    if isinstance(body, bytes):
        body = BytesBody(body)
    return Request(
        method="PUT", origin=origin, target="/key", headers=[("Host", origin.authority), *fields], body=body
    )
