"""oss2 against single objects: put, get, list, copy, append, symlink, tags, presigned URLs, and errors of HEAD."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import oss2
import pytest
import requests

from tests.e2e.harness import Server, noise, object_etag
from tests.e2e.oss2.conftest import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "папка/a b+c%.txt"


def test_put_get_head_delete(client: oss2.Bucket) -> None:
    put = client.put_object(KEY, b"hello", headers={"x-oss-meta-color": "green"})

    got = client.get_object(KEY)
    assert got.read() == b"hello"
    assert got.etag == put.etag == object_etag(b"hello")
    assert client.head_object(KEY).headers["x-oss-meta-color"] == "green"
    assert client.get_object_meta(KEY).content_length == 5
    client.delete_object(KEY)
    assert not client.object_exists(KEY)


def test_a_stream_without_a_length(client: oss2.Bucket) -> None:
    def pieces() -> Iterator[bytes]:
        yield from (b"one ", b"two ", b"three")

    client.put_object(KEY, pieces())

    assert client.get_object(KEY).read() == b"one two three"


def test_an_empty_object(client: oss2.Bucket) -> None:
    client.put_object(KEY, b"")

    assert client.get_object(KEY).read() == b""
    assert client.head_object(KEY).content_length == 0


def test_head_tells_a_missing_object_from_a_missing_bucket(server: Server, client: oss2.Bucket) -> None:
    with pytest.raises(oss2.exceptions.NoSuchKey):
        client.head_object("missing")
    with pytest.raises(oss2.exceptions.NoSuchBucket):
        connect(server, "no-such-bucket-here").head_object("missing")


def test_conditions(client: oss2.Bucket) -> None:
    etag = client.put_object(KEY, b"hello").etag

    with pytest.raises(oss2.exceptions.NotModified):
        client.get_object(KEY, headers={"If-None-Match": f'"{etag}"'})
    with pytest.raises(oss2.exceptions.PreconditionFailed):
        client.get_object(KEY, headers={"If-Match": '"0"'})


def test_listing_in_pages_with_folders(client: oss2.Bucket) -> None:
    keys = sorted(["a", "b/1", "b/2", "c/d/e", "ü", "z"], key=str.encode)
    for key in keys:
        client.put_object(key, key.encode())

    assert [one.key for one in oss2.ObjectIterator(client, max_keys=2)] == keys
    assert [one.key for one in oss2.ObjectIteratorV2(client, max_keys=1)] == keys
    top = client.list_objects_v2(delimiter="/", fetch_owner=True)
    assert ([one.key for one in top.object_list], top.prefix_list) == (["a", "z", "ü"], ["b/", "c/"])
    assert top.object_list[0].owner.id
    assert [one.key for one in client.list_objects(prefix="b/", marker="b/1").object_list] == ["b/2"]


def test_many_keys_deleted_at_once(client: oss2.Bucket) -> None:
    keys = [f"k {number}&<>" for number in range(30)]
    for key in keys:
        client.put_object(key, b"")

    gone = client.batch_delete_objects([*keys, "never was"])

    assert sorted(gone.deleted_keys) == sorted([*keys, "never was"])
    assert list(oss2.ObjectIterator(client)) == []


def test_copy_keeps_or_replaces_the_headers(client: oss2.Bucket) -> None:
    etag = client.put_object(KEY, b"hello", headers={"Content-Type": "text/a", "x-oss-meta-a": "1"}).etag
    kept = client.copy_object(client.bucket_name, KEY, "kept")
    replace = {"x-oss-metadata-directive": "REPLACE", "Content-Type": "text/b"}
    client.copy_object(client.bucket_name, KEY, "replaced", headers=replace)

    assert kept.etag == etag
    assert client.head_object("kept").headers["x-oss-meta-a"] == "1"
    replaced = client.head_object("replaced")
    assert (replaced.content_type, replaced.headers.get("x-oss-meta-a")) == ("text/b", None)
    assert client.get_object("replaced").read() == b"hello"


def test_append_grows_an_object_and_tells_the_right_position(client: oss2.Bucket) -> None:
    first = client.append_object(KEY, 0, b"hello ", init_crc=0)
    second = client.append_object(KEY, first.next_position, b"world", init_crc=first.crc)

    assert second.next_position == 11
    assert client.get_object(KEY).read() == b"hello world"
    with pytest.raises(oss2.exceptions.PositionNotEqualToLength) as caught:
        client.append_object(KEY, 3, b"x")
    assert caught.value.next_position == 11
    client.put_object("normal", b"x")
    with pytest.raises(oss2.exceptions.ObjectNotAppendable):
        client.append_object("normal", 1, b"x")


def test_a_symlink_leads_to_its_target(client: oss2.Bucket) -> None:
    client.put_object(KEY, b"hello")
    client.put_symlink(KEY, "link")

    assert client.get_symlink("link").target_key == KEY
    assert client.get_object("link").read() == b"hello"
    client.delete_object(KEY)
    with pytest.raises(oss2.exceptions.ServerError) as caught:
        client.get_object("link")
    assert (caught.value.status, caught.value.code) == (404, "SymlinkTargetNotExist")


def test_tags_are_put_read_and_removed(client: oss2.Bucket) -> None:
    client.put_object(KEY, b"hello")
    rule = oss2.models.TaggingRule()
    rule.add("k +", "v=/")
    client.put_object_tagging(KEY, oss2.models.Tagging(rule))

    assert client.get_object_tagging(KEY).tag_set.tagging_rule == {"k +": "v=/"}
    client.delete_object_tagging(KEY)
    assert client.get_object_tagging(KEY).tag_set.tagging_rule == {}


def test_object_acl_opens_one_object(server: Server, client: oss2.Bucket) -> None:
    client.put_object("open", b"hello")
    client.put_object("shut", b"hello")
    client.put_object_acl("open", oss2.OBJECT_ACL_PUBLIC_READ)

    assert client.get_object_acl("open").acl == oss2.OBJECT_ACL_PUBLIC_READ
    anonymous = oss2.Bucket(oss2.AnonymousAuth(), server.endpoint, client.bucket_name)
    assert anonymous.get_object("open").read() == b"hello"
    with pytest.raises(oss2.exceptions.AccessDenied):
        anonymous.get_object("shut")


def test_forbid_overwrite_on_put(client: oss2.Bucket) -> None:
    guard = {"x-oss-forbid-overwrite": "true"}
    client.put_object(KEY, b"first", headers=guard)

    with pytest.raises(oss2.exceptions.ServerError) as caught:
        client.put_object(KEY, b"second", headers=guard)

    assert (caught.value.status, caught.value.code) == (409, "FileAlreadyExists")


@pytest.mark.parametrize("version", ["v1", "v2", "v4"])
@pytest.mark.parametrize("slash_safe", [False, True])
def test_presigned_urls(server: Server, bucket: str, version: str, slash_safe: bool) -> None:
    client = connect(server, bucket, version=version)
    put_url = client.sign_url("PUT", KEY, 60, headers={"Content-Type": "text/x"}, slash_safe=slash_safe)
    get_url = client.sign_url(
        "GET", KEY, 60, params={"response-content-type": "text/y"}, slash_safe=slash_safe
    )

    put = requests.put(put_url, data=b"hello", headers={"Content-Type": "text/x"}, timeout=10)
    got = requests.get(get_url, timeout=10)

    assert (put.status_code, put.text) == (200, "")
    assert (got.status_code, got.content, got.headers["Content-Type"]) == (200, b"hello", "text/y")
    forged = requests.get(get_url.replace("text%2Fy", "text%2Fz"), timeout=10)
    assert forged.status_code == 403


@pytest.mark.parametrize("version", ["v1", "v4"])
def test_a_multipart_upload_by_presigned_urls_alone(server: Server, bucket: str, version: str) -> None:
    """What the seed's users do who keep the key on their own server: every step is a URL signed elsewhere."""
    client = connect(server, bucket, version=version)
    upload_id = client.init_multipart_upload(KEY).upload_id
    etags = []
    for number, piece in enumerate((noise(102_400), b"tail"), start=1):
        url = client.sign_url("PUT", KEY, 60, params={"partNumber": str(number), "uploadId": upload_id})
        etags.append(requests.put(url, data=piece, timeout=10).headers["ETag"])
    rows = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
        for number, etag in zip(itertools.count(1), etags, strict=False)
    )

    url = client.sign_url("POST", KEY, 60, params={"uploadId": upload_id})
    body = f"<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>"
    answer = requests.post(url, data=body, timeout=10)

    assert answer.status_code == 200, answer.text
    assert client.get_object(KEY).read() == noise(102_400) + b"tail"


