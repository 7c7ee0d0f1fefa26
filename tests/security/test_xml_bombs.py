"""No document of any operation expands, reaches for files, or costs more than its size.

Class: Swift CVE-2022-47950, Ceph CVE-2020-12059, oss-emu. The reader's own rules stand in tests/unit/test_xml.py.
"""

from __future__ import annotations

import gc
import time
from pathlib import Path

import pytest

from mossaic.protocol.codec import needs_body
from mossaic.protocol.codec.plan import plan_of
from mossaic.protocol.limits import MAX_XML_BODY
from mossaic.protocol.operations import TABLE
from mossaic.protocol.wire import Message
from mossaic.protocol.xml import parse
from tests.e2e.harness import Server, children_of
from tests.security.support import Asker, Stage, anonymous, exchange, render

ROWS = [row for row in TABLE if needs_body(row.takes) and row.name != "PutBucketPolicy"]
SECRET = b"root:x:0:0"
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(10))


def bombs(root: str) -> dict[str, bytes]:
    dtd = f'<?xml version="1.0"?><!DOCTYPE {root} [{LAUGHS}]><{root}>&l9;</{root}>'
    outside = f'<!DOCTYPE {root} [<!ENTITY f SYSTEM "file:///etc/passwd">]><{root}><Key>&f;</Key></{root}>'
    return {
        "billion laughs": dtd.encode(),
        "UTF-16": dtd.encode("utf-16"),
        "UTF-16 without a mark": dtd.replace("1.0", '1.0" encoding="utf-16').encode("utf-16-le"),
        "UTF-16 of the other end": dtd.encode("utf-16-be"),
        "UTF-32": dtd.encode("utf-32"),
        "UTF-7": b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE x>',
        "EBCDIC": dtd.encode("cp037"),
        "external file": outside.encode(),
        "external file in UTF-16": outside.encode("utf-16"),
        "external subset": f'<!DOCTYPE {root} SYSTEM "file:///etc/passwd"><{root}/>'.encode(),
        "parameter entity": f'<!DOCTYPE {root} [<!ENTITY % p SYSTEM "http://127.0.0.1:1/">%p;]><{root}/>'.encode(),
        "undefined entity": f"<{root}>&f;</{root}>".encode(),
        "include": f'<{root} xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="/etc/passwd"/>'.encode(),
        "deep": f"<{root}>{'<a>' * 100_000}".encode(),
        "deep and closed": f"<{root}>{'<a>' * 50_000}{'</a>' * 50_000}</{root}>".encode(),
        "wide": f"<{root}>{'<a/>' * 100_000}</{root}>".encode(),
        "another root": b"<nonsense><a/></nonsense>",
        "cut off": f"<{root}><Key>".encode(),
        "two roots": f"<{root}/><{root}/>".encode(),
        "NUL": f"<{root}>\0</{root}>".encode(),
        "no XML": b"{}",
        "no UTF-8": f"<{root}>".encode() + b"\xff\xfe</x>",
        "a name without end": b"<" + b"a" * 1_000_000,
    }


def memory(server: Server) -> int:
    """Resident bytes of the server's processes, each at its highest."""
    assert server.process is not None
    pids = (server.process.pid, *children_of(server.process.pid))
    found = [Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0] for pid in pids]
    return sum(map(int, found)) * 1024


def test_every_operation_that_reads_a_document_is_attacked() -> None:
    assert len(ROWS) >= 9


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_no_bomb_goes_off(stage: Stage, row) -> None:
    stage.root.ask(stage.message(row))  # what the row costs in any case
    root = plan_of(row.takes).root or "CompleteMultipartUpload"
    message = stage.message(row)
    headers = {name: value for name, value in message.headers.items() if name != "x-oss-complete-all"}
    before = memory(stage.root.server)

    for name, body in bombs(root).items():
        reply = stage.root(
            message.method, message.bucket, message.key, query=dict(message.query), headers=headers, body=body
        )
        assert 400 <= reply.status < 500, (name, reply.status, reply.body)
        assert SECRET not in reply.body, name
        assert len(reply.body) < 4096, name

    assert memory(stage.root.server) - before < 48 * 1024 * 1024


def test_a_policy_of_nested_brackets_is_no_bomb(stage: Stage) -> None:
    for body in (
        b"[" * 15_000,
        b'{"a":' * 3000,
        b'{"Version":"1","Statement":' + b"[" * 10_000,
        b"9" * 16_000,
    ):
        reply = stage.root("PUT", stage.bucket, query={"policy": ""}, body=body)
        assert (reply.status, reply.code) == (400, "InvalidPolicyDocument")


@pytest.mark.parametrize("row", [row for row in ROWS if row.name != "PutBucket"], ids=lambda row: row.name)
def test_a_document_that_is_too_long_is_refused_before_it_is_read(stage: Stage, row) -> None:
    """A gigabyte is announced and none of it sent: the answer comes from the announcement."""
    message = stage.message(row)
    kept = {name: value for name, value in message.headers.items() if name != "x-oss-complete-all"}
    asked = Message(
        method=message.method, bucket=message.bucket, key=message.key, query=message.query, headers=kept
    )
    target, headers = stage.root.signed(asked)
    for length in (MAX_XML_BODY + 1, 10**9, 10**17):
        head = render(stage.root.server.host, asked, target, headers)
        head = head.replace(b"Content-Length: 0", b"Content-Length: %d" % length)

        reply = exchange(stage.root.server, head)

        assert reply is not None
        assert 400 <= reply.status < 500, (length, reply.status, reply.body)


def test_text_in_a_million_pieces_is_read_in_linear_time() -> None:
    """Pieces between elements were once added up, each time copying all that was there: minutes of CPU in 2 MB.

    A ratio, not a time: twice the document may not cost four times as much.
    """

    def cost(count: int) -> float:
        body = b"<a>" + (b"x" * 30 + b"<b/>") * count + b"</a>"
        best = 9e9
        for _ in range(5):
            began = time.process_time()
            parse(body)
            best = min(best, time.process_time() - began)
        return best

    gc.disable()  # its rounds are not the reader's
    try:
        assert cost(56_000) < 12 * cost(14_000)  # 4 when it is linear, 16 when it is not
    finally:
        gc.enable()


def test_nobody_needs_a_key_to_be_refused_quickly(server: Server, root: Asker, bucket: str) -> None:
    """Deleting many objects asks for rights key by key, so strangers' lists are read: within the same bounds."""
    message = Message(
        method="POST", bucket=bucket, query={"delete": ""}, body=bombs("Delete")["deep and closed"]
    )

    assert anonymous(server, message).code == "MalformedXML"
    assert root("GET", bucket).status == 200
