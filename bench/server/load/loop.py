"""Keep-alive connections over one epoll: the next request of each goes out when its answer has come and is right."""

from __future__ import annotations

import select
import socket
from contextlib import ExitStack
from time import perf_counter
from typing import TYPE_CHECKING, Final

from bench.server.load.message import Answer, Request, WrongAnswer, check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Next = Callable[[], Request | None]
    Done = Callable[[Request, Answer], None]

PATIENCE_S: Final = 120.0  # the longest that nothing may happen on any connection
_BUFFER: Final = 256 * 1024
_JOINED: Final = 64 * 1024  # bodies up to this size go out in one piece with the head


class Line:
    """One connection and what is on its way over it."""

    __slots__ = ("_began", "_got", "_head", "_keeps", "_length", "_pieces", "_unsent", "request", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.request = Request(b"")
        self._unsent: memoryview | None = None
        self._head = b""

    def begin(self, request: Request) -> bool:
        """Send what can be sent now; False when there is more to send."""
        self.request = request
        self._head, self._length, self._got = b"", -1, 0
        self._keeps = request.keeps
        self._pieces: list[bytes] = []
        self._began = perf_counter()
        if len(request.body) <= _JOINED:
            self._unsent = memoryview(request.head + request.body)
        else:
            self.socket.send(request.head, socket.MSG_MORE)
            self._unsent = memoryview(request.body)
        return self.go_on()

    def go_on(self) -> bool:
        """Send on; False when there is more to send."""
        if self._unsent is None:
            return True
        try:
            count = self.socket.send(self._unsent)
        except BlockingIOError:
            return False
        self._unsent = self._unsent[count:] if count < len(self._unsent) else None
        return self._unsent is None

    def receive(self, buffer: memoryview) -> Answer | None:
        """What has come; the answer once it is whole. Raises WrongAnswer when the connection ends before."""
        try:
            count = self.socket.recv_into(buffer)
        except BlockingIOError:
            return None
        if not count:
            raise WrongAnswer(f"the connection ended: {self.request.head[:80]!r}")
        if self._length >= 0:
            self._got += count
            if self._keeps:
                self._pieces.append(bytes(buffer[:count]))
        elif not self._read_head(bytes(buffer[:count])):
            return None
        return self._answer() if self._got >= self._length else None

    def _read_head(self, piece: bytes) -> bool:
        received = self._head + piece
        end = received.find(b"\r\n\r\n")
        if end < 0:
            self._head = received
            return False
        self._head = head = received[: end + 2].lower()  # each line with its end
        at = head.find(b"\r\ncontent-length:")
        if at >= 0:
            self._length = int(head[at + 17 : head.index(b"\r", at + 2)])
        elif head.startswith(b"204", 9):
            self._length = 0
        else:
            raise WrongAnswer(f"an answer without a length: {head!r}")
        self._got = len(received) - end - 4
        if self._got and (self._keeps or not head.startswith(b"2", 9)):
            self._pieces.append(received[end + 4 :])
        return True

    def _answer(self) -> Answer:
        body = b"".join(self._pieces)
        return Answer(int(self._head[9:12]), self._head, self._got, body, perf_counter() - self._began)


def drive(port: int, connections: int, following: Next, done: Done) -> None:
    """Until `following` gives no more requests and all are answered. Raises WrongAnswer."""
    buffer = memoryview(bytearray(_BUFFER))
    with select.epoll() as poll, ExitStack() as stack:
        lines: dict[int, Line] = {}

        def start(line: Line, request: Request) -> None:
            if not line.begin(request):
                poll.modify(line.socket, select.EPOLLIN | select.EPOLLOUT)

        for _ in range(connections):
            line = Line(port)
            stack.callback(line.socket.close)
            poll.register(line.socket, select.EPOLLIN)
            if (request := following()) is not None:
                lines[line.socket.fileno()] = line
                start(line, request)
        while lines:
            ready = poll.poll(PATIENCE_S)
            if not ready:
                raise WrongAnswer(f"no answer within {PATIENCE_S:.0f} s")
            for descriptor, events in ready:
                line = lines[descriptor]
                if events & select.EPOLLOUT and line.go_on():
                    poll.modify(descriptor, select.EPOLLIN)
                if not events & ~select.EPOLLOUT or (answer := line.receive(buffer)) is None:
                    continue
                check(line.request, answer)
                done(line.request, answer)
                if (request := following()) is None:
                    poll.unregister(lines.pop(descriptor).socket)
                else:
                    start(line, request)


def each(port: int, requests: Iterable[Request], *, connections: int = 1) -> list[Answer]:
    """Send all of them; the answers in the order in which they came (with one connection: in order)."""
    answers: list[Answer] = []
    waiting: Iterator[Request] = iter(requests)
    drive(port, connections, lambda: next(waiting, None), lambda _, answer: answers.append(answer))
    return answers


def ask(port: int, head: bytes, body: bytes | memoryview = b"") -> Answer:
    """One request on a connection of its own; the answer with its body."""
    return each(port, [Request(head, body, keep=True)])[0]
