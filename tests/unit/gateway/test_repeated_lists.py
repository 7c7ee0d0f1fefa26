"""Lists of objects are repeated as reads are: whoever walks a bucket asks for page after page in the same words."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from mossaic.gateway.pages_again import OBJECT_LISTS
from mossaic.gateway.repeats.first_line import PART_NUMBER, UPLOAD_ID, VARYING
from mossaic.model.names import BucketName
from mossaic.protocol.codec.plan import plan_of
from mossaic.service.buckets import NewBucket
from tests.unit.gateway.repeated import Ask, Place, answer_of, count_tries, open_place, shown

DOMAIN = "oss-cn-hangzhou.aliyuncs.com"
KEYS = ("a b/1", "a/1", "a/2", "a/3", "b/1", "b/c/1", "c")
V1 = "max-keys=2&prefix={}&marker={}&delimiter=%2F&encoding-type=url"
V2 = "list-type=2&max-keys=2&prefix={}&start-after={}&delimiter=%2F&fetch-owner=true"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with open_place(tmp_path) as opened:
        for key in KEYS:
            assert (await opened.ask_usually(stored(key))).status == 200
        yield opened


def stored(key: str, **fields: object) -> Ask:
    return replace(Ask(method="PUT", key=key, body=b"content"), **fields)  # type: ignore[arg-type]  # fields by name


def listed(query: str, **fields: object) -> Ask:
    return replace(Ask(key="", query=query), **fields)  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize("signs", ["v4", "v1"])
@pytest.mark.parametrize("domain", ["", DOMAIN])
@pytest.mark.parametrize("form", [V1, V2])
async def test_a_list_is_repeated_like_any_other_request(
    place: Place, form: str, domain: str, signs: str
) -> None:
    await place.learn(listed(form.format("p", "p"), domain=domain, signs=signs))

    for prefix in ("a", "a%2F", "a%20b", "b%2F", "none", "%25"):
        for after in ("a", "a%2F1", "b%2Fc%2F0"):
            asked = listed(form.format(prefix, after), domain=domain, signs=signs)
            before = place.seen.answered
            for _ in range(4):  # the third is known, and the fourth
                answer = await place.ask(asked)
                assert answer.status == 200
                assert shown(answer) == shown(await place.ask_usually(asked))
            assert place.seen.answered == before + 4
    assert place.seen.handed_back == 0


async def test_a_walk_takes_every_key_once(place: Place) -> None:
    first = listed("list-type=2&max-keys=2")
    await place.learn(first)
    more = "list-type=2&max-keys=2&continuation-token={}"
    await place.learn(listed(more.format("CmE-")))
    before = place.seen.answered

    found: list[bytes] = []
    page = (await place.ask(first)).body
    while True:
        found += re.findall(rb"<Key>([^<]*)<", page)
        token = re.search(rb"<NextContinuationToken>([^<]*)<", page)
        if token is None:
            break
        page = (await place.ask(listed(more.format(token[1].decode())))).body

    assert found == [key.encode() for key in KEYS]
    assert place.seen.answered == before + 4


@pytest.mark.parametrize("form", [V1, V2, "prefix&marker={}"])
async def test_what_is_empty_stays_empty(place: Place, form: str) -> None:
    """As oss2 asks; it signs `prefix`, and sends `prefix=`."""
    asked = listed(form.format("", ""))
    await place.learn(asked)

    assert shown(await place.ask(asked)) == shown(await place.ask_usually(asked))
    assert await place.repeats(asked)
    before = place.seen.answered
    said = listed(form.format("b", "b"))
    assert shown(await place.ask(said)) == shown(await place.ask_usually(said))
    assert place.seen.answered == before


async def test_changes_are_listed_at_once(place: Place) -> None:
    asked = listed("list-type=2&prefix=new")
    for _ in range(4):
        await place.ask(asked)
    assert await place.repeats(asked)

    assert (await place.ask_usually(stored("new"))).status == 200
    assert b"<Key>new</Key>" in (await place.ask(asked)).body
    assert await place.repeats(asked)
    assert (await place.ask_usually(stored("new", method="DELETE", body=b""))).status == 204
    assert b"<KeyCount>0</KeyCount>" in (await place.ask(asked)).body


async def test_lists_are_refused_in_the_same_words(place: Place) -> None:
    await place.services.buckets.create(NewBucket(name="gone"))
    for form in (V1, V2):
        await place.learn(listed(form.format("p", "p")))
    await place.learn(listed("list-type=2&continuation-token=CmE-"))
    await place.services.buckets.delete(BucketName("gone"))
    before = place.seen.answered

    for query in (
        V1.replace("keys=2", "keys=0"),
        V2.replace("keys=2", "keys=1001"),
        V2.replace("=true", "=perhaps"),
    ):
        await place.same_refusal(listed(query.format("p", "p")), 400, "InvalidArgument")
    await place.same_refusal(listed(V1.replace("url", "uri").format("p", "p")), 400, "InvalidArgument")
    await place.same_refusal(listed(V2.replace("%2F", "%2F%2F").format("p", "p")), 400, "InvalidArgument")
    await place.same_refusal(listed(V2.format("p" * 1024, "p")), 400, "InvalidArgument")
    await place.same_refusal(listed("list-type=2&continuation-token=x"), 400, "InvalidArgument")
    assert place.seen.answered == before + 7

    await place.same_refusal(listed(V1.format("p", "p"), bucket="gone"), 404, "NoSuchBucket")
    forged = replace(Ask().pair, secret="another")
    await place.same_refusal(listed(V1.format("p", "p"), pair=forged), 403, "SignatureDoesNotMatch")


async def test_what_was_signed_for_one_list_serves_for_no_other(place: Place) -> None:
    asked = listed(V2.format("a", "a"))
    await place.learn(asked)
    head = asked.head()

    for said, instead in ((b"prefix=a&", b"prefix=b&"), (b"after=a&", b"after=b&"), (b"keys=2&", b"keys=3&")):
        other = replace(asked, query=asked.query.replace(said.decode(), instead.decode()))
        signature = head.rpartition(b"Signature=")[2]
        forged = other.head().rpartition(b"Signature=")[0] + b"Signature=" + signature
        assert forged == head.replace(said, instead)
        answers = [await answer_of(each, forged) for each in (place.quick, place.usual)]
        assert [answer.status for answer in answers] == [403, 403]


@pytest.mark.parametrize(
    "query",
    [
        "acl",
        "uploads",
        "versions",
        "prefix=%C3%BC",
        "prefix=a+b",
        "prefix=%2f",
        "prefix=%41",
        "prefix=a/",
        "prefix=a%00",
        "prefix=a&prefix=b",
        "prefix=a&unknown=b",
        "prefix=a&",
        "uploads&prefix=a",
        "list-type=2&prefix=a&x-oss-request-payer=requester",
        f"prefix={'x' * 3000}",
    ],
)
async def test_what_is_asked_for_otherwise_goes_the_usual_way(place: Place, query: str) -> None:
    for _ in range(4):
        answer = await place.ask(listed(query))
        assert shown(answer) == shown(await place.ask_usually(listed(query)))

    assert place.seen.answered == place.seen.handed_back == 0


async def test_another_list_type_is_another_operation(place: Place) -> None:
    await place.learn(listed("list-type=2&prefix=a"))

    for kind in ("1", "3", "22", "x"):
        asked = listed(f"list-type={kind}&prefix=a")
        before = place.seen.answered
        assert shown(await place.ask(asked)) == shown(await place.ask_usually(asked))
        assert place.seen.answered == before


@pytest.mark.parametrize("domain", ["", DOMAIN])
async def test_the_same_query_of_an_object_is_no_list(place: Place, domain: str) -> None:
    query = "prefix=a&max-keys=2"
    await place.learn(listed(query, domain=domain))

    for key in ("c", "a/1", "none", "/"):
        asked = Ask(key=key, query=query, domain=domain)
        before = place.seen.answered
        assert shown(await place.ask(asked)) == shown(await place.ask_usually(asked))
        assert place.seen.answered == before


async def test_the_list_of_all_buckets_is_no_list_of_objects(place: Place) -> None:
    asked = listed("prefix=a&max-keys=2", bucket="")
    for _ in range(4):
        answer = await place.ask(asked)
        assert shown(answer) == shown(await place.ask_usually(asked))

    assert place.seen.answered == 0


async def test_a_doubled_name_spoils_nothing(place: Place) -> None:
    for _ in range(4):
        await place.ask(listed("prefix=a&prefix=b"))

    await place.learn(listed("prefix=a"))


async def test_a_header_may_be_called_as_a_parameter_is(place: Place) -> None:
    headers = {"prefix": "a", "marker": "b"}
    for asked in (Ask(key="c"), listed("prefix=a&max-keys=2")):
        signed = replace(asked, headers=headers, additional=("marker", "prefix"))
        await place.learn(signed)
        assert shown(await place.ask(signed)) == shown(await place.ask_usually(signed))
        other = replace(signed, query=signed.query.replace("=a", "=b"))
        assert await place.repeats(other)
        assert shown(await place.ask(other)) == shown(await place.ask_usually(other))
    assert place.seen.handed_back == 0


async def test_a_repeated_list_is_on_record_like_any_other_request(place: Place) -> None:
    asked = listed(V2.format("a", "a"))
    await place.learn(asked)

    for _ in range(3):
        await place.ask(asked)
        await place.ask_usually(asked)
        quick, usual = (json.loads(line) for line in place.log.read_text().splitlines()[-2:])
        for line in (quick, usual):
            line.pop("request_id"), line.pop("ms"), line.pop("time")
        assert quick == usual
        assert (quick["operation"], quick["key"]) == ("ListObjectsV2", None)


def test_whatever_lists_are_asked_for_may_vary() -> None:
    shapes = (operation.takes for operation in OBJECT_LISTS)
    names = {name for shape in shapes for name, _ in plan_of(shape).query_names}

    assert names == set(VARYING) - {PART_NUMBER, UPLOAD_ID}


async def test_each_form_of_a_query_gets_its_template_once(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = count_tries(monkeypatch)

    for number in range(6):
        for form in (V1, V2):
            assert (await place.ask(listed(form.format(number, number)))).status == 200

    assert len(tries) == 2
    assert place.seen.answered == 2 * 4
