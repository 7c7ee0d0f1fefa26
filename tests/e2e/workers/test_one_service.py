"""Several workers are one service: what one has answered, the next request sees, whichever worker it comes to."""

from __future__ import annotations

import json
import re
import secrets
import socket
import urllib.parse
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

import oss2
import pytest

from mossaic.protocol.signing import rpc
from tests.e2e.console.caller import Caller
from tests.e2e.harness import PART, b64_json, callback_fields, multipart_etag, noise, statement
from tests.e2e.workers.crew import COUNT, Crew, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.harness import CallbackReceiver, Server

PARTS = 12


@pytest.fixture
def clients(crew: Crew) -> list[oss2.Bucket]:
    return crew.clients(f"crew-{secrets.token_hex(6)}")


def test_there_are_as_many_as_asked_for(crew: Crew) -> None:
    assert len(crew.workers()) == COUNT
    assert crew.server.output.count("serving ") == 1
    assert crew.metric("mossaic_workers") == COUNT


def test_connections_are_spread(make_crew: Callable[..., Crew]) -> None:
    crew = make_crew()

    def is_spread() -> bool:
        with ExitStack() as stack:
            lines = [stack.enter_context(line) for line in _lines(crew, 12)]
            owners = [_owner_of(crew, line.getsockname()[1]) for line in lines]
        return min(owners.count(worker) for worker in crew.workers()) >= 4

    # A worker that the machine does not let run for some milliseconds misses its turn.
    until(is_spread, "they are spread")


def test_parts_put_at_all_of_them_are_one_upload(clients: list[oss2.Bucket]) -> None:
    data = noise(PARTS * PART - 5)
    turns = cycle(clients)
    upload_id = next(turns).init_multipart_upload("big").upload_id
    done = []
    for number in range(1, PARTS + 1):
        part = next(turns).upload_part("big", upload_id, number, data[(number - 1) * PART : number * PART])
        done.append(oss2.models.PartInfo(number, part.etag))
        for client in clients:
            listed = client.list_parts("big", upload_id).parts
            assert [each.part_number for each in listed] == list(range(1, number + 1))
    for client in clients:
        assert [each.upload_id for each in client.list_multipart_uploads().upload_list] == [upload_id]

    next(turns).complete_multipart_upload("big", upload_id, done)

    for client in clients:
        assert client.list_multipart_uploads().upload_list == []
        assert client.get_object("big").read() == data
        assert client.head_object("big").etag == multipart_etag(data, PART)


def test_an_upload_aborted_at_one_is_gone_at_all(clients: list[oss2.Bucket]) -> None:
    for client in clients:
        upload_id = client.init_multipart_upload("big").upload_id
        client.upload_part("big", upload_id, 1, b"x")
        client.abort_multipart_upload("big", upload_id)
        for other in clients:
            with pytest.raises(oss2.exceptions.NoSuchUpload):
                other.upload_part("big", upload_id, 2, b"y")


def test_an_object_is_read_as_it_was_last_written(clients: list[oss2.Bucket]) -> None:
    turns = cycle(clients)
    for number in range(20):
        next(turns).put_object("k", str(number))
        assert [client.get_object("k").read() for client in clients] == [str(number).encode()] * len(clients)
        assert {client.head_object("k").etag for client in clients} == {clients[0].head_object("k").etag}
    next(turns).delete_object("k")
    assert not any(client.object_exists("k") for client in clients)


def test_settings_of_a_bucket_hold_everywhere_at_once(crew: Crew, clients: list[oss2.Bucket]) -> None:
    clients[0].put_object("k", b"hello")
    name = clients[0].bucket_name
    strangers = [_stranger(crew, name) for _ in clients]
    for number, client in enumerate(clients * 3):
        is_public = number % 2 == 0
        client.put_bucket_acl(oss2.BUCKET_ACL_PUBLIC_READ if is_public else oss2.BUCKET_ACL_PRIVATE)

        for stranger in strangers:
            if is_public:
                assert stranger.get_object("k").read() == b"hello"
            else:
                with pytest.raises(oss2.exceptions.AccessDenied):
                    stranger.get_object("k")


