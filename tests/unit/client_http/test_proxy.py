"""The way through a proxy, and when it is taken."""

from __future__ import annotations

import base64
import ssl
from typing import TYPE_CHECKING

import pytest

from mossaic.client.errors import NetworkError
from mossaic.client.http import Origin, Pool
from mossaic.client.http.proxy import Proxies, Proxy, parse_proxy
from mossaic.client.options import Timeout
from tests.unit.client_http.server import OK, Peer, ScriptedServer, always, get, put

if TYPE_CHECKING:
    from collections.abc import Callable

    Serve = Callable[..., ScriptedServer]

FAR = Origin(False, "bucket.example.com", 80)
SAFE = Origin(True, "bucket.example.com", 443)


# --- plain ------------------------------------------------------------------------------------------------------------


def test_a_plain_request_names_its_origin_to_the_proxy(serve: Serve) -> None:
    seen: list[str] = []

    def script(peer: Peer) -> None:
        while True:
            seen.append(peer.request()[0])
            peer.send(OK)

    server = serve(script)
    pool = Pool(timeout=Timeout(), proxy=f"http://user:p%40ss@127.0.0.1:{server.port}")

    assert pool.send(put(FAR, b"data")).read() == b"ok"
    assert pool.send(get(FAR._replace(port=8080), "/key?acl")).read() == b"ok"

    assert seen[0].startswith("PUT http://bucket.example.com/key HTTP/1.1\r\n")
    assert seen[1].startswith("GET http://bucket.example.com:8080/key?acl HTTP/1.1\r\n")
    login = base64.b64encode(b"user:p@ss").decode()
    assert all(f"\r\nProxy-Authorization: Basic {login}" in head for head in seen)
    pool.close()


def test_a_connection_to_the_proxy_is_used_again(serve: Serve) -> None:
    server = serve(always(OK))
    pool = Pool(timeout=Timeout(), proxy=f"127.0.0.1:{server.port}")

    for _ in range(3):
        assert pool.send(get(FAR)).read() == b"ok"

    assert server.accepted == 1
    pool.close()


# --- tunnels ----------------------------------------------------------------------------------------------------------


def test_a_secure_request_goes_through_a_tunnel(
    serve: Serve, tls: ssl.SSLContext, certificate: dict[str, str]
) -> None:
    seen: list[str] = []

    def script(peer: Peer) -> None:
        seen.append(peer.head())
        peer.send(b"HTTP/1.1 200 Connection established\r\nVia: proxy\r\n\r\n")
        peer.secure(tls)
        while True:
            seen.append(peer.request()[0])
            peer.send(OK)

    server = serve(script)
    proxy = f"http://user:word@127.0.0.1:{server.port}"
    pool = Pool(timeout=Timeout(), verify=certificate["TLS_CERTIFICATE"], proxy=proxy)
    origin = Origin(True, "127.0.0.1", 4443)

    for _ in range(2):
        assert pool.send(get(origin, "/key")).read() == b"ok"

    login = base64.b64encode(b"user:word").decode()
    assert seen[0].split("\r\n") == [
        "CONNECT 127.0.0.1:4443 HTTP/1.1",
        "Host: 127.0.0.1:4443",
        f"Proxy-Authorization: Basic {login}",
    ]
    assert seen[1:] == ["GET /key HTTP/1.1\r\nHost: 127.0.0.1:4443"] * 2
    assert server.accepted == 1
    pool.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
            "no tunnel .*: 407 Proxy",
        ),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "no tunnel to bucket.example.com:443: 502 Bad Gateway"),
        (b"", "closed the connection without an answer"),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", "before the tunnel was used"),
    ],
)
def test_a_tunnel_that_is_not_given_is_an_error(serve: Serve, answer: bytes, words: str) -> None:
    def script(peer: Peer) -> None:
        peer.head()
        peer.send(answer)

    server = serve(script)
    pool = Pool(timeout=Timeout(), proxy=f"http://127.0.0.1:{server.port}")

    with pytest.raises(NetworkError, match=f"the proxy 127.0.0.1:{server.port} .*{words}") as caught:
        pool.send(put(SAFE, b"secret"))

    assert not caught.value.sent


def test_an_ipv6_origin_is_named_in_brackets(serve: Serve) -> None:
    seen: list[str] = []

    def script(peer: Peer) -> None:
        seen.append(peer.head())

    server = serve(script)
    pool = Pool(timeout=Timeout(), proxy=f"http://127.0.0.1:{server.port}")

    with pytest.raises(NetworkError):
        pool.send(get(Origin(True, "2001:db8::1", 443)))

    assert seen[0].startswith("CONNECT [2001:db8::1]:443 HTTP/1.1\r\n")


