"""A server with a small handler, and a client that speaks raw bytes."""

from __future__ import annotations

import asyncio
import hashlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mossaic.gateway.http import HttpLimits, Listener, Server, serve
from mossaic.gateway.message import FilePiece, HttpRequest, HttpResponse
from mossaic.protocol.errors import OssError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mossaic.ports import BodyReader

WAIT_S = 10.0


def digest(reader: BodyReader) -> bytes:
    """Reads a body in a thread: `md5 size`."""
    buffer = memoryview(bytearray(512 * 1024))
    md5, size = hashlib.md5(), 0
    while count := reader.readinto(buffer):
        md5.update(buffer[:count])
        size += count
    return f"{md5.hexdigest()} {size}".encode()


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Stored:
    """A content of given pieces."""

    parts: list[FilePiece | bytes]
    length: int = -1
    fails_after: int | None = None
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)

    def __post_init__(self) -> None:
        if self.length < 0:
            self.length = sum(p.length if isinstance(p, FilePiece) else len(p) for p in self.parts)

    def pieces(self) -> Iterator[FilePiece | bytes]:
        try:
            for number, part in enumerate(self.parts):
                if number == self.fails_after:
                    raise RuntimeError("the disk is gone")
                yield part
        finally:
            self.loop.call_soon_threadsafe(self.closed.set)


@dataclass
class App:
    """The handler. Requests for a path in `answers` get what the function there makes."""

    answers: dict[str, Callable[[HttpRequest], HttpResponse]] = field(default_factory=dict)
    seen: list[HttpRequest] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    finished: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        self.seen.append(request)
        self.entered.set()
        try:
            response = await self._answer(request)
        except OssError as error:
            self.outcomes.append(error.code)
            response = HttpResponse(status=error.status, headers=[("X-Code", error.code)])
        else:
            self.outcomes.append("ok")
        self.finished.set()
        return response

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        path = request.target.partition("?")[0]
        if path in self.answers:
            return self.answers[path](request)
        if path == "/echo":
            return HttpResponse(status=200, body=await request.body.read(1 << 20))
        if path == "/digest":
            return HttpResponse(status=200, body=await request.body.consume(digest))
        if path == "/refuse":
            return HttpResponse(status=403)
        if path == "/gate":
            await self.gate.wait()
        if path == "/bug":
            raise RuntimeError("a bug")
        return HttpResponse(status=200, body=b"hello")


class Client:
    """One raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await asyncio.wait_for(self.writer.drain(), WAIT_S)

    async def answer(self, *, head_only: bool = False) -> Answer:
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), WAIT_S)
        lines = head.decode("latin-1").split("\r\n")
        version, status, _ = lines[0].split(" ", 2)
        assert version == "HTTP/1.1"
        headers = dict(line.lower().split(": ", 1) for line in lines[1:-2])
        length = 0 if head_only or status == "100" else int(headers.get("content-length", "0"))
        body = await asyncio.wait_for(self.reader.readexactly(length), WAIT_S)
        return Answer(int(status), headers, body)

    async def ask(self, *pieces: bytes) -> Answer:
        await self.send(*pieces)
        return await self.answer()

    async def closed(self) -> bool:
        """Nothing more comes: the server ended the connection in order."""
        return await asyncio.wait_for(self.reader.read(), WAIT_S) == b""

    def close(self) -> None:
        self.writer.close()


@dataclass
class House:
    """Servers and clients of one test."""

    app: App = field(default_factory=App)
    servers: list[Server] = field(default_factory=list)
    clients: list[Client] = field(default_factory=list)

    async def serve(self, tls: ssl.SSLContext | None = None, **limits: float) -> Server:
        settings = HttpLimits(**limits)  # type: ignore[arg-type]
        server = await serve(Listener(tls=tls), self.app, limits=settings)
        self.servers.append(server)
        return server

    async def connect(self, tls: ssl.SSLContext | None = None) -> Client:
        if not self.servers:
            await self.serve()
        host, port = self.servers[-1].addresses[0]
        name = "localhost" if tls else None
        client = Client(*await asyncio.open_connection(host, port, ssl=tls, server_hostname=name))
        self.clients.append(client)
        return client

    async def close(self) -> None:
        for client in self.clients:
            client.close()
        for server in self.servers:
            await server.close(2.0)


def file_of(path: Path, size: int) -> tuple[int, bytes]:
    """An open file with random bytes."""
    data = os.urandom(size)
    path.write_bytes(data)
    return os.open(path, os.O_RDONLY), data


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a state that nobody announces; the loop turns meanwhile."""
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.001)


def request(method: str, path: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: x", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


GET = request("GET", "/")
