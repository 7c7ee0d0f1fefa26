"""Writing an object as a file: it appears whole when it is closed, and not at all otherwise."""

from __future__ import annotations

import csv
import gc
import io
import threading
import tracemalloc
import warnings
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from mossaic.client.client import Client
from mossaic.client.errors import (
    DeadlineExceeded,
    FileAlreadyExists,
    NetworkError,
    NoSuchBucket,
    ServerError,
    UploadCancelled,
)
from mossaic.client.http import Scope
from mossaic.client.store import File
from mossaic.client.writer import ObjectWriter
from mossaic.protocol.checksum import crc64
from tests.e2e.harness import PART, Server, noise
from tests.e2e.sdk.conftest import connect
from tests.faults.proxy import FaultProxy, Rule

DATA = noise(5 * PART + 99)


@pytest.fixture
def state(tmp_path: Path) -> File:
    return File(tmp_path / "state")


@pytest.fixture
def client(server: Server, bucket: str, state: File) -> Iterator[Client]:
    with connect(server, bucket, part_size=PART, parallel=2, store=state) as made:
        yield made


@pytest.fixture
def broken(server: Server, bucket: str, proxy: FaultProxy, state: File) -> Iterator[Client]:
    with connect(server, bucket, endpoint=proxy.endpoint, part_size=PART, parallel=2, store=state) as made:
        yield made


def write_for_ever(writer: ObjectWriter) -> None:
    while True:
        writer.write(DATA)


def test_what_is_written_is_the_object(client: Client) -> None:
    with client.open_writer("file", meta={"by": "me"}) as writer:
        for at in range(0, len(DATA), 7777):
            assert writer.write(DATA[at : at + 7777]) == len(DATA[at : at + 7777])
            assert writer.tell() == min(at + 7777, len(DATA))
        assert writer.result is None

    assert writer.result is not None
    assert (writer.result.size, writer.result.crc64, writer.result.parts) == (len(DATA), crc64(DATA), 6)
    assert client.get_bytes("file") == DATA
    assert client.head("file").meta == {"by": "me"}
    assert writer.closed


@pytest.mark.parametrize("data", [b"", b"small"], ids=["nothing", "little"])
def test_a_little_is_one_put(client: Client, server: Server, bucket: str, data: bytes) -> None:
    with client.open_writer("file") as writer:
        writer.write(data)

    assert client.get_bytes("file") == data
    assert [line["operation"] for line in server.log_lines(bucket=bucket)[-2:]] == ["PutObject", "GetObject"]


def test_buffers_may_be_used_again_and_lines_written_at_once(client: Client) -> None:
    buffer = bytearray(300_000)
    with client.open_writer("file") as writer:
        for value in range(4):
            buffer[:] = bytes([value]) * len(buffer)
            writer.write(buffer)
            writer.write(memoryview(buffer)[:3])
        writer.writelines([b"one\n", b"two\n"])

    want = b"".join(bytes([value]) * 300_003 for value in range(4)) + b"one\ntwo\n"
    assert client.get_bytes("file") == want


def test_it_is_a_file_for_the_standard_library(client: Client) -> None:
    with io.TextIOWrapper(client.open_writer("table.csv"), encoding="utf-8", newline="") as text:
        csv.writer(text).writerows([["ä", 1], ["b", 2]])

    writer = client.open_writer("file")
    assert (writer.writable(), writer.readable(), writer.seekable()) == (True, False, False)
    with pytest.raises(io.UnsupportedOperation):
        writer.fileno()
    with pytest.raises(TypeError):
        writer.write("text")  # type: ignore[arg-type]
    writer.close()
    writer.close()
    with pytest.raises(ValueError, match="closed"):
        writer.write(b"more")
    assert client.get_bytes("table.csv").decode() == "ä,1\r\nb,2\r\n"


def test_nothing_is_seen_before_the_end_and_what_was_there_stays(client: Client) -> None:
    client.put("file", b"before")

    with client.open_writer("file") as writer:
        writer.write(DATA)
        writer.flush()
        assert client.get_bytes("file") == b"before"

    assert client.get_bytes("file") == DATA


