"""The sweeper on the real stores: garbage, orphans, lifecycle, receipts, and changes that come between."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from mossaic.model import documents, lifecycle
from mossaic.model.lifecycle import Action, Due
from mossaic.model.manifest import Extent, Manifest
from mossaic.model.names import BlobId, BucketName, ObjectKey, UploadId, new_blob_id
from mossaic.model.object import Blob, ObjectVersion, StorageClass
from mossaic.model.page import ListQuery
from mossaic.model.upload import Completed, Part, Upload
from mossaic.ports import Commit, Damaged
from mossaic.protocol.operations.settings import (
    LifecycleAbort,
    LifecycleConfiguration,
    LifecycleExpiration,
    LifecycleRule,
    LifecycleTransition,
    NoncurrentExpiration,
    Tag,
)
from mossaic.service.expiry import Expiry
from mossaic.service.sweeper import Sweeper
from tests.unit.buckets.conftest import NOW, SetClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mossaic.model.bucket import Bucket
    from mossaic.service.buckets import BucketService
    from mossaic.stores.blobs import FileBlobs
    from mossaic.stores.sql import SqliteMetadata

NAME = BucketName("plain")
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Settings:
    interval_s: float = 3600.0
    orphan_grace_s: float = 3600.0


@pytest.fixture
def sweeper(metadata: SqliteMetadata, blobs: FileBlobs, clock: SetClock) -> Sweeper:
    return Sweeper(metadata=metadata, blobs=blobs, clock=clock, settings=Settings(), receipts_s=86_400)


def write(blobs: FileBlobs, content: bytes = b"content") -> Blob:
    blob_id = new_blob_id()
    sink = blobs.create(blob_id, len(content))
    sink.write(memoryview(content))
    sink.commit()
    return Blob(blob_id=blob_id, size=len(content), md5="0" * 32, crc64=0)


def exists(blobs: FileBlobs, blob_id: BlobId) -> bool:
    try:
        with blobs.open(blob_id):
            return True
    except Damaged:
        return False


async def put(
    metadata: SqliteMetadata,
    key: str,
    *,
    age: timedelta = 10 * DAY,
    blob: Blob | None = None,
    **changed: object,
) -> ObjectVersion:
    version = ObjectVersion(
        bucket=NAME, key=ObjectKey(key), modified_at=NOW - age, etag="E", inline=b"x", size=1
    )
    if blob is not None:
        manifest = Manifest((Extent(blob.blob_id, 0, blob.size),))
        version = replace(version, inline=None, manifest=manifest, size=blob.size)
    version = replace(version, **changed)  # type: ignore[arg-type]
    stored = await metadata.put_object(Commit(version=version, new_blobs=(blob,) if blob else ()))
    return stored.version


async def begin(metadata: SqliteMetadata, key: str, *, age: timedelta = timedelta(), blob: Blob) -> Upload:
    upload = Upload(
        upload_id=UploadId(new_blob_id().upper()),
        bucket=NAME,
        key=ObjectKey(key),
        initiated_at=NOW - age,
        initiator="1001",
    )
    await metadata.create_upload(upload)
    part = Part(
        number=1,
        size=blob.size,
        etag="E",
        crc64=0,
        stored_at=NOW,
        manifest=Manifest((Extent(blob.blob_id, 0, blob.size),)),
    )
    await metadata.put_part(upload.upload_id, part, (blob,))
    return upload


async def set_rules(buckets: BucketService, *rules: LifecycleRule) -> None:
    text = lifecycle.checked(LifecycleConfiguration(rules=rules), allow_overlap=True)
    await buckets.put_document(NAME, documents.LIFECYCLE, text)


async def keys(metadata: SqliteMetadata) -> list[str]:
    return list((await metadata.list_objects(ListQuery(bucket=NAME))).columns.keys)


async def versions(metadata: SqliteMetadata) -> Sequence[ObjectVersion]:
    return (await metadata.list_versions(ListQuery(bucket=NAME, limit=1000))).items


def expire(days: int = 3, **changed: object) -> LifecycleRule:
    rule = LifecycleRule(status="Enabled", expiration=LifecycleExpiration(days=days))
    return replace(rule, **changed)  # type: ignore[arg-type]


# --- bytes --------------------------------------------------------------------------------------------------------------


async def test_the_bytes_of_an_aborted_upload_go_and_referenced_ones_stay(
    sweeper: Sweeper, metadata: SqliteMetadata, blobs: FileBlobs, bucket: Bucket
) -> None:
    gone, kept = write(blobs), write(blobs)
    upload = await begin(metadata, "big", blob=gone)
    await put(metadata, "k", blob=kept)

    await metadata.abort(NAME, upload.key, upload.upload_id)
    report = await sweeper.sweep_once(NOW)

    assert report.garbage == 1
    assert (exists(blobs, gone.blob_id), exists(blobs, kept.blob_id)) == (False, True)
    assert [blob.blob_id for blob, _ in await metadata.blobs(after="", limit=10)] == [kept.blob_id]


async def test_garbage_whose_bytes_went_before_a_crash_is_forgotten_by_the_next_sweep(
    sweeper: Sweeper, metadata: SqliteMetadata, blobs: FileBlobs, bucket: Bucket
) -> None:
    blob = write(blobs)
    upload = await begin(metadata, "big", blob=blob)
    await metadata.abort(NAME, upload.key, upload.upload_id)

    blobs.delete([blob.blob_id])  # and here the process was killed
    report = await sweeper.free_garbage(NOW)

    assert report.garbage == 1
    assert await metadata.blobs(after="", limit=10) == []


async def test_only_old_bytes_that_no_metadata_names_are_orphans(
    sweeper: Sweeper, metadata: SqliteMetadata, blobs: FileBlobs, bucket: Bucket
) -> None:
    named, old, young = write(blobs), write(blobs, b"12345"), write(blobs)
    await put(metadata, "k", blob=named)
    for blob, age in ((named, 7200), (old, 7200), (young, 60)):
        moment = NOW.timestamp() - age
        with blobs.open(blob.blob_id) as source:
            descriptor = source.fileno()
            assert descriptor is not None
            os.utime(descriptor, (moment, moment))

    report = await sweeper.free_orphans(NOW)

    assert (report.orphans, report.orphan_bytes) == (1, 5)
    assert [exists(blobs, blob.blob_id) for blob in (named, old, young)] == [True, False, True]


async def test_running_it_frees_an_abort_within_a_second(
    sweeper: Sweeper, metadata: SqliteMetadata, blobs: FileBlobs, bucket: Bucket
) -> None:
    blob = write(blobs)
    upload = await begin(metadata, "big", blob=blob)
    running = asyncio.create_task(sweeper.run())

    await metadata.abort(NAME, upload.key, upload.upload_id)
    async with asyncio.timeout(1):
        while exists(blobs, blob.blob_id):
            await asyncio.sleep(0.005)

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


# --- lifecycle ------------------------------------------------------------------------------------------------------------


async def test_old_objects_under_the_prefix_expire(
    sweeper: Sweeper, metadata: SqliteMetadata, buckets: BucketService, bucket: Bucket
) -> None:
    await put(metadata, "log/old")
    await put(metadata, "log/new", age=DAY)
    await put(metadata, "other")
    await set_rules(buckets, expire(prefix="log/"))

    report = await sweeper.sweep_once(NOW)

    assert report.expired == 1
    assert await keys(metadata) == ["log/new", "other"]


async def test_expiring_walks_all_pages(
    sweeper: Sweeper, metadata: SqliteMetadata, buckets: BucketService, bucket: Bucket
) -> None:
    await asyncio.gather(*(put(metadata, f"k{number:04}") for number in range(450)))
    await set_rules(buckets, expire())

    report = await sweeper.sweep_once(NOW)

    assert report.expired == 450
    assert await keys(metadata) == []


async def test_only_objects_with_the_tags_expire(
    sweeper: Sweeper, metadata: SqliteMetadata, buckets: BucketService, bucket: Bucket
) -> None:
    await put(metadata, "a", tags={"temporary": "yes"})
    await put(metadata, "b", tags={"temporary": "no"})
    await put(metadata, "c")
    await set_rules(buckets, expire(tags=(Tag(key="temporary", value="yes"),)))

    await sweeper.sweep_once(NOW)

    assert await keys(metadata) == ["b", "c"]


async def test_in_a_versioned_bucket_expiry_adds_a_marker_once(
    sweeper: Sweeper, metadata: SqliteMetadata, buckets: BucketService, bucket: Bucket
) -> None:
    await buckets.set_versioning(NAME, "Enabled")
    await put(metadata, "k")
    await set_rules(buckets, expire())

    reports = [await sweeper.sweep_once(NOW), await sweeper.sweep_once(NOW + 5 * DAY)]

    assert [report.expired for report in reports] == [1, 0]
    assert [version.is_delete_marker for version in await versions(metadata)] == [True, False]


async def test_superseded_versions_go_and_the_lone_marker_follows(
    sweeper: Sweeper, metadata: SqliteMetadata, buckets: BucketService, bucket: Bucket
) -> None:
    await buckets.set_versioning(NAME, "Enabled")
    for age in (30, 20, 10):
        await put(metadata, "k", age=age * DAY)
    await put(metadata, "kk", age=9 * DAY)
    await metadata.delete_object(NAME, ObjectKey("k"), None, NOW - 5 * DAY)
    await set_rules(
        buckets,
        LifecycleRule(
            status="Enabled",
            expiration=LifecycleExpiration(expired_object_delete_marker=True),
            noncurrent_expiration=NoncurrentExpiration(noncurrent_days=7),
        ),
    )

    # The versions of 30 and 20 days were superseded 20 and 10 days ago, the one of 10 days only 5 days ago.
    first = await sweeper.sweep_once(NOW)
    left = [(version.key, version.is_delete_marker) for version in await versions(metadata)]
    second = await sweeper.sweep_once(NOW + 2 * DAY)
    third = await sweeper.sweep_once(NOW + 2 * DAY)

    assert first.removed == 2
    assert left == [("k", True), ("k", False), ("kk", False)]
    assert (second.removed, third.removed) == (1, 1)
    assert [version.key for version in await versions(metadata)] == ["kk"]


async def test_many_versions_of_one_key_are_judged_across_pages(
    sweeper: Sweeper, metadata: SqliteMetadata, buckets: BucketService, bucket: Bucket
) -> None:
    await buckets.set_versioning(NAME, "Enabled")
    for number in range(450):
        await put(metadata, "k", age=500 * DAY - number * DAY)
    rule = LifecycleRule(status="Enabled", noncurrent_expiration=NoncurrentExpiration(noncurrent_days=100))
    await set_rules(buckets, rule)

    await sweeper.sweep_once(NOW)

    # Version n was superseded when n + 1 came, 499 - n days ago: those from 400 on have less than 100 days.
    assert len(await versions(metadata)) == 50


async def test_a_transition_relabels_and_keeps_the_totals_right(
    sweeper: Sweeper, metadata: SqliteMetadata, buckets: BucketService, bucket: Bucket
) -> None:
    await put(metadata, "old", size=1)
    await put(metadata, "new", age=DAY)
    transition = LifecycleTransition(days=5, storage_class="IA")
    await set_rules(buckets, LifecycleRule(status="Enabled", transitions=(transition,)))

    reports = [await sweeper.sweep_once(NOW) for _ in range(2)]

    assert [report.relabelled for report in reports] == [1, 0]
    classes = {version.key: version.storage_class for version in await versions(metadata)}
    assert classes == {"new": StorageClass.STANDARD, "old": StorageClass.IA}
    totals = await buckets.totals(NAME)
    assert {kind: one.count for kind, one in totals.classes.items() if one.count} == {
        StorageClass.STANDARD: 1,
        StorageClass.IA: 1,
    }
    assert await metadata.check() == []


async def test_old_uploads_are_aborted(
    sweeper: Sweeper, metadata: SqliteMetadata, blobs: FileBlobs, buckets: BucketService, bucket: Bucket
) -> None:
    old, young = write(blobs), write(blobs)
    await begin(metadata, "up/old", age=2 * DAY, blob=old)
    kept = await begin(metadata, "up/young", age=timedelta(hours=23), blob=young)
    await set_rules(
        buckets, LifecycleRule(status="Enabled", prefix="up/", abort_upload=LifecycleAbort(days=1))
    )

    report = await sweeper.sweep_once(NOW)

    assert (report.aborted, report.garbage) == (1, 1)
    assert [one.key for one in (await metadata.list_uploads(ListQuery(bucket=NAME))).items] == [kept.key]
    assert (exists(blobs, old.blob_id), exists(blobs, young.blob_id)) == (False, True)


@pytest.mark.parametrize("action", [Action.EXPIRE, Action.REMOVE, Action.RELABEL])
async def test_an_object_written_again_after_it_was_judged_stays(
    metadata: SqliteMetadata, bucket: Bucket, action: Action
) -> None:
    await put(metadata, "k")
    (listed,) = await versions(metadata)
    await put(metadata, "k", age=timedelta())

    due = Due(action=action, rule_id="r", storage_class=StorageClass.IA)
    done = await Expiry(metadata, NOW)._act(listed, due)

    assert done is None
    (found,) = await versions(metadata)
    assert (found.modified_at, found.storage_class) == (NOW, StorageClass.STANDARD)


async def test_rules_that_cannot_be_read_do_not_stop_the_others(
    sweeper: Sweeper, metadata: SqliteMetadata, buckets: BucketService, bucket: Bucket
) -> None:
    await metadata.create_bucket(
        replace(bucket, name=BucketName("a-broken"), documents={documents.LIFECYCLE: "<Lifecycle"}), quota=9
    )
    await put(metadata, "k")
    await set_rules(buckets, expire())

    report = await sweeper.sweep_once(NOW)

    assert report.expired == 1


# --- rounds ---------------------------------------------------------------------------------------------------------------


async def test_receipts_are_kept_for_their_time(
    sweeper: Sweeper, metadata: SqliteMetadata, blobs: FileBlobs, bucket: Bucket
) -> None:
    blob = write(blobs)
    upload = await begin(metadata, "k", blob=blob)
    parts = await metadata.all_parts(upload.upload_id)
    version = ObjectVersion(
        bucket=NAME, key=upload.key, modified_at=NOW, etag="E-1", size=blob.size, manifest=parts[0].manifest
    )
    receipt = Completed(
        upload_id=upload.upload_id,
        bucket=NAME,
        key=upload.key,
        digest="d",
        etag="E-1",
        crc64=0,
        size=blob.size,
        version_id=None,
        completed_at=NOW,
    )
    await metadata.complete(upload, lambda _: (Commit(version=version), receipt))

    early = await sweeper.sweep_once(NOW + timedelta(hours=23))
    kept = await metadata.receipt(NAME, upload.key, upload.upload_id)
    late = await sweeper.sweep_once(NOW + timedelta(hours=25))

    assert (early.receipts, late.receipts) == (0, 1)
    assert kept == receipt
    assert await metadata.receipt(NAME, upload.key, upload.upload_id) is None


async def test_whoever_does_not_get_the_lease_leaves_the_round_out(
    sweeper: Sweeper, metadata: SqliteMetadata, buckets: BucketService, bucket: Bucket
) -> None:
    await put(metadata, "k")
    await set_rules(buckets, expire())
    await metadata.lease("sweeper", "somebody else", now=NOW, seconds=60)

    meanwhile = await sweeper.sweep_once(NOW)
    await metadata.lease("sweeper", "somebody else", now=NOW, seconds=0)
    after = await sweeper.sweep_once(NOW)

    assert (meanwhile.skipped, meanwhile.expired) == (True, 0)
    assert (after.skipped, after.expired) == (False, 1)
