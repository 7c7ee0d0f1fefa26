"""CopyObject and the copying of parts, on the real stores."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mossaic.model.bucket import Bucket, Versioning
from mossaic.model.conditions import COPY, Conditions
from mossaic.model.names import BucketName, UploadId
from mossaic.model.object import ObjectAcl, ObjectHeaders, ObjectType, StorageClass
from mossaic.model.upload import Upload
from mossaic.protocol.checksum import crc64
from mossaic.protocol.errors import OssError
from mossaic.service.appending import AppendOrder
from mossaic.service.copying import CopyOrder, PartCopyOrder, PartPlace
from mossaic.service.intake import Expected

from .conftest import BytesBody, as_key, said

if TYPE_CHECKING:
    from mossaic.service.copying import Copied, CopiedPart

    from .conftest import World

BIG = bytes(range(256)) * 400
NOTHING = Conditions(prefix=COPY)
OURS = said(
    headers=ObjectHeaders(stored={"Content-Type": "a/b", "Expires": "1000"}, meta={"m": "1"}),
    tags={"t": "1"},
    acl=ObjectAcl.PUBLIC_READ,
)
OTHERS = said(
    headers=ObjectHeaders(stored={"Content-Type": "c/d"}, encryption="AES256"),
    tags={"u": "2"},
    storage_class=StorageClass.IA,
)


async def copy(world: World, source: str, key: str, **order: object) -> Copied:
    found = await world.copying.locate(source)
    fields: dict[str, object] = {"said": said(), "conditions": NOTHING} | order
    return await world.copying.copy(world.bucket, as_key(key), found, CopyOrder(**fields))  # type: ignore[arg-type]


@pytest.mark.parametrize("content", [b"", b"hello", BIG])
async def test_a_copy_has_its_source_s_content_and_moves_no_bytes(world: World, content: bytes) -> None:
    source = (await world.put("a", content, OURS)).version
    blobs = world.blob_count()

    copied = (await copy(world, "/bkt/a", "b", said=OTHERS)).stored.version

    assert world.blob_count() == blobs
    assert (copied.etag, copied.crc64, copied.md5) == (source.etag, source.crc64, source.md5)
    assert copied.headers.stored == OURS.headers.stored
    assert copied.headers.meta == {"m": "1"}
    assert copied.headers.encryption == "AES256"
    assert copied.tags == {"t": "1"}
    assert (copied.acl, copied.storage_class) == (ObjectAcl.DEFAULT, StorageClass.IA)
    await world.objects.delete(world.bucket, as_key("a"), None)
    assert not await world.metadata.garbage(now=world.clock.now(), limit=10)
    assert await world.get("b") == content
    assert not await world.metadata.check()


async def test_replace_takes_headers_and_tags_from_the_request(world: World) -> None:
    await world.put("a", BIG, OURS)
    copied = (
        await copy(world, "/bkt/a", "b", said=OTHERS, replace_headers=True, replace_tags=True)
    ).stored.version
    assert copied.headers == OTHERS.headers
    assert copied.tags == {"u": "2"}


async def test_onto_itself_a_copy_changes_metadata_only(world: World) -> None:
    before = (await world.put("a", BIG, OURS)).version
    after = (await copy(world, "/bkt/a", "a", said=OTHERS)).stored.version
    assert after.headers == OTHERS.headers
    assert after.modified_at > before.modified_at
    assert world.blob_count() == 1
    assert not await world.metadata.garbage(now=world.clock.now(), limit=10)
    assert await world.get("a") == BIG


async def test_a_version_is_copied_by_its_id(world: World) -> None:
    await world.version(Versioning.ENABLED)
    first = await world.put("a", b"first")
    await world.put("a", b"second")

    copied = await copy(world, f"/bkt/a?versionId={first.version_id}", "a")

    assert copied.source_version_id == first.version_id
    assert copied.stored.version_id not in {None, first.version_id}
    assert await world.get("a") == b"first"
    assert (await copy(world, "/bkt/a", "b")).source_version_id == copied.stored.version_id


@pytest.mark.parametrize(
    ("given", "status"),
    [({"if_match": "x"}, 412), ({"if_none_match": "*"}, 304), ({"if_match": "*"}, None)],
)
async def test_conditions_on_the_source(world: World, given: dict[str, str], status: int | None) -> None:
    await world.put("a", b"1")
    conditions = replace(NOTHING, **given)
    if status is None:
        await copy(world, "/bkt/a", "b", conditions=conditions)
        return
    with pytest.raises(OssError) as caught:
        await copy(world, "/bkt/a", "b", conditions=conditions)
    assert caught.value.status == status


async def test_what_cannot_be_copied(world: World) -> None:
    order = AppendOrder(position=0, said=said(), expected=Expected())
    await world.objects.append(world.bucket, as_key("log"), BytesBody(b"1"), order)
    await world.put("there", b"1")
    for source, key, code in (
        ("/none/a", "b", "NoSuchBucket"),
        ("/bkt/none", "b", "NoSuchKey"),
        ("/bkt/there?versionId=CAEQ1", "b", "NoSuchVersion"),
        ("/bkt/log", "b", "OperationNotSupported"),
    ):
        with pytest.raises(OssError) as caught:
            await copy(world, source, key)
        assert caught.value.code == code
    with pytest.raises(OssError) as exists:
        await copy(world, "/bkt/there", "log", said=said(forbid=True))
    assert exists.value.code == "FileAlreadyExists"
    itself = await copy(world, "/bkt/log", "log", said=OTHERS)
    assert itself.stored.version.type is ObjectType.APPENDABLE


async def test_a_link_is_copied_as_a_link(world: World) -> None:
    await world.put("target", b"1")
    await world.objects.put_symlink(world.bucket, as_key("link"), "target", said=said())
    copied = (await copy(world, "/bkt/link", "other")).stored.version
    assert (copied.type, copied.target) == (ObjectType.SYMLINK, "target")
    assert await world.get("other") == b"1"


async def test_another_bucket_is_a_source_too(world: World) -> None:
    other = Bucket(name=BucketName("other"), region="r", owner_id="1", created_at=world.clock.now())
    await world.metadata.create_bucket(other, quota=10)
    await world.objects.put(other, as_key("a/你"), BytesBody(BIG), said=said(), expected=Expected())
    await copy(world, "/other/a%2F%E4%BD%A0", "b")
    assert await world.get("b") == BIG


async def test_copies_of_a_source_that_changes_are_whole(world: World) -> None:
    """Overwriting frees the source's bytes at once (no reader grace here); a copy has the old content or the new."""
    contents = [bytes([n]) * 20_000 for n in range(12)]
    await world.put("a", contents[0])

    async def overwrite() -> None:
        for content in contents[1:]:
            await world.put("a", content)

    async def copy_often() -> None:
        for number in range(20):
            await copy(world, "/bkt/a", f"copy{number}")

    await asyncio.gather(overwrite(), copy_often())

    assert not await world.metadata.check()
    for number in range(20):
        assert await world.get(f"copy{number}") in contents


