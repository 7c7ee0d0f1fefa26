"""The download engine's rooms by themselves: spans, the file beside the target, the journal, what is trusted of it."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mossaic.client.credentials import Anonymous
from mossaic.client.download.handle import find_target
from mossaic.client.download.log import DownloadLog, Earlier
from mossaic.client.download.resume import resume
from mossaic.client.download.span import Span, whole_crc64
from mossaic.client.download.target import PartFile, part_name
from mossaic.client.download.task import DownloadOptions, DownloadTask
from mossaic.client.endpoint import parse_endpoint
from mossaic.client.exchange import Session
from mossaic.client.http import Pool, Scope
from mossaic.client.options import Retry, Timeout
from mossaic.client.results import ObjectInfo
from mossaic.client.signer import Clock, Signer
from mossaic.client.store import Memory
from mossaic.client.upload.throttle import Throttle
from mossaic.protocol.checksum import crc64

PART = 102_400
DATA = os.urandom(3 * PART)
INFO = ObjectInfo(
    bucket="b",
    name="k",
    size=len(DATA),
    etag="E",
    crc64=crc64(DATA),
    modified_at=datetime(2026, 1, 1, tzinfo=UTC),
)


def a_task(store: Memory, **options: object) -> DownloadTask:
    place = parse_endpoint("http://127.0.0.1:9")
    session = Session(
        endpoint=place,
        provider=Anonymous(),
        pool=Pool(timeout=Timeout()),
        signer=Signer("v4", "cn-hangzhou", Clock()),
        retry=Retry(),
    )
    return DownloadTask(
        session=session,
        bucket="b",
        name="k",
        options=DownloadOptions(**options),  # type: ignore[arg-type]
        store=store,
        throttle=Throttle(),
        scope=Scope(),
    )


def a_span(number: int, *, done: int = PART, right: bool = True) -> Span:
    offset = (number - 1) * PART
    value = crc64(DATA[offset : offset + done])
    return Span(number=number, offset=offset, size=PART, done=done, crc64=value if right else value ^ 1)


def an_attempt(folder: Path, store: Memory, *spans: Span, closed: bool = True) -> Path:
    """What a run leaves that was ended after `spans` had come."""
    log = DownloadLog.open(a_task(store), "journal")
    file = PartFile.create(folder / "out.part", len(DATA))
    file.write(0, memoryview(DATA))
    log.begun(Earlier(part_file="out.part", etag="E", size=len(DATA), crc64=INFO.crc64, part_size=PART), ())
    for span in spans:
        log.received(span)
    if closed:
        log.closing(file.mark())
    file.close()
    log.close()
    return folder / "out.part"


def kept(folder: Path, store: Memory, info: ObjectInfo = INFO, **options: object) -> dict[int, int] | None:
    """Range number → bytes of it that are believed."""
    task = a_task(store, **options)
    log = DownloadLog.open(task, "journal")
    found = resume(task, log, info, folder)
    log.close()
    if found is None:
        return None
    found.file.close()
    return {number: span.done for number, span in found.spans.items()}


def test_an_untouched_file_is_believed_without_being_read(tmp_path: Path) -> None:
    store = Memory()
    an_attempt(tmp_path, store, a_span(1, right=False), a_span(3, done=500))

    assert kept(tmp_path, store) == {1: PART, 3: 500}


def test_verify_reads_every_range(tmp_path: Path) -> None:
    store = Memory()
    an_attempt(tmp_path, store, a_span(1, right=False), a_span(3, done=500))

    assert kept(tmp_path, store, resume="verify") == {3: 500}


def test_a_file_that_was_written_to_is_read(tmp_path: Path) -> None:
    store = Memory()
    path = an_attempt(tmp_path, store, a_span(1), a_span(2))
    before = path.stat()
    with path.open("r+b") as file:
        file.write(bytes([DATA[0] ^ 1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert kept(tmp_path, store) == {2: PART}


def test_after_a_crash_every_range_is_read(tmp_path: Path) -> None:
    store = Memory()
    an_attempt(tmp_path, store, a_span(1, right=False), a_span(2), closed=False)

    assert kept(tmp_path, store) == {2: PART}


def test_a_mark_that_is_not_the_last_word_does_not_count(tmp_path: Path) -> None:
    store = Memory()
    an_attempt(tmp_path, store, a_span(2))
    log = DownloadLog.open(a_task(store), "journal")
    log.received(a_span(1, right=False))
    log.close()

    assert kept(tmp_path, store) == {2: PART}


@pytest.mark.parametrize(
    "other", [{"etag": "F"}, {"size": 5}, {"crc64": 5}], ids=lambda each: next(iter(each))
)
def test_another_object_believes_nothing_and_leaves_nothing(tmp_path: Path, other: dict[str, object]) -> None:
    store = Memory()
    path = an_attempt(tmp_path, store, a_span(1))

    assert kept(tmp_path, store, replace(INFO, **other)) is None  # type: ignore[arg-type]
    assert not path.exists()


def test_a_file_of_another_size_or_kind_is_not_used(tmp_path: Path) -> None:
    store = Memory()
    path = an_attempt(tmp_path, store, a_span(1))
    path.rename(tmp_path / "elsewhere")
    path.symlink_to("elsewhere")

    assert kept(tmp_path, store) is None
    assert (tmp_path / "elsewhere").exists()


def test_ranges_without_a_crc_are_believed_only_untouched_and_unchecked(tmp_path: Path) -> None:
    store = Memory()
    span = a_span(1)
    span.crc64 = None
    an_attempt(tmp_path, store, span)

    assert kept(tmp_path, store) == {}
    assert kept(tmp_path, store, checksum="none") == {1: PART}


def test_a_journal_of_another_making_is_none_at_all(tmp_path: Path) -> None:
    store = Memory()
    journal = store.open("journal")
    journal.append({"kind": "download", "part_file": "out.part"})
    journal.close()

    assert kept(tmp_path, store) is None


def test_the_whole_crc_is_that_of_the_spans_in_order() -> None:
    spans = [a_span(1), a_span(2), a_span(3)]
    assert whole_crc64(spans) == crc64(DATA)
    spans[1].crc64 = None
    assert whole_crc64(spans) is None


@pytest.mark.parametrize("name", ["a", "x" * 255, "ä" * 127, "漢" * 85, "bad\udcff" + "y" * 250])
def test_the_file_beside_has_a_name_that_file_systems_take(tmp_path: Path, name: str) -> None:
    made = part_name(name)

    (tmp_path / made).touch()

    assert made.endswith(".part")
    assert made != part_name(name)


def test_publishing_never_replaces_what_must_not_be(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"precious")
    file = PartFile.create(tmp_path / "out.part", 0)

    with pytest.raises(FileExistsError):
        file.publish(tmp_path / "out", overwrite=False)

    assert (tmp_path / "out").read_bytes() == b"precious"
    file.publish(tmp_path / "out", overwrite=True)
    assert (tmp_path / "out").read_bytes() == b""
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


def test_a_target_is_the_file_behind_links(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("real")

    assert find_target(tmp_path / "link", overwrite=False) == tmp_path.resolve() / "real"
