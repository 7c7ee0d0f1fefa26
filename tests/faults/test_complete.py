"""Complete and its like, whose answers get lost: success is told as success, somebody else's object never as ours."""

from __future__ import annotations

import threading

import pytest

from mossaic.client.errors import (
    CallbackFailed,
    ChecksumMismatch,
    FileAlreadyExists,
    NetworkError,
    UploadAborted,
)
from tests.e2e.harness import PART, CallbackReceiver, callback_fields, noise
from tests.faults.place import COMPLETE, INITIATE, KEY, Heard, Place, data_of
from tests.faults.proxy import Rule, Seen, error

DATA = data_of(12)
SMALL = noise(50_000, seed=5)
LARGE = noise(3_000_000, seed=6)  # of several chunks, so that a refusal comes before its end
PUT = rf"^PUT .*{KEY}"


@pytest.fixture(params=["replay", "strict"])
def either(request: pytest.FixtureRequest) -> Place:
    """Services that answer a repeated Complete as the first, and those that say NoSuchUpload."""
    found: Place = request.getfixturevalue("place" if request.param == "replay" else "strict_place")
    return found


LOSSES = {
    "is lost": Rule(pattern=COMPLETE, lose_answer=True),
    "is cut in its head": Rule(pattern=COMPLETE, cut_answer=40),
    "is cut in its body": Rule(pattern=COMPLETE, cut_answer=-15),
    "became a 500": Rule(pattern=COMPLETE, swap_answer=error(500, "InternalError")),
    "became a 502 in HTML": Rule(
        pattern=COMPLETE, swap_answer=(502, {"Content-Type": "text/html"}, b"<html>no</html>")
    ),
    "never was: 503": Rule(pattern=COMPLETE, answer=error(503, "ServiceUnavailable")),
    "never was: the request was cut": Rule(pattern=COMPLETE, cut_request=100),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_an_upload_succeeds_though_the_answer_to_complete(either: Place, loss: str) -> None:
    heard = Heard()
    rule = LOSSES[loss]
    rule.used = 0
    either.proxy.add(rule)
    result = either.client().multipart_upload(KEY, either.file(DATA), on_event=heard)
    assert rule.used == 1
    assert (result.size, result.parts) == (len(DATA), 12)
    assert result.etag == either.direct.head(KEY).etag
    assert result.crc64 == either.direct.head(KEY).crc64
    either.assert_whole(DATA)


def test_a_lost_answer_is_resolved_by_a_look_at_the_object(strict_place: Place) -> None:
    heard = Heard()
    strict_place.proxy.add(Rule(pattern=COMPLETE, lose_answer=True))
    result = strict_place.client().multipart_upload(KEY, strict_place.file(DATA), on_event=heard)
    assert heard.one("resolved").about["upload_id"] == result.upload_id


def test_a_complete_whose_answers_are_all_lost_is_recognised_by_the_next_run(either: Place) -> None:
    source, heard = either.file(DATA), Heard()
    either.proxy.add(Rule(pattern=COMPLETE, times=99, lose_answer=True))
    with pytest.raises(NetworkError) as lost:
        either.client().multipart_upload(KEY, source)
    assert lost.value.checkpoint is not None
    assert either.journals() != []
    either.proxy.clear()
    result = either.client().multipart_upload(KEY, source, on_event=heard)
    assert heard.kinds() == ["resolved"]
    assert result.etag == either.direct.head(KEY).etag
    either.assert_whole(DATA)


def test_a_changed_file_is_not_taken_for_the_object_of_the_run_before(either: Place) -> None:
    other = noise(len(DATA), seed=8)
    either.proxy.add(Rule(pattern=COMPLETE, times=99, lose_answer=True))
    with pytest.raises(NetworkError):
        either.client().multipart_upload(KEY, either.file(DATA))
    either.proxy.clear()
    assert either.stored() == DATA
    either.client().multipart_upload(KEY, either.file(other))
    assert either.stored() == other
    assert either.open_uploads() == []
    assert either.journals() == []


def test_an_object_deleted_since_is_not_taken_for_ours(either: Place) -> None:
    source = either.file(DATA)
    either.proxy.add(Rule(pattern=COMPLETE, times=99, lose_answer=True))
    with pytest.raises(NetworkError):
        either.client().multipart_upload(KEY, source)
    either.proxy.clear()
    either.direct.delete(KEY)
    either.client().multipart_upload(KEY, source)
    assert either.stored() == DATA


def test_a_complete_that_arrives_late_is_recognised(strict_place: Place) -> None:
    """The first run's request still hangs in the network when the second has listed the parts and asks itself."""
    place, source = strict_place, strict_place.file(DATA)
    listed, done = threading.Event(), threading.Event()
    place.proxy.add(
        Rule(pattern=COMPLETE, call=lambda _: listed.wait(60), done=lambda _: done.set()),
        Rule(pattern=COMPLETE, call=lambda _: listed.set() or done.wait(60)),
    )
    first = place.client().start_upload(KEY, source)
    while not any(seen.method == "POST" and "uploadId" in seen.target for seen in place.proxy.seen):
        next(iter(first.events()))
    first.cancel()
    with pytest.raises(Exception, match="cancelled"):
        first.result(30)
    heard = Heard()
    result = place.client().multipart_upload(KEY, source, on_event=heard)
    assert result.etag == place.direct.head(KEY).etag
    assert heard.kinds() == ["resumed", "resolved"]
    place.assert_whole(DATA)


def test_an_upload_aborted_elsewhere_before_complete_is_told(either: Place) -> None:
    def abort(_: Seen) -> None:
        (upload_id,) = either.open_uploads()
        either.direct.abort_multipart_upload(KEY, upload_id)

    either.proxy.add(Rule(pattern=COMPLETE, call=abort))
    with pytest.raises(UploadAborted):
        either.client().multipart_upload(KEY, either.file(DATA))
    assert either.stored() is None
    assert either.journals() == []


# --- forbid_overwrite -------------------------------------------------------------------------------------------------


def test_our_own_object_does_not_forbid_itself(either: Place) -> None:
    either.proxy.add(Rule(pattern=COMPLETE, times=2, lose_answer=True))
    either.client().multipart_upload(KEY, either.file(DATA), forbid_overwrite=True)
    either.assert_whole(DATA)


@pytest.mark.parametrize("lost", [False, True], ids=["answer heard", "answer lost"])
def test_somebody_elses_object_does_forbid_ours(either: Place, *, lost: bool) -> None:
    source = either.file(DATA)
    either.proxy.add(
        Rule(pattern=COMPLETE, call=lambda _: either.direct.put(KEY, b"theirs"), lose_answer=lost)
    )
    with pytest.raises(FileAlreadyExists):
        either.client().multipart_upload(KEY, source, forbid_overwrite=True)
    assert either.stored() == b"theirs"
    either.direct.delete(KEY)
    either.client().multipart_upload(KEY, source, forbid_overwrite=True)
    either.assert_whole(DATA)


@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["one chunk", "many chunks"])
@pytest.mark.parametrize("checksum", ["crc64", "none"])
@pytest.mark.parametrize("where", ["place", "place_without_md5"])
def test_a_put_whose_answer_was_lost_does_not_forbid_itself(
    request: pytest.FixtureRequest, where: str, data: bytes, checksum: str
) -> None:
    place: Place = request.getfixturevalue(where)
    place.proxy.add(Rule(pattern=PUT, lose_answer=True))
    client = place.client(part_size=4_000_000, checksum=checksum)
    result = client.multipart_upload(KEY, place.file(data), forbid_overwrite=True)
    assert place.stored() == data
    assert result.etag == place.direct.head(KEY).etag
    assert place.journals() == []


