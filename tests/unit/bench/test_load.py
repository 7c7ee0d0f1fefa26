"""The load generator believes no answer that is not right."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from bench.server.load.contents import Contents
from bench.server.load.crew import Tally, together
from bench.server.load.jobs import Requests
from bench.server.load.loop import each
from bench.server.load.message import Answer, Request, WrongAnswer, check
from bench.server.load.signer import Unsigned

if TYPE_CHECKING:
    from collections.abc import Generator

GET = Request(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
BODY = b"0123456789" * 10_000


def an_answer(body: bytes = b"", *, status: int = 200, head: bytes = b"") -> Answer:
    return Answer(status, b"http/1.1 200 ok\r\n" + head, len(body), body, 0.0)


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (GET, an_answer(status=503)),
        (GET, an_answer(b"<Error><Code>InternalError</Code></Error>")),
        (GET._replace(size=5), an_answer(b"1234")),
        (GET._replace(same=b"12345"), an_answer(b"12354")),
        (GET._replace(marks=(b'"abc"',)), an_answer(head=b'etag: "abd"')),
        (GET._replace(entries=(b"<Key>", 2)), an_answer(b"<Key>a</Key>")),
    ],
)
def test_a_wrong_answer_is_told(request_: Request, answer: Answer) -> None:
    with pytest.raises(WrongAnswer):
        check(request_, answer)


def test_a_right_answer_passes() -> None:
    wanted = GET._replace(
        size=12, same=b"<Key>a</Key>", entries=(b"<Key>", 1), marks=(b'"abc"', b"crc64ecma: 7\r")
    )

    check(wanted, an_answer(b"<Key>a</Key>", head=b'etag: "abc"\r\nx-oss-hash-crc64ecma: 7\r\n'))


def test_marks_are_those_of_the_slice() -> None:
    contents = Contents()

    assert contents.of(3, 100) != contents.of(4, 100)
    assert contents.marks(3, 100) == contents.marks(11, 100) != contents.marks(4, 100)


@contextmanager
def server(answer: bytes, *, piece: int = 1 << 20) -> Generator[int]:
    """Answers every request of every connection with these bytes, in pieces; an empty answer closes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with connection:
            while (received := connection.recv(65_536)) and answer:
                while b"\r\n\r\n" not in received:
                    received += connection.recv(65_536)
                length = int(received.partition(b"Content-Length: ")[2].partition(b"\r\n")[0] or 0)
                body = len(received.partition(b"\r\n\r\n")[2])
                while body < length:
                    body += len(connection.recv(65_536))
                for start in range(0, len(answer), piece):
                    connection.sendall(answer[start : start + piece])

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@pytest.mark.parametrize("piece", [7, 1 << 20])
def test_answers_are_read_whole_however_they_come(piece: int) -> None:
    body = BODY[:1000]
    with server(b"HTTP/1.1 200 OK\r\nETag: x\r\nContent-Length: 1000\r\n\r\n" + body, piece=piece) as port:
        answers = each(port, [GET._replace(same=body, size=1000)] * 5, connections=2)

    assert [(answer.status, answer.size, answer.header("etag")) for answer in answers] == [
        (200, 1000, "x")
    ] * 5


def test_a_large_body_is_sent_whole() -> None:
    body = BODY * 100
    head = Unsigned(0).head("PUT", "x", length=len(body))
    with server(b"HTTP/1.1 204 No Content\r\n\r\n") as port:
        answers = each(port, [Request(head, body)] * 3, connections=3)

    assert [answer.status for answer in answers] == [204] * 3


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n"]
)
def test_no_length_no_answer_and_an_error_end_the_work(answer: bytes) -> None:
    with server(answer) as port, pytest.raises(WrongAnswer):
        each(port, [GET])


def test_processes_count_what_was_answered() -> None:
    with server(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd") as port:
        jobs = [
            Requests(port=port, make=lambda: [GET._replace(size=4)] * 10, connections=2, seconds=60.0)
            for _ in range(2)
        ]
        tallies = together(jobs)

    assert [(tally.count, tally.size, len(tally.took)) for tally in tallies] == [(10, 40, 10)] * 2
    assert all(tally.began <= tally.ended for tally in tallies)


def test_a_process_that_gets_a_wrong_answer_fails_the_work() -> None:
    with server(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd") as port:
        job = Requests(port=port, make=lambda: [GET._replace(size=5)], connections=1, seconds=60.0)
        with pytest.raises(WrongAnswer, match="4 bytes, not 5"):
            together([job])


def test_quantiles_are_in_milliseconds() -> None:
    tally = Tally()
    tally.took.extend([0.001 * number for number in range(1, 101)])

    assert (tally.quantile(0.5), tally.quantile(0.99), tally.quantile(1.0)) == pytest.approx((51, 100, 100))
    assert Tally().quantile(0.5) == 0