def test_a_policy_holds_everywhere_at_once(crew: Crew, clients: list[oss2.Bucket]) -> None:
    clients[0].put_object("k", b"hello")
    name = clients[0].bucket_name
    strangers = [_stranger(crew, name) for _ in clients]
    allow = statement("Allow", "oss:GetObject", f"acs:oss:*:*:{name}/*")
    allow["Statement"][0]["Principal"] = ["*"]
    for client in clients:
        client.put_bucket_policy(json.dumps(allow))
        assert {stranger.get_object("k").read() for stranger in strangers} == {b"hello"}
        client.delete_bucket_policy()
        for stranger in strangers:
            with pytest.raises(oss2.exceptions.AccessDenied):
                stranger.get_object("k")


def test_a_bucket_that_was_deleted_is_gone_everywhere(clients: list[oss2.Bucket]) -> None:
    for client in clients:
        client.delete_bucket()
        for other in clients:
            with pytest.raises(oss2.exceptions.NoSuchBucket):
                other.put_object("k", b"x")
        client.create_bucket()
        for other in clients:
            other.put_object("k", b"x")
        client.delete_object("k")


def test_a_nonce_is_used_once_among_all(crew: Crew) -> None:
    request = _caller_identity(crew.server)
    lines = _lines(crew, 4 * COUNT)

    for line in lines:
        line.sendall(request)
    answers = [_exchange(line, b"") for line in lines]

    assert sorted(answer[9:12] for answer in answers) == [b"200"] + [b"400"] * (len(lines) - 1)
    assert sum(b"SignatureNonceUsed" in answer for answer in answers) == len(lines) - 1


def test_metrics_are_of_all(crew: Crew, clients: list[oss2.Bucket]) -> None:
    name = 'mossaic_requests_total{operation="GetBucketStat",status="2xx"}'
    before = crew.metric(name)
    for client in clients:
        for _ in range(3):
            client.get_bucket_stat()

    until(lambda: crew.metric(name) == before + 3 * len(clients), "all are counted")

    assert crew.metric("mossaic_connections") > len(clients)


def test_callbacks_are_shown_and_sent_again_by_any(
    crew: Crew, clients: list[oss2.Bucket], receiver: CallbackReceiver
) -> None:
    bucket = clients[0].bucket_name
    headers = {
        "x-oss-callback": b64_json(callback_fields(receiver.url)),
        "x-oss-callback-var": b64_json({"x:order": "7"}),
    }
    for number, client in enumerate(clients):
        client.put_object(f"k{number}", b"hello", headers=headers)
    root = Caller.root(crew.server)

    for _ in range(2 * COUNT):  # each call has a connection of its own
        found = root.api("GET", "callbacks", bucket=bucket).json["callbacks"]
        assert [each["key"] for each in found] == [f"k{number}" for number in reversed(range(len(clients)))]
    oldest = found[-1]["id"]
    for _ in range(2 * COUNT):
        again = root.api("POST", "callbacks/replay", {"id": oldest})
        assert again.status == 200, again.body
        assert again.json["replay_of"] == oldest
    assert len(receiver.calls) == len(clients) + 2 * COUNT


def test_keys_and_users_made_by_command_work_at_once(crew: Crew, clients: list[oss2.Bucket]) -> None:
    name = clients[0].bucket_name
    rights = statement("Allow", "oss:*", [f"acs:oss:*:*:{name}", f"acs:oss:*:*:{name}/*"])
    key_id, secret = crew.server.make_user(f"user-{secrets.token_hex(3)}", rights)

    for _ in clients:
        client = oss2.Bucket(oss2.Auth(key_id, secret), crew.server.endpoint, name, session=oss2.Session())
        client.put_object("k", b"mine")

    crew.server.cli("fsck")
    crew.server.cli("check")


