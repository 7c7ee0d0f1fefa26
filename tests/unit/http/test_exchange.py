"""Requests and answers on one connection: order, keep-alive, refusals, deadlines."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from contextlib import suppress

import pytest

from mossaic.gateway.message import HttpResponse
from tests.unit.http.harness import GET, WAIT_S, Client, House, request, until

CHUNKED = request("POST", "/echo", "Transfer-Encoding: chunked")


async def alive(client: Client) -> bool:
    """The connection serves another request."""
    return (await client.ask(GET)).body == b"hello"


def reset(client: Client) -> None:
    """Close with RST: unlike FIN, it says that nobody waits for an answer."""
    sock: socket.socket = client.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


async def test_an_answer_has_date_server_and_length(house: House) -> None:
    client = await house.connect()

    answer = await client.ask(GET)

    assert answer.status == 200
    assert answer.headers["content-length"] == "5"
    assert answer.headers["server"] == "mossaic"
    assert answer.headers["date"].endswith("gmt")
    assert "connection" not in answer.headers
    assert await alive(client)


async def test_pipelined_requests_are_answered_in_order(house: House) -> None:
    client = await house.connect()

    await client.send(b"".join(request("POST", "/echo", body=b"%d" % n) for n in range(50)))

    assert [(await client.answer()).body for _ in range(50)] == [b"%d" % n for n in range(50)]


async def test_a_request_byte_by_byte(house: House) -> None:
    client = await house.connect()

    for raw in (
        request("POST", "/echo", body=b"hi"),
        b"\r\n" + CHUNKED + b"2;x=y\r\nhi\r\n0\r\nA: b\r\n\r\n",
    ):
        for byte in raw:
            await client.send(bytes([byte]))
            await asyncio.sleep(0)
        assert (await client.answer()).body == b"hi"
    assert await alive(client)


@pytest.mark.parametrize("path", ["/echo", "/digest"])
async def test_a_small_body_leaves_the_next_request_alone(house: House, path: str) -> None:
    client = await house.connect()

    await client.send(request("PUT", path, body=b"x" * 100) + GET)

    assert (await client.answer()).status == 200
    assert (await client.answer()).body == b"hello"


async def test_http_1_0_is_closed_after_the_answer(house: House) -> None:
    client = await house.connect()

    answer = await client.ask(b"GET / HTTP/1.0\r\n\r\n")

    assert answer.headers["connection"] == "close"
    assert await client.closed()


async def test_connection_close_is_answered_with_close(house: House) -> None:
    client = await house.connect()

    answer = await client.ask(request("GET", "/", "Connection: close"))

    assert answer.headers["connection"] == "close"
    assert await client.closed()


async def test_a_length_beside_chunked_is_ignored_and_ends_the_connection(house: House) -> None:
    client = await house.connect()

    answer = await client.ask(
        request("POST", "/echo", "Transfer-Encoding: chunked", "Content-Length: 3")
        + b"5\r\nhello\r\n0\r\n\r\n"
        + GET
    )

    assert answer.body == b"hello"
    assert answer.headers["connection"] == "close"
    assert await client.closed()


REFUSED = {
    "bare LF": (b"GET / HTTP/1.1\nHost: x\n\n", 400),
    "bare LF in the middle": (b"GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", 400),
    "two lengths": (request("POST", "/echo", "Content-Length: 5", "Content-Length: 6") + b"hello", 400),
    "signed length": (request("POST", "/echo", "Content-Length: +5") + b"hello", 400),
    "folded": (request("GET", "/", "A: b", " c"), 400),
    "blank before colon": (request("GET", "/", "Content-Length : 5") + b"hello", 400),
    "absolute form": (request("GET", "http://x/"), 400),
    "asterisk form": (request("OPTIONS", "*"), 400),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "gzip, chunked": (request("POST", "/echo", "Transfer-Encoding: gzip, chunked"), 400),
    "two empty lines": (b"\r\n\r\n" + GET, 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
    "long head": (request("GET", "/" + "a" * 70_000), 431),
    "endless head": (b"GET / HTTP/1.1\r\nA: " + b"a" * 70_000, 431),
    "a thousand headers": (request("GET", "/", *(f"A{n}: b" for n in range(1000))), 431),
    "other version": (b"GET / HTTP/3.0\r\n\r\n", 505),
    "other expectation": (request("POST", "/echo", "Expect: x", "Content-Length: 5"), 417),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_bad_head_is_refused_and_nothing_behind_it_is_served(house: House, name: str) -> None:
    raw, status = REFUSED[name]
    client = await house.connect()

    answer = await client.ask(raw + GET)

    assert answer.status == status
    assert answer.headers["connection"] == "close"
    assert await client.closed()
    assert house.app.seen == []


BAD_CHUNKS = {
    "size": b"x\r\nhello\r\n0\r\n\r\n",
    "signed": b"+5\r\nhello\r\n0\r\n\r\n",
    "bare LF": b"5\nhello\r\n0\r\n\r\n",
    "longer than said": b"3\r\nhello\r\n0\r\n\r\n",
    "endless line": b"5;" + b"a" * 2000,
}


@pytest.mark.parametrize("path", ["/echo", "/digest"])
@pytest.mark.parametrize("name", BAD_CHUNKS)
async def test_bad_chunks_are_refused_and_nothing_behind_them_is_served(
    house: House, name: str, path: str
) -> None:
    client = await house.connect()

    answer = await client.ask(request("PUT", path, "Transfer-Encoding: chunked") + BAD_CHUNKS[name] + GET)

    assert (answer.status, answer.headers["x-code"]) == (400, "invalidrequest")
    assert answer.headers["connection"] == "close"
    assert await client.closed()
    assert len(house.app.seen) == 1


async def test_a_body_over_the_limit_of_read_is_refused(house: House) -> None:
    for raw in (
        request("POST", "/echo", f"Content-Length: {1 << 30}"),
        CHUNKED + b"%x\r\n" % (1 << 30),
        CHUNKED + b"80000\r\n" + b"a" * 0x80000 + b"\r\n80001\r\n",
    ):
        client = await house.connect()

        answer = await client.ask(raw)

        assert (answer.status, answer.headers["x-code"]) == (400, "entitytoolarge")
        assert await client.closed()


async def test_continue_is_sent_when_the_body_is_first_read(house: House) -> None:
    for path in ("/echo", "/digest"):
        client = await house.connect()

        await client.send(request("PUT", path, "Expect: 100-continue", "Content-Length: 5"))
        assert (await client.answer()).status == 100
        answer = await client.ask(b"hello")

        assert answer.status == 200
        assert await alive(client)


async def test_no_continue_for_a_body_that_is_already_coming(house: House) -> None:
    client = await house.connect()

    answer = await client.ask(request("PUT", "/echo", "Expect: 100-continue", body=b"hello"))

    assert (answer.status, answer.body) == (200, b"hello")


async def test_a_final_answer_instead_of_continue_ends_the_connection(house: House) -> None:
    for path in ("/", "/refuse"):
        client = await house.connect()

        answer = await client.ask(request("PUT", path, "Expect: 100-continue", "Content-Length: 5"))

        assert answer.status in {200, 403}
        assert answer.headers["connection"] == "close"
        assert await client.closed()


async def test_a_short_unread_body_is_read_away_after_a_success(house: House) -> None:
    client = await house.connect()

    await client.send(
        request("PUT", "/", body=b"x" * 60_000) + request("PUT", "/", "Transfer-Encoding: chunked")
    )
    first = await client.answer()
    await client.send(b"0\r\n\r\n")

    assert "connection" not in first.headers
    assert (await client.answer()).body == b"hello"


async def test_a_chunked_body_that_proves_empty_keeps_the_connection(house: House) -> None:
    client = await house.connect()

    answer = await client.ask(request("GET", "/", "Transfer-Encoding: chunked") + b"0\r\n\r\n")

    assert "connection" not in answer.headers
    assert await alive(client)


async def test_a_refusal_reaches_a_client_that_sends_its_whole_body_first(house: House) -> None:
    client = await house.connect()
    size = 32 << 20

    await client.send(request("PUT", "/refuse", f"Content-Length: {size}"), *[b"x" * (1 << 20)] * 32)
    answer = await client.answer()

    assert answer.status == 403
    assert await client.closed()


async def test_a_long_body_after_a_refusal_is_cut_at_a_bound(house: House) -> None:
    await house.serve(linger_bytes=1 << 20)
    client = await house.connect()

    with pytest.raises(ConnectionError):
        await client.send(request("PUT", "/refuse", f"Content-Length: {1 << 30}"), *[b"x" * (1 << 20)] * 64)

    await until(lambda: house.servers[0].connections == 0)


async def test_a_client_that_keeps_silent_after_a_refusal_is_closed(house: House) -> None:
    server = await house.serve(linger_idle_s=0.05)
    client = await house.connect()

    assert (await client.ask(request("PUT", "/refuse", "Content-Length: 100000"))).status == 403

    await until(lambda: server.connections == 0)


async def test_head_answers_have_a_length_and_no_body(house: House) -> None:
    house.app.answers["/length"] = lambda _: HttpResponse(status=200, content_length=1 << 40)
    house.app.answers["/header"] = lambda _: HttpResponse(status=200, headers=[("Content-Length", "77")])
    house.app.answers["/body"] = lambda _: HttpResponse(status=404, body=b"<Error/>")
    client = await house.connect()

    for path, length in (("/length", str(1 << 40)), ("/header", "77"), ("/body", "8")):
        await client.send(request("HEAD", path))
        answer = await client.answer(head_only=True)
        assert answer.headers["content-length"] == length
    assert await alive(client)


async def test_204_and_304_have_no_body(house: House) -> None:
    house.app.answers["/204"] = lambda _: HttpResponse(status=204, body=b"lost")
    house.app.answers["/304"] = lambda _: HttpResponse(status=304, headers=[("ETag", '"A"')], body=b"lost")
    client = await house.connect()

    for path in ("/204", "/304"):
        assert "content-length" not in (await client.ask(request("GET", path))).headers
    assert await alive(client)


async def test_a_header_with_a_line_break_is_never_sent(house: House) -> None:
    house.app.answers["/split"] = lambda _: HttpResponse(status=200, headers=[("X-A", "b\r\nSet-Cookie: c")])
    client = await house.connect()

    answer = await client.ask(request("GET", "/split"))

    assert answer.status == 500
    assert "set-cookie" not in answer.headers


async def test_header_text_beyond_latin_1_is_sent_as_utf_8(house: House) -> None:
    house.app.answers["/"] = lambda _: HttpResponse(
        status=200, headers=[("X-A", "中"), ("X-B", "\xe4\xb8\xad")]
    )
    client = await house.connect()

    answer = await client.ask(GET)

    assert answer.headers["x-a"].encode("latin-1").decode() == "中"
    assert answer.headers["x-b"].encode("latin-1").decode() == "中"


async def test_a_handler_that_raises_is_answered_500(house: House) -> None:
    client = await house.connect()

    assert (await client.ask(request("GET", "/bug"))).status == 500
    assert await client.closed()


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_an_answer_that_cannot_be_sent_ends_the_connection(
    house: House, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    """Reads are begun without a task, others in one of their own."""
    house.app.answers["/broken"] = lambda _: HttpResponse(status=200, body=None)  # type: ignore[arg-type]
    client = await house.connect()

    await client.send(request(method, "/broken"))

    with suppress(ConnectionResetError):
        assert await client.closed()
    assert "cannot be sent" in caplog.text


async def test_what_is_left_to_do_is_begun_when_the_answer_is_on_its_way(house: House) -> None:
    found: asyncio.Queue[bytes] = asyncio.Queue()
    server = await house.serve()

    with socket.create_connection(server.addresses[0]) as client:
        client.setblocking(False)

        async def after() -> None:
            found.put_nowait(client.recv(4096))  # in the server's own thread: what had left before

        house.app.answers["/"] = lambda _: HttpResponse(status=200, body=b"hello", after=after)
        for _ in range(2):
            client.sendall(GET)

            answer = await asyncio.wait_for(found.get(), WAIT_S)

            assert answer.startswith(b"HTTP/1.1 200 ")
            assert answer.endswith(b"\r\n\r\nhello")


async def test_a_handler_that_asks_for_it_closes_the_connection(house: House) -> None:
    house.app.answers["/"] = lambda _: HttpResponse(status=200, close=True)
    client = await house.connect()

    assert (await client.ask(GET)).headers["connection"] == "close"
    assert await client.closed()


async def test_a_handler_finishes_though_the_client_is_gone(house: House) -> None:
    server = await house.serve()
    client = await house.connect()
    await client.send(request("POST", "/gate"))
    await house.app.entered.wait()

    reset(client)
    await until(lambda: server.connections == 0)
    assert server.requests == 1
    house.app.gate.set()

    await house.app.finished.wait()
    assert house.app.outcomes == ["ok"]
    await until(lambda: server.requests == 0)


async def test_a_client_that_shuts_its_side_still_gets_the_answer(house: House) -> None:
    client = await house.connect()
    await client.send(request("POST", "/gate"))
    await house.app.entered.wait()

    client.writer.write_eof()
    await asyncio.sleep(0)
    house.app.gate.set()

    assert (await client.answer()).body == b"hello"
    assert await client.closed()


async def test_a_head_that_does_not_arrive_in_time_is_refused(house: House) -> None:
    await house.serve(head_timeout_s=0.05)
    client = await house.connect()

    answer = await client.ask(b"GET / HTTP/1.1\r\nHo")

    assert answer.status == 408
    assert await client.closed()


async def test_a_head_in_single_bytes_does_not_move_its_deadline(house: House) -> None:
    await house.serve(head_timeout_s=0.1)
    client = await house.connect()

    await client.send(b"GET / HTTP/1.1\r\n")
    answering = asyncio.ensure_future(client.answer())

    while not answering.done():
        await client.send(b"A")
        await asyncio.sleep(0.005)

    assert answering.result().status == 408


async def test_an_idle_connection_is_closed_in_silence(house: House) -> None:
    await house.serve(keepalive_s=0.05)
    fresh, used = await house.connect(), await house.connect()
    assert await alive(used)

    assert await fresh.closed()
    assert await used.closed()


async def test_a_body_that_stops_times_out(house: House) -> None:
    await house.serve(body_idle_s=0.05)
    for path in ("/echo", "/digest"):
        for sent in (b"", b"x" * 1000, b"x" * 200_000):
            client = await house.connect()

            answer = await client.ask(request("PUT", path, "Content-Length: 300000") + sent)

            assert (answer.status, answer.headers["x-code"]) == (400, "requesttimeout")
            assert await client.closed()


@pytest.mark.parametrize("path", ["/echo", "/digest"])
async def test_a_body_that_trickles_times_out(house: House, path: str) -> None:
    await house.serve(body_idle_s=0.2, quantum=4096)
    client = await house.connect()
    await client.send(request("PUT", path, "Content-Length: 300000") + b"x" * 70_000)
    answering = asyncio.ensure_future(client.answer())

    while not answering.done():
        await client.send(b"x")
        await asyncio.sleep(0.01)

    assert answering.result().headers["x-code"] == "requesttimeout"


async def test_a_client_that_reads_nothing_is_cut(house: House) -> None:
    house.app.answers["/"] = lambda _: HttpResponse(status=200, body=b"x" * (64 << 20))
    server = await house.serve(write_idle_s=0.05)
    client = await house.connect()
    client.writer.transport.pause_reading()

    await client.send(GET)
    await house.app.entered.wait()

    await until(lambda: server.connections == 0)


async def test_too_many_connections_are_turned_away(house: House) -> None:
    server = await house.serve(max_connections=20)
    held = [await house.connect() for _ in range(20)]
    for client in held:
        assert await alive(client)

    extra = await house.connect()
    assert (await extra.answer()).status == 503
    assert await extra.closed()

    assert server.turned_away == 1
    held[0].close()
    await until(lambda: server.connections == 19)
    assert await alive(await house.connect())


async def test_closing_lets_requests_finish_and_closes_idle_connections(house: House) -> None:
    server = await house.serve()
    address = server.addresses[0]
    idle, busy = await house.connect(), await house.connect()
    assert await alive(idle)
    house.app.entered.clear()
    await busy.send(request("POST", "/gate"))
    await house.app.entered.wait()

    closing = asyncio.ensure_future(server.close(10))
    assert await idle.closed()
    with pytest.raises(ConnectionError):
        await asyncio.open_connection(*address)
    house.app.gate.set()
    answer = await busy.answer()
    await closing

    assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert server.connections == 0
    house.servers.clear()


async def test_closing_cuts_what_does_not_finish(house: House) -> None:
    server = await house.serve()
    uploads = [await house.connect() for _ in range(3)]
    for upload in uploads:
        await upload.send(request("PUT", "/digest", "Content-Length: 1000000") + b"x" * 100_000)
    await until(lambda: server.leases == 3)

    await server.close(0.05)

    assert server.connections == server.requests == server.leases == 0
    assert house.app.outcomes == ["IncompleteBody"] * 3
    house.servers.clear()


async def test_a_reset_in_the_middle_of_everything_leaves_nothing_behind(house: House) -> None:
    server = await house.serve()
    size = 300_000
    raw = request("PUT", "/digest", f"Content-Length: {size}") + os.urandom(size)
    for sent in (1, 40, 80, 1000, 65_000, 66_000, 150_000, len(raw) - 1, len(raw)):
        for hard in (True, False):
            client = await house.connect()
            await client.send(raw[:sent])
            if hard:
                reset(client)
            else:
                client.close()

    await until(lambda: server.connections == server.requests == server.leases == server.busy_threads == 0)
    assert set(house.app.outcomes) <= {"ok", "IncompleteBody"}
    assert house.app.outcomes.count("ok") <= 2


async def test_remote_is_the_clients_address(house: House) -> None:
    client = await house.connect()

    await client.ask(GET)

    assert house.app.seen[0].remote == "127.0.0.1"
