"""Who may not read an object learns nothing of it: not that it is there, not its ETag, its age, its size or its version.

Class: MinIO CVE-2024-36107. Permission is asked before any condition is looked at.
"""

from __future__ import annotations

import hashlib
import re
import secrets

import pytest

from mossaic.protocol.wire import Message
from tests.e2e.conftest import new_bucket
from tests.e2e.harness import Server, statement
from tests.security.support import CONTENT, KEY, Asker, Reply, Stage, anonymous

ETAG = f'"{hashlib.md5(CONTENT).hexdigest().upper()}"'
CONDITIONS = {
    "the ETag": {"If-Match": ETAG},
    "another ETag": {"If-Match": '"0"'},
    "none of the ETag": {"If-None-Match": ETAG},
    "none of another": {"If-None-Match": '"0"'},
    "none of any": {"If-None-Match": "*"},
    "changed long ago": {"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
    "changed in the future": {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"},
    "unchanged long ago": {"If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
    "a range": {"Range": "bytes=0-0"},
    "a range behind its end": {"Range": "bytes=1000-", "x-oss-range-behavior": "standard"},
    "a range if the ETag": {"Range": "bytes=0-0", "If-Range": ETAG},
    "a condition that cannot be read": {"If-Modified-Since": "never", "If-Match": '"'},
}


def shown(reply: Reply) -> tuple[int, dict[str, str], bytes]:
    """All of an answer but what differs from request to request."""
    fixed = {
        n: v
        for n, v in reply.headers.items()
        if n not in ("date", "x-oss-request-id", "x-oss-server-time", "x-oss-err")
    }
    document = re.sub(rb"<RequestId>[^<]*</RequestId>", b"", reply.document)
    fixed.pop("content-length", None)
    return reply.status, fixed, document


@pytest.fixture
def nobody(server: Server) -> Asker:
    key_id, secret = server.make_user(f"nobody-{secrets.token_hex(4)}")
    return Asker(server=server, access_key_id=key_id, secret=secret)


def test_conditions_are_not_looked_at_for_strangers(stage: Stage, nobody: Asker) -> None:
    for method in ("GET", "HEAD"):
        for key in (KEY, "not-there"):
            message = Message(method=method, bucket=stage.bucket, key=key)
            plain = shown(anonymous(stage.root.server, message)), shown(nobody.ask(message))
            assert [answer[0] for answer in plain] == [403, 403]
            for name, headers in CONDITIONS.items():
                asked = Message(method=method, bucket=stage.bucket, key=key, headers=headers)
                answers = shown(anonymous(stage.root.server, asked)), shown(nobody.ask(asked))
                assert answers == plain, (method, key, name)


def test_an_object_that_is_there_and_one_that_is_not_look_the_same(stage: Stage, nobody: Asker) -> None:
    shapes: list[dict[str, str]] = [{}, {"acl": ""}, {"tagging": ""}, {"symlink": ""}, {"objectMeta": ""}, {"versionId": "null"}, {"versionId": "CAEQwrong"}, {"uploadId": stage.upload_id}]  # fmt: skip
    for query in shapes:
        for method in ("GET", "HEAD", "PUT", "DELETE", "POST"):
            answers = []
            for key in (KEY, "not-there"):
                message = Message(method=method, bucket=stage.bucket, key=key, query=query)
                answers.append((shown(anonymous(stage.root.server, message)), shown(nobody.ask(message))))
            assert answers[0] == answers[1], (method, query)


def test_copies_tell_nothing_of_their_source(server: Server, stage: Stage) -> None:
    bucket = new_bucket(server)
    rights = statement("Allow", "oss:*", [f"acs:oss:*:*:{bucket}", f"acs:oss:*:*:{bucket}/*"])
    key_id, secret = server.make_user(f"copier-{secrets.token_hex(4)}", rights)
    copier = Asker(server=server, access_key_id=key_id, secret=secret)
    seen = set()
    for key in (KEY, "not-there"):
        for condition in ({}, {"if-match": ETAG}, {"if-none-match": ETAG}, {"if-match": '"0"'}, {"if-modified-since": "Fri, 01 Jan 2100 00:00:00 GMT"}):  # fmt: skip
            headers = {f"x-oss-copy-source-{name}": value for name, value in condition.items()}
            headers["x-oss-copy-source"] = f"/{stage.bucket}/{key}"
            reply = copier("PUT", bucket, "copy", headers=headers)
            seen.add(shown(reply)[2])
            assert reply.status == 403, (key, condition)
    assert len(seen) == 1


def test_an_upload_of_somebody_else_tells_nothing(stage: Stage, nobody: Asker) -> None:
    for method, query in (("GET", {}), ("PUT", {"partNumber": "1"}), ("POST", {}), ("DELETE", {})):
        answers = []
        for upload_id in (stage.upload_id, "0" * 32):
            message = Message(
                method=method, bucket=stage.bucket, key="big", query={**query, "uploadId": upload_id}
            )
            answers.append((shown(anonymous(stage.root.server, message)), shown(nobody.ask(message))))
        assert answers[0] == answers[1], method
        assert answers[0][0][0] == 403


def test_forbid_overwrite_tells_strangers_nothing(stage: Stage, nobody: Asker) -> None:
    answers = []
    for key in (KEY, "not-there"):
        headers = {"x-oss-forbid-overwrite": "true"}
        message = Message(method="PUT", bucket=stage.bucket, key=key, headers=headers, body=b"x")
        answers.append((shown(anonymous(stage.root.server, message)), shown(nobody.ask(message))))

    assert answers[0] == answers[1]


def test_a_wrong_body_tells_strangers_nothing(stage: Stage, nobody: Asker) -> None:
    """Refused before the body is compared, or read."""
    headers = {"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA==", "x-oss-hash-crc64ecma": "1"}
    message = Message(method="PUT", bucket=stage.bucket, key=KEY, headers=headers, body=b"x" * 100_000)

    assert (anonymous(stage.root.server, message).code, nobody.ask(message).code) == (
        "AccessDenied",
        "AccessDenied",
    )
