"""Buckets on the real store: making them again, changing them at the same moment, what keeps them from going."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mossaic.model import bucket_tags, cors, documents
from mossaic.model.bucket import Bucket, BucketAcl, Versioning
from mossaic.model.names import BucketName, ObjectKey, UploadId
from mossaic.model.object import ObjectVersion, StorageClass
from mossaic.model.upload import Upload
from mossaic.ports import Commit
from mossaic.protocol.errors import OssError
from mossaic.protocol.operations.settings import Tag, Tagging
from mossaic.service.buckets import BucketQuery, BucketService, NewBucket
from tests.unit.buckets.conftest import NOW

if TYPE_CHECKING:
    from mossaic.stores.sql import SqliteMetadata

NAME = BucketName("plain")


def tags(**pairs: str) -> str:
    return bucket_tags.checked(Tagging(tags=tuple(Tag(key=key, value=pairs[key]) for key in pairs)))


async def test_a_new_bucket_has_the_defaults(buckets: BucketService) -> None:
    await buckets.create(NewBucket(name="plain"))

    found = await buckets.find(NAME)
    assert found == Bucket(name=NAME, region="cn-hangzhou", owner_id="1001", created_at=NOW)


async def test_making_ones_own_bucket_again_succeeds_and_sets_the_acl(
    buckets: BucketService, bucket: Bucket
) -> None:
    await buckets.create(NewBucket(name="plain", location="oss-cn-hangzhou", storage_class="Standard"))
    assert await buckets.find(NAME) == bucket

    await buckets.create(NewBucket(name="plain", acl="public-read"))
    found = await buckets.find(NAME)
    assert found is not None
    assert found.acl is BucketAcl.PUBLIC_READ


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (NewBucket(name="plain", storage_class="IA"), "BucketAlreadyExists"),
        (NewBucket(name="plain", redundancy="ZRS"), "BucketAlreadyExists"),
        (NewBucket(name="other", location="oss-cn-beijing"), "InvalidLocationConstraint"),
        (NewBucket(name="other", acl="open"), "InvalidArgument"),
        (NewBucket(name="other", storage_class="Cold"), "InvalidArgument"),
        (NewBucket(name="other", redundancy="3"), "InvalidArgument"),
        (NewBucket(name="Other"), "InvalidBucketName"),
        (NewBucket(name="a.b.c"), "InvalidBucketName"),
    ],
)
async def test_what_cannot_be_made_is_refused(
    buckets: BucketService, bucket: Bucket, asked: NewBucket, code: str
) -> None:
    with pytest.raises(OssError) as refused:
        await buckets.create(asked)

    assert refused.value.code == code


async def test_somebody_elses_bucket_is_taken(
    buckets: BucketService, metadata: SqliteMetadata, bucket: Bucket
) -> None:
    await metadata.create_bucket(replace(bucket, name=BucketName("theirs"), owner_id="2002"), quota=9)

    with pytest.raises(OssError) as refused:
        await buckets.create(NewBucket(name="theirs"))

    assert (refused.value.code, refused.value.ec) == ("BucketAlreadyExists", "0015-00000104")


async def test_the_quota_holds_and_does_not_hinder_making_one_again(buckets: BucketService) -> None:
    for number in range(5):
        await buckets.create(NewBucket(name=f"b-{number}"))

    with pytest.raises(OssError) as refused:
        await buckets.create(NewBucket(name="one-more"))
    await buckets.create(NewBucket(name="b-0"))

    assert (refused.value.code, refused.value.status) == ("TooManyBuckets", 400)


async def test_two_who_make_the_same_bucket_both_succeed(buckets: BucketService) -> None:
    await asyncio.gather(*(buckets.create(NewBucket(name="plain")) for _ in range(8)))

    page = await buckets.page(BucketQuery())
    assert [bucket.name for bucket in page.items] == ["plain"]


async def test_changes_at_the_same_moment_are_all_kept(buckets: BucketService, bucket: Bucket) -> None:
    await asyncio.gather(
        buckets.put_document(NAME, documents.CORS, cors.checked(cors.browser_rules())),
        buckets.put_document(NAME, documents.TAGGING, tags(a="1")),
        buckets.set_acl(NAME, "public-read"),
        buckets.set_versioning(NAME, "Enabled"),
    )

    found = await buckets.find(NAME)
    assert found is not None
    assert (found.acl, found.versioning) == (BucketAcl.PUBLIC_READ, Versioning.ENABLED)
    assert set(found.documents) == {documents.CORS, documents.TAGGING}


async def test_every_change_is_seen_at_once(buckets: BucketService, bucket: Bucket) -> None:
    assert await buckets.find(bucket.name) == bucket

    await buckets.set_acl(bucket.name, "public-read")
    changed = await buckets.find(bucket.name)
    await buckets.delete(bucket.name)

    assert changed is not None
    assert changed.acl.value == "public-read"
    assert await buckets.find(bucket.name) is None


@pytest.mark.parametrize("status", [None, "", "enabled", "Disabled"])
async def test_versioning_is_enabled_or_suspended(
    buckets: BucketService, bucket: Bucket, status: str | None
) -> None:
    with pytest.raises(OssError) as refused:
        await buckets.set_versioning(NAME, status)

    assert refused.value.code == "InvalidArgument"


async def test_an_empty_bucket_goes(buckets: BucketService, bucket: Bucket) -> None:
    await buckets.delete(NAME)

    assert await buckets.find(NAME) is None
    with pytest.raises(OssError) as refused:
        await buckets.delete(NAME)
    assert (refused.value.code, refused.value.ec) == ("NoSuchBucket", "0015-00000101")


async def test_an_object_or_an_open_upload_keeps_a_bucket(
    buckets: BucketService, metadata: SqliteMetadata, bucket: Bucket
) -> None:
    upload = Upload(
        upload_id=UploadId("U" * 32), bucket=NAME, key=ObjectKey("k"), initiated_at=NOW, initiator="1001"
    )
    version = ObjectVersion(bucket=NAME, key=ObjectKey("k"), modified_at=NOW, inline=b"", etag="E")
    await metadata.create_upload(upload)

    with pytest.raises(OssError) as by_upload:
        await buckets.delete(NAME)
    await metadata.abort(NAME, upload.key, upload.upload_id)
    await metadata.put_object(Commit(version=version))
    with pytest.raises(OssError) as by_object:
        await buckets.delete(NAME)

    for refused in (by_upload, by_object):
        assert (refused.value.code, refused.value.ec) == ("BucketNotEmpty", "0015-00000301")


async def test_buckets_are_listed_by_name_in_pages(buckets: BucketService) -> None:
    for name in ("bb", "ab", "aa", "ac"):
        await buckets.create(NewBucket(name=f"{name}-x"))

    first = await buckets.page(BucketQuery(prefix="a", limit=2))
    rest = await buckets.page(BucketQuery(prefix="a", after=first.next_key, limit=2))

    assert [bucket.name for bucket in first.items] == ["aa-x", "ab-x"]
    assert (first.truncated, first.next_key) == (True, "ab-x")
    assert [bucket.name for bucket in rest.items] == ["ac-x"]
    assert not rest.truncated


async def test_buckets_are_found_by_their_tags(buckets: BucketService) -> None:
    for number in range(5):
        text = tags(team="a" if number % 2 else "b", number=str(number))
        await buckets.create(NewBucket(name=f"b-{number}", documents={documents.TAGGING: text}))

    async def names(limit: int = 100, **asked: str | None) -> list[str]:
        return [bucket.name for bucket in (await buckets.page(BucketQuery(limit=limit, tags=asked))).items]

    assert await names(team="a") == ["b-1", "b-3"]
    assert await names(team=None) == [f"b-{number}" for number in range(5)]
    assert await names(team="b", number="2") == ["b-2"]
    page = await buckets.page(BucketQuery(limit=1, tags={"team": "b"}))
    assert (page.truncated, page.next_key) == (True, "b-0")


async def test_tags_go_one_by_one_or_all_together(buckets: BucketService, bucket: Bucket) -> None:
    await buckets.put_document(NAME, documents.TAGGING, tags(a="1", b="2", c="3"))

    await buckets.delete_tags(NAME, "a,c,unknown")
    some = await buckets.find(NAME)
    await buckets.delete_tags(NAME, "")
    none = await buckets.find(NAME)

    assert some is not None
    assert none is not None
    assert bucket_tags.load(some).tags == (Tag(key="b", value="2"),)
    assert documents.TAGGING not in none.documents


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ((), "MalformedXML"),
        ((("a" * 65, "v"),), "InvalidTag"),
        ((("a", "v" * 129),), "InvalidTag"),
        ((("Aliyun-x", "v"),), "InvalidTag"),
        ((("https://x", "v"),), "InvalidTag"),
        ((("", "v"),), "InvalidTag"),
        ((("a", "1"), ("a", "2")), "RepeatedTags"),
        (tuple((f"k{number}", "") for number in range(21)), "TooManyTags"),
    ],
)
def test_bad_tags_are_refused(given: tuple[tuple[str, str], ...], code: str) -> None:
    tagging = Tagging(tags=tuple(Tag(key=key, value=value) for key, value in given))

    with pytest.raises(OssError) as refused:
        bucket_tags.checked(tagging)

    assert refused.value.code == code


def test_tag_filters_have_two_forms() -> None:
    assert bucket_tags.wanted("k", None, None) == {"k": None}
    assert bucket_tags.wanted("k", "v", None) == {"k": "v"}
    assert bucket_tags.wanted(None, None, '"a":"1","b":"2"') == {"a": "1", "b": "2"}
    assert bucket_tags.wanted(None, None, None) == {}
    for bad in (("k", None, '"a":"1"'), (None, "v", None), (None, None, "a:1")):
        with pytest.raises(OssError):
            bucket_tags.wanted(*bad)


async def test_totals_count_by_class(
    buckets: BucketService, metadata: SqliteMetadata, bucket: Bucket
) -> None:
    for number, storage_class in enumerate((StorageClass.IA, StorageClass.STANDARD, StorageClass.IA)):
        version = ObjectVersion(
            bucket=NAME,
            key=ObjectKey(f"k{number}"),
            modified_at=NOW,
            inline=b"12345",
            size=5,
            etag="E",
            storage_class=storage_class,
        )
        await metadata.put_object(Commit(version=version))

    totals = await buckets.totals(NAME)

    assert (totals.classes[StorageClass.IA].size, totals.classes[StorageClass.IA].count) == (10, 2)
    assert totals.classes[StorageClass.STANDARD].count == 1
