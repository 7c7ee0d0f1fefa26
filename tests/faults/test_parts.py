"""Whatever happens to single parts of an upload of 200: the object is whole, and no stored part travels twice."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import pytest

from mossaic.client.errors import AccessDenied, NetworkError
from mossaic.client.options import Retry, Timeout
from tests.e2e.harness import PART
from tests.faults.place import KEY, LIST_PARTS, MANY, PUT_PART, Heard, Place, data_of, part
from tests.faults.proxy import Rule, Seen, error

HTML = (
    502,
    {"Content-Type": "text/html"},
    b"<html><head><title>502 Bad Gateway</title></head><body><hr>nginx</body></html>",
)
NUMBERS = (1, 2, 17, 60, 61, 62, 63, 140, 199, 200)

FAULTS: dict[str, Callable[[str], Rule]] = {
    "the request is cut before its body": lambda at: Rule(pattern=at, cut_request=0),
    "the request is cut after one byte": lambda at: Rule(pattern=at, cut_request=1),
    "the request is cut in the middle": lambda at: Rule(pattern=at, cut_request=PART // 2),
    "the request is cut at its last byte": lambda at: Rule(pattern=at, cut_request=PART - 1235),
    "500": lambda at: Rule(pattern=at, times=3, answer=error(500, "InternalError")),
    "503": lambda at: Rule(pattern=at, answer=error(503, "ServiceUnavailable")),
    "429 with Retry-After": lambda at: Rule(
        pattern=at, answer=error(429, "TooManyRequests", headers={"Retry-After": "0"})
    ),
    "502 in HTML by a proxy": lambda at: Rule(pattern=at, answer=HTML),
    "503 before the body was read": lambda at: Rule(
        pattern=at, early=True, answer=error(503, "ServiceUnavailable")
    ),
    "502 in HTML though the part was stored": lambda at: Rule(pattern=at, swap_answer=HTML),
    "the answer is lost": lambda at: Rule(pattern=at, lose_answer=True),
    "the answer is cut in its first line": lambda at: Rule(pattern=at, cut_answer=9),
    "the answer is cut in its head": lambda at: Rule(pattern=at, cut_answer=60),
    "the answer is cut at its last byte": lambda at: Rule(pattern=at, cut_answer=-1),
    "the answer to 500 is cut in its body": lambda at: Rule(
        pattern=at, swap_answer=error(500, "InternalError"), cut_answer=-20
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_parts_costs_only_those_parts(place: Place, fault: str) -> None:
    data = data_of(MANY)
    rules = [FAULTS[fault](part(number)) for number in NUMBERS]
    place.proxy.add(*rules)
    result = place.client(parallel=8).multipart_upload(KEY, place.file(data))
    place.assert_whole(data)
    assert [rule.used for rule in rules] == [rule.times for rule in rules]
    assert (result.size, result.parts) == (len(data), MANY)


@pytest.mark.parametrize("at", [0, 70_000, PART - 1235], ids=["first byte", "in the middle", "last byte"])
def test_a_damaged_byte_is_noticed_and_only_its_part_is_sent_again(place: Place, at: int) -> None:
    data = data_of(MANY)
    place.proxy.add(*(Rule(pattern=part(number), damage=at) for number in NUMBERS))
    place.client(parallel=4).multipart_upload(KEY, place.file(data))
    place.assert_whole(data, again=NUMBERS)
    assert all(place.times_stored()[number] <= 2 for number in NUMBERS)


def test_a_damaged_part_whose_answer_is_lost_is_not_taken_for_stored(place: Place) -> None:
    data = data_of(20)
    place.proxy.add(Rule(pattern=part(5), damage=1000, lose_answer=True))
    place.client().multipart_upload(KEY, place.file(data))
    place.assert_whole(data, again=[5])
    assert place.times_stored()[5] == 2


def test_answers_later_than_the_idle_timeout_are_looked_up(place: Place) -> None:
    data = data_of(MANY)
    place.proxy.add(*(Rule(pattern=part(number), delay_s=1.6) for number in (1, 90, 91, 200)))
    heard = Heard()
    client = place.client(parallel=8, timeout=Timeout(connect=5, idle=1))
    client.multipart_upload(KEY, place.file(data), on_event=heard)
    place.assert_whole(data)
    assert {event.about["part_number"] for event in heard.of("retry")} >= {1, 90, 91, 200}


def test_a_service_that_is_away_for_a_while_is_waited_for(place: Place) -> None:
    """Parts that were stored when the line broke are found again, though the first look-ups fail as well."""
    data, refused = data_of(MANY), threading.Semaphore(0)

    def gone(_: Seen) -> None:
        place.proxy.close()
        threading.Thread(target=back, daemon=True).start()

    def back() -> None:
        for _ in range(12):
            assert refused.acquire(timeout=30)
        place.proxy.open()

    place.proxy.add(*(Rule(pattern=part(number), done=gone) for number in (50, 120)))
    heard = Heard()

    def listen(event: object) -> None:
        heard.append(event)  # type: ignore[arg-type]
        if heard[-1].kind == "retry":
            refused.release()

    client = place.client(parallel=6, retry=Retry(attempts=30, base=0.02, cap=0.3))
    client.multipart_upload(KEY, place.file(data), on_event=listen)
    place.assert_whole(data)


def test_a_lost_answer_is_looked_up_again_when_the_look_up_fails(place: Place) -> None:
    data = data_of(20)
    place.proxy.add(
        Rule(pattern=part(7), lose_answer=True),
        Rule(pattern=LIST_PARTS, lose_answer=True),
        Rule(pattern=LIST_PARTS, answer=error(503, "ServiceUnavailable")),
        Rule(pattern=LIST_PARTS, cut_answer=-30),
    )
    place.client().multipart_upload(KEY, place.file(data))
    place.assert_whole(data)


def test_a_lost_answer_that_may_not_be_looked_up_costs_one_more_sending(place: Place) -> None:
    data = data_of(20)
    place.proxy.add(
        Rule(pattern=part(7), lose_answer=True),
        Rule(pattern=LIST_PARTS, times=9, answer=error(403, "AccessDenied")),
    )
    place.client().multipart_upload(KEY, place.file(data))
    place.assert_whole(data, again=[7])


@pytest.mark.parametrize("early", [True, False], ids=["before the body", "after the body"])
def test_a_refused_part_ends_the_upload_which_then_can_be_resumed(place: Place, *, early: bool) -> None:
    data, source = data_of(MANY), place.file(data_of(MANY))
    place.proxy.add(Rule(pattern=part(120), early=early, answer=error(403, "AccessDenied")))
    with pytest.raises(AccessDenied) as refused:
        place.client(parallel=8).multipart_upload(KEY, source)
    assert refused.value.part_number == 120
    assert refused.value.checkpoint is not None
    kept = {found.number for found in refused.value.checkpoint.parts}
    assert kept == set(place.stored_numbers(refused.value.checkpoint.upload_id))
    assert len(kept) >= 100
    result = place.client(parallel=8).multipart_upload(KEY, source)
    assert result.resumed_bytes == sum(found.size for found in refused.value.checkpoint.parts)
    place.assert_whole(data)


def test_a_part_that_fails_for_good_leaves_what_is_stored(place: Place) -> None:
    data, source = data_of(30), place.file(data_of(30))
    place.proxy.add(Rule(pattern=part(11), times=99, cut_request=5000))
    with pytest.raises(NetworkError) as lost:
        place.client().multipart_upload(KEY, source)
    assert lost.value.part_number == 11
    place.proxy.clear()
    place.client().multipart_upload(KEY, source)
    place.assert_whole(data)


@pytest.mark.parametrize("seed", range(4))
def test_any_mixture_of_faults_ends_in_the_same_bytes(place: Place, seed: int) -> None:
    chance, data = random.Random(seed), data_of(MANY + 10)
    damaged = set()
    faults = list(FAULTS.values())
    for number in chance.sample(range(1, MANY + 11), 70):
        for _ in range(chance.choice((1, 1, 1, 2))):
            if chance.random() < 0.1:
                damaged.add(number)
                place.proxy.add(Rule(pattern=part(number), damage=chance.randrange(PART - 1234)))
            else:
                place.proxy.add(chance.choice(faults)(part(number)))
    late = chance.randrange(1, MANY)
    place.proxy.add(Rule(pattern=part(late), delay_s=3.3))
    client = place.client(
        parallel=chance.choice((4, 5, 8)),
        timeout=Timeout(connect=5, idle=3),
        retry=Retry(attempts=12, base=0.02, cap=0.2),
    )
    client.multipart_upload(KEY, place.file(data))
    # On a busy machine the late one may be looked for before it is stored.
    place.assert_whole(data, again=damaged | {late})


def test_throttling_answers_lower_the_number_of_parts_at_once(place: Place) -> None:
    data, heard = data_of(60), Heard()
    place.proxy.add(
        Rule(
            pattern=PUT_PART,
            skip=10,
            times=3,
            answer=error(503, "ServiceUnavailable", headers={"Retry-After": "0"}),
        )
    )
    place.client(parallel="auto").multipart_upload(KEY, place.file(data), on_event=heard)
    assert [event.about["parallel"] for event in heard.of("parallel")][:1] == [2]
    place.assert_whole(data)
    stored, completed = heard.of("part")[-1], heard.one("completed")
    assert completed.at - stored.at < 2  # nobody waits for a worker that has no turn any more
