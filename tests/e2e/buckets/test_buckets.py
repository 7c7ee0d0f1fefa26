"""Bucket operations, their documents and the listings, through the official clients."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import alibabacloud_oss_v2 as oss_v2
import oss2
import pytest
from oss2 import models

if TYPE_CHECKING:
    from tests.e2e.harness import Server


@pytest.fixture
def store(server: Server, bucket: str) -> oss2.Bucket:
    auth = oss2.Auth(server.access_key_id, server.access_key_secret)
    return oss2.Bucket(auth, server.endpoint, bucket, is_path_style=True)


@pytest.fixture
def client(server: Server) -> oss_v2.Client:
    config = oss_v2.config.load_default()
    config.credentials_provider = oss_v2.credentials.StaticCredentialsProvider(
        server.access_key_id, server.access_key_secret
    )
    config.region = "cn-hangzhou"
    config.endpoint = server.endpoint
    config.use_path_style = True
    return oss_v2.Client(config)


def refused(call: object, *args: object, **named: object) -> oss2.exceptions.ServerError:
    with pytest.raises(oss2.exceptions.ServerError) as error:
        call(*args, **named)  # type: ignore[operator]
    return error.value


def test_what_is_told_of_a_bucket(store: oss2.Bucket, server: Server) -> None:
    info = store.get_bucket_info()

    assert (info.name, info.location, info.storage_class) == (
        store.bucket_name,
        "oss-cn-hangzhou",
        "Standard",
    )
    assert (info.acl.grant, info.versioning_status, info.data_redundancy_type) == ("private", None, "LRS")
    assert info.extranet_endpoint == server.endpoint.partition("://")[2]
    assert store.get_bucket_location().location == "oss-cn-hangzhou"
    assert store.get_bucket_acl().acl == "private"


def test_a_bucket_is_made_again_and_listed(store: oss2.Bucket, server: Server) -> None:
    store.create_bucket()
    service = oss2.Service(store.auth, server.endpoint)

    listed = service.list_buckets(prefix=store.bucket_name)

    assert [one.name for one in listed.buckets] == [store.bucket_name]
    assert refused(service.list_buckets, max_keys=0).details["EC"] == "0015-00000402"


def test_a_bucket_with_another_class_or_place_is_not_made_again(
    store: oss2.Bucket, client: oss_v2.Client
) -> None:
    archive = models.BucketCreateConfig(oss2.BUCKET_STORAGE_CLASS_IA)
    assert refused(store.create_bucket, None, archive).code == "BucketAlreadyExists"

    elsewhere = oss_v2.OperationInput(
        op_name="PutBucket",
        method="PUT",
        bucket=store.bucket_name,
        body="<CreateBucketConfiguration><LocationConstraint>oss-mars</LocationConstraint></CreateBucketConfiguration>",
    )
    with pytest.raises(oss_v2.exceptions.OperationError) as error:
        client.invoke_operation(elsewhere)
    assert "InvalidLocationConstraint" in str(error.value)


def test_a_bucket_that_is_not_empty_stays(store: oss2.Bucket) -> None:
    upload_id = store.init_multipart_upload("big").upload_id
    assert refused(store.delete_bucket).details["EC"] == "0015-00000301"
    store.abort_multipart_upload("big", upload_id)

    store.put_object("k", b"")
    assert refused(store.delete_bucket).code == "BucketNotEmpty"
    store.delete_object("k")

    assert store.delete_bucket().status == 204
    assert refused(store.get_bucket_info).details["BucketName"] == store.bucket_name


def test_the_totals_are_exact(store: oss2.Bucket) -> None:
    for number in range(3):
        store.put_object(f"k{number}", b"x" * 10)
    store.init_multipart_upload("big")

    stat = store.get_bucket_stat()

    assert (stat.object_count, stat.storage_size_in_bytes, stat.multi_part_upload_count) == (3, 30, 1)


def test_listings_page_through_groups_in_byte_order(store: oss2.Bucket) -> None:
    keys = ["a/1", "a/2", "b", "c d+é", "日本", "𝄞"]
    for key in keys:
        store.put_object(key, b"x")
    grouped = ["a/", *keys[2:]]

    for size in (1, 2, 100):
        v1 = oss2.ObjectIterator(store, delimiter="/", max_keys=size)
        v2 = oss2.ObjectIteratorV2(store, delimiter="/", max_keys=size, fetch_owner=True)
        assert [one.key for one in v1] == grouped
        assert [one.key for one in v2] == grouped
        assert [one.key for one in oss2.ObjectIteratorV2(store, max_keys=size, start_after="a/1")] == keys[1:]
    assert [one.key for one in oss2.ObjectIterator(store, marker="a/", delimiter="/")] == keys[2:]


def test_bad_listing_parameters_are_refused(store: oss2.Bucket) -> None:
    assert refused(store.list_objects, max_keys=1001).details["EC"] == "0015-00000402"
    assert refused(store.list_objects, delimiter="//").details["EC"] == "0015-00000406"
    token = refused(store.list_objects_v2, continuation_token="%%%")
    assert token.details["ArgumentName"] == "continuation-token"


def test_versions_page_newest_first(store: oss2.Bucket) -> None:
    assert store.get_bucket_versioning().status is None
    enabled = models.BucketVersioningConfig(status="Enabled")
    store.put_bucket_versioning(enabled)
    ids = [store.put_object("k", str(number)).versionid for number in range(3)]
    marker_id = store.delete_object("k").versionid

    seen: list[tuple[str, bool]] = []
    at: tuple[str, str] = ("", "")
    while True:
        page = store.list_object_versions(key_marker=at[0], versionid_marker=at[1], max_keys=1)
        seen += [(one.versionid, one.is_latest) for one in (*page.delete_marker, *page.versions)]
        if not page.is_truncated:
            break
        at = (page.next_key_marker, page.next_versionid_marker)

    assert seen == [(marker_id, True), *((one, False) for one in reversed(ids))]
    assert refused(store.list_object_versions, versionid_marker="x").code == "InvalidArgument"


def test_cors_rules_come_back(store: oss2.Bucket) -> None:
    rule = models.CorsRule(["*"], ["GET", "PUT"], ["*"], ["ETag"], 5)
    assert refused(store.get_bucket_cors).details["EC"] == "0034-00000001"

    store.put_bucket_cors(models.BucketCors([rule]))

    (found,) = store.get_bucket_cors().rules
    assert vars(found) == vars(rule)
    assert store.delete_bucket_cors().status == 204
    assert refused(store.get_bucket_cors).code == "NoSuchCORSConfiguration"


def test_lifecycle_rules_of_oss2_come_back(store: oss2.Bucket) -> None:
    days = models.LifecycleRule("r1", "log/", expiration=models.LifecycleExpiration(days=357))
    days.abort_multipart_upload = models.AbortMultipartUpload(days=1)
    days.storage_transitions = [models.StorageTransition(days=20, storage_class="IA")]
    date = dt.date(2018, 12, 12)
    dated = models.LifecycleRule("r2", "x/", expiration=models.LifecycleExpiration(created_before_date=date))
    marker = models.LifecycleExpiration(expired_detete_marker=True)
    versions = models.LifecycleRule("r3", "y/", expiration=marker)
    versions.noncurrent_version_expiration = models.NoncurrentVersionExpiration(3)

    store.put_bucket_lifecycle(models.BucketLifecycle([days, dated, versions]))

    found = store.get_bucket_lifecycle().rules
    assert [rule.id for rule in found] == ["r1", "r2", "r3"]
    assert (found[0].expiration.days, found[0].abort_multipart_upload.days) == (357, 1)
    assert found[0].storage_transitions[0].storage_class == "IA"
    assert found[1].expiration.created_before_date == date
    assert found[2].expiration.expired_detete_marker is True
    assert found[2].noncurrent_version_expiration.noncurrent_days == 3
    store.delete_bucket_lifecycle()
    assert refused(store.get_bucket_lifecycle).code == "NoSuchLifecycle"


def test_tags_of_a_bucket(store: oss2.Bucket, server: Server) -> None:
    tagging = models.Tagging()
    tagging.tag_set.add("bucket", store.bucket_name)
    tagging.tag_set.add("team", "a")
    store.put_bucket_tagging(tagging)
    service = oss2.Service(store.auth, server.endpoint)

    filters = {"tag-key": "bucket", "tag-value": store.bucket_name}
    assert [one.name for one in service.list_buckets(params=filters).buckets] == [store.bucket_name]

    store.delete_bucket_tagging(params={"tagging": "bucket"})
    assert store.get_bucket_tagging().tag_set.tagging_rule == {"team": "a"}
    store.delete_bucket_tagging()
    assert store.get_bucket_tagging().tag_set.tagging_rule == {}


def test_a_policy_comes_back_byte_for_byte(store: oss2.Bucket, client: oss_v2.Client) -> None:
    policy = (
        '{"Version": "1",  "Statement": [{"Effect": "Allow", "Action": ["oss:GetObject"], "Principal": ["*"],'
        f' "Resource": ["acs:oss:*:*:{store.bucket_name}/*"]}}]}}'
    )
    asked = oss_v2.GetBucketPolicyStatusRequest(bucket=store.bucket_name)
    assert client.get_bucket_policy_status(asked).policy_status.is_public is False

    store.put_bucket_policy(policy)

    assert oss2.to_bytes(store.get_bucket_policy().policy) == policy.encode()
    assert client.get_bucket_policy_status(asked).policy_status.is_public is True
    store.delete_bucket_policy()
    assert refused(store.get_bucket_policy).code == "NoSuchBucketPolicy"
    assert refused(store.put_bucket_policy, "{").status == 400


def test_the_newer_client_sees_the_same(store: oss2.Bucket, client: oss_v2.Client) -> None:
    name = store.bucket_name
    for key in ("a", "b", "c"):
        store.put_object(key, b"x")

    assert client.is_bucket_exist(name)
    assert not client.is_bucket_exist(name + "-missing")
    info = client.get_bucket_info(oss_v2.GetBucketInfoRequest(bucket=name)).bucket_info
    assert (info.name, info.location, info.acl) == (name, "oss-cn-hangzhou", "private")
    assert client.get_bucket_stat(oss_v2.GetBucketStatRequest(bucket=name)).object_count == 3
    regions = client.describe_regions(oss_v2.DescribeRegionsRequest()).region_info
    assert [one.region for one in regions] == ["oss-cn-hangzhou"]
    pages = client.list_objects_v2_paginator(limit=2).iter_page(oss_v2.ListObjectsV2Request(bucket=name))
    assert [[one.key for one in page.contents] for page in pages] == [["a", "b"], ["c"]]


def test_what_is_not_provided_says_so(store: oss2.Bucket) -> None:
    error = refused(store.get_bucket_website)

    assert (error.status, error.code, error.details["Operation"]) == (
        501,
        "NotImplemented",
        "GetBucketWebsite",
    )
