"""A cheap client: keep-alive sockets, V4 signatures with an unsigned payload, nothing checked that the server checks."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self
from urllib.parse import quote

from mossaic.protocol.addressing import parse_query
from mossaic.protocol.signing import v4
from mossaic.protocol.signing.request import Pair, Resource, SignedRequest

BUCKET = "benchbucket"
PAIR = Pair(access_key_id="benchkey", secret="benchsecret")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """One connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray(1024 * 1024)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def head(self, method: str, key: str, query: str = "", length: int = 0) -> bytes:
        """A signed request head, ready to send."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        headers = {"x-oss-date": stamp, "x-oss-content-sha256": "UNSIGNED-PAYLOAD"}
        pairs = tuple((name, value) for name, value, _ in parse_query(query))
        signed = v4.authorization(
            PAIR,
            SignedRequest(method=method, query=pairs, headers=headers),
            Resource(bucket=BUCKET, key=key or None),
            v4.Scope(day=stamp[:8], region="cn-hangzhou"),
        )
        target = f"/{BUCKET}/{quote(key)}" + (f"?{query}" if query else "")
        lines = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{self._port}", f"Content-Length: {length}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return ("\r\n".join([*lines, f"Authorization: {signed}"]) + "\r\n\r\n").encode()

    def exchange(self, head: bytes, body: bytes | memoryview = b"", *, keep_body: bool = True) -> Answer:
        """Raises RuntimeError for anything but 2xx."""
        if len(body) <= 65_536:
            self._socket.sendall(head + bytes(body))
        else:
            self._socket.sendall(head)
            self._socket.sendall(body)
        answer = self._receive(keep_body=keep_body)
        if answer.status // 100 != 2:
            raise RuntimeError(
                f"{head.partition(b' HTTP')[0].decode()}: {answer.status} {answer.body[:500]!r}"
            )
        return answer

    def _receive(self, *, keep_body: bool) -> Answer:
        received = b""
        while b"\r\n\r\n" not in received:
            piece = self._socket.recv(65_536)
            if not piece:
                raise RuntimeError("the server closed the connection")
            received += piece
        head, _, body = received.partition(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        missing = int(headers.get("content-length", "0")) - len(body)
        kept = [body]
        while missing > 0:
            count = self._socket.recv_into(self._buffer, min(missing, len(self._buffer)))
            if not count:
                raise RuntimeError("the answer is cut")
            if keep_body:
                kept.append(bytes(self._buffer[:count]))
            missing -= count
        return Answer(int(status_line.split(" ")[1]), headers, b"".join(kept))

    def call(self, method: str, key: str = "", query: str = "", body: bytes | memoryview = b"") -> Answer:
        return self.exchange(self.head(method, key, query, len(body)), body)
