"""A source that changes before, between and while it is sent: an object is one version of it as a whole, or is not made."""

from __future__ import annotations

import mmap
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mossaic.client.errors import MossaicError, NetworkError, ServerError, SourceChanged
from mossaic.client.store import File, Memory
from tests.e2e.harness import PART, noise
from tests.faults.place import COMPLETE, KEY, PUT_PART, Heard, Place, data_of, part
from tests.faults.proxy import Rule, Seen, error

PARTS = 24
DATA = data_of(PARTS)
OTHER = noise(len(DATA), seed=99)


def stopped(place: Place, source: Path, *, after: int = 10, **options: Any) -> None:
    """A first run that the service refuses in the middle."""
    place.proxy.add(Rule(pattern=PUT_PART, skip=after, times=99, answer=error(403, "AccessDenied")))
    with pytest.raises(ServerError):
        place.client().multipart_upload(KEY, source, **options)
    place.proxy.clear()


def settled(path: Path) -> Path:
    """Its times lie back far enough for any change to show."""
    os.utime(path, ns=(1_700_000_000_000_000_000, 1_700_000_000_123_456_789))
    for _ in range(10_000):
        if _age_ns(path) > 60_000_000:
            return path
        threading.Event().wait(0.01)
    raise AssertionError("the clock stands still")


def _age_ns(path: Path) -> int:
    probe = path.with_name("probe")
    probe.write_bytes(b"x")
    return probe.stat().st_ctime_ns - path.stat().st_ctime_ns


def rewritten(path: Path, data: bytes, *, at: int = 0) -> None:
    """In place, with the modification time set back: what oss2 does not notice."""
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_mtime_ns == before.st_mtime_ns


# --- between two runs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [len(DATA) - 5 * PART, len(DATA) + 3, 50_000, 0])
def test_a_source_of_another_size_is_sent_anew_and_the_old_upload_freed(place: Place, size: int) -> None:
    source, heard = place.file(DATA), Heard()
    stopped(place, source)
    fresh = noise(size, seed=3)
    source.write_bytes(fresh)
    place.client().multipart_upload(KEY, source, on_event=heard)
    assert "discarded" in heard.kinds()
    assert place.stored() == fresh
    assert (place.open_uploads(), place.journals()) == ([], [])


@pytest.mark.parametrize("old", [True, False], ids=["old file", "file just written"])
def test_a_source_rewritten_with_its_time_set_back_is_noticed(place: Place, *, old: bool) -> None:
    """The mixed object that oss2 makes of it."""
    source = place.file(DATA)
    if old:
        settled(source)
    stopped(place, source)
    rewritten(source, OTHER)
    place.client().multipart_upload(KEY, source)
    assert place.stored() == OTHER
    assert (place.open_uploads(), place.journals()) == ([], [])


def test_only_the_parts_that_differ_are_sent_again(place: Place) -> None:
    source, heard = settled(place.file(DATA)), Heard()
    stopped(place, source, after=16)
    before = place.times_stored()
    rewritten(source, b"changed", at=4 * PART + 17)
    place.client().multipart_upload(KEY, source, on_event=heard)
    fresh = source.read_bytes()
    assert [event.about["part_number"] for event in heard.of("unverified")] == [5]
    assert before[5] == 1
    place.assert_whole(fresh, again=[5])


def test_a_file_replaced_by_another_of_the_same_size_and_time_is_noticed(place: Place) -> None:
    source = settled(place.file(DATA))
    stopped(place, source)
    before = source.stat()
    other = place.file(OTHER, "other.bin")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(source)
    place.client().multipart_upload(KEY, source)
    assert place.stored() == OTHER


@pytest.mark.parametrize("how", ["touched", "copied", "renamed away and back"])
def test_the_same_bytes_under_new_times_are_proven_and_not_sent_again(place: Place, how: str) -> None:
    source, heard = settled(place.file(DATA)), Heard()
    stopped(place, source)
    if how == "touched":
        source.touch()
    elif how == "copied":
        source.unlink()
        source.write_bytes(DATA)
    else:
        source.rename(source.with_name("elsewhere")).rename(source)
    place.client().multipart_upload(KEY, source, on_event=heard)
    assert heard.of("unverified") == []
    place.assert_whole(DATA)


@pytest.mark.parametrize("resume", ["auto", "verify"])
def test_a_part_that_another_client_overwrote_is_sent_again(place: Place, resume: str) -> None:
    source, heard = settled(place.file(DATA)), Heard()
    stopped(place, source)
    (upload,) = place.direct.list_uploads()
    place.direct.upload_part(upload, 3, noise(PART, seed=7))
    place.client().multipart_upload(KEY, source, on_event=heard, resume=resume)
    assert [event.about["part_number"] for event in heard.of("unverified")] == [3]
    place.assert_whole(DATA, again=[3])


