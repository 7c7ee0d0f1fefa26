"""What a condition asks about is known by the server or covered by the request's effect; no header can pose as it.

Class: RustFS GHSA-6r96, -fc6g (X-Forwarded-For), -v9cp. The truth tables of operators stand in tests/unit/test_policy.py.
"""

from __future__ import annotations

import secrets
from typing import Any

import pytest
import requests

from tests.e2e.conftest import new_bucket
from tests.e2e.form.test_post_object import policy, signed
from tests.e2e.harness import Server, statement
from tests.security.support import Asker

FORGED = {
    "X-Forwarded-For": "10.1.1.1",
    "X-Real-IP": "10.1.1.1",
    "Forwarded": "for=10.1.1.1;proto=https",
    "X-Forwarded-Proto": "https",
    "X-Client-IP": "10.1.1.1",
    "CF-Connecting-IP": "10.1.1.1",
    "True-Client-IP": "10.1.1.1",
    "Via": "1.1 10.1.1.1",
    "acs:SourceIp": "10.1.1.1",
    "acs-SourceIp": "10.1.1.1",
    "acs-SecureTransport": "true",
    "acs-MFAPresent": "true",
    "x-acs-source-ip": "10.1.1.1",
    "x-oss-source-ip": "10.1.1.1",
    "Front-End-Https": "on",
}


def user(server: Server, bucket: str, action: str | list[str], condition: dict[str, Any]) -> Asker:
    document = statement("Allow", action, [f"acs:oss:*:*:{bucket}", f"acs:oss:*:*:{bucket}/*"])
    document["Statement"][0]["Condition"] = condition
    key_id, secret = server.make_user(f"u{secrets.token_hex(5)}", document)
    return Asker(server=server, access_key_id=key_id, secret=secret)


@pytest.mark.parametrize(
    "condition",
    [
        {"IpAddress": {"acs:SourceIp": "10.0.0.0/8"}},
        {"Bool": {"acs:SecureTransport": "true"}},
        {"Bool": {"acs:MFAPresent": "true"}},
        {"StringEquals": {"acs:SourceVpc": "10.1.1.1"}},
        {"StringLike": {"acs:AccessId": "10.1.*"}},
    ],
    ids=str,
)
def test_no_header_and_no_parameter_poses_as_a_property_of_the_request(
    server: Server, root: Asker, bucket: str, condition: dict[str, Any]
) -> None:
    assert root("PUT", bucket, "k", body=b"x").status == 200
    asker = user(server, bucket, "oss:*", condition)
    names = [*FORGED, *(next(iter(inner)) for inner in condition.values())]
    headers = {name: value for name, value in FORGED.items() if ":" not in name}

    forged = asker("GET", bucket, "k", headers=headers)
    asked = asker("GET", bucket, "k", query=dict.fromkeys(names, "10.1.1.1"))

    assert (forged.status, asked.status) == (403, 403)


def test_the_address_is_the_one_of_the_connection(server: Server, root: Asker, bucket: str) -> None:
    """The control: the same kind of condition, met."""
    assert root("PUT", bucket, "k", body=b"x").status == 200
    asker = user(server, bucket, "oss:GetObject", {"IpAddress": {"acs:SourceIp": "127.0.0.0/8"}})

    assert asker("GET", bucket, "k").status == 200
    assert asker("GET", bucket, "k", headers={"X-Forwarded-For": "192.0.2.1"}).status == 200


def test_a_prefix_condition_sees_the_prefix_that_is_listed(server: Server, bucket: str) -> None:
    asker = user(server, bucket, "oss:ListObjects", {"StringLike": {"oss:Prefix": "mine/*"}})

    assert asker("GET", bucket, query={"prefix": "mine/a"}).status == 200
    for query in ({}, {"prefix": ""}, {"prefix": "theirs/"}, {"Prefix": "mine/a"}, {"marker": "mine/"}):
        assert asker("GET", bucket, query=query).status == 403, query


