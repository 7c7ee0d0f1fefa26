"""A form is held to its policy, whatever its fields, its headers and its file pretend.

Class: MinIO CVE-2021-21362, CVE-2023-28434; RustFS GHSA-w5fh; Ceph CVE-2023-43040.
"""

from __future__ import annotations

import base64
import json
import secrets

import pytest
import requests

from tests.e2e.conftest import new_bucket
from tests.e2e.form.test_post_object import code, policy, signed
from tests.e2e.harness import Server, statement
from tests.security.support import KEY, Asker, Stage

Fields = list[tuple[str, str]]


def post(
    server: Server,
    bucket: str,
    fields: Fields,
    *,
    file_type: str = "text/plain",
    after: Fields | None = None,
    headers: dict[str, str] | None = None,
    filename: str = "f",
) -> requests.Response:
    """A form written by hand: repeated fields, fields behind the file, odd headers."""
    line = "--XX\r\nContent-Disposition: form-data; name="
    text = "".join(f'{line}"{name}"\r\n\r\n{value}\r\n' for name, value in fields)
    text += f'{line}"file"; filename="{filename}"\r\nContent-Type: {file_type}\r\n\r\n0123456789\r\n'
    text += "".join(f'{line}"{name}"\r\n\r\n{value}\r\n' for name, value in after or [])
    sent = {"Content-Type": "multipart/form-data; boundary=XX", **(headers or {})}
    return requests.post(
        f"{server.endpoint}/{bucket}/",
        data=f"{text}--XX--\r\n".encode(),
        headers=sent,
        timeout=20,
        allow_redirects=False,
    )


def stored(root: Asker, bucket: str) -> bool:
    return b"<Contents>" in root("GET", bucket).body


CONDITIONS: dict[str, tuple[list[object], Fields]] = {
    "another key": ([["eq", "$key", "up/a"]], [("key", "up/b")]),
    "key outside of the prefix": ([["starts-with", "$key", "up/"]], [("key", "other")]),
    "prefix in another case": ([["starts-with", "$key", "up/"]], [("key", "UP/a")]),
    "key twice, the first counts": ([["eq", "$key", "good"]], [("key", "evil"), ("key", "good")]),
    "key in two cases": ([["eq", "$key", "good"]], [("KEY", "evil"), ("key", "good")]),
    "another bucket": ([{"bucket": "another"}], [("key", "k")]),
    "a field that says another bucket": ([{"bucket": "another"}], [("key", "k"), ("bucket", "another")]),
    "a missing field": ([["eq", "$x-oss-meta-a", "1"]], [("key", "k")]),
    "an empty prefix of a missing field": ([["starts-with", "$x-oss-meta-a", ""]], [("key", "k")]),
    "not in the list": ([["in", "$key", ["a", "b"]]], [("key", "c")]),
    "in the forbidden list": ([["not-in", "$key", ["a", "b"]]], [("key", "a")]),
    "an ACL that was not meant": (
        [["eq", "$x-oss-object-acl", "private"]],
        [("key", "k"), ("x-oss-object-acl", "public-read-write")],
    ),
    "a redirect that was not meant": (
        [["eq", "$success_action_redirect", "http://ours.example/"]],
        [("key", "k"), ("success_action_redirect", "http://evil.example/")],
    ),
    "a callback that was not meant": ([["eq", "$callback", "e30="]], [("key", "k"), ("callback", "e30")]),
    "too short": ([["content-length-range", 11, 20]], [("key", "k")]),
    "too long": ([["content-length-range", 1, 9]], [("key", "k")]),
    "the wider of two ranges": (
        [["content-length-range", 0, 100], ["content-length-range", 0, 5]],
        [("key", "k")],
    ),
    "a range that nothing fits": ([["content-length-range", 20, 10]], [("key", "k")]),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition_is_not_got_around(server: Server, root: Asker, bucket: str, name: str) -> None:
    conditions, fields = CONDITIONS[name]

    answer = post(server, bucket, [*fields, *signed(server, policy(*conditions)).items()])

    assert answer.status_code in (400, 403), answer.text
    assert not stored(root, bucket)


@pytest.mark.parametrize("place", ["field", "special field", "file"])
def test_the_content_type_that_counts_is_the_one_that_is_checked(
    server: Server, root: Asker, bucket: str, place: str
) -> None:
    rights = signed(server, policy(["in", "$content-type", ["image/png", "image/jpeg"]])).items()
    fields = [("key", "k"), ("Content-Type", "text/html" if place == "field" else "image/png")]
    if place == "special field":
        fields.append(("x-oss-content-type", "text/html"))
    file_type = {"field": "", "special field": "image/png", "file": "text/html"}[place]

    answer = post(server, bucket, [*fields, *rights], file_type=file_type)

    assert (answer.status_code, code(answer)) == (403, "AccessDenied")
    assert not stored(root, bucket)


def test_what_follows_the_file_does_not_count(server: Server, root: Asker, bucket: str) -> None:
    text = policy(["eq", "$x-oss-meta-a", "1"])
    fields = [("key", "k"), *signed(server, text).items()]

    refused = post(server, bucket, fields, after=[("x-oss-meta-a", "1")])
    late_rights = post(server, bucket, [("key", "k")], after=list(signed(server, policy()).items()))

    assert (refused.status_code, late_rights.status_code) == (403, 403)
    assert not stored(root, bucket)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"conditions": [["starts-with", "$key", ""]]},
        {"expiration": "2999-01-01T00:00:00Z"},
        {"expiration": "2999-01-01T00:00:00Z", "conditions": []},
        {"expiration": "2999-01-01T00:00:00Z", "conditions": {}},
        {"expiration": "2999-01-01T00:00:00Z", "conditions": [["exists", "$key", "x"]]},
        {"expiration": "2999-01-01T00:00:00Z", "conditions": [["eq", "key", "k"]]},
        {"expiration": "2999-01-01T00:00:00Z", "conditions": [["eq", "$key"]]},
        {"expiration": "2999-01-01T00:00:00Z", "conditions": [{"key": "k", "bucket": "b"}]},
        {"expiration": "2999-01-01T00:00:00Z", "conditions": [["content-length-range", -1, 10]]},
        {"expiration": "2999-01-01T00:00:00Z", "conditions": [["content-length-range", 0]]},
        {"expiration": 99999999999, "conditions": [["starts-with", "$key", ""]]},
        {"expiration": "never", "conditions": [["starts-with", "$key", ""]]},
        [],
        "x",
        None,
    ],
    ids=str,
)
def test_a_policy_that_is_not_understood_allows_nothing(
    server: Server, root: Asker, bucket: str, document: object
) -> None:
    text = base64.b64encode(json.dumps(document).encode()).decode()

    answer = post(server, bucket, [("key", "k"), *signed(server, text).items()])

    assert (answer.status_code, code(answer)) == (400, "InvalidPolicyDocument")
    assert not stored(root, bucket)


