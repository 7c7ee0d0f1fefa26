"""Five seconds of requests nobody would write: none is answered with a fault of ours, and the server is there afterwards.

Seeded: a failure prints the request that caused it.
"""

from __future__ import annotations

import random
import socket
import time
from dataclasses import replace

from mossaic.protocol.operations import TABLE
from mossaic.protocol.wire import Message
from tests.e2e.harness import Server
from tests.security.support import SCHEMES, Stage, exchange, render

SECONDS = 5.0
SPICES = [
    b"\0", b"\r\n", b"\n", b"%00", b"%", b"%ff", b"%2e%2e/", b"\xff", b"\xc3\x28", b"&", b"=", b"?", b";", b",", b":", b"'", b'"', b"<", b"]]>",
    b"-1", b"0", b"1001", b"99999999999999999999", b"NaN", b"null", b"true", b"bytes=0-", b"*", b"../", b"//", b" ", b"\t", b"x" * 5000,
    b"acl", b"uploadId=", b"versionId=null", b"Expires", b"Signature", b"x-oss-", b"http://", b"STS.", b"{", b"[", b"eyJ9",
]  # fmt: skip
HEADERS = [
    "Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Range", "Origin", "Content-MD5", "Content-Type", "Expect",
    "x-oss-copy-source", "x-oss-copy-source-range", "x-oss-tagging", "x-oss-callback", "x-oss-callback-var", "x-oss-object-acl",
    "x-oss-acl", "x-oss-meta-a", "x-oss-persistent-headers", "x-oss-symlink-target", "x-oss-storage-class", "x-oss-date", "Date",
    "x-oss-security-token", "x-oss-traffic-limit", "x-oss-forbid-overwrite", "x-oss-complete-all", "x-oss-range-behavior",
    "x-oss-content-sha256", "x-oss-bucket-tagging", "x-oss-hash-crc64ecma", "Authorization", "Transfer-Encoding", "Content-Encoding",
]  # fmt: skip


def odd(chance: random.Random) -> bytes:
    return b"".join(chance.choice(SPICES) for _ in range(chance.randint(1, 3)))


def mutated(chance: random.Random, data: bytes) -> bytes:
    """A few bytes changed, doubled, cut or spiced."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(changed)) if changed else 0
        match chance.randrange(4):
            case 0 if changed:
                changed[at] = chance.randrange(256)
            case 1:
                changed[at:at] = odd(chance)
            case 2:
                del changed[at : at + chance.randint(1, 20)]
            case _:
                changed[at:at] = changed[at : at + chance.randint(1, 60)]
    return bytes(changed)


def signed_oddly(chance: random.Random, stage: Stage) -> tuple[bytes, str]:
    """A request of the table with odd parameters, headers or body, signed well: this is what reaches the handlers."""
    message = stage.message(chance.choice(TABLE))
    query, headers, body = dict(message.query), dict(message.headers), message.body
    for _ in range(chance.randint(0, 2)):
        headers[chance.choice(HEADERS[:-4])] = (
            odd(chance).decode("latin-1").translate({0: 46, 10: 46, 13: 46})
        )
    for _ in range(chance.randint(0, 2)):
        name = chance.choice(
            [*query, "prefix", "marker", "max-keys", "partNumber", "versionId", "encoding-type", "position"]
        )
        query[name] = odd(chance).decode("utf-8", "surrogateescape")
    if body and chance.random() < 0.7:
        body = mutated(chance, body)
    if message.key and chance.random() < 0.3:
        message = replace(message, key=odd(chance).decode("utf-8", "surrogateescape"))
    message = Message(
        method=message.method, bucket=message.bucket, key=message.key, query=query, headers=headers, body=body
    )
    target, made = stage.root.signed(message, chance.choice(SCHEMES))
    return render(stage.root.server.host, message, target, made), message.method


def test_no_request_is_our_fault(server: Server, stage: Stage) -> None:
    chance = random.Random(20_260_704)
    until, count, statuses = time.monotonic() + SECONDS, 0, set()
    while time.monotonic() < until:
        data, method = signed_oddly(chance, stage)
        if chance.random() < 0.4:
            data = mutated(chance, data)
        # Whatever the length says now: what is missing will not come, and the server must see that.
        reply = _ask(server, data, method)
        count += 1
        if reply is not None:
            statuses.add(reply)
            assert reply < 500 or reply in (501, 505), (reply, data)

    assert count > 100
    assert {200, 400, 403} <= statuses
    assert server.request("GET", "/-/readyz")[0] == 200
    assert "Traceback" not in server.output
    assert server.process is not None
    assert server.process.poll() is None


def _ask(server: Server, data: bytes, method: str) -> int | None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as sock:
        try:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            line = b""
            while b"\r\n" not in line:
                piece = sock.recv(4096)
                if not piece:
                    return None
                line += piece
        except ConnectionError:
            return None
    return int(line[9:12])


def test_the_same_seed_makes_the_same_requests(stage: Stage) -> None:
    """What failed once can be looked at again: only dates and signatures differ."""
    first, second = (random.Random(7) for _ in range(2))

    for _ in range(20):
        assert odd(first) == odd(second)
        assert mutated(first, b"GET / HTTP/1.1") == mutated(second, b"GET / HTTP/1.1")
    assert (
        exchange(stage.root.server, b"GET /-/livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        is not None
    )
