"""From Initiate to Complete, and what UploadPart refuses."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from mossaic.model.bucket import Versioning
from mossaic.model.object import ObjectType, StorageClass
from mossaic.protocol.checksum import crc64, md5_hex, multipart_etag
from mossaic.protocol.errors import OssError
from mossaic.protocol.limits import MAX_PART_SIZE, MIN_PART_SIZE
from tests.unit.multipart.conftest import UNKNOWN, Body, World, noise, refusal

# --- from beginning to end -------------------------------------------------------------------------------------------


async def test_parts_put_in_any_order_become_the_object(world: World) -> None:
    contents = {7: noise(3, 7), 1: noise(MIN_PART_SIZE, 1), 3: noise(MIN_PART_SIZE + 1, 3)}
    upload_id = await world.begin(
        content_type="video/mp4", expires="1000", meta={"a": "b"}, tagging="k=v", storage_class="IA"
    )
    parts = [await world.put(upload_id, number, content) for number, content in contents.items()]
    listed = sorted(parts, key=lambda part: part.number)

    stored = await world.complete(upload_id, listed)

    whole = contents[1] + contents[3] + contents[7]
    version = await world.head()
    assert version == stored.version
    assert world.content(version) == whole
    assert (version.type, version.size, version.crc64) == (ObjectType.MULTIPART, len(whole), crc64(whole))
    assert version.etag == multipart_etag(md5_hex(contents[number]) for number in (1, 3, 7))
    assert version.md5 is None
    assert version.headers.stored == {"Content-Type": "video/mp4", "Expires": "1000"}
    assert (version.headers.meta, version.tags, version.storage_class) == (
        {"a": "b"},
        {"k": "v"},
        StorageClass.IA,
    )


async def test_completing_moves_no_bytes_and_frees_unlisted_parts(world: World) -> None:
    upload_id = await world.begin()
    first = await world.put(upload_id, 1, noise(MIN_PART_SIZE))
    await world.put(upload_id, 2, noise(10))

    stored = await world.complete(upload_id, [first])

    assert stored.version.manifest == first.manifest
    assert await world.free_garbage() == 1
    assert world.content(stored.version) == noise(MIN_PART_SIZE)


async def test_a_part_put_twice_keeps_the_last_and_frees_the_first(world: World) -> None:
    upload_id = await world.begin()
    await world.put(upload_id, 1, b"first")
    last = await world.put(upload_id, 1, b"last")

    stored = await world.complete(upload_id, [last])

    assert world.content(stored.version) == b"last"
    assert await world.free_garbage() == 1


async def test_no_parts_make_an_empty_object(world: World) -> None:
    stored = await world.complete(await world.begin(), [])

    assert (stored.version.size, world.content(stored.version)) == (0, b"")
    assert stored.version.etag == "D41D8CD98F00B204E9800998ECF8427E-0"


async def test_an_empty_last_part_is_allowed(world: World) -> None:
    upload_id = await world.begin()
    parts = [await world.put(upload_id, 1, noise(MIN_PART_SIZE)), await world.put(upload_id, 2, b"")]

    stored = await world.complete(upload_id, parts)

    assert world.content(stored.version) == noise(MIN_PART_SIZE)
    assert stored.version.etag.endswith("-2")


async def test_uploads_of_one_key_live_side_by_side(world: World) -> None:
    one, other = await world.begin(), await world.begin()
    part = await world.put(one, 1, b"one")
    kept = await world.put(other, 1, b"other")

    await world.complete(one, [part])
    stored = await world.complete(other, [kept])

    assert world.content(stored.version) == b"other"


async def test_complete_in_a_versioned_bucket_names_the_version(world: World) -> None:
    await world.metadata.change_bucket(replace(world.bucket, versioning=Versioning.ENABLED))
    upload_id = await world.begin()
    part = await world.put(upload_id, 1, b"x")

    stored = await world.complete(upload_id, [part])
    again = await world.complete(upload_id, [part])

    assert stored.version_id is not None
    assert again.version_id == stored.version_id


# --- initiate --------------------------------------------------------------------------------------------------------


async def test_forbid_overwrite_is_checked_at_initiate(world: World) -> None:
    await world.plain_object()

    error = await refusal(world.begin(forbid_overwrite="true"))

    assert (error.code, error.status, error.ec) == ("FileAlreadyExists", 409, "0026-00000002")


async def test_initiating_in_a_bucket_that_just_went_away(world: World) -> None:
    await world.metadata.delete_bucket(world.bucket.name)

    assert (await refusal(world.begin())).code == "NoSuchBucket"


async def test_a_bad_storage_class_is_refused_at_initiate(world: World) -> None:
    assert (await refusal(world.begin(storage_class="Cheap"))).code == "InvalidArgument"


# --- parts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("upload_id", [UNKNOWN, "", "x", "\udcff", "a" * 5000])
async def test_a_part_of_an_unknown_upload_is_refused_unread(world: World, upload_id: str) -> None:
    body = Body(b"content")

    error = await refusal(world.service.put_part(world.bucket, world.asked(upload_id, "1"), body))

    assert (error.code, error.status, error.ec) == ("NoSuchUpload", 404, "0017-00000244")
    assert "UploadId" in error.extras
    assert not body.touched


async def test_a_part_for_another_key_is_refused(world: World) -> None:
    upload_id = await world.begin("one")

    assert (await refusal(world.put(upload_id, 1, b"x", key="other"))).code == "NoSuchUpload"


@pytest.mark.parametrize(("number", "ec"), [(None, "0017-00000219"), ("10001", "0017-00000220")])
async def test_a_bad_part_number_is_refused_unread(world: World, number: str | None, ec: str) -> None:
    upload_id, body = await world.begin(), Body(b"content")

    error = await refusal(world.service.put_part(world.bucket, world.asked(upload_id, number), body))

    assert (error.code, error.ec) == ("InvalidArgument", ec)
    assert not body.touched


async def test_a_part_of_more_than_5_gib_is_refused_unread(world: World) -> None:
    upload_id, body = await world.begin(), Body(b"", said=MAX_PART_SIZE + 1)

    error = await refusal(world.service.put_part(world.bucket, world.asked(upload_id, "1"), body))

    assert (error.code, error.status) == ("EntityTooLarge", 400)
    assert not body.touched


async def test_a_part_whose_end_is_not_said_is_refused(world: World) -> None:
    upload_id = await world.begin()
    asked = replace(world.asked(upload_id, "1"), content_length=None)

    assert (await refusal(world.service.put_part(world.bucket, asked, Body(b"x")))).code == (
        "MissingContentLength"
    )


async def test_a_broken_part_leaves_the_one_before_it(world: World) -> None:
    upload_id = await world.begin()
    before = await world.put(upload_id, 1, b"good")
    asked = replace(world.asked(upload_id, "1"), crc64="1")

    error = await refusal(world.service.put_part(world.bucket, asked, Body(b"broken")))

    assert error.code == "InvalidCRC64"
    assert await world.metadata.part(upload_id, 1) == before
    assert world.blob_count() == 1


async def test_a_part_that_arrives_after_the_abort_is_discarded(world: World) -> None:
    upload_id = await world.begin()
    loop = asyncio.get_running_loop()

    def abort_meanwhile() -> None:
        asyncio.run_coroutine_threadsafe(world.abort(upload_id), loop).result()

    body = Body(noise(MIN_PART_SIZE), before_end=abort_meanwhile)
    error = await refusal(world.service.put_part(world.bucket, world.asked(upload_id, "1"), body))

    assert error.code == "NoSuchUpload"
    assert world.blob_count() == 0


# --- sequential ------------------------------------------------------------------------------------------------------


async def test_a_sequential_upload_gives_the_object_its_md5(world: World) -> None:
    upload_id = await world.begin(sequential="")
    contents = [noise(MIN_PART_SIZE, 1), noise(2_000_000, 2), noise(5, 3)]
    parts = [await world.put(upload_id, number, content) for number, content in enumerate(contents, 1)]

    stored = await world.complete(upload_id, parts)

    assert stored.version.md5 == md5_hex(b"".join(contents))


async def test_parts_of_a_sequential_upload_come_in_order_and_once(world: World) -> None:
    upload_id = await world.begin(sequential="")

    too_early = await refusal(world.put(upload_id, 2, b"two"))
    first = await world.put(upload_id, 1, b"one")
    again = await refusal(world.put(upload_id, 1, b"other"))

    assert (too_early.code, too_early.status) == ("PartNotSequential", 400)
    assert (again.code, again.status, again.ec) == ("PartAlreadyExist", 409, "0042-00000108")
    assert again.extras == {"PartEtag": first.etag, "PartNumber": "1"}
    assert world.blob_count() == 1


async def test_two_at_once_for_one_sequential_part_leave_one(world: World) -> None:
    upload_id = await world.begin(sequential="")

    results = await asyncio.gather(
        *(world.put(upload_id, 1, noise(1000, seed)) for seed in range(5)), return_exceptions=True
    )

    errors = [result for result in results if isinstance(result, OssError)]
    assert len(errors) == 4
    assert {error.code for error in errors} == {"PartAlreadyExist"}
    assert world.blob_count() == 1
