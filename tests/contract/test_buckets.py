"""Laws of buckets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mossaic.model.bucket import BucketAcl, BucketTotals, ClassTotals, Versioning
from mossaic.model.names import NULL_VERSION, BucketName
from mossaic.model.object import StorageClass
from mossaic.ports import Absent, Conflict, OverQuota
from tests.contract.given import (
    BUCKET,
    NOW,
    a_bucket,
    complete,
    given_bucket,
    given_upload,
    key,
    put,
    put_part,
    version_id_of,
)

if TYPE_CHECKING:
    from mossaic.ports import MetadataStore


async def test_a_bucket_reads_back_as_it_was_made(metadata: MetadataStore) -> None:
    made = a_bucket(
        acl=BucketAcl.PUBLIC_READ,
        storage_class=StorageClass.IA,
        redundancy="ZRS",
        documents={"cors": "<CORSConfiguration/>", "tagging": "ä"},
    )

    await metadata.create_bucket(made, quota=1)

    assert await metadata.bucket(BUCKET) == made
    assert await metadata.bucket(BucketName("nobody")) is None


async def test_a_name_is_given_once(metadata: MetadataStore) -> None:
    await metadata.create_bucket(a_bucket(), quota=10)

    with pytest.raises(Conflict) as refused:
        await metadata.create_bucket(a_bucket(), quota=10)
    assert not isinstance(refused.value, OverQuota)


async def test_the_quota_counts_all_buckets(metadata: MetadataStore) -> None:
    await metadata.create_bucket(a_bucket("one"), quota=2)
    await metadata.create_bucket(a_bucket("two"), quota=2)

    with pytest.raises(OverQuota):
        await metadata.create_bucket(a_bucket("three"), quota=2)
    assert await metadata.bucket(BucketName("three")) is None


async def test_a_change_made_from_an_old_revision_is_refused(metadata: MetadataStore) -> None:
    old = await given_bucket(metadata)
    changed = await metadata.change_bucket(replace(old, documents={"policy": "{}"}))

    assert changed.revision > old.revision
    with pytest.raises(Conflict):
        await metadata.change_bucket(replace(old, acl=BucketAcl.PUBLIC_READ))
    assert await metadata.bucket(BUCKET) == changed
    with pytest.raises(Absent):
        await metadata.change_bucket(a_bucket("nobody"))


async def test_buckets_are_paged_by_name(metadata: MetadataStore) -> None:
    names = ["a-1", "a-2", "a-3", "b-1", "z-9"]
    for name in reversed(names):
        await metadata.create_bucket(a_bucket(name), quota=10)

    first = await metadata.buckets(prefix="", after="", limit=2)
    rest = await metadata.buckets(prefix="", after=first.next_key, limit=10)
    of_a = await metadata.buckets(prefix="a-", after="a-1", limit=10)

    assert first.truncated
    assert not rest.truncated
    assert [bucket.name for bucket in first.items + rest.items] == names
    assert [bucket.name for bucket in of_a.items] == ["a-2", "a-3"]


async def test_a_bucket_with_anything_in_it_is_not_deleted(metadata: MetadataStore) -> None:
    await given_bucket(metadata, Versioning.ENABLED)
    upload = await given_upload(metadata)
    with pytest.raises(Conflict):
        await metadata.delete_bucket(BUCKET)
    await metadata.abort(BUCKET, upload.key, upload.upload_id)

    stored = await put(metadata, "k")
    marker = await metadata.delete_object(BUCKET, key("k"), None, NOW)
    await metadata.delete_object(BUCKET, key("k"), version_id_of(stored), NOW)
    with pytest.raises(Conflict):
        await metadata.delete_bucket(BUCKET)  # the marker is still there
    await metadata.delete_object(BUCKET, key("k"), marker.version_id, NOW)

    await metadata.delete_bucket(BUCKET)
    assert await metadata.bucket(BUCKET) is None
    with pytest.raises(Absent):
        await metadata.delete_bucket(BUCKET)


async def test_a_bucket_made_again_knows_nothing_of_the_first(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    upload = await given_upload(metadata)
    await complete(metadata, upload, [await put_part(metadata, upload, 1)])
    await metadata.delete_object(BUCKET, upload.key, None, NOW)
    await metadata.delete_bucket(BUCKET)

    await given_bucket(metadata)

    assert await metadata.receipt(BUCKET, upload.key, upload.upload_id) is None
    totals = await metadata.bucket_totals(BUCKET)
    assert totals == BucketTotals(
        classes={}, upload_count=0, part_count=0, part_size=0, delete_marker_count=0, modified_at=None
    )


async def test_totals_follow_every_step(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    await put(metadata, "a")
    await put(metadata, "a", storage_class=StorageClass.IA)
    await put(metadata, "b")
    upload = await given_upload(metadata)
    await put_part(metadata, upload, 1)
    await put_part(metadata, upload, 1)
    await put_part(metadata, upload, 2)

    totals = await metadata.bucket_totals(BUCKET)

    assert {name: count for name, count in totals.classes.items() if count.count} == {
        StorageClass.STANDARD: ClassTotals(size=10, count=1),
        StorageClass.IA: ClassTotals(size=10, count=1),
    }
    assert (totals.upload_count, totals.part_count, totals.part_size) == (1, 2, 20)
    assert totals.modified_at == NOW
    with pytest.raises(Absent):
        await metadata.bucket_totals(BucketName("nobody"))


async def test_versions_count_and_markers_count_apart(metadata: MetadataStore) -> None:
    await given_bucket(metadata, Versioning.ENABLED)
    await put(metadata, "a")
    await put(metadata, "a")
    await metadata.delete_object(BUCKET, key("a"), None, NOW)
    await metadata.delete_object(BUCKET, key("a"), NULL_VERSION, NOW)  # there is none

    totals = await metadata.bucket_totals(BUCKET)

    assert totals.classes[StorageClass.STANDARD] == ClassTotals(size=20, count=2)
    assert totals.delete_marker_count == 1
