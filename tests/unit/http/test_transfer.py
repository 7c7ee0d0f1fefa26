"""Bodies and contents that a worker thread moves by itself."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mossaic.gateway.http import sender
from mossaic.gateway.http.limits import SMALL
from mossaic.gateway.http.pace import Pace
from mossaic.gateway.message import FilePiece, HttpResponse
from tests.unit.http.harness import GET, WAIT_S, Client, House, Stored, file_of, request, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mossaic.ports import BodyReader

SIZES = [0, 1, 65_535, 65_536, 65_537, 300_000, 5_000_000]


def chunked(data: bytes, size: int) -> bytes:
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join([*(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks), b"0\r\n\r\n"])


def expected(data: bytes) -> bytes:
    return f"{hashlib.md5(data).hexdigest()} {len(data)}".encode()


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[tuple[int, bytes]]:
    """An open file of 3 MB and its bytes."""
    fileno, data = file_of(tmp_path / "blob", 3_000_000)
    yield fileno, data
    os.close(fileno)


@pytest.fixture(params=["waits in calls", "waits between calls"])
def each_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Downloads as on Linux, and as on systems whose calls cannot wait for a limited time."""
    if request.param == "waits between calls":
        monkeypatch.setattr(sender, "_WAITS_IN_CALLS", False)
    elif not sender._WAITS_IN_CALLS:
        pytest.skip("calls cannot wait here")


@pytest.mark.parametrize("size", SIZES)
async def test_bodies_of_every_size_are_consumed_and_the_connection_lives_on(house: House, size: int) -> None:
    client = await house.connect()
    data = os.urandom(size)
    bodies = [request("PUT", "/digest", f"Content-Length: {size}") + data]
    bodies += [
        request("PUT", "/digest", "Transfer-Encoding: chunked") + chunked(data, step)
        for step in (1_000_000, 70_000, 4_096)
    ]

    for raw in bodies * 2:
        sending = asyncio.ensure_future(client.send(raw + GET))
        assert (await client.answer()).body == expected(data)
        assert (await client.answer()).body == b"hello"
        await sending
    seen = [(each.method, each.target, each.headers) for each in house.app.seen]
    assert len([each for each in seen if ("host", "x") in each[2]]) == 16, seen


async def test_a_body_in_one_byte_chunks(house: House) -> None:
    client = await house.connect()
    data = os.urandom(100_000)

    sending = asyncio.ensure_future(
        client.send(request("PUT", "/digest", "Transfer-Encoding: chunked") + chunked(data, 1))
    )

    assert (await client.answer()).body == expected(data)
    await sending


async def test_a_big_body_after_continue(house: House) -> None:
    client = await house.connect()
    data = os.urandom(1_000_000)

    await client.send(request("PUT", "/digest", "Expect: 100-continue", f"Content-Length: {len(data)}"))
    assert (await client.answer()).status == 100
    sending = asyncio.ensure_future(client.send(data))

    assert (await client.answer()).body == expected(data)
    await sending


async def test_many_uploads_at_once_share_few_leases(house: House) -> None:
    server = await house.serve(max_threads=4)
    assert server.leases == 0
    bodies = [os.urandom(200_000) for _ in range(12)]

    async def upload(data: bytes) -> bytes:
        client = await house.connect()
        await client.send(request("PUT", "/digest", f"Content-Length: {len(data)}"), data)
        return (await client.answer()).body

    answers = await asyncio.gather(*map(upload, bodies))

    assert answers == [expected(data) for data in bodies]
    assert server.leases == 0


async def test_an_upload_that_gets_no_thread_is_refused_and_small_work_goes_on(house: House) -> None:
    server = await house.serve(max_threads=2, lease_wait_s=0.05)
    slow = await house.connect()
    await slow.send(request("PUT", "/digest", "Content-Length: 1000000") + b"x" * 100_000)
    await until(lambda: server.leases == 1)
    other, small = await house.connect(), await house.connect()

    refused = await other.ask(request("PUT", "/digest", "Content-Length: 1000000") + b"x" * 100_000)
    served = await small.ask(request("PUT", "/digest", body=b"abc"))

    assert (refused.status, refused.headers["x-code"]) == (503, "serviceunavailable")
    assert served.body == expected(b"abc")


async def test_work_that_stops_early_ends_the_connection(house: House) -> None:
    def look(reader: BodyReader) -> int:
        return reader.readinto(memoryview(bytearray(10)))

    class Looking:
        async def __call__(self, asked: object) -> HttpResponse:
            return HttpResponse(status=200, body=str(await asked.body.consume(look)).encode())  # type: ignore[attr-defined]

    house.app = Looking()  # type: ignore[assignment]
    client = await house.connect()

    answer = await client.ask(request("PUT", "/", "Content-Length: 1000000") + b"x" * 500_000)

    assert (answer.body, answer.headers["connection"]) == (b"10", "close")