def test_an_early_refusal_of_the_second_put_is_no_failure_of_the_first(place: Place) -> None:
    """The refusal comes before the second body is read, so its checksum is not known."""
    refusal = error(409, "FileAlreadyExists")
    place.proxy.add(
        Rule(pattern=PUT, lose_answer=True), Rule(pattern=PUT, times=9, early=True, answer=refusal)
    )
    client = place.client(part_size=4_000_000, bandwidth=20_000_000)
    client.multipart_upload(KEY, place.file(LARGE), forbid_overwrite=True)
    assert place.stored() == LARGE


@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["one chunk", "many chunks"])
def test_a_put_is_forbidden_by_somebody_elses_object(place: Place, data: bytes) -> None:
    place.direct.put(KEY, b"theirs")
    place.proxy.add(Rule(pattern=PUT, lose_answer=True))
    with pytest.raises(FileAlreadyExists):
        place.client(part_size=4_000_000).multipart_upload(KEY, place.file(data), forbid_overwrite=True)
    assert place.stored() == b"theirs"


# --- one PutObject ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["one chunk", "many chunks"])
def test_a_put_damaged_on_the_way_is_never_an_object(place: Place, data: bytes) -> None:
    """Neither the file's put nor a stream's: what stood there before stays until the bytes arrive as they were sent."""
    client = place.client(part_size=4_000_000)
    for source in (place.file(data), iter([data])):
        place.direct.put(KEY, b"before")
        place.proxy.add(Rule(pattern=PUT, times=99, damage=20_000))
        with pytest.raises(Exception, match="CRC") as refused:
            client.multipart_upload(KEY, source)
        assert place.stored() == b"before"
        assert not isinstance(refused.value, ChecksumMismatch)  # the server refused: nothing was stored
        place.proxy.clear()


