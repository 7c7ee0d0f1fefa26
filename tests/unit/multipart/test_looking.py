"""ListParts and ListMultipartUploads: pages, markers and bad parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mossaic.protocol.operations import multipart as shapes
from tests.unit.multipart.conftest import KEY, UNKNOWN, World, refusal

if TYPE_CHECKING:
    from mossaic.model.upload import PartPage, UploadPage


async def parts(world: World, upload_id: str, **asked: str) -> PartPage:
    _, page = await world.service.parts(
        world.bucket, shapes.ListParts(bucket="bkt", key=KEY, upload_id=upload_id, **asked)
    )
    return page


async def uploads(world: World, **asked: str) -> UploadPage:
    return await world.service.uploads(world.bucket, shapes.ListMultipartUploads(bucket="bkt", **asked))


def shown(page: UploadPage) -> list[tuple[str, str]]:
    return list(zip(page.columns.keys, page.columns.upload_ids, strict=True))


async def test_parts_are_listed_by_number(world: World) -> None:
    upload_id = await world.begin()
    for number in (10_000, 2, 30):
        await world.put(upload_id, number, b"x" * number)

    page = await parts(world, upload_id)

    assert page.columns.numbers == page.columns.sizes == [2, 30, 10_000]
    assert not page.truncated


async def test_pages_of_parts_follow_each_other(world: World) -> None:
    upload_id = await world.begin()
    for number in range(1, 6):
        await world.put(upload_id, number, b"x")

    first = await parts(world, upload_id, max_parts="2")
    rest = await parts(world, upload_id, part_number_marker=first.next_key, max_parts="3")

    assert (first.truncated, rest.truncated) == (True, False)
    assert [*first.columns.numbers, *rest.columns.numbers] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_parts", "0"),
        ("max_parts", "1001"),
        ("max_parts", "x"),
        ("part_number_marker", "x"),
        ("part_number_marker", "-1"),
        ("part_number_marker", "\udcff"),
    ],
)
async def test_bad_parameters_of_list_parts_are_refused(world: World, name: str, value: str) -> None:
    upload_id = await world.begin()

    error = await refusal(parts(world, upload_id, **{name: value}))

    assert error.code == "InvalidArgument"
    assert error.extras["ArgumentName"] == name.replace("_", "-")


async def test_parts_of_an_unknown_upload_cannot_be_listed(world: World) -> None:
    assert (await refusal(parts(world, UNKNOWN))).code == "NoSuchUpload"


async def test_uploads_are_listed_by_key_then_id(world: World) -> None:
    begun = [(key, await world.begin(key)) for key in ("b", "a", "b", "a/c")]

    page = await uploads(world)

    assert shown(page) == sorted(begun)


@pytest.mark.parametrize("limit", range(1, 8))
async def test_pages_of_uploads_cover_all_of_them_once(world: World, limit: int) -> None:
    begun = sorted([(key, await world.begin(key)) for key in ("a", "a", "b", "c", "c", "c", "ä")])
    seen: list[tuple[str, str]] = []
    markers = {}

    while True:
        page = await uploads(world, max_uploads=str(limit), **markers)
        seen += shown(page)
        if not page.truncated:
            break
        markers = {"key_marker": page.next_key, "upload_id_marker": page.next_id}

    assert seen == begun


async def test_a_key_marker_alone_skips_every_upload_of_that_key(world: World) -> None:
    await world.begin("a")
    await world.begin("a")
    last = await world.begin("b")

    page = await uploads(world, key_marker="a")

    assert page.columns.upload_ids == [last]


async def test_an_id_marker_without_a_key_marker_is_ignored(world: World) -> None:
    upload_id = await world.begin("a")

    page = await uploads(world, upload_id_marker="F" * 32)

    assert page.columns.upload_ids == [upload_id]


async def test_prefix_and_delimiter_group_uploads(world: World) -> None:
    for key in ("photos/1/a", "photos/1/b", "photos/2/a", "photos/top", "other"):
        await world.begin(key)

    page = await uploads(world, prefix="photos/", delimiter="/")

    assert page.columns.keys == ["photos/top"]
    assert page.prefixes == ("photos/1/", "photos/2/")


async def test_completed_and_aborted_uploads_are_not_listed(world: World) -> None:
    await world.abort(await world.begin())
    await world.complete(await world.begin(), [])

    assert shown(await uploads(world)) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_uploads", "0"),
        ("max_uploads", "1001"),
        ("max_uploads", "ten"),
        ("delimiter", "ab"),
        ("prefix", "x" * 1024),
        ("key_marker", "x" * 1024),
        ("upload_id_marker", "\udcff"),
    ],
)
async def test_bad_parameters_of_list_uploads_are_refused(world: World, name: str, value: str) -> None:
    error = await refusal(uploads(world, **{name: value}))

    assert error.code == "InvalidArgument"
    assert error.extras["ArgumentName"] == name.replace("_", "-")
