"""Clients that wait, trickle or flood cost little and keep nobody else waiting.

Class: MinIO CVE-2022-31028. The deadlines themselves are tested in tests/unit/http; here a full service is held under siege.
"""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from mossaic.protocol.wire import Message
from tests.e2e.conftest import new_bucket
from tests.e2e.harness import Server
from tests.security.support import WAIT_S, Asker, anonymous, read_reply, render

IDLE, HALF_HEADS, SLOW_BODIES, SLOW_READERS = 600, 100, 80, 20
BIG = 8 * 1024 * 1024


def resident(server: Server) -> int:
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


@contextmanager
def many(server: Server, count: int, first_bytes: bytes) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        found = []
        for _ in range(count):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S))
            if first_bytes:
                sock.sendall(first_bytes)
            found.append(sock)
        yield found


@pytest.fixture
def descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("descriptors")
def test_a_siege_keeps_nobody_waiting(make_server) -> None:
    server: Server = make_server()
    root, bucket = Asker.root(server), new_bucket(server)
    assert root("PUT", bucket, "big", body=b"x" * BIG).status == 200
    before = resident(server)
    upload = Message(method="PUT", bucket=bucket, key="slow", body=b"x")
    target, headers = root.signed(upload)
    slow = render(server.host, upload, target, headers).replace(
        b"Content-Length: 1", b"Content-Length: %d" % BIG
    )
    download = Message(method="GET", bucket=bucket, key="big")
    get = render(server.host, download, *root.signed(download))

    with (
        many(server, IDLE, b""),
        many(server, HALF_HEADS, b"GET / HTTP/1.1\r\nHost: x\r\nA: "),
        many(server, SLOW_BODIES, slow),
        many(server, SLOW_READERS, get),
    ):
        waits = []
        for number in range(40):
            began = time.monotonic()
            put = root("PUT", bucket, f"quick-{number}", body=b"y" * (100_000 if number % 4 == 0 else 100))
            got = root("GET", bucket, f"quick-{number}")
            waits.append(time.monotonic() - began)
            assert (put.status, got.status) == (200, 200)
        grown = resident(server) - before

    assert sorted(waits)[len(waits) // 2] < 1.0, waits
    assert max(waits) < 10.0, waits
    # Idle ones and half heads cost kilobytes; each slow body may hold a thread with its buffer (64 threads at most by default).
    assert grown < 160 * 1024 * 1024
    assert root("HEAD", bucket, "slow").status == 404


def test_a_connection_too_many_is_told_so_and_others_go_on(make_server) -> None:
    server: Server = make_server(HTTP_MAX_CONNECTIONS="30")
    root, bucket = Asker.root(server), new_bucket(server)
    with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S) as kept:
        with many(server, 40, b"") as flood:
            flood[-1].sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            refused = read_reply(flood[-1])
            message = Message(method="GET", bucket=bucket)
            kept.sendall(render(server.host, message, *root.signed(message)))
            served = read_reply(kept)

        assert refused is None or refused.status == 503
        assert served is not None
        assert served.status == 200
    assert root("GET", bucket).status == 200


def test_deadlines_end_what_does_not_move(make_server) -> None:
    server: Server = make_server(HTTP_HEAD_TIMEOUT_S="0.5", HTTP_BODY_IDLE_S="0.5", HTTP_KEEPALIVE_S="0.5")
    root, bucket = Asker.root(server), new_bucket(server)
    upload = Message(method="PUT", bucket=bucket, key="slow", body=b"x")
    slow = render(server.host, upload, *root.signed(upload)).replace(
        b"Content-Length: 1", b"Content-Length: 9999999"
    )
    for first in (b"", b"GET /", b"GET / HTTP/1.1\r\nHost: x\r\n", slow):
        with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S) as sock:
            sock.sendall(first)
            reply = read_reply(sock)
            assert reply is None or reply.status in (400, 408), (first, reply)

    assert root("HEAD", bucket, "slow").status == 404


def test_an_endless_form_is_bounded_before_its_file(server: Server, root: Asker, bucket: str) -> None:
    """Fields, names, headers of parts and boundaries: each has an end (python-multipart CVE-2024-53981 and later)."""
    line = b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n'
    bombs = {
        "a field without end": line + b"x" * 3_000_000,
        "a thousand and one fields": (line + b"x\r\n") * 1200,
        "headers without end": b"--B\r\n" + b"A: b\r\n" * 20_000,
        "a preamble without end": b"\r\n" * 2_000_000,
        "dashes": b"-" * 3_000_000,
        "a name without end": b'--B\r\nContent-Disposition: form-data; name="'
        + b"a" * 20_000
        + b'"\r\n\r\nx\r\n',
        "backslashes": b'--B\r\nContent-Disposition: form-data; name="' + b'\\"' * 8_000 + b"\r\n\r\nx\r\n",
        "almost boundaries": line + b"\r\n--" * 700_000,
    }
    for name, body in bombs.items():
        headers = {"Content-Type": "multipart/form-data; boundary=B"}
        began = time.monotonic()
        reply = anonymous(server, Message(method="POST", bucket=bucket, headers=headers, body=body))
        assert 400 <= reply.status < 500, (name, reply.status, reply.body)
        assert time.monotonic() - began < 10, name
    assert root("GET", bucket).status == 200


def test_a_pattern_of_many_stars_is_matched_in_time(server: Server, root: Asker, bucket: str) -> None:
    stars = "*a" * 500 + "b"
    document = f'{{"Version":"1","Statement":[{{"Effect":"Deny","Action":"oss:GetObject","Principal":["*"],"Resource":"acs:oss:*:*:{bucket}/{stars}"}}]}}'
    assert root("PUT", bucket, query={"policy": ""}, body=document.encode()).status == 200
    began = time.monotonic()

    assert anonymous(server, Message(method="GET", bucket=bucket, key="a" * 1000)).status == 403
    assert time.monotonic() - began < 5


def test_long_words_of_strangers_are_not_remembered(make_server) -> None:
    """What requests have in common is read once and kept; a stranger could fill the memory with what they have not."""
    server: Server = make_server()
    length, count = 16_000, 1_000
    with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S) as sock:

        def ask(number: int) -> None:
            word = f"{number:08}".ljust(length, "x")
            credential = f"x/20260101/{word if number % 2 else 'cn-hangzhou'}/oss/aliyun_v4_request"
            said = [
                "GET /any HTTP/1.1",
                f"Host: {word}.test",
                f"{word}: y",
                f"x-oss-date: {word}",
                f"Authorization: OSS4-HMAC-SHA256 Credential={credential},Signature=00",
            ]
            sock.sendall("".join(f"{line}\r\n" for line in (*said, "")).encode())
            reply = read_reply(sock)
            assert reply is not None
            assert reply.status in (400, 403)

        for number in range(50):
            ask(number)
        before = resident(server)
        for number in range(50, count):
            ask(number)
    grown = resident(server) - before

    assert grown < length * count / 2, f"{grown} bytes"
