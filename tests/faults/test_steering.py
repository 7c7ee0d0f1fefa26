"""Pause, resume, cancel, abort and the pace of one upload, while things go wrong; another upload of the same client notices nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from mossaic.client.errors import (
    AccessDenied,
    DeadlineExceeded,
    NoSuchUpload,
    UploadAborted,
    UploadCancelled,
)
from mossaic.client.options import Retry
from mossaic.client.upload.handle import Upload
from tests.e2e.harness import PART
from tests.faults.place import COMPLETE, INITIATE, KEY, Heard, Place, data_of, part
from tests.faults.proxy import Rule, Seen, error

PARTS = 40
DATA = data_of(PARTS)
SOON_S = 1.0
WAIT_S = 60.0
NO = error(403, "AccessDenied")


class Hook:
    """Holds a request in the proxy: `reached` when it is there, on its way again after `release`."""

    def __init__(self) -> None:
        self._reached, self._go = threading.Event(), threading.Event()

    def __call__(self, _: Seen) -> None:
        self._reached.set()
        self._go.wait(WAIT_S)

    def reached(self) -> None:
        assert self._reached.wait(WAIT_S)

    def release(self) -> None:
        self._go.set()


def held() -> Iterator[Hook]:
    made = Hook()
    yield made
    made.release()


hook = pytest.fixture(held, name="hook")
other_hook = pytest.fixture(held, name="other")


def until_part(upload: Upload, count: int) -> None:
    """Wait until so many parts are stored."""
    for event in upload.events():
        count -= event.kind == "part"
        if not count:
            return
    raise AssertionError("it ended before")


def quiet(place: Place) -> int:
    """Bytes that had come when nothing more came for a while."""
    before = -1
    while before != place.proxy.received:
        before = place.proxy.received
        threading.Event().wait(0.4)  # a time in which something would come
    return before


# --- pause ------------------------------------------------------------------------------------------------------------


def test_a_paused_upload_sends_nothing_and_then_goes_on(place: Place) -> None:
    heard = Heard()
    upload = place.client().start_upload(KEY, place.file(DATA), on_event=heard, bandwidth=2_000_000)
    until_part(upload, 5)
    upload.pause()
    sent, requests = quiet(place), len(place.proxy.seen)
    assert sent < len(DATA)
    assert not upload.done()
    assert (quiet(place), len(place.proxy.seen)) == (sent, requests)
    upload.resume()
    upload.set_bandwidth(None)
    assert upload.result(WAIT_S).size == len(DATA)
    assert [kind for kind in heard.kinds() if kind in ("paused", "continued")] == ["paused", "continued"]
    assert heard.of("retry") == []  # a pause is no failure
    place.assert_whole(DATA)


def test_a_pause_cuts_what_is_in_flight(place: Place, hook: Hook) -> None:
    place.proxy.add(Rule(pattern=part(9), call=hook))
    upload = place.client(parallel=1).start_upload(KEY, place.file(DATA))
    hook.reached()
    upload.pause()
    sent = quiet(place)
    hook.release()
    assert quiet(place) <= sent + PART
    assert upload.progress.parts_done == 8
    upload.resume()
    upload.result(WAIT_S)
    place.assert_whole(DATA)


def test_a_part_that_was_stored_when_the_pause_cut_it_is_not_sent_again(place: Place) -> None:
    uploads: list[Upload] = []
    begun, paused = threading.Event(), threading.Event()

    def pause(_: Seen) -> None:
        assert begun.wait(WAIT_S)
        uploads[0].pause()
        paused.set()

    place.proxy.add(Rule(pattern=part(9), done=pause, lose_answer=True))
    uploads.append(place.client(parallel=1).start_upload(KEY, place.file(DATA)))
    begun.set()
    assert paused.wait(WAIT_S)
    uploads[0].resume()
    uploads[0].result(WAIT_S)
    place.assert_whole(DATA)


def test_a_paused_upload_can_be_cancelled(place: Place) -> None:
    upload = place.client().start_upload(KEY, place.file(DATA), bandwidth=2_000_000)
    until_part(upload, 3)
    upload.pause()
    began = time.monotonic()
    upload.cancel()
    with pytest.raises(UploadCancelled):
        upload.result(WAIT_S)
    assert time.monotonic() - began < SOON_S
    place.client().multipart_upload(KEY, place.directory / "source.bin")
    place.assert_whole(DATA)


def test_a_put_of_a_small_source_can_be_paused(place: Place) -> None:
    upload = place.client(part_size=2 * len(DATA)).start_upload(KEY, place.file(DATA), bandwidth=1_000_000)
    while place.proxy.received < 300_000:
        threading.Event().wait(0.02)
    upload.pause()
    sent = quiet(place)
    assert sent < len(DATA)
    assert quiet(place) == sent
    upload.set_bandwidth(None)
    upload.resume()
    upload.result(WAIT_S)
    assert place.stored() == DATA


# --- cancel -----------------------------------------------------------------------------------------------------------


HANGS = {
    "Initiate": Rule(pattern=INITIATE),
    "a part before it is taken": Rule(pattern=part(7)),
    "Complete": Rule(pattern=COMPLETE),
}


@pytest.mark.parametrize("moment", HANGS)
@pytest.mark.parametrize("answered", [False, True], ids=["asked", "done"])
def test_cancel_returns_at_once_though_the_service_hangs(
    place: Place, hook: Hook, moment: str, *, answered: bool
) -> None:
    source = place.file(DATA)
    rule = Rule(pattern=HANGS[moment].pattern, **{"done" if answered else "call": hook})
    place.proxy.add(rule)
    upload = place.client(parallel=1).start_upload(KEY, source)
    hook.reached()
    began = time.monotonic()
    upload.cancel()
    with pytest.raises(UploadCancelled) as cancelled:
        upload.result(WAIT_S)
    assert time.monotonic() - began < SOON_S
    assert (cancelled.value.checkpoint is None) is (moment == "Initiate")
    heard = Heard()
    place.client().multipart_upload(KEY, source, on_event=heard)
    for event in heard.of("leftover"):
        for upload_id in event.about["upload_ids"]:
            place.direct.abort_multipart_upload(KEY, upload_id)
    place.assert_whole(DATA)


def test_cancel_does_not_wait_for_a_retry(place: Place) -> None:
    place.proxy.add(
        Rule(
            pattern=part(7),
            times=99,
            answer=error(503, "ServiceUnavailable", headers={"Retry-After": "60"}),
        )
    )
    client = place.client(retry=Retry(attempts=8, base=0.02, cap=60))
    upload = client.start_upload(KEY, place.file(DATA))
    for event in upload.events():
        if event.kind == "retry":
            break
    began = time.monotonic()
    upload.cancel()
    with pytest.raises(UploadCancelled):
        upload.result(WAIT_S)
    assert time.monotonic() - began < SOON_S


def test_the_checkpoint_of_a_cancelled_upload_is_gone_on_with(place: Place) -> None:
    source = place.file(DATA)
    upload = place.client().start_upload(KEY, source, bandwidth=2_000_000)
    until_part(upload, 10)
    upload.cancel()
    with pytest.raises(UploadCancelled) as cancelled:
        upload.result(WAIT_S)
    checkpoint = cancelled.value.checkpoint
    assert checkpoint is not None
    assert len(checkpoint.parts) >= 10
    result = place.client().multipart_upload(KEY, source, resume=checkpoint)
    assert result.upload_id == checkpoint.upload_id
    place.assert_whole(DATA)


def test_cancelling_one_of_two_uploads_leaves_the_other_alone(place: Place, hook: Hook, other: Hook) -> None:
    """ali-oss cancels every upload of a client."""
    client, source = place.client(), place.file(DATA)
    place.proxy.add(
        Rule(pattern=r"one\.bin.*partNumber=5(&|$)", call=hook),
        Rule(pattern=r"two\.bin.*partNumber=5(&|$)", call=other),
    )
    one = client.start_upload("one.bin", source)
    two = client.start_upload("two.bin", source)
    hook.reached()  # both: of one that has no upload id yet there would be nothing to abort
    other.reached()
    one.cancel()
    with pytest.raises(UploadCancelled):
        one.result(WAIT_S)
    client.abort_multipart_upload("one.bin", one.upload_id)
    hook.release()
    other.release()
    assert two.result(WAIT_S).retries == 0
    assert place.stored("two.bin") == DATA
    assert client.get_bytes("two.bin") == DATA
    assert place.open_uploads() == []


# --- abort ------------------------------------------------------------------------------------------------------------


def kept_bytes(place: Place) -> int:
    """What the service's blobs take on the disk."""
    return sum(path.stat().st_size for path in (place.server.data / "blobs").rglob("*") if path.is_file())