def test_verify_proves_what_a_forged_journal_claims(place: Place) -> None:
    """The journal says that the file is the one the parts were made from, and lies: "auto" has to believe it, "verify" reads."""
    source, store = settled(place.file(DATA)), Memory()
    place.proxy.add(Rule(pattern=PUT_PART, skip=10, times=99, answer=error(403, "AccessDenied")))
    with pytest.raises(ServerError):
        place.client(store=store).multipart_upload(KEY, source)
    place.proxy.clear()
    rewritten(source, OTHER)
    _forge(store, source)
    place.client(store=store).multipart_upload(KEY, source, resume="verify")
    assert place.stored() == OTHER


def _forge(store: Memory, source: Path) -> None:
    (name,) = store.names()
    journal = store.open(name)
    records = journal.records()
    for record in records:
        if record["kind"] == "upload":
            record["checkpoint"]["source"]["ctime_ns"] = str(source.stat().st_ctime_ns)  # type: ignore[index]
    journal.replace(records)
    journal.close()


# --- while it is sent -------------------------------------------------------------------------------------------------


CHANGES: dict[str, Callable[[Path], None]] = {
    "written to": lambda path: rewritten(path, OTHER),
    "its last byte written": lambda path: rewritten(path, bytes([DATA[-1] ^ 1]), at=len(DATA) - 1),
    "its first byte written": lambda path: rewritten(path, bytes([DATA[0] ^ 1])),
    "truncated": lambda path: os.truncate(path, len(DATA) // 2),
    "emptied": lambda path: os.truncate(path, 0),
    "grown": lambda path: path.open("ab").write(b"more") and None,
}


@pytest.mark.parametrize("moment", [part(1), part(12), part(PARTS)], ids=["first", "middle", "last"])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("old", [True, False], ids=["old file", "file just written"])
def test_a_change_while_it_is_sent_makes_no_object(
    place: Place, change: str, moment: str, *, old: bool
) -> None:
    source = place.file(DATA)
    if old:
        settled(source)
    place.proxy.add(Rule(pattern=moment, call=lambda _: CHANGES[change](source)))
    with pytest.raises(SourceChanged):
        place.client(parallel=2).multipart_upload(KEY, source)
    assert place.stored() is None
    place.client().multipart_upload(KEY, source)
    assert place.stored() == source.read_bytes()
    assert (place.open_uploads(), place.journals()) == ([], [])


def test_a_file_replaced_while_it_is_sent_is_the_old_one_or_none(place: Place) -> None:
    source, other = settled(place.file(DATA)), place.file(OTHER, "other.bin")
    place.proxy.add(Rule(pattern=part(12), call=lambda _: other.replace(source)))
    try:
        place.client().multipart_upload(KEY, source)
    except SourceChanged:
        assert place.stored() is None
    else:
        assert place.stored() == DATA
    place.client().multipart_upload(KEY, source)
    assert place.stored() == OTHER


def test_a_change_after_the_last_look_makes_no_mixture(place: Place) -> None:
    """While Complete is under way all bytes are there already."""
    source = settled(place.file(DATA))
    place.proxy.add(Rule(pattern=COMPLETE, call=lambda _: rewritten(source, OTHER)))
    place.client().multipart_upload(KEY, source)
    assert place.stored() == DATA


@pytest.fixture
def unseen(place: Place) -> Iterator[tuple[Path, mmap.mmap]]:
    """A file whose bytes can change while all its times stay, as within a tick of a coarse clock: its pages are mapped and dirty.

    Its time lies ahead, so that it counts as just written however slow this machine is.
    """
    path = place.file(DATA)
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as pages:
        for at in range(0, len(DATA), mmap.PAGESIZE):
            pages[at] = DATA[at]
        os.utime(path, (time.time() + 3600,) * 2)
        yield path, pages


@pytest.mark.parametrize("at", [0, 5 * PART, len(DATA) - 7], ids=["first part", "middle", "last part"])
@pytest.mark.parametrize("moment", [part(1), part(PARTS)], ids=["early", "late"])
def test_a_change_that_no_time_tells_of_makes_no_object(
    place: Place, unseen: tuple[Path, mmap.mmap], at: int, moment: str
) -> None:
    source, pages = unseen
    before = source.stat()
    place.proxy.add(Rule(pattern=moment, done=lambda _: pages.__setitem__(at, DATA[at] ^ 1)))
    try:
        place.client(parallel=3).multipart_upload(KEY, source)
    except SourceChanged:
        assert place.stored() is None
    else:
        assert place.stored() == source.read_bytes()
    assert source.stat().st_ctime_ns == before.st_ctime_ns
    place.client().multipart_upload(KEY, source)
    assert place.stored() == source.read_bytes()


def test_a_change_between_two_runs_that_no_time_tells_of_is_noticed(
    place: Place, unseen: tuple[Path, mmap.mmap]
) -> None:
    source, pages = unseen
    stopped(place, source)
    pages[: len(OTHER)] = OTHER
    place.client().multipart_upload(KEY, source)
    assert place.stored() == OTHER


def test_a_small_file_whose_change_no_time_tells_of_is_no_object(
    place: Place, unseen: tuple[Path, mmap.mmap]
) -> None:
    source, pages = unseen
    place.proxy.add(Rule(pattern=f"^PUT .*{KEY}", call=lambda _: pages.__setitem__(3, DATA[3] ^ 1)))
    client = place.client(part_size=4 * len(DATA), bandwidth=4_000_000)
    with pytest.raises(SourceChanged):
        client.multipart_upload(KEY, source)
    assert place.stored() is None


def test_a_second_write_within_the_tick_of_a_part_makes_no_mixture(place: Place) -> None:
    """Written twice while parts are sent, the second time at once after the first."""
    source = place.directory / "source.bin"

    def twice(_: Seen) -> None:
        with source.open("r+b", buffering=0) as file:
            for value in (b"one", b"two"):
                file.seek(20 * PART)
                file.write(value)

    source.write_bytes(DATA)
    place.proxy.add(Rule(pattern=part(1), call=twice))
    _uploaded_or_not(place, source, parallel=8)
    assert place.stored() in (None, source.read_bytes())


def _uploaded_or_not(place: Place, source: Path, **options: Any) -> None:
    try:
        place.client(**options).multipart_upload(KEY, source)
    except SourceChanged:
        assert place.stored() is None


# --- small files ------------------------------------------------------------------------------------------------------


SMALL = 3_000_000  # in several chunks


@pytest.mark.parametrize("change", ["written to", "truncated", "grown"])
@pytest.mark.parametrize("old", [True, False], ids=["old file", "file just written"])
def test_a_small_file_that_changes_while_it_is_sent_is_no_object(
    place: Place, change: str, *, old: bool
) -> None:
    source = place.file(noise(SMALL, seed=11))
    if old:
        settled(source)
    place.direct.put(KEY, b"before")
    place.proxy.add(Rule(pattern=f"^PUT .*{KEY}", call=lambda _: CHANGES[change](source)))
    client = place.client(part_size=2 * SMALL, bandwidth=4_000_000)
    with pytest.raises(SourceChanged):
        client.multipart_upload(KEY, source)
    assert place.stored() == b"before"
    client.multipart_upload(KEY, source)
    assert place.stored() == source.read_bytes()


@pytest.mark.parametrize("bandwidth", [None, 9_000_000, 4_100_000])
def test_a_small_file_just_written_is_compared_without_touching_what_is_sent(
    place: Place, bandwidth: float | None
) -> None:
    """It is read again before its last chunk leaves, and chunks are smaller on a limited line."""
    data, heard = noise(SMALL, seed=12), Heard()
    source = place.file(data)
    os.utime(source, (time.time() + 3600,) * 2)
    place.client(part_size=2 * SMALL).multipart_upload(KEY, source, bandwidth=bandwidth, on_event=heard)
    assert place.stored() == data
    assert heard.kinds() == ["completed"]


def test_a_tiny_file_changing_all_the_time_is_stored_as_it_once_was(place: Place) -> None:
    """Each write fills it with one byte: an object of two different bytes would be a mixture."""
    source, end = place.file(b"a" * 200_000), threading.Event()

    def write() -> None:
        turn = 0
        with source.open("r+b", buffering=0) as file:
            while not end.is_set():
                turn += 1
                file.seek(0)
                file.write(bytes([97 + turn % 26]) * 200_000)
                end.wait(0.003)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        client = place.client(part_size=1_000_000)
        for _ in range(25):
            try:
                client.multipart_upload(KEY, source)
            except (SourceChanged, NetworkError):
                continue
            assert len(set(place.stored() or b"")) == 1
    finally:
        end.set()
        writer.join()
    client.multipart_upload(KEY, source)
    assert place.stored() == source.read_bytes()


def test_what_the_sdk_says_of_a_change_can_be_acted_upon(place: Place) -> None:
    source = settled(place.file(DATA))
    place.proxy.add(Rule(pattern=part(9), call=lambda _: CHANGES["written to"](source)))
    with pytest.raises(MossaicError) as changed:
        place.client(store=File(place.state)).multipart_upload(KEY, source)
    assert isinstance(changed.value, SourceChanged)
    assert changed.value.checkpoint is not None
    assert "run it again" in str(changed.value)
