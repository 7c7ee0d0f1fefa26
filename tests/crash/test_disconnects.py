"""Clients that go away: no half part is visible, no byte of it stays, and a Complete that was asked for happens."""

from __future__ import annotations

import base64
import socket
import struct
from typing import TYPE_CHECKING, Final

import oss2
import pytest

from tests.crash.support import Store, answers, blob_files, until
from tests.e2e.harness import PART, build_server, noise

if TYPE_CHECKING:
    from collections.abc import Iterator

_RESET: Final = (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
SIZE = 1_000_000
FRACTIONS = [0, 1, 1000, SIZE // 8, SIZE // 4, SIZE // 2, SIZE * 3 // 4, SIZE * 7 // 8, SIZE - 1]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    server = build_server(tmp_path_factory.mktemp("disconnects")).start()
    yield Store.on(server)
    assert server.stop() == 0


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_a_body_cut_at_any_fraction_leaves_nothing(shared: Store, reset: bool) -> None:
    server = shared.server
    key = f"cut-{reset}"
    upload_id = shared.begin(key)
    kept = shared.part(key, upload_id, 1, noise(PART))
    files = set(blob_files(server))
    before = len(answers(server, "UploadPart"))

    for count in FRACTIONS:
        connection = shared.raw_part(key, upload_id, 1, noise(SIZE)).send(count)
        if reset:
            connection.setsockopt(*_RESET)
        connection.close()

    until(lambda: len(answers(server, "UploadPart")) == before + len(FRACTIONS), "every request ends")
    assert {line["status"] for line in answers(server, "UploadPart")[before:]} == {400}
    assert set(blob_files(server)) == files
    assert shared.parts(key, upload_id) == {1: kept.etag}  # the part that was there stays as it was


def test_an_object_cut_while_it_is_replaced_stays_as_it_was(shared: Store) -> None:
    server = shared.server
    shared.client.put_object("replaced", noise(300_000))
    files = set(blob_files(server))
    before = len(answers(server, "PutObject"))

    for count in FRACTIONS:
        shared.raw("PUT", "replaced", noise(SIZE, seed=2)).send(count).close()

    until(lambda: len(answers(server, "PutObject")) == before + len(FRACTIONS), "every request ends")
    assert shared.get("replaced") == noise(300_000)
    assert set(blob_files(server)) == files


def test_a_complete_finishes_though_nobody_waits_for_the_answer(shared: Store) -> None:
    rounds = 20
    for number in range(rounds):
        key = f"unwatched-{number}"
        upload_id = shared.begin(key)
        part = shared.part(key, upload_id, 1, b"x" * (number + 1))
        body = document(part)
        shared.raw("POST", key, body, {"uploadId": upload_id}).send().close()

        until(lambda key=key: shared.client.object_exists(key), "the object appears")  # type: ignore[misc]

        assert shared.get(key) == b"x" * (number + 1)
    assert not [one for one in shared.client.list_multipart_uploads().upload_list if "unwatched" in one.key]


def test_a_complete_cut_in_its_list_leaves_the_upload_open(shared: Store) -> None:
    upload_id = shared.begin("cut-list")
    part = shared.part("cut-list", upload_id, 1, b"data")
    before = len(answers(shared.server, "CompleteMultipartUpload"))
    body = document(part)

    for count in (0, 1, len(body) // 2, len(body) - 1):
        shared.raw("POST", "cut-list", body, {"uploadId": upload_id}).send(count).close()

    until(lambda: len(answers(shared.server, "CompleteMultipartUpload")) == before + 4, "every request ends")
    assert shared.parts("cut-list", upload_id) == {1: part.etag}
    assert not shared.client.object_exists("cut-list")


def test_a_reader_who_goes_away_harms_nobody(shared: Store) -> None:
    data = noise(20_000_000)
    shared.client.put_object("large", data)

    for _ in range(20):
        connection = shared.raw("GET", "large", b"").send()
        assert connection.recv(1000)
        connection.close()

    assert shared.get("large") == data


@pytest.mark.parametrize(
    ("header", "code"), [("Content-MD5", "InvalidDigest"), ("x-oss-hash-crc64ecma", "InvalidCRC64")]
)
def test_a_wrong_checksum_leaves_nothing(shared: Store, header: str, code: str) -> None:
    server = shared.server
    key = f"wrong-{header}"
    upload_id = shared.begin(key)
    files = set(blob_files(server))
    wrong = {header: base64.b64encode(bytes(16)).decode() if header == "Content-MD5" else "1"}

    for size in (10, PART, SIZE):
        with pytest.raises(oss2.exceptions.ServerError) as refused:
            shared.client.upload_part(key, upload_id, 1, noise(size), headers=wrong)
        assert (refused.value.status, refused.value.code) == (400, code)
        with pytest.raises(oss2.exceptions.ServerError) as refused:
            shared.client.put_object(key, noise(size), headers=wrong)
        assert (refused.value.status, refused.value.code) == (400, code)

    assert shared.parts(key, upload_id) == {}
    assert not shared.client.object_exists(key)
    assert set(blob_files(server)) == files


def document(part: object) -> bytes:
    listed = f'<Part><PartNumber>{part.part_number}</PartNumber><ETag>"{part.etag}"</ETag></Part>'  # type: ignore[attr-defined]
    return f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