def test_the_limit_of_connections_counts_all(make_crew: Callable[..., Crew]) -> None:
    crew = make_crew(HTTP_MAX_CONNECTIONS="6")
    held = _lines(crew, 6)

    with socket.create_connection(("127.0.0.1", crew.server.port), timeout=20) as one_more:
        assert _exchange(one_more, b"").startswith(b"HTTP/1.1 503")
    held[0].close()
    until(lambda: crew.server.request("GET", "/-/livez")[0] == 200, "there is room again")


def test_lines_of_the_access_log_are_whole(crew: Crew, clients: list[oss2.Bucket]) -> None:
    key = "中" * 300  # as long as keys may be: the line is longer than what a pipe takes at once
    for client in clients:
        client.put_object(key, b"x")

    lines = crew.server.log_lines(bucket=clients[0].bucket_name, operation="PutObject")

    assert [line["key"] for line in lines] == [key] * len(clients)


def test_what_they_start_with_was_loaded_before_they_were_forked(make_server: Callable[..., Server]) -> None:
    """So that it is in memory once."""
    crew = Crew(server=make_server(WORKERS=str(COUNT)))  # nobody has asked for metrics, which load more
    loaded = _libraries(crew.parent)

    assert loaded
    for worker in crew.workers():
        assert _libraries(worker) <= loaded


def _libraries(pid: int) -> set[str]:
    return {line.split()[-1] for line in _proc(f"{pid}/maps").splitlines() if ".so" in line}


def _stranger(crew: Crew, bucket: str) -> oss2.Bucket:
    found = oss2.Bucket(oss2.AnonymousAuth(), crew.server.endpoint, bucket, session=oss2.Session(pool_size=1))
    with pytest.raises(oss2.exceptions.ServerError):
        found.get_object("not-there")
    return found


def _lines(crew: Crew, count: int) -> list[socket.socket]:
    """Connections that have reached their worker."""
    found = [socket.create_connection(("127.0.0.1", crew.server.port), timeout=20) for _ in range(count)]
    for line in found:
        assert _exchange(line, b"GET /-/livez HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 200")
    return found


def _owner_of(crew: Crew, port: int) -> int:
    """The worker that has the other end of the connection from this local port."""
    inode = next(
        row[9]
        for row in (line.split() for line in _proc("net/tcp").splitlines()[1:])
        if int(row[1].split(":")[1], 16) == crew.server.port and int(row[2].split(":")[1], 16) == port
    )
    return next(pid for pid in crew.workers() if f"socket:[{inode}]" in _open_files(pid))


def _proc(name: str) -> str:
    path = Path("/proc") / name
    if not path.exists():
        pytest.skip("there is no /proc to tell which process has a connection")
    return path.read_text()


def _open_files(pid: int) -> set[str]:
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found.add(str(entry.readlink()))
    return found


def _caller_identity(server: Server) -> bytes:
    """A signed request as bytes, to be sent more than once."""
    pairs = (
        ("AccessKeyId", server.access_key_id),
        ("Action", "GetCallerIdentity"),
        ("Format", "JSON"),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureNonce", secrets.token_hex(16)),
        ("SignatureVersion", "1.0"),
        ("Timestamp", datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")),
        ("Version", "2015-04-01"),
    )
    signature = rpc.signature(server.access_key_secret, rpc.string_to_sign("GET", pairs))
    query = urllib.parse.urlencode([*pairs, ("Signature", signature)])
    return f"GET /?{query} HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode()


def _exchange(line: socket.socket, request: bytes) -> bytes:
    """Send, and read one answer to its end."""
    line.sendall(request)
    data = b""
    while b"\r\n\r\n" not in data:
        data += _received(line)
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    assert length is not None
    while len(body) < int(length[1]):
        body += _received(line)
    return head + b"\r\n\r\n" + body


def _received(line: socket.socket) -> bytes:
    data = line.recv(65_536)
    assert data, "the connection was closed"
    return data
