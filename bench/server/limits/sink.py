"""Servers that do next to nothing: take bodies (and write them, unsynced, or store them), send a file with sendfile, answer a constant."""

from __future__ import annotations

import multiprocessing
import os
import select
import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mossaic.gateway.http.listening import bound
from mossaic.model.names import new_blob_id
from mossaic.protocol.checksum import Sums
from mossaic.stores.blobs import FileBlobs

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_FORK: Final = multiprocessing.get_context("fork")
_BUFFER: Final = 512 * 1024
_ROUND: Final = 1024 * 1024  # as the service has it
_WARM_BYTES: Final = 32 * 1024 * 1024  # as well
_DONE: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Sink:
    port: int
    pid: int


@contextmanager
def sink(serve: Callable[[socket.socket], None]) -> Generator[Sink]:
    """Run `serve(listener)` in a process of its own. Its socket is one that the service would listen on: a limit that is paced is none."""
    (listener,) = bound("127.0.0.1", 0)
    listener.listen(64)
    process = _FORK.Process(target=serve, args=(listener,), daemon=True)
    process.start()
    port: int = listener.getsockname()[1]
    listener.close()
    try:
        yield Sink(port, process.pid or 0)
    finally:
        process.terminate()
        process.join()


def taking(folder: Path | None) -> Callable[[socket.socket], None]:
    """Receive bodies, a thread a connection; with `folder` each into a fresh file, which goes when it is whole."""

    def serve(connection: socket.socket, index: int) -> None:
        buffer, number = memoryview(bytearray(_BUFFER)), 0
        while (head := _head(connection)) is not None:
            missing = _length(head[0]) - len(head[1])
            path = Path(folder or "/dev") / (f"sink-{index}-{number}" if folder else "null")
            target = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
            if folder:
                os.write(target, head[1])
            while missing > 0:
                count = connection.recv_into(buffer, min(missing, _BUFFER))
                if not count:
                    break
                if folder:
                    os.write(target, buffer[:count])
                missing -= count
            os.close(target)
            if folder:
                path.unlink()
            connection.sendall(_DONE)
            number += 1

    return lambda listener: _threads(listener, serve)


def storing(folder: Path) -> Callable[[socket.socket], None]:
    """Receive bodies into the service's own kind of files, hashed and synced, a thread a connection: what is left of an upload
    without signatures, an event loop, metadata and a log."""
    blobs = FileBlobs(folder, warm_bytes=_WARM_BYTES)
    blobs.prepare()

    def serve(connection: socket.socket, _index: int) -> None:
        buffer = memoryview(bytearray(_ROUND))
        while (head := _head(connection)) is not None:
            length, filled = _length(head[0]), len(head[1])
            buffer[:filled] = head[1]
            target, sums = blobs.create(new_blob_id(), length), Sums(md5=True)
            while sums.size < length:
                wanted = min(_ROUND, length - sums.size)
                while filled < wanted:
                    count = connection.recv_into(buffer[filled:wanted])
                    if not count:
                        return
                    filled += count
                target.write(buffer[:filled])
                sums.add(buffer[:filled])
                filled = 0
            target.commit()
            connection.sendall(_DONE)

    return lambda listener: _threads(listener, serve)


def sending(path: Path) -> Callable[[socket.socket], None]:
    """Answer each request with the file, by sendfile, a thread a connection."""
    size = path.stat().st_size
    answer = f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode()

    def serve(connection: socket.socket, _index: int) -> None:
        with path.open("rb") as source:
            while _head(connection) is not None:
                connection.send(answer, socket.MSG_MORE)
                offset = 0
                while offset < size:
                    offset += os.sendfile(connection.fileno(), source.fileno(), offset, size - offset)

    return lambda listener: _threads(listener, serve)


def answering(size: int) -> Callable[[socket.socket], None]:
    """Answer each request with the same `size` bytes, all connections over one epoll, nothing looked at."""
    answer = f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode() + b"x" * size

    def serve(listener: socket.socket) -> None:
        poll = select.epoll()
        poll.register(listener, select.EPOLLIN)
        connections: dict[int, socket.socket] = {}
        while True:
            for descriptor, _ in poll.poll():
                if descriptor == listener.fileno():
                    connection, _ = listener.accept()
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    connections[connection.fileno()] = connection
                    poll.register(connection, select.EPOLLIN)
                elif connections[descriptor].recv(65_536):
                    connections[descriptor].sendall(answer)
                else:
                    connections.pop(descriptor).close()

    return serve


def _threads(listener: socket.socket, serve: Callable[[socket.socket, int], None]) -> None:
    def run(connection: socket.socket, index: int) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, suppress(ConnectionError):
            serve(connection, index)

    index = 0
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=run, args=(connection, index), daemon=True).start()
        index += 1


def _head(connection: socket.socket) -> tuple[bytes, bytes] | None:
    """A request's head and what came with it of the body; None at the end."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65_536)
        if not piece:
            return None
        received += piece
    head, _, rest = received.partition(b"\r\n\r\n")
    return head, rest


def _length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
