"""fsck says "sound" of a sound store, and names each kind of damage."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mossaic.model.bucket import Versioning
from mossaic.model.manifest import Extent, Manifest
from mossaic.model.names import BlobId, UploadId, new_blob_id
from mossaic.model.object import Blob
from mossaic.model.upload import Part
from mossaic.ports import Commit
from mossaic.protocol.checksum import crc64, crc64_join, md5_hex
from mossaic.service.fsck import FsckReport, fsck
from tests.contract.given import BUCKET, NOW, a_version, completion, given_bucket, given_upload, key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mossaic.ports import BlobStore, MetadataStore


def write(blobs: BlobStore, content: bytes) -> Blob:
    blob = Blob(
        blob_id=new_blob_id(),
        size=len(content),
        md5=hashlib.md5(content).hexdigest().upper(),
        crc64=crc64(content),
    )
    sink = blobs.create(blob.blob_id, len(content))
    sink.write(memoryview(content))
    sink.commit()
    return blob


def part_of(number: int, blob: Blob) -> Part:
    return Part(
        number=number,
        size=blob.size,
        etag=blob.md5,
        crc64=blob.crc64,
        stored_at=NOW,
        manifest=Manifest([Extent(blob.blob_id, 0, blob.size)]),
    )


async def given_everything(metadata: MetadataStore, blobs: BlobStore) -> Blob:
    """Objects of every kind, versions, an open upload, shared bytes; the blob of the object `big`."""
    await given_bucket(metadata, Versioning.ENABLED)
    content = os.urandom(3_000_000)
    big = write(blobs, content)
    whole = Manifest([Extent(big.blob_id, 0, big.size)])
    version = a_version("big", whole, md5=big.md5, crc64=big.crc64)
    await metadata.put_object(Commit(version=version, new_blobs=(big,)))
    cut = content[100:2_000_000]
    piece = a_version("piece", Manifest(whole.cut(100, 2_000_000)), md5=md5_hex(cut), crc64=crc64(cut))
    await metadata.put_object(Commit(version=piece))
    for text in (b"one", b"two", b""):
        small = a_version("small", inline=text, size=len(text), md5=md5_hex(text), crc64=crc64(text))
        await metadata.put_object(Commit(version=small))
    await metadata.delete_object(BUCKET, key("small"), None, NOW)
    parts = [write(blobs, os.urandom(200_000)) for _ in range(3)]
    for upload_id in ("U1", "U2"):
        upload = await given_upload(metadata, upload_id)
        for number, blob in enumerate(parts, 1):
            new = (blob,) if upload_id == "U1" else ()
            await metadata.put_part(upload.upload_id, part_of(number, blob), new)
    upload = await given_upload(metadata, "U3", name="joined")
    for number, blob in enumerate(parts, 1):
        await metadata.put_part(upload.upload_id, part_of(number, blob), ())
    commit, receipt = completion(upload, [part_of(number, blob) for number, blob in enumerate(parts, 1)])
    joined = replace(commit.version, crc64=crc64_join([(blob.crc64, blob.size) for blob in parts]))
    await metadata.complete(upload, lambda _: (replace(commit, version=joined), receipt))
    await metadata.put_object(Commit(version=replace(joined, key=key("copy"))))
    return big


async def test_a_sound_store_is_sound(metadata: MetadataStore, blobs: BlobStore) -> None:
    await given_everything(metadata, blobs)

    report = await fsck(metadata, blobs, read_bytes=True)

    assert report.problems == []
    assert report.sound
    assert (report.versions, report.parts, report.blobs) == (7, 6, 4)
    assert report.bytes_read == 3_000_000 + 600_000 + 1_999_900
    assert (report.garbage_count, report.unreferenced_count) == (0, 0)
    assert list(report.lines())[-1] == "sound"


def flip(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(1_500_000)
        byte = file.read(1)
        file.seek(1_500_000)
        file.write(bytes([byte[0] ^ 1]))


def shorten(path: Path) -> None:
    os.truncate(path, 2_999_999)


def lengthen(path: Path) -> None:
    os.truncate(path, 3_000_001)


@pytest.mark.parametrize(
    ("damage", "quick"), [(flip, False), (shorten, True), (lengthen, True), (os.unlink, True)]
)
async def test_damaged_bytes_are_named(
    metadata: MetadataStore, blobs: BlobStore, tmp_path: Path, damage: Callable[[Path], None], quick: bool
) -> None:
    big = await given_everything(metadata, blobs)
    (path,) = tmp_path.rglob(big.blob_id)

    damage(path)

    full = await fsck(metadata, blobs, read_bytes=True)
    sizes = await fsck(metadata, blobs, read_bytes=False)
    assert any(big.blob_id in problem for problem in full.problems)
    assert full.sound is False
    assert sizes.sound is not quick
    for report in (full, sizes) if quick else (full,):
        assert named(report, "/big ", "bytes 0-2999999 ", big.blob_id)
        assert named(report, "/piece ", "bytes 0-1999899 ", big.blob_id)
        assert not named(report, "/joined ")
        assert report.problem_count == len(report.problems) == 3


async def test_what_a_damaged_part_belongs_to_is_named(
    metadata: MetadataStore, blobs: BlobStore, tmp_path: Path
) -> None:
    await given_everything(metadata, blobs)
    second = (await metadata.all_parts(UploadId("U1")))[1].manifest.extents[0].blob_id
    (path,) = tmp_path.rglob(second)

    path.unlink()

    report = await fsck(metadata, blobs, read_bytes=True)
    assert named(report, "upload U1 ", "part 2: bytes 0-199999 ", second)
    assert named(report, "upload U2 ", "part 2: bytes 0-199999 ", second)
    assert named(report, "/joined ", "bytes 200000-399999 ", second)
    assert named(report, "/copy ", "bytes 200000-399999 ", second)
    assert report.problem_count == 5


def named(report: FsckReport, *words: str) -> bool:
    """One problem says all the words."""
    return any(all(word in problem for word in words) for problem in report.problems)


async def test_an_object_that_is_not_the_sum_of_its_blobs_is_named(
    metadata: MetadataStore, blobs: BlobStore
) -> None:
    await given_bucket(metadata)
    for name, wrong in {"crc": {"crc64": 1}, "md5": {"md5": "0" * 32}, "size": {"size": 4}}.items():
        blob = write(blobs, b"hello")
        right = {"crc64": blob.crc64, "md5": blob.md5}
        version = a_version(name, Manifest([Extent(blob.blob_id, 0, 5)]), **(right | wrong))
        await metadata.put_object(Commit(version=version, new_blobs=(blob,)))
    inline = a_version("inline", inline=b"hello", size=5, crc64=1)
    await metadata.put_object(Commit(version=inline))

    report = await fsck(metadata, blobs, read_bytes=False)

    assert report.problem_count == 4
    for name in ("crc", "md5", "size", "inline"):
        assert any(f"/{name} " in problem for problem in report.problems)


async def test_unreferenced_bytes_are_listed_and_are_no_problem(
    metadata: MetadataStore, blobs: BlobStore
) -> None:
    await given_bucket(metadata)
    orphan = write(blobs, b"orphan")
    upload = await given_upload(metadata)
    blob = write(blobs, b"garbage!")
    await metadata.put_part(upload.upload_id, part_of(1, blob), (blob,))
    await metadata.abort(BUCKET, upload.key, upload.upload_id)

    report = await fsck(metadata, blobs, read_bytes=True)

    assert report.sound
    assert report.unreferenced == [orphan.blob_id]
    assert (report.unreferenced_bytes, report.garbage_count, report.garbage_bytes) == (6, 1, 8)


def test_a_report_stays_short_and_counts_all() -> None:
    report = FsckReport()
    for number in range(5_000):
        report.found(f"problem {number}")
        report.found_unreferenced(BlobId(f"{number:032x}"), 2)

    lines = list(report.lines())

    assert len(lines) < 2_100
    assert lines[-1] == "5000 problems"
    assert list(FsckReport(problem_count=1).lines())[-1] == "1 problem"
    assert report.unreferenced_bytes == 10_000
