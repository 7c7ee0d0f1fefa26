"""A do-nothing OSS and S3 server on loopback: bodies are dropped in the kernel, answers come from a table.

    python -m bench.clients.sink --block FILE [--lengths N,N,...] [--size N] [--wrong] [--port N]

One thread, one poll loop. Where the kernel can drop bytes unseen (Linux, MSG_TRUNC) a body costs a call for each time that the
socket is readable and no copy; elsewhere it is read into one buffer. No byte of a body is ever touched by Python.
"""

from __future__ import annotations

import argparse
import ctypes
import select
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from bench.clients.answers import Answers, Asked
from bench.clients.sums import Sums

if TYPE_CHECKING:
    from collections.abc import Iterator

_READ: Final = 64 * 1024
_DROP: Final = 8 * 1024 * 1024  # bytes asked of one call at most
_MAX_HEAD: Final = 64 * 1024
_END: Final = b"\r\n\r\n"


class Drop(Protocol):
    def __call__(self, source: socket.socket, at_most: int, /) -> int:
        """Bytes dropped; 0 at the end. Raises BlockingIOError."""


def _dropping() -> Drop:
    if not sys.platform.startswith("linux"):
        room = memoryview(bytearray(1024 * 1024))
        return lambda source, at_most: source.recv_into(room[:at_most])
    receive = ctypes.CDLL(None, use_errno=True).recv
    receive.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    receive.restype = ctypes.c_ssize_t
    nowhere, flags = ctypes.create_string_buffer(16), socket.MSG_TRUNC | socket.MSG_DONTWAIT

    def drop(source: socket.socket, at_most: int, /) -> int:
        got: int = receive(source.fileno(), nowhere, at_most, flags)
        if got < 0:
            number = ctypes.get_errno()
            raise OSError(number, "recv")  # of the right subclass
        return got

    return drop


class Chunked:
    """Goes over a body in chunked transfer coding; `length` counts what it carried."""

    def __init__(self) -> None:
        self.length = 0
        self.data = bytearray()  # what was not gone over yet
        self._steps = self._walk()
        next(self._steps)

    def feed(self, data: bytes) -> bool:
        """True when the body is over; `data` then holds what follows it."""
        self.data += data
        return next(self._steps, None) is None

    def _walk(self) -> Iterator[bool]:
        while True:
            while (stop := self.data.find(b"\r\n")) < 0:
                yield True
            size = int(self.data[:stop].split(b";")[0], 16)
            del self.data[: stop + 2]
            if not size:
                break
            left = size + 2
            while left > (here := len(self.data)):
                left -= here
                self.data.clear()
                yield True
            del self.data[:left]
            self.length += size
        while not self.data.startswith(b"\r\n") and _END not in self.data:
            yield True
        stop = 0 if self.data.startswith(b"\r\n") else self.data.find(_END) + 2
        del self.data[: stop + 2]


class Connection:
    """One keep-alive connection; `readable` is called whenever there is something to read."""

    def __init__(self, connected: socket.socket, answers: Answers, drop: Drop) -> None:
        self.socket = connected
        self._answers = answers
        self._drop = drop
        self._data = b""
        self._head: tuple[str, str, dict[str, str]] | None = None
        self._length = 0
        self._left = 0
        self._text: bytearray | None = None
        self._chunked: Chunked | None = None

    def readable(self) -> bool:
        """False when the connection is over."""
        try:
            if self._left and self._text is None:
                got = self._drop(self.socket, min(self._left, _DROP))
                self._left -= got
                data = b""
            else:
                data = self.socket.recv(_READ)
                got = len(data)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return got > 0 and self._went_on(data)

    def _went_on(self, data: bytes) -> bool:
        self._data += data
        while True:
            if self._head is None and not self._began():
                return len(self._data) <= _MAX_HEAD
            if not self._took_body():
                return True
            self._answer()
            if not self._data:
                return True

    def _began(self) -> bool:
        head, found, rest = self._data.partition(_END)
        if not found:
            return False
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self._head, self._data = (method, target, headers), rest
        self._chunked = Chunked() if "transfer-encoding" in headers else None
        self._left = self._length = int(headers.get("content-length", "0"))
        self._text = bytearray() if method == "POST" else None
        if headers.get("expect", "").lower() == "100-continue":
            self.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        return True

    def _took_body(self) -> bool:
        if self._chunked is not None:
            over = self._chunked.feed(self._data)
            self._data = bytes(self._chunked.data) if over else b""
            return over
        here, self._data = self._data[: self._left], self._data[self._left :]
        self._left -= len(here)
        if self._text is not None:
            self._text += here
        return not self._left

    def _answer(self) -> None:
        assert self._head is not None
        method, target, headers = self._head
        length = self._chunked.length if self._chunked else self._length
        length = int(headers.get("x-amz-decoded-content-length", length))  # aws-chunked frames its body
        asked = Asked(
            method=method, target=target, headers=headers, length=length, text=bytes(self._text or b"")
        )
        self.socket.sendall(self._answers.to(asked))
        self._head = self._chunked = self._text = None


def serve(listener: socket.socket, answers: Answers) -> None:
    """Until the process is told to end."""
    drop = _dropping()
    poller = select.epoll() if hasattr(select, "epoll") else select.poll()
    poller.register(listener.fileno(), select.POLLIN)
    connections: dict[int, Connection] = {}
    while True:
        for number, _ in poller.poll():
            if number == listener.fileno():
                accepted, _ = listener.accept()
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connections[accepted.fileno()] = Connection(accepted, answers, drop)
                poller.register(accepted.fileno(), select.POLLIN)
            elif not connections[number].readable():
                poller.unregister(number)
                connections.pop(number).socket.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="A do-nothing OSS and S3 server on loopback.")
    parser.add_argument("--block", type=Path, required=True, help="every body is this file repeated")
    parser.add_argument("--lengths", default="", help="body lengths whose sums are computed at the start")
    parser.add_argument("--size", type=int, help="what every completed object must have")
    parser.add_argument("--wrong", action="store_true", help="answer CRCs that cannot be right")
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    sums = Sums(given.block.read_bytes(), wrong=given.wrong)
    for length in filter(None, given.lengths.split(",")):
        sums.of(int(length))
    listener = socket.create_server(("127.0.0.1", given.port), backlog=128)
    print(listener.getsockname()[1], flush=True)
    serve(listener, Answers(sums, given.size))


if __name__ == "__main__":
    main()
