"""A client's header is stored when it is on the list of headers to store, and never becomes a fact that the server keeps.

Class: MinIO CVE-2026-34204; Swift CVE-2026-71192.
"""

from __future__ import annotations

import base64
import hashlib

import pytest

from tests.security.support import Asker

CONTENT = b"content"
FACTS = {
    "ETag": '"00000000000000000000000000000000"',
    "Last-Modified": "Thu, 01 Jan 1970 00:00:00 GMT",
    "x-oss-object-type": "Symlink",
    "x-oss-symlink-target": "secret",
    "x-oss-next-append-position": "5",
    "x-oss-version-id": "CAEQexample",
    "x-oss-delete-marker": "true",
    "x-oss-restore": 'ongoing-request="true"',
    "x-oss-tagging-count": "9",
    "x-oss-owner": "1",
    "x-oss-request-id": "forged",
    "x-oss-server-time": "forged",
    "x-oss-ec": "forged",
    "x-oss-err": "forged",
    "x-oss-copy-source-version-id": "x",
    "x-oss-expiration": "x",
    "x-oss-replication-status": "COMPLETED",
    "x-oss-internal-blob": "../../etc/passwd",
    "x-oss-crc64": "1",
    "x-amz-meta-a": "1",
    "x-amz-acl": "public-read-write",
    "x-mossaic-blob": "0" * 32,
    "Set-Cookie": "a=b",
    "Location": "http://evil.example/",
    "Content-Range": "bytes 0-0/1",
    "Accept-Ranges": "none",
    "Server": "forged",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Credentials": "true",
    "Content-Security-Policy": "none",
    "Strict-Transport-Security": "max-age=1",
    "Link": "<http://evil.example/>",
    "Refresh": "0",
    "Age": "1",
}


def writers(root: Asker, bucket: str, headers: dict[str, str]) -> dict[str, int]:
    """Keys made in every way that stores headers, with the statuses of the writes."""
    made = {"put": root("PUT", bucket, "put", headers=headers, body=CONTENT).status}
    made["append"] = root(
        "POST", bucket, "append", query={"append": "", "position": "0"}, headers=headers, body=CONTENT
    ).status
    opened = root("POST", bucket, "multi", query={"uploads": ""}, headers=headers)
    made["multi"] = opened.status
    if opened.status == 200:
        upload = opened.body.partition(b"<UploadId>")[2].partition(b"<")[0].decode()
        root("PUT", bucket, "multi", query={"uploadId": upload, "partNumber": "1"}, body=CONTENT)
        done = {"x-oss-complete-all": "yes", **headers}
        made["multi"] = root("POST", bucket, "multi", query={"uploadId": upload}, headers=done).status
    return made


def test_no_header_becomes_a_fact(root: Asker, bucket: str) -> None:
    for name, value in FACTS.items():
        for key, status in writers(root, bucket, {name: value}).items():
            assert status in (200, 400), (name, key, status)
            head = root("HEAD", bucket, key)
            if head.status == 404:
                continue
            assert head.headers.get(name.lower()) != value or name == "Accept-Ranges", (name, key)
            assert head.headers["content-length"] == str(len(CONTENT)), (name, key)
            root("DELETE", bucket, key)
    assert len(FACTS) >= 30


def test_what_the_server_says_of_an_object_is_its_own(root: Asker, bucket: str) -> None:
    plain = root("PUT", bucket, "plain", body=CONTENT)
    known = {name: value for name, value in FACTS.items() if name != "x-oss-symlink-target"}
    forged = root("PUT", bucket, "forged", headers=known, body=CONTENT)
    assert (plain.status, forged.status) == (200, 200)

    first, second = (root("HEAD", bucket, key).headers for key in ("plain", "forged"))

    changing = {"date", "last-modified", "x-oss-request-id", "x-oss-server-time"}
    assert {n: v for n, v in first.items() if n not in changing} == {
        n: v for n, v in second.items() if n not in changing
    }
    assert second["etag"] == f'"{hashlib.md5(CONTENT).hexdigest().upper()}"'
    assert second["x-oss-request-id"] != "forged"


@pytest.mark.parametrize("name", sorted({*FACTS, "Content-Length", "Content-Type", "Transfer-Encoding", "Connection", "Date", "Vary", "x-oss-meta-a", "Content-MD5", "X-Accel-Redirect", "X-Sendfile", "WWW-Authenticate", "Clear-Site-Data"} - {"x-amz-meta-a", "x-amz-acl", "x-mossaic-blob"}))  # fmt: skip
def test_no_persistent_header_poses_as_one_of_ours(root: Asker, bucket: str, name: str) -> None:
    coded = base64.b64encode(b"forged").decode()
    for spelling in (name, name.upper(), f" {name}"):
        reply = root(
            "PUT", bucket, "k", headers={"x-oss-persistent-headers": f"{spelling}:{coded}"}, body=b"x"
        )
        assert (reply.status, reply.code) == (400, "InvalidArgument"), spelling


def test_meta_names_are_names(root: Asker, bucket: str) -> None:
    for name in ("__proto__", "a.b", "a_b", "", "a!b"):
        assert root("PUT", bucket, "k", headers={f"x-oss-meta-{name}": "1"}, body=b"x").status == 400, name
    assert (
        root(
            "PUT", bucket, "k", headers={"x-oss-meta-etag": "1", "x-oss-meta-acl": "public-read"}, body=b"x"
        ).status
        == 200
    )
    head = root("HEAD", bucket, "k").headers
    assert (head["x-oss-meta-etag"], head["etag"] == "1") == ("1", False)
