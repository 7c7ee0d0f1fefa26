"""The SDK against the shared server: a client for each signature version, and one through the proxy that breaks things."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from mossaic.client.client import Client
from mossaic.client.credentials import Static
from mossaic.client.options import Retry
from mossaic.protocol.checksum import crc64, md5_hex
from tests.e2e.harness import REGION, Server, noise
from tests.faults.proxy import FaultProxy, error

SMALL = noise(300_000)
BIG = noise(3_000_000, seed=2)
QUICK = Retry(attempts=4, base=0.001, cap=0.01)


def pieces(data: bytes, size: int = 100_000) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def connect(server: Server, bucket: str | None, *, endpoint: str | None = None, **options: Any) -> Client:
    pair = Static(server.access_key_id, server.access_key_secret)
    given = {"region": REGION, "retry": QUICK, "credentials": pair} | options
    return Client(endpoint or server.endpoint, bucket=bucket, **given)


@pytest.fixture(params=["v4", "v1"])
def client(request: pytest.FixtureRequest, server: Server, bucket: str) -> Iterator[Client]:
    with connect(server, bucket, signature=request.param) as made:
        yield made


@pytest.fixture
def proxy(server: Server) -> Iterator[FaultProxy]:
    made = FaultProxy(server.port)
    yield made
    made.close()


@pytest.fixture
def shaky(server: Server, bucket: str, proxy: FaultProxy) -> Iterator[Client]:
    """A client that speaks to the server through the proxy."""
    with connect(server, bucket, endpoint=proxy.endpoint) as made:
        yield made


class Scripted:
    """A server on loopback that answers request n as `answers[n]` says, the last one for ever; `bodies` are what it was sent.

    An answer gets the body and returns the bytes to send; none: the connection just ends. `limits`: bytes after which request n is not
    read any further.
    """

    def __init__(self, *answers: Callable[[bytes], bytes], limits: Sequence[int | None] = ()) -> None:
        self.bodies: list[bytes] = []
        self._answers = answers
        self._limits = dict(enumerate(limits))
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as reader:
                self.bodies.append(self._read(reader))
                answer = self._answers[min(len(self.bodies), len(self._answers)) - 1]
                connection.sendall(answer(self.bodies[-1]))
                connection.shutdown(socket.SHUT_WR)
                while reader.read1(65536):  # let the client finish, lest a reset overtakes the answer
                    pass

    def _read(self, reader: Any) -> bytes:
        head = b"".join(iter(reader.readline, b"\r\n")).lower()
        limit = self._limits.get(len(self.bodies))
        if limit is not None:
            return reader.read(limit)
        if b"transfer-encoding: chunked" not in head:
            found = [line for line in head.split(b"\r\n") if line.startswith(b"content-length:")]
            return reader.read(int(found[0].split(b":")[1])) if found else b""
        body = b""
        while size := int(reader.readline(), 16):
            body += reader.read(size)
            reader.readline()
        reader.readline()
        return body

    def close(self) -> None:
        self._listener.close()


def answer(status: int, headers: dict[str, str], body: bytes = b"") -> bytes:
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def refusing(_: bytes) -> bytes:
    return answer(*error(503, "ServiceUnavailable"))


def storing(body: bytes) -> bytes:
    """As PutObject answers."""
    headers = {"ETag": f'"{md5_hex(body)}"', "x-oss-hash-crc64ecma": str(crc64(body))}
    return answer(200, headers)
