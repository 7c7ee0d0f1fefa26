"""One request and one answer after the other: reuse, framing, and connections that break."""

from __future__ import annotations

import os
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from mossaic.client.errors import NetworkError
from mossaic.client.http import BytesBody, Origin, Pool, Scope
from mossaic.client.options import Timeout
from tests.unit.client_http.server import (
    EMPTY,
    OK,
    WAIT_S,
    Chunks,
    Peer,
    ScriptedServer,
    always,
    get,
    once,
    put,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Serve = Callable[..., ScriptedServer]


# --- reuse ------------------------------------------------------------------------------------------------------------


def test_a_connection_is_used_again_and_again(serve: Serve, pool: Pool) -> None:
    server = serve(always(OK))

    for _ in range(3):
        with pool.send(get(server.origin)) as response:
            assert (response.status, response.reason, response.length, response.read()) == (
                200,
                "OK",
                2,
                b"ok",
            )

    assert server.accepted == 1


def test_an_answer_without_a_body_frees_its_connection_at_once(serve: Serve, pool: Pool) -> None:
    server = serve(always(EMPTY))

    first, second = pool.send(get(server.origin)), pool.send(get(server.origin))

    assert server.accepted == 1
    assert (first.read(), second.read()) == (b"", b"")


def test_an_unread_answer_keeps_its_connection_to_itself(serve: Serve, pool: Pool) -> None:
    server = serve(always(OK))

    first, second = pool.send(get(server.origin)), pool.send(get(server.origin))

    assert server.accepted == 2
    assert (second.read(), first.read()) == (b"ok", b"ok")


def test_an_idle_connection_that_the_server_closed_is_not_used(serve: Serve, pool: Pool) -> None:
    server = serve(once(OK))

    for _ in range(3):
        assert pool.send(get(server.origin)).read() == b"ok"
        server.join_scripts()

    assert server.accepted == 3


def test_an_idle_connection_with_bytes_that_nobody_asked_for_is_not_used(serve: Serve, pool: Pool) -> None:
    more = threading.Event()
    said = threading.Event()

    def talkative(peer: Peer) -> None:
        peer.request()
        peer.send(OK)
        more.wait(WAIT_S)
        peer.send(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        said.set()
        peer.wait_closed()

    server = serve(talkative, always(OK))
    assert pool.send(get(server.origin)).read() == b"ok"
    more.set()
    said.wait(WAIT_S)

    assert pool.send(get(server.origin)).status == 200
    assert server.accepted == 2


def test_bytes_after_an_answer_end_its_connection(serve: Serve, pool: Pool) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(OK + b"HTTP/1.1 200 OK\r\n")
        peer.wait_closed()

    server = serve(script, always(OK))

    assert pool.send(get(server.origin)).read() == b"ok"
    assert pool.send(get(server.origin)).read() == b"ok"

    assert server.accepted == 2


def test_an_idle_connection_that_breaks_on_use_says_that_it_was_reused(serve: Serve, pool: Pool) -> None:
    def tired(peer: Peer) -> None:
        peer.request()
        peer.send(OK)
        peer.request()  # and no answer

    server = serve(tired)
    pool.send(get(server.origin)).read()

    with pytest.raises(NetworkError, match="closed the connection without an answer") as caught:
        pool.send(get(server.origin))

    assert (caught.value.sent, caught.value.reused) == (True, True)


def test_a_pool_keeps_at_most_64_idle_connections(serve: Serve, pool: Pool) -> None:
    server = serve(always(OK))
    responses = [pool.send(get(server.origin)) for _ in range(70)]
    for response in responses:
        response.read()

    again = [pool.send(get(server.origin)) for _ in range(70)]

    assert server.accepted == 70 + 6
    for response in again:
        response.close()


def test_a_connection_is_dropped_after_50_idle_seconds(
    serve: Serve, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(always(OK))
    clock = [1000.0]
    monkeypatch.setattr("mossaic.client.http.idle.monotonic", lambda: clock[0])

    accepted = []
    for seconds in (0, 49, 51):
        clock[0] += seconds
        pool.send(get(server.origin)).read()
        accepted.append(server.accepted)

    assert accepted == [1, 1, 2]


def test_origins_do_not_share_connections(serve: Serve, pool: Pool) -> None:
    one, other = serve(always(OK)), serve(always(EMPTY))

    for _ in range(2):
        assert pool.send(get(one.origin)).read() == b"ok"
        assert pool.send(get(other.origin)).read() == b""

    assert (one.accepted, other.accepted) == (1, 1)


def test_a_closed_pool_closes_its_connections_and_keeps_no_more(serve: Serve, pool: Pool) -> None:
    server = serve(always(OK))
    in_use = pool.send(get(server.origin))
    pool.send(get(server.origin)).read()

    pool.close()
    in_use.read()
    server.join_scripts()  # both saw their end

    assert pool.send(get(server.origin)).read() == b"ok"


def test_many_threads_share_a_pool(serve: Serve, pool: Pool) -> None:
    server = serve(always(OK))
    wrong: list[object] = []

    def work() -> None:
        for size in range(1, 50):
            with pool.send(put(server.origin, b"x" * size)) as response:
                if response.read() != b"ok":
                    wrong.append(response)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)

    assert not wrong
    assert server.accepted <= 8


def in_child(work: Callable[[], bool]) -> bool:
    """What `work` says in a forked process."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if work() else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_forked_child_leaves_the_connections_to_its_parent(serve: Serve, pool: Pool) -> None:
    server = serve(always(OK))
    scope = Scope()
    unread, cancelled = pool.send(get(server.origin)), pool.send(get(server.origin), scope=scope)
    pool.send(get(server.origin)).read()

    def work() -> bool:
        unread.close()
        scope.cancel()
        return pool.send(get(server.origin)).read() == b"ok"

    assert in_child(work)
    assert server.accepted == 3 + 1

    assert (unread.read(), cancelled.read()) == (b"ok", b"ok")
    again = [pool.send(get(server.origin)) for _ in range(3)]
    assert [response.read() for response in again] == [b"ok"] * 3
    assert server.accepted == 3 + 1


def test_a_forked_child_does_not_keep_a_connection_that_it_got_from_its_parent(
    serve: Serve, pool: Pool
) -> None:
    server = serve(always(OK))
    unread = pool.send(get(server.origin))

    def work() -> bool:
        return (unread.read(), pool.send(get(server.origin)).read()) == (b"ok", b"ok")

    assert in_child(work)
    assert server.accepted == 2
    unread.close()


# --- responses that are not read --------------------------------------------------------------------------------------


def test_a_response_closed_early_closes_its_connection(serve: Serve, pool: Pool) -> None:
    server = serve(always(OK))

    response = pool.send(get(server.origin))
    response.close()

    server.join_scripts()
    assert pool.send(get(server.origin)).read() == b"ok"
    assert server.accepted == 2
    for limit in (64, 1):
        with pytest.raises(ValueError, match="closed"):
            response.read(limit)


def test_a_response_that_is_forgotten_closes_its_connection(serve: Serve, pool: Pool) -> None:
    server = serve(always(OK))

    scope = Scope()
    response = pool.send(get(server.origin), scope=scope)
    del response  # the scope knows the connection still

    server.join_scripts()
    assert pool.send(get(server.origin)).read() == b"ok"
    assert server.accepted == 2


@pytest.mark.parametrize(("size", "connections"), [(60_000, 1), (70_000, 2), (1_000_000, 2)])
def test_discarding_reads_a_little_and_closes_before_more(
    serve: Serve, pool: Pool, size: int, connections: int
) -> None:
    server = serve(always(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (size, b"x" * size)))

    pool.send(get(server.origin)).discard()
    pool.send(get(server.origin)).close()

    assert server.accepted == connections


def test_discarding_a_body_that_is_cut_is_no_error(serve: Serve, pool: Pool) -> None:
    server = serve(once(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345"))

    pool.send(get(server.origin)).discard()


def test_closing_twice_or_after_the_end_does_nothing(serve: Serve, pool: Pool) -> None:
    server = serve(always(OK))

    with pool.send(get(server.origin)) as response:
        response.read()
        response.close()
        response.close()
        assert response.read() == b""

    assert pool.send(get(server.origin)).read() == b"ok"
    assert server.accepted == 1


# --- framing of answers -----------------------------------------------------------------------------------------------


def read_slowly(peer: Peer, answer: bytes) -> None:
    """Answer a request byte by byte."""
    peer.request()
    for place in range(len(answer)):
        peer.send(answer[place : place + 1])


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n10;name=value\r\n, chunked world!\r\n0\r\nTrailer: x\r\n\r\n"
)


@pytest.mark.parametrize("slow", [False, True])
@pytest.mark.parametrize(
    ("answer", "body"),
    [(OK, b"ok"), (CHUNKED, b"hello, chunked world!"), (EMPTY, b"")],
    ids=["sized", "chunked", "empty"],
)
def test_an_answer_is_the_same_however_it_arrives(
    serve: Serve, pool: Pool, answer: bytes, body: bytes, slow: bool
) -> None:
    def script(peer: Peer) -> None:
        while True:
            if slow:
                read_slowly(peer, answer)
            else:
                peer.request()
                peer.send(answer)

    server = serve(script)

    assert [pool.send(get(server.origin)).read() for _ in range(3)] == [body] * 3
    assert server.accepted == 1


def test_a_large_chunked_answer_is_received_piece_by_piece(serve: Serve, pool: Pool) -> None:
    data = os.urandom(3_000_000)
    sizes = [1, 5, 100_000, 2_000_000, 900_000 - 6]

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        start = 0
        for size in sizes:
            peer.send(b"%X\r\n%b\r\n" % (size, data[start : start + size]))
            start += size
        peer.send(b"0\r\n\r\n")
        peer.wait_closed()

    server = serve(script)
    buffer = memoryview(bytearray(50_000))
    found = b""

    with pool.send(get(server.origin)) as response:
        assert response.length is None
        while count := response.readinto(buffer):
            found += buffer[:count]
        assert response.readinto(buffer) == 0

    assert found == data


def test_a_large_answer_is_received_straight_into_the_buffer(serve: Serve, pool: Pool) -> None:
    data = os.urandom(3_000_000)
    server = serve(always(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(data), data)))
    whole = bytearray(len(data) + 10)
    view, filled = memoryview(whole), 0

    with pool.send(get(server.origin)) as response:
        assert response.length == len(data)
        while count := response.readinto(view[filled:]):
            filled += count

    assert whole[:filled] == data
    assert pool.send(get(server.origin)).read() == data
    assert server.accepted == 1


def test_an_answer_without_length_ends_with_its_connection(serve: Serve, pool: Pool) -> None:
    server = serve(once(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000))

    for _ in range(2):
        response = pool.send(get(server.origin))
        assert (response.length, response.read()) == (None, b"x" * 100_000)

    assert server.accepted == 2


def test_a_server_that_says_close_is_believed(serve: Serve, pool: Pool) -> None:
    server = serve(always(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"))

    for _ in range(2):
        assert pool.send(get(server.origin)).read() == b"ok"

    assert server.accepted == 2


def test_chunked_wins_over_a_length_and_ends_the_connection(serve: Serve, pool: Pool) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
    server = serve(always(head + b"5\r\nhello\r\n0\r\n\r\n"))

    for _ in range(2):
        assert pool.send(get(server.origin)).read() == b"hello"

    assert server.accepted == 2


@pytest.mark.parametrize(
    ("method", "status"), [("HEAD", b"200 OK"), ("GET", b"204 No Content"), ("GET", b"304 Not Modified")]
)
def test_answers_without_a_body_leave_the_connection_usable(
    serve: Serve, pool: Pool, method: str, status: bytes
) -> None:
    server = serve(always(b"HTTP/1.1 %b\r\nContent-Length: 1000\r\n\r\n" % status))

    for _ in range(2):
        response = pool.send(get(server.origin, method=method))
        assert (response.headers["content-length"], response.length, response.read()) == ("1000", 0, b"")

    assert server.accepted == 1


def test_interim_answers_are_skipped(serve: Serve, pool: Pool) -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    server = serve(always(interim + OK))

    for _ in range(2):
        response = pool.send(get(server.origin))
        assert (response.status, response.headers, response.read()) == (200, {"content-length": "2"}, b"ok")

    assert server.accepted == 1


def test_a_head_may_be_long_but_not_endless(serve: Serve, pool: Pool) -> None:
    fields = [b"X-%d: %b\r\n" % (number, b"v" * 600) for number in range(100)]
    server = serve(always(b"HTTP/1.1 200 OK\r\n" + b"".join(fields) + b"Content-Length: 2\r\n\r\nok"))

    for _ in range(2):
        response = pool.send(get(server.origin))
        assert (response.headers["x-99"], response.read()) == ("v" * 600, b"ok")

    assert server.accepted == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 200 OK\r\nX: " + b"v" * 70_000 + b"\r\n\r\n", "longer than 65536 bytes"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"v" * 80_000, "longer than 65536 bytes"),
        (b"HTTP/1.1 200 OK" + b"\r\nX: v" * 300 + b"\r\n\r\n", "more than 200 fields"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "does not speak HTTP"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\nA: b\n\r\n\r\n", "line feed"),
    ],
)
def test_what_is_no_answer_is_refused(serve: Serve, pool: Pool, answer: bytes, words: str) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(answer)
        peer.wait_closed()

    server = serve(script)

    with pytest.raises(NetworkError, match=words) as caught:
        pool.send(get(server.origin))

    assert caught.value.sent


@pytest.mark.parametrize(
    "body",
    [
        b"hello",
        b"5\r\nhello",
        b"5\r\nhello\r\n",
        b"5\r\nhello\r\n0\r\n",
        b"5\r\nhello\r\n0\r\nTrailer",
        b"5\r\nhelloX\r\n0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"\r\n\r\n",
        b"5" * 5000,
        b"5;" + b"x" * 5000 + b"\r\nhello\r\n0\r\n\r\n",
        b"0\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
    ],
)
def test_a_chunked_answer_that_is_cut_or_malformed_is_refused(serve: Serve, pool: Pool, body: bytes) -> None:
    server = serve(once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body))
    response = pool.send(get(server.origin))

    with pytest.raises(NetworkError, match=r"truncated|not understood"):
        response.read()


def test_an_answer_longer_than_the_limit_is_refused(serve: Serve, pool: Pool) -> None:
    sized = serve(always(OK))
    chunked = serve(always(CHUNKED))

    for server in (sized, chunked):
        with pytest.raises(NetworkError, match="more than 1 bytes"):
            pool.send(get(server.origin)).read(1)
        assert pool.send(get(server.origin)).read(21)
        assert server.accepted == 2


# --- connections that break -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer", [b"", b"HT", b"HTTP/1.1 200 OK\r\nContent-", b"HTTP/1.1 100 Continue\r\n\r\n"]
)
def test_a_cut_in_the_head_is_an_error(serve: Serve, pool: Pool, answer: bytes) -> None:
    server = serve(once(answer))

    with pytest.raises(NetworkError, match="closed the connection without an answer") as caught:
        pool.send(get(server.origin))

    assert (caught.value.sent, caught.value.reused) == (True, False)


def test_a_cut_in_the_body_is_an_error(serve: Serve, pool: Pool) -> None:
    server = serve(once(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345"))
    response = pool.send(get(server.origin))
    buffer = memoryview(bytearray(10))

    assert response.readinto(buffer) == 5
    with pytest.raises(NetworkError, match="5 bytes too early") as caught:
        response.readinto(buffer[5:])

    assert caught.value.sent


def test_a_reset_in_the_body_is_an_error(serve: Serve, pool: Pool) -> None:
    go = threading.Event()

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
        go.wait(WAIT_S)
        peer.reset()

    server = serve(script)
    response = pool.send(get(server.origin))
    buffer = memoryview(bytearray(10))
    assert response.readinto(buffer) == 5
    go.set()

    with pytest.raises(NetworkError, match="reset"):
        response.readinto(buffer[5:])


def test_a_refused_connection_sent_nothing(pool: Pool) -> None:
    closed = ScriptedServer(always(OK))
    origin = closed.origin
    closed.close()

    with pytest.raises(NetworkError, match=f"no connection to 127.0.0.1:{origin.port}.*refused") as caught:
        pool.send(put(origin, b"data"))

    assert (caught.value.sent, caught.value.reused) == (False, False)


def test_a_name_that_does_not_exist_is_said(pool: Pool) -> None:
    with pytest.raises(NetworkError, match=r"host nowhere\.invalid is not found") as caught:
        pool.send(get(Origin(False, "nowhere.invalid", 80)))

    assert not caught.value.sent


def test_a_host_that_is_no_name_is_said(pool: Pool) -> None:
    with pytest.raises(NetworkError, match="is not found"):
        pool.send(get(Origin(False, "a" * 70 + ".example", 80)))


def test_every_address_of_a_host_is_tried(serve: Serve, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(always(OK))
    real = socket.getaddrinfo

    def two(host: str, port: int, **options: object) -> list[object]:
        assert host == "two.example"
        return [
            *real("127.0.0.99", port, type=socket.SOCK_STREAM),
            *real("127.0.0.1", port, type=socket.SOCK_STREAM),
        ]

    monkeypatch.setattr(socket, "getaddrinfo", two)

    assert pool.send(get(Origin(False, "two.example", server.port))).read() == b"ok"


def test_an_ipv6_literal_is_an_origin(serve: Serve, pool: Pool) -> None:
    try:
        server = serve(always(OK), host="::1")
    except OSError:
        pytest.skip("this machine has no ::1")

    assert server.origin.authority == f"[::1]:{server.port}"
    assert pool.send(get(server.origin)).read() == b"ok"


# --- requests that cannot be sent -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "field"),
    [
        ("/a\r\nX: y", ("A", "b")),
        ("/", ("A\r\nB", "c")),
        ("/", ("A", "b\r\nX: y")),
        ("/", ("A", "\0")),
        ("a", ("A", "b")),
    ],
)
def test_an_injection_is_refused_before_a_connection_is_made(
    serve: Serve, pool: Pool, target: str, field: tuple[str, str]
) -> None:
    server = serve(always(OK))

    with pytest.raises(ValueError):
        pool.send(get(server.origin, target, field))

    assert server.accepted == 0


@pytest.mark.parametrize(
    ("chunks", "length", "words"),
    [
        ([b"12345"], 6, "ended 1 bytes before"),
        ([], 6, "ended 6 bytes before"),
        ([b"1", b"2345"], 6, "ended 1 bytes before"),
        ([b"12345"], 4, "1 bytes longer"),
        ([b"12345"], 0, "5 bytes longer"),
        ([b"123", b"45"], 4, "1 bytes longer"),
        ([b"123", b"4", b"5"], 4, "1 bytes longer"),
    ],
)
def test_a_body_of_another_length_than_it_says_spoils_nothing(
    serve: Serve, pool: Pool, chunks: list[bytes], length: int, words: str
) -> None:
    seen: list[bytes] = []

    def script(peer: Peer) -> None:
        while True:
            seen.append(peer.request()[1])
            peer.send(OK)

    server = serve(script)
    pool.send(get(server.origin)).read()
    body = Chunks(chunks, length)

    with pytest.raises(ValueError, match=words):
        pool.send(put(server.origin, body))

    assert body.closed or not chunks
    assert pool.send(put(server.origin, b"fine")).read() == b"ok"
    assert b"fine" in seen
    assert set(seen) <= {
        b"",
        b"fine",
        b"1234",
    }  # what is too long is noticed after the last good chunk was sent


def test_a_view_of_larger_items_is_refused(serve: Serve, pool: Pool) -> None:
    server = serve(always(OK))
    words = memoryview(bytes(40)).cast("I")

    with pytest.raises(ValueError, match="larger items"):
        pool.send(put(server.origin, Chunks([words], 10)))

    assert pool.send(put(server.origin, BytesBody(words))).read() == b"ok"


def test_what_a_body_raises_passes_through_and_ends_the_connection(serve: Serve, pool: Pool) -> None:
    server = serve(always(OK))

    def broken():
        yield b"123"
        raise BlockingIOError("the disk, not the network")

    with pytest.raises(BlockingIOError, match="the disk"):
        pool.send(put(server.origin, Chunks(broken(), 6)))

    assert pool.send(put(server.origin, b"fine")).read() == b"ok"


def test_time_limits_may_be_endless(serve: Serve) -> None:
    server = serve(always(OK))
    pool = Pool(timeout=Timeout(connect=float("inf"), idle=float("inf")), proxy="")

    assert pool.send(put(server.origin, b"data")).read() == b"ok"
    pool.close()


def test_a_pool_refuses_what_it_cannot_use() -> None:
    with pytest.raises(ValueError, match="http://host:port"):
        Pool(timeout=Timeout(), proxy="socks5://127.0.0.1:1080")
    with pytest.raises(OSError):
        Pool(timeout=Timeout(), verify="/nowhere/ca.pem")
