"""Bodies on their way out: whole, chunked, answered early, cut."""

from __future__ import annotations

import os
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from mossaic.client.errors import ConnectionTimeoutError, NetworkError
from mossaic.client.http import BytesBody, Pool
from mossaic.client.options import Timeout
from tests.unit.client_http.server import EMPTY, OK, WAIT_S, Chunks, Peer, ScriptedServer, promptly, put

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Serve = Callable[..., ScriptedServer]

REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\n<Error"
FAR_TOO_BIG = 64 << 20  # bytes that no socket buffer takes: a send of them blocks while nobody reads


def keep(into: list[bytes]) -> Callable[[Peer], None]:
    """Answers every request and keeps the bodies."""

    def script(peer: Peer) -> None:
        while True:
            head = peer.head()
            if "chunked" in head:
                into.append(b"".join(peer.chunks()))
            else:
                length = next(line for line in head.split("\r\n") if line.startswith("Content-Length:"))
                into.append(peer.read(int(length.split()[1])))
            peer.send(EMPTY)

    return script


# --- what arrives -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 1000, 262_144, 262_145, 5_000_000])
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_arrive_as_they_are(serve: Serve, pool: Pool, size: int, kind: type) -> None:
    seen: list[bytes] = []
    server = serve(keep(seen))
    data = os.urandom(size)

    for _ in range(2):
        assert pool.send(put(server.origin, BytesBody(kind(data)))).status == 200

    assert seen == [data, data]
    assert server.accepted == 1


def test_bytes_are_given_out_in_views_of_256_kib() -> None:
    body = BytesBody(bytes(600_000))

    assert body.length == 600_000
    assert [(type(chunk), len(chunk)) for chunk in body.chunks()] == [
        (memoryview, 262_144),
        (memoryview, 262_144),
        (memoryview, 75_712),
    ]


@pytest.mark.parametrize("length", ["said", "unknown"])
@pytest.mark.parametrize("sizes", [[], [0], [1], [0, 1, 0, 2, 0], [300_000, 1, 70_000], [3_000_000]], ids=str)
def test_chunks_arrive_in_order(serve: Serve, pool: Pool, sizes: list[int], length: str) -> None:
    seen: list[bytes] = []
    server = serve(keep(seen))
    chunks = [os.urandom(size) for size in sizes]

    for _ in range(2):
        body = Chunks(chunks, sum(sizes) if length == "said" else None)
        assert pool.send(put(server.origin, body)).status == 200
        assert body.asked == len(sizes)

    assert seen == [b"".join(chunks)] * 2
    assert server.accepted == 1


def test_a_buffer_may_be_used_again_for_the_next_chunk(serve: Serve, pool: Pool) -> None:
    seen: list[bytes] = []
    server = serve(keep(seen))
    buffer = bytearray(100_000)

    def chunks() -> Iterator[bytes]:
        for number in range(20):
            buffer[:] = bytes([number]) * len(buffer)
            yield buffer  # type: ignore[misc]

    pool.send(put(server.origin, Chunks(chunks(), 2_000_000)))

    assert seen == [b"".join(bytes([number]) * 100_000 for number in range(20))]


def test_a_slow_reader_gets_everything(serve: Serve) -> None:
    """Sends that are stuck for longer than their slice go on where they were."""
    pool = Pool(timeout=Timeout(idle=3.0), proxy="")
    data = os.urandom(FAR_TOO_BIG)
    seen = bytearray()
    rest = threading.Event()

    def slow(peer: Peer) -> None:
        peer.head()
        for _ in range(2):
            rest.wait(1.2)  # the slowness itself: longer than a slice, far shorter than the idle limit
            seen.extend(peer.read(1 << 20))
        while len(seen) < len(data):
            seen.extend(peer.read(min(1 << 20, len(data) - len(seen))))
        peer.send(EMPTY)

    server = serve(slow)

    assert pool.send(put(server.origin, Chunks([data], len(data)))).status == 200
    assert seen == data