def test_a_wrong_secret_is_refused(server: Server, bucket: str) -> None:
    for auth in (oss2.Auth(server.access_key_id, "wrong"), oss2.AuthV4(server.access_key_id, "wrong")):
        with pytest.raises(oss2.exceptions.SignatureDoesNotMatch):
            oss2.Bucket(auth, server.endpoint, bucket, region="cn-hangzhou").put_object(KEY, b"x")
    with pytest.raises(oss2.exceptions.ServerError) as caught:
        oss2.Bucket(oss2.Auth("nobody", "wrong"), server.endpoint, bucket).put_object(KEY, b"x")
    assert (caught.value.status, caught.value.code) == (403, "InvalidAccessKeyId")


@pytest.mark.usefixtures("hosted_names")
@pytest.mark.parametrize("domain", ["localhost", "oss-cn-hangzhou.aliyuncs.com"])
@pytest.mark.parametrize("version", ["v1", "v2", "v4"])
def test_virtual_hosted_names(server: Server, bucket: str, domain: str, version: str) -> None:
    # a sub-domain: for the bare word "localhost" oss2 itself falls back to path style
    base = f"oss.{domain}" if domain == "localhost" else domain
    client = connect(server, bucket, version=version, endpoint=f"http://{base}:{server.port}")

    client.put_object(KEY, b"hello")

    assert client.get_object(KEY).read() == b"hello"
    line = server.log_lines(bucket=bucket, operation="PutObject")[-1]
    assert line["host"].startswith(f"{bucket}.")
    assert line["key"] == KEY
