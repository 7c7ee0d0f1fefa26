"""Laws of upload-request links: what counts, what is refused, and who wins the last place."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from mossaic.model.bucket import Versioning
from mossaic.model.upload_request import (
    MAX_OPEN_UPLOADS,
    Creator,
    Limits,
    Reason,
    UploadRequest,
    hash_of,
)
from mossaic.ports import Absent, Commit, LinkRefused
from mossaic.stores.sql import SqliteMetadata
from tests.contract.given import (
    BUCKET,
    NOW,
    a_blob,
    a_bucket,
    a_part,
    a_version,
    complete,
    given_bucket,
    given_upload,
    put,
    put_part,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from mossaic.model.upload import Part, Upload
    from mossaic.ports import MetadataStore, Stored

END = NOW + timedelta(days=1)
ROUNDS = 60


async def given_link(metadata: MetadataStore, **limits: int) -> UploadRequest:
    """A bucket with a link."""
    await given_bucket(metadata)
    link = UploadRequest(
        request_id="link",
        secret_hash=hash_of("secret"),
        bucket=BUCKET,
        prefix="in/",
        title="Photos",
        note="",
        creator=Creator(id="1", user=None, key_id="AK"),
        limits=Limits(**limits),
        created_at=NOW,
        expires_at=END,
    )
    await metadata.add_request(link)
    return link


async def link_of(metadata: MetadataStore) -> UploadRequest:
    found = await metadata.upload_request("link")
    assert found is not None
    return found


async def counts(metadata: MetadataStore) -> tuple[int, int, int]:
    """Objects, their bytes, and bytes of open uploads."""
    link = await link_of(metadata)
    return link.used_objects, link.used_bytes, link.held_bytes


async def drop(metadata: MetadataStore, name: str, size: int = 10, **more: Any) -> Stored:
    blob = a_blob(size)
    version = a_version(name, whole(blob), **more)
    return await metadata.put_object(Commit(version=version, new_blobs=(blob,), request_id="link"))


async def begin(metadata: MetadataStore, upload_id: str = "U1", **more: Any) -> Upload:
    return await given_upload(metadata, upload_id, **({"request_id": "link", "visit": "v"} | more))


async def send(metadata: MetadataStore, upload: Upload, number: int, size: int, **more: Any) -> Part:
    blob = a_blob(size)
    part = replace(a_part(number, blob), **more)
    await metadata.put_part(upload.upload_id, part, (blob,))
    return part


async def refused(step: Any) -> Reason:
    with pytest.raises(LinkRefused) as caught:
        await step
    return caught.value.reason


async def test_a_link_is_found_as_it_was_made(metadata: MetadataStore) -> None:
    link = await given_link(metadata, objects=3, object_bytes=5, total_bytes=9)

    assert await metadata.upload_request("link") == link
    assert list(await metadata.upload_requests(BUCKET)) == [link]
    assert await metadata.upload_request("other") is None


async def test_links_of_a_bucket_come_newest_first_and_go_with_it(metadata: MetadataStore) -> None:
    link = await given_link(metadata)
    newer = replace(link, request_id="newer", created_at=NOW + timedelta(seconds=1))
    await metadata.add_request(newer)
    assert [each.request_id for each in await metadata.upload_requests(BUCKET)] == ["newer", "link"]

    await metadata.delete_bucket(BUCKET)
    await metadata.create_bucket(a_bucket(), quota=100)

    assert list(await metadata.upload_requests(BUCKET)) == []
    assert await metadata.upload_request("link") is None


async def test_a_link_needs_its_bucket(metadata: MetadataStore) -> None:
    link = await given_link(metadata)
    await metadata.delete_bucket(BUCKET)

    with pytest.raises(Absent):
        await metadata.add_request(link)


async def test_an_object_counts_when_it_is_published(metadata: MetadataStore) -> None:
    await given_link(metadata, objects=2, total_bytes=100)

    await drop(metadata, "in/a", 30)
    await drop(metadata, "in/b", 40)

    assert await counts(metadata) == (2, 70, 0)
    assert await refused(drop(metadata, "in/c", 1)) is Reason.COUNT
    assert await metadata.head(BUCKET, a_version("in/c").key) is None
    assert await counts(metadata) == (2, 70, 0)


async def test_what_is_deleted_does_not_make_room_again(metadata: MetadataStore) -> None:
    await given_link(metadata, objects=1)
    stored = await drop(metadata, "in/a")

    await metadata.delete_object(BUCKET, stored.version.key, None, NOW)

    assert await refused(drop(metadata, "in/b")) is Reason.COUNT


async def test_sizes_are_bounded_to_the_byte(metadata: MetadataStore) -> None:
    await given_link(metadata, object_bytes=50, total_bytes=60)

    assert await refused(drop(metadata, "in/a", 51)) is Reason.OBJECT_SIZE
    await drop(metadata, "in/a", 50)
    assert await refused(drop(metadata, "in/b", 11)) is Reason.TOTAL
    await drop(metadata, "in/b", 10)
    await drop(metadata, "in/empty", 0)


async def test_nothing_is_replaced_whatever_the_versioning(metadata: MetadataStore) -> None:
    await given_link(metadata)
    await put(metadata, "in/a")
    for versioning in (Versioning.UNSET, Versioning.ENABLED, Versioning.SUSPENDED):
        bucket = await metadata.bucket(BUCKET)
        assert bucket is not None
        await metadata.change_bucket(replace(bucket, versioning=versioning))

        assert await refused(drop(metadata, "in/a")) is Reason.EXISTS
        assert await refused(begin(metadata, name="in/a")) is Reason.EXISTS
    assert await counts(metadata) == (0, 0, 0)


async def test_an_object_that_came_during_an_upload_is_not_replaced(metadata: MetadataStore) -> None:
    await given_link(metadata)
    upload = await begin(metadata, name="in/a")
    part = await send(metadata, upload, 1, 10)
    await put(metadata, "in/a")

    assert await refused(complete(metadata, upload, [part])) is Reason.EXISTS
    assert await counts(metadata) == (0, 0, 10)


async def test_parts_count_while_the_upload_is_open(metadata: MetadataStore) -> None:
    await given_link(metadata, object_bytes=80, total_bytes=100)
    upload = await begin(metadata)
    await send(metadata, upload, 1, 30)
    await send(metadata, upload, 2, 50)
    assert await counts(metadata) == (0, 0, 80)

    assert await refused(send(metadata, upload, 3, 1)) is Reason.OBJECT_SIZE
    assert await refused(send(metadata, upload, 1, 31)) is Reason.OBJECT_SIZE
    await send(metadata, upload, 1, 20)
    assert await counts(metadata) == (0, 0, 70)

    other = await begin(metadata, "U2", name="in/b")
    assert await refused(send(metadata, other, 1, 31)) is Reason.TOTAL
    assert await refused(drop(metadata, "in/c", 31)) is Reason.TOTAL
    await send(metadata, other, 1, 30)
    assert await counts(metadata) == (0, 0, 100)


async def test_complete_turns_held_bytes_into_used_ones(metadata: MetadataStore) -> None:
    await given_link(metadata, total_bytes=100)
    upload = await begin(metadata)
    kept = await send(metadata, upload, 1, 60)
    await send(metadata, upload, 2, 40)

    await complete(metadata, upload, [kept])

    assert await counts(metadata) == (1, 60, 0)


async def test_abort_gives_the_bytes_back(metadata: MetadataStore) -> None:
    await given_link(metadata, total_bytes=100)
    upload = await begin(metadata)
    await send(metadata, upload, 1, 100)

    await metadata.abort(BUCKET, upload.key, upload.upload_id)

    assert await counts(metadata) == (0, 0, 0)
    await drop(metadata, "in/b", 100)


async def test_a_link_that_has_ended_takes_nothing_more(metadata: MetadataStore) -> None:
    await given_link(metadata)
    upload = await begin(metadata)
    part = await send(metadata, upload, 1, 10)

    revoked = await metadata.revoke_request("link", NOW)

    assert revoked.revoked_at == NOW
    assert await refused(send(metadata, upload, 2, 10)) is Reason.ENDED
    assert await refused(complete(metadata, upload, [part])) is Reason.ENDED
    assert await refused(drop(metadata, "in/b")) is Reason.ENDED
    assert await refused(begin(metadata, "U2", name="in/c")) is Reason.ENDED
    assert [each.upload_id for each in await metadata.uploads_of_ended(NOW, 10)] == ["U1"]
    assert await counts(metadata) == (0, 0, 10)


async def test_a_link_ends_by_itself(metadata: MetadataStore) -> None:
    await given_link(metadata)
    upload = await begin(metadata)
    just_before = END - timedelta(microseconds=1)
    await send(metadata, upload, 1, 10, stored_at=just_before)

    assert await refused(send(metadata, upload, 2, 10, stored_at=END)) is Reason.ENDED
    assert await refused(drop(metadata, "in/b", modified_at=END)) is Reason.ENDED
    assert list(await metadata.uploads_of_ended(just_before, 10)) == []
    assert [each.upload_id for each in await metadata.uploads_of_ended(END, 10)] == ["U1"]


async def test_a_link_is_revoked_once(metadata: MetadataStore) -> None:
    await given_link(metadata)
    await metadata.revoke_request("link", NOW)

    again = await metadata.revoke_request("link", NOW + timedelta(hours=1))

    assert again.revoked_at == NOW
    with pytest.raises(Absent):
        await metadata.revoke_request("other", NOW)


async def test_ended_links_are_forgotten_when_their_uploads_are_gone(metadata: MetadataStore) -> None:
    await given_link(metadata)
    upload = await begin(metadata)
    await metadata.revoke_request("link", NOW)
    later = NOW + timedelta(seconds=1)
    assert await metadata.forget_requests(later) == 0

    await metadata.abort(BUCKET, upload.key, upload.upload_id)

    assert await metadata.forget_requests(NOW) == 0
    assert await metadata.forget_requests(later) == 1
    assert await metadata.upload_request("link") is None


async def test_a_living_link_is_not_forgotten(metadata: MetadataStore) -> None:
    await given_link(metadata)

    assert await metadata.forget_requests(NOW + timedelta(hours=23)) == 0


async def test_open_uploads_of_a_link_are_bounded(metadata: MetadataStore) -> None:
    await given_link(metadata, objects=10_000)
    for number in range(MAX_OPEN_UPLOADS):
        await begin(metadata, f"U{number}", name=f"in/{number}")

    assert await refused(begin(metadata, "one-more", name="in/more")) is Reason.UPLOADS


async def test_uploads_of_others_have_nothing_to_do_with_a_link(metadata: MetadataStore) -> None:
    await given_link(metadata, objects=1, total_bytes=1, object_bytes=1)
    upload = await given_upload(metadata)
    parts = [await put_part(metadata, upload, number) for number in (1, 2)]

    await complete(metadata, upload, parts)

    assert await counts(metadata) == (0, 0, 0)


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[tuple[MetadataStore, MetadataStore]]:
    """Two stores with connections of their own, as two processes have; consistent at the end."""
    stores = [SqliteMetadata.open(tmp_path / "m.db", sync=False) for _ in range(2)]
    yield stores[0], stores[1]
    problems = await stores[0].check()
    for store in stores:
        await store.close()
    assert problems == []


async def test_of_two_completes_for_the_last_place_exactly_one_wins(
    pair: tuple[MetadataStore, MetadataStore],
) -> None:
    link = await given_link(pair[0], objects=1)
    for number in range(ROUNDS):
        name = f"link-{number}"
        await pair[0].add_request(replace(link, request_id=name))
        uploads = [
            await begin(pair[side], f"U{number}-{side}", name=f"in/{number}-{side}", request_id=name)
            for side in (0, 1)
        ]
        parts = [await send(pair[side], uploads[side], 1, 10) for side in (0, 1)]

        results = await asyncio.gather(
            *(complete(pair[side], uploads[side], [parts[side]]) for side in (0, 1)),
            return_exceptions=True,
        )

        lost = [each.reason for each in results if isinstance(each, LinkRefused)]
        assert lost == [Reason.COUNT], results
        left = await pair[1].upload_request(name)
        assert left is not None
        assert (left.used_objects, left.used_bytes, left.held_bytes) == (1, 10, 10)


async def test_a_hundred_writers_share_what_is_there(pair: tuple[MetadataStore, MetadataStore]) -> None:
    """Objects and parts by turns, over two connections: never more than the limits, and all that fits."""
    await given_link(pair[0], objects=1_000, total_bytes=200)
    uploads = [await begin(pair[0], f"U{number}", name=f"in/u{number}") for number in range(40)]

    async def one(number: int) -> bool:
        store = pair[number % 2]
        try:
            if number % 3:
                await drop(store, f"in/{number}", 10)
            else:
                await send(store, uploads[number // 3], 1, 10)
        except LinkRefused as error:
            return error.reason is not Reason.TOTAL
        return True

    done = await asyncio.gather(*map(one, range(100)))

    assert done.count(True) == 20
    used, used_bytes, held = await counts(pair[1])
    assert used_bytes + held == 200
    assert used == used_bytes // 10
