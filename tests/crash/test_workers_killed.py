"""Workers and their parent killed: nothing acknowledged is lost, the service goes on answering, no orphan keeps the port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import oss2
import pytest

from tests.crash.strace import attached, need_strace
from tests.crash.support import Store, blob_files, fsck, status_of, until
from tests.e2e.harness import PART, noise
from tests.e2e.workers.crew import COUNT, Crew

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.harness import Server

KILLS = 4


@pytest.fixture
def make_crew(make_server: Callable[..., Server]) -> Callable[..., Crew]:
    def make(**settings: str) -> Crew:
        return Crew(server=make_server(**({"WORKERS": str(COUNT)} | settings))).whole()

    return make


def test_under_load_nothing_acknowledged_is_lost(make_crew: Callable[..., Crew]) -> None:
    crew = make_crew()
    store = Store.on(crew.server)
    acknowledged: dict[str, bytes] = {}
    stop = threading.Event()

    def work(number: int) -> None:
        client, count = crew.client(store.client.bucket_name), 0
        while not stop.is_set():
            count += 1
            key = f"{number}-{count}"
            data = noise(200 if count % 2 else 40_000, seed=count)
            with suppress(oss2.exceptions.RequestError):  # its worker was killed
                client.put_object(key, data)
                acknowledged[key] = data

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        for turn in range(KILLS):
            at = len(acknowledged)
            until(lambda at=at: len(acknowledged) > at + 10, "writes go on")
            victims = crew.workers()
            os.kill(victims[turn % len(victims)], signal.SIGKILL)
            until(lambda victims=victims: set(crew.workers()) - set(victims), "somebody takes its place")
            assert crew.server.request("GET", "/-/livez")[0] == 200
    finally:
        stop.set()
        for thread in threads:
            thread.join()

    crew.whole()
    client = store.again()
    for key, data in acknowledged.items():
        assert client.get_object(key).read() == data
    assert crew.server.stop() == 0
    code, report = fsck(crew.server)
    assert (code, report.splitlines()[-1]) == (0, "sound"), report


def test_one_that_can_write_no_more_is_replaced(make_crew: Callable[..., Crew]) -> None:
    need_strace()
    crew = make_crew()
    store = Store.on(crew.server)
    store.client.put_object("earlier", b"x")
    victims = crew.workers()
    wal = crew.server.data / "metadata.db-wal"
    with ExitStack() as stack:
        for victim in victims:
            fault = (f"--trace-path={wal}", "--inject=fdatasync,fsync:error=EIO")
            stack.enter_context(attached(victim, "-f", *fault))
        with pytest.raises(oss2.exceptions.ServerError):
            store.client.put_object("lost", b"x")
        until(lambda: not set(victims) <= set(crew.workers()), "who cannot write has ended")
    assert "a sync of the metadata has failed" in crew.server.output

    until(lambda: _is_put(Store(server=crew.server, client=store.again())), "writes go on")

    crew.whole()
    assert store.again().get_object("earlier").read() == b"x"
    assert crew.server.stop() == 0
    assert fsck(crew.server)[0] == 0


def _is_put(store: Store) -> bool:
    try:
        store.client.put_object("later", b"x")
    except (oss2.exceptions.ServerError, oss2.exceptions.RequestError):
        return False
    return True


def test_an_upload_goes_on_after_its_workers_died(make_crew: Callable[..., Crew]) -> None:
    crew = make_crew()
    store = Store.on(crew.server)
    data = noise(3 * PART)
    upload_id = store.begin("big")
    parts = [store.part("big", upload_id, 1, data[:PART])]
    before = crew.workers()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    until(lambda: len(set(crew.workers()) - set(before)) == COUNT, "there are others")
    crew.whole()
    store = Store(server=crew.server, client=store.again())

    for number in (2, 3):
        parts.append(store.part("big", upload_id, number, data[(number - 1) * PART : number * PART]))
    store.client.complete_multipart_upload("big", upload_id, parts)

    assert store.get("big") == data


def test_without_its_parent_a_worker_finishes_and_frees_the_port(make_crew: Callable[..., Crew]) -> None:
    crew = make_crew()
    store = Store.on(crew.server)
    upload_id = store.begin("big")
    body = noise(3_000_000)
    connection = store.raw_part("big", upload_id, 1, body).send(2_000_000)
    until(lambda: bool(blob_files(crew.server)), "the part arrives")
    workers = crew.workers()

    assert crew.server.process is not None
    crew.server.process.kill()
    crew.server.process.wait()

    until(lambda: _is_refused(crew.server.port), "nobody listens any more")
    assert any(map(_is_alive, workers))
    crew.server.start()
    connection.sendall(body[2_000_000:])
    assert status_of(connection) == 200
    connection.close()
    until(lambda: not any(map(_is_alive, workers)), "all are gone")
    assert list(store.parts("big", upload_id)) == [1]


def test_sigterm_to_the_parent_lets_a_request_finish(make_crew: Callable[..., Crew]) -> None:
    crew = make_crew()
    store = Store.on(crew.server)
    upload_id = store.begin("big")
    body = noise(3_000_000)
    connection = store.raw_part("big", upload_id, 1, body).send(2_000_000)
    until(lambda: bool(blob_files(crew.server)), "the part arrives")
    ended: list[int | None] = []
    stopping = threading.Thread(target=lambda: ended.append(crew.server.stop()))

    stopping.start()
    until(lambda: _is_refused(crew.server.port), "nobody listens any more")
    connection.sendall(body[2_000_000:])

    assert status_of(connection) == 200
    stopping.join(20)
    assert ended == [0]
    crew.server.start()
    assert list(store.parts("big", upload_id)) == [1]


@pytest.mark.parametrize("workers", ["1", str(COUNT)])
def test_a_second_signal_cuts_what_does_not_finish(make_server: Callable[..., Server], workers: str) -> None:
    server = make_server(WORKERS=workers, HTTP_SHUTDOWN_S="600")
    store = Store.on(server)
    connection = store.raw_part("big", store.begin("big"), 1, noise(3_000_000)).send(2_000_000)
    until(lambda: bool(blob_files(server)), "the part arrives")
    assert server.process is not None
    server.process.send_signal(signal.SIGTERM)
    until(lambda: _is_refused(server.port), "nobody listens any more")

    assert server.stop() == 0

    connection.close()
    assert blob_files(server) == []


def test_bytes_are_freed_by_another_when_the_one_who_did_is_killed(make_crew: Callable[..., Crew]) -> None:
    crew = make_crew(SWEEP_READER_GRACE_S="0")
    store = Store.on(crew.server)
    for turn in range(2 * COUNT):  # whoever has the turn is killed sooner or later
        upload_id = store.begin("big")
        store.part("big", upload_id, 1, noise(200_000, seed=turn))
        assert len(blob_files(crew.server)) == 1
        store.client.abort_multipart_upload("big", upload_id)

        until(lambda: not blob_files(crew.server), "the bytes are freed")

        victim = min(crew.workers())
        os.kill(victim, signal.SIGKILL)
        until(lambda victim=victim: victim not in crew.workers(), "it is dead")
        crew.whole()
        store = Store(server=crew.server, client=store.again())


def _is_refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
    except (ConnectionRefusedError, ConnectionResetError):
        return True
    return False


def _is_alive(pid: int) -> bool:
    """A dead one that nobody has waited for is dead, too."""
    listed = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return bool(listed.stdout.strip()) and not listed.stdout.startswith("Z")
