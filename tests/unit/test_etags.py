"""`store.etag`: with "crc64" the service makes no MD5 but those that clients ask for, and both kinds of ETags live together."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import pytest

from mossaic.config import Settings, StoreSettings
from mossaic.model.bucket import Bucket
from mossaic.model.conditions import Conditions
from mossaic.model.headers import Attributes
from mossaic.model.names import BucketName, ObjectKey, UploadId
from mossaic.model.object import ObjectAcl, ObjectHeaders, ObjectVersion, StorageClass
from mossaic.protocol.checksum import crc64, crc64_etag, md5_hex, multipart_etag
from mossaic.protocol.errors import INVALID_DIGEST, OssError
from mossaic.protocol.operations import multipart as shapes
from mossaic.service.appending import AppendOrder
from mossaic.service.copying import CopyOrder, PartCopyOrder, PartPlace
from mossaic.service.fsck import FsckReport, fsck
from mossaic.service.intake import Expected
from mossaic.service.objects import ReadOrder
from mossaic.stores.blobs.files import FileBlobs
from mossaic.stores.sql.sqlite import SqliteMetadata
from tests.in_process import NOW, OWNER, BytesBody, app_over

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from mossaic.model.upload import Part
    from mossaic.ports import Stored
    from mossaic.protocol.checksum import EtagKind

BUCKET = BucketName("bkt")
SMALL = b"small enough to lie in its row"
LARGE = hashlib.shake_128(b"large").digest(300_000)
PLAIN = Attributes(
    headers=ObjectHeaders(),
    tags={},
    acl=ObjectAcl.DEFAULT,
    storage_class=StorageClass.STANDARD,
    forbid_overwrite=False,
)


class CountedMd5:
    """hashlib.md5 that adds what it is fed to `fed`."""

    fed = 0

    def __init__(self, data: bytes = b"", *, usedforsecurity: bool = True) -> None:
        self._digest = hashlib.new("md5", usedforsecurity=usedforsecurity)
        self.update(data)

    def update(self, data: bytes) -> None:
        CountedMd5.fed += len(data)
        self._digest.update(data)

    def digest(self) -> bytes:
        return self._digest.digest()

    def hexdigest(self) -> str:
        return self._digest.hexdigest()

    @classmethod
    def begin(cls) -> type[Self]:
        cls.fed = 0
        return cls


@pytest.fixture
def md5(monkeypatch: pytest.MonkeyPatch) -> type[CountedMd5]:
    monkeypatch.setattr(hashlib, "md5", CountedMd5)
    return CountedMd5.begin()


@dataclass
class World:
    """The service over one bucket; `etags` may be changed, as a restart with the other setting does."""

    folder: Path
    metadata: SqliteMetadata
    blobs: FileBlobs
    bucket: Bucket
    etags: EtagKind = "crc64"

    @property
    def services(self) -> Any:
        app = app_over(self.folder, self.metadata, self.blobs)
        settings = Settings(data=str(self.folder), account_id=OWNER, store=StoreSettings(etag=self.etags))
        return replace(app, settings=settings)._services(OWNER)

    async def put(self, key: str, content: bytes, md5: str | None = None) -> Stored:
        expected = Expected(content_md5=md5)
        stored: Stored = await self.services.objects.put(
            self.bucket, ObjectKey(key), BytesBody(content), said=PLAIN, expected=expected
        )
        return stored

    async def append(self, key: str, content: bytes, position: int) -> Stored:
        order = AppendOrder(position=position, said=PLAIN, expected=Expected())
        stored: Stored = await self.services.objects.append(
            self.bucket, ObjectKey(key), BytesBody(content), order
        )
        return stored

    async def begin(self, key: str, *, sequential: bool = False) -> UploadId:
        asked = shapes.InitiateMultipartUpload(bucket=BUCKET, key=key, sequential="" if sequential else None)
        return UploadId((await self.services.multipart.initiate(self.bucket, asked, initiator="1")).upload_id)

    async def part(
        self, key: str, upload_id: UploadId, number: int, content: bytes, md5: str | None = None
    ) -> tuple[Part, str | None]:
        asked = shapes.UploadPart(
            bucket=BUCKET,
            key=key,
            upload_id=upload_id,
            part_number=str(number),
            content_length="said",
            content_md5=md5,
        )
        _, part, made = await self.services.multipart.put_part(self.bucket, asked, BytesBody(content))
        return part, made

    async def copy_part(
        self, key: str, upload_id: UploadId, number: int, source: str, span: str | None = None
    ) -> Part:
        place = PartPlace(bucket=BUCKET, key=ObjectKey(key), upload_id=upload_id, number=number)
        order = PartCopyOrder(range=span, conditions=Conditions())
        copying = self.services.copying
        located = await copying.locate(f"/{BUCKET}/{source}")
        part: Part = (await copying.copy_part(place, located, order)).part
        return part

    async def complete(self, key: str, upload_id: UploadId, parts: list[Part]) -> ObjectVersion:
        listed = "".join(
            f"<Part><PartNumber>{part.number}</PartNumber><ETag>{part.etag.lower()}</ETag></Part>"
            for part in parts
        )
        document = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
        asked = shapes.CompleteMultipartUpload(bucket=BUCKET, key=key, upload_id=upload_id, document=document)
        version: ObjectVersion = (await self.services.multipart.complete(self.bucket, asked)).version
        return version

    async def read(self, key: str) -> bytes:
        async def allowed(_key: str) -> None: ...

        objects = self.services.objects
        found = await objects.look(self.bucket, ReadOrder(key=ObjectKey(key)), allowed)
        return b"".join(objects.reading(found).blocks())

    async def checked(self) -> FsckReport:
        return await fsck(self.metadata, self.blobs, read_bytes=True)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    metadata = SqliteMetadata.open(tmp_path / "metadata.db", sync=False, reader_grace_s=0)
    blobs = FileBlobs(tmp_path / "blobs", sync=False)
    await metadata.create_bucket(
        Bucket(name=BUCKET, region="cn-hangzhou", owner_id=OWNER, created_at=NOW), quota=1
    )
    bucket = await metadata.bucket(BUCKET)
    assert bucket is not None
    yield World(folder=tmp_path, metadata=metadata, blobs=blobs, bucket=bucket)
    await metadata.close()


def base64_md5(content: bytes) -> str:
    return base64.b64encode(hashlib.new("md5", content).digest()).decode()


def etag_of(content: bytes) -> str:
    return crc64_etag(crc64(content), len(content))


def test_an_etag_of_crc64_and_size_is_not_an_md5_and_not_that_of_an_upload() -> None:
    assert etag_of(b"123456789") == "995DC9BBDF1939FA0000000000000009-0"
    assert etag_of(b"") == "00000000000000000000000000000000-0"
    assert etag_of(b"") != multipart_etag([])


async def test_no_byte_of_a_body_is_fed_to_md5(world: World, md5: type[CountedMd5]) -> None:
    await world.put("small", SMALL)
    await world.put("large", LARGE)
    for number in range(4):  # each append is merged with the one before
        await world.append("log", LARGE[:30_000], number * 30_000)
    upload_id = await world.begin("joined")
    parts = [(await world.part("joined", upload_id, 1, LARGE))[0]]
    parts.append(await world.copy_part("joined", upload_id, 2, "large"))
    parts.append(await world.copy_part("joined", upload_id, 3, "large", "bytes=5-250000"))
    parts.append(await world.copy_part("joined", upload_id, 4, "small"))
    in_turn = await world.begin("in turn", sequential=True)
    single = (await world.part("in turn", in_turn, 1, LARGE))[0]
    assert md5.fed == 0

    await world.complete("joined", upload_id, parts)
    await world.complete("in turn", in_turn, [single])

    assert md5.fed == sum(len(part.etag) for part in [*parts, single])  # the formula for uploads: over ETags
    assert await world.read("joined") == LARGE + LARGE + LARGE[5:250_001] + SMALL
    assert (await world.checked()).problems == []


async def test_each_body_is_fed_to_md5_once_where_md5_is_set(world: World, md5: type[CountedMd5]) -> None:
    world.etags = "md5"

    await world.put("large", LARGE)

    assert md5.fed == len(LARGE)


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["inline", "blob"])
async def test_content_md5_is_checked_and_kept_and_changes_no_etag(world: World, content: bytes) -> None:
    with pytest.raises(OssError) as refused:
        await world.put("a", content, base64_md5(b"another"))
    assert refused.value.row is INVALID_DIGEST

    checked = (await world.put("a", content, base64_md5(content))).version
    unchecked = (await world.put("b", content)).version

    assert (checked.etag, checked.md5) == (etag_of(content), md5_hex(content))
    assert (unchecked.etag, unchecked.md5) == (etag_of(content), None)
    assert (await world.checked()).problems == []


async def test_the_md5_of_a_part_is_told_where_it_was_made(world: World) -> None:
    upload_id = await world.begin("a")

    checked = await world.part("a", upload_id, 1, LARGE, base64_md5(LARGE))
    unchecked = await world.part("a", upload_id, 1, LARGE)

    assert [(part.etag, made) for part, made in (checked, unchecked)] == [
        (etag_of(LARGE), md5_hex(LARGE)),
        (etag_of(LARGE), None),
    ]


@pytest.mark.parametrize("finally_", ["md5", "crc64"])
async def test_parts_of_both_kinds_become_one_object(world: World, finally_: EtagKind) -> None:
    upload_id = await world.begin("a")
    parts = []
    for number, world.etags in enumerate(("md5", "crc64", "md5"), 1):
        parts.append((await world.part("a", upload_id, number, LARGE))[0])
    world.etags = finally_

    version = await world.complete("a", upload_id, parts)
    again = await world.complete("a", upload_id, parts)  # the receipt

    assert [part.etag for part in parts] == [md5_hex(LARGE), etag_of(LARGE), md5_hex(LARGE)]
    assert version.etag == again.etag == multipart_etag(part.etag for part in parts)
    assert version.crc64 == crc64(LARGE * 3)
    assert await world.read("a") == LARGE * 3
    assert (await world.checked()).problems == []


async def test_parts_are_copied_from_objects_of_the_other_kind(world: World) -> None:
    made: list[str] = []
    for source, etags in (("crc64", "md5"), ("md5", "crc64")):
        world.etags = source
        await world.put("source", LARGE)
        upload_id = await world.begin("a")
        world.etags = etags
        made.append((await world.copy_part("a", upload_id, 1, "source")).etag)

    assert made == [md5_hex(LARGE), etag_of(LARGE)]


async def test_a_sequential_upload_of_one_part_without_md5_is_read_for_it_under_md5(world: World) -> None:
    upload_id = await world.begin("a", sequential=True)
    part, _ = await world.part("a", upload_id, 1, LARGE)
    world.etags = "md5"

    version = await world.complete("a", upload_id, [part])

    assert version.md5 == md5_hex(LARGE)
    assert (await world.checked()).problems == []


async def test_a_copied_object_keeps_its_etag(world: World) -> None:
    source = (await world.put("source", LARGE)).version
    world.etags = "md5"

    copying = world.services.copying
    order = CopyOrder(said=PLAIN, conditions=Conditions())
    copied = await copying.copy(
        world.bucket, ObjectKey("copy"), await copying.locate(f"/{BUCKET}/source"), order
    )

    assert copied.stored.version.etag == source.etag == etag_of(LARGE)


async def test_fsck_finds_a_changed_byte_without_an_md5(world: World) -> None:
    blob_id = (await world.put("a", LARGE)).version.manifest.extents[0].blob_id
    (file,) = [path for path in world.folder.rglob("*") if path.name.endswith(blob_id[-8:])]
    damaged = bytearray(file.read_bytes())
    damaged[1000] ^= 1
    file.write_bytes(damaged)

    report = await world.checked()

    assert report.problems[0] == f"blob {blob_id}: its bytes are not those that were written"
