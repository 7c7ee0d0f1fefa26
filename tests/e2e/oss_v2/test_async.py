"""alibabacloud-oss-v2, asyncio client: the same flow as the blocking one, parts in parallel tasks."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING
from urllib.parse import quote  # a link's target travels encoded, and this SDK leaves that to its caller

import aiohttp
import alibabacloud_oss_v2 as oss
import alibabacloud_oss_v2.aio as oss_aio
import pytest

from tests.e2e.harness import (
    PART,
    CallbackReceiver,
    Server,
    b64_json,
    callback_fields,
    multipart_etag,
    noise,
)
from tests.e2e.oss_v2.conftest import config, refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

KEY = "папка/файл +&%.bin"


@pytest.fixture(params=["v1", "v4"])
async def client(request: pytest.FixtureRequest, server: Server) -> AsyncIterator[oss_aio.AsyncClient]:
    async with oss_aio.AsyncClient(config(server, version=request.param)) as opened:
        yield opened


async def begin(client: oss_aio.AsyncClient, bucket: str, **options: object) -> str:
    request = oss.InitiateMultipartUploadRequest(bucket=bucket, key=KEY, **options)
    return (await client.initiate_multipart_upload(request)).upload_id


async def put_parts(
    client: oss_aio.AsyncClient, bucket: str, upload_id: str, data: bytes, numbers: Iterable[int]
) -> list[oss.UploadPart]:
    """The given parts of `data`, all at once."""

    async def one(number: int) -> oss.UploadPart:
        body = data[(number - 1) * PART : number * PART]
        request = oss.UploadPartRequest(
            bucket=bucket, key=KEY, upload_id=upload_id, part_number=number, body=body
        )
        return oss.UploadPart(part_number=number, etag=(await client.upload_part(request)).etag)

    return list(await asyncio.gather(*(one(number) for number in numbers)))


def completion(
    bucket: str, upload_id: str, parts: list[oss.UploadPart], **options: object
) -> oss.CompleteMultipartUploadRequest:
    listed = oss.CompleteMultipartUpload(parts=parts)
    return oss.CompleteMultipartUploadRequest(
        bucket=bucket, key=KEY, upload_id=upload_id, complete_multipart_upload=listed, **options
    )


async def read(client: oss_aio.AsyncClient, bucket: str, key: str = KEY, **options: object) -> bytes:
    got = await client.get_object(oss.GetObjectRequest(bucket=bucket, key=key, **options))
    return got.body.content


async def put(
    client: oss_aio.AsyncClient, bucket: str, body: bytes, **options: object
) -> oss.PutObjectResult:
    return await client.put_object(oss.PutObjectRequest(bucket=bucket, key=KEY, body=body, **options))


async def test_an_interrupted_upload_goes_on_from_the_parts_the_service_lists(
    server: Server, client: oss_aio.AsyncClient, bucket: str
) -> None:
    """This client has no uploader of its own: ListParts is the checkpoint."""
    data = noise(7 * PART + 99)
    upload_id = await begin(client, bucket)
    await put_parts(client, bucket, upload_id, data, [1, 2, 5])

    request = oss.ListPartsRequest(bucket=bucket, key=KEY, upload_id=upload_id)
    pages = client.list_parts_paginator(limit=2).iter_page(request)
    done = [
        oss.UploadPart(part_number=p.part_number, etag=p.etag) async for page in pages for p in page.parts
    ]
    missing = sorted(set(range(1, 9)) - {part.part_number for part in done})
    done += await put_parts(client, bucket, upload_id, data, missing)
    ordered = sorted(done, key=lambda part: part.part_number)
    result = await client.complete_multipart_upload(completion(bucket, upload_id, ordered))

    assert missing == [3, 4, 6, 7, 8]
    assert sorted(server.parts_put(bucket)) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert result.etag == f'"{multipart_etag(data, PART)}"'
    assert await read(client, bucket) == data
    assert (
        await read(client, bucket, range_header=f"bytes={PART - 2}-{3 * PART}")
        == data[PART - 2 : 3 * PART + 1]
    )


async def test_an_object_read_as_a_stream(client: oss_aio.AsyncClient, bucket: str) -> None:
    data = noise(5 * PART)
    await put(client, bucket, data)

    got = await client.get_object_as_stream(oss.GetObjectRequest(bucket=bucket, key=KEY))
    async with got.body as body:
        pieces = [piece async for piece in await body.iter_bytes()]

    assert b"".join(pieces) == data


async def test_parts_and_uploads_are_listed_and_an_abort_ends_them(
    client: oss_aio.AsyncClient, bucket: str
) -> None:
    upload_id = await begin(client, bucket)
    parts = await put_parts(client, bucket, upload_id, noise(PART), [1])
    listed = await client.list_multipart_uploads(oss.ListMultipartUploadsRequest(bucket=bucket))
    gone = oss.AbortMultipartUploadRequest(bucket=bucket, key=KEY, upload_id=upload_id)

    await client.abort_multipart_upload(gone)

    assert [(one.key, one.upload_id) for one in listed.uploads] == [(KEY, upload_id)]
    for attempt in (
        put_parts(client, bucket, upload_id, noise(PART), [2]),
        client.complete_multipart_upload(completion(bucket, upload_id, parts)),
    ):
        with pytest.raises(oss.exceptions.OperationError) as caught:
            await attempt
        assert (refused(caught).status_code, refused(caught).code) == (404, "NoSuchUpload")


async def test_headers_tags_and_meta_come_back(client: oss_aio.AsyncClient, bucket: str) -> None:
    upload_id = await begin(
        client, bucket, cache_control="no-cache", expires="1000", metadata={"author": "me"}, tagging="a=1"
    )
    parts = await put_parts(client, bucket, upload_id, noise(PART), [1])
    await client.complete_multipart_upload(completion(bucket, upload_id, parts))

    head = await client.head_object(oss.HeadObjectRequest(bucket=bucket, key=KEY))
    tags = await client.get_object_tagging(oss.GetObjectTaggingRequest(bucket=bucket, key=KEY))

    assert (head.cache_control, head.expires, head.metadata["author"]) == ("no-cache", "1000", "me")
    assert [(tag.key, tag.value) for tag in tags.tag_set.tags] == [("a", "1")]


async def test_forbid_overwrite_and_the_storage_class_at_complete(
    client: oss_aio.AsyncClient, bucket: str
) -> None:
    upload_id = await begin(client, bucket)
    parts = await put_parts(client, bucket, upload_id, noise(PART), [1])
    await put(client, bucket, b"first")

    for options, wanted in (
        ({"forbid_overwrite": True}, (409, "FileAlreadyExists")),
        ({"headers": {"x-oss-storage-class": "IA"}}, (400, "OperationNotSupported")),
    ):
        with pytest.raises(oss.exceptions.OperationError) as caught:
            await client.complete_multipart_upload(completion(bucket, upload_id, parts, **options))
        assert (refused(caught).status_code, refused(caught).code) == wanted
    assert await read(client, bucket) == b"first"


async def test_a_callback_with_a_custom_variable(
    client: oss_aio.AsyncClient, bucket: str, receiver: CallbackReceiver
) -> None:
    upload_id = await begin(client, bucket)
    parts = await put_parts(client, bucket, upload_id, noise(PART), [1])
    callback = {
        "callback": b64_json(callback_fields(receiver.url)),
        "callback_var": b64_json({"x:order": "7"}),
    }

    result = await client.complete_multipart_upload(completion(bucket, upload_id, parts, **callback))

    assert json.loads(result.callback_result) == {"Status": "OK"}
    assert (receiver.calls[0].form()["object"], receiver.calls[0].form()["order"]) == (KEY, "7")
    assert receiver.calls[0].signature_holds()


async def test_list_copy_append_symlink_and_delete(client: oss_aio.AsyncClient, bucket: str) -> None:
    await put(client, bucket, b"hello")
    await client.copy_object(oss.CopyObjectRequest(bucket=bucket, key="copy", source_key=KEY))
    for position, body in ((0, b"one "), (4, b"two")):
        await client.append_object(
            oss.AppendObjectRequest(bucket=bucket, key="log", position=position, body=body)
        )
    await client.put_symlink(oss.PutSymlinkRequest(bucket=bucket, key="link", target=quote(KEY)))

    assert [await read(client, bucket, key) for key in ("copy", "log", "link")] == [
        b"hello",
        b"one two",
        b"hello",
    ]
    pages = client.list_objects_v2_paginator(limit=1).iter_page(oss.ListObjectsV2Request(bucket=bucket))
    keys = [one.key async for page in pages for one in page.contents or []]
    assert keys == ["copy", "link", "log", KEY]
    objects = [oss.DeleteObject(key=key) for key in keys]
    await client.delete_multiple_objects(oss.DeleteMultipleObjectsRequest(bucket=bucket, objects=objects))
    assert not await client.is_object_exist(bucket, KEY)


async def test_a_presigned_request(client: oss_aio.AsyncClient, bucket: str) -> None:
    await put(client, bucket, b"hello")

    signed = await client.presign(oss.GetObjectRequest(bucket=bucket, key=KEY))

    async with (
        aiohttp.ClientSession() as session,
        # the URL is signed as it is spelled: keep aiohttp from requoting it
        session.request(signed.method, aiohttp.client.URL(signed.url, encoded=True)) as answer,
    ):
        assert (answer.status, await answer.read()) == (200, b"hello")
