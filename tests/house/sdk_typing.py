"""What type checkers must see of AsyncClient; read by mypy and pyright (`test_sdk.py`), never run.

A line that ends in `# wrong` must be an error for both, any other for neither.
"""

# pyright: strict
from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import assert_type

from mossaic.client.aio import (
    AsyncClient,
    AsyncDownload,
    AsyncGetResult,
    AsyncPaged,
    AsyncUpload,
    AsyncWriter,
)
from mossaic.client.client import Client
from mossaic.client.results import DeleteManyResult, ObjectInfo, PostForm, PutResult
from mossaic.client.upload.task import UploadResult
from mossaic.protocol.operations.listing import CommonPrefix, ObjectEntry


async def pieces() -> AsyncIterator[bytes]:
    yield b"x"


async def right(client: AsyncClient, blocking: Client) -> None:
    assert_type(await client.put("k", b"x", meta={"a": "1"}, bucket="b"), PutResult)
    assert_type(await client.put(name="k", data=pieces(), forbid_overwrite=True), PutResult)
    assert_type(await client.head("k", if_match="e", version_id=None), ObjectInfo)
    assert_type(await client.exists("k"), bool)
    assert_type(await client.get_tags("k"), dict[str, str])
    assert_type(await client.delete_many(["a", ("b", "v")], quiet=False), DeleteManyResult)
    assert_type(client.list_objects("a/", delimiter="/"), AsyncPaged[ObjectEntry | CommonPrefix])
    async for entry in client.list_objects():
        assert_type(entry, ObjectEntry | CommonPrefix)
    async with client.get("k", range=(0, 5)) as opened:
        assert_type(opened, AsyncGetResult)
        assert_type(await opened.read(), bytes)
    assert_type(await client.get("k"), AsyncGetResult)
    assert_type(await client.sign_url("k", expires=60), str)
    assert_type(await client.sign_post_policy(prefix="in/"), PostForm)
    assert_type(await client.multipart_upload("k", pieces(), part_size=102_400), UploadResult)
    assert_type(client.start_upload("k", b"x", parallel=3), AsyncUpload)
    assert_type(client.start_download("k", "file", parallel=3), AsyncDownload)
    assert_type(client.open_writer("k", part_size=102_400), AsyncWriter)
    assert_type(client.with_bucket("b"), AsyncClient)
    assert_type(AsyncClient("http://localhost", bucket="b", checksum="none"), AsyncClient)
    assert_type(AsyncClient.from_profile("p"), AsyncClient)
    assert_type(AsyncClient.over(blocking, workers=4), AsyncClient)
    for each in blocking.list_objects():
        if isinstance(each, CommonPrefix):
            assert_type(each.prefix, str)
        else:
            assert_type(each.modified_at, datetime)


async def wrong(client: AsyncClient, blocking: Client) -> None:
    await client.put("k")  # wrong
    await client.put("k", 5)  # wrong
    await client.put("k", b"x", mimetype="text/plain")  # wrong
    await client.put("k", b"x", mime=5)  # wrong
    await client.head("k", buckets="b")  # wrong
    await client.get("k", range="0-5")  # wrong
    client.list_objects(delimiter=5)  # wrong
    client.start_upload("k", b"x", parallels=3)  # wrong
    client.with_bucket()  # wrong
    AsyncClient("http://localhost", buckets="b")  # wrong
    (await client.put("k", b"x")).tag  # wrong  # noqa: B018
    blocking.put("k", b"x", traffic_limit="fast")  # wrong
    for each in blocking.list_objects():
        each.size  # wrong  # noqa: B018
