"""PostObject as browsers and curl send it: V1 and V4 forms, policies enforced, answers, callbacks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import oss2
import pytest
import requests

from tests.e2e.harness import CallbackReceiver, Server, b64_json

PNG = b"\x89PNG" + b"x" * 50_000


def policy(*conditions: object, minutes: int = 5) -> str:
    until = (datetime.now(UTC) + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    document = {"expiration": until, "conditions": list(conditions) or [["starts-with", "$key", ""]]}
    return base64.b64encode(json.dumps(document).encode()).decode()


def signed(server: Server, text: str) -> dict[str, str]:
    digest = hmac.new(server.access_key_secret.encode(), text.encode(), hashlib.sha1).digest()
    return {
        "OSSAccessKeyId": server.access_key_id,
        "policy": text,
        "Signature": base64.b64encode(digest).decode(),
    }


def post(
    server: Server, bucket: str, fields: dict[str, str], content: bytes = PNG, filename: str = "a b.png"
):
    return requests.post(
        f"{server.endpoint}/{bucket}/", data=fields, files={"file": (filename, content, "image/png")},
        allow_redirects=False, timeout=30,
    )  # fmt: skip


def client(server: Server, name: str) -> oss2.Bucket:
    auth = oss2.Auth(server.access_key_id, server.access_key_secret)
    return oss2.Bucket(auth, server.endpoint, name, is_path_style=True)


def code(answer: requests.Response) -> str:
    return answer.text.partition("<Code>")[2].partition("</Code>")[0]


def test_a_form_becomes_an_object_with_its_headers(server: Server, bucket: str) -> None:
    fields = {
        "key": "up/${filename}",
        **signed(server, policy({"bucket": bucket}, ["starts-with", "$key", "up/"])),
        "Cache-Control": "no-cache",
        "x-oss-meta-year": "2020",
        "x-oss-object-acl": "public-read",
        "x-oss-storage-class": "IA",
    }

    answer = post(server, bucket, fields, filename="C:\\dir\\ü.png")

    assert (answer.status_code, answer.content) == (204, b"")
    head = client(server, bucket).head_object("up/ü.png")
    assert head.content_length == len(PNG)
    assert head.headers["Content-Type"] == "image/png"
    assert head.headers["Cache-Control"] == "no-cache"
    assert head.headers["x-oss-meta-year"] == "2020"
    assert head.headers["x-oss-storage-class"] == "IA"
    assert requests.get(f"{server.endpoint}/{bucket}/up/{quote('ü')}.png", timeout=10).content == PNG


@pytest.mark.parametrize(
    ("wanted", "status"), [("200", 200), ("201", 201), ("204", 204), ("299", 204), ("", 204)]
)
def test_the_status_that_was_asked_for(server: Server, bucket: str, wanted: str, status: int) -> None:
    answer = post(server, bucket, {"key": "k", **signed(server, policy()), "success_action_status": wanted})

    assert answer.status_code == status
    assert answer.headers["ETag"] == f'"{hashlib.md5(PNG).hexdigest().upper()}"'
    if status == 201:
        assert f"<PostResponse><Bucket>{bucket}</Bucket>" in answer.text
        assert "<Key>k</Key>" in answer.text


def test_a_redirect_wins(server: Server, bucket: str) -> None:
    fields = {"key": "k", **signed(server, policy()), "success_action_redirect": "http://example.com/done"}

    answer = post(server, bucket, fields | {"success_action_status": "201"})

    assert (answer.status_code, answer.headers["Location"]) == (303, "http://example.com/done")


def test_v4(server: Server, bucket: str) -> None:
    now = datetime.now(UTC)
    day, stamp = now.strftime("%Y%m%d"), now.strftime("%Y%m%dT%H%M%SZ")
    credential = f"{server.access_key_id}/{day}/cn-hangzhou/oss/aliyun_v4_request"
    text = policy({"x-oss-credential": credential}, {"x-oss-date": stamp})
    key = f"aliyun_v4{server.access_key_secret}".encode()
    for piece in (day, "cn-hangzhou", "oss", "aliyun_v4_request"):
        key = hmac.new(key, piece.encode(), hashlib.sha256).digest()
    fields = {
        "key": "v4",
        "policy": text,
        "x-oss-signature-version": "OSS4-HMAC-SHA256",
        "x-oss-credential": credential,
        "x-oss-date": stamp,
        "x-oss-signature": hmac.new(key, text.encode(), hashlib.sha256).hexdigest(),
    }

    assert post(server, bucket, fields).status_code == 204
    assert code(post(server, bucket, fields | {"x-oss-signature": "0" * 64})) == "SignatureDoesNotMatch"
    assert code(post(server, bucket, fields | {"x-oss-date": "20200101T000000Z"})) == "InvalidArgument"
    long = credential.replace("cn-hangzhou", "r" * 250)
    assert code(post(server, bucket, fields | {"x-oss-credential": long})) == "InvalidArgument"
    assert client(server, bucket).get_object("v4").read() == PNG


@pytest.mark.parametrize(
    ("change", "status", "expected"),
    [
        ({"Signature": "AAAA"}, 403, "SignatureDoesNotMatch"),
        ({"Signature": ""}, 400, "InvalidArgument"),
        ({"policy": ""}, 400, "InvalidArgument"),
        ({"OSSAccessKeyId": "nobody"}, 403, "InvalidAccessKeyId"),
        ({"x-oss-object-acl": "everything"}, 400, "InvalidArgument"),
        ({"x-oss-security-token": "token"}, 403, "InvalidAccessKeyId"),
        ({"callback": "%%%"}, 400, "InvalidArgument"),
        ({"key": ""}, 400, "InvalidObjectName"),
    ],
)
def test_a_bad_form_stores_nothing(
    server: Server, bucket: str, change: dict[str, str], status: int, expected: str
) -> None:
    answer = post(server, bucket, {"key": "k", **signed(server, policy())} | change)

    assert (answer.status_code, code(answer)) == (status, expected)
    assert not client(server, bucket).object_exists("k")


@pytest.mark.parametrize(
    ("conditions", "minutes", "status", "expected"),
    [
        ([["content-length-range", 1, 100]], 5, 400, "EntityTooLarge"),
        ([["content-length-range", 100_000, 200_000]], 5, 400, "EntityTooSmall"),
        ([["starts-with", "$key", "other/"]], 5, 403, "AccessDenied"),
        ([["eq", "$missing", "x"]], 5, 403, "AccessDenied"),
        ([{"bucket": "another"}], 5, 403, "AccessDenied"),
        ([], -5, 403, "AccessDenied"),
    ],
)
def test_the_policy_is_enforced(
    server: Server, bucket: str, conditions: list[object], minutes: int, status: int, expected: str
) -> None:
    answer = post(server, bucket, {"key": "k", **signed(server, policy(*conditions, minutes=minutes))})

    assert (answer.status_code, code(answer)) == (status, expected)
    assert not client(server, bucket).object_exists("k")


def test_anonymous_forms_need_a_public_bucket(server: Server, bucket: str) -> None:
    refused = post(server, bucket, {"key": "k"})
    client(server, bucket).put_bucket_acl("public-read-write")
    taken = post(server, bucket, {"key": "k"})

    assert (refused.status_code, code(refused)) == (403, "AccessDenied")
    assert taken.status_code == 204


def test_forbid_overwrite_in_a_form(server: Server, bucket: str) -> None:
    fields = {"key": "k", **signed(server, policy()), "x-oss-forbid-overwrite": "true"}

    assert post(server, bucket, fields).status_code == 204
    assert code(post(server, bucket, fields)) == "FileAlreadyExists"


def test_a_callback_with_variables_as_fields(server: Server, bucket: str, receiver: CallbackReceiver) -> None:
    asked = {"callbackUrl": receiver.url, "callbackBody": "o=${operation}&mine=${x:mine}&size=${size}"}
    fields = {"key": "k", **signed(server, policy()), "callback": b64_json(asked), "x:mine": "v 1"}

    answer = post(server, bucket, fields)

    assert (answer.status_code, answer.json()) == (200, {"Status": "OK"})
    assert receiver.calls[0].form() == {"o": "PostObject", "mine": "v 1", "size": str(len(PNG))}


def test_what_is_no_form_is_refused_with_its_own_code(server: Server, bucket: str) -> None:
    url = f"{server.endpoint}/{bucket}/"
    plain = requests.post(url, data=b"x", headers={"Content-Type": "text/plain"}, timeout=10)
    broken = requests.post(
        url, data=b"--b\r\nnonsense", headers={"Content-Type": "multipart/form-data; boundary=b"}, timeout=10
    )

    assert (plain.status_code, code(plain)) == (400, "RequestIsNotMultiPartContent")
    assert (broken.status_code, code(broken)) == (400, "MalformedPOSTRequest")


def test_a_big_file_flows_through(server: Server, bucket: str) -> None:
    content = PNG * 400  # 20 MB

    assert post(server, bucket, {"key": "big", **signed(server, policy())}, content).status_code == 204
    assert client(server, bucket).get_object("big").read() == content