def test_a_good_header_is_no_signature_of_a_form(stage: Stage) -> None:
    """Nor do the headers of the request give the object anything."""
    server, root = stage.root.server, stage.root
    target, headers = root.signed(_form_message(stage))
    refused = post(server, stage.bucket, [("key", KEY)], headers=headers)
    sent = {"x-oss-object-acl": "public-read-write", "x-oss-meta-a": "1", "x-oss-tagging": "a=b"}
    taken = post(server, stage.bucket, [("key", "k"), *signed(server, policy()).items()], headers=sent)

    assert (refused.status_code, code(refused), target) == (403, "AccessDenied", f"/{stage.bucket}/")
    assert taken.status_code == 204
    assert b"<Grant>default</Grant>" in root("GET", stage.bucket, "k", query={"acl": ""}).body
    assert b"<Tag>" not in root("GET", stage.bucket, "k", query={"tagging": ""}).body
    assert "x-oss-meta-a" not in root("HEAD", stage.bucket, "k").headers


def _form_message(stage: Stage):
    from mossaic.protocol.wire import Message  # noqa: PLC0415  # next to its one use

    headers = {"Content-Type": "multipart/form-data; boundary=XX"}
    return Message(method="POST", bucket=stage.bucket, headers=headers)


def test_tags_in_a_form_take_the_right_to_tag(server: Server) -> None:
    bucket, tag = new_bucket(server), secrets.token_hex(3)
    rights = statement("Allow", "oss:PutObject", f"acs:oss:*:*:{bucket}/*")
    key_id, secret = server.make_user(f"writer-{tag}", rights)
    other = Server(data=server.data, log=server.log, port=server.port, env={})
    other.access_key_id, other.access_key_secret = key_id, secret
    fields = [("key", "k"), *signed(other, policy()).items()]

    tagged = post(server, bucket, [*fields, ("x-oss-tagging", "level=9")])
    plain = post(server, bucket, fields)

    assert (tagged.status_code, code(tagged)) == (403, "AccessDenied")
    assert plain.status_code == 204


@pytest.mark.parametrize(
    "value", ["http://x/\r\nSet-Cookie: a=b", "http://x/\nA: b", "http://x/\0", "\r\n\r\n<script>"]
)
def test_a_redirect_cannot_break_a_header(server: Server, root: Asker, bucket: str, value: str) -> None:
    fields = [("key", "k"), *signed(server, policy()).items(), ("success_action_redirect", value)]

    answer = post(server, bucket, fields)

    assert (answer.status_code, code(answer)) == (400, "InvalidArgument")
    assert "Set-Cookie" not in answer.headers
    assert not stored(root, bucket)


def test_a_tag_text_beyond_latin_1_is_refused(server: Server, bucket: str) -> None:
    fields = [("key", "k"), *signed(server, policy()).items(), ("x-oss-tagging", "标签=值")]

    assert post(server, bucket, fields).status_code == 400
