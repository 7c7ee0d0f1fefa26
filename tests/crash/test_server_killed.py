"""The whole server killed in the middle of a large upload, and stopped in order; clients go on where they were."""

from __future__ import annotations

import hashlib
import socket
import threading
from typing import TYPE_CHECKING

import oss2
import pytest

from tests.crash.support import Store, answers, blob_files, fsck, status_of, until
from tests.e2e.harness import PART, Server, multipart_etag, noise

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PARTS = 60


@pytest.mark.parametrize("killed_after", [5, 33])
def test_after_kill_9_an_upload_is_resumed_with_only_the_missing_parts(
    store: Store, tmp_path: Path, killed_after: int
) -> None:
    server = store.server
    data = noise(PARTS * PART - 7)
    source = tmp_path / "big.bin"
    source.write_bytes(data)
    checkpoints = oss2.ResumableStore(root=str(tmp_path))
    once = threading.Lock()

    def progress(consumed: int, _total: int) -> None:
        if consumed >= killed_after * PART and once.acquire(blocking=False):
            server.kill()

    def upload(**more: object) -> None:
        oss2.resumable_upload(
            store.again(), "big", str(source), store=checkpoints, part_size=PART, num_threads=4, **more
        )

    with pytest.raises(oss2.exceptions.RequestError):
        upload(multipart_threshold=PART, progress_callback=progress)
    answered = {int(line["part_number"]) for line in _good_parts(server)}
    assert len(answered) >= killed_after
    server.start()
    (open_upload,) = store.again().list_multipart_uploads().upload_list
    present = store.parts("big", open_upload.upload_id)
    assert answered <= set(present)
    for number, etag in present.items():
        assert etag == hashlib.md5(data[(number - 1) * PART : number * PART]).hexdigest().upper()
    before = len(_good_parts(server))

    upload(multipart_threshold=PART)

    sent = [int(line["part_number"]) for line in _good_parts(server)[before:]]
    assert sorted(sent) == [number for number in range(1, PARTS + 1) if number not in present]
    assert store.get("big") == data
    assert store.client.head_object("big").etag == multipart_etag(data, PART)
    server.stop()
    code, report = fsck(server)
    assert (code, report.splitlines()[-1]) == (0, "sound"), report


def _good_parts(server: Server) -> list[dict[str, object]]:
    return [line for line in answers(server, "UploadPart") if line["status"] == 200]


def test_bytes_that_a_kill_left_behind_are_freed_after_the_grace(make_server: Callable[..., Server]) -> None:
    server = make_server()
    store = Store.on(server)
    store.client.put_object("kept", noise(200_000))
    upload_id = store.begin("big")
    connection = store.raw_part("big", upload_id, 1, noise(5_000_000)).send(4_000_000)
    until(lambda: len(blob_files(server)) == 2, "the part arrives")

    server.kill()

    connection.close()
    assert len(blob_files(server)) == 2
    # Only now: a server killed in the middle of a round leaves the sweeper's lease, and rounds rest until it is over.
    server.env |= {"MOSSAIC_SWEEP_INTERVAL_S": "0.1", "MOSSAIC_SWEEP_ORPHAN_GRACE_S": "0"}
    server.start()
    until(lambda: len(blob_files(server)) == 1, "the orphan goes")
    assert store.get("kept") == noise(200_000)
    assert store.parts("big", upload_id) == {}


def test_sigterm_lets_a_request_finish_and_exits_with_0(store: Store) -> None:
    server = store.server
    upload_id = store.begin("big")
    body = noise(3_000_000)
    idle = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    connection = store.raw_part("big", upload_id, 1, body).send(2_000_000)
    until(lambda: bool(blob_files(server)), "the part arrives")
    ended: list[int | None] = []
    stopping = threading.Thread(target=lambda: ended.append(server.stop()))

    stopping.start()
    assert idle.recv(1) == b""  # closed at once: the server has seen the signal
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=10)
    connection.sendall(body[2_000_000:])

    assert status_of(connection) == 200
    assert connection.recv(1) == b""
    stopping.join(20)
    assert ended == [0]
    server.start()
    assert list(store.parts("big", upload_id)) == [1]
    assert len(blob_files(server)) == 1


def test_sigterm_cuts_what_does_not_finish_and_still_exits_with_0(make_server: Callable[..., Server]) -> None:
    server = make_server(HTTP_SHUTDOWN_S="0.5")
    store = Store.on(server)
    upload_id = store.begin("big")
    connection = store.raw_part("big", upload_id, 1, noise(3_000_000)).send(2_000_000)
    until(lambda: bool(blob_files(server)), "the part arrives")

    assert server.stop() == 0

    connection.close()
    assert blob_files(server) == []
    server.start()
    assert store.parts("big", upload_id) == {}
