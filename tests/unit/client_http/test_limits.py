"""Nothing waits for ever: time limits, deadlines, and cancelling from another thread."""

from __future__ import annotations

import contextlib
import gc
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from mossaic.client.errors import Cancelled, ConnectionTimeoutError, DeadlineExceeded
from mossaic.client.http import Origin, Pool, Scope
from mossaic.client.options import Timeout
from tests.unit.client_http.server import OK, WAIT_S, Chunks, Peer, ScriptedServer, always, get, promptly, put
from tests.unit.client_http.test_upload import FAR_TOO_BIG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Serve = Callable[..., ScriptedServer]


@pytest.fixture
def hurried() -> Iterator[Pool]:
    """A pool with short limits."""
    made = Pool(timeout=Timeout(connect=0.3, idle=0.3), proxy="")
    yield made
    made.close()


@pytest.fixture
def full() -> Iterator[Origin]:
    """A listener whose queue is full: the kernel lets further connections wait."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    waiting = []
    for _ in range(20):
        sock = socket.socket()
        sock.settimeout(0.2)
        waiting.append(sock)
        with contextlib.suppress(TimeoutError):
            sock.connect(listener.getsockname())
            continue
        break
    yield Origin(False, *listener.getsockname())
    for sock in [listener, *waiting]:
        sock.close()


def silent(peer: Peer) -> None:
    """Reads and says nothing."""
    peer.wait_closed()


def half(peer: Peer) -> None:
    """Half an answer."""
    peer.request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
    peer.wait_closed()


# --- time limits ------------------------------------------------------------------------------------------------------


def test_a_connection_that_is_not_made_in_time_is_given_up(hurried: Pool, full: Origin) -> None:
    with (
        promptly(),
        pytest.raises(ConnectionTimeoutError, match=r"no connection to .* within 0.3 s; reduce") as caught,
    ):
        hurried.send(get(full))

    assert not caught.value.sent


def test_silence_before_the_answer_has_a_limit(serve: Serve, hurried: Pool) -> None:
    server = serve(silent)

    with promptly(), pytest.raises(ConnectionTimeoutError, match=r"sent nothing for 0.3 s; reduce") as caught:
        hurried.send(get(server.origin))

    assert caught.value.sent


def test_silence_in_an_answer_has_a_limit(serve: Serve, hurried: Pool) -> None:
    server = serve(half)
    response = hurried.send(get(server.origin))

    with promptly(), pytest.raises(ConnectionTimeoutError, match=r"sent nothing for 0.3 s"):
        response.read()


def test_a_server_that_takes_nothing_more_has_a_limit(serve: Serve, hurried: Pool) -> None:
    done = threading.Event()

    def script(peer: Peer) -> None:
        peer.head()
        done.wait(WAIT_S)

    server = serve(script)

    with promptly(), pytest.raises(ConnectionTimeoutError, match=r"took no more of the request for 0.3 s"):
        hurried.send(put(server.origin, Chunks([bytes(FAR_TOO_BIG)], FAR_TOO_BIG)))
    done.set()


# --- deadlines --------------------------------------------------------------------------------------------------------


def soon() -> float:
    return time.monotonic() + 0.3


def test_a_deadline_ends_connecting(pool: Pool, full: Origin) -> None:
    with promptly(), pytest.raises(DeadlineExceeded):
        pool.send(get(full), deadline=soon())


def test_a_deadline_ends_waiting_for_the_answer(serve: Serve, pool: Pool) -> None:
    server = serve(silent)

    with promptly(), pytest.raises(DeadlineExceeded):
        pool.send(get(server.origin), deadline=soon())


def test_a_deadline_ends_reading(serve: Serve, pool: Pool) -> None:
    server = serve(half)
    response = pool.send(get(server.origin), deadline=soon())

    with promptly(), pytest.raises(DeadlineExceeded):
        response.read()


def test_a_deadline_ends_sending(serve: Serve, pool: Pool) -> None:
    done = threading.Event()

    def script(peer: Peer) -> None:
        peer.head()
        done.wait(WAIT_S)

    server = serve(script)

    with promptly(), pytest.raises(DeadlineExceeded):
        pool.send(put(server.origin, Chunks([bytes(FAR_TOO_BIG)], FAR_TOO_BIG)), deadline=soon())
    done.set()


def test_a_deadline_in_the_past_sends_nothing(serve: Serve, pool: Pool) -> None:
    server = serve(always(OK))
    pool.send(get(server.origin)).read()

    for _ in range(2):  # by the idle connection, and by a new one
        with pytest.raises(DeadlineExceeded):
            pool.send(get(server.origin), deadline=time.monotonic() - 1)


def test_a_deadline_leaves_nothing_behind_on_its_connection(serve: Serve, pool: Pool) -> None:
    server = serve(always(OK))
    pool.send(get(server.origin), deadline=time.monotonic() + 0.5).read()
    asked, go = threading.Event(), threading.Event()

    def later() -> None:
        asked.wait(WAIT_S)
        go.wait(0.7)  # longer than the old deadline: this is the slowness itself
        go.set()

    def chunks() -> Iterator[bytes]:
        yield b"1"
        asked.set()
        go.wait(WAIT_S)
        yield b"2"

    helper = threading.Thread(target=later)
    helper.start()
    assert pool.send(put(server.origin, Chunks(chunks(), 2))).read() == b"ok"
    helper.join()
    assert server.accepted == 1


# --- cancelling -------------------------------------------------------------------------------------------------------


def test_a_cancelled_scope_sends_nothing(serve: Serve, pool: Pool) -> None:
    server = serve(always(OK))
    scope = Scope()
    scope.cancel()
    scope.cancel()

    with pytest.raises(Cancelled):
        pool.send(get(server.origin), scope=scope)
    with pytest.raises(Cancelled):
        scope.check()

    assert (scope.cancelled, server.accepted) == (True, 0)


def test_cancelling_ends_a_send_that_is_stuck(serve: Serve, pool: Pool) -> None:
    scope = Scope()

    def script(peer: Peer) -> None:
        peer.head()  # it left with the first of the body, so the client is in that send
        scope.cancel()
        peer.wait_closed()

    server = serve(script)
    body = Chunks([bytes(FAR_TOO_BIG)], FAR_TOO_BIG)

    with promptly(), pytest.raises(Cancelled):
        pool.send(put(server.origin, body), scope=scope)

    assert body.closed


def test_cancelling_ends_a_send_between_chunks(serve: Serve, pool: Pool) -> None:
    server = serve(silent)
    scope = Scope()

    def chunks() -> Iterator[bytes]:
        yield b"x"
        scope.cancel()
        yield b"x"
        pytest.fail("went on")

    with promptly(), pytest.raises(Cancelled):
        pool.send(put(server.origin, Chunks(chunks(), 3)), scope=scope)


def test_cancelling_ends_the_wait_for_an_answer(serve: Serve, pool: Pool) -> None:
    scope = Scope()

    def script(peer: Peer) -> None:
        peer.request()
        scope.cancel()
        peer.wait_closed()

    server = serve(script)

    with promptly(), pytest.raises(Cancelled):
        pool.send(put(server.origin, b"data"), scope=scope)


def test_cancelling_ends_the_reading_of_an_answer(serve: Serve, pool: Pool) -> None:
    scope = Scope()
    reading = threading.Event()

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
        reading.wait(WAIT_S)
        scope.cancel()
        peer.wait_closed()

    server = serve(script)
    response = pool.send(get(server.origin), scope=scope)
    buffer = memoryview(bytearray(10))
    assert response.readinto(buffer) == 5
    reading.set()

    with promptly(), pytest.raises(Cancelled):
        response.readinto(buffer)


def test_cancelling_ends_an_answer_that_ends_with_its_connection(serve: Serve, pool: Pool) -> None:
    """What looks like the end of such a body is the cancel."""
    scope = Scope()

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n12345")
        reading.wait(WAIT_S)
        scope.cancel()
        peer.wait_closed()

    reading = threading.Event()
    server = serve(script)
    response = pool.send(get(server.origin), scope=scope)
    buffer = memoryview(bytearray(10))
    assert response.readinto(buffer) == 5
    reading.set()

    with promptly(), pytest.raises(Cancelled):
        response.readinto(buffer)


def test_cancelling_ends_connecting(pool: Pool, full: Origin) -> None:
    scope = Scope()
    timer = threading.Timer(0.2, scope.cancel)
    timer.start()

    with promptly(), pytest.raises(Cancelled):
        pool.send(get(full), scope=scope)
    timer.join()


@pytest.fixture
def slow_names(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A resolver that does not answer; set when it was asked."""
    asked, over = threading.Event(), threading.Event()

    def resolve(*_: object, **__: object) -> list[object]:
        asked.set()
        over.wait(WAIT_S)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    yield asked
    over.set()


