"""A proxy that breaks things on purpose: it stands between a client and a service, reads each request's head, and does what a rule says.

Rules are asked in order; the first that matches and is not used up acts. Without one, a request and its answer pass unchanged.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

CHUNK = 65536
TIMEOUT_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A request as the proxy saw it. `body` counts the bytes of the body that the client sent."""

    method: str
    target: str
    headers: dict[str, str]

    @property
    def part_number(self) -> int | None:
        found = re.search(r"[?&]partNumber=(\d+)", self.target)
        return int(found[1]) if found else None


@dataclass(kw_only=True)
class Rule:
    """What to do with the next `times` requests whose `METHOD TARGET` matches `pattern`, and for which `when` holds.

    One of: `cut_request` (close after that many bytes of the body reached the service), `answer` (status, headers, body: the
    service never sees the request; `early`: it comes before the body was read), `swap_answer` (the service does it, the client hears
    this instead), `lose_answer` (the service does it, the client hears nothing), `cut_answer` (so many bytes of the answer pass,
    counted from its end when negative), `damage` (one bit of the body's byte at this place is flipped on the way), `delay_s` (before
    the answer), `call` (anything, before the request is passed on), `done` (anything, when the service's whole answer is here and
    the client has nothing of it).
    """

    pattern: str
    times: int = 1
    skip: int = 0
    when: Callable[[Seen], bool] | None = None
    cut_request: int | None = None
    answer: tuple[int, dict[str, str], bytes] | None = None
    early: bool = False
    swap_answer: tuple[int, dict[str, str], bytes] | None = None
    lose_answer: bool = False
    cut_answer: int | None = None
    damage: int | None = None
    delay_s: float = 0.0
    call: Callable[[Seen], None] | None = None
    done: Callable[[Seen], None] | None = None
    used: int = field(default=0, init=False)

    def takes(self, seen: Seen) -> bool:
        if self.used >= self.times or re.search(self.pattern, f"{seen.method} {seen.target}") is None:
            return False
        if self.when is not None and not self.when(seen):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.used += 1
        return True


def error(
    status: int, code: str, *, headers: dict[str, str] | None = None, **extras: str
) -> tuple[int, dict[str, str], bytes]:
    """An OSS error document as an answer."""
    more = "".join(f"<{name}>{text}</{name}>" for name, text in extras.items())
    body = f"<Error><Code>{code}</Code><Message>made by the proxy</Message><RequestId>PROXY</RequestId>{more}</Error>"
    return status, {"Content-Type": "application/xml", **(headers or {})}, body.encode()