def test_an_exception_inside_makes_no_object_and_keeps_what_was_stored(
    broken: Client, proxy: FaultProxy, state: File
) -> None:
    def fail(writer: ObjectWriter) -> None:
        writer.write(DATA)
        writer.flush()
        stored = (event for event in writer.upload.events() if event.kind == "part")
        assert len(list(islice(stored, 3))) == 3
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"), broken.open_writer("file") as writer:
        fail(writer)

    assert not broken.exists("file")
    (left,) = broken.list_uploads()
    kept = {part.number for part in broken.list_parts(left)}
    assert len(kept) >= 3
    proxy.seen.clear()

    with broken.open_writer("file") as writer:
        writer.write(DATA)

    assert broken.get_bytes("file") == DATA
    assert kept.isdisjoint(proxy.part_numbers())
    assert list(broken.list_uploads()) == []
    assert list(state.names()) == []


def test_an_exception_inside_frees_what_was_stored_when_that_is_wanted(client: Client, state: File) -> None:
    def fail(writer: ObjectWriter) -> None:
        writer.write(DATA)
        raise KeyError

    with pytest.raises(KeyError), client.open_writer("file", on_failure="abort") as writer:
        fail(writer)

    assert not client.exists("file")
    assert list(client.list_uploads()) == []
    assert list(state.names()) == []


def test_abort_and_cancel_by_hand(client: Client) -> None:
    for leave in ("abort", "cancel"):
        writer = client.open_writer(leave)
        writer.write(DATA)
        getattr(writer, leave)()
        assert writer.closed
        writer.close()
        with pytest.raises(ValueError, match="closed"):
            writer.write(b"")

    assert not client.exists("abort")
    assert {each.name for each in client.list_uploads()} <= {"cancel"}


def test_a_forgotten_writer_makes_no_object(client: Client) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        writer = client.open_writer("file")
        writer.write(b"half of it")
        upload = writer.upload
        del writer
        gc.collect()
        with pytest.raises(UploadCancelled):
            upload.result(10)

    assert [each.category for each in caught if "was not closed" in str(each.message)] == [ResourceWarning]
    assert not client.exists("file")


def test_a_failure_is_told_by_the_next_write_and_by_close(client: Client) -> None:
    with pytest.raises(NoSuchBucket), client.open_writer("file", bucket="no-such-bucket-here") as writer:
        write_for_ever(writer)

    with pytest.raises(NoSuchBucket):
        client.open_writer("file", bucket="no-such-bucket-here").close()

    client.put("there", b"before")
    writer = client.open_writer("there", forbid_overwrite=True)
    with pytest.raises(FileAlreadyExists):
        writer.close()
    assert writer.closed
    assert client.get_bytes("there") == b"before"


def test_a_broken_line_is_none_of_the_writers_business(broken: Client, proxy: FaultProxy) -> None:
    proxy.add(
        Rule(pattern="partNumber=2", cut_request=5000),
        Rule(pattern="partNumber=4", answer=(503, {}, b"")),
        Rule(pattern="partNumber=3", lose_answer=True),
    )

    with broken.open_writer("file") as writer:
        for at in range(0, len(DATA), 10_000):
            writer.write(DATA[at : at + 10_000])

    assert broken.get_bytes("file") == DATA


def test_a_dead_line_ends_a_writer_that_waits_for_room(broken: Client, proxy: FaultProxy) -> None:
    proxy.add(Rule(pattern="partNumber", times=1000, cut_request=0))

    with pytest.raises((NetworkError, ServerError)), broken.open_writer("file") as writer:
        write_for_ever(writer)


def test_a_cancel_from_outside_ends_a_writer_to_whom_nothing_is_given(client: Client) -> None:
    scope = Scope()
    writer = client.with_options(scope=scope).open_writer("file")
    writer.write(b"some")
    threading.Timer(0.05, scope.cancel).start()

    with pytest.raises(UploadCancelled):
        writer.upload.result(10)
    with pytest.raises(UploadCancelled):
        writer.write(DATA)


def test_a_deadline_ends_a_writer_to_whom_nothing_is_given(client: Client) -> None:
    writer = client.open_writer("file", deadline=0.2)

    with pytest.raises(DeadlineExceeded):
        writer.upload.result(10)
    with pytest.raises(DeadlineExceeded):
        writer.close()


def test_memory_stays_flat(client: Client) -> None:
    piece = bytearray(noise(64 * 1024))
    with client.open_writer("file") as writer:
        writer.write(piece)
        tracemalloc.start()
        for _ in range(200):
            writer.write(piece)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    assert peak < 4 << 20
    assert client.head("file").size == 201 * 64 * 1024
