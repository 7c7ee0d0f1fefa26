"""Sources that can be read only once: bounded memory, nothing stored is sent again when they are given anew, and what differs is."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import pytest

from mossaic.client.errors import ServerError, UploadCancelled
from tests.e2e.harness import PART, noise
from tests.faults.place import KEY, PUT_PART, Heard, Place, data_of, part
from tests.faults.proxy import Rule, error

PARTS = 30
DATA = data_of(PARTS)
NO = error(403, "AccessDenied")


def crumbs(data: bytes, size: int = 7001) -> Iterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


def piped(data: bytes) -> BinaryIO:
    """The reading end of a pipe that a thread fills."""
    reading, writing = os.pipe()

    def fill() -> None:
        with os.fdopen(writing, "wb") as file, contextlib.suppress(BrokenPipeError):
            file.write(data)

    threading.Thread(target=fill, daemon=True).start()
    return os.fdopen(reading, "rb", buffering=0)


def gzipped(data: bytes) -> Any:
    return gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(data, 1)))


SOURCES: dict[str, Callable[[bytes], Any]] = {
    "iterator": crumbs,
    "pipe": piped,
    "BytesIO": io.BytesIO,
    "gzip": gzipped,
    "bytes": bytes,
    "bytearray": bytearray,
}


@pytest.mark.parametrize("kind", SOURCES)
def test_any_source_is_sent_whole_through_faults(place: Place, kind: str) -> None:
    place.proxy.add(
        Rule(pattern=part(2), lose_answer=True),
        Rule(pattern=part(3), cut_request=PART // 2),
        Rule(pattern=part(7), answer=error(500, "InternalError")),
        Rule(pattern=part(11), damage=77),
        Rule(pattern=part(PARTS), cut_answer=12),
    )
    result = place.client().multipart_upload(KEY, SOURCES[kind](DATA))
    assert (result.size, result.parts) == (len(DATA), PARTS)
    place.assert_whole(DATA, again=[11])


@pytest.mark.parametrize("kind", SOURCES)
def test_a_source_given_again_sends_only_what_is_missing(place: Place, kind: str) -> None:
    place.proxy.add(Rule(pattern=PUT_PART, skip=14, times=99, answer=NO))
    with pytest.raises(ServerError):
        place.client().multipart_upload(KEY, SOURCES[kind](DATA))
    place.proxy.clear()
    heard = Heard()
    result = place.client().multipart_upload(KEY, SOURCES[kind](DATA), on_event=heard)
    assert heard.kinds()[0] == "resumed"
    assert result.resumed_bytes >= 10 * PART
    place.assert_whole(DATA)


def test_a_stream_that_differs_sends_what_differs(place: Place) -> None:
    place.proxy.add(Rule(pattern=PUT_PART, skip=20, times=99, answer=NO))
    with pytest.raises(ServerError):
        place.client().multipart_upload(KEY, crumbs(DATA))
    place.proxy.clear()
    other = bytearray(DATA)
    other[3 * PART] ^= 1
    other[9 * PART : 10 * PART] = noise(PART, seed=5)
    heard = Heard()
    place.client().multipart_upload(KEY, crumbs(bytes(other)), on_event=heard)
    assert {event.about["part_number"] for event in heard.of("unverified")} == {4, 10}
    place.assert_whole(bytes(other), again=[4, 10])


@pytest.mark.parametrize("size", [len(DATA) - 4 * PART, 3 * PART, 10, 0, len(DATA) + 2 * PART])
def test_a_stream_of_another_length_ends_where_it_ends(place: Place, size: int) -> None:
    place.proxy.add(Rule(pattern=PUT_PART, skip=20, times=99, answer=NO))
    with pytest.raises(ServerError):
        place.client().multipart_upload(KEY, crumbs(DATA))
    place.proxy.clear()
    fresh = (DATA + DATA)[:size]
    place.client().multipart_upload(KEY, crumbs(fresh))
    assert place.stored() == fresh
    assert (place.open_uploads(), place.journals()) == ([], [])


def test_a_stream_whose_upload_is_gone_begins_anew(place: Place) -> None:
    place.proxy.add(Rule(pattern=PUT_PART, skip=5, times=99, answer=NO))
    with pytest.raises(ServerError) as refused:
        place.client().multipart_upload(KEY, crumbs(DATA))
    place.proxy.clear()
    assert refused.value.checkpoint is not None
    place.direct.abort_multipart_upload(KEY, refused.value.checkpoint.upload_id)
    heard = Heard()
    place.client().multipart_upload(KEY, crumbs(DATA), on_event=heard)
    assert "discarded" in heard.kinds()
    assert place.stored() == DATA
    assert (place.open_uploads(), place.journals()) == ([], [])


def test_a_source_that_raises_leaves_a_state_to_go_on_from(place: Place) -> None:
    def broken() -> Iterator[bytes]:
        yield from crumbs(DATA[: 12 * PART])
        raise ValueError("the disk of the source is gone")

    with pytest.raises(ValueError, match="the disk of the source is gone"):
        place.client().multipart_upload(KEY, broken())
    result = place.client().multipart_upload(KEY, crumbs(DATA))
    assert result.resumed_bytes >= 8 * PART
    place.assert_whole(DATA)


def test_an_endless_stream_can_be_cancelled_and_leaves_a_clean_state(place: Place) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 50_000

    upload = place.client().start_upload(KEY, endless())
    for event in upload.events():
        if event.kind == "part" and event.about["part_number"] >= 40:
            break
    began = time.monotonic()
    upload.cancel()
    with pytest.raises(UploadCancelled) as cancelled:
        upload.result(30)
    assert time.monotonic() - began < 2
    assert cancelled.value.checkpoint is not None
    kept = {found.number for found in cancelled.value.checkpoint.parts}
    assert kept <= set(place.stored_numbers(cancelled.value.checkpoint.upload_id))
    place.direct.abort_multipart_upload(KEY, cancelled.value.checkpoint.upload_id)
    assert place.open_uploads() == []


@pytest.mark.parametrize("moment", ["before the first byte", "in the middle"])
def test_a_stream_that_gives_nothing_for_ever_can_be_cancelled(place: Place, moment: str) -> None:
    stuck, end = threading.Event(), threading.Event()

    def silent() -> Iterator[bytes]:
        if moment == "in the middle":
            yield DATA[: 3 * PART]
        stuck.set()
        end.wait(60)
        yield b""

    upload = place.client().start_upload(KEY, silent())
    assert stuck.wait(30)
    began = time.monotonic()
    upload.cancel()
    try:
        with pytest.raises(UploadCancelled):
            upload.result(30)
        assert time.monotonic() - began < 2
    finally:
        end.set()


def test_a_long_stream_takes_no_more_memory_than_a_short_one(place: Place) -> None:
    """In a process of its own, whose peak is measured."""
    program = """
import resource, sys
from mossaic.client.client import Client
from mossaic.client.credentials import Static
from mossaic.client.store import Null
endpoint, bucket, mib = sys.argv[1:]
client = Client(endpoint, bucket=bucket, credentials=Static("e2eRootKeyId", "e2eRootKeySecret0123456789"),
                part_size=1 << 20, parallel=4, store=Null(), proxy="")
client.multipart_upload("warm", iter([bytes(1 << 16)] * 48))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
client.multipart_upload("long", (bytes(1 << 16) for _ in range(int(mib) * 16)))
print(before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    arguments = [sys.executable, "-c", program, place.server.endpoint, place.bucket, "64"]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=120, check=True)
    before, after = map(int, done.stdout.split())
    unit = 1 if sys.platform == "darwin" else 1024
    assert (after - before) * unit < 4 << 20
    assert place.direct.head("long").size == 64 << 20
