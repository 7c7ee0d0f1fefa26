"""Laws of races: tasks of one process, and two processes' connections to one file."""

from __future__ import annotations

import asyncio
import random
import sys
from typing import TYPE_CHECKING

import pytest

from mossaic.model.names import UploadId
from mossaic.ports import Absent, Busy, Conflict, StoreError
from mossaic.stores.sql import SqliteMetadata
from tests.contract.given import (
    BUCKET,
    NOW,
    complete,
    given_bucket,
    given_upload,
    ids,
    put_part,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from mossaic.model.upload import Part, Upload
    from mossaic.ports import MetadataStore

ROUNDS = 150


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[tuple[MetadataStore, MetadataStore]]:
    """Two stores with connections of their own, as two gateways have; consistent at the end."""
    stores = [SqliteMetadata.open(tmp_path / "m.db", sync=False) for _ in range(2)]
    yield stores[0], stores[1]
    problems = await stores[0].check()
    for store in stores:
        await store.close()
    assert problems == []


async def both(*steps: object) -> list[object]:
    return await asyncio.gather(*steps, return_exceptions=True)  # type: ignore[call-overload,no-any-return]  # any awaitables


async def open_upload(metadata: MetadataStore, number: int) -> tuple[Upload, list[Part]]:
    upload = await given_upload(metadata, f"U{number}", name=f"k{number}")
    return upload, [await put_part(metadata, upload, n) for n in (1, 2)]


async def test_of_complete_and_abort_exactly_one_wins(pair: tuple[MetadataStore, MetadataStore]) -> None:
    await given_bucket(pair[0])
    completed = 0
    for number in range(ROUNDS):
        upload, parts = await open_upload(pair[0], number)
        one, other = random.sample(pair, 2)
        steps = [complete(one, upload, parts), other.abort(BUCKET, upload.key, upload.upload_id)]
        first = number % 2
        begun = asyncio.ensure_future(steps[first])
        if number % 10 in (0, 1):  # who wins the others is chance, and on some days always the same one
            await asyncio.wait([begun])

        results = await both(begun, steps[1 - first])

        lost = [isinstance(result, Absent) for result in results]
        assert lost.count(True) == 1, results
        is_completed = not lost[0 if first == 0 else 1]
        completed += is_completed
        found = await pair[0].head(BUCKET, upload.key)
        assert (found is not None) == is_completed
        assert (await pair[1].receipt(BUCKET, upload.key, upload.upload_id) is not None) == is_completed
        garbage = set(await pair[0].garbage(now=NOW, limit=10_000))
        assert garbage >= ids(*parts) if not is_completed else not garbage & ids(*parts)
        await pair[1].forget(list(garbage))
    assert 0 < completed < ROUNDS


async def test_of_two_completes_exactly_one_wins(pair: tuple[MetadataStore, MetadataStore]) -> None:
    await given_bucket(pair[0])
    for number in range(ROUNDS):
        upload, parts = await open_upload(pair[0], number)

        results = await both(complete(pair[0], upload, parts), complete(pair[1], upload, parts[:1]))

        lost = [isinstance(result, Absent) for result in results]
        assert lost.count(True) == 1, results
        found = await pair[0].head(BUCKET, upload.key)
        assert found is not None
        assert found.manifest.blob_ids == (ids(*parts) if lost[1] else ids(parts[0]))


async def test_a_part_that_comes_during_complete_is_in_or_out(
    pair: tuple[MetadataStore, MetadataStore],
) -> None:
    await given_bucket(pair[0])
    for number in range(ROUNDS):
        upload, parts = await open_upload(pair[0], number)

        result, late = await both(complete(pair[0], upload, parts), put_part(pair[1], upload, 2))

        if isinstance(late, Absent):
            found = await pair[0].head(BUCKET, upload.key)
            assert found is not None
            assert found.manifest.blob_ids == ids(*parts)
        else:  # it was first: Complete must not publish the part it replaced
            assert isinstance(result, Busy)
            assert await pair[0].all_parts(upload.upload_id) == [parts[0], late]


async def test_the_same_part_in_parallel_keeps_one(pair: tuple[MetadataStore, MetadataStore]) -> None:
    await given_bucket(pair[0])
    upload = await given_upload(pair[0])

    parts = await asyncio.gather(*(put_part(pair[n % 2], upload, 1) for n in range(60)))

    (kept,) = await pair[0].all_parts(upload.upload_id)
    assert kept in parts
    others = [part for part in parts if part != kept]
    assert set(await pair[1].garbage(now=NOW, limit=100)) == ids(*others)


async def test_a_copy_and_a_sweep_never_leave_an_object_without_bytes(
    pair: tuple[MetadataStore, MetadataStore],
) -> None:
    """The source loses its last reference while somebody copies it: the copy has the bytes or is refused."""
    await given_bucket(pair[0])
    for number in range(ROUNDS):
        upload, parts = await open_upload(pair[0], number)
        target = await given_upload(pair[0], f"T{number}", name="t")

        async def sweep(upload: Upload = upload) -> set[str]:
            await pair[1].abort(BUCKET, upload.key, upload.upload_id)
            garbage = await pair[1].garbage(now=NOW, limit=100)
            await pair[1].forget(garbage)
            return set(garbage)

        copied, swept = await both(pair[0].put_part(target.upload_id, parts[0], ()), sweep())

        assert isinstance(swept, set)
        assert isinstance(copied, StoreError) == (parts[0].manifest.extents[0].blob_id in swept)


_OTHER = """
import asyncio, sys
from mossaic.stores.sql import SqliteMetadata
from mossaic.ports import Absent
from tests.contract.given import *

async def main():
    metadata = SqliteMetadata.open(sys.argv[1], sync=False)
    for line in sys.stdin:
        try:
            await metadata.abort(BUCKET, key(line.strip()), UploadId("U" + line.strip()[1:]))
            print("won", flush=True)
        except Absent:
            print("lost", flush=True)
    await metadata.close()

asyncio.run(main())
"""


async def test_two_processes_agree_who_won(tmp_path: Path) -> None:
    metadata = SqliteMetadata.open(tmp_path / "m.db", sync=False)
    await given_bucket(metadata)
    command = (sys.executable, "-c", _OTHER, str(tmp_path / "m.db"))
    other = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert other.stdin is not None
    assert other.stdout is not None

    async def completes(upload: Upload, parts: list[Part]) -> bool:
        try:
            await complete(metadata, upload, parts)
        except Absent:
            return False
        return True

    for number in range(60):
        upload, parts = await open_upload(metadata, number)
        other.stdin.write(f"k{number}\n".encode())

        won, answer = await asyncio.gather(completes(upload, parts), other.stdout.readline())

        assert answer.strip() == (b"lost" if won else b"won")
        assert (await metadata.head(BUCKET, upload.key) is not None) == won
    other.stdin.close()
    assert await other.wait() == 0
    assert await metadata.check() == []
    await metadata.close()


async def test_many_writers_of_two_processes_lose_nothing(pair: tuple[MetadataStore, MetadataStore]) -> None:
    await given_bucket(pair[0])
    upload = await given_upload(pair[0])

    await asyncio.gather(*(put_part(pair[n % 2], upload, n) for n in range(1, 501)))

    assert len(await pair[1].all_parts(UploadId("U1"))) == 500
    assert (await pair[1].bucket_totals(BUCKET)).part_count == 500


async def test_creating_a_bucket_twice_at_once_makes_one(pair: tuple[MetadataStore, MetadataStore]) -> None:
    results = await both(given_bucket(pair[0]), given_bucket(pair[1]))

    assert sorted(isinstance(result, Conflict) for result in results) == [False, True]
