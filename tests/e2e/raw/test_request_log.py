"""One line a request in the access log, whatever the request was, with the bytes that came."""

from __future__ import annotations

import re
import socket
import time
from typing import TYPE_CHECKING

import oss2
import pytest

from tests.e2e.harness import noise

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from tests.e2e.harness import Server

WAIT_S = 10.0


def received_bytes(server: Server) -> float:
    page = server.request("GET", "/-/metrics")[2].decode()
    found = re.search(r"^mossaic_received_bytes_total (\S+)$", page, re.MULTILINE)
    assert found is not None
    return float(found[1])


def last_line(server: Server, **wanted: str) -> dict[str, Any]:
    return [
        line for line in server.log_lines() if all(line[name] == value for name, value in wanted.items())
    ][-1]


def bucket_of(server: Server, name: str, secret: str | None = None) -> oss2.Bucket:
    auth = oss2.Auth(server.access_key_id, secret or server.access_key_secret)
    return oss2.Bucket(auth, server.endpoint, name)


@pytest.mark.parametrize("size", [5, 300_000])
def test_a_chunked_body_is_counted(server: Server, bucket: str, size: int) -> None:
    def pieces() -> Iterator[bytes]:
        yield noise(size)

    before = received_bytes(server)

    bucket_of(server, bucket).put_object(f"chunked-{size}", pieces())

    assert last_line(server, key=f"chunked-{size}")["bytes_in"] == size
    deadline = time.monotonic() + WAIT_S
    while received_bytes(server) - before < size:  # what other workers counted comes within a second
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_refused_body_is_not_counted(server: Server, bucket: str) -> None:
    with pytest.raises(oss2.exceptions.SignatureDoesNotMatch):
        bucket_of(server, bucket, secret="wrong").put_object("refused", noise(300_000))

    assert last_line(server, key="refused")["bytes_in"] == 0


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", 417),
        (b"GET / HTTP/1.1\r\nHost: a\r\nA: " + b"a" * 70_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    ],
)
def test_a_request_that_cannot_be_read_is_logged_and_has_an_id(
    server: Server, sent: bytes, status: int
) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S) as sock:
        sock.sendall(sent)
        answer = sock.makefile("rb").read()

    found = re.search(rb"^x-oss-request-id: ([0-9A-F]{24})\r$", answer, re.MULTILINE)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert found is not None
    assert last_line(server, request_id=found[1].decode())["status"] == status
