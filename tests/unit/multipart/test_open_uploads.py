"""Uploads that parts were sent to of late are not read anew, and what that hides is found by the step that stores the part."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mossaic.protocol.limits import MIN_PART_SIZE
from mossaic.service.open_uploads import OpenUploads
from tests.unit.multipart.conftest import KEY, UNKNOWN, Body, World, noise, refusal

if TYPE_CHECKING:
    from mossaic.model.names import BucketName, ObjectKey, UploadId
    from mossaic.model.upload import Part, Upload


class Counting:
    """The metadata, and how often it was asked."""

    def __init__(self, world: World) -> None:
        self._metadata = world.metadata
        self.asked = 0

    async def upload(self, bucket: BucketName, key: ObjectKey, upload_id: UploadId) -> Upload | None:
        self.asked += 1
        return await self._metadata.upload(bucket, key, upload_id)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


async def close(world: World, upload_id: str) -> None:
    """As another process does."""
    upload = await OpenUploads(world.metadata).find(world.bucket, KEY, upload_id)
    assert upload is not None
    await world.metadata.abort(upload.bucket, upload.key, upload.upload_id)


async def test_it_is_read_once_a_second(world: World) -> None:
    metadata, clock = Counting(world), Clock()
    uploads = OpenUploads(metadata, clock)  # type: ignore[arg-type]  # it asks for nothing else
    upload_id = await world.begin()
    first = await uploads.find_of_late(world.bucket, KEY, upload_id)
    clock.now += 0.999
    assert await uploads.find_of_late(world.bucket, KEY, upload_id) is first is not None
    assert metadata.asked == 1

    await close(world, upload_id)
    assert await uploads.find_of_late(world.bucket, KEY, upload_id) is first
    assert await uploads.find(world.bucket, KEY, upload_id) is None
    clock.now += 0.001
    assert await uploads.find_of_late(world.bucket, KEY, upload_id) is None


async def test_only_the_one_that_was_asked_for_is_found(world: World) -> None:
    uploads = OpenUploads(world.metadata, Clock())
    upload_id = await world.begin()
    assert await uploads.find_of_late(world.bucket, KEY, upload_id) is not None

    assert await uploads.find_of_late(world.bucket, "other", upload_id) is None
    assert await uploads.find_of_late(world.bucket, KEY, UNKNOWN) is None
    assert await uploads.find_of_late(world.bucket, KEY, "no id at all") is None


async def test_so_many_are_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mossaic.service.open_uploads._MOST", 2)
    metadata = Counting(world)
    uploads = OpenUploads(metadata, Clock())  # type: ignore[arg-type]  # as above
    ids = [await world.begin() for _ in range(3)]

    for upload_id in (*ids, ids[2], ids[0]):
        assert await uploads.find_of_late(world.bucket, KEY, upload_id) is not None

    assert metadata.asked == 4, "the third made the others be forgotten"


async def test_a_part_for_an_upload_that_another_process_has_closed_is_refused_and_leaves_nothing(
    world: World,
) -> None:
    upload_id = await world.begin()
    await world.put(upload_id, 1, noise(MIN_PART_SIZE))
    await close(world, upload_id)

    error = await refusal(world.put(upload_id, 2, noise(MIN_PART_SIZE, 2)))

    assert error.row.code == "NoSuchUpload"
    await world.free_garbage()
    assert world.blob_count() == 0


@pytest.mark.parametrize("closing", ["abort", "complete"])
async def test_who_closes_an_upload_refuses_its_parts_unread(world: World, closing: str) -> None:
    upload_id = await world.begin()
    part = await world.put(upload_id, 1, noise(MIN_PART_SIZE))
    if closing == "abort":
        await world.abort(upload_id)
    else:
        await world.complete(upload_id, [part])

    body = Body(noise(MIN_PART_SIZE, 2))
    error = await refusal(world.service.put_part(world.bucket, world.asked(upload_id, "2"), body))

    assert error.row.code == "NoSuchUpload"
    assert not body.touched


async def with_a_part(world: World, *, sequential: bool) -> tuple[UploadId, Part]:
    upload_id = await world.begin(**({"sequential": ""} if sequential else {}))
    return upload_id, await world.put(upload_id, 1, noise(MIN_PART_SIZE))


@pytest.mark.parametrize("sequential", [False, True])
async def test_a_complete_of_an_upload_that_another_process_has_completed_gets_the_first_answer(
    world: World, *, sequential: bool
) -> None:
    upload_id, part = await with_a_part(world, sequential=sequential)
    first = await world.another().complete(upload_id, [part])

    again = await world.complete(upload_id, [part])

    assert (again.version.etag, again.version.crc64) == (first.version.etag, first.version.crc64)
    other = replace(part, number=2)
    assert (await refusal(world.complete(upload_id, [other]))).row.code == "NoSuchUpload"


@pytest.mark.parametrize("sequential", [False, True])
async def test_a_complete_of_an_upload_that_another_process_has_aborted_is_refused(
    world: World, *, sequential: bool
) -> None:
    upload_id, part = await with_a_part(world, sequential=sequential)
    await close(world, upload_id)

    assert (await refusal(world.complete(upload_id, [part]))).row.code == "NoSuchUpload"
    assert await world.head() is None
    body = Body(noise(MIN_PART_SIZE, 2))
    await refusal(world.service.put_part(world.bucket, world.asked(upload_id, "2"), body))
    assert not body.touched, "now it is known here, too"


async def test_a_complete_reads_no_upload_that_parts_were_sent_to_of_late(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_id = await world.begin()
    part = await world.put(upload_id, 1, noise(MIN_PART_SIZE))

    async def nothing(*_: object) -> None:
        raise AssertionError("it was read")

    monkeypatch.setattr(type(world.metadata), "upload", nothing)
    assert (await world.complete(upload_id, [part])).version.size == MIN_PART_SIZE