def give(house: House, stored: tuple[int, bytes], *, times: int) -> None:
    """Answer /file with the stored bytes, so many times."""
    fileno, data = stored
    pieces: list[FilePiece | bytes] = [FilePiece(fileno, 0, len(data))] * times
    house.app.answers["/file"] = lambda _: HttpResponse(status=200, body=Stored(pieces))


async def get(client: Client, path: str = "/file") -> bytes:
    answer = await client.ask(request("GET", path))
    assert answer.status == 200
    return answer.body


@pytest.mark.usefixtures("each_way")
@pytest.mark.parametrize("length", [1, 65_536, 65_537, 2_000_000])
async def test_pieces_of_files_and_bytes_arrive_in_order(
    house: House, stored: tuple[int, bytes], length: int
) -> None:
    fileno, data = stored
    half = length // 2
    parts: list[FilePiece | bytes] = [
        b"start",
        FilePiece(fileno, 7, half),
        b"",
        data[:3],
        FilePiece(fileno, 1_000_000, length - half),
        FilePiece(fileno, 9, 0),
        b"end",
    ]
    house.app.answers["/file"] = lambda _: HttpResponse(status=200, body=Stored(parts))
    client = await house.connect()

    for _ in range(3):
        whole = (
            b"start" + data[7 : 7 + half] + data[:3] + data[1_000_000 : 1_000_000 + length - half] + b"end"
        )
        assert await get(client) == whole
    assert (await client.ask(request("PUT", "/digest", body=data))).body == expected(data)
    assert await get(client) == whole


@pytest.mark.usefixtures("each_way")
async def test_a_slow_reader_gives_its_thread_back_and_gets_everything(
    house: House, stored: tuple[int, bytes]
) -> None:
    _, data = stored
    give(house, stored, times=10)
    server = await house.serve(max_threads=2)
    slow = [await house.connect() for _ in range(4)]
    for client in slow:
        client.writer.transport.pause_reading()
        await client.send(request("GET", "/file"))
    await until(lambda: len(house.app.seen) == 4 and server.busy_threads == 0)

    assert (await (await house.connect()).ask(request("PUT", "/digest", body=b"abc"))).body == expected(
        b"abc"
    )
    for client in slow:
        client.writer.transport.resume_reading()

    for client in slow:
        assert (await client.answer()).body == data * 10


@pytest.mark.usefixtures("each_way")
async def test_a_reader_that_stops_is_cut(house: House, stored: tuple[int, bytes]) -> None:
    fileno, data = stored
    content = Stored([FilePiece(fileno, 0, len(data))] * 10)
    house.app.answers["/file"] = lambda _: HttpResponse(status=200, body=content)
    server = await house.serve(write_idle_s=0.3)
    client = await house.connect()
    client.writer.transport.pause_reading()

    await client.send(request("GET", "/file"))
    await house.app.entered.wait()

    await until(lambda: server.connections == 0)
    await asyncio.wait_for(content.closed.wait(), WAIT_S)


@pytest.mark.usefixtures("each_way")
async def test_requests_that_come_during_a_download_wait_and_stop_nobody(
    house: House, stored: tuple[int, bytes]
) -> None:
    _, data = stored
    give(house, stored, times=10)
    server = await house.serve()
    client, other = await house.connect(), await house.connect()
    client.writer.transport.pause_reading()
    await client.send(request("GET", "/file"))
    await until(lambda: server.busy_threads == 1)

    # As much as the loop reads at once: then it would ask for more, of a socket that waits until there is some.
    bare = len(request("GET", "/", "X: "))
    waiting = request("GET", "/", f"X: {'x' * (SMALL // 16 - bare)}") * 16
    assert len(waiting) == SMALL
    client.writer.write(waiting)
    for _ in range(20):
        assert (await other.ask(GET)).body == b"hello"

    client.writer.transport.resume_reading()
    assert (await client.answer()).body == data * 10
    for _ in range(16):
        assert (await client.answer()).body == b"hello"