@pytest.fixture(scope="module")
def tagger(server: Server) -> tuple[str, Asker]:
    """Somebody who may write objects only with the tag level=1."""
    bucket = new_bucket(server)
    condition = {"StringEquals": {"oss:RequestObjectTag/level": "1"}}
    return bucket, user(server, bucket, ["oss:PutObject", "oss:PutObjectTagging", "oss:GetObject"], condition)


def test_the_tags_that_count_are_those_the_object_gets(tagger: tuple[str, Asker]) -> None:
    bucket, asker = tagger
    given = {"x-oss-tagging": "level=1"}

    assert asker("PUT", bucket, "good", headers=given, body=b"x").status == 200
    assert asker("PUT", bucket, "none", body=b"x").status == 403
    assert asker("PUT", bucket, "bad", headers={"x-oss-tagging": "level=9"}, body=b"x").status == 403
    assert asker("PUT", bucket, "two", headers={"x-oss-tagging": "level=9&level=1"}, body=b"x").status >= 400


def test_a_header_that_is_not_read_is_no_tag(tagger: tuple[str, Asker], root: Asker) -> None:
    bucket, asker = tagger
    given = {"x-oss-tagging": "level=1"}
    assert root("PUT", bucket, "target", body=b"x").status == 200
    body = b"<Tagging><TagSet><Tag><Key>level</Key><Value>9</Value></Tag></TagSet></Tagging>"

    by_body = asker("PUT", bucket, "target", query={"tagging": ""}, headers=given, body=body)
    reading = asker("GET", bucket, "target", headers=given)
    copying = asker("PUT", bucket, "copy", headers={**given, "x-oss-copy-source": f"/{bucket}/target"})

    assert (by_body.status, reading.status, copying.status) == (403, 403, 403)
    assert b"<Tag>" not in root("GET", bucket, "target", query={"tagging": ""}).body


def test_a_header_beside_a_form_is_no_tag(tagger: tuple[str, Asker], server: Server, root: Asker) -> None:
    bucket, asker = tagger
    holder = Server(data=server.data, log=server.log, port=server.port, env={})
    holder.access_key_id, holder.access_key_secret = asker.access_key_id, asker.secret
    fields = {"key": "form", **signed(holder, policy())}

    def post(more: dict[str, str]) -> int:
        return requests.post(
            f"{server.endpoint}/{bucket}/",
            data=fields | more,
            files={"file": b"x"},
            headers={"x-oss-tagging": "level=1"},
            timeout=20,
        ).status_code

    assert (post({}), post({"x-oss-tagging": "level=9"})) == (403, 403)
    assert root("HEAD", bucket, "form").status == 404
    assert post({"x-oss-tagging": "level=1"}) == 204


def test_a_denied_tag_is_denied_in_a_document_too(server: Server, root: Asker, bucket: str) -> None:
    assert root("PUT", bucket, "k", body=b"x").status == 200
    document = statement("Allow", "oss:*", [f"acs:oss:*:*:{bucket}", f"acs:oss:*:*:{bucket}/*"])
    deny = statement("Deny", "oss:PutObject*", "*")["Statement"][0]
    deny["Condition"] = {"StringEquals": {"oss:RequestObjectTag/level": "9"}}
    document["Statement"].append(deny)
    key_id, secret = server.make_user(f"u{secrets.token_hex(5)}", document)
    asker = Asker(server=server, access_key_id=key_id, secret=secret)

    def tag(value: str) -> int:
        pair = f"<Tag><Key>level</Key><Value>{value}</Value></Tag>"
        body = f"<Tagging><TagSet>{pair}</TagSet></Tagging>".encode()
        return asker("PUT", bucket, "k", query={"tagging": ""}, body=body).status

    assert (tag("9"), tag("1")) == (403, 200)
    assert asker("PUT", bucket, "k", headers={"x-oss-tagging": "level=9"}, body=b"x").status == 403