# --- the choice -------------------------------------------------------------------------------------------------------


def test_the_environment_is_asked_by_default(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(always(OK))
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.port}")
    pool = Pool(timeout=Timeout())

    assert pool.send(get(FAR)).read() == b"ok"
    pool.close()


def test_no_proxy_in_the_environment_goes_straight(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(always(OK))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    pool = Pool(timeout=Timeout())

    assert pool.send(get(server.origin)).read() == b"ok"
    pool.close()


P, Q = "http://p:1", "http://q:2"
TO_P, TO_Q = Proxy("p", 1, ""), Proxy("q", 2, "")


@pytest.mark.parametrize(
    ("environ", "plain", "secure"),
    [
        ({}, None, None),
        ({"http_proxy": P}, TO_P, None),
        ({"HTTP_PROXY": P}, TO_P, None),
        ({"HTTP_PROXY": P, "http_proxy": Q}, TO_Q, None),
        ({"HTTP_PROXY": P, "REQUEST_METHOD": "GET"}, None, None),
        ({"https_proxy": P}, None, TO_P),
        ({"HTTPS_PROXY": P, "http_proxy": Q}, TO_Q, TO_P),
        ({"all_proxy": P}, TO_P, TO_P),
        ({"ALL_PROXY": P, "https_proxy": Q}, TO_P, TO_Q),
        ({"http_proxy": ""}, None, None),
        ({"all_proxy": P, "no_proxy": "*"}, None, None),
        ({"all_proxy": P, "NO_PROXY": "example.com"}, None, None),
        ({"all_proxy": P, "no_proxy": "other.com, .example.com"}, None, None),
        ({"all_proxy": P, "no_proxy": "*.example.com"}, None, None),
        ({"all_proxy": P, "no_proxy": "BUCKET.example.COM"}, None, None),
        ({"all_proxy": P, "no_proxy": "ample.com"}, TO_P, TO_P),
        ({"all_proxy": P, "no_proxy": "example.com:443"}, TO_P, None),
        ({"all_proxy": P, "no_proxy": "10.0.0.0/8"}, TO_P, TO_P),
        ({"all_proxy": P, "no_proxy": ","}, TO_P, TO_P),
    ],
)
def test_the_environment_chooses(environ: dict[str, str], plain: Proxy | None, secure: Proxy | None) -> None:
    proxies = Proxies(None, environ)

    assert (proxies.of(FAR), proxies.of(SAFE)) == (plain, secure)


@pytest.mark.parametrize(
    ("entry", "host", "straight"),
    [
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3:80", "10.1.2.3", True),
        ("10.1.2.3:81", "10.1.2.3", False),
        ("::1", "::1", True),
        ("[::1]", "::1", True),
        ("[::1]:80", "::1", True),
        ("[::1]:81", "::1", False),
        ("fd00::/8", "fd00::1", True),
        ("fd00::/8", "10.1.2.3", False),
        ("localhost", "localhost", True),
        ("localhost", "notlocalhost", False),
        ("nonsense/8", "10.1.2.3", False),
    ],
)
def test_addresses_and_networks_go_straight(entry: str, host: str, straight: bool) -> None:
    proxies = Proxies(None, {"http_proxy": P, "no_proxy": entry})

    assert (proxies.of(Origin(False, host, 80)) is None) == straight


def test_a_setting_stands_above_the_environment() -> None:
    environ = {"all_proxy": P, "no_proxy": "*"}

    assert Proxies(Q, environ).of(FAR) == TO_Q
    assert Proxies("", {"all_proxy": P}).of(FAR) is None


def test_a_proxy_is_read_from_its_url() -> None:
    assert parse_proxy("proxy.example:3128") == Proxy("proxy.example", 3128, "")
    assert parse_proxy("http://[::1]:3128/") == Proxy("::1", 3128, "")
    assert parse_proxy("http://a:b@proxy") == Proxy("proxy", 80, "Basic YTpi")
    assert "YTpi" not in repr(parse_proxy("http://a:b@proxy"))


@pytest.mark.parametrize("url", ["socks5://proxy:1080", "https://proxy:443", "http://", "http://proxy:port"])
def test_another_kind_of_proxy_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        Proxies(url, {})
    with pytest.raises(ValueError):
        Proxies(None, {"all_proxy": url}).of(FAR)
