"""An upload begun with ali-oss is gone on with from our checkpoint, and the other way round."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mossaic.client.checkpoint import Checkpoint, PartRecord
from tests.e2e.ali_oss.support import KIB, MIB, parts_put, stored_md5

if TYPE_CHECKING:
    import oss2

    from tests.e2e.ali_oss.driver import AliOss
    from tests.e2e.ali_oss.support import Source
    from tests.e2e.harness import Server

KEY = "photos/big 钥.bin"
PART = 512 * KIB


def piece(source: Source, offset: int, size: int) -> bytes:
    with source.path.open("rb") as file:
        file.seek(offset)
        return file.read(size)


def put(
    bucket: oss2.Bucket, source: Source, checkpoint: Checkpoint, number: int, offset: int, size: int
) -> Checkpoint:
    """Send a part and write it down."""
    stored = bucket.upload_part(KEY, checkpoint.upload_id, number, piece(source, offset, size))
    etag = stored.etag.strip('"').upper()
    return checkpoint.with_part(
        PartRecord(number=number, offset=offset, size=size, etag=etag, crc64=stored.crc)
    )


def given_upload(bucket: oss2.Bucket, source: Source) -> Checkpoint:
    return Checkpoint(
        endpoint=bucket.endpoint,
        bucket=bucket.bucket_name,
        name=KEY,
        upload_id=bucket.init_multipart_upload(KEY).upload_id,
        part_size=PART,
        file=str(source.path),
        file_size=source.size,
    )


def test_what_ali_oss_began_is_finished_from_its_checkpoint(
    server: Server, bucket: oss2.Bucket, ali_oss: AliOss, source: Source
) -> None:
    with ali_oss.start(
        "stalled", key=KEY, file=str(source.path), options={"partSize": PART}, after=3
    ) as running:
        told = running.event("stalled")["checkpoint"]
        running.kill()

    checkpoint = Checkpoint.from_json(told)
    assert (checkpoint.name, checkpoint.file_size, len(checkpoint.parts)) == (KEY, source.size, 3)
    there = {part.number for part in checkpoint.parts}
    for number in {1, 2, 3, 4, 5, 6, 7} - there:
        offset = (number - 1) * PART
        checkpoint = put(bucket, source, checkpoint, number, offset, min(PART, source.size - offset))
    listed = bucket.list_parts(KEY, checkpoint.upload_id).parts
    bucket.complete_multipart_upload(KEY, checkpoint.upload_id, listed)

    assert [(part.number, part.size, part.etag) for part in checkpoint.parts] == [
        (part.part_number, part.size, part.etag) for part in listed
    ]
    assert sorted(parts_put(server, checkpoint.upload_id)) == [1, 2, 3, 4, 5, 6, 7]
    assert stored_md5(bucket, KEY) == source.md5


def test_what_we_began_is_finished_by_ali_oss_which_sends_the_missing_parts_only(
    server: Server, bucket: oss2.Bucket, ali_oss: AliOss, source: Source
) -> None:
    checkpoint = given_upload(bucket, source)
    for number in (5, 2):
        checkpoint = put(bucket, source, checkpoint, number, (number - 1) * PART, PART)

    told = json.loads(checkpoint.dumps())
    done = ali_oss.run("upload", key=KEY, file=str(source.path), options={}, checkpoint=told)

    assert done["progress"][0] == {"fraction": 3 / 8, "done": 3}
    assert sorted(parts_put(server, checkpoint.upload_id)) == [1, 2, 3, 4, 5, 6, 7]
    assert stored_md5(bucket, KEY) == source.md5


def test_parts_of_unequal_sizes_never_make_ali_oss_build_a_mixed_object(
    server: Server, bucket: oss2.Bucket, ali_oss: AliOss, source: Source
) -> None:
    """It believes every part to lie where its number says: parts that do not are sent again, the others are not."""
    checkpoint = given_upload(bucket, source)
    checkpoint = put(bucket, source, checkpoint, 1, 0, PART)
    checkpoint = put(bucket, source, checkpoint, 2, PART, MIB)
    checkpoint = put(bucket, source, checkpoint, 3, PART + MIB, MIB)
    checkpoint = put(bucket, source, checkpoint, 40, source.size - PART, PART)

    told = json.loads(checkpoint.dumps())
    ali_oss.run("upload", key=KEY, file=str(source.path), options={}, checkpoint=told)

    assert sorted(parts_put(server, checkpoint.upload_id)) == [1, 2, 2, 3, 3, 4, 5, 6, 7, 40]
    assert stored_md5(bucket, KEY) == source.md5
