"""The callback inspector: what was sent, what came back, for whom, and sending it again."""

from __future__ import annotations

import base64
import secrets
import socket
from typing import TYPE_CHECKING, Any

import oss2
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.e2e.console.caller import Caller
from tests.e2e.harness import b64_json, callback_fields, statement

if TYPE_CHECKING:
    from tests.e2e.harness import CallbackReceiver, Server


@pytest.fixture
def root(server: Server) -> Caller:
    return Caller.root(server)


def client(server: Server, bucket: str) -> oss2.Bucket:
    return oss2.Bucket(oss2.Auth(server.access_key_id, server.access_key_secret), server.endpoint, bucket)


def put(server: Server, bucket: str, key: str, url: str, **more: str) -> int:
    """Store an object with a callback; the status of the answer, 203 where the callback failed."""
    headers = {
        "x-oss-callback": b64_json(callback_fields(url) | more),
        "x-oss-callback-var": b64_json({"x:order": "7"}),
    }
    return Caller.root(server).send("PUT", bucket, key, body=b"hello", headers=headers).status


def listed(caller: Caller, bucket: str, **query: str) -> list[dict[str, Any]]:
    answer = caller.api("GET", "callbacks", bucket=bucket, **query)
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = answer.json["callbacks"]
    return found


def test_a_callback_is_shown_as_it_was_sent(
    server: Server, root: Caller, bucket: str, receiver: CallbackReceiver
) -> None:
    assert put(server, bucket, "a b/中", receiver.url + "?q=1", callbackHost="app.example") == 200

    [record] = listed(root, bucket)

    called = receiver.calls[0]
    assert record["body"] == called.body.decode()
    assert (record["bucket"], record["key"], record["operation"]) == (bucket, "a b/中", "PutObject")
    assert (record["ok"], record["replay_of"], record["upload_id"]) == (True, None, None)
    assert (record["url"], record["host"]) == (receiver.url + "?q=1", "app.example")
    assert record["content_type"] == called.headers["content-type"]
    assert record["signature"] == called.headers["authorization"]
    assert record["pub_key_url"] == f"{server.endpoint}/-/callback-key.pem"
    [only] = record["tries"]
    assert (only["status"], only["answer"], only["error"]) == (200, '{"Status":"OK"}', None)
    assert (only["address"], only["truncated"]) == ("127.0.0.1", False)
    assert {name.lower(): value for name, value in only["headers"].items()} == called.headers


def test_the_shown_signature_is_of_the_shown_text(
    server: Server, root: Caller, bucket: str, receiver: CallbackReceiver
) -> None:
    put(server, bucket, "k", receiver.url)

    [record] = listed(root, bucket)

    key = serialization.load_pem_public_key(server.request("GET", "/-/callback-key.pem")[2])
    assert isinstance(key, rsa.RSAPublicKey)
    signature = base64.b64decode(record["signature"])
    key.verify(signature, record["signed_text"].encode(), padding.PKCS1v15(), hashes.MD5())


def test_complete_names_its_upload(
    server: Server, root: Caller, bucket: str, receiver: CallbackReceiver
) -> None:
    official = client(server, bucket)
    upload = official.init_multipart_upload("big").upload_id
    part = official.upload_part("big", upload, 1, b"hello")
    official.complete_multipart_upload(
        "big",
        upload,
        [oss2.models.PartInfo(1, part.etag)],
        headers={"x-oss-callback": b64_json(callback_fields(receiver.url))},
    )

    [record] = listed(root, bucket)

    assert (record["upload_id"], record["operation"]) == (upload, "CompleteMultipartUpload")


def test_every_try_is_told(server: Server, root: Caller, bucket: str, receiver: CallbackReceiver) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    urls = f"http://127.0.0.1:{port}/closed;{receiver.url}/fail;{receiver.url}"

    assert put(server, bucket, "k", urls) == 200

    [record] = listed(root, bucket)
    assert [each["status"] for each in record["tries"]] == [None, 404, 200]
    closed_try, failed, _ = record["tries"]
    assert closed_try["error"] == "The receiver cannot be reached: Connection refused."
    assert (failed["answer"], failed["error"]) == ('{"Status":"OK"}', "Error status : 404.")
    assert failed["signed_text"].startswith("/hook/fail\n")
    assert all(each["ms"] >= 0 for each in record["tries"])
    assert (record["ok"], record["url"]) == (True, receiver.url)


