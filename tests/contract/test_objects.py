"""Laws of objects: publishing, reading, deleting, versions, appending."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from mossaic.model.bucket import Versioning
from mossaic.model.manifest import Extent, Manifest
from mossaic.model.names import NULL_VERSION, BucketName, VersionId
from mossaic.model.object import ObjectAcl, ObjectHeaders, ObjectType, StorageClass
from mossaic.ports import Absent, Commit, Conflict, Damaged, Deleted
from tests.contract.given import (
    BUCKET,
    LATER,
    NOW,
    a_blob,
    a_version,
    given_bucket,
    key,
    put,
    put_inline,
    set_versioning,
    version_id_of,
    whole,
)

if TYPE_CHECKING:
    from mossaic.model.object import Blob
    from mossaic.ports import MetadataStore, Stored


async def test_an_object_reads_back_as_it_was_written(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    first, second = a_blob(5), a_blob(7)
    written = a_version(
        "𝄞/日本 \x7f",
        Manifest([Extent(first.blob_id, 0, 5), Extent(second.blob_id, 2, 5)]),
        md5="A" * 32,
        crc64=2**64 - 1,
        headers=ObjectHeaders(
            stored={"Content-Type": "text/plain", "Expires": "whenever"},
            meta={"a": "ü\x00"},
            encryption="AES256",
        ),
        tags={"k": "v", "empty": ""},
        acl=ObjectAcl.PUBLIC_READ,
        storage_class=StorageClass.COLD_ARCHIVE,
    )

    stored = await metadata.put_object(Commit(version=written, new_blobs=(first, second)))

    assert stored.version == written
    assert stored.version_id is None
    assert await metadata.head(BUCKET, written.key) == written
    assert await metadata.head(BUCKET, written.key, NULL_VERSION) == written
    assert await metadata.head(BUCKET, written.key, VersionId("other")) is None
    assert await metadata.head(BUCKET, key("other")) is None
    assert await metadata.head(BucketName("nobody"), written.key) is None


async def test_small_content_lies_inline(metadata: MetadataStore) -> None:
    await given_bucket(metadata)

    await put_inline(metadata, "small", b"\x00bytes\xff")

    found = await metadata.head(BUCKET, key("small"))
    assert found is not None
    assert (found.inline, found.manifest) == (b"\x00bytes\xff", Manifest())


async def test_a_symlink_keeps_its_target(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    link = a_version("link", type=ObjectType.SYMLINK, target="dir/file ä")

    await metadata.put_object(Commit(version=link))

    assert await metadata.head(BUCKET, link.key) == link


async def test_writing_needs_the_bucket(metadata: MetadataStore) -> None:
    with pytest.raises(Absent):
        await put(metadata, "k")
    with pytest.raises(Absent):
        await metadata.delete_object(BUCKET, key("k"), None, NOW)


async def test_an_overwritten_object_is_read_for_the_grace_and_then_freed(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    first, second = await put(metadata, "k"), await put(metadata, "k")
    old = [extent.blob_id for extent in first.version.manifest.extents]

    assert await metadata.head(BUCKET, key("k")) == second.version
    assert await metadata.garbage(now=NOW, limit=10) == []
    assert await metadata.garbage(now=LATER, limit=10) == old


async def test_inline_content_that_is_overwritten_leaves_nothing(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    await put_inline(metadata, "k", b"one")
    await put_inline(metadata, "k", b"two")

    found = await metadata.head(BUCKET, key("k"))
    assert found is not None
    assert found.inline == b"two"
    assert await metadata.garbage(now=LATER, limit=10) == []


async def test_forbid_overwrite_protects_a_live_object(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    blob = a_blob()
    commit = Commit(version=a_version("k", whole(blob)), new_blobs=(blob,), forbid_overwrite=True)
    first = await put(metadata, "k")

    with pytest.raises(Conflict):
        await metadata.put_object(commit)
    assert await metadata.head(BUCKET, key("k")) == first.version
    assert await metadata.unknown([blob.blob_id]) == [blob.blob_id]

    await metadata.delete_object(BUCKET, key("k"), None, NOW)
    assert (await metadata.put_object(commit)).version == commit.version


@pytest.mark.parametrize("versioning", [Versioning.ENABLED, Versioning.SUSPENDED])
async def test_forbid_overwrite_is_ignored_once_versioning_was_set(
    metadata: MetadataStore, versioning: Versioning
) -> None:
    await given_bucket(metadata)
    await put(metadata, "k")
    await set_versioning(metadata, versioning)

    await metadata.put_object(Commit(version=a_version("k", inline=b"y", size=1), forbid_overwrite=True))

    found = await metadata.head(BUCKET, key("k"))
    assert found is not None
    assert found.inline == b"y"


async def test_forbid_overwrite_loses_no_race(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    commits = [
        Commit(version=a_version("k", inline=bytes([n]), size=1), forbid_overwrite=True) for n in range(50)
    ]

    results = await asyncio.gather(*map(metadata.put_object, commits), return_exceptions=True)

    winners = [n for n, result in enumerate(results) if not isinstance(result, BaseException)]
    assert len(winners) == 1
    assert all(isinstance(result, Conflict) for n, result in enumerate(results) if n not in winners)
    found = await metadata.head(BUCKET, key("k"))
    assert found is not None
    assert found.inline == bytes(winners)


async def test_a_copy_shares_the_blobs_until_the_last_goes(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    source = (await put(metadata, "source")).version
    read = await metadata.head(BUCKET, source.key)
    assert read is not None

    await metadata.put_object(Commit(version=replace(read, key=key("copy"))))
    await metadata.delete_object(BUCKET, source.key, None, NOW)

    copy = await metadata.head(BUCKET, key("copy"))
    assert copy == replace(source, key=key("copy"))
    assert await metadata.garbage(now=LATER, limit=10) == []
    await metadata.delete_object(BUCKET, key("copy"), None, NOW)
    assert await metadata.garbage(now=LATER, limit=10) == [source.manifest.extents[0].blob_id]


async def test_a_piece_of_a_blob_may_be_shared(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    source = (await put(metadata, "source")).version
    piece = Manifest(source.manifest.cut(3, 6))

    await metadata.put_object(Commit(version=a_version("piece", piece)))
    await metadata.delete_object(BUCKET, source.key, None, NOW)

    assert await metadata.garbage(now=LATER, limit=10) == []
    await metadata.delete_object(BUCKET, key("piece"), None, NOW)
    assert len(await metadata.garbage(now=LATER, limit=10)) == 1


async def test_what_is_garbage_is_never_taken_up_again(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    source = (await put(metadata, "source")).version
    read = await metadata.head(BUCKET, source.key)
    assert read is not None
    await metadata.delete_object(BUCKET, source.key, None, NOW)
    garbage = await metadata.garbage(now=LATER, limit=10)
    assert len(garbage) == 1

    for manifest in (read.manifest, source.manifest):  # as it was read, and made by hand
        with pytest.raises(Damaged):
            await metadata.put_object(Commit(version=a_version("copy", manifest)))
    await metadata.forget(garbage)
    with pytest.raises(Damaged):
        await metadata.put_object(Commit(version=a_version("copy", read.manifest)))
    assert await metadata.head(BUCKET, key("copy")) is None


async def test_a_deleted_object_can_be_shared_while_readers_have_it(metadata: MetadataStore) -> None:
    """A copy that read its source just before the source was deleted succeeds, and keeps the bytes."""
    await given_bucket(metadata)
    await put(metadata, "source")
    read = await metadata.head(BUCKET, key("source"))
    assert read is not None
    await metadata.delete_object(BUCKET, key("source"), None, NOW)

    await metadata.put_object(Commit(version=replace(read, key=key("copy"))))

    assert await metadata.garbage(now=LATER, limit=10) == []


async def test_forget_refuses_what_is_referenced(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    live = (await put(metadata, "live")).version.manifest.extents[0].blob_id
    await put(metadata, "dead")
    await metadata.delete_object(BUCKET, key("dead"), None, NOW)
    dead = list(await metadata.garbage(now=LATER, limit=10))

    with pytest.raises(Conflict):
        await metadata.forget([*dead, live])
    assert await metadata.unknown([*dead, live]) == []  # all or nothing
    await metadata.forget(dead)
    assert await metadata.unknown([*dead, live]) == dead
    assert [(blob.blob_id, refs) for blob, refs in await metadata.blobs(after="", limit=10)] == [(live, 1)]


async def test_deleting_what_is_not_there_is_no_error(metadata: MetadataStore) -> None:
    await given_bucket(metadata)

    assert await metadata.delete_object(BUCKET, key("k"), None, NOW) == Deleted()
    assert await metadata.delete_object(BUCKET, key("k"), VersionId("x"), NOW) == Deleted()


async def test_acl_and_tags_change_in_place(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    before = (await put(metadata, "k")).version

    changed = await metadata.change_object(BUCKET, before.key, None, acl=ObjectAcl.PRIVATE)
    changed = await metadata.change_object(BUCKET, before.key, NULL_VERSION, tags={"a": "b"})

    assert changed == replace(before, acl=ObjectAcl.PRIVATE, tags={"a": "b"})
    assert await metadata.head(BUCKET, before.key) == changed
    with pytest.raises(Absent):
        await metadata.change_object(BUCKET, key("other"), None, tags={})


# --- versions ---------------------------------------------------------------------------------------------------------


async def test_every_write_of_a_versioned_bucket_stays(metadata: MetadataStore) -> None:
    await given_bucket(metadata, Versioning.ENABLED)
    stored = [await put(metadata, "k") for _ in range(3)]
    version_ids = [version_id_of(one) for one in stored]

    assert len(set(version_ids)) == 3
    assert all(len(v) == 64 and v.startswith("CAEQ") and v.isalnum() for v in version_ids)
    current = await metadata.head(BUCKET, key("k"))
    assert current == stored[2].version
    old = await metadata.head(BUCKET, key("k"), version_ids[0])
    assert old == replace(stored[0].version, is_latest=False)
    assert await metadata.garbage(now=LATER, limit=10) == []


async def test_a_delete_marker_hides_and_its_removal_brings_back(metadata: MetadataStore) -> None:
    await given_bucket(metadata, Versioning.ENABLED)
    stored = await put(metadata, "k")

    deleted = await metadata.delete_object(BUCKET, key("k"), None, NOW)

    assert deleted.delete_marker
    marker = await metadata.head(BUCKET, key("k"))
    assert marker is not None
    assert marker.is_delete_marker
    assert (marker.version_id, marker.is_latest) == (deleted.version_id, True)
    with pytest.raises(Conflict):
        await metadata.change_object(BUCKET, key("k"), None, tags={})
    with pytest.raises(Conflict):
        await metadata.change_object(BUCKET, key("k"), deleted.version_id, tags={})

    removed = await metadata.delete_object(BUCKET, key("k"), deleted.version_id, NOW)
    assert removed == Deleted(version_id=deleted.version_id, delete_marker=True)
    assert await metadata.head(BUCKET, key("k")) == stored.version


async def test_a_marker_below_the_current_version_does_not_hide_it(metadata: MetadataStore) -> None:
    await given_bucket(metadata, Versioning.ENABLED)
    await put(metadata, "k")
    marker = await metadata.delete_object(BUCKET, key("k"), None, NOW)
    top = await put(metadata, "k")

    await metadata.delete_object(BUCKET, key("k"), marker.version_id, NOW)

    assert await metadata.head(BUCKET, key("k")) == top.version


async def test_removing_the_current_version_uncovers_the_one_below(metadata: MetadataStore) -> None:
    await given_bucket(metadata, Versioning.ENABLED)
    below, top = await put(metadata, "k"), await put(metadata, "k")

    removed = await metadata.delete_object(BUCKET, key("k"), top.version_id, NOW)

    assert removed == Deleted(version_id=top.version_id)
    assert await metadata.head(BUCKET, key("k")) == below.version
    assert await metadata.garbage(now=LATER, limit=9) == [top.version.manifest.extents[0].blob_id]


async def test_a_suspended_bucket_replaces_the_null_version_wherever_it_is(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    null = await put(metadata, "k")
    await set_versioning(metadata, Versioning.ENABLED)
    named = await put(metadata, "k")
    await set_versioning(metadata, Versioning.SUSPENDED)

    again = await put(metadata, "k")

    assert again.version_id == NULL_VERSION
    assert await metadata.head(BUCKET, key("k")) == again.version
    assert await metadata.head(BUCKET, key("k"), NULL_VERSION) == again.version
    shelved = await metadata.head(BUCKET, key("k"), named.version_id)
    assert shelved == replace(named.version, is_latest=False)
    assert await metadata.garbage(now=LATER, limit=9) == [null.version.manifest.extents[0].blob_id]


async def test_deleting_in_a_suspended_bucket_leaves_one_null_marker(metadata: MetadataStore) -> None:
    await given_bucket(metadata, Versioning.SUSPENDED)
    stored = await put(metadata, "k")

    for _ in range(2):
        deleted = await metadata.delete_object(BUCKET, key("k"), None, NOW)
        assert deleted == Deleted(version_id=NULL_VERSION, delete_marker=True)

    assert (await metadata.bucket_totals(BUCKET)).delete_marker_count == 1
    assert await metadata.garbage(now=LATER, limit=9) == [stored.version.manifest.extents[0].blob_id]


async def test_a_batch_of_deletes_is_one_step(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    for name in ("a", "b", "c"):
        await put(metadata, name)

    done = await metadata.delete_objects(BUCKET, [(key("a"), None), (key("x"), None), (key("c"), None)], NOW)

    assert done == [Deleted()] * 3
    assert await metadata.head(BUCKET, key("a")) is None
    assert await metadata.head(BUCKET, key("b")) is not None
    with pytest.raises(Absent):
        await metadata.delete_objects(BucketName("nobody"), [(key("b"), None)], NOW)


# --- appending --------------------------------------------------------------------------------------------------------


def appended(before: Manifest, blob: Blob) -> Commit:
    manifest = Manifest.join([before, whole(blob)])
    return Commit(version=a_version("log", manifest, type=ObjectType.APPENDABLE), new_blobs=(blob,))


async def append_three(metadata: MetadataStore) -> Stored:
    manifest = Manifest()
    for n in range(3):
        stored = await metadata.append_object(appended(manifest, a_blob()), position=10 * n)
        manifest = stored.version.manifest
    return stored


async def test_an_object_grows_by_appending(metadata: MetadataStore) -> None:
    await given_bucket(metadata)

    stored = await append_three(metadata)

    assert await metadata.head(BUCKET, key("log")) == stored.version
    assert stored.version.size == 30
    assert {refs for _, refs in await metadata.blobs(after="", limit=10)} == {1}
    assert await metadata.garbage(now=LATER, limit=10) == []
    await metadata.delete_object(BUCKET, key("log"), None, NOW)
    assert len(await metadata.garbage(now=LATER, limit=10)) == 3


async def test_an_append_to_another_object_of_the_same_size_is_refused(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    first = await metadata.append_object(appended(Manifest(), a_blob()), position=0)
    await metadata.delete_object(BUCKET, key("log"), None, NOW)
    again = appended(Manifest(), a_blob())
    await metadata.append_object(replace(again, version=replace(again.version, etag="B" * 32)), position=0)

    with pytest.raises(Conflict):
        await metadata.append_object(
            appended(first.version.manifest, a_blob()), position=10, etag=first.version.etag
        )

    current = await metadata.head(BUCKET, key("log"))
    assert current is not None
    assert (current.etag, current.size) == ("B" * 32, 10)


async def test_a_copy_does_not_grow_with_its_source(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    first = await metadata.append_object(appended(Manifest(), a_blob()), position=0)
    read = await metadata.head(BUCKET, key("log"))
    assert read is not None
    await metadata.put_object(Commit(version=replace(read, key=key("copy"))))

    await metadata.append_object(appended(first.version.manifest, a_blob()), position=10)

    copy = await metadata.head(BUCKET, key("copy"))
    assert copy is not None
    assert copy.manifest == first.version.manifest


async def test_blobs_that_an_append_leaves_out_stay_for_their_readers(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    first, both = a_blob(), a_blob(20)
    await metadata.append_object(appended(Manifest(), first), position=0)

    await metadata.append_object(appended(Manifest(), both), position=10)  # written anew as one blob

    assert await metadata.garbage(now=NOW, limit=10) == []
    assert await metadata.garbage(now=LATER, limit=10) == [first.blob_id]


async def test_appending_at_the_wrong_place_changes_nothing(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    stored = await append_three(metadata)
    await put(metadata, "normal")

    for position in (0, 10, 31):
        with pytest.raises(Conflict):
            await metadata.append_object(appended(stored.version.manifest, a_blob()), position=position)
    late = replace(appended(Manifest(), a_blob()).version, key=key("normal"))
    with pytest.raises(Conflict):
        await metadata.append_object(Commit(version=late), position=10)
    with pytest.raises(Conflict):
        await metadata.append_object(Commit(version=replace(late, key=key("new"))), position=1)
    assert await metadata.head(BUCKET, key("log")) == stored.version


async def test_appended_objects_have_the_null_version(metadata: MetadataStore) -> None:
    await given_bucket(metadata, Versioning.ENABLED)

    stored = await append_three(metadata)

    assert stored.version_id == NULL_VERSION
    assert (await metadata.bucket_totals(BUCKET)).classes[StorageClass.STANDARD].count == 1


async def test_one_of_two_appends_at_the_same_place_wins(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    commits = [appended(Manifest(), a_blob()) for _ in range(2)]

    results = await asyncio.gather(
        *(metadata.append_object(commit, position=0) for commit in commits), return_exceptions=True
    )

    assert sorted(type(result).__name__ for result in results) == ["Conflict", "Stored"]


async def test_the_sweeper_acts_only_on_what_it_saw(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    seen = (await put(metadata, "k")).version
    await put(metadata, "k", modified_at=NOW + timedelta(seconds=1))

    assert not await metadata.delete_unchanged(seen, remove=False, now=NOW)
    assert not await metadata.relabel_unchanged(seen, StorageClass.IA)
    current = await metadata.head(BUCKET, key("k"))
    assert current is not None
    assert await metadata.relabel_unchanged(current, StorageClass.IA)
    current = await metadata.head(BUCKET, key("k"))
    assert current is not None
    assert current.storage_class is StorageClass.IA
    assert await metadata.delete_unchanged(current, remove=False, now=NOW)
    assert await metadata.head(BUCKET, key("k")) is None
