"""Going on with what an earlier run, another process, machine or client has begun: every stored part counts, whatever is missing."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mossaic.client.checkpoint import Checkpoint
from mossaic.client.errors import NoSuchUpload, ServerError, SourceChanged
from mossaic.client.store import File, KeyValue, Memory, SQLite, Store
from tests.e2e.harness import PART, noise
from tests.faults.place import KEY, PUT_PART, Heard, Place, data_of, part
from tests.faults.proxy import Rule, error

PARTS = 30
DATA = data_of(PARTS)
NO = error(403, "AccessDenied")


def piece(number: int) -> bytes:
    return DATA[(number - 1) * PART : number * PART]


def stopped(place: Place, source: Any, *, after: int = 12, **options: Any) -> Checkpoint:
    """A first run that the service refuses in the middle; where it stood."""
    client = place.client(**({"store": options.pop("store")} if "store" in options else {}))
    place.proxy.add(Rule(pattern=PUT_PART, skip=after, times=99, answer=NO))
    with pytest.raises(ServerError) as refused:
        client.multipart_upload(KEY, source, **options)
    place.proxy.clear()
    assert refused.value.checkpoint is not None
    return refused.value.checkpoint


# --- what is stored ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "numbers", [[3, 4, 5, 6], [30], [1, 30], [2, 4, 6, 8], list(range(30, 0, -1)), []], ids=str
)
def test_parts_stored_in_any_order_count(place: Place, numbers: list[int]) -> None:
    """alibabacloud-oss-v2 counts only those before the first gap, and begins a second upload when part 1 is missing."""
    upload = place.direct.init_multipart_upload(KEY)
    for number in numbers:
        place.direct.upload_part(upload, number, piece(number))
    result = place.client().resume_upload(upload, place.file(DATA), part_size=PART)
    assert result.upload_id == upload.upload_id
    assert result.resumed_bytes == sum(len(piece(number)) for number in numbers)
    place.assert_whole(DATA)


def test_parts_that_no_cut_of_the_source_gives_are_refused(place: Place) -> None:
    upload = place.direct.init_multipart_upload(KEY)
    place.direct.upload_part(upload, 2, DATA[:150_001])
    place.direct.upload_part(upload, 3, DATA[:150_000])
    with pytest.raises(ValueError, match="no even cut"):
        place.client().resume_upload(upload, place.file(DATA))


def test_a_journal_with_gaps_is_gone_on_with(place: Place) -> None:
    source = place.file(DATA)
    place.proxy.add(*(Rule(pattern=part(number), times=99, answer=NO) for number in (1, 2, 3)))
    with pytest.raises(ServerError):
        place.client(parallel=4).multipart_upload(KEY, source)
    (upload_id,) = place.open_uploads()
    assert place.stored_numbers(upload_id)[:1] != [1]
    place.proxy.clear()
    assert place.client().multipart_upload(KEY, source).upload_id == upload_id
    place.assert_whole(DATA)


@pytest.mark.parametrize("part_size", [PART + 1, 3 * PART, "auto"])
def test_another_part_size_goes_on_with_the_old_one(place: Place, part_size: int | str) -> None:
    """v2 begins a new upload then, and leaves the first for ever."""
    source = place.file(DATA)
    begun = stopped(place, source)
    result = place.client(part_size=part_size).multipart_upload(KEY, source)
    assert (result.upload_id, result.parts) == (begun.upload_id, PARTS)
    place.assert_whole(DATA)


def test_a_part_beyond_the_end_is_not_in_the_object(place: Place) -> None:
    source = place.file(DATA)
    begun = stopped(place, source)
    (upload,) = place.direct.list_uploads()
    place.direct.upload_part(upload, PARTS + 5, b"not ours")
    result = place.client().multipart_upload(KEY, source)
    assert (result.upload_id, result.parts) == (begun.upload_id, PARTS)
    assert place.stored() == DATA


def test_a_first_part_that_fails_leaves_an_upload_to_go_on_with(place: Place) -> None:
    """ali-oss has no checkpoint before the first part is stored."""
    source = place.file(DATA)
    begun = stopped(place, source, after=0)
    assert begun.parts == ()
    assert place.client().multipart_upload(KEY, source).upload_id == begun.upload_id
    place.assert_whole(DATA)


# --- checkpoints ------------------------------------------------------------------------------------------------------


def test_a_checkpoint_goes_to_another_machine_as_json(place: Place) -> None:
    begun = stopped(place, place.file(DATA))
    text = json.dumps(json.loads(begun.dumps()))
    elsewhere = place.directory / "elsewhere"
    elsewhere.mkdir()
    copy = elsewhere / "copy.bin"
    copy.write_bytes(DATA)
    result = place.client(store=File(elsewhere / "state")).multipart_upload(
        KEY, copy, resume=Checkpoint.loads(text)
    )
    assert result.upload_id == begun.upload_id
    assert result.resumed_bytes >= 12 * PART
    assert list((elsewhere / "state").iterdir()) == []
    for found in place.state.iterdir():
        found.unlink()
    place.assert_whole(DATA)


@pytest.mark.parametrize("kept", [True, False], ids=["file unchanged", "file changed"])
def test_a_checkpoint_of_ali_oss_is_proven_without_checksums(place: Place, *, kept: bool) -> None:
    source, heard = place.file(DATA), Heard()
    begun = stopped(place, source)
    theirs = {
        "file": {},
        "name": KEY,
        "fileSize": len(DATA),
        "partSize": PART,
        "uploadId": begun.upload_id,
        "doneParts": [{"number": one.number, "etag": f'"{one.etag}"'} for one in begun.parts],
    }
    data = DATA if kept else noise(len(DATA), seed=44)
    source.write_bytes(data)
    result = place.client().multipart_upload(KEY, source, resume=theirs, on_event=heard)
    assert result.upload_id == begun.upload_id
    assert bool(heard.of("unverified")) is not kept
    assert place.stored() == data
    assert place.journals() == []


def test_a_checkpoint_of_another_size_is_refused_and_keeps_what_is_stored(place: Place) -> None:
    begun = stopped(place, place.file(DATA))
    with pytest.raises(SourceChanged):
        place.client().multipart_upload(KEY, place.file(DATA + b"x", "longer.bin"), resume=begun)
    assert place.open_uploads() == [begun.upload_id]
    place.client().multipart_upload(KEY, place.directory / "source.bin", resume=begun)
    place.assert_whole(DATA)


def test_a_checkpoint_whose_upload_is_gone_is_refused(place: Place) -> None:
    source = place.file(DATA)
    begun = stopped(place, source)
    place.direct.abort_multipart_upload(KEY, begun.upload_id)
    with pytest.raises(NoSuchUpload):
        place.client().multipart_upload(KEY, source, resume=begun)
    place.client().multipart_upload(KEY, source)
    assert place.stored() == DATA


def test_a_checkpoint_does_not_make_the_journals_own_upload_forgotten(place: Place) -> None:
    source, heard = place.file(DATA), Heard()
    ours = stopped(place, source)
    other = place.direct.init_multipart_upload(KEY)
    given = place.direct.checkpoint_of(other, source)
    result = place.client().multipart_upload(KEY, source, resume=given, on_event=heard)
    assert result.upload_id == other.upload_id
    assert heard.one("leftover").about["upload_ids"] == (ours.upload_id,)
    assert place.open_uploads() == [ours.upload_id]


# --- what cannot be gone on with --------------------------------------------------------------------------------------


def test_an_upload_aborted_elsewhere_is_begun_anew(place: Place) -> None:
    source, heard = place.file(DATA), Heard()
    begun = stopped(place, source)
    place.direct.abort_multipart_upload(KEY, begun.upload_id)
    result = place.client().multipart_upload(KEY, source, on_event=heard)
    assert heard.one("discarded").about["upload_id"] == begun.upload_id
    assert result.upload_id != begun.upload_id
    assert place.stored() == DATA
    assert (place.open_uploads(), place.journals()) == ([], [])


SAID: dict[str, dict[str, Any]] = {
    "meta": {"meta": {"owner": "b"}},
    "headers": {"headers": {"Cache-Control": "no-store"}},
    "mime": {"mime": "text/plain"},
    "tags": {"tags": {"k": "v"}},
    "storage class": {"storage_class": "IA"},
    "acl": {"acl": "public-read"},
}


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("kind", ["file", "stream"])
def test_an_object_that_is_to_be_otherwise_is_begun_anew(place: Place, said: str, kind: str) -> None:
    """Initiate has said it once and for all."""
    path, heard = place.file(DATA), Heard()

    def source() -> Path | Iterator[bytes]:
        return path if kind == "file" else iter([DATA])

    begun = stopped(place, source(), meta={"owner": "a"})
    result = place.client().multipart_upload(
        KEY, source(), **{"meta": {"owner": "a"}, **SAID[said]}, on_event=heard
    )
    assert heard.one("discarded").about["upload_id"] == begun.upload_id
    assert result.upload_id != begun.upload_id
    info = place.direct.head(KEY)
    assert info.meta["owner"] == ("b" if said == "meta" else "a")
    assert place.stored() == DATA
    assert (place.open_uploads(), place.journals()) == ([], [])


def test_what_complete_says_does_not_cost_the_stored_parts(place: Place) -> None:
    source = place.file(DATA)
    begun = stopped(place, source)
    result = place.client().multipart_upload(KEY, source, forbid_overwrite=True)
    assert result.upload_id == begun.upload_id
    place.assert_whole(DATA)


def test_resume_never_leaves_the_journal_and_its_upload_alone(place: Place) -> None:
    source = place.file(DATA)
    begun = stopped(place, source)
    place.client().multipart_upload(KEY, source, resume="never")
    assert place.open_uploads() == [begun.upload_id]
    place.client().multipart_upload(KEY, source)
    assert place.open_uploads() == []


# --- journals ---------------------------------------------------------------------------------------------------------


class Values:
    """Bytes by name, as a caller's own database would keep them."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.full = False

    def get(self, name: str) -> bytes | None:
        return self.kept.get(name)

    def put(self, name: str, value: bytes) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        self.kept[name] = value

    def delete(self, name: str) -> None:
        self.kept.pop(name, None)

    def list(self) -> list[str]:
        return list(self.kept)


