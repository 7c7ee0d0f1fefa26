"""Laws of multipart uploads."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from mossaic.model.bucket import Versioning
from mossaic.model.manifest import Manifest
from mossaic.model.names import BucketName, UploadId
from mossaic.model.object import Blob, ObjectAcl, ObjectHeaders, StorageClass
from mossaic.model.upload import Completed, PartColumns
from mossaic.ports import Absent, Busy, Commit, Conflict, Damaged
from mossaic.protocol.errors import INVALID_PART, OssError
from mossaic.stores.sql import SqliteMetadata
from tests.contract.given import (
    BUCKET,
    LATER,
    NOW,
    a_blob,
    a_part,
    a_version,
    as_shown,
    blob_id_of,
    complete,
    completion,
    given_bucket,
    given_upload,
    ids,
    key,
    put,
    put_part,
    whole,
)

if TYPE_CHECKING:
    from mossaic.model.upload import Part
    from mossaic.ports import MetadataStore


async def test_an_upload_reads_back_as_it_was_begun(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    begun = await given_upload(
        metadata,
        name="dir/ä",
        headers=ObjectHeaders(stored={"Content-Type": "video/mp4"}, meta={"a": "b"}),
        tags={"k": "v"},
        acl=ObjectAcl.PUBLIC_READ,
        storage_class=StorageClass.IA,
        forbid_overwrite=True,
        sequential=True,
    )

    assert await metadata.upload(BUCKET, begun.key, begun.upload_id) == begun
    assert await metadata.upload(BUCKET, key("other"), begun.upload_id) is None
    assert await metadata.upload(BucketName("nobody"), begun.key, begun.upload_id) is None
    assert await metadata.upload(BUCKET, begun.key, UploadId("other")) is None


async def test_an_upload_needs_its_bucket(metadata: MetadataStore) -> None:
    with pytest.raises(Absent):
        await given_upload(metadata)


async def test_forbid_overwrite_is_checked_at_the_beginning_and_at_the_end(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    upload = await given_upload(metadata, forbid_overwrite=True)
    part = await put_part(metadata, upload, 1)
    await put(metadata, upload.key)

    with pytest.raises(Conflict):
        await given_upload(metadata, "U2", forbid_overwrite=True)
    with pytest.raises(Conflict):
        await complete(metadata, upload, [part], forbid_overwrite=True)
    assert await metadata.all_parts(upload.upload_id) == [part]  # still open: nothing was lost


async def test_a_part_reads_back_as_it_was_stored(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    upload = await given_upload(metadata)
    part = await put_part(metadata, upload, 10_000)

    assert await metadata.part(upload.upload_id, 10_000) == part
    assert await metadata.part(upload.upload_id, 1) is None
    assert await metadata.all_parts(UploadId("other")) == []


async def test_parts_are_paged_by_number(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    upload = await given_upload(metadata)
    numbers = [1, 2, 9, 10, 10_000]
    for number in reversed(numbers):
        await put_part(metadata, upload, number)

    first = await metadata.parts(upload.upload_id, after=0, limit=3)
    rest = await metadata.parts(upload.upload_id, after=int(first.next_key), limit=2)

    assert first.truncated
    assert not rest.truncated
    assert [*first.columns.numbers, *rest.columns.numbers] == numbers


async def test_a_part_put_twice_keeps_the_last_and_bins_the_first(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    upload = await given_upload(metadata)

    first = await put_part(metadata, upload, 1)
    second = await put_part(metadata, upload, 1)

    assert await metadata.all_parts(upload.upload_id) == [second]
    assert await metadata.garbage(now=NOW, limit=10) == [blob_id_of(first)]
    assert await metadata.garbage_waits(0)


async def test_an_empty_part_has_no_blob(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    upload = await given_upload(metadata)
    part = replace(a_part(1, a_blob()), size=0, manifest=Manifest())

    await metadata.put_part(upload.upload_id, part, ())
    stored = await complete(metadata, upload, [part])

    found = await metadata.head(BUCKET, upload.key)
    assert found == stored.version
    assert (found.size, found.manifest) == (0, Manifest())


async def test_a_part_may_share_the_bytes_of_an_object(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    source = (await put(metadata, "source")).version
    upload = await given_upload(metadata)
    part = replace(a_part(1, a_blob()), manifest=source.manifest)

    await metadata.put_part(upload.upload_id, part, ())
    await metadata.delete_object(BUCKET, source.key, None, NOW)
    assert await metadata.garbage(now=LATER, limit=10) == []
    await metadata.abort(BUCKET, upload.key, upload.upload_id)

    garbage = await metadata.garbage(now=LATER, limit=10)
    assert garbage == [source.manifest.extents[0].blob_id]
    with pytest.raises(Absent):
        await metadata.put_part(upload.upload_id, part, ())
    again = await given_upload(metadata, "U2")
    with pytest.raises(Damaged):
        await metadata.put_part(again.upload_id, part, ())
    assert await metadata.all_parts(again.upload_id) == []


async def test_two_parts_may_be_pieces_of_one_blob(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    source = (await put(metadata, "source")).version
    upload = await given_upload(metadata)
    parts = [
        replace(a_part(n, a_blob(5)), manifest=Manifest(source.manifest.cut(5 * n, 5 * n + 5)))
        for n in (0, 1)
    ]
    for part in parts:
        await metadata.put_part(upload.upload_id, part, ())

    await complete(metadata, upload, parts)

    assert [refs for _, refs in await metadata.blobs(after="", limit=10)] == [2]


@pytest.mark.parametrize("counts", [(1, 1, 1), (2, 1, 3), (0, 1, 0), (0,)])
async def test_parts_are_seen_as_they_were_put(metadata: MetadataStore, counts: tuple[int, ...]) -> None:
    """With any number of blobs in each, and CRCs that SQLite keeps as negative numbers."""
    await given_bucket(metadata)
    upload = await given_upload(metadata)
    parts: list[Part] = []
    for number, count in enumerate(counts, start=1):
        blobs = tuple(a_blob() for _ in range(count))
        manifest = Manifest.join(whole(blob) for blob in blobs)
        crc64 = (1 << 64) - number if number % 2 else number
        part = replace(a_part(number, a_blob()), size=manifest.size, crc64=crc64, manifest=manifest)
        await metadata.put_part(upload.upload_id, part, blobs)
        parts.append(part)
    seen: list[PartColumns] = []

    def decide(stored: PartColumns) -> tuple[Commit, Completed]:
        seen.append(stored)
        return completion(upload, parts)

    shown = (await metadata.parts(upload.upload_id, after=0, limit=1000)).columns
    await metadata.complete(upload, decide)

    assert seen == [PartColumns.of(parts)]
    assert (shown.numbers, shown.sizes) == (seen[0].numbers, seen[0].sizes)
    assert (shown.etags, shown.crc64s) == (seen[0].etags, seen[0].crc64s)
    assert shown.stored == [as_shown(part.stored_at) for part in parts]


async def test_complete_publishes_the_object_and_frees_unlisted_parts(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    upload = await given_upload(metadata)
    parts = [await put_part(metadata, upload, number) for number in (1, 2, 5, 7)]
    listed = [parts[0], parts[2]]

    stored = await complete(metadata, upload, listed)

    found = await metadata.head(BUCKET, upload.key)
    assert found == stored.version
    assert found.manifest == Manifest.join(part.manifest for part in listed)
    assert set(await metadata.garbage(now=NOW, limit=10)) == ids(parts[1], parts[3])
    assert await metadata.upload(BUCKET, upload.key, upload.upload_id) is None
    assert await metadata.all_parts(upload.upload_id) == []


async def test_complete_of_nothing_makes_an_empty_object(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    upload = await given_upload(metadata)
    part = await put_part(metadata, upload, 1)

    await complete(metadata, upload, [])

    found = await metadata.head(BUCKET, upload.key)
    assert found is not None
    assert found.size == 0
    assert await metadata.garbage(now=NOW, limit=10) == [blob_id_of(part)]


async def test_a_completed_upload_leaves_a_receipt(metadata: MetadataStore) -> None:
    await given_bucket(metadata, Versioning.ENABLED)
    upload = await given_upload(metadata)
    parts = [await put_part(metadata, upload, 1)]
    _, receipt = completion(upload, parts)
    stored = await complete(metadata, upload, parts)

    kept = await metadata.receipt(BUCKET, upload.key, upload.upload_id)

    assert kept == replace(receipt, version_id=stored.version_id)
    assert await metadata.receipt(BUCKET, key("other"), upload.upload_id) is None
    with pytest.raises(Conflict):
        await metadata.create_upload(upload)  # an id is never open and completed
    assert await metadata.forget_receipts(NOW) == 0
    assert await metadata.forget_receipts(NOW + timedelta(microseconds=1)) == 1
    assert await metadata.receipt(BUCKET, upload.key, upload.upload_id) is None


async def test_nothing_happens_to_a_closed_upload(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    completed, aborted = await given_upload(metadata, "U1"), await given_upload(metadata, "U2")
    part = await put_part(metadata, completed, 1)
    await complete(metadata, completed, [part])
    await metadata.abort(BUCKET, aborted.key, aborted.upload_id)

    for upload in (completed, aborted):
        blob = a_blob()
        with pytest.raises(Absent):
            await metadata.put_part(upload.upload_id, a_part(1, blob), (blob,))
        assert await metadata.unknown([blob.blob_id]) == [blob.blob_id]
        with pytest.raises(Absent):
            await complete(metadata, upload, [])
        with pytest.raises(Absent):
            await metadata.abort(BUCKET, upload.key, upload.upload_id)
    assert await metadata.receipt(BUCKET, aborted.key, aborted.upload_id) is None


async def test_an_upload_is_closed_only_under_its_own_key(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    upload = await given_upload(metadata)

    with pytest.raises(Absent):
        await metadata.abort(BUCKET, key("other"), upload.upload_id)
    with pytest.raises(Absent):
        await complete(metadata, replace(upload, key=key("other")), [])
    assert await metadata.upload(BUCKET, upload.key, upload.upload_id) == upload


async def test_abort_frees_all_parts_at_once(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    upload = await given_upload(metadata)
    parts = [await put_part(metadata, upload, number) for number in range(1, 30)]

    await metadata.abort(BUCKET, upload.key, upload.upload_id)

    assert set(await metadata.garbage(now=NOW, limit=100)) == ids(*parts)
    assert await metadata.garbage_waits(0)
    assert not await metadata.garbage_waits(0)  # told once


@pytest.mark.parametrize("count", [20, 21, 2_500])
@pytest.mark.parametrize("how", ["completed", "aborted"])
async def test_the_parts_of_a_closed_upload_are_nobodys(
    metadata: MetadataStore, count: int, how: str
) -> None:
    assert isinstance(metadata, SqliteMetadata)
    read = metadata._database.read

    def rows() -> list[int]:
        tables = ("parts", "closed_uploads")
        return [read.all(f"SELECT count(*) FROM {table}")[0][0] for table in tables]

    await given_bucket(metadata)
    upload, other = await given_upload(metadata), await given_upload(metadata, "U2", name="other")
    listed = await asyncio.gather(*[put_part(metadata, upload, number) for number in range(1, count + 1)])
    kept = await put_part(metadata, other, 7)

    if how == "completed":
        await complete(metadata, upload, listed)
    else:
        await metadata.abort(BUCKET, upload.key, upload.upload_id)

    # As a crash would leave it.
    assert rows() == ([count + 1, 1] if count > 20 else [1, 0])
    assert await metadata.check() == []
    assert not await metadata.all_parts(upload.upload_id)
    assert len((await metadata.parts(upload.upload_id, after=0, limit=1_000)).columns.numbers) == 0
    totals = await metadata.bucket_totals(BUCKET)
    assert (totals.upload_count, totals.part_count, totals.part_size) == (1, 1, kept.size)
    if count > 20:
        assert await metadata.garbage_waits(0.0)

    freed = await metadata.garbage(now=LATER, limit=10_000)

    assert set(freed) == (set() if how == "completed" else ids(*listed))
    assert rows() == [1, 0]
    assert await metadata.check() == []
    assert await metadata.all_parts(other.upload_id) == [kept]


async def test_what_becomes_of_the_parts_is_decided_with_those_that_are_there(
    metadata: MetadataStore,
) -> None:
    await given_bucket(metadata)
    upload = await given_upload(metadata)
    old = await put_part(metadata, upload, 1, etag="SAME")
    new = await put_part(metadata, upload, 1, etag="SAME")  # the same content again: its blob is another one
    other = await put_part(metadata, upload, 2)
    seen: list[PartColumns] = []

    def decide(stored: PartColumns) -> tuple[Commit, Completed]:
        seen.append(stored)
        return completion(upload, [new, other])

    with pytest.raises(Busy):
        await complete(metadata, upload, [old])
    await metadata.complete(upload, decide)

    assert set(seen) == {PartColumns.of([other, new])}


async def test_a_complete_that_is_refused_changes_nothing(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    upload = await given_upload(metadata)
    parts = [await put_part(metadata, upload, number) for number in range(1, 40)]

    def refuse(stored: PartColumns) -> tuple[Commit, Completed]:
        raise OssError(INVALID_PART, PartNumber=stored.numbers[0])

    with pytest.raises(OssError) as caught:
        await metadata.complete(upload, refuse)
    assert caught.value.code == "InvalidPart"
    assert await metadata.all_parts(upload.upload_id) == parts
    assert await metadata.head(BUCKET, upload.key) is None
    await complete(metadata, upload, parts)


async def test_parts_that_share_a_blob_give_back_what_they_held_of_it(metadata: MetadataStore) -> None:
    """Copies of one object as parts: the new object holds each blob once, however many parts did."""
    await given_bucket(metadata)
    source = (await put(metadata, "source")).version
    upload = await given_upload(metadata)
    for number in (1, 2, 3):
        copied = replace(a_part(number, a_blob()), manifest=source.manifest)
        await metadata.put_part(upload.upload_id, copied, ())
    await complete(metadata, upload, await metadata.all_parts(upload.upload_id))
    await metadata.delete_object(BUCKET, source.key, None, NOW)
    assert not await metadata.garbage(now=LATER, limit=10)

    await metadata.delete_object(BUCKET, upload.key, None, NOW)

    assert await metadata.garbage(now=LATER, limit=10) == sorted(source.manifest.blob_ids)
    assert not await metadata.check()


async def test_complete_cannot_publish_bytes_that_are_not_of_its_parts(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    foreign = (await put(metadata, "foreign")).version
    upload = await given_upload(metadata)
    part = await put_part(metadata, upload, 1)
    _, receipt = completion(upload, [part])

    with pytest.raises(Busy):
        await metadata.complete(
            upload, lambda _: (Commit(version=a_version(upload.key, foreign.manifest)), receipt)
        )


async def test_a_sequential_upload_takes_parts_in_order_only(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    upload = await given_upload(metadata, sequential=True)

    with pytest.raises(Conflict):
        await put_part(metadata, upload, 2)
    await put_part(metadata, upload, 1)
    for number in (1, 3):
        with pytest.raises(Conflict):
            await put_part(metadata, upload, number)
    await put_part(metadata, upload, 2)

    assert [part.number for part in await metadata.all_parts(upload.upload_id)] == [1, 2]


async def test_uploads_before_a_time_come_oldest_first(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    for n in (3, 1, 2):
        await given_upload(metadata, f"U{n}", initiated_at=NOW + timedelta(days=n))

    found = await metadata.uploads_before(BUCKET, NOW + timedelta(days=3), 10)

    assert [upload.upload_id for upload in found] == ["U1", "U2"]
    assert len(await metadata.uploads_before(BUCKET, NOW + timedelta(days=9), 2)) == 2


async def test_complete_costs_no_blob_updates(metadata: MetadataStore) -> None:
    """Ownership passes from the parts to the object: the references stay what they are, one each."""
    await given_bucket(metadata)
    upload = await given_upload(metadata)
    parts = [await put_part(metadata, upload, number) for number in range(1, 50)]
    before = await metadata.blobs(after="", limit=100)

    await complete(metadata, upload, parts)

    assert await metadata.blobs(after="", limit=100) == before
    assert [refs for _, refs in before] == [1] * 49


async def test_known_blobs_come_in_the_order_asked(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    upload = await given_upload(metadata)
    blobs: list[Blob] = []
    for number in (1, 2, 3):
        blobs.append(a_blob(number))
        await metadata.put_part(upload.upload_id, a_part(number, blobs[-1]), (blobs[-1],))
    asked = [blobs[2].blob_id, a_blob().blob_id, blobs[0].blob_id]

    assert await metadata.known_blobs(asked) == [blobs[2], blobs[0]]
