"""The bucket calls of the SDK."""

from __future__ import annotations

import pytest

from mossaic.client.client import Client
from mossaic.client.errors import (
    AccessDenied,
    BucketNotEmpty,
    InvalidArgument,
    MalformedXML,
    NoSuchBucket,
    ServerError,
)
from tests.e2e.harness import Server


def test_a_bucket_is_made_described_and_removed(client: Client, server: Server) -> None:
    name = f"{client.bucket}-x"

    client.create_bucket(name, acl="public-read", storage_class="IA", redundancy="ZRS", tags={"a": "1"})

    info = client.bucket_info(name)
    assert (info.name, info.grant, info.storage_class, info.redundancy) == (name, "public-read", "IA", "ZRS")
    assert (info.owner.id, info.location, info.versioning) == (server.account_id, "oss-cn-hangzhou", None)
    assert client.bucket_location(name) == "oss-cn-hangzhou"
    assert client.get_bucket_tags(bucket=name) == {"a": "1"}
    client.delete_bucket(name)
    with pytest.raises(NoSuchBucket):
        client.bucket_info(name)


def test_a_bucket_with_something_in_it_stays(client: Client) -> None:
    client.put("k", b"x")

    with pytest.raises(BucketNotEmpty):
        client.delete_bucket()

    assert client.exists("k")


def test_making_a_bucket_again_changes_only_its_acl(client: Client) -> None:
    client.put("k", b"x")

    client.put_bucket(acl="public-read")

    assert client.get_bucket_acl().acl == "public-read"
    assert client.exists("k")


def test_names_that_cannot_be_are_refused_before_they_address_something_else(client: Client) -> None:
    for name in ("A", "x", "a/b", "-ab", "a.b", "ab?acl"):
        with pytest.raises(ValueError, match="bucket"):
            client.put_bucket(name)


def test_the_acl_of_a_bucket(client: Client) -> None:
    assert client.get_bucket_acl().acl == "private"

    client.put_bucket_acl("public-read-write")

    assert client.get_bucket_acl().acl == "public-read-write"
    assert client.get_bucket_acl().owner.id == client.bucket_info().owner.id
    with pytest.raises(InvalidArgument):
        client.put_bucket_acl("everybody")


def test_versioning_is_switched_on_and_off_and_never_back(client: Client) -> None:
    assert client.get_versioning() is None

    client.put_versioning("Enabled")
    assert client.get_versioning() == "Enabled"
    client.put_versioning("Suspended")
    assert client.get_versioning() == "Suspended"
    with pytest.raises((InvalidArgument, MalformedXML)):
        client.put_versioning("Off")


def test_the_statistics_count(client: Client) -> None:
    client.put("a", b"12345")
    client.put("b", b"12345", storage_class="IA")

    stat = client.bucket_stat()

    assert (stat.storage, stat.object_count, stat.upload_count) == (10, 2, 0)
    assert (stat.standard_storage, stat.ia_storage, stat.ia_count) == (5, 5, 1)


def test_the_regions(client: Client) -> None:
    regions = client.describe_regions()

    assert [each.region for each in regions] == ["oss-cn-hangzhou"]
    assert client.describe_regions("oss-cn-hangzhou") == regions


def test_anybody_may_read_what_is_public_and_nothing_else(client: Client, server: Server) -> None:
    from mossaic.client.credentials import Anonymous  # noqa: PLC0415  # says what this test is about

    client.put("open", b"x", acl="public-read")
    client.put("closed", b"x")

    with Client(server.endpoint, bucket=client.bucket, credentials=Anonymous()) as anybody:
        assert anybody.get_bytes("open") == b"x"
        with pytest.raises(AccessDenied):
            anybody.get("closed")
        with pytest.raises(ValueError, match="anonymous"):
            anybody.sign_url("open")
        with pytest.raises(ValueError, match="anonymous"):
            anybody.sign_post_policy("open")


def test_errors_keep_what_the_server_said(client: Client) -> None:
    with pytest.raises(ServerError) as caught:
        client.put_bucket_acl("everybody")

    error = caught.value
    assert (error.code, error.status, error.operation) == ("InvalidArgument", 400, "PutBucketAcl")
    assert error.request_id
    assert error.request_id in str(error)
    assert "everybody" in error.extras.values()