async def given_upload(world: World, *, sequential: bool = False) -> UploadId:
    upload_id = UploadId("0" * 32)
    await world.metadata.create_upload(
        Upload(
            upload_id=upload_id,
            bucket=world.bucket.name,
            key=as_key("target"),
            initiated_at=world.clock.now(),
            initiator="1",
            sequential=sequential,
        )
    )
    return upload_id


async def copy_part(
    world: World,
    upload_id: str,
    source: str,
    text: str | None = None,
    *,
    number: int = 1,
    conditions: Conditions = NOTHING,
) -> CopiedPart:
    place = PartPlace(
        bucket=world.bucket.name, key=as_key("target"), upload_id=UploadId(upload_id), number=number
    )
    order = PartCopyOrder(range=text, conditions=conditions)
    return await world.copying.copy_part(place, await world.copying.locate(source), order)


@pytest.mark.parametrize(
    ("text", "start", "stop", "content_range"),
    [
        (None, 0, 102_400, None),
        ("bytes=0-102399", 0, 102_400, "bytes 0-102399/102400"),
        ("bytes=100-299", 100, 300, "bytes 100-299/102400"),
        ("bytes=100-102400", 0, 102_400, None),
    ],
)
async def test_a_copied_part_shares_its_source_s_bytes(
    world: World, text: str | None, start: int, stop: int, content_range: str | None
) -> None:
    await world.put("a", BIG)
    upload_id = await given_upload(world)

    copied = await copy_part(world, upload_id, "/bkt/a", text)

    assert copied.content_range == content_range
    assert copied.part.etag == hashlib.md5(BIG[start:stop]).hexdigest().upper()
    assert copied.part.crc64 == crc64(BIG[start:stop])
    assert copied.part.size == stop - start
    assert world.blob_count() == 1
    stored = await world.metadata.part(upload_id, 1)
    assert stored == copied.part
    await world.objects.delete(world.bucket, as_key("a"), None)
    assert not await world.metadata.garbage(now=world.clock.now(), limit=10)
    assert not await world.metadata.check()


async def test_small_and_empty_sources_become_parts_too(world: World) -> None:
    upload_id = await given_upload(world)
    for number, content in enumerate((b"", b"hello"), 1):
        await world.put("a", content)
        copied = await copy_part(world, upload_id, "/bkt/a", number=number)
        assert copied.part.size == len(content)
        assert copied.part.etag == hashlib.md5(content).hexdigest().upper()
    part = (await copy_part(world, upload_id, "/bkt/a", "bytes=1-3", number=3)).part
    assert part.etag == hashlib.md5(b"ell").hexdigest().upper()
    assert world.blob_count() == 2
    await world.metadata.abort(world.bucket.name, as_key("target"), upload_id)
    assert len(await world.metadata.garbage(now=world.clock.now(), limit=10)) == 2


async def test_what_a_part_copy_refuses(world: World) -> None:
    await world.put("a", b"hello")
    upload_id = await given_upload(world)
    failing = replace(NOTHING, if_none_match="*", always_412=True)
    for arguments, fields, code in (
        (("1" * 32, "/bkt/none"), {}, "NoSuchUpload"),
        ((upload_id, "/bkt/a"), {"number": 0}, "InvalidArgument"),
        ((upload_id, "/bkt/a"), {"number": 10_001}, "InvalidArgument"),
        ((upload_id, "/bkt/none"), {}, "NoSuchKey"),
        ((upload_id, "/bkt/a"), {"conditions": failing}, "PreconditionFailed"),
    ):
        with pytest.raises(OssError) as caught:
            await copy_part(world, *arguments, **fields)  # type: ignore[arg-type]  # a test's shorthand
        assert caught.value.code == code
    assert world.blob_count() == 0
