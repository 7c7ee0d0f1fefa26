"""A GetObject that asks for nothing more takes a shorter way; its answer is the one of the long way, header by header."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import oss2
import pytest
import requests
from oss2.models import Tagging, TaggingRule

from tests.e2e.ali_oss.support import new_bucket_name, oss2_bucket

if TYPE_CHECKING:
    from tests.e2e.harness import Server

# Read by GetObject, and without effect where there is no Range: the request takes the long way.
LONG_WAY = {"x-oss-range-behavior": "standard"}
OF_THE_REQUEST = ("date", "x-oss-request-id", "x-oss-server-time")


@pytest.fixture
def bucket(server: Server) -> oss2.Bucket:
    made = oss2_bucket(server, new_bucket_name())
    made.create_bucket()
    return made


def answer(result: Any) -> tuple[int, dict[str, str], bytes]:
    headers = {name.lower(): value for name, value in result.headers.items()}
    return result.status, {n: v for n, v in headers.items() if n not in OF_THE_REQUEST}, result.read()


def same_both_ways(bucket: oss2.Bucket, key: str) -> dict[str, str]:
    """The headers; asked twice, because the second answer's head was kept."""
    longer = answer(bucket.get_object(key, headers=LONG_WAY))
    assert answer(bucket.get_object(key)) == longer
    assert answer(bucket.get_object(key)) == longer
    return longer[1]


def test_every_stored_header_comes_back(bucket: oss2.Bucket) -> None:
    given = {
        "Content-Type": "text/x-test",
        "Cache-Control": "no-cache",
        "Content-Disposition": "attachment; filename=a",
        "Content-Encoding": "utf-8",
        "Content-Language": "de",
        "Expires": "1000",
        "x-oss-meta-a": "1",
        "x-oss-storage-class": "Archive",
        "x-oss-tagging": "a=1&b=2",
        "x-oss-server-side-encryption": "AES256",
    }
    bucket.put_object("small", b"x" * 100, headers=given)
    bucket.put_object("empty", b"", headers=given)
    bucket.put_object("big", b"x" * 300_000, headers=given)

    for key in ("small", "empty", "big"):
        headers = same_both_ways(bucket, key)
        assert headers["x-oss-tagging-count"] == "2"
        assert headers["expires"] == "1000"


def test_a_change_shows_at_once(bucket: oss2.Bucket) -> None:
    bucket.put_object("k", b"one")
    same_both_ways(bucket, "k")

    bucket.put_object_tagging("k", Tagging(TaggingRule()))
    tagging = TaggingRule()
    tagging.add("a", "1")
    bucket.put_object_tagging("k", Tagging(tagging))
    assert same_both_ways(bucket, "k")["x-oss-tagging-count"] == "1"

    bucket.put_object("k", b"three")
    assert same_both_ways(bucket, "k")["content-length"] == "5"

    bucket.put_bucket_versioning(oss2.models.BucketVersioningConfig("Enabled"))
    assert same_both_ways(bucket, "k")["x-oss-version-id"] == "null"
    bucket.put_object("k", b"four")
    assert same_both_ways(bucket, "k")["x-oss-version-id"] != "null"
    bucket.delete_object("k")
    with pytest.raises(oss2.exceptions.NoSuchKey):
        bucket.get_object("k")


def test_a_link_an_appended_and_a_multipart_object(bucket: oss2.Bucket) -> None:
    bucket.append_object("log", 0, b"line")
    upload_id = bucket.init_multipart_upload("parts").upload_id
    part = bucket.upload_part("parts", upload_id, 1, b"x" * 200_000)
    bucket.complete_multipart_upload("parts", upload_id, [oss2.models.PartInfo(1, part.etag)])
    bucket.put_symlink("log", "link")

    assert same_both_ways(bucket, "log")["x-oss-next-append-position"] == "4"
    assert same_both_ways(bucket, "parts")["x-oss-object-type"] == "Multipart"
    assert same_both_ways(bucket, "link")["x-oss-object-type"] == "Symlink"


def test_a_stranger_is_not_told_of_tags(server: Server, bucket: oss2.Bucket) -> None:
    bucket.put_object("k", b"one", headers={"x-oss-object-acl": "public-read", "x-oss-tagging": "a=1"})
    url = f"{server.endpoint}/{bucket.bucket_name}/k"
    same_both_ways(bucket, "k")

    longer, plain = requests.get(url, headers=LONG_WAY, timeout=10), requests.get(url, timeout=10)

    assert "x-oss-tagging-count" not in longer.headers
    assert [n for n in longer.headers if n.lower() not in OF_THE_REQUEST] == [
        n for n in plain.headers if n.lower() not in OF_THE_REQUEST
    ]


def test_what_is_not_there_is_refused_in_the_same_words(bucket: oss2.Bucket) -> None:
    refusals = []
    for headers in ({}, LONG_WAY):
        with pytest.raises(oss2.exceptions.NoSuchKey) as refused:
            bucket.get_object("nothing", headers=headers)
        refusals.append((refused.value.status, refused.value.details["EC"], refused.value.details["Key"]))

    assert refusals[0] == refusals[1]