@pytest.mark.parametrize("kind", ["SQLite", "Memory", "KeyValue", "File"])
def test_every_kind_of_journal_goes_on(place: Place, kind: str) -> None:
    memory, values = Memory(), Values()

    def store() -> Store:
        """As a new process would open it, where it outlives one."""
        path = place.directory / "journals"
        makers = {
            "SQLite": lambda: SQLite(path),
            "KeyValue": lambda: KeyValue(values),
            "File": lambda: File(path),
        }
        return memory if kind == "Memory" else makers[kind]()

    source = place.file(DATA)
    begun = stopped(place, source, store=store())
    assert len(list(store().names())) == 1
    result = place.client(store=store()).multipart_upload(KEY, source)
    assert result.upload_id == begun.upload_id
    assert list(store().names()) == []
    place.assert_whole(DATA)


def test_a_state_directory_that_cannot_be_made_is_told_and_stops_nothing(place: Place) -> None:
    (place.directory / "a-file").write_bytes(b"")
    heard = Heard()
    client = place.client(store=File(place.directory / "a-file" / "state"))
    client.multipart_upload(KEY, place.file(DATA), on_event=heard)
    assert len(heard.of("unsaved")) == 1
    place.assert_whole(DATA)


def test_a_state_directory_that_cannot_be_written_is_told_and_stops_nothing(place: Place) -> None:
    place.state.write_text("a file, where a directory is needed: so it is for root as well")
    heard = Heard()
    place.client().multipart_upload(KEY, place.file(DATA), on_event=heard)
    assert len(heard.of("unsaved")) == 1
    place.state.unlink()
    place.assert_whole(DATA)


