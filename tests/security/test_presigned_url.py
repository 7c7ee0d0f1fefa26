"""Whoever holds a presigned URL may do what was signed and no more: nothing can be added, left out or put in another place.

Class: Swift CVE-2026-71191, RustFS GHSA-xm99, -g8w9 (headers beyond the signature change what a URL does).
"""

from __future__ import annotations

import pytest

from mossaic.protocol.wire import Message
from tests.security.support import CONTENT, KEY, Stage, send

URLS = ("v1-url", "v2-url", "v4-url")
UNSIGNED = {
    "x-oss-copy-source": "/{bucket}/" + KEY,
    "x-oss-object-acl": "public-read-write",
    "x-oss-acl": "public-read-write",
    "x-oss-meta-owner": "me",
    "x-oss-tagging": "level=9",
    "x-oss-storage-class": "IA",
    "x-oss-forbid-overwrite": "false",
    "x-oss-symlink-target": KEY,
    "x-oss-callback": "eyJ9",
    "x-oss-security-token": "TVQx",
    "x-oss-persistent-headers": "A:Yg==",
    "x-oss-server-side-encryption": "AES256",
    "x-oss-traffic-limit": "819200",
    "x-oss-complete-all": "yes",
    "x-oss-date": "20200101T000000Z",
}


@pytest.mark.parametrize("scheme", URLS)
def test_no_header_of_oss_can_be_added(stage: Stage, scheme: str) -> None:
    message = Message(method="PUT", bucket=stage.bucket, key="drop", body=b"mine")
    target, headers = stage.root.signed(message, scheme)
    for name, value in UNSIGNED.items():
        more = {name: value.format(bucket=stage.bucket)}

        reply = send(stage.root.server, message, target, headers | more)

        assert reply.status == 403, (name, reply.status, reply.body)
    assert stage.root("HEAD", stage.bucket, "drop").status == 404
    assert send(stage.root.server, message, target, headers).status == 200  # the URL itself was good


@pytest.mark.parametrize("scheme", URLS)
def test_no_sub_resource_can_be_added(stage: Stage, scheme: str) -> None:
    for method in ("GET", "PUT", "DELETE"):
        message = Message(method=method, bucket=stage.bucket, key="drop")
        target, headers = stage.root.signed(message, scheme)
        for more in (
            "acl", "tagging", "symlink", "uploads", f"uploadId={stage.upload_id}", "versionId=null", "objectMeta",
            "response-content-type=text/html", "x-oss-process=image/resize", "restore", "append&position=0",
        ):  # fmt: skip
            for place in (f"{target}&{more}", target.replace("?", f"?{more}&")):
                reply = send(stage.root.server, message, place, headers)
                if "x-oss-process" in more and scheme == "v1-url":
                    # alibabacloud-oss-v2 does not sign it in V1, so it can be added; it changes nothing but the refusal.
                    assert reply.status == 501 or (method, reply.status) != ("GET", 200)
                    continue
                assert reply.status in (400, 403), (method, more, reply.status, reply.body)


@pytest.mark.parametrize("scheme", URLS)
def test_a_url_is_for_one_key_of_one_bucket_with_one_method(stage: Stage, scheme: str) -> None:
    message = Message(method="GET", bucket=stage.bucket, key="drop")
    target, headers = stage.root.signed(message, scheme)
    path, _, query = target.partition("?")
    for method, other in (
        ("GET", f"/{stage.bucket}/{KEY}"),
        ("GET", f"/{stage.bucket}/"),
        ("GET", f"/{stage.bucket}/drop/"),
        ("GET", f"/{stage.bucket}//drop"),
        ("GET", f"/{stage.bucket}/x/../drop"),
        ("GET", "/"),
        ("PUT", path),
        ("DELETE", path),
        ("HEAD", path),
        ("POST", path),
    ):
        reply = send(stage.root.server, Message(method=method), f"{other}?{query}", headers)
        assert reply.status == 403, (method, other, reply.status, reply.body)
        assert CONTENT not in reply.body


@pytest.mark.parametrize("scheme", URLS)
def test_the_first_of_two_values_counts_for_the_signature_too(stage: Stage, scheme: str) -> None:
    query = {"response-content-type": "text/plain"}
    message = Message(method="GET", bucket=stage.bucket, key=KEY, query=query)
    target, headers = stage.root.signed(message, scheme)

    before = send(
        stage.root.server, message, target.replace("?", "?response-content-type=text%2Fhtml&"), headers
    )
    after = send(stage.root.server, message, f"{target}&response-content-type=text%2Fhtml", headers)

    assert (before.status, after.status) == (403, 403)


@pytest.mark.parametrize("scheme", URLS)
def test_its_life_cannot_be_made_longer(stage: Stage, scheme: str) -> None:
    message = Message(method="GET", bucket=stage.bucket, key=KEY)
    target, headers = stage.root.but(lasts_s=60).signed(message, scheme)
    name = {"v1-url": "Expires=", "v2-url": "x-oss-expires=", "v4-url": "x-oss-expires="}[scheme]
    head, _, tail = target.partition(name)
    value, rest = tail.partition("&")[0], "".join(tail.partition("&")[1:])

    longer = f"{head}{name}{int(value) + 600}{rest}"
    twice = f"{head}{name}{int(value) + 600}&{name}{value}{rest}"

    assert send(stage.root.server, message, target, headers).status == 200
    assert [send(stage.root.server, message, each, headers).status for each in (longer, twice)] == [403, 403]


def test_a_content_type_that_was_signed_is_the_only_one(stage: Stage) -> None:
    """V1 and V4 cover Content-Type and Content-MD5 where they are sent."""
    message = Message(method="PUT", bucket=stage.bucket, key="drop", headers={"Content-Type": "image/png"})
    for scheme in URLS:
        target, headers = stage.root.signed(message, scheme)
        for other in (
            {"Content-Type": "text/html"},
            {},
            {**headers, "Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="},
        ):
            assert send(stage.root.server, message, target, other).status == 403, (scheme, other)