def test_what_the_kernel_still_sends_is_no_silence(serve: Serve) -> None:
    """The body was handed over in a moment; a slow line takes longer for it than the idle limit."""
    pool = Pool(timeout=Timeout(idle=0.6), proxy="")
    rest = threading.Event()

    def slow(peer: Peer) -> None:
        peer.head()
        for _ in range(24):
            rest.wait(0.06)  # this is the slowness itself
            peer.read(128 << 10)
        peer.send(EMPTY)

    server = serve(slow, room=256 << 10)

    assert pool.send(put(server.origin, bytes(3 << 20))).status == 200
    pool.close()


def test_silence_is_counted_from_what_the_kernel_sent_last(serve: Serve) -> None:
    """All that was left goes out shortly before the idle limit; the server then has the whole of it for its answer."""
    pool = Pool(timeout=Timeout(idle=2.0), proxy="")
    rest = threading.Event()

    def late(peer: Peer) -> None:
        peer.head()
        rest.wait(1.2)
        peer.read(1 << 20)
        rest.wait(1.2)
        peer.send(EMPTY)

    server = serve(late, room=128 << 10)

    assert pool.send(put(server.origin, bytes(1 << 20))).status == 200
    pool.close()


def test_a_server_that_takes_no_more_is_silent(serve: Serve) -> None:
    """It has read the head, and the rest is with the kernel for ever."""
    pool = Pool(timeout=Timeout(idle=0.3), proxy="")
    done = threading.Event()

    def stuck(peer: Peer) -> None:
        peer.head()
        done.wait(WAIT_S)

    server = serve(stuck, room=128 << 10)

    with (
        promptly(),
        pytest.raises(ConnectionTimeoutError, match=r"(sent nothing|took no more of the request) for 0.3 s"),
    ):
        pool.send(put(server.origin, bytes(1 << 20)))
    done.set()
    pool.close()


# --- early answers ----------------------------------------------------------------------------------------------------


def test_a_refusal_between_chunks_ends_the_sending(serve: Serve, pool: Pool) -> None:
    refused = threading.Event()

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(REFUSED)
        refused.set()
        peer.wait_closed()

    def chunks() -> Iterator[bytes]:
        yield b"x" * 1000
        refused.wait(WAIT_S)
        while True:
            yield b"x" * 1000

    server = serve(script)
    body = Chunks(chunks(), 1 << 40)

    response = pool.send(put(server.origin, body))

    assert (response.status, response.read()) == (403, b"<Error")
    assert (body.asked, body.closed) == (2, True)
    server.join_scripts()  # the connection is closed: half a request stands on it


def test_a_refusal_is_heard_while_a_send_is_stuck(serve: Serve, pool: Pool) -> None:
    """The server reads no more, but does not close either."""
    done = threading.Event()

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(REFUSED)
        done.wait(WAIT_S)

    server = serve(script)

    with promptly():
        response = pool.send(put(server.origin, Chunks([bytes(FAR_TOO_BIG)], FAR_TOO_BIG)))
    done.set()

    assert (response.status, response.read()) == (403, b"<Error")


def test_a_refusal_is_read_after_the_connection_broke(serve: Serve, pool: Pool) -> None:
    """The server answers and closes at once, which is a reset for those who are still sending."""

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(REFUSED)

    server = serve(script)

    response = pool.send(put(server.origin, Chunks([bytes(FAR_TOO_BIG)], FAR_TOO_BIG)))

    assert (response.status, response.read()) == (403, b"<Error")