def assert_freed(place: Place, before: int) -> None:
    assert place.open_uploads() == []
    assert place.stored() is None
    until = time.monotonic() + WAIT_S
    while kept_bytes(place) > before and time.monotonic() < until:
        threading.Event().wait(0.1)
    assert kept_bytes(place) <= before


def test_abort_frees_what_was_stored(place: Place) -> None:
    before, heard = kept_bytes(place), Heard()
    upload = place.client().start_upload(KEY, place.file(DATA), on_event=heard, bandwidth=2_000_000)
    until_part(upload, 10)
    assert kept_bytes(place) >= before + 10 * PART
    upload.abort()
    with pytest.raises(UploadAborted):
        upload.result(WAIT_S)
    assert heard.one("aborted").about["upload_id"] == upload.upload_id
    assert upload.upload_id is not None
    with pytest.raises(NoSuchUpload):
        place.stored_numbers(upload.upload_id)
    assert place.journals() == []
    assert_freed(place, before)


def test_abort_is_final_though_a_part_arrives_after_it(place: Place, hook: Hook) -> None:
    before = kept_bytes(place)
    place.proxy.add(Rule(pattern=part(12), call=hook))
    upload = place.client().start_upload(KEY, place.file(DATA))
    hook.reached()
    upload.abort()
    with pytest.raises(UploadAborted):
        upload.result(WAIT_S)
    hook.release()
    assert place.journals() == []
    assert_freed(place, before)