@pytest.mark.usefixtures("each_way")
async def test_a_client_that_is_slow_but_never_stops_gets_everything(
    house: House, stored: tuple[int, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "_SLOW_S", 0.001)
    _, data = stored
    give(house, stored, times=5)
    client = await house.connect()
    await client.send(request("GET", "/file"))
    await client.reader.readuntil(b"\r\n\r\n")

    received = bytearray()
    while len(received) < 5 * len(data):
        received += await asyncio.wait_for(client.reader.read(100_000), WAIT_S)
        await asyncio.sleep(0.002)

    assert received == data * 5
    assert (await client.ask(GET)).body == b"hello"


@pytest.mark.usefixtures("each_way")
async def test_the_loop_finds_its_socket_as_it_was(stored: tuple[int, bytes]) -> None:
    fileno, data = stored
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    returned: list[socket.socket] = []
    one = sender.Sender(
        ours,
        head=b"head",
        content=Stored([FilePiece(fileno, 0, len(data))]),
        pace=Pace(idle_s=10, quantum=1),
        returned=returned.append,
    )
    with ours, theirs:
        assert not await asyncio.to_thread(one.run)  # nobody takes anything
        assert not os.get_blocking(ours.fileno())
        assert not one.is_closed

        taking = asyncio.create_task(asyncio.to_thread(taken, theirs, len(data) + 4))
        while not await asyncio.to_thread(one.run):
            pass
        assert await taking == b"head" + data
        assert not os.get_blocking(ours.fileno())
        one.close()
        assert returned == [ours]


def taken(sock: socket.socket, count: int) -> bytes:
    received = bytearray()
    while len(received) < count:
        received += sock.recv(1 << 20)
    return bytes(received)


@pytest.mark.usefixtures("each_way")
async def test_a_reader_that_goes_away_frees_the_pieces(house: House, stored: tuple[int, bytes]) -> None:
    fileno, data = stored
    content = Stored([FilePiece(fileno, 0, len(data))] * 20)
    house.app.answers["/file"] = lambda _: HttpResponse(status=200, body=content)
    server = await house.serve()
    client = await house.connect()
    await client.send(request("GET", "/file"))
    await client.reader.readexactly(100_000)

    client.writer.transport.abort()

    await asyncio.wait_for(content.closed.wait(), WAIT_S)
    await until(lambda: server.connections == server.requests == 0)


@pytest.mark.usefixtures("each_way")
@pytest.mark.parametrize("big", [True, False])
@pytest.mark.parametrize("fault", ["raises", "too short", "too long", "truncated file"])
async def test_a_content_that_fails_is_cut_never_completed(
    house: House, stored: tuple[int, bytes], fault: str, big: bool
) -> None:
    fileno, data = stored
    size = 200_000 if big else 1000
    one = FilePiece(fileno, 0, size)
    made = {
        "raises": lambda: Stored([one, one], fails_after=1),
        "too short": lambda: Stored([one], length=size + 1),
        "too long": lambda: Stored([one, b"xy"], length=size + 1),
        "truncated file": lambda: Stored([one, FilePiece(fileno, len(data) - 5, 10)]),
    }[fault]
    house.app.answers["/file"] = lambda _: HttpResponse(status=200, body=made())
    server = await house.serve()
    client = await house.connect()
    await client.send(request("GET", "/file"))

    received = b""
    try:
        while piece := await asyncio.wait_for(client.reader.read(1 << 20), WAIT_S):
            received += piece
    except ConnectionError:
        pass

    head, _, body = received.partition(b"\r\n\r\n")
    assert not received or len(body) < made().length
    assert b"<" not in head
    await until(lambda: server.connections == 0)


@pytest.mark.usefixtures("each_way")
async def test_closing_the_server_cuts_a_stalled_download(house: House, stored: tuple[int, bytes]) -> None:
    fileno, data = stored
    content = Stored([FilePiece(fileno, 0, len(data))] * 10)
    house.app.answers["/file"] = lambda _: HttpResponse(status=200, body=content)
    server = await house.serve()
    client = await house.connect()
    client.writer.transport.pause_reading()
    await client.send(request("GET", "/file"))
    await house.app.entered.wait()

    await server.close(0.3)

    assert server.connections == server.requests == 0
    await asyncio.wait_for(content.closed.wait(), WAIT_S)
    house.servers.clear()


def resident() -> int:
    """Bytes of this process in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
async def test_200_mb_in_and_out_need_little_memory(house: House, stored: tuple[int, bytes]) -> None:
    fileno, data = stored
    house.app.answers["/file"] = lambda _: HttpResponse(
        status=200, body=Stored([FilePiece(fileno, 0, len(data))] * 67)
    )
    server = await house.serve()
    piece = os.urandom(1 << 20)

    def flow(count: int) -> None:
        with socket.create_connection(server.addresses[0], timeout=WAIT_S) as sock:
            sock.sendall(request("PUT", "/digest", f"Content-Length: {count << 20}"))
            for _ in range(count):
                sock.sendall(piece)
            assert sock.recv(4096).endswith(str(count << 20).encode())
            sock.sendall(request("GET", "/file", "Connection: close"))
            received, room = 0, bytearray(1 << 20)
            while got := sock.recv_into(room):
                received += got
            assert received > 67 * len(data)

    await asyncio.to_thread(flow, 1)
    before = resident()
    await asyncio.to_thread(flow, 200)

    assert resident() - before < 8 << 20
