"""AsyncClient: the same calls awaited, cut off with their task, fed by asynchronous sources, without stopping the loop."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from mossaic.client.aio import AsyncClient, work
from mossaic.client.client import Client
from mossaic.client.credentials import Static
from mossaic.client.errors import Cancelled, ChecksumMismatch, NoSuchKey, UploadCancelled
from mossaic.client.http import Scope
from mossaic.client.store import Memory
from mossaic.protocol.checksum import crc64
from tests.e2e.harness import REGION, Server, noise
from tests.e2e.sdk.conftest import QUICK, connect
from tests.faults.proxy import FaultProxy, Rule

DATA = noise(1_500_000)


@pytest.fixture
async def client(server: Server, bucket: str) -> AsyncIterator[AsyncClient]:
    pair = Static(server.access_key_id, server.access_key_secret)
    async with AsyncClient(
        server.endpoint, bucket=bucket, region=REGION, credentials=pair, retry=QUICK, store=Memory()
    ) as made:
        yield made


@pytest.fixture
async def shaky(server: Server, bucket: str, proxy: FaultProxy) -> AsyncIterator[AsyncClient]:
    async with AsyncClient.over(connect(server, bucket, endpoint=proxy.endpoint), workers=4) as made:
        yield made


async def pieces(data: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for at in range(0, len(data), size):
        await asyncio.sleep(0)
        yield data[at : at + size]


async def test_the_calls_are_awaited(client: AsyncClient, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(DATA)

    put = await client.put("a/k", tmp_path / "f", meta={"a": "1"}, tags={"t": "1"})

    assert put.crc64 == crc64(DATA)
    assert await client.get_bytes("a/k", range=(0, 10)) == DATA[:10]
    assert (await client.head("a/k")).meta == {"a": "1"}
    assert await client.exists("a/k")
    await client.copy("a/k", "b")
    assert await client.get_tags("b") == {"t": "1"}
    await client.delete_many(["a/k", "b"])
    with pytest.raises(NoSuchKey):
        await client.head("a/k")
    assert (await client.bucket_info()).name == client.bucket
    assert client.bucket in await client.sign_url("x") or ""


async def test_objects_are_opened_with_async_with_and_with_await(client: AsyncClient) -> None:
    await client.put("k", DATA)

    async with client.get("k") as opened:
        assert (opened.length, opened.range, opened.info.size) == (len(DATA), (0, len(DATA)), len(DATA))
        first = await opened.read(10)
        assert first + b"".join([piece async for piece in opened]) == DATA
    opened = await client.get("k", range=(5, None))
    buffer = bytearray(100)
    count = await opened.readinto(buffer)
    assert bytes(buffer[:count]) == DATA[5 : 5 + count]
    await opened.close()
    with pytest.raises(ValueError, match="closed"):
        await opened.read()
    async with await client.get("k") as opened:
        assert await opened.read() == DATA


async def test_listings_are_asynchronous_iterators(shaky: AsyncClient, proxy: FaultProxy) -> None:
    for at in range(5):
        await shaky.put(f"{at}", b"")
    proxy.seen.clear()

    listing = shaky.list_objects(page_size=2)
    assert [entry.key async for entry in listing if hasattr(entry, "key")] == ["0", "1", "2", "3", "4"]
    assert len(proxy.seen) == 3
    listing = shaky.list_objects(page_size=2)
    assert (await anext(listing)) is not None
    assert len(await listing.next_page()) == 1
    assert len(await listing.next_page()) == 2
    with pytest.raises(ValueError, match="page"):
        shaky.list_objects(page_size=0)


async def test_an_asynchronous_iterator_is_stored(client: AsyncClient) -> None:
    put = await client.put("k", pieces(DATA))

    assert put.crc64 == crc64(DATA)
    assert await client.get_bytes("k") == DATA
    await client.append("log", pieces(b"one two", 3))
    assert await client.get_bytes("log") == b"one two"


async def test_an_asynchronous_iterator_is_uploaded_in_parts(client: AsyncClient) -> None:
    heard: list[tuple[float | None, bool]] = []
    loop = threading.get_ident()

    done = await client.multipart_upload(
        "k",
        pieces(DATA),
        part_size=102_400,
        parallel=3,
        progress=lambda p: heard.append((p.fraction, threading.get_ident() == loop)),
    )

    assert done.crc64 == crc64(DATA)
    assert await client.get_bytes("k") == DATA
    assert heard[-1][0] == 1.0
    assert all(in_loop for _, in_loop in heard)


async def test_what_a_source_raises_comes_out(client: AsyncClient) -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield DATA
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await client.put("k", failing())

    assert not await client.exists("k")


async def test_the_loop_goes_on_while_calls_wait(shaky: AsyncClient, proxy: FaultProxy) -> None:
    """Four at the same time: the proxy lets none go before all have come."""
    together = threading.Barrier(4, timeout=20)
    proxy.add(Rule(pattern="HEAD", call=lambda _: together.wait(), times=4))

    found = await asyncio.gather(*(shaky.exists(f"{at}") for at in range(4)))

    assert found == [False] * 4


async def test_no_more_calls_run_than_there_are_workers(
    server: Server, bucket: str, proxy: FaultProxy, shaky: AsyncClient
) -> None:
    release, came, loop = threading.Event(), asyncio.Semaphore(0), asyncio.get_running_loop()

    def hold(_: object) -> None:
        loop.call_soon_threadsafe(came.release)
        release.wait(20)

    proxy.add(Rule(pattern="HEAD .*/held", call=hold, times=99))
    async with AsyncClient.over(connect(server, bucket, endpoint=proxy.endpoint), workers=2) as client:
        tasks = [asyncio.create_task(client.exists(f"held/{at}")) for at in range(5)]
        for _ in range(2):
            await asyncio.wait_for(came.acquire(), 20)
        for _ in range(5):  # as long as it takes for others to come, if they did
            await shaky.exists("other")

        under_way = sum("/held/" in seen.target for seen in proxy.seen)
        release.set()
        await asyncio.gather(*tasks)

    assert under_way == 2
    assert sum("/held/" in seen.target for seen in proxy.seen) == 5


# --- cancelling -------------------------------------------------------------------------------------------------------


async def arrival(proxy: FaultProxy, pattern: str, **more: Any) -> asyncio.Event:
    """Set when a request that matches has come to the proxy, which then keeps it for half a minute."""
    arrived, loop = asyncio.Event(), asyncio.get_running_loop()
    proxy.add(
        Rule(pattern=pattern, call=lambda _: loop.call_soon_threadsafe(arrived.set), delay_s=30, **more)
    )
    return arrived


async def test_cancelling_the_task_cuts_the_call_off(shaky: AsyncClient, proxy: FaultProxy) -> None:
    arrived = await arrival(proxy, "HEAD")
    task = asyncio.create_task(shaky.head("k"))
    await arrived.wait()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 10)

    assert not await shaky.exists("k"), "the client works as before"


async def test_a_timeout_cuts_the_call_off(shaky: AsyncClient, proxy: FaultProxy) -> None:
    await arrival(proxy, "PUT")

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await shaky.put("k", DATA)


async def test_a_call_that_waits_for_a_thread_is_never_made(
    server: Server, bucket: str, proxy: FaultProxy
) -> None:
    arrived = await arrival(proxy, "HEAD .*/first")
    async with AsyncClient.over(connect(server, bucket, endpoint=proxy.endpoint), workers=1) as client:
        first = asyncio.create_task(client.exists("first"))
        await arrived.wait()
        second = asyncio.create_task(client.put("second", b"x"))
        await asyncio.sleep(0)

        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first

        assert not await client.exists("second")
    assert [seen.method for seen in proxy.seen] == ["HEAD", "HEAD"]


async def test_a_put_that_waits_for_its_source_is_cut_off(client: AsyncClient) -> None:
    asked, closed = asyncio.Event(), asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            yield DATA
            asked.set()
            await asyncio.Event().wait()
        finally:
            closed.set()

    task = asyncio.create_task(client.put("k", endless()))
    await asked.wait()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 10)

    await asyncio.wait_for(closed.wait(), 10)
    assert not await client.exists("k")


async def test_a_source_that_blocks_does_not_hold_the_cancelling_task(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "PATIENCE_S", 0.05)
    asked, release, loop = asyncio.Event(), threading.Event(), asyncio.get_running_loop()

    def blocking() -> Iterator[bytes]:
        yield DATA
        loop.call_soon_threadsafe(asked.set)
        release.wait(30)
        yield DATA

    task = asyncio.create_task(client.put("k", blocking()))
    await asked.wait()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 10)

    release.set()
    assert not await client.exists("k")


async def test_a_cancelled_read_ends_the_object_and_nothing_else(
    shaky: AsyncClient, proxy: FaultProxy
) -> None:
    await shaky.put("k", DATA)
    proxy.add(Rule(pattern="GET", cut_answer=500_000))
    arrived = await arrival(proxy, "GET")
    opened = await shaky.get("k")
    task = asyncio.create_task(opened.read())
    await arrived.wait()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 10)
    with pytest.raises(Cancelled):
        await opened.read()

    assert await shaky.get_bytes("k") == DATA


async def test_a_scope_cancels_many_calls(shaky: AsyncClient, proxy: FaultProxy) -> None:
    scope = Scope()
    arrived = await arrival(proxy, "HEAD")
    scoped = shaky.with_options(scope=scope)
    task = asyncio.create_task(scoped.exists("k"))
    await arrived.wait()

    scope.cancel()

    with pytest.raises(Cancelled):
        await asyncio.wait_for(task, 10)
    assert scoped.scope is scope
    assert not await shaky.exists("k")


async def test_a_cancelled_upload_can_be_resumed_at_once(client: AsyncClient, tmp_path: Path) -> None:
    """Its journal is free when CancelledError arrives."""
    (tmp_path / "f").write_bytes(DATA)
    began = asyncio.Event()
    task = asyncio.create_task(
        client.multipart_upload(
            "k",
            tmp_path / "f",
            part_size=102_400,
            bandwidth=200_000,
            on_event=lambda event: began.set() if event.kind == "begun" else None,
        )
    )
    await began.wait()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 10)
    done = await client.multipart_upload("k", tmp_path / "f", part_size=102_400)

    assert done.crc64 == crc64(DATA)
    assert [upload async for upload in client.list_uploads()] == []


async def test_a_started_upload_is_steered_and_awaited(client: AsyncClient, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(DATA)
    upload = client.start_upload("k", tmp_path / "f", part_size=102_400, bandwidth=100_000)
    events = upload.events()
    assert (await anext(events)).kind
    waiting = asyncio.create_task(upload.result())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not upload.done(), "only the waiting was cancelled"

    upload.set_bandwidth(None)
    done = await upload.result()

    assert done.crc64 == crc64(DATA)
    assert upload.progress.fraction == 1.0
    assert [event.kind async for event in events][-1] == "completed"

    other = client.start_upload("k2", pieces(DATA), part_size=102_400, bandwidth=50_000)
    other.cancel()
    with pytest.raises(UploadCancelled):
        await other.result()


async def test_a_started_download_is_steered_and_awaited(client: AsyncClient, tmp_path: Path) -> None:
    await client.put("k", DATA)

    download = client.start_download("k", tmp_path / "there", part_size=102_400)
    done = await download.result()

    assert (done.size, (tmp_path / "there").read_bytes()) == (len(DATA), DATA)
    assert download.done()
    assert (await client.download("k", tmp_path / "again")).crc64 == crc64(DATA)


async def test_a_folder_is_planned_and_then_sent(client: AsyncClient, tmp_path: Path) -> None:
    for at in range(40):
        (tmp_path / f"{at:02}").write_bytes(bytes([at]))

    plan = client.plan_upload_folder(tmp_path, "in/")
    assert [entry.key async for entry in plan] == [f"in/{at:02}" for at in range(40)]
    assert [entry async for entry in client.list_objects()] == []
    async for _ in client.plan_upload_folder(tmp_path, "in/"):
        break

    await client.plan_upload_folder(tmp_path, "in/").run()
    assert await client.get_bytes("in/39") == b"\x27"
    await client.plan_download_folder("in/", tmp_path / "back").run()
    assert (tmp_path / "back" / "39").read_bytes() == b"\x27"


async def test_an_object_is_written_piece_by_piece(client: AsyncClient) -> None:
    async with client.open_writer("k", part_size=102_400) as writer:
        async for piece in pieces(DATA):
            assert await writer.write(piece) == len(piece)
        await writer.flush()
        assert writer.tell() == len(DATA)
        assert writer.result is None

    assert writer.result is not None
    assert writer.result.crc64 == crc64(DATA)
    assert await client.get_bytes("k") == DATA


async def test_an_exception_or_a_cancel_makes_no_object(client: AsyncClient) -> None:
    async def failing() -> None:
        async with client.open_writer("k", part_size=102_400, on_failure="abort") as writer:
            await writer.write(DATA)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await failing()
    assert [upload async for upload in client.list_uploads()] == []

    wrote = asyncio.Event()

    async def writing() -> None:
        slow = client.open_writer("k", part_size=102_400, bandwidth=50_000)
        async with slow as writer:
            while True:
                await writer.write(DATA)
                wrote.set()

    task = asyncio.create_task(writing())
    await wrote.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 20)

    assert not await client.exists("k")
    assert len([upload async for upload in client.list_uploads()]) <= 1


# --- the client itself ------------------------------------------------------------------------------------------------


async def test_derived_clients_share_threads_and_do_not_close_them(client: AsyncClient, bucket: str) -> None:
    async with client.with_bucket(bucket) as derived:
        await derived.put("k", b"x")
        assert derived.bucket == bucket

    assert await client.with_options(deadline=10).get_bytes("k") == b"x"
    assert repr(client).startswith("AsyncClient('http://127.0.0.1:")


async def test_from_profile_makes_an_async_client(server: Server, bucket: str) -> None:
    pair = Static(server.access_key_id, server.access_key_secret)

    async with AsyncClient.from_profile(endpoint=server.endpoint, bucket=bucket, credentials=pair) as client:
        assert isinstance(client, AsyncClient)
        assert not await client.exists("k")


async def test_errors_are_those_of_client(shaky: AsyncClient, proxy: FaultProxy, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(DATA)
    proxy.add(Rule(pattern="PUT", damage=1000))

    with pytest.raises(ChecksumMismatch):
        await shaky.put("k", tmp_path / "f")


def test_names_docstrings_and_signatures_are_those_of_client() -> None:
    for name in ("put", "get", "list_objects", "with_bucket", "multipart_upload"):
        theirs, ours = getattr(Client, name), getattr(AsyncClient, name)
        assert (ours.__name__, ours.__doc__) == (theirs.__name__, theirs.__doc__)
        assert inspect.signature(ours) == inspect.signature(theirs)
    assert inspect.signature(AsyncClient) == inspect.signature(Client)


async def test_bound_methods_show_the_signature_without_self(client: AsyncClient) -> None:
    assert inspect.signature(client.head) == inspect.signature(client.blocking.head)
    assert inspect.iscoroutinefunction(client.head)
    assert client.head.__doc__ == Client.head.__doc__
