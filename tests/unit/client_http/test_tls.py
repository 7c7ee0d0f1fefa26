"""The same over TLS, and whom it trusts."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any

import pytest

from mossaic.client.errors import Cancelled, ConnectionTimeoutError, NetworkError
from mossaic.client.http import Origin, Pool, Scope
from mossaic.client.options import Timeout
from tests.unit.client_http.server import OK, WAIT_S, Chunks, Peer, ScriptedServer, always, get, promptly, put
from tests.unit.client_http.test_limits import half, silent
from tests.unit.client_http.test_upload import FAR_TOO_BIG, REFUSED, keep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Serve = Callable[..., ScriptedServer]


@pytest.fixture
def trusting(certificate: dict[str, str]) -> Iterator[Pool]:
    """A pool that trusts the test's certificate."""
    made = Pool(timeout=Timeout(connect=WAIT_S, idle=WAIT_S), verify=certificate["TLS_CERTIFICATE"], proxy="")
    yield made
    made.close()


def test_a_self_signed_certificate_is_refused(serve: Serve, pool: Pool, tls: ssl.SSLContext) -> None:
    server = serve(always(OK), tls=tls)

    with pytest.raises(
        NetworkError, match=r"certificate of 127.0.0.1:.* is not trusted: self.signed"
    ) as caught:
        pool.send(put(server.origin, b"secret"))

    assert not caught.value.sent


def test_a_certificate_of_another_host_is_refused(serve: Serve, trusting: Pool, tls: ssl.SSLContext) -> None:
    server = serve(always(OK), tls=tls)

    with pytest.raises(NetworkError, match="is not trusted: Hostname mismatch"):
        trusting.send(get(Origin(True, "localhost", server.port)))


def test_a_connection_is_used_again(serve: Serve, trusting: Pool, tls: ssl.SSLContext) -> None:
    server = serve(always(OK), tls=tls)

    for _ in range(3):
        assert trusting.send(get(server.origin)).read() == b"ok"

    assert server.accepted == 1


def test_verification_can_be_given_up(serve: Serve, tls: ssl.SSLContext) -> None:
    server = serve(always(OK), tls=tls)
    pool = Pool(timeout=Timeout(), verify=False, proxy="")

    assert pool.send(get(server.origin)).read() == b"ok"
    pool.close()


def test_a_context_of_the_caller_is_used(
    serve: Serve, tls: ssl.SSLContext, certificate: dict[str, str]
) -> None:
    server = serve(always(OK), tls=tls)
    context = ssl.create_default_context(cafile=certificate["TLS_CERTIFICATE"])
    pool = Pool(timeout=Timeout(), verify=context, proxy="")

    assert pool.send(get(server.origin)).read() == b"ok"
    pool.close()


def test_a_file_without_certificates_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("nothing")

    with pytest.raises(ValueError, match="holds no certificates"):
        Pool(timeout=Timeout(), verify=str(file))