def test_a_refusal_is_read_when_the_next_chunk_finds_the_connection_broken(
    serve: Serve, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It came just after the last look."""
    monkeypatch.setattr("mossaic.client.http.connection._LOOK_S", 1000.0)
    refuse, closed = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        peer.head()
        refuse.wait(WAIT_S)
        peer.send(REFUSED)
        peer.sock.close()
        closed.set()

    def chunks() -> Iterator[bytes]:
        yield b"x" * 1000
        yield b"x" * 1000
        refuse.set()
        closed.wait(WAIT_S)
        while True:
            yield b"x" * 1000

    server = serve(script)
    body = Chunks(chunks(), 1 << 40)

    response = pool.send(put(server.origin, body))

    assert (response.status, response.read()) == (403, b"<Error")
    assert body.asked < 10


def test_a_refusal_ends_a_chunked_body(serve: Serve, pool: Pool) -> None:
    refused = threading.Event()

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(REFUSED)
        refused.set()
        peer.wait_closed()

    def chunks() -> Iterator[bytes]:
        yield b"x" * 1000
        refused.wait(WAIT_S)
        while True:
            yield b"x" * 1000

    server = serve(script)
    body = Chunks(chunks(), None)

    assert pool.send(put(server.origin, body)).read() == b"<Error"
    assert body.asked == 2
    server.join_scripts()


@pytest.mark.parametrize(
    "early", [b"HTTP/1.1 100 Continue\r\n\r\n", OK, OK[:10]], ids=["interim", "success", "half"]
)
def test_other_early_words_do_not_end_the_sending(serve: Serve, pool: Pool, early: bytes) -> None:
    said = threading.Event()
    late = OK.removeprefix(early)

    def script(peer: Peer) -> None:
        head = peer.head()
        peer.send(early)
        said.set()
        assert peer.read(3_000) == b"x" * 3_000, head
        if early != OK:
            peer.send(late)
        peer.request()
        peer.send(OK)

    def chunks() -> Iterator[bytes]:
        yield b"x" * 1000
        said.wait(WAIT_S)
        yield b"x" * 1000
        yield b"x" * 1000

    server = serve(script)

    assert pool.send(put(server.origin, Chunks(chunks(), 3_000))).read() == b"ok"
    assert pool.send(put(server.origin, b"again")).read() == b"ok"
    assert server.accepted == 1


def test_early_words_that_are_no_http_are_an_error(serve: Serve, pool: Pool) -> None:
    def script(peer: Peer) -> None:
        peer.head()
        peer.send(b"what?")
        peer.wait_closed()

    server = serve(script)

    with pytest.raises(NetworkError, match="does not speak HTTP"):
        pool.send(put(server.origin, Chunks([bytes(FAR_TOO_BIG)], FAR_TOO_BIG)))


# --- cuts -------------------------------------------------------------------------------------------------------------


def test_a_reset_in_mid_send_is_an_error(serve: Serve, pool: Pool) -> None:
    def script(peer: Peer) -> None:
        peer.head()
        peer.read(1000)
        peer.reset()

    server = serve(script)

    with pytest.raises(NetworkError, match="broke the connection while the request was being sent") as caught:
        pool.send(put(server.origin, Chunks([bytes(FAR_TOO_BIG)], FAR_TOO_BIG)))

    assert (caught.value.sent, caught.value.reused) == (True, False)


def test_a_server_that_ends_its_side_in_mid_send_is_an_error(serve: Serve, pool: Pool) -> None:
    ended = threading.Event()

    def script(peer: Peer) -> None:
        peer.head()
        peer.sock.shutdown(socket.SHUT_WR)
        ended.set()
        peer.wait_closed()

    def chunks() -> Iterator[bytes]:
        yield b"x" * 1000
        ended.wait(WAIT_S)
        while True:
            yield b"x" * 1000

    server = serve(script)

    with pytest.raises(NetworkError, match="closed the connection while the request was being sent"):
        pool.send(put(server.origin, Chunks(chunks(), 1 << 40)))


def test_a_success_that_did_not_wait_for_the_body_and_closed_is_an_error(serve: Serve, pool: Pool) -> None:
    def script(peer: Peer) -> None:
        peer.head()
        peer.send(OK)

    server = serve(script)

    with pytest.raises(NetworkError, match="while the request was being sent"):
        pool.send(put(server.origin, Chunks([bytes(FAR_TOO_BIG)], FAR_TOO_BIG)))
