"""Two readers of one stream never disagree: what is ambiguous is refused, and nothing behind it is served.

Class: h11 CVE-2025-43859; gunicorn CVE-2024-1135, -6827; Starlette CVE-2026-48710; aiohttp CVE-2025-69229; python-multipart
CVE-2024-53981 and later; Swift CVE-2026-49017. The parser's corpus stands in tests/unit/http; here the whole service is asked.
"""

from __future__ import annotations

import secrets
import socket
import time

import pytest

from mossaic.protocol.wire import Message
from tests.e2e.harness import Server
from tests.security.support import WAIT_S, Asker, Stage, exchange, read_reply, render

HOST = b"Host: 127.0.0.1\r\n"
HIDDEN = b"GET /hidden-%b/x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def put(*lines: bytes, body: bytes = b"") -> bytes:
    return b"PUT /b/k HTTP/1.1\r\n" + HOST + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


AMBIGUOUS = {
    "length and chunked": put(b"Content-Length: 4", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "chunked and length": put(b"Transfer-Encoding: chunked", b"Content-Length: 5", body=b"0\r\n\r\n"),
    "two lengths": put(b"Content-Length: 0", b"Content-Length: 44"),
    "two equal lengths": put(b"Content-Length: 0", b"Content-Length: 0"),
    "a list of lengths": put(b"Content-Length: 0, 44"),
    "signed length": put(b"Content-Length: +0"),
    "negative length": put(b"Content-Length: -1"),
    "hexadecimal length": put(b"Content-Length: 0x0"),
    "empty length": put(b"Content-Length:"),
    "length of blanks": put(b"Content-Length: 1 0"),
    "length with underscore": put(b"Content-Length: 1_0"),
    "huge length": put(b"Content-Length: " + b"9" * 40),
    "blank before the colon": put(b"Content-Length : 0"),
    "folded": put(b"A: b", b" Content-Length: 44"),
    "tab folded": put(b"A: b", b"\tContent-Length: 44"),
    "xchunked": put(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n"),
    "chunked twice": put(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "chunked, identity": put(b"Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n"),
    "identity": put(b"Transfer-Encoding: identity", body=b""),
    "vertical tab": put(b"Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n"),
    "quoted": put(b'Transfer-Encoding: "chunked"', body=b"0\r\n\r\n"),
    "NUL in a name": put(b"Transfer\0-Encoding: chunked"),
    "bare CR": put(b"A: b\rTransfer-Encoding: chunked"),
    "bare LF": put(b"A: b\nTransfer-Encoding: chunked"),
    "bare LF lines": b"PUT /b/k HTTP/1.1\nHost: x\n\n",
    "no name": put(b": x"),
    "two hosts": put(b"Host: evil.example"),
    "odd host": b"PUT /b/k HTTP/1.1\r\nHost: a@b/c?d#e\r\n\r\n",
    "absolute": b"PUT http://evil.example/b/k HTTP/1.1\r\n" + HOST + b"\r\n",
    "version 2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "version 0.9": b"GET /\r\n",
    "HTTP/1.1 in the path": b"GET /b/k HTTP/1.1 HTTP/1.1\r\n" + HOST + b"\r\n",
    "tab in the line": b"GET\t/b/k\tHTTP/1.1\r\n" + HOST + b"\r\n",
    "chunk size signed": put(b"Transfer-Encoding: chunked", body=b"+0\r\n\r\n"),
    "chunk size hexadecimal": put(b"Transfer-Encoding: chunked", body=b"0x0\r\n\r\n"),
    "chunk size huge": put(b"Transfer-Encoding: chunked", body=b"ffffffffffffffffff\r\n"),
    "chunk with LF": put(b"Transfer-Encoding: chunked", body=b"0\n\n"),
    "chunk longer than said": put(b"Transfer-Encoding: chunked", body=b"1\r\nab\r\n0\r\n\r\n"),
    "trailer folded": put(b"Transfer-Encoding: chunked", body=b"0\r\nA: b\r\n c\r\n\r\n"),
    "endless extension": put(b"Transfer-Encoding: chunked", body=b"0;" + b"a" * 70_000),
    "unknown expectation": put(b"Expect: 200-ok", b"Content-Length: 0"),
}


def hidden() -> tuple[bytes, str]:
    mark = secrets.token_hex(6)
    return HIDDEN % mark.encode(), f"/hidden-{mark}/x"


def all_answers(server: Server, data: bytes) -> list[int]:
    """Statuses of every answer until the server closes."""
    found: list[int] = []
    with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S) as sock:
        sock.sendall(data)
        got = b""
        while True:
            try:
                piece = sock.recv(65536)
            except ConnectionError:
                break
            if not piece:
                break
            got += piece
    for line in got.split(b"\r\n"):
        if line.startswith(b"HTTP/1.1 "):
            found.append(int(line[9:12]))
    return found


def test_the_corpus_is_not_cut_down() -> None:
    assert len(AMBIGUOUS) >= 40


def test_nothing_behind_an_ambiguous_request_is_served(server: Server) -> None:
    marks = []
    for name, data in AMBIGUOUS.items():
        behind, path = hidden()
        statuses = all_answers(server, data + behind)
        assert len(statuses) <= 1, (name, statuses)
        assert all(400 <= status < 600 and status != 500 for status in statuses), (name, statuses)
        marks.append(path)

    served = {line["path"] for line in server.log_lines()}
    assert served.isdisjoint(marks)


def test_the_signed_path_is_the_raw_one(stage: Stage) -> None:
    """No normalisation between the signature and the lookup: dots, doubled slashes and escapes are told apart."""
    message = Message(method="GET", bucket=stage.bucket, key="secret/plan.txt")
    target, headers = stage.root.signed(message)
    for other in (
        "/secret/./plan.txt",
        "/secret//plan.txt",
        "/x/../secret/plan.txt",
        "/secret/plan.txt/",
        "//secret/plan.txt",
    ):
        reply = exchange(
            stage.root.server, render(stage.root.server.host, message, f"/{stage.bucket}{other}", headers)
        )
        assert reply is not None
        assert reply.status in (400, 403), other
    assert target.endswith("/secret/plan.txt")


@pytest.mark.parametrize("host", ["{bucket}.evil.example", "evil.example", "{bucket}", "127.0.0.1", "localhost", "[::1]", "{bucket}.localhost", "", "..", "a" * 300])  # fmt: skip
def test_a_host_header_moves_no_signature_to_another_bucket(stage: Stage, host: str) -> None:
    """A header-signed request is for one bucket and key; reading the Host in another way must not find another."""
    message = Message(method="PUT", bucket="another-bucket", key=f"{stage.bucket}/k", body=b"x")
    target, headers = stage.root.signed(message)
    for path in (target, f"/{stage.bucket}/k", "/k"):
        exchange(stage.root.server, render(host.format(bucket=stage.bucket), message, path, headers))

    assert stage.root("HEAD", stage.bucket, "k").status == 404


def test_a_truncated_chunked_body_stores_nothing_and_ends(server: Server, root: Asker, bucket: str) -> None:
    for rest in (b"", b"5\r\n", b"5\r\nhel", b"5\r\nhello\r\n", b"5\r\nhello\r\n0\r\n"):
        message = Message(method="PUT", bucket=bucket, key="cut")
        target, headers = root.signed(message)
        head = render(server.host, message, target, {**headers, "Transfer-Encoding": "chunked"})
        head = head.replace(b"Content-Length: 0\r\n", b"")
        with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S) as sock:
            sock.sendall(head + rest)
            sock.shutdown(socket.SHUT_WR)
            reply = read_reply(sock)
        assert reply is None or reply.status == 400, (rest, reply)

    assert root("HEAD", bucket, "cut").status == 404


def test_a_body_in_one_byte_chunks_costs_linear_work(server: Server, root: Asker, bucket: str) -> None:
    message = Message(method="PUT", bucket=bucket, key="small-chunks")
    target, headers = root.signed(message)
    head = render(server.host, message, target, {**headers, "Transfer-Encoding": "chunked"})
    body = b"1\r\nx\r\n" * 200_000 + b"0\r\n\r\n"
    began = time.monotonic()

    reply = exchange(server, head.replace(b"Content-Length: 0\r\n", b"") + body, method="PUT")

    assert reply is not None
    assert reply.status == 200
    assert time.monotonic() - began < 15  # a quadratic reader takes minutes
    assert root("HEAD", bucket, "small-chunks").headers["content-length"] == "200000"
