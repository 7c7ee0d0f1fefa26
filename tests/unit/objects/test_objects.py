"""ObjectService on the real stores."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

import pytest

from mossaic.model.bucket import Versioning
from mossaic.model.conditions import Conditions
from mossaic.model.object import ObjectAcl, ObjectHeaders, StorageClass
from mossaic.ports import FilePiece
from mossaic.protocol.checksum import crc64
from mossaic.protocol.errors import OssError
from mossaic.service.intake import Expected
from mossaic.service.objects import ReadOrder

from .conftest import BytesBody, as_key, nobody_minds, said

if TYPE_CHECKING:
    from .conftest import World

BIG = bytes(range(256)) * 400  # 102,400 bytes: a blob


def refused(code: str, ec: str | None = None) -> object:
    return pytest.raises(OssError, check=lambda error: error.code == code and (ec is None or error.ec == ec))


@pytest.mark.parametrize("content", [b"", b"hello", b"x" * 16_384, b"x" * 16_385, BIG])
async def test_an_object_reads_back_with_md5_as_etag(world: World, content: bytes) -> None:
    stored = await world.put("a", content)

    assert stored.version_id is None
    assert stored.version.etag == hashlib.md5(content).hexdigest().upper()
    assert stored.version.crc64 == crc64(content)
    assert await world.get("a") == content
    assert world.blob_count() == (1 if len(content) > 16_384 else 0)


async def test_a_chunked_body_is_stored_like_any_other(world: World) -> None:
    for content in (b"small", BIG):
        body = BytesBody(content, chunked=True)
        await world.objects.put(world.bucket, as_key("a"), body, said=said(), expected=Expected())
        assert await world.get("a") == content


async def test_a_big_object_is_given_out_as_file_pieces(world: World) -> None:
    await world.put("a", BIG)
    order = ReadOrder(key=as_key("a"), range="bytes=10-19")
    found = await world.objects.look(world.bucket, order, nobody_minds)

    pieces = list(world.objects.reading(found).pieces())

    assert [(type(piece), piece[1:]) for piece in pieces if not isinstance(piece, bytes)] == [
        (FilePiece, (10, 10))
    ]
    assert world.objects.reading(found).length == 10
    assert await world.get("a", range="bytes=10-19") == BIG[10:20]


async def test_a_body_that_is_not_what_was_announced_leaves_nothing(world: World) -> None:
    for expected, code in (
        (Expected(content_md5="1B2M2Y8AsgTpgAmY7PhCfg=="), "InvalidDigest"),
        (Expected(content_md5="not base64"), "InvalidDigest"),
        (Expected(crc64="1"), "InvalidCRC64"),
        (Expected(max_size=100), "EntityTooLarge"),
    ):
        for content in (b"x" * 200, BIG):
            with refused(code):
                await world.objects.put(
                    world.bucket, as_key("a"), BytesBody(content), said=said(), expected=expected
                )
    with refused("NoSuchKey", "0026-00000001"):
        await world.get("a")
    assert world.blob_count() == 0


async def test_forbid_overwrite_refuses_before_the_body_is_read(world: World) -> None:
    await world.put("a", b"first")
    body = BytesBody(BIG)

    with refused("FileAlreadyExists", "0026-00000002"):
        await world.objects.put(world.bucket, as_key("a"), body, said=said(forbid=True), expected=Expected())

    assert not body.touched
    assert await world.get("a") == b"first"


async def test_of_two_writers_that_forbid_overwriting_one_wins(world: World) -> None:
    attempts = [world.put("a", bytes([n]) * 20_000, said(forbid=True)) for n in range(6)]

    done = await asyncio.gather(*attempts, return_exceptions=True)

    won = [each for each in done if not isinstance(each, BaseException)]
    lost = [each for each in done if isinstance(each, OssError) and each.code == "FileAlreadyExists"]
    assert (len(won), len(lost)) == (1, 5)
    assert hashlib.md5(await world.get("a")).hexdigest().upper() == won[0].version.etag
    assert world.blob_count() == 1


async def test_forbid_overwrite_means_nothing_with_versioning(world: World) -> None:
    await world.version(Versioning.ENABLED)
    first = await world.put("a", b"first", said(forbid=True))
    second = await world.put("a", b"second", said(forbid=True))
    assert first.version_id != second.version_id
    assert await world.get("a") == b"second"
    assert await world.get("a", version_id=first.version_id) == b"first"


async def test_what_a_reader_named_and_what_is_not_there(world: World) -> None:
    with refused("NoSuchKey"):
        await world.get("a")
    with refused("NoSuchVersion"):
        await world.get("a", version_id="CAEQ" + "0" * 60)
    await world.put("a", b"hello")
    assert await world.get("a", version_id="null") == b"hello"
    with pytest.raises(OssError) as caught:
        await world.get("a", conditions=Conditions(if_match="x"))
    assert caught.value.status == 412
    with refused("InvalidRange"):
        await world.get("a", range="bytes=9-", standard=True)
    assert await world.get("a", range="bytes=9-") == b"hello"
    assert await world.get("a", range="bytes=1-2", if_range='"other"') == b"hello"


async def test_a_delete_marker_hides_the_object_and_cannot_be_read(world: World) -> None:
    await world.version(Versioning.ENABLED)
    stored = await world.put("a", b"hello")

    deleted = await world.objects.delete(world.bucket, as_key("a"), None)

    assert deleted.delete_marker
    with pytest.raises(OssError) as hidden:
        await world.get("a")
    assert hidden.value.code == "NoSuchKey"
    assert hidden.value.headers == {"x-oss-delete-marker": "true", "x-oss-version-id": deleted.version_id}
    with pytest.raises(OssError) as marker:
        await world.get("a", version_id=deleted.version_id)
    assert (marker.value.status, marker.value.headers["Allow"]) == (405, "DELETE")
    assert marker.value.extras == {"Method": "GET", "ResourceType": "DeleteMarker"}
    assert await world.get("a", version_id=stored.version_id) == b"hello"
    removed = await world.objects.delete(world.bucket, as_key("a"), deleted.version_id)
    assert removed.delete_marker
    assert await world.get("a") == b"hello"


async def test_suspended_versioning_replaces_the_null_version(world: World) -> None:
    await world.put("a", b"unversioned")
    await world.version(Versioning.ENABLED)
    kept = await world.put("a", b"kept")
    await world.version(Versioning.SUSPENDED)
    stored = await world.put("a", b"null again")
    assert stored.version_id == "null"
    assert await world.get("a", version_id="null") == b"null again"
    assert await world.get("a", version_id=kept.version_id) == b"kept"


async def test_deleting_is_never_an_error_and_many_at_once_are_one_step(world: World) -> None:
    await world.put("a", b"1")
    await world.put("b", BIG)
    done = await world.objects.delete_many(world.bucket, [(as_key(key), None) for key in "abc"])
    assert [each.delete_marker for each in done] == [False] * 3
    for key in "ab":
        with refused("NoSuchKey"):
            await world.get(key)


async def test_acl_and_tags_change_in_place(world: World) -> None:
    stored = await world.put("a", b"1", said(tags={"t": "1"}))
    await world.objects.change(world.bucket, as_key("a"), None, acl=ObjectAcl.PUBLIC_READ)
    changed = await world.objects.change(world.bucket, as_key("a"), None, tags={"u": "2"})
    found = await world.objects.find(world.bucket, as_key("a"))
    assert changed == found
    assert (found.acl, found.tags, found.etag) == (ObjectAcl.PUBLIC_READ, {"u": "2"}, stored.version.etag)
    assert found.modified_at == stored.version.modified_at
    with refused("NoSuchKey"):
        await world.objects.change(world.bucket, as_key("none"), None, tags={})
    with refused("NoSuchVersion"):
        await world.objects.change(world.bucket, as_key("a"), "CAEQx", tags={})  # type: ignore[arg-type]


async def test_a_link_serves_its_target_under_its_own_name(world: World) -> None:
    target = await world.put("target", BIG)
    own = said(headers=ObjectHeaders(stored={"Content-Type": "x/link"}, meta={"m": "1"}))
    link = await world.objects.put_symlink(world.bucket, as_key("link"), "target", said=own)

    found = await world.objects.look(world.bucket, ReadOrder(key=as_key("link")), nobody_minds)

    assert found.version.headers.meta == {"m": "1"}
    assert found.content.etag == target.version.etag
    assert found.modified_at == link.version.modified_at > target.version.modified_at
    assert await world.get("link", range="bytes=1-3") == BIG[1:4]
    assert (await world.objects.find_symlink(world.bucket, as_key("link"), None)).target == "target"
    with refused("NotSymlink"):
        await world.objects.find_symlink(world.bucket, as_key("target"), None)


async def test_links_that_lead_nowhere_or_on(world: World) -> None:
    await world.objects.put_symlink(world.bucket, as_key("a"), "none", said=said())
    await world.objects.put_symlink(world.bucket, as_key("b"), "a", said=said())
    with refused("SymlinkTargetNotExist"):
        await world.get("a")
    with refused("InvalidTargetType"):
        await world.get("b")
    with refused("InvalidObjectName"):
        await world.objects.put_symlink(world.bucket, as_key("c"), "/a", said=said())


async def test_a_link_does_not_open_what_its_reader_may_not_read(world: World) -> None:
    await world.put("secret", b"1")
    await world.objects.put_symlink(world.bucket, as_key("link"), "secret", said=said())
    asked: list[str] = []

    async def refuse(key: str) -> None:
        asked.append(key)
        raise PermissionError

    with pytest.raises(PermissionError):
        await world.objects.look(world.bucket, ReadOrder(key=as_key("link")), refuse)
    assert asked == ["secret"]


async def test_only_archived_objects_are_restored(world: World) -> None:
    await world.put("cold", b"1", said(storage_class=StorageClass.ARCHIVE))
    await world.put("warm", b"1")
    assert (await world.objects.restore(world.bucket, as_key("cold"), None)).size == 1
    assert await world.get("cold") == b"1"
    with refused("OperationNotSupported", "0016-00000702"):
        await world.objects.restore(world.bucket, as_key("warm"), None)