def test_a_server_that_speaks_no_tls_is_said(serve: Serve, pool: Pool) -> None:
    def plain(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        peer.wait_closed()

    server = serve(plain)

    with pytest.raises(NetworkError, match=r"TLS with 127.0.0.1:.* failed: wrong version number") as caught:
        pool.send(get(server.origin._replace(secure=True)))

    assert not caught.value.sent


def test_a_server_that_says_nothing_times_out(serve: Serve) -> None:
    pool = Pool(timeout=Timeout(connect=0.3), verify=False, proxy="")
    server = serve(silent)

    with promptly(), pytest.raises(ConnectionTimeoutError, match=r"no TLS with .* within 0.3 s"):
        pool.send(get(server.origin._replace(secure=True)))


def test_a_server_that_closes_in_the_handshake_is_said(serve: Serve, pool: Pool) -> None:
    server = serve(lambda peer: peer.sock.recv(10))

    with pytest.raises(NetworkError, match=r"TLS with .* failed|broke the TLS handshake"):
        pool.send(get(server.origin._replace(secure=True)))


@pytest.mark.parametrize("length", ["said", "unknown"])
@pytest.mark.parametrize("sizes", [[], [1], [100], [20_000], [300_000, 1, 70_000], [5_000_000]], ids=str)
def test_bodies_arrive_as_they_are(
    serve: Serve, trusting: Pool, tls: ssl.SSLContext, sizes: list[int], length: str
) -> None:
    seen: list[bytes] = []
    server = serve(keep(seen), tls=tls)
    chunks = [os.urandom(size) for size in sizes]

    for _ in range(2):
        trusting.send(put(server.origin, Chunks(chunks, sum(sizes) if length == "said" else None)))

    assert seen == [b"".join(chunks)] * 2
    assert server.accepted == 1


def test_a_slow_reader_gets_everything(
    serve: Serve, tls: ssl.SSLContext, certificate: dict[str, str]
) -> None:
    """A record that did not go in time is sent again as OpenSSL wants it."""
    pool = Pool(timeout=Timeout(connect=WAIT_S, idle=3.0), verify=certificate["TLS_CERTIFICATE"], proxy="")
    data = os.urandom(FAR_TOO_BIG // 2)
    seen = bytearray()
    rest = threading.Event()

    def slow(peer: Peer) -> None:
        peer.head()
        for _ in range(2):
            rest.wait(1.2)  # the slowness itself: longer than a send waits, far shorter than the idle limit
            seen.extend(peer.read(1 << 20))
        while len(seen) < len(data):
            seen.extend(peer.read(min(1 << 20, len(data) - len(seen))))
        peer.send(OK)

    server = serve(slow, tls=tls)

    assert pool.send(put(server.origin, Chunks([data], len(data)))).read() == b"ok"
    assert seen == data


def test_a_large_answer_is_received(serve: Serve, trusting: Pool, tls: ssl.SSLContext) -> None:
    data = os.urandom(3_000_000)
    server = serve(always(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(data), data)), tls=tls)

    for _ in range(2):
        assert trusting.send(get(server.origin)).read() == data

    assert server.accepted == 1


@pytest.mark.parametrize("stuck", [False, True])
def test_a_refusal_ends_the_sending(serve: Serve, trusting: Pool, tls: ssl.SSLContext, stuck: bool) -> None:
    refused, done = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(REFUSED)
        refused.set()
        done.wait(WAIT_S)

    def chunks() -> Iterator[bytes]:
        yield b"x" * 1000
        refused.wait(WAIT_S)
        while True:
            yield b"x" * (FAR_TOO_BIG if stuck else 1000)

    server = serve(script, tls=tls)
    body = Chunks([bytes(FAR_TOO_BIG)] if stuck else chunks(), 1 << 40)

    response = trusting.send(put(server.origin, body))
    done.set()

    assert (response.status, response.read()) == (403, b"<Error")
    assert body.asked == (1 if stuck else 2)


def test_a_session_ticket_is_no_early_answer(serve: Serve, trusting: Pool, tls: ssl.SSLContext) -> None:
    """TLS 1.3 servers send tickets after the handshake: something to read, but nothing to hear."""
    ready = threading.Event()

    def script(peer: Peer) -> None:
        assert isinstance(peer.sock, ssl.SSLSocket)
        assert peer.sock.version() == "TLSv1.3"
        ready.set()
        peer.request()
        peer.send(OK)
        peer.wait_closed()

    def chunks() -> Iterator[bytes]:
        yield b"1"
        ready.wait(WAIT_S)
        yield b"2"
        yield b"3"

    server = serve(script, tls=tls)

    assert trusting.send(put(server.origin, Chunks(chunks(), 3))).read() == b"ok"


@pytest.mark.parametrize("clean", [False, True])
def test_an_answer_without_length_must_end_cleanly(
    serve: Serve, trusting: Pool, tls: ssl.SSLContext, clean: bool
) -> None:
    """Anybody on the way can end a TCP connection; only the server can say goodbye in TLS."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n12345")
        if clean:
            assert isinstance(peer.sock, ssl.SSLSocket)
            peer.sock.settimeout(0.2)
            with contextlib.suppress(OSError):
                peer.sock.unwrap()

    server = serve(script, tls=tls)
    response = trusting.send(get(server.origin))

    if clean:
        assert response.read() == b"12345"
    else:
        with pytest.raises(NetworkError, match="broke the connection"):
            response.read()


def test_silence_has_a_limit(serve: Serve, tls: ssl.SSLContext) -> None:
    pool = Pool(timeout=Timeout(idle=0.3), verify=False, proxy="")
    server = serve(silent, half, tls=tls)

    with promptly(), pytest.raises(ConnectionTimeoutError, match=r"sent nothing for 0.3 s"):
        pool.send(get(server.origin))
    with promptly(), pytest.raises(ConnectionTimeoutError, match=r"sent nothing for 0.3 s"):
        pool.send(get(server.origin)).read()


def test_cancelling_ends_the_handshake(serve: Serve, pool: Pool) -> None:
    scope = Scope()

    def script(peer: Peer) -> None:
        peer.sock.recv(1)
        scope.cancel()
        peer.wait_closed()

    server = serve(script)

    with promptly(), pytest.raises(Cancelled):
        pool.send(get(server.origin._replace(secure=True)), scope=scope)


def test_cancelling_is_noticed_while_tls_takes_over_the_socket(serve: Serve) -> None:
    scope = Scope()

    class Late(ssl.SSLContext):
        def wrap_socket(self, *args: Any, **options: Any) -> ssl.SSLSocket:
            made = super().wrap_socket(*args, **options)
            scope.cancel()
            return made

    context = Late(ssl.PROTOCOL_TLS_CLIENT)
    pool = Pool(timeout=Timeout(connect=WAIT_S), verify=context, proxy="")
    server = serve(silent)

    with promptly(), pytest.raises(Cancelled):
        pool.send(get(server.origin._replace(secure=True)), scope=scope)


@pytest.mark.parametrize("when", ["sending", "waiting", "receiving"])
def test_cancelling_ends_it_at_once(serve: Serve, trusting: Pool, tls: ssl.SSLContext, when: str) -> None:
    scope = Scope()

    def script(peer: Peer) -> None:
        peer.head() if when == "sending" else peer.request()
        if when == "receiving":
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
        scope.cancel()
        peer.wait_closed()

    server = serve(script, tls=tls)
    body = Chunks(
        [bytes(FAR_TOO_BIG)] if when == "sending" else [b"x"], FAR_TOO_BIG if when == "sending" else 1
    )

    with promptly(), pytest.raises(Cancelled):
        trusting.send(put(server.origin, body), scope=scope).read()


def test_a_server_that_closes_an_idle_connection_is_noticed(
    serve: Serve, trusting: Pool, tls: ssl.SSLContext
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(OK)
        peer.sock.shutdown(socket.SHUT_RDWR)

    server = serve(script, tls=tls)

    for _ in range(2):
        assert trusting.send(get(server.origin)).read() == b"ok"
        server.join_scripts()

    assert server.accepted == 2
