"""Complete and Abort: what they refuse, what a repetition is answered, and who wins a race."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from mossaic.model.bucket import Versioning
from mossaic.model.names import object_key
from mossaic.model.object import ObjectAcl
from mossaic.ports import Stored
from mossaic.protocol.errors import OssError
from mossaic.protocol.limits import MIN_PART_SIZE
from mossaic.protocol.operations.multipart import CompleteMultipartUpload
from tests.unit.multipart.conftest import KEY, REPLAY_S, UNKNOWN, World, document_of, noise, refusal

if TYPE_CHECKING:
    from pathlib import Path


def asked(upload_id: str, document: bytes | None, **headers: str) -> CompleteMultipartUpload:
    return CompleteMultipartUpload(bucket="bkt", key=KEY, upload_id=upload_id, document=document, **headers)


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["storage_class", "server_side_encryption"])
async def test_what_belongs_to_initiate_is_refused_at_complete(world: World, header: str) -> None:
    upload_id = await world.begin()
    part = await world.put(upload_id, 1, b"x")

    error = await refusal(world.complete(upload_id, [part], **{header: "IA"}))

    assert (error.code, error.status, error.ec) == ("OperationNotSupported", 400, "0042-00000202")
    assert error.message == "The operation is not supported for this resource."
    assert await world.head() is None


@pytest.mark.parametrize("upload_id", [UNKNOWN, "", "\udcff"])
async def test_an_unknown_upload_is_reported_before_the_body_is_looked_at(
    world: World, upload_id: str
) -> None:
    error = await refusal(world.service.complete(world.bucket, asked(upload_id, b"<not xml")))

    assert (error.code, error.status, error.ec) == ("NoSuchUpload", 404, "0017-00000244")


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"no xml",
        b"<Other/>",
        b"<CompleteMultipartUpload><Part/></CompleteMultipartUpload>",
        b"<CompleteMultipartUpload><Part><PartNumber>one</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>",
        b"<!DOCTYPE x><CompleteMultipartUpload/>",
    ],
)
async def test_a_body_that_is_no_list_is_malformed(world: World, document: bytes) -> None:
    upload_id = await world.begin()

    error = await refusal(world.service.complete(world.bucket, asked(upload_id, document)))

    assert (error.code, error.status, error.ec) == ("MalformedXML", 400, "0042-00000205")


async def test_a_refused_list_leaves_the_upload_open(world: World) -> None:
    upload_id = await world.begin()
    small, last = await world.put(upload_id, 1, b"x"), await world.put(upload_id, 2, b"y")

    error = await refusal(world.complete(upload_id, [small, last]))
    stored = await world.complete(upload_id, [last])

    assert error.code == "EntityTooSmall"
    assert world.content(stored.version) == b"y"


async def test_complete_all_takes_what_is_there(world: World) -> None:
    upload_id = await world.begin()
    await world.put(upload_id, 9, b"last")
    await world.put(upload_id, 2, noise(MIN_PART_SIZE))

    stored = await world.complete(upload_id, None, complete_all="yes")

    assert world.content(stored.version) == noise(MIN_PART_SIZE) + b"last"


@pytest.mark.parametrize(
    ("value", "document", "ec"), [("yes", document_of([]), "0042-00000216"), ("no", None, None)]
)
async def test_complete_all_with_a_body_or_another_word_is_refused(
    world: World, value: str, document: bytes | None, ec: str | None
) -> None:
    upload_id = await world.begin()

    error = await refusal(
        world.service.complete(world.bucket, asked(upload_id, document, complete_all=value))
    )

    assert (error.code, error.ec) == ("InvalidArgument", ec)
    assert error.extras["ArgumentName"] == "x-oss-complete-all"


@pytest.mark.parametrize("where", ["initiate", "complete"])
async def test_forbid_overwrite_is_checked_again_when_the_object_is_made(world: World, where: str) -> None:
    at_initiate = {"forbid_overwrite": "true"} if where == "initiate" else {}
    at_complete = {"forbid_overwrite": "true"} if where == "complete" else {}
    upload_id = await world.begin(**at_initiate)
    part = await world.put(upload_id, 1, b"x")
    await world.plain_object()

    error = await refusal(world.complete(upload_id, [part], **at_complete))

    assert (error.code, error.status, error.ec) == ("FileAlreadyExists", 409, "0042-00000214")
    assert world.blob_count() == 1  # the upload is still there, with its part


async def test_forbid_overwrite_means_nothing_where_there_are_versions(world: World) -> None:
    await world.metadata.change_bucket(replace(world.bucket, versioning=Versioning.ENABLED))
    await world.plain_object()
    upload_id = await world.begin(forbid_overwrite="true")
    part = await world.put(upload_id, 1, b"x")

    stored = await world.complete(upload_id, [part], forbid_overwrite="true")

    assert world.content(stored.version) == b"x"


async def test_acl_tags_and_persistent_headers_may_come_with_complete(world: World) -> None:
    upload_id = await world.begin(tagging="a=1", object_acl="private", cache_control="no-cache")
    part = await world.put(upload_id, 1, b"x")

    stored = await world.complete(
        upload_id, [part], tagging="b=2", object_acl="public-read", persistent_headers="x-trace:YWJj"
    )

    assert (stored.version.tags, stored.version.acl) == ({"b": "2"}, ObjectAcl.PUBLIC_READ)
    assert stored.version.headers.stored["Cache-Control"] == "no-cache"
    assert stored.version.headers.stored["x-trace"] == "abc"


# --- repetition ------------------------------------------------------------------------------------------------------


async def test_a_repeated_complete_is_answered_as_the_first(world: World) -> None:
    upload_id = await world.begin(content_type="text/css", server_side_encryption="AES256")
    part = await world.put(upload_id, 1, b"x")
    first = await world.complete(upload_id, [part])
    world.clock.time += timedelta(seconds=REPLAY_S - 1)

    again = await world.complete(upload_id, [part])

    def facts(stored: Stored) -> tuple[object, ...]:
        version = stored.version
        return version.etag, version.crc64, version.size, version.headers, stored.version_id

    assert facts(again) == facts(first)


async def test_a_repeated_complete_with_forbid_overwrite_does_not_trip_over_its_own_object(
    world: World,
) -> None:
    upload_id = await world.begin(forbid_overwrite="true")
    part = await world.put(upload_id, 1, b"x")
    first = await world.complete(upload_id, [part], forbid_overwrite="true")

    again = await world.complete(upload_id, [part], forbid_overwrite="true")

    assert again.version.etag == first.version.etag


async def test_a_repeated_complete_does_not_bring_back_an_object_deleted_since(world: World) -> None:
    upload_id = await world.begin()
    part = await world.put(upload_id, 1, b"x")
    await world.complete(upload_id, [part])
    await world.metadata.delete_object(world.bucket.name, object_key(KEY), None, world.clock.now())

    again = await world.complete(upload_id, [part])

    assert again.version.size == 1
    assert await world.head() is None


async def test_another_list_is_no_repetition(world: World) -> None:
    upload_id = await world.begin()
    parts = [await world.put(upload_id, 1, noise(MIN_PART_SIZE)), await world.put(upload_id, 2, b"x")]
    await world.complete(upload_id, parts)

    assert (await refusal(world.complete(upload_id, parts[:1]))).code == "NoSuchUpload"
    assert (await refusal(world.complete(upload_id, None, complete_all="yes"))).code == "NoSuchUpload"


async def test_complete_all_may_be_repeated_too(world: World) -> None:
    upload_id = await world.begin()
    await world.put(upload_id, 1, b"x")
    first = await world.complete(upload_id, None, complete_all="yes")

    again = await world.complete(upload_id, None, complete_all="yes")

    assert again.version.etag == first.version.etag


async def test_the_time_for_repetitions_ends(world: World) -> None:
    upload_id = await world.begin()
    part = await world.put(upload_id, 1, b"x")
    await world.complete(upload_id, [part])
    world.clock.time += timedelta(seconds=REPLAY_S)

    assert (await refusal(world.complete(upload_id, [part]))).code == "NoSuchUpload"


async def test_without_replay_a_repeated_complete_is_no_such_upload(world: World) -> None:
    strict = world.another(replay_s=0)
    upload_id = await world.begin()
    part = await world.put(upload_id, 1, b"x")
    await strict.complete(upload_id, [part])

    assert (await refusal(strict.complete(upload_id, [part]))).code == "NoSuchUpload"


# --- abort and races -------------------------------------------------------------------------------------------------


async def test_abort_frees_the_parts_and_ends_the_upload(world: World) -> None:
    upload_id = await world.begin()
    part = await world.put(upload_id, 1, b"x")

    await world.abort(upload_id)

    assert await world.free_garbage() == 1
    assert (await refusal(world.abort(upload_id))).ec == "0017-00000244"
    assert (await refusal(world.put(upload_id, 2, b"y"))).code == "NoSuchUpload"
    assert (await refusal(world.complete(upload_id, [part]))).code == "NoSuchUpload"
    assert await world.head() is None


@pytest.mark.parametrize("upload_id", [UNKNOWN, "", "\udcff"])
async def test_aborting_an_unknown_upload_is_refused(world: World, upload_id: str) -> None:
    assert (await refusal(world.abort(upload_id))).code == "NoSuchUpload"


async def test_abort_needs_the_key_of_the_upload(world: World) -> None:
    upload_id = await world.begin("one")

    assert (await refusal(world.abort(upload_id, key="other"))).code == "NoSuchUpload"


async def test_a_completed_upload_cannot_be_aborted(world: World) -> None:
    upload_id = await world.begin()
    part = await world.put(upload_id, 1, b"x")
    stored = await world.complete(upload_id, [part])

    assert (await refusal(world.abort(upload_id))).code == "NoSuchUpload"
    assert await world.head() == stored.version


async def test_of_complete_and_abort_at_once_one_happens(world: World) -> None:
    upload_id = await world.begin()
    part = await world.put(upload_id, 1, b"x")

    completed, aborted = await asyncio.gather(
        world.complete(upload_id, [part]), world.abort(upload_id), return_exceptions=True
    )

    version = await world.head()
    if isinstance(completed, Stored):
        assert (version, getattr(aborted, "code", None)) == (completed.version, "NoSuchUpload")
    else:
        assert (version, getattr(completed, "code", None), aborted) == (None, "NoSuchUpload", None)


async def test_equal_completes_at_once_get_one_answer(world: World) -> None:
    await world.metadata.change_bucket(replace(world.bucket, versioning=Versioning.ENABLED))
    upload_id = await world.begin()
    parts = [await world.put(upload_id, 1, noise(MIN_PART_SIZE)), await world.put(upload_id, 2, b"x")]

    answers = await asyncio.gather(*(world.complete(upload_id, parts) for _ in range(6)))

    assert len({(answer.version.etag, answer.version_id) for answer in answers}) == 1


async def test_parts_that_keep_coming_never_break_a_complete(world: World) -> None:
    """Whatever the order, the object is made of listed parts that were there, or the list is refused."""
    upload_id = await world.begin()
    first = await world.put(upload_id, 1, noise(MIN_PART_SIZE, 1))

    results = await asyncio.gather(
        world.complete(upload_id, [first]),
        *(world.put(upload_id, 1, noise(MIN_PART_SIZE, seed)) for seed in range(2, 6)),
        return_exceptions=True,
    )

    done = results[0]
    if isinstance(done, Stored):
        assert world.content(done.version) == noise(MIN_PART_SIZE, 1)
    else:
        assert isinstance(done, OssError)
        assert done.code == "InvalidPart"
    late = [one for one in results[1:] if isinstance(one, BaseException)]
    assert all(isinstance(one, OssError) and one.code == "NoSuchUpload" for one in late)
    assert not await world.metadata.check()


async def test_a_same_part_put_again_does_not_disturb_a_complete(world: World) -> None:
    """The ETag is the same, the blob is another: the plan is made again with what is there."""
    upload_id = await world.begin()
    part = await world.put(upload_id, 1, b"same")

    stored, *_ = await asyncio.gather(
        world.complete(upload_id, [part]),
        *(world.put(upload_id, 1, b"same") for _ in range(3)),
        return_exceptions=True,
    )

    assert isinstance(stored, Stored)
    await world.free_garbage()
    assert world.content(stored.version) == b"same"
    assert not await world.metadata.check()


async def test_after_everything_the_store_agrees_with_itself(world: World, tmp_path: Path) -> None:
    kept = await world.begin("kept")
    done = await world.begin("done")
    gone = await world.begin("gone")
    for upload_id, key in ((kept, "kept"), (done, "done"), (gone, "gone")):
        await world.put(upload_id, 1, b"1", key)
        await world.put(upload_id, 1, b"2", key)
    await world.complete(done, None, "done", complete_all="yes")
    await world.abort(gone, "gone")

    assert not await world.metadata.check()
    assert await world.free_garbage() == 4
    assert world.blob_count() == 2