def test_cancelling_ends_the_search_for_a_name(pool: Pool, slow_names: threading.Event) -> None:
    scope = Scope()

    def cancel() -> None:
        slow_names.wait(WAIT_S)
        scope.cancel()

    helper = threading.Thread(target=cancel)
    helper.start()
    with promptly(), pytest.raises(Cancelled):
        pool.send(get(Origin(False, "slow.example", 80)), scope=scope)
    helper.join()


def test_the_search_for_a_name_has_a_limit(pool: Pool, hurried: Pool, slow_names: threading.Event) -> None:
    origin = Origin(False, "slow.example", 80)

    with promptly(), pytest.raises(ConnectionTimeoutError, match=r"name slow\.example within 0.3 s"):
        hurried.send(get(origin))
    with promptly(), pytest.raises(DeadlineExceeded):
        pool.send(get(origin), deadline=soon())


def test_a_scope_is_cancelled_with_its_parent_but_not_with_its_child(serve: Serve, pool: Pool) -> None:
    server = serve(always(OK))
    parent = Scope()
    child, other = Scope(parent=parent), Scope(parent=parent)

    child.cancel()
    assert (child.cancelled, other.cancelled, parent.cancelled) == (True, False, False)
    assert pool.send(get(server.origin), scope=other).read() == b"ok"

    parent.cancel()
    assert other.cancelled
    assert Scope(parent=parent).cancelled


def test_cancelling_a_parent_ends_what_runs_in_a_child(serve: Serve, pool: Pool) -> None:
    parent = Scope()

    def script(peer: Peer) -> None:
        peer.request()
        parent.cancel()
        peer.wait_closed()

    server = serve(script)

    with promptly(), pytest.raises(Cancelled):
        pool.send(get(server.origin), scope=Scope(parent=Scope(parent=parent)))


def test_a_scope_forgets_its_children_and_its_connections(serve: Serve, pool: Pool) -> None:
    server = serve(always(OK))
    parent = Scope()
    for _ in range(10):
        pool.send(get(server.origin), scope=Scope(parent=parent)).read()
    gc.collect()

    parent.cancel()

    assert pool.send(get(server.origin)).read() == b"ok"
    assert server.accepted == 1
    assert not list(parent._children)
