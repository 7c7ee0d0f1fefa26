"""A callback reaches what the operator allowed and nothing else, however its address is spelled and whatever its name resolves to.

Class: MinIO CVE-2021-21287; SeaweedFS GHSA-87fv; Swift CVE-2026-50221; RustFS GHSA-m479, -frwq (rebinding).
Redirects, hanging and long answers stand in tests/e2e/callback.
"""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Sequence

import pytest

from mossaic.config import CallbackSettings
from mossaic.model.callback import may_call
from mossaic.protocol.errors import OssError
from mossaic.service.callback_log import CallbackLog
from mossaic.service.callbacks import CallbackService
from mossaic.stores.callbacks import HttpCallbackSender
from mossaic.stores.sql.sqlite import SqliteMetadata
from tests.e2e.conftest import new_bucket
from tests.e2e.harness import CallbackReceiver, Server, b64_json
from tests.security.support import Asker

# How one writes "this machine", "the network behind it" and "the cloud's metadata" without writing it.
TARGETS = [
    "http://127.0.0.1:{port}/", "http://127.1:{port}/", "http://127.0.1:{port}/", "http://2130706433:{port}/",
    "http://0x7f000001:{port}/", "http://0x7f.1:{port}/", "http://0177.0.0.1:{port}/", "http://017700000001:{port}/",
    "http://0:{port}/", "http://0.0.0.0:{port}/", "http://127.255.255.254:{port}/", "http://localhost:{port}/",
    "http://LOCALHOST:{port}/", "http://localhost.:{port}/", "http://ip6-localhost:{port}/", "http://[::1]:{port}/",
    "http://[::]:{port}/", "http://[::ffff:127.0.0.1]:{port}/", "http://[::ffff:7f00:1]:{port}/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]:{port}/", "http://[::127.0.0.1]:{port}/", "http://[64:ff9b::7f00:1]:{port}/",
    "http://[2002:7f00:1::]:{port}/", "http://[::1%25lo]:{port}/", "127.0.0.1:{port}", "https://127.0.0.1:{port}/",
    "http://user@127.0.0.1:{port}/", "http://example.com@127.0.0.1:{port}/", "http://127.0.0.1:{port}#@example.com/",
    "http://example.com\\@127.0.0.1:{port}/", "http://127.0.0.1:{port}\\@example.com/", "http://①②⑦.⓪.⓪.①:{port}/",
    "http://127。0。0。1:{port}/", "http://127.0.0.1 :{port}/", "http://169.254.169.254/latest/meta-data/",
    "http://[fe80::1]/", "http://[fe80::1%25eth0]/", "http://100.100.100.200/latest/meta-data/", "http://10.0.0.1/",
    "http://172.16.0.1/", "http://172.31.255.255/", "http://192.168.0.1/", "http://[fc00::1]/", "http://[fd00:ec2::254]/",
    "http://100.64.0.1/", "http://192.0.0.192/", "http://198.18.0.1/", "http://224.0.0.1/", "http://255.255.255.255/",
    "http://240.0.0.1/", "http://[ff02::1]/", "http://[2001:db8::1]/", "http://[fec0::1]/", "http://[64:ff9b:1::a00:1]/",
    "file:///etc/passwd", "gopher://127.0.0.1:{port}/", "ftp://127.0.0.1/", "dict://127.0.0.1:{port}/", "http://",
    "http:///x", "http://:80/", "http://127.0.0.1:99999/", "http://127.0.0.1:-1/", "http://127.0.0.1:0/", "//127.0.0.1:{port}/",
    "javascript:alert(1)", "http://[/", "http://]/", "http://..../", "http://-/",
]  # fmt: skip


def test_the_corpus_is_not_cut_down() -> None:
    assert len(TARGETS) >= 70


def test_nothing_inside_is_called(make_server, receiver: CallbackReceiver) -> None:
    strict: Server = make_server(CALLBACK_ALLOW_LOOPBACK="false", CALLBACK_TIMEOUT_S="2")
    root, bucket = Asker.root(strict), new_bucket(strict)
    port = receiver.url.rpartition(":")[2].partition("/")[0]

    for target in TARGETS:
        url = target.replace("{port}", port)
        headers = {"x-oss-callback": b64_json({"callbackUrl": url, "callbackBody": "a=b"})}
        reply = root("PUT", bucket, "k", headers=headers, body=b"x")
        assert (reply.status, reply.code) == (400, "InvalidArgument"), (url, reply.status, reply.body)

    assert receiver.calls == []
    assert root("HEAD", bucket, "k").status == 404


def test_one_good_target_does_not_let_a_bad_one_pass(make_server, receiver: CallbackReceiver) -> None:
    """All are looked at before anything is stored."""
    lenient: Server = make_server()
    root, bucket = Asker.root(lenient), new_bucket(lenient)
    asked = {"callbackUrl": f"{receiver.url};http://169.254.169.254/", "callbackBody": "a=b"}

    reply = root("PUT", bucket, "k", headers={"x-oss-callback": b64_json(asked)}, body=b"x")

    assert (reply.status, reply.code) == (400, "InvalidArgument")
    assert receiver.calls == []