def test_abort_before_complete_has_arrived_makes_no_object(place: Place, hook: Hook) -> None:
    before = kept_bytes(place)
    place.proxy.add(Rule(pattern=COMPLETE, call=hook))
    upload = place.client().start_upload(KEY, place.file(DATA))
    hook.reached()
    upload.abort()
    with pytest.raises(UploadAborted):
        upload.result(WAIT_S)
    hook.release()
    assert place.journals() == []
    assert_freed(place, before)


def test_abort_after_complete_has_made_the_object_tells_so(place: Place, hook: Hook) -> None:
    place.proxy.add(Rule(pattern=COMPLETE, done=hook))
    upload = place.client().start_upload(KEY, place.file(DATA))
    hook.reached()
    upload.abort()
    assert upload.result(WAIT_S).etag == place.direct.head(KEY).etag
    place.assert_whole(DATA)


def test_abort_while_the_upload_id_is_awaited_names_it(place: Place, hook: Hook) -> None:
    heard = Heard()
    place.proxy.add(Rule(pattern=INITIATE, done=hook))
    upload = place.client().start_upload(KEY, place.file(DATA), on_event=heard)
    hook.reached()
    upload.abort()
    with pytest.raises(UploadAborted):
        upload.result(WAIT_S)
    assert list(heard.one("leftover").about["upload_ids"]) == place.open_uploads()


def test_an_upload_that_fails_may_be_told_to_leave_nothing(place: Place) -> None:
    before = kept_bytes(place)
    place.proxy.add(Rule(pattern=part(20), times=99, answer=NO))
    with pytest.raises(AccessDenied) as refused:
        place.client().multipart_upload(KEY, place.file(DATA), on_failure="abort")
    assert refused.value.part_number == 20
    assert place.journals() == []
    assert_freed(place, before)


def test_a_cancel_is_no_failure_and_keeps_what_is_stored(place: Place) -> None:
    source = place.file(DATA)
    upload = place.client().start_upload(KEY, source, on_failure="abort", bandwidth=2_000_000)
    until_part(upload, 5)
    upload.cancel()
    with pytest.raises(UploadCancelled):
        upload.result(WAIT_S)
    assert place.open_uploads() == [upload.upload_id]
    assert place.client().multipart_upload(KEY, source).upload_id == upload.upload_id
    place.assert_whole(DATA)


# --- pace and time ----------------------------------------------------------------------------------------------------


def test_the_bandwidth_changes_while_it_runs(place: Place) -> None:
    upload = place.client().start_upload(KEY, place.file(DATA), bandwidth=100_000)  # 40 s for all of it
    until_part(upload, 1)
    upload.set_bandwidth(None)
    assert upload.result(15).size == len(DATA)
    place.assert_whole(DATA)


def test_a_limit_set_while_it_runs_holds(place: Place) -> None:
    limit, uploads = 1_000_000, []
    begun = threading.Event()

    def slow(_: Seen) -> None:
        assert begun.wait(WAIT_S)
        uploads[0].set_bandwidth(limit)

    place.proxy.add(Rule(pattern=part(1), call=slow))
    client = place.client(parallel=1)
    began = time.monotonic()
    uploads.append(client.start_upload(KEY, place.file(DATA)))
    begun.set()
    uploads[0].result(WAIT_S)
    assert time.monotonic() - began >= 0.9 * (len(DATA) - PART - 256 * 1024) / limit


def test_a_deadline_ends_it_in_time_and_it_can_be_resumed(place: Place) -> None:
    source, began = place.file(DATA), time.monotonic()
    with pytest.raises(DeadlineExceeded) as late:
        place.client().multipart_upload(KEY, source, deadline=1.5, bandwidth=500_000)
    assert 1.4 <= time.monotonic() - began < 3.5
    assert late.value.checkpoint is not None
    place.client().multipart_upload(KEY, source)
    place.assert_whole(DATA)


def test_a_deadline_holds_though_the_service_hangs(place: Place, hook: Hook) -> None:
    place.proxy.add(Rule(pattern=part(5), call=hook))
    source, began = place.file(DATA), time.monotonic()
    with pytest.raises(DeadlineExceeded):
        place.client().multipart_upload(KEY, source, deadline=2)
    assert time.monotonic() - began < 4
    place.client().multipart_upload(KEY, source)
    place.assert_whole(DATA)


def test_result_may_be_awaited_for_a_while(place: Place, hook: Hook) -> None:
    place.proxy.add(Rule(pattern=part(5), call=hook))
    upload = place.client().start_upload(KEY, place.file(DATA))
    hook.reached()
    with pytest.raises(TimeoutError, match="still running"):
        upload.result(0.01)
    hook.release()
    assert upload.result(WAIT_S).size == len(DATA)
