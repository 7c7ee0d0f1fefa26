"""Repeats of a request are answered as the request was, and whatever only looks like one goes the usual way."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mossaic.gateway.admit import signed_request
from mossaic.gateway.http.head import parse_head
from mossaic.gateway.message import HttpRequest
from mossaic.gateway.repeats.repeats import Repeats
from mossaic.gateway.repeats.template import Template
from mossaic.model import cors
from mossaic.model.bucket import Bucket
from mossaic.model.identity import AccessKey, Secret
from mossaic.model.names import BucketName
from mossaic.ports import StoreError
from mossaic.protocol.operations.multipart import AbortMultipartUpload
from mossaic.protocol.signing import claim as claims
from mossaic.protocol.signing import v1, v4
from mossaic.protocol.signing.request import Pair, Resource, SignedRequest
from mossaic.service.buckets import NewBucket
from mossaic.service.callbacks import CallbackService
from mossaic.service.identity import CACHE_S
from tests.in_process import NOW, BytesBody
from tests.unit.gateway.repeated import ROOT, Ask, Place, answer_of, count_tries, open_place, pairs_of, shown

DENY = '{"Version":"1","Statement":[{"Effect":"Deny","Action":"oss:GetObject","Principal":["1234567890123456"],"Resource":["acs:oss:*:*:bucket/*"]}]}'
ALLOW = DENY.replace("Deny", "Allow")


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with open_place(tmp_path) as opened:
        yield opened


async def bucket_of(place: Place) -> Bucket:
    found = await place.services.buckets.find(BucketName("bucket"))
    assert found is not None
    return found


def put(body: bytes = b"content", **fields: object) -> Ask:
    headers = {"Content-Type": "text/plain", "x-oss-meta-a": "1"}
    return replace(Ask(method="PUT", headers=headers, body=body), **fields)  # type: ignore[arg-type]  # fields by name


def part(upload_id: str, number: object = 1, body: bytes = b"content", **fields: object) -> Ask:
    query = f"partNumber={number}&uploadId={upload_id}"
    return replace(Ask(method="PUT", query=query, body=body), **fields)  # type: ignore[arg-type]  # as above


def complete(upload_id: str, *bodies: bytes, **fields: object) -> Ask:
    """Of parts 1, 2, … with these bodies."""
    etags = (hashlib.md5(body).hexdigest() for body in bodies)
    listed = (
        f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
        for number, etag in enumerate(etags, 1)
    )
    document = f"<CompleteMultipartUpload>{''.join(listed)}</CompleteMultipartUpload>".encode()
    asked = Ask(method="POST", query=f"uploadId={upload_id}", body=document)
    return replace(asked, **fields)  # type: ignore[arg-type]  # as above


# --- repeats ----------------------------------------------------------------------------------------------------------


async def test_what_is_learnt_of_a_request_is_no_part_of_its_answer(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(*_: object) -> NoReturn:
        raise StoreError("the disk is gone")

    with monkeypatch.context() as broken:
        broken.setattr(Repeats, "_template_of", fails)
        for number in range(3):
            answer = await place.ask(put(b"content", key=f"{number}"))
            assert answer.status == 200
        assert not await place.repeats(put(b"content"))

    assert (await place.ask(put(b"content"))).status == 200
    assert await place.repeats(put(b"content"))
    assert not caplog.records


@pytest.mark.parametrize("signs", ["v4", "v1"])
@pytest.mark.parametrize("domain", ["", "oss-cn-hangzhou.aliyuncs.com"])
async def test_a_repeat_is_answered_like_any_other_request(place: Place, signs: str, domain: str) -> None:
    asked = Ask(signs=signs, domain=domain)
    stored = put(signs=signs, domain=domain)
    await place.learn(stored)
    await place.learn(asked)

    for number in range(3):
        place.clock.time = later = NOW + timedelta(seconds=7 * number)
        body = b"content of %d" % number
        write = replace(stored, key=f"folder/{number}", body=body, at=later)
        read = replace(asked, key=f"folder/{number}", at=later)
        before = place.seen.answered
        written, answer = await place.ask(write), await place.ask(read)
        assert place.seen.answered == before + 2
        assert shown(written) == shown(await place.ask_usually(write))
        assert shown(answer) == shown(await place.ask_usually(read))
        assert (answer.body, answer.headers["x-oss-meta-a"]) == (body, "1")
        assert answer.headers["content-type"] == "text/plain"
        assert answer.headers["etag"] == f'"{hashlib.md5(body).hexdigest()}"'
    assert place.seen.handed_back == 0


@pytest.mark.parametrize("size", [0, 100, 20_000, 300_000])
async def test_bodies_of_any_size_are_repeated(place: Place, size: int) -> None:
    await place.learn(put())
    await place.learn(Ask())

    assert await place.repeats(put(b"x" * size, key="sized"))
    assert await place.repeats(Ask(key="sized"))
    assert (await place.ask(Ask(key="sized"))).body == b"x" * size


@pytest.mark.parametrize("signs", ["v4", "v1"])
async def test_a_part_is_repeated_like_any_other_request(place: Place, signs: str) -> None:
    await place.learn(part(await place.open_upload("key", signs), signs=signs))
    upload_id = await place.open_upload("folder/other", signs)

    for number, size in ((1, 0), (2, 100), (10_000, 300_000)):
        asked = part(upload_id, number, b"x" * size, key="folder/other", signs=signs)
        before = place.seen.answered
        answer = await place.ask(asked)
        assert place.seen.answered == before + 1
        assert shown(answer) == shown(await place.ask_usually(asked))
        assert answer.headers["etag"] == f'"{hashlib.md5(asked.body).hexdigest()}"'

    listed = (await place.ask(Ask(key="folder/other", query=f"uploadId={upload_id}", signs=signs))).body
    assert re.findall(rb"<PartNumber>(\d+)<", listed) == [b"1", b"2", b"10000"]
    assert re.findall(rb"<Size>(\d+)<", listed) == [b"0", b"100", b"300000"]
    assert place.seen.handed_back == 0


async def test_a_part_of_another_md5_is_refused_and_not_kept(place: Place) -> None:
    upload_id = await place.open_upload("key")
    digest = base64.b64encode(hashlib.md5(b"content").digest()).decode()
    asked = part(upload_id, headers={"Content-MD5": digest})
    await place.learn(asked)

    await place.same_refusal(
        replace(asked, query=f"partNumber=2&uploadId={upload_id}", body=b"other"), 400, "InvalidDigest"
    )

    listed = (await place.ask(Ask(query=f"uploadId={upload_id}"))).body
    assert re.findall(rb"<PartNumber>(\d+)<", listed) == [b"1"]


@pytest.mark.parametrize("number", [0, 10_001, 99_999])
async def test_part_numbers_that_there_are_not_are_refused(place: Place, number: int) -> None:
    upload_id = await place.open_upload("key")
    await place.learn(part(upload_id))

    await place.same_refusal(part(upload_id, number), 400, "InvalidArgument")


async def test_a_part_of_no_upload_is_refused(place: Place) -> None:
    upload_id = await place.open_upload("key")
    await place.learn(part(upload_id))

    await place.same_refusal(part("F" * 32), 404, "NoSuchUpload")
    await place.same_refusal(part(upload_id, key="of-another"), 404, "NoSuchUpload")
    await place.services.multipart.abort(
        await bucket_of(place), AbortMultipartUpload(bucket="bucket", key="key", upload_id=upload_id)
    )
    await place.same_refusal(part(upload_id), 404, "NoSuchUpload")


async def test_what_was_signed_for_one_part_serves_for_no_other(place: Place) -> None:
    upload_id, other = await place.open_upload("key"), await place.open_upload("key")
    await place.learn(part(upload_id))

    for ours, theirs in ((b"partNumber=1", b"partNumber=2"), (upload_id.encode(), other.encode())):
        head = part(upload_id).head()
        assert ours in head
        for address in (place.quick, place.usual):
            answer = await answer_of(address, head.replace(ours, theirs), b"content")
            assert (answer.status, b"<Code>SignatureDoesNotMatch</Code>" in answer.body) == (403, True)


@pytest.mark.parametrize(
    "query",
    [
        "uploadId={}&partNumber=2",
        "partNumber=2&uploadId={}&uploads",
        "partNumber=2&uploadId={}&partNumber=3",
        "partNumber=%32&uploadId={}",
        "partNumber=000002&uploadId={}",
        "partNumber=+2&uploadId={}",
    ],
)
async def test_a_part_that_is_asked_for_otherwise_goes_the_usual_way(place: Place, query: str) -> None:
    upload_id = await place.open_upload("key")
    await place.learn(part(upload_id))
    asked = part(upload_id, query=query.format(upload_id))

    before = place.seen.answered
    quick, usual = await place.ask(asked), await place.ask_usually(asked)

    assert place.seen.answered == before
    assert shown(quick) == shown(usual)


async def test_a_paced_part_is_never_a_repeat(place: Place) -> None:
    asked = part(await place.open_upload("key"), headers={"x-oss-traffic-limit": "819200"})

    for _ in range(4):
        assert (await place.ask(asked)).status == 200

    assert place.seen.answered == place.seen.handed_back == 0


@pytest.mark.parametrize("signs", ["v4", "v1"])
@pytest.mark.parametrize("domain", ["", "oss-cn-hangzhou.aliyuncs.com"])
async def test_a_complete_is_repeated_like_any_other_request(place: Place, signs: str, domain: str) -> None:
    large = b"l" * 102_400

    async def uploaded(key: str, *bodies: bytes) -> Ask:
        upload_id = await place.open_upload(key, signs)
        for number, body in enumerate(bodies, 1):
            assert (await place.ask(part(upload_id, number, body, key=key, signs=signs))).status == 200
        return complete(upload_id, *bodies, key=key, signs=signs, domain=domain)

    await place.learn(await uploaded("first", b"one"))

    for key, bodies in (("folder/a.html", (large, b"two")), ("empty", ()), ("one", (large,))):
        before = place.seen.answered
        quick = await uploaded(key, *bodies)
        usual = await uploaded(key, *bodies)
        learnt = place.seen.answered - before
        answer = await place.ask(quick)
        assert place.seen.answered == before + learnt + 1
        assert (await place.ask(Ask(key=key, signs=signs))).body == b"".join(bodies)
        assert shown(answer) == shown(await place.ask_usually(usual))
        assert f"/{key}</Location>".encode() in answer.body
        assert shown(await place.ask(quick)) == shown(answer)  # the first one's answer
        await place.same_refusal(replace(quick, key="other"), 404, "NoSuchUpload")
    assert place.seen.handed_back == 0


async def test_a_complete_is_refused_in_the_same_words(place: Place) -> None:
    upload_id = await place.open_upload("key")
    await place.learn(part(upload_id))
    done = complete(upload_id, b"content")
    await place.learn(done)
    upload_id = await place.open_upload("key")
    assert await place.repeats(part(upload_id))
    assert await place.repeats(part(upload_id, 2))
    asked = complete(upload_id, b"content")
    before = place.seen.answered

    for body, status, code in (
        (b"<CompleteMultipartUpload>", 400, "MalformedXML"),
        (b"x" * (2 * 1024 * 1024 + 1), 400, "MalformedXML"),
        (asked.body.replace(b">1<", b">3<"), 400, "InvalidPart"),
        (complete(upload_id, b"other").body, 400, "InvalidPart"),
        (complete(upload_id, b"content", b"content").body, 400, "EntityTooSmall"),
    ):
        await place.same_refusal(replace(asked, body=body), status, code)
    assert place.seen.answered == before + 5

    await place.same_refusal(complete("F" * 32, b"content"), 404, "NoSuchUpload")
    listed = (await place.ask(Ask(query=f"uploadId={upload_id}"))).body
    assert re.findall(rb"<PartNumber>(\d+)<", listed) == [b"1", b"2"]  # and nothing is half done


async def test_what_a_complete_says_of_the_object_counts_in_its_repeats(place: Place) -> None:
    def digest(body: bytes) -> dict[str, str]:
        return {"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()}

    more = {"x-oss-forbid-overwrite": "true", "x-oss-complete-all": "yes", "x-oss-tagging": "a=b"}

    async def asked(key: str) -> Ask:
        upload_id = await place.open_upload(key)
        assert (await place.ask(part(upload_id, key=key))).status == 200
        return complete(upload_id, key=key, body=b"", headers=more | digest(b""))

    await place.learn(await asked("first"))

    assert await place.repeats(await asked("second"))
    tagging = await place.ask(Ask(key="second", query="tagging"))
    assert b"<Key>a</Key><Value>b</Value>" in tagging.body
    again = await asked("second")
    await place.same_refusal(again, 409, "FileAlreadyExists")
    await place.same_refusal(replace(again, headers=more | digest(b"other")), 400, "InvalidDigest")


async def test_a_complete_that_asks_for_an_encoding_is_never_a_repeat(place: Place) -> None:
    for _ in range(4):
        upload_id = await place.open_upload("key")
        assert (await place.ask_usually(part(upload_id))).status == 200
        asked = complete(upload_id, b"content")
        answer = await place.ask(replace(asked, query=f"encoding-type=url&{asked.query}"))
        assert answer.status == 200

    assert place.seen.answered == place.seen.handed_back == 0


async def test_every_callback_is_sent(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolved(*_: object) -> str:
        return "192.0.2.1"

    async def sent(*_: object, **__: object) -> bytes:
        return b'{"seen": true}'

    monkeypatch.setattr(CallbackService, "_resolve", resolved)
    monkeypatch.setattr(CallbackService, "send", sent)
    wanted = json.dumps({"callbackUrl": "http://receiver.example/", "callbackBody": "x"})
    headers = {"x-oss-callback": base64.b64encode(wanted.encode()).decode()}

    for _ in range(4):
        upload_id = await place.open_upload("key")
        assert (await place.ask_usually(part(upload_id))).status == 200
        for asked in (put(headers=headers), complete(upload_id, b"content", headers=headers)):
            answer = await place.ask(asked)
            assert (answer.status, answer.body) == (200, b'{"seen": true}')

    assert place.seen.answered == place.seen.handed_back == 0


async def test_a_repeat_is_on_record_like_any_other_request(place: Place) -> None:
    upload_id = await place.open_upload("key")
    done = complete(upload_id, b"content")
    for asked in (
        put(),
        Ask(),
        Ask(key="none"),
        part(upload_id),
        part(upload_id, 0),
        done,
        complete("F" * 32),
    ):
        is_learned = asked.key == "key" and "partNumber=0" not in asked.query and "F" * 32 not in asked.query
        await place.learn(asked) if is_learned else await place.ask(asked)
        await place.ask_usually(asked)

        quick, usual = (json.loads(line) for line in place.log.read_text().splitlines()[-2:])
        for line in (quick, usual):
            line.pop("request_id"), line.pop("ms"), line.pop("time")
        assert quick == usual


async def test_without_a_content_type_each_key_has_its_own(place: Place) -> None:
    asked = put(headers={})
    await place.learn(asked)

    for key, kind in (("a.html", "text/html"), ("b.jpg", "image/jpeg")):
        assert await place.repeats(replace(asked, key=key))
        assert (await place.ask(Ask(key=key))).headers["content-type"] == kind


async def test_a_repeat_may_bring_another_content_md5(place: Place) -> None:
    def with_md5(body: bytes, key: str) -> Ask:
        return put(
            body, key=key, headers={"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()}
        )

    await place.learn(with_md5(b"one", "one"))

    assert await place.repeats(with_md5(b"two", "two"))
    wrong = replace(with_md5(b"two", "three"), body=b"owt")
    await place.same_refusal(wrong, 400, "InvalidDigest")
    assert (await place.ask(Ask(key="three"))).status == 404
    nonsense = replace(wrong, headers={"Content-MD5": "nonsense"})
    await place.same_refusal(nonsense, 400, "InvalidDigest")


async def test_settings_of_the_bucket_count_at_once(place: Place) -> None:
    await place.learn(put())

    await place.services.buckets.set_versioning(BucketName("bucket"), "Enabled")

    assert await place.repeats(put())
    answer = await place.ask(put())
    assert answer.headers["x-oss-version-id"].startswith("caeq")  # the harness has headers in lower case


async def test_a_link_goes_the_usual_way(place: Place) -> None:
    await place.learn(put())
    await place.learn(Ask())
    link = Ask(method="PUT", key="link", query="symlink", headers={"x-oss-symlink-target": "key"})
    assert (await place.ask(link)).status == 200

    answer = await place.ask(Ask(key="link"))

    assert (answer.status, answer.body, place.seen.handed_back) == (200, b"content", 1)


# --- what is none -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asked",
    [
        Ask(headers={"Range": "bytes=0-1"}),
        Ask(headers={"If-Match": "*"}),
        Ask(headers={"x-oss-traffic-limit": "819200"}),
        Ask(query="acl"),
        Ask(method="HEAD"),
        Ask(signs="none"),
        Ask(headers={"User-Agent": "t\xe4st"}),
        Ask(headers={"Accept": "x" * 3_000}),
        put(headers={"x-oss-traffic-limit": "819200"}),
        put(query="acl", headers={"x-oss-object-acl": "private"}),
    ],
)
async def test_what_asks_for_more_is_never_a_repeat(place: Place, asked: Ask) -> None:
    assert (await place.ask(put())).status == 200
    await place.services.buckets.set_acl(BucketName("bucket"), "public-read")

    for _ in range(4):
        assert (await place.ask(asked)).status in (200, 206, 404)

    assert place.seen.answered == place.seen.handed_back == 0


async def test_a_bucket_with_a_policy_goes_the_usual_way(place: Place) -> None:
    assert (await place.ask(put())).status == 200
    await place.services.buckets.put_document(BucketName("bucket"), "policy", ALLOW)

    for _ in range(4):
        assert (await place.ask(Ask())).status == 200

    assert place.seen.answered == 0


@pytest.mark.parametrize("signs", ["v4", "v1"])
async def test_a_wrong_signature_is_refused(place: Place, signs: str) -> None:
    for asked in (put(signs=signs), Ask(signs=signs)):
        await place.learn(asked)

        forged = replace(asked, pair=replace(ROOT, secret="another"), key="forged")
        await place.same_refusal(forged, 403, "SignatureDoesNotMatch")

    assert (await place.ask(Ask(key="forged", signs=signs))).status == 404
    assert place.seen.handed_back == 2


@pytest.mark.parametrize("signs", ["v4", "v1"])
async def test_a_replay_after_its_time_is_refused(place: Place, signs: str) -> None:
    asked = Ask(signs=signs)
    await place.learn(put(signs=signs))
    await place.learn(asked)

    place.clock.time = NOW + timedelta(minutes=16)

    await place.same_refusal(asked, 403, "RequestTimeTooSkewed")


@pytest.mark.parametrize("ends", ["disabled", "deleted"])
async def test_a_key_that_was_taken_away_answers_no_more(place: Place, ends: str) -> None:
    key = AccessKey(access_key_id="another", secret=Secret("its secret"), created_at=NOW)
    await place.metadata.put_access_key(key)
    pair = Pair(access_key_id="another", secret="its secret")
    await place.learn(put(pair=pair))
    await place.learn(Ask(pair=pair))

    if ends == "deleted":
        await place.metadata.delete_access_key("another")
    else:
        await place.metadata.put_access_key(replace(key, active=False))
    place.clock.time = NOW + timedelta(seconds=CACHE_S)

    await place.same_refusal(Ask(pair=pair), 403, "InvalidAccessKeyId")
    await place.same_refusal(put(pair=pair), 403, "InvalidAccessKeyId")
    assert place.seen.handed_back == 2


async def test_the_key_of_one_day_does_not_sign_on_another(place: Place) -> None:
    await place.learn(put())
    await place.learn(Ask())
    place.clock.time = NOW.replace(hour=23, minute=59)
    await place.ask(Ask(at=place.clock.time))
    tomorrow = (NOW + timedelta(days=1)).replace(hour=0, minute=0)
    head = Ask(at=place.clock.time).head().replace(b"20260305T2359", b"20260306T0000")

    place.clock.time = tomorrow

    answer = await answer_of(place.quick, head)
    assert (answer.status, b"<Code>InvalidArgument</Code>" in answer.body) == (400, True)


async def test_a_policy_of_the_bucket_counts_at_once(place: Place) -> None:
    await place.learn(put())
    await place.learn(Ask())

    await place.services.buckets.put_document(BucketName("bucket"), "policy", DENY)

    before = place.seen.answered
    assert (await place.ask(Ask())).status == 403
    assert place.seen.answered == before


@pytest.mark.parametrize("origin", [{}, {"Origin": "http://a.example"}, {"Origin": "http://b.example"}])
@pytest.mark.parametrize("allowed", [["*"], ["http://a.example"]])
async def test_rules_for_browsers_count_at_once(
    place: Place, origin: dict[str, str], allowed: list[str]
) -> None:
    stored, asked = put(headers=origin), Ask(headers=origin)
    missing = replace(asked, key="missing")
    await place.learn(stored)
    await place.learn(asked)

    for rules in (allowed, ["http://b.example"]):
        text = cors.checked(cors.browser_rules(rules))
        await place.services.buckets.put_document(BucketName("bucket"), "cors", text)

        before = place.seen.answered
        answers = [await place.ask(each) for each in (stored, asked, missing)]
        assert [answer.status for answer in answers] == [200, 200, 404]
        assert place.seen.answered == before + 3
        for each, answer in zip((stored, asked, missing), answers, strict=True):
            assert shown(answer) == shown(await place.ask_usually(each))
        is_open = origin and (rules == ["*"] or origin["Origin"] in rules)
        assert all(("access-control-allow-origin" in answer.headers) == bool(is_open) for answer in answers)


@pytest.mark.parametrize("asked", [Ask(), put()])
@pytest.mark.parametrize("byte", [b"\x01", b"\n", b"\x7f"])
async def test_a_head_that_http_does_not_allow_is_refused_as_such(
    place: Place, asked: Ask, byte: bytes
) -> None:
    await place.learn(put())
    await place.learn(asked)

    for broken in (asked.head()[:-1] + byte, asked.head().replace(b"T060708Z\r", b"T060708" + byte + b"\r")):
        answers = [await answer_of(address, broken, asked.body) for address in (place.quick, place.usual)]
        assert [answer.status for answer in answers] == [400, 400]
        assert answers[0].body == answers[1].body


async def test_a_bucket_that_is_gone_is_gone(place: Place) -> None:
    await place.services.buckets.create(NewBucket(name="another"))
    await place.learn(put())
    await place.learn(Ask())
    await place.services.buckets.delete(BucketName("another"))

    await place.same_refusal(put(bucket="another"), 404, "NoSuchBucket")
    await place.same_refusal(Ask(bucket="another"), 404, "NoSuchBucket")


async def test_a_name_in_the_host_and_in_the_path_goes_the_usual_way(place: Place) -> None:
    asked = Ask(domain="oss-cn-hangzhou.aliyuncs.com")
    await place.learn(put())
    await place.learn(asked)

    before = place.seen.answered
    await place.ask(replace(asked, key="bucket/key"))

    assert place.seen.answered == before


async def test_keys_that_no_object_can_have_are_refused(place: Place) -> None:
    await place.learn(put())

    await place.same_refusal(put(key="/begins-with-a-slash"), 400, "InvalidObjectName")
    await place.same_refusal(put(key="k" * 1_024), 400, "InvalidObjectName")


@pytest.mark.parametrize(
    "asked", [Ask(headers={"Connection": "close"}), Ask(headers={"User-Agent": "t\xe4st"}), Ask(key="a key")]
)
async def test_what_can_have_no_template_costs_one_try(
    place: Place, asked: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = count_tries(monkeypatch)
    assert (await place.ask(put(key=asked.key))).status == 200

    for _ in range(6):
        assert (await place.ask(asked)).status == 200

    assert len(tries) <= 1
    assert place.seen.answered == 0


async def test_templates_do_not_pile_up(place: Place) -> None:
    assert (await place.ask(put())).status == 200
    repeats = place.seen._repeats

    for number in range(200):
        for _ in range(1 if number % 2 else 2):
            await place.ask(Ask(headers={"User-Agent": f"test {number}"}))

    assert sum(map(len, repeats._templates.values())) <= len(repeats._known) <= 64
    assert len(repeats._seen) <= 256


# --- heads that nearly fit --------------------------------------------------------------------------------------------


def template_of(asked: Ask) -> Template:
    parsed = parse_head(asked.head(), max_headers=100)
    request = HttpRequest(
        method=parsed.method,
        target=parsed.target,
        headers=parsed.headers,
        body=BytesBody(asked.body),
        index=parsed.by_name,
    )
    signed = signed_request(request)
    claim = claims.read(signed)
    assert claim is not None
    bucket = asked.bucket if asked.domain else None
    return Template(asked.head().decode("latin-1").split("\r\n"), signed, claim, bucket)


V2 = "list-type=2&max-keys=1000&prefix=a%2F&start-after="
V1 = "prefix=p&marker=m&max-keys=7&delimiter=%2F&encoding-type=url"

BASES = [
    Ask(),
    Ask(signs="v1", headers={"Connection": "keep-alive"}),
    put(headers={"Content-MD5": "x" * 22 + "==", "Content-Type": "100%s %(key)s"}),
    put(signs="v1", domain="a.example"),
    part("0123456789ABCDEF" * 2, 7, headers={"Content-MD5": "x" * 22 + "=="}),
    part("0123456789ABCDEF" * 2, 7, signs="v1"),
    complete("0123456789ABCDEF" * 2, b"content"),
    complete(
        "0123456789ABCDEF" * 2, signs="v1", domain="a.example", headers={"Content-Type": "application/xml"}
    ),
    Ask(key="", query=V2),
    Ask(key="", query=V1, signs="v1", domain="a.example"),
]
TEMPLATES = [template_of(asked) for asked in BASES]


@st.composite
def heads(draw: st.DrawFn) -> tuple[int, bytes]:
    """One that fits, with some bytes or a line of it changed, taken away or doubled."""
    number = draw(st.integers(0, len(BASES) - 1))
    keys = st.text("abcXYZ019-._~/ %+\xe4", min_size=1, max_size=30)
    at = NOW + timedelta(seconds=draw(st.integers(-2_000, 2_000)))
    base = BASES[number]
    if not base.key:
        said = [pair.partition("=")[::2] for pair in base.query.split("&")]
        texts = st.text("abcXYZ019-._~ %/+:[|\x7f\xe4&=", max_size=30)
        values = st.one_of(texts.map(partial(quote, safe="")), texts)
        query = "&".join(f"{name}={draw(st.one_of(st.just(value), values))}" for name, value in said)
        base = replace(base, query=query)
    elif base.query:
        upload_id = draw(st.text("0123456789ABCDEFa", min_size=31, max_size=33))
        part_number = f"partNumber={draw(st.integers(0, 1_000_000))}&" if base.method == "PUT" else ""
        base = replace(base, query=f"{part_number}uploadId={upload_id}")
    key = draw(st.one_of(st.just(base.key), keys))
    head = replace(base, key=key, at=at).head()
    if draw(st.booleans()):
        return number, head
    if draw(st.booleans()):
        lines = head.split(b"\r\n")
        place = draw(st.integers(0, len(lines) - 1))
        other = draw(
            st.sampled_from([*lines, b"Content-Length: 1", b"Transfer-Encoding: chunked", b"", b" x"])
        )
        lines[place : place + draw(st.integers(0, 1))] = draw(st.sampled_from([[], [other], [lines[place]]]))
        return number, b"\r\n".join(lines)
    start = draw(st.integers(0, len(head)))
    stop = start + draw(st.integers(0, 3))
    return number, head[:start] + draw(st.binary(max_size=3)) + head[stop:]


@given(heads())
def test_a_head_that_fits_would_be_read_the_same(case: tuple[int, bytes]) -> None:
    number, head = case
    template, base = TEMPLATES[number], BASES[number]
    said = template.read(head.decode("latin-1"))
    if said is None:
        return

    parsed = parse_head(head, max_headers=100)
    assert (parsed.method, len(parsed.headers)) == (base.method, len(template.headers))
    path, _, text = parsed.target.partition("?")
    assert (parsed.method, path, parsed.length) == (said.method, said.path, said.length)
    query = pairs_of(text)
    if base.key:
        assert query == tuple((name, said.values[name]) for name, _ in pairs_of(base.query))
    else:
        assert said.values["?"] == text
        assert not said.key
        assert [name for name, _ in query] == [name for name, _ in pairs_of(base.query)]
        assert all(value.isascii() and value.isprintable() for _, value in query)
    assert parsed.keep_alive
    assert not parsed.expects_continue
    varying = {"authorization", "content-length", "content-md5", "date", "x-oss-date"}
    assert parsed.by_name.keys() == template.headers.keys()
    assert all(parsed.by_name[name] == template.headers[name] for name in parsed.by_name.keys() - varying)
    assert parsed.by_name.get("content-md5") == said.content_md5
    request = SignedRequest(method=parsed.method, query=query, headers=parsed.by_name)
    resource = Resource(bucket=said.bucket, key=said.key or None)
    time = parsed.by_name.get("x-oss-date", parsed.by_name.get("date", ""))
    if said.time != time:  # outer blanks: no time at all
        assert said.time.strip(" \t") == time
        return
    if template.scope is None:
        expected = v1.signature("secret", v1.string_to_sign(request, resource, time))
    else:
        canonical = v4.canonical_request(request, resource, v4.canonical_query(query))
        text = v4.string_to_sign(canonical, template.scope, time)
        expected = v4.signature("secret", template.scope, text)
    assert template.signature(said, "secret") == expected


@pytest.mark.parametrize("length", ["", "+7", "-7", "7 7", " 7", "7 ", "7,7", "0x7", "7\t", "\xb2", "7" * 19])
def test_a_length_that_is_none_fits_no_template(length: str) -> None:
    base, template = BASES[2], TEMPLATES[2]
    whole = base.head().decode("latin-1")
    assert template.read(whole) is not None

    other = whole.replace(f"Content-Length: {len(base.body)}", f"Content-Length: {length}")

    assert other != whole
    assert template.read(other) is None
