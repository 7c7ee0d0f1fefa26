"""oss2 against bucket settings: create and delete, ACL, CORS, lifecycle, tags, versioning, info, stat, policy."""

from __future__ import annotations

import oss2
import pytest
from oss2.models import (
    AbortMultipartUpload,
    BucketCors,
    BucketLifecycle,
    BucketVersioningConfig,
    CorsRule,
    LifecycleRule,
    Tagging,
    TaggingRule,
)

from tests.e2e.harness import REGION, Server


def test_buckets_are_listed_and_deleted_when_empty(server: Server, client: oss2.Bucket) -> None:
    auth = oss2.AuthV4(server.access_key_id, server.access_key_secret)
    service = oss2.Service(auth, server.endpoint, region=REGION)
    upload_id = client.init_multipart_upload("open").upload_id

    assert [one.name for one in service.list_buckets(prefix=client.bucket_name).buckets] == [
        client.bucket_name
    ]
    with pytest.raises(oss2.exceptions.BucketNotEmpty):
        client.delete_bucket()
    client.abort_multipart_upload("open", upload_id)
    client.delete_bucket()
    assert service.list_buckets(prefix=client.bucket_name).buckets == []


def test_info_stat_location_and_acl(client: oss2.Bucket) -> None:
    client.put_object("a", b"12345")
    client.init_multipart_upload("b")
    client.put_bucket_acl(oss2.BUCKET_ACL_PUBLIC_READ)

    info = client.get_bucket_info()
    stat = client.get_bucket_stat()
    assert (info.name, info.acl.grant) == (client.bucket_name, "public-read")
    assert (stat.storage_size_in_bytes, stat.object_count, stat.multi_part_upload_count) == (5, 1, 1)
    assert client.get_bucket_location().location == "oss-cn-hangzhou"
    assert client.get_bucket_acl().acl == oss2.BUCKET_ACL_PUBLIC_READ


def test_cors_rules_are_stored_and_applied(server: Server, client: oss2.Bucket) -> None:
    rule = CorsRule(
        allowed_origins=["http://shop.example"],
        allowed_methods=["PUT", "GET"],
        allowed_headers=["*"],
        expose_headers=["ETag", "x-oss-request-id"],
        max_age_seconds=600,
    )
    client.put_bucket_cors(BucketCors([rule]))

    assert client.get_bucket_cors().rules[0].expose_headers == ["ETag", "x-oss-request-id"]
    asked = {
        "Origin": "http://shop.example",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization,x-oss-date",
    }
    status, headers, _ = server.request("OPTIONS", f"/{client.bucket_name}/x", headers=asked)
    assert (status, headers["access-control-allow-origin"]) == (200, "http://shop.example")
    status, _, _ = server.request(
        "OPTIONS", f"/{client.bucket_name}/x", headers={**asked, "Origin": "http://other"}
    )
    assert status == 403
    status, headers, _ = server.request(
        "GET", f"/{client.bucket_name}/x", headers={"Origin": "http://shop.example"}
    )
    assert (status, headers["access-control-allow-origin"]) == (403, "http://shop.example")
    client.delete_bucket_cors()
    with pytest.raises(oss2.exceptions.NoSuchCors):
        client.get_bucket_cors()


def test_lifecycle_rules_are_stored(client: oss2.Bucket) -> None:
    rule = LifecycleRule("tidy", "tmp/", abort_multipart_upload=AbortMultipartUpload(days=3))
    client.put_bucket_lifecycle(BucketLifecycle([rule]))

    stored = client.get_bucket_lifecycle().rules[0]
    assert (stored.id, stored.prefix, stored.abort_multipart_upload.days) == ("tidy", "tmp/", 3)
    client.delete_bucket_lifecycle()
    with pytest.raises(oss2.exceptions.NoSuchLifecycle):
        client.get_bucket_lifecycle()


def test_bucket_tags(client: oss2.Bucket) -> None:
    rule = TaggingRule()
    rule.add("team", "blue")
    client.put_bucket_tagging(Tagging(rule))

    assert client.get_bucket_tagging().tag_set.tagging_rule == {"team": "blue"}
    client.delete_bucket_tagging()


def test_versions_and_delete_markers(client: oss2.Bucket) -> None:
    client.put_bucket_versioning(BucketVersioningConfig("Enabled"))
    first = client.put_object("k", b"one").versionid
    second = client.put_object("k", b"two").versionid
    client.delete_object("k")

    assert client.get_bucket_versioning().status == "Enabled"
    assert not client.object_exists("k")
    assert client.get_object("k", params={"versionId": first}).read() == b"one"
    listed = client.list_object_versions()
    assert [one.versionid for one in listed.versions] == [second, first]
    assert [one.is_latest for one in listed.delete_marker] == [True]
    client.delete_object("k", params={"versionId": listed.delete_marker[0].versionid})
    assert client.get_object("k").read() == b"two"