@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["one chunk", "many chunks"])
def test_a_put_damaged_once_is_sent_again(place: Place, data: bytes) -> None:
    place.proxy.add(Rule(pattern=PUT, times=2, damage=20_000))
    place.client(part_size=4_000_000).multipart_upload(KEY, place.file(data))
    assert place.stored() == data


# --- callbacks --------------------------------------------------------------------------------------------------------


def test_a_callbacks_answer_is_told_though_the_first_was_lost(
    place: Place, receiver: CallbackReceiver
) -> None:
    place.proxy.add(Rule(pattern=COMPLETE, times=2, lose_answer=True))
    result = place.client().multipart_upload(KEY, place.file(DATA), callback=_callback(receiver.url))
    assert result.callback == receiver.answer
    assert (
        len(receiver.calls) == 3
    )  # the service calls again, as the repeated answer has the receiver's JSON in it
    place.assert_whole(DATA)


def test_without_replay_the_object_is_ours_and_the_callbacks_answer_unknown(
    strict_place: Place, receiver: CallbackReceiver
) -> None:
    place = strict_place
    place.proxy.add(Rule(pattern=COMPLETE, lose_answer=True))
    result = place.client().multipart_upload(KEY, place.file(DATA), callback=_callback(receiver.url))
    assert result.callback is None
    assert len(receiver.calls) == 1
    place.assert_whole(DATA)


@pytest.mark.parametrize("lost", [False, True], ids=["answer heard", "answer lost"])
def test_a_failed_callback_is_told_and_leaves_nothing(
    place: Place, receiver: CallbackReceiver, *, lost: bool
) -> None:
    place.proxy.add(Rule(pattern=COMPLETE, lose_answer=lost))
    with pytest.raises(CallbackFailed) as failed:
        place.client().multipart_upload(
            KEY, place.file(DATA), callback=_callback(f"{receiver.url}/fail"), on_failure="abort"
        )
    assert failed.value.status == 203
    assert failed.value.checkpoint is None  # there is nothing to go on from: the object is stored
    place.assert_whole(DATA)


def _callback(url: str) -> dict[str, str]:
    fields = callback_fields(url)
    return {"url": url, "body": "size=${size}", "contentType": fields["callbackBodyType"]}


# --- Initiate ---------------------------------------------------------------------------------------------------------


def test_an_upload_id_lost_with_its_answer_is_named(place: Place) -> None:
    heard = Heard()
    place.proxy.add(Rule(pattern=INITIATE, lose_answer=True))
    place.client().multipart_upload(KEY, place.file(DATA), on_event=heard)
    left = heard.one("leftover").about["upload_ids"]
    assert list(left) == place.open_uploads()
    place.direct.abort_multipart_upload(KEY, *left)
    place.assert_whole(DATA)


@pytest.mark.parametrize("resume", ["auto", "never"])
def test_an_initiate_that_never_succeeds_names_what_it_may_have_left(place: Place, resume: str) -> None:
    """With a journal the next run does, without one nobody would."""
    source, heard = place.file(DATA), Heard()
    place.proxy.add(Rule(pattern=INITIATE, times=99, lose_answer=True))
    with pytest.raises(NetworkError):
        place.client().multipart_upload(KEY, source, on_event=heard, resume=resume)
    place.proxy.clear()
    left = place.open_uploads()
    assert len(left) > 1
    if resume == "auto":
        place.client().multipart_upload(KEY, source, on_event=heard)
    assert sorted(heard.one("leftover").about["upload_ids"]) == sorted(left)


def test_a_stream_of_one_part_is_one_put(place: Place) -> None:
    place.proxy.add(Rule(pattern=PUT, lose_answer=True), Rule(pattern=PUT, cut_request=PART // 4))
    result = place.client().multipart_upload(KEY, iter([SMALL[:100], SMALL[100:]]), forbid_overwrite=True)
    assert (place.stored(), result.upload_id) == (SMALL, None)