@pytest.mark.parametrize("moment", [1, 15, PARTS])
def test_a_journals_disk_that_fills_up_is_told_once_and_stops_nothing(place: Place, moment: int) -> None:
    heard, values = Heard(), Values()
    place.proxy.add(Rule(pattern=part(moment), call=lambda _: setattr(values, "full", True)))
    client = place.client(store=KeyValue(values, sync_every_s=0.0))
    client.multipart_upload(KEY, place.file(DATA), on_event=heard)
    assert len(heard.of("unsaved")) == 1
    place.assert_whole(DATA)


# --- two at once ------------------------------------------------------------------------------------------------------


def test_two_that_send_the_same_file_to_the_same_key_do_not_meet(place: Place) -> None:
    source, both = place.file(DATA), threading.Barrier(2, timeout=60)
    place.proxy.add(Rule(pattern=part(3), times=2, call=lambda _: both.wait()))
    runs = [place.client().start_upload(KEY, source) for _ in range(2)]
    results = [run.result(120) for run in runs]
    assert results[0].upload_id != results[1].upload_id
    assert place.stored() == DATA
    assert (place.open_uploads(), place.journals()) == ([], [])


def test_both_of_two_that_were_cut_off_are_gone_on_with(place: Place) -> None:
    """Neither is forgotten when only one runs again."""
    source, both = place.file(DATA), threading.Barrier(2, timeout=60)
    place.proxy.add(
        Rule(pattern=part(3), times=2, call=lambda _: both.wait()),
        Rule(pattern=part(9), times=99, answer=NO),
    )
    runs = [place.client().start_upload(KEY, source) for _ in range(2)]
    for run in runs:
        with pytest.raises(ServerError):
            run.result(120)
    place.proxy.clear()
    assert len(place.open_uploads()) == 2
    for left in (1, 0):
        place.client().multipart_upload(KEY, source)
        assert len(place.open_uploads()) == left
    assert place.journals() == []
