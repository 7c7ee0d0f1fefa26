"""What we sign verifies, in every scheme and for every key and parameter; so the SDK and the server cannot drift apart."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mossaic.protocol.errors import OssError
from mossaic.protocol.signing import claim, v1, v2, v4
from mossaic.protocol.signing.request import Pair, Resource, SignedRequest
from mossaic.protocol.signing.verify import parse_time, verify

NOW = datetime(2024, 3, 5, 6, 7, 8, tzinfo=UTC)
PAIR = Pair(access_key_id="LTAI5t", secret="secret")
SCOPE = v4.Scope(day="20240305", region="cn-hangzhou")
DATES = {"date": format_datetime(NOW, usegmt=True), "x-oss-date": "20240305T060708Z"}

texts = st.text(st.characters(codec="utf-8"), max_size=12)
keys = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)
names = st.sampled_from(["prefix", "uploads", "partNumber", "x-oss-process", "acl", "a b", "é", "X-Custom"])
queries = st.lists(st.tuples(names, texts), max_size=4).map(tuple)
metas = st.dictionaries(
    st.sampled_from(["x-oss-meta-a", "x-oss-meta-b", "content-type", "content-md5"]), texts, max_size=3
)


def checked(request: SignedRequest, resource: Resource) -> None:
    found = claim.read(request)
    assert found is not None
    assert found.access_key_id == PAIR.access_key_id
    assert verify(found, request, (resource,), PAIR.secret, now=NOW) == 0


@given(key=keys, query=queries, headers=metas, version=st.sampled_from(["v1", "v2", "v4"]))
@settings(max_examples=400)
def test_a_signed_header_verifies(key: str, query, headers: dict[str, str], version: str) -> None:
    request = SignedRequest(method="PUT", query=query, headers={**headers, **DATES})
    resource = Resource(bucket="photos", key=key)
    made = {
        "v1": lambda: v1.authorization(PAIR, request, resource),
        "v2": lambda: v2.authorization(PAIR, request, resource),
        "v4": lambda: v4.authorization(PAIR, request, resource, SCOPE),
    }[version]()

    checked(
        SignedRequest(method="PUT", query=query, headers={**request.headers, "authorization": made}), resource
    )


@given(key=keys, query=queries, version=st.sampled_from(["v1", "v2", "v4"]), token=st.none() | keys)
@settings(max_examples=400)
def test_a_presigned_url_verifies_and_carries_the_token(
    key: str, query, version: str, token: str | None
) -> None:
    pair = Pair(access_key_id=PAIR.access_key_id, secret=PAIR.secret, token=token)
    request, resource = SignedRequest(method="GET", query=query), Resource(bucket="photos", key=key)
    until = int(NOW.timestamp()) + 60
    validity = v4.Validity(timestamp="20240305T060708Z", expires_s=60)
    pairs = {
        "v1": lambda: v1.presigned(pair, request, resource, expires=until),
        "v2": lambda: v2.presigned(pair, request, resource, expires=until),
        "v4": lambda: v4.presigned(pair, request, resource, SCOPE, validity),
    }[version]()

    signed = SignedRequest(method="GET", query=pairs)

    checked(signed, resource)
    found = claim.read(signed)
    assert found is not None
    assert found.token == token


@given(key=keys, other=keys, query=queries)
def test_a_v4_signature_is_for_one_key_only(key: str, other: str, query) -> None:
    request = SignedRequest(method="GET", query=query, headers=DATES)
    made = v4.authorization(PAIR, request, Resource(bucket="photos", key=key), SCOPE)
    signed = SignedRequest(method="GET", query=query, headers={**DATES, "authorization": made})
    found = claim.read(signed)
    assert found is not None

    fits = _fits(found, signed, Resource(bucket="photos", key=other))

    assert fits == (key == other)


def _fits(found: claim.Claim, signed: SignedRequest, resource: Resource) -> bool:
    try:
        verify(found, signed, (resource,), PAIR.secret, now=NOW)
    except OssError:
        return False
    return True


def test_additional_headers_are_covered() -> None:
    headers = {**DATES, "host": "photos.localhost", "range": "bytes=0-9"}
    request, resource = SignedRequest(method="GET", headers=headers), Resource(bucket="photos", key="a")
    made = v4.authorization(PAIR, request, resource, SCOPE, additional=("host", "range"))
    signed = {**headers, "authorization": made}

    checked(SignedRequest(method="GET", headers=signed), resource)
    with pytest.raises(OssError):
        checked(SignedRequest(method="GET", headers={**signed, "range": "bytes=0-99"}), resource)
    without = {name: value for name, value in signed.items() if name != "range"}
    with pytest.raises(OssError):
        checked(SignedRequest(method="GET", headers=without), resource)


def test_a_body_hash_is_part_of_what_is_signed() -> None:
    headers = {**DATES, "x-oss-content-sha256": "UNSIGNED-PAYLOAD"}
    request, resource = SignedRequest(method="PUT", headers=headers), Resource(bucket="photos", key="a")
    signed = {**headers, "authorization": v4.authorization(PAIR, request, resource, SCOPE)}

    with pytest.raises(OssError):
        checked(SignedRequest(method="PUT", headers={**signed, "x-oss-content-sha256": "0" * 64}), resource)


@given(st.dictionaries(st.sampled_from(["authorization", "date", "x-oss-date"]), texts), queries)
def test_no_header_breaks_the_reader(headers: dict[str, str], query) -> None:
    request = SignedRequest(method="GET", query=query, headers=headers)
    outcome: OssError | None = None
    try:
        found = claim.read(request)
        if found is not None:
            verify(found, request, (Resource(bucket="photos", key="a"),), "secret", now=NOW)
    except OssError as error:
        outcome = error
    assert outcome is None or outcome.status in (400, 403)


@given(texts | st.from_regex(r"[0-9]{8}T[0-9]{6}Z", fullmatch=True))
def test_no_date_breaks_the_reader(text: str) -> None:
    moment = parse_time(text)

    assert moment is None or moment.tzinfo is not None


def test_a_pair_does_not_print_its_secret() -> None:
    assert "secret" not in repr(Pair(access_key_id="a", secret="topsecret", token="tok")).replace(
        "secret=", ""
    )
