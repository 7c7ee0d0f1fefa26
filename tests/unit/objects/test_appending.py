"""AppendObject on the real stores."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from mossaic.model.bucket import Versioning
from mossaic.model.object import ObjectHeaders, ObjectType
from mossaic.protocol.checksum import crc64
from mossaic.protocol.errors import OssError
from mossaic.protocol.limits import GIB, KIB
from mossaic.service.appending import AppendOrder, append_position
from mossaic.service.intake import Expected

from .conftest import BytesBody, as_key, said

if TYPE_CHECKING:
    from mossaic.ports import Stored

    from .conftest import World


async def append(
    world: World, content: bytes, position: int, *, key: str = "log", expected: Expected | None = None
) -> Stored:
    order = AppendOrder(position=position, said=said(), expected=expected or Expected())
    return await world.objects.append(world.bucket, as_key(key), BytesBody(content), order)


@pytest.mark.parametrize(
    "sizes",
    [
        (0, 5, 0, 7),
        (100, 16_284, 1, 1),
        (16_384, 1),
        (10, 300 * KIB, 10),
        (20 * KIB, 20 * KIB, 100 * KIB, 300 * KIB, 1, 1, 1),
        (300 * KIB, 300 * KIB),
        (5, 20 * KIB, 5),
    ],
)
async def test_appends_add_up(world: World, sizes: tuple[int, ...]) -> None:
    whole = b""
    etags = set()
    for number, size in enumerate(sizes):
        content = random.Random(number).randbytes(size)
        stored = await append(world, content, len(whole))
        whole += content
        assert stored.version.size == len(whole)
        assert stored.version.crc64 == crc64(whole)
        if size or number == 0:
            etags.add(stored.version.etag)
    found = await world.objects.find(world.bucket, as_key("log"))
    assert found.type is ObjectType.APPENDABLE
    assert found.md5 is None
    assert len(etags) == sum(1 for number, size in enumerate(sizes) if size or number == 0)
    assert all(len(etag) == 32 and etag == etag.upper() for etag in etags)
    assert await world.get("log") == whole


async def test_a_thousand_small_appends_stay_few_pieces(world: World) -> None:
    line = b"x" * 97
    most = 0
    for number in range(1000):
        stored = await append(world, line, number * len(line))
        most = max(most, len(stored.version.manifest.extents))
    assert await world.get("log") == line * 1000
    assert most <= 12
    assert not await world.metadata.check()


async def test_bytes_that_a_merge_replaced_become_garbage(world: World) -> None:
    for number in range(6):
        await append(world, b"y" * 17 * KIB, number * 17 * KIB)
    used = set((await world.objects.find(world.bucket, as_key("log"))).manifest.blob_ids)
    waste = set(await world.metadata.garbage(now=world.clock.now(), limit=100))
    assert not used & waste
    assert world.blob_count() == len(used | waste)


async def test_a_wrong_position_says_the_right_one(world: World) -> None:
    with pytest.raises(OssError) as none_yet:
        await append(world, b"x", 1)
    assert none_yet.value.headers == {"x-oss-next-append-position": "0"}
    await append(world, b"hello", 0)
    for position in (0, 4, 6):
        with pytest.raises(OssError) as caught:
            await append(world, b"x", position)
        assert (caught.value.status, caught.value.ec) == (409, "0026-00000016")
        assert caught.value.headers == {"x-oss-next-append-position": "5"}
    assert await world.get("log") == b"hello"


async def test_of_appends_at_one_position_one_wins(world: World) -> None:
    await append(world, b"hello", 0)
    done = await asyncio.gather(
        *(append(world, bytes([n]) * 20_000, 5) for n in range(5)), return_exceptions=True
    )
    lost = [each for each in done if isinstance(each, OssError)]
    assert len(lost) == 4
    assert {each.headers["x-oss-next-append-position"] for each in lost} == {"20005"}
    assert len(await world.get("log")) == 20_005
    assert world.blob_count() == 1


async def test_only_appendable_objects_grow(world: World) -> None:
    await world.put("log", b"hello")
    for position in (0, 5):
        with pytest.raises(OssError) as caught:
            await append(world, b"x", position)
        assert (caught.value.status, caught.value.code) == (409, "ObjectNotAppendable")


async def test_the_first_append_decides_the_headers(world: World) -> None:
    await append(world, b"1", 0)
    later = said(headers=ObjectHeaders(stored={"Content-Type": "other/type"}))
    order = AppendOrder(position=1, said=later, expected=Expected())
    await world.objects.append(world.bucket, as_key("log"), BytesBody(b"2"), order)
    found = await world.objects.find(world.bucket, as_key("log"))
    assert found.headers.stored == {"Content-Type": "text/plain"}


async def test_a_damaged_append_changes_nothing(world: World) -> None:
    await append(world, b"hello", 0)
    with pytest.raises(OssError) as caught:
        await append(world, b"x" * 20_000, 5, expected=Expected(crc64="1"))
    assert caught.value.code == "InvalidCRC64"
    assert await world.get("log") == b"hello"
    assert world.blob_count() == 0


async def test_an_append_beyond_five_gib_is_too_large(world: World) -> None:
    await append(world, b"hello", 0)
    body = BytesBody(b"")
    body.length = 5 * GIB - 4
    order = AppendOrder(position=5, said=said(), expected=Expected())
    with pytest.raises(OssError) as caught:
        await world.objects.append(world.bucket, as_key("log"), body, order)
    assert caught.value.code == "EntityTooLarge"
    assert not body.touched


async def test_with_versioning_an_append_keeps_the_null_version(world: World) -> None:
    await world.version(Versioning.ENABLED)
    first = await append(world, b"1", 0)
    second = await append(world, b"2", 1)
    nothing = await append(world, b"", 2)
    assert [each.version_id for each in (first, second, nothing)] == ["null"] * 3
    assert await world.get("log") == b"12"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, "MissingArgument"),
        ("-1", "InvalidArgument"),
        ("x", "InvalidArgument"),
        ("", "InvalidArgument"),
        ("٣", "InvalidArgument"),
    ],
)
def test_a_position_is_a_whole_number(text: str | None, code: str) -> None:
    with pytest.raises(OssError) as caught:
        append_position(text)
    assert caught.value.code == code
    assert append_position("10") == 10