def test_a_receiver_that_says_nothing(make_server, receiver: CallbackReceiver) -> None:
    server: Server = make_server(CALLBACK_TIMEOUT_S="0.2")
    client(server, "silent-bucket").create_bucket()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        status = put(server, "silent-bucket", "k", f"http://127.0.0.1:{silent.getsockname()[1]}/")

    [record] = listed(Caller.root(server), "silent-bucket")
    assert status == 203
    assert record["ok"] is False
    assert [(each["status"], each["error"]) for each in record["tries"]] == [
        (None, "No answer came in time.")
    ]


def test_an_answer_is_kept_in_part(
    server: Server, root: Caller, bucket: str, receiver: CallbackReceiver
) -> None:
    receiver.answer = b'"' + b"x" * 100_000 + b'"'
    put(server, bucket, "k", receiver.url)

    [record] = listed(root, bucket)

    assert len(record["tries"][0]["answer"]) == 65_536
    assert record["tries"][0]["truncated"] is True


def test_the_newest_come_first_and_the_oldest_go(make_server, receiver: CallbackReceiver) -> None:
    server: Server = make_server(CONSOLE_CALLBACKS="3")
    root = Caller.root(server)
    for name in ("first-bucket", "second-bucket"):
        client(server, name).create_bucket()
    for key in ("a", "b", "c"):
        put(server, "first-bucket", key, receiver.url)
    put(server, "second-bucket", "d", receiver.url)

    assert [record["key"] for record in listed(root, "first-bucket")] == ["c", "b"]
    assert [record["key"] for record in listed(root, "first-bucket", limit="1")] == ["c"]
    assert [record["key"] for record in listed(root, "second-bucket")] == ["d"]
    assert root.api("GET", "callbacks", bucket="first-bucket", limit="0").code == "InvalidArgument"
    assert root.api("GET", "callbacks", bucket="first-bucket", limit="²").code == "InvalidArgument"


def test_a_callback_is_sent_again(
    server: Server, root: Caller, bucket: str, receiver: CallbackReceiver
) -> None:
    receiver.status = 500
    assert put(server, bucket, "k", receiver.url) == 203
    [failed] = listed(root, bucket)
    receiver.status = 200

    again = root.api("POST", "callbacks/replay", {"id": failed["id"]}).json

    first, second = receiver.calls
    assert (again["ok"], again["replay_of"]) == (True, failed["id"])
    assert (second.target, second.body, second.headers) == (first.target, first.body, first.headers)
    assert second.signature_holds()
    assert [record["id"] for record in listed(root, bucket)] == [again["id"], failed["id"]]


def test_a_replay_that_fails_is_told(
    server: Server, root: Caller, bucket: str, receiver: CallbackReceiver
) -> None:
    put(server, bucket, "k", receiver.url)
    [record] = listed(root, bucket)
    receiver.status = 503

    again = root.api("POST", "callbacks/replay", {"id": record["id"]})

    assert (again.status, again.json["ok"], again.json["tries"][0]["status"]) == (200, False, 503)


def test_what_is_not_kept_cannot_be_sent_again(root: Caller) -> None:
    answer = root.api("POST", "callbacks/replay", {"id": secrets.token_hex(12)})

    assert (answer.status, answer.code) == (404, "NoSuchKey")


def test_others_need_a_policy_for_each(
    server: Server, root: Caller, bucket: str, receiver: CallbackReceiver
) -> None:
    """The right to everything of OSS does not include it: bodies are what users sent."""
    put(server, bucket, "k", receiver.url)
    [record] = listed(root, bucket)
    tag = secrets.token_hex(4)
    here = f"acs:oss:*:*:{bucket}"
    pairs = {
        name: server.make_user(f"{name}-{tag}", statement("Allow", action, [here, f"{here}/*"]))
        for name, action in (
            ("all-of-oss", "oss:*"),
            ("lists", "mossaic:ListCallbacks"),
        )
    }
    users = {
        name: Caller(server=server, access_key_id=key, secret=secret) for name, (key, secret) in pairs.items()
    }

    seen = {name: user.api("GET", "callbacks", bucket=bucket).status for name, user in users.items()}
    sent = {
        name: user.api("POST", "callbacks/replay", {"id": record["id"]}).status
        for name, user in users.items()
    }

    assert seen == {"all-of-oss": 403, "lists": 200}
    assert sent == {"all-of-oss": 403, "lists": 403}
    assert len(receiver.calls) == 1