def test_loopback_allowed_opens_nothing_else(make_server) -> None:
    lenient: Server = make_server(CALLBACK_TIMEOUT_S="1")
    root, bucket = Asker.root(lenient), new_bucket(lenient)

    for target in TARGETS:
        if "{port}" in target:
            continue
        headers = {"x-oss-callback": b64_json({"callbackUrl": target, "callbackBody": "a=b"})}
        reply = root("PUT", bucket, "k", headers=headers, body=b"x")
        assert reply.status == 400, (target, reply.status)


def test_every_special_block_is_closed() -> None:
    """Also with everything allowed that a setting can allow."""
    never = "0.0.0.0 0.1.2.3 100.64.0.1 169.254.169.254 192.0.0.192 192.0.2.1 192.88.99.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 240.0.0.1 255.255.255.255 :: fe80::1 fec0::1 ff02::1 2001:db8::1 64:ff9b::a9fe:a9fe ::ffff:169.254.169.254 2002:a9fe:a9fe:: 64:ff9b:1::1 100::1".split()  # fmt: skip
    for address in never:
        assert not may_call(address, allow_loopback=True, allow_private=True), address
    for address in "8.8.8.8 2606:4700::1111 ::ffff:8.8.8.8".split():
        assert may_call(address, allow_loopback=False, allow_private=False), address


class Rebinding(HttpCallbackSender):
    """The real sender, in front of a DNS that changes its mind: first `first`, from then on loopback."""

    def __init__(self, *first: str) -> None:
        super().__init__()
        self.first = first
        self.asked = 0
        self.sent_to: list[str] = []

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return self.first if self.asked == 1 else ("127.0.0.1",)

    async def send(self, request, *, max_body):
        self.sent_to.append(request.address)
        raise OSError("the network ends here")


async def test_a_name_is_resolved_once_and_that_address_is_called(tmp_path) -> None:
    sender = Rebinding("198.51.99.7")
    metadata = SqliteMetadata.open(tmp_path / "metadata.db", sync=False)
    service = CallbackService(sender=sender, identities=metadata, settings=CallbackSettings())
    asked = b64_json({"callbackUrl": "http://rebind.example/", "callbackBody": "a=b"})

    prepared = await service.prepare(asked, None)
    assert prepared is not None
    with pytest.raises(OssError, match="cannot be reached"):
        await service.send(prepared, {}, endpoint="http://oss.example", headers={})

    assert (sender.asked, sender.sent_to) == (1, ["198.51.99.7"])
    await metadata.close()


async def test_a_replay_resolves_and_checks_again(tmp_path) -> None:
    """A kept callback is no way around: its name leads inside by now."""
    sender = Rebinding("198.51.99.7")
    metadata = SqliteMetadata.open(tmp_path / "metadata.db", sync=False)
    log = CallbackLog(10)
    service = CallbackService(sender=sender, identities=metadata, settings=CallbackSettings(), log=log)
    prepared = await service.prepare(
        b64_json({"callbackUrl": "http://rebind.example/", "callbackBody": "a=b"}), None
    )
    assert prepared is not None
    with pytest.raises(OssError, match="cannot be reached"):
        await service.send(prepared, {"bucket": "b"}, endpoint="http://oss.example", headers={})
    [record] = log.of("b")

    with pytest.raises(OssError, match="Private address"):
        await service.replay(record, endpoint="http://oss.example")

    assert sender.sent_to == ["198.51.99.7"]
    assert [each.id for each in log.of("b")] == [record.id]
    await metadata.close()


async def test_a_name_with_only_inner_addresses_is_refused(tmp_path) -> None:
    metadata = SqliteMetadata.open(tmp_path / "metadata.db", sync=False)
    for addresses in (("127.0.0.1",), ("10.0.0.1", "::1"), ("169.254.169.254",), ()):
        service = CallbackService(
            sender=Rebinding(*addresses), identities=metadata, settings=CallbackSettings()
        )
        asked = b64_json({"callbackUrl": "http://inner.example/", "callbackBody": "a=b"})
        with pytest.raises(OssError, match="Private address"):
            await service.prepare(asked, None)
    await metadata.close()


def test_a_receiver_learns_no_credentials(
    server: Server, receiver: CallbackReceiver, root: Asker, bucket: str
) -> None:
    canary = f"canary{secrets.token_hex(8)}"
    headers = {
        "x-oss-callback": b64_json({"callbackUrl": receiver.url, "callbackBody": "a=b"}),
        "Cookie": canary,
        "x-oss-meta-a": canary,
    }

    assert root("PUT", bucket, "k", headers=headers, body=b"x").status == 200

    told = repr(receiver.calls[-1])
    assert server.access_key_secret not in told
    assert server.access_key_id not in told
    assert canary not in told


def test_an_answer_of_a_receiver_cannot_write_our_headers(server: Server, root: Asker, bucket: str) -> None:
    """The answer's body is passed on as JSON; none of its headers are."""
    body = b'{"a":"<script>"}'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nSet-Cookie: a=b\r\nx-oss-object-acl: public\r\n"
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(65536)
                peer.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        asked = b64_json({"callbackUrl": url, "callbackBody": "a=b"})
        reply = root("PUT", bucket, "k", headers={"x-oss-callback": asked}, body=b"x")
        thread.join(10)

    assert (reply.status, reply.body) == (200, body)
    assert reply.headers["content-type"] == "application/json"
    assert "set-cookie" not in reply.headers
    assert "x-oss-object-acl" not in reply.headers