class FaultProxy:
    """Listens on loopback; `endpoint` is what a client is given. `seen` are the requests so far, `received` the bytes of their bodies
    that came from clients."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self.seen: list[Seen] = []
        self.received = 0
        self._open: set[socket.socket] = set()
        self._port = 0
        self.open()

    def open(self) -> None:
        """Listen, on the same port as before after a `close`."""
        self._closed = False
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def add(self, *rules: Rule) -> None:
        with self._lock:
            self._rules.extend(rules)

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()

    def cut_all(self) -> None:
        """Every connection breaks now."""
        with self._lock:
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut_all()

    def idle(self, timeout_s: float = TIMEOUT_S) -> bool:
        """Whether every connection came to its end in time."""
        end = time.monotonic() + timeout_s
        while self._open and time.monotonic() < end:
            time.sleep(0.01)
        return not self._open

    def part_numbers(self) -> list[int]:
        """Of every UploadPart that a client began to send, in order."""
        return [
            seen.part_number for seen in self.seen if seen.method == "PUT" and seen.part_number is not None
        ]

    # --- one connection -----------------------------------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        while not self._closed:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(TIMEOUT_S)
        with self._lock:
            self._open.add(client)
        try:
            rest = b""
            while (taken := _read_head(client, rest)) is not None:
                head, rest = taken
                rest = self._exchange(client, head, rest)
        except OSError:
            pass
        finally:
            with self._lock:
                self._open.discard(client)
            client.close()

    def _exchange(self, client: socket.socket, head: bytes, early: bytes) -> bytes:
        """Pass one request and its answer; what the client sent beyond it comes back. Raises OSError to end the connection."""
        seen = _parse(head)
        with self._lock:
            self.seen.append(seen)
            rule = next((rule for rule in self._rules if rule.takes(seen)), None) or Rule(pattern="")
        length = int(seen.headers.get("content-length", "0"))
        if rule.call is not None:
            rule.call(seen)
        if rule.answer is not None:
            if rule.early:
                client.sendall(_answer(*rule.answer))
                client.shutdown(socket.SHUT_WR)
            _drain(client, early, length)
            # A client that has sent its whole body may reuse the connection before it sees the end of it.
            if rule.early:
                raise ConnectionAbortedError
            client.sendall(_answer(*rule.answer))
            return b""
        service = socket.create_connection(("127.0.0.1", self._target), timeout=TIMEOUT_S)
        with service, self._tracked(service):
            service.sendall(head)
            over = self._pass_body(client, service, early, length, rule)
            time.sleep(rule.delay_s)
            if rule.done is not None or rule.lose_answer or rule.swap_answer or rule.cut_answer is not None:
                whole = _read_all(service, seen.method)
                if rule.done is not None:
                    rule.done(seen)
                if rule.lose_answer:
                    raise ConnectionAbortedError
                if rule.swap_answer is not None:
                    whole = _answer(*rule.swap_answer)
                client.sendall(whole[: rule.cut_answer])
                if rule.cut_answer is not None:
                    raise ConnectionAbortedError
            else:
                _pass_answer(service, client, seen.method)
            return over

    def _pass_body(
        self, client: socket.socket, service: socket.socket, early: bytes, length: int, rule: Rule
    ) -> bytes:
        passed = 0
        data, over = early[:length], early[length:]
        while True:
            with self._lock:
                self.received += len(data)
            if rule.cut_request is not None and passed + len(data) >= rule.cut_request:
                service.sendall(data[: max(0, rule.cut_request - passed)])
                raise ConnectionAbortedError
            if rule.damage is not None and passed <= rule.damage < passed + len(data):
                at = rule.damage - passed
                data = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
            service.sendall(data)
            passed += len(data)
            if passed >= length:
                return over
            data = client.recv(min(CHUNK, length - passed))
            if not data:
                raise ConnectionAbortedError

    @contextlib.contextmanager
    def _tracked(self, one: socket.socket):
        with self._lock:
            self._open.add(one)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(one)


def _read_head(client: socket.socket, rest: bytes) -> tuple[bytes, bytes] | None:
    while b"\r\n\r\n" not in rest:
        more = client.recv(CHUNK)
        if not more:
            return None
        rest += more
    head, _, rest = rest.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n", rest


def _parse(head: bytes) -> Seen:
    first, *lines = head.decode("latin-1").strip().split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return Seen(method=method, target=target, headers=headers)


def _drain(client: socket.socket, early: bytes, length: int) -> None:
    left = length - len(early)
    while left > 0:
        data = client.recv(min(CHUNK, left))
        if not data:
            return
        left -= len(data)


def _answer(status: int, headers: dict[str, str], body: bytes) -> bytes:
    lines = [
        f"HTTP/1.1 {status} Fault",
        f"Content-Length: {len(body)}",
        *(f"{n}: {v}" for n, v in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def _read_all(service: socket.socket, method: str) -> bytes:
    """The whole answer, as bytes."""
    found = b""
    for piece in _answer_pieces(service, method):
        found += piece
    return found


def _pass_answer(service: socket.socket, client: socket.socket, method: str) -> None:
    for piece in _answer_pieces(service, method):
        client.sendall(piece)


def _answer_pieces(service: socket.socket, method: str):
    """Head and body of one answer; interim answers (100) pass, too."""
    rest = b""
    while True:
        taken = _read_head(service, rest)
        if taken is None:
            raise ConnectionAbortedError
        head, rest = taken
        yield head
        status = int(head.split(b" ", 2)[1])
        if status >= 200:
            break
    if method == "HEAD" or status in (204, 304):
        return
    headers = _parse(head).headers
    if headers.get("transfer-encoding", "").lower() == "chunked":
        while not rest.endswith(b"0\r\n\r\n"):
            yield rest
            rest = service.recv(CHUNK)
            if not rest:
                raise ConnectionAbortedError
        yield rest
        return
    left = int(headers.get("content-length", "0"))
    while True:
        yield rest[:left]
        left -= len(rest)
        if left <= 0:
            return
        rest = service.recv(min(CHUNK, left))
        if not rest:
            raise ConnectionAbortedError
