"""Progress is byte-exact and never falls, whatever happens; what a callback raises comes out, and leaves a state to go on from."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from mossaic.client.errors import ServerError
from mossaic.client.upload.progress import Progress
from mossaic.client.upload.task import Event
from tests.e2e.harness import PART
from tests.faults.place import COMPLETE, KEY, MANY, PUT_PART, Heard, Place, data_of, part
from tests.faults.proxy import Rule, error

PARTS = 40
DATA = data_of(PARTS)
PHASES = ("checking", "sending", "completing", "done")


class Seen(list[Progress]):
    """Each progress that was told."""

    def __call__(self, progress: Progress) -> None:
        self.append(progress)

    def assert_sound(self, total: int) -> None:
        for before, after in itertools.pairwise(self):
            assert after.sent >= before.sent
            assert after.stored >= before.stored
            assert after.parts_done >= before.parts_done
            assert after.retries >= before.retries
            assert PHASES.index(after.phase) >= PHASES.index(before.phase)
        for one in self:
            assert one.resumed <= one.stored <= one.sent
            assert one.total is None or one.sent <= one.total
        last = self[-1]
        assert (last.phase, last.sent, last.stored, last.total) == ("done", total, total, total)
        assert last.fraction == 1
        assert last.parts_done == last.parts_total


def faults() -> list[Rule]:
    """Parts that travel several times, in pieces and whole."""
    return [
        *(Rule(pattern=part(number), cut_request=PART // 2, times=2) for number in (2, 20, 39)),
        *(Rule(pattern=part(number), lose_answer=True) for number in (1, 12, PARTS)),
        *(Rule(pattern=part(number), damage=900) for number in (5, 25)),
        Rule(pattern=part(30), answer=error(503, "ServiceUnavailable"), times=3),
        Rule(pattern=COMPLETE, lose_answer=True),
    ]


@pytest.mark.parametrize("kind", ["file", "stream"])
def test_progress_never_falls_and_ends_at_the_total(place: Place, kind: str) -> None:
    seen = Seen()
    place.proxy.add(*faults())
    source = place.file(DATA) if kind == "file" else iter([DATA])
    place.client().multipart_upload(KEY, source, progress=seen, bandwidth=8_000_000)
    seen.assert_sound(len(DATA))
    assert {one.phase for one in seen} >= {"sending", "completing", "done"}
    assert seen[-1].parts_total == PARTS
    assert len({one.sent for one in seen}) > 4
    assert any(one.sent % PART for one in seen[:-1])  # bytes, not whole parts


@pytest.mark.parametrize("kind", ["file", "stream"])
def test_what_an_earlier_run_stored_counts_from_the_beginning(place: Place, kind: str) -> None:
    def source() -> Any:
        return place.file(DATA) if kind == "file" else iter([DATA])

    place.proxy.add(Rule(pattern=PUT_PART, skip=20, times=99, answer=error(403, "AccessDenied")))
    with pytest.raises(ServerError):
        place.client().multipart_upload(KEY, source())
    place.proxy.clear()
    place.proxy.add(*faults())
    seen = Seen()
    result = place.client().multipart_upload(KEY, source(), progress=seen)
    seen.assert_sound(len(DATA))
    assert seen[-1].resumed == result.resumed_bytes >= 17 * PART


def test_a_put_tells_its_progress_too(place: Place) -> None:
    seen = Seen()
    place.proxy.add(Rule(pattern=f"^PUT .*{KEY}", cut_request=900_000))
    client = place.client(part_size=2 * len(DATA))
    client.multipart_upload(KEY, place.file(DATA), progress=seen, bandwidth=6_000_000)
    seen.assert_sound(len(DATA))
    assert len(seen) > 4


@pytest.mark.parametrize("size", [0, 1])
def test_an_empty_source_is_done_too(place: Place, size: int) -> None:
    seen = Seen()
    place.client().multipart_upload(KEY, place.file(b"x" * size), progress=seen)
    seen.assert_sound(size)
    assert place.stored() == b"x" * size


def test_events_tell_each_part_once_and_the_end_last(place: Place) -> None:
    data, heard = data_of(MANY), Heard()
    place.proxy.add(*faults())
    place.client(parallel=8).multipart_upload(KEY, place.file(data), on_event=heard)
    assert sorted(event.about["part_number"] for event in heard.of("part")) == list(range(1, MANY + 1))
    assert heard.kinds()[0] == "begun"
    assert heard.kinds()[-1] == "completed"
    assert all(
        event.about["part_number"] for event in heard.of("retry") if event.about["operation"] == "UploadPart"
    )


def test_a_handle_replays_its_events_from_the_beginning(place: Place) -> None:
    upload = place.client().start_upload(KEY, place.file(DATA))
    upload.result(60)
    first, second = list(upload.events()), list(upload.events())
    assert first == second
    assert first[0].kind == "begun"
    assert upload.progress.sent == len(DATA)
    assert set(upload.part_map.values()) == {-1}


class Enough(Exception):
    """What a caller's callback raises."""


def raising(what: type[BaseException], when: Callable[[Any], bool]) -> Callable[[Any], None]:
    def callback(told: Any) -> None:
        if when(told):
            raise what

    return callback


@pytest.mark.parametrize("what", [Enough, KeyboardInterrupt, SystemExit])
def test_what_the_progress_callback_raises_comes_out_and_the_state_is_good(
    place: Place, what: type[BaseException]
) -> None:
    source = place.file(DATA)
    callback = raising(what, lambda progress: progress.parts_done >= 10)
    with pytest.raises(what):
        place.client().multipart_upload(KEY, source, progress=callback, bandwidth=4_000_000)
    assert place.stored() is None
    assert len(place.open_uploads()) == 1
    result = place.client().multipart_upload(KEY, source)
    assert result.resumed_bytes >= 10 * PART
    place.assert_whole(DATA)


@pytest.mark.parametrize("kind", ["begun", "part", "retry", "completed"])
def test_what_the_event_callback_raises_comes_out_and_the_state_is_good(place: Place, kind: str) -> None:
    source = place.file(DATA)
    place.proxy.add(Rule(pattern=part(20), answer=error(500, "InternalError")))
    callback: Callable[[Event], None] = raising(Enough, lambda event: event.kind == kind)
    with pytest.raises(Enough):
        place.client().multipart_upload(KEY, source, on_event=callback)
    place.client().multipart_upload(KEY, source)
    assert place.stored() == DATA
    assert (place.open_uploads(), place.journals()) == ([], [])


def test_what_a_callback_raises_reaches_who_waits_for_the_result(place: Place) -> None:
    upload = place.client().start_upload(
        KEY, place.file(DATA), progress=raising(Enough, lambda progress: progress.parts_done >= 3)
    )
    with pytest.raises(Enough):
        upload.result(60)
    assert upload.done()
    assert "begun" in [event.kind for event in upload.events()]  # which end
