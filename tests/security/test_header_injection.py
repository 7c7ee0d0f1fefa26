"""No value that is stored or repeated ends a header line, in whatever way it came.

Class: Ceph CVE-2020-10753, CVE-2021-3524, CVE-2021-3509.
"""

from __future__ import annotations

import base64
import socket
from urllib.parse import quote

import pytest

from mossaic.protocol.wire import Message
from tests.e2e.harness import Server, b64_json
from tests.security.support import WAIT_S, Asker, Stage, exchange, render

EVIL = [
    "a\r\nSet-Cookie: x=y",
    "a\nSet-Cookie: x=y",
    "a\rSet-Cookie: x=y",
    "a\0b",
    "a\r\n\r\n<script>",
    "\x0b",
    "\x7f",
    "a\x1bb",
]
WIDE = "a\u560d\u560aSet-Cookie: x=y"  # its low bytes are CR and LF
STORED = [
    "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Type", "Expires",
    "x-oss-meta-a", "x-oss-tagging", "x-oss-storage-class", "x-oss-object-acl", "x-oss-persistent-headers",
    "x-oss-symlink-target", "x-oss-callback", "Origin", "User-Agent",
]  # fmt: skip
OVERRIDES = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
]


def raw(server: Server, data: bytes) -> bytes:
    """Every byte the server answers until it closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S) as sock:
        sock.sendall(data)
        got = b""
        while piece := sock.recv(65536):
            got += piece
        return got


def clean(answer: bytes) -> bool:
    head = answer.partition(b"\r\n\r\n")[0]
    return (
        b"\nset-cookie" not in head.lower() and b"\0" not in head and b"\n" not in head.replace(b"\r\n", b"")
    )


@pytest.mark.parametrize("name", STORED)
def test_a_header_with_a_control_character_is_no_request(stage: Stage, name: str) -> None:
    message = Message(method="PUT", bucket=stage.bucket, key="k", body=b"x")
    target, headers = stage.root.signed(message)
    for evil in EVIL:
        if evil.startswith("a\r\n"):
            continue  # a line of its own: the header ends there, and the rest is not covered by any value
        answer = raw(
            stage.root.server, render(stage.root.server.host, message, target, {**headers, name: evil})
        )
        assert answer.startswith(b"HTTP/1.1 400 "), (evil, answer[:200])
        assert clean(answer)

    assert stage.root("HEAD", stage.bucket, "k").status == 404


@pytest.mark.parametrize("name", OVERRIDES)
def test_response_overrides_are_values_only(stage: Stage, name: str) -> None:
    assert stage.root("PUT", stage.bucket, "k", body=b"x").status == 200
    for evil in EVIL:
        reply = stage.root("GET", stage.bucket, "k", query={f"response-{name}": evil})
        assert (reply.status, reply.code) == (400, "InvalidArgument"), (evil, reply.status)
    message = Message(method="GET", bucket=stage.bucket, key="k", query={f"response-{name}": WIDE})
    target, headers = stage.root.signed(message)

    answer = raw(stage.root.server, render(stage.root.server.host, message, target, headers))

    assert clean(answer)
    assert b" 200 " in answer[:20] or b" 400 " in answer[:20]


@pytest.mark.parametrize("evil", [*EVIL, WIDE])
def test_persistent_headers_are_values_only(stage: Stage, evil: str) -> None:
    coded = base64.b64encode(evil.encode()).decode()
    reply = stage.root("PUT", stage.bucket, "k", headers={"x-oss-persistent-headers": f"x-mine:{coded}"})

    assert reply.status == 400 or evil == WIDE
    for name in ("a b", "a;b", "", "a/b", '"a"', "\xe9", "(a)"):
        named = stage.root("PUT", stage.bucket, "k", headers={"x-oss-persistent-headers": f"{name}:YQ=="})
        assert named.status == 400, name
    assert "set-cookie" not in stage.root("HEAD", stage.bucket, "k").headers


@pytest.mark.parametrize("element", ["AllowedOrigin", "AllowedMethod", "AllowedHeader", "ExposeHeader"])
def test_cors_rules_hold_no_line_break(stage: Stage, element: str) -> None:
    fields = {"AllowedOrigin": "http://a.example", "AllowedMethod": "GET"}
    for evil in ("a&#13;&#10;Set-Cookie: x=y", "a&#10;b", "a&#0;b", "a\nb", "a b", "a\u560ab", "a&#x0d;"):
        inner = "".join(f"<{name}>{value}</{name}>" for name, value in (fields | {element: evil}).items())
        body = f"<CORSConfiguration><CORSRule>{inner}</CORSRule></CORSConfiguration>".encode()
        reply = stage.root("PUT", stage.bucket, query={"cors": ""}, body=body)
        assert reply.status == 400, (evil, reply.body)


def test_a_preflight_repeats_only_names(server: Server, root: Asker, bucket: str) -> None:
    rule = (
        "<AllowedOrigin>*</AllowedOrigin><AllowedMethod>PUT</AllowedMethod><AllowedHeader>*</AllowedHeader>"
    )
    body = f"<CORSConfiguration><CORSRule>{rule}</CORSRule></CORSConfiguration>".encode()
    assert root("PUT", bucket, query={"cors": ""}, body=body).status == 200
    for asked in ("a b", "x:y", "<script>", "a;b", "\xff", '"'):
        head = (
            f"OPTIONS /{bucket}/k HTTP/1.1\r\nHost: {server.host}\r\nOrigin: http://evil.example\r\nConnection: close\r\n"
            f"Access-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: {asked}\r\n\r\n"
        )
        reply = exchange(server, head.encode("latin-1"))
        assert reply is not None
        assert asked not in reply.headers.get("access-control-allow-headers", ""), asked


def test_names_with_line_breaks_are_escaped_wherever_they_are_told(stage: Stage) -> None:
    key = "a\r\nSet-Cookie: x=y"
    assert stage.root("PUT", stage.bucket, key, body=b"x").status == 200
    asked = (
        ("GET", key, {}, {}),
        ("HEAD", key, {}, {}),
        ("GET", key, {"acl": ""}, {}),
        ("GET", key + "x", {}, {}),
        ("HEAD", key + "x", {}, {}),
        ("POST", key, {"uploads": ""}, {}),
        ("PUT", key, {"symlink": ""}, {"x-oss-symlink-target": quote(key)}),
        ("GET", key, {"symlink": ""}, {}),
        ("HEAD", None, {key: "1"}, {}),
        ("GET", None, {"prefix": key}, {}),
        ("DELETE", key, {}, {}),
    )
    for method, at, query, headers in asked:
        message = Message(method=method, bucket=stage.bucket, key=at, query=query, headers=headers)
        target, signed = stage.root.signed(message)
        answer = raw(stage.root.server, render(stage.root.server.host, message, target, signed))
        assert clean(answer), (method, query, answer)
        assert not answer.startswith(b"HTTP/1.1 5"), (method, query, answer)


def test_a_callback_host_is_a_host(stage: Stage) -> None:
    for host in EVIL:
        asked = {"callbackUrl": "http://127.0.0.1:1/", "callbackBody": "a", "callbackHost": host}
        reply = stage.root("PUT", stage.bucket, "k", headers={"x-oss-callback": b64_json(asked)}, body=b"x")
        assert (reply.status, reply.code) == (400, "InvalidArgument"), host
    for url in (
        "http://127.0.0.1:1/\r\nA: b",
        "http://127.0.0.1:1/ HTTP/1.1\r\n",
        "http://a\nb/",
        "http://127.0.0.1:1/\0",
    ):
        asked = {"callbackUrl": url, "callbackBody": "a"}
        reply = stage.root("PUT", stage.bucket, "k", headers={"x-oss-callback": b64_json(asked)}, body=b"x")
        assert (reply.status, reply.code) == (400, "InvalidArgument"), url
