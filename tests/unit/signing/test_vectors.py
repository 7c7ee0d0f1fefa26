"""Every recorded request of an official client verifies, and none does after one byte of what it signed was changed."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from datetime import timedelta

import pytest

from mossaic.protocol.errors import OssError
from mossaic.protocol.signing import claim, post, rpc, v4
from mossaic.protocol.signing.request import SignedRequest
from tests.unit.signing.support import OBJECT_STORAGE, VECTORS, Recorded, headers_of, recorded

WRONG_SIGNATURE = {"v1": "0002-00000040", "v2": "0002-00000101", "v4": "0002-00000201"}


def by_id(each: Recorded) -> str:
    return each.vector["id"]


every_request = pytest.mark.parametrize("case", OBJECT_STORAGE, ids=by_id)
HEADERS = [each for each in OBJECT_STORAGE if each.vector["kind"].endswith("-header")]
URLS = [each for each in OBJECT_STORAGE if each.vector["kind"].endswith("-presign")]


def of_kind(*kinds: str):
    found = [vector for vector in VECTORS if vector["kind"] in kinds]
    return pytest.mark.parametrize("vector", found, ids=[vector["id"] for vector in found])


def refused(case: Recorded) -> OssError:
    with pytest.raises(OssError) as caught:
        case.verified()
    return caught.value


def assert_wrong_signature(case: Recorded, error: OssError) -> None:
    """403 SignatureDoesNotMatch with the fields that OSS documents."""
    version = case.vector["kind"][:2]
    assert (error.code, error.status, error.ec) == ("SignatureDoesNotMatch", 403, WRONG_SIGNATURE[version])
    shown = claim.read(case.request)
    assert shown is not None
    assert error.extras["OSSAccessKeyId"] == shown.access_key_id
    assert error.extras["SignatureProvided"] == shown.signature
    text = error.extras["StringToSign"]
    as_bytes = bytes.fromhex(error.extras["StringToSignBytes"])
    assert as_bytes == text.encode("utf-8", "surrogateescape")
    assert error.extras["StringToSignBytes"].endswith(" ")
    assert ("CanonicalRequest" in error.extras) == (version == "v4")


def changed(text: str, index: int = -1) -> str:
    """The text with one character replaced by another of the same kind."""
    old = text[index]
    new = {"9": "8", "z": "y", "Z": "Y"}.get(old) or (chr(ord(old) + 1) if old.isalnum() else "x")
    index %= len(text)
    return text[:index] + new + text[index + 1 :]


def test_no_vector_is_left_out() -> None:
    others = {"post-policy-v1", "post-policy-v4", "sts-rpc-hmac-sha1", "sts-acs3-hmac-sha256"}
    assert len(VECTORS) == 306
    assert len(OBJECT_STORAGE) + sum(vector["kind"] in others for vector in VECTORS) == 306


@every_request
def test_a_recorded_request_verifies_for_its_bucket_and_key(case: Recorded) -> None:
    resource = case.verified()

    assert resource.bucket == (case.vector["bucket"] or None)
    assert resource.key == (case.vector["key"] or None)


@every_request
def test_another_method_is_refused(case: Recorded) -> None:
    other = "PUT" if case.request.method != "PUT" else "GET"

    tampered = replace(case, request=case.request._replace(method=other))

    assert_wrong_signature(tampered, refused(tampered))


@every_request
def test_another_path_is_refused(case: Recorded) -> None:
    tampered = replace(case, path=case.path + "x")

    assert_wrong_signature(tampered, refused(tampered))


@every_request
def test_another_secret_is_refused(case: Recorded) -> None:
    tampered = replace(case, secret=changed(case.secret))

    assert_wrong_signature(tampered, refused(tampered))


@every_request
def test_another_signature_is_refused(case: Recorded) -> None:
    shown = claim.read(case.request)
    assert shown is not None
    wrong = changed(shown.signature, 5)
    if "authorization" in case.request.headers:
        header = case.request.headers["authorization"]
        tampered = case.with_header("authorization", header.replace(shown.signature, wrong))
    else:
        name = "Signature" if case.vector["kind"] == "v1-presign" else "x-oss-signature"
        tampered = case.with_parameter(name, wrong)

    assert_wrong_signature(tampered, refused(tampered))


SIGNED_HEADERS = [
    (each, name)
    for each in OBJECT_STORAGE
    for name in each.request.headers
    if (name.startswith("x-oss-") and name != "x-oss-date") or name in ("content-type", "content-md5")
]


@pytest.mark.parametrize(
    ("case", "name"), SIGNED_HEADERS, ids=[f"{each.vector['id']}-{name}" for each, name in SIGNED_HEADERS]
)
def test_another_value_of_a_signed_header_is_refused(case: Recorded, name: str) -> None:
    tampered = case.with_header(name, changed(case.request.headers[name] or "y"))

    assert_wrong_signature(tampered, refused(tampered))


@every_request
def test_an_added_oss_header_is_refused(case: Recorded) -> None:
    """Also on a URL: whoever holds one may not add headers that its maker did not sign."""
    tampered = case.with_header("x-oss-meta-added", "1")

    assert_wrong_signature(tampered, refused(tampered))


@pytest.mark.parametrize("case", HEADERS, ids=by_id)
@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_clock_more_than_15_minutes_off_is_told_the_time(case: Recorded, minutes: int) -> None:
    late = replace(case, now=case.now + timedelta(minutes=minutes))

    error = refused(late)

    assert (error.code, error.status, error.ec) == ("RequestTimeTooSkewed", 403, "0002-00000504")
    assert error.extras["MaxAllowedSkewMilliseconds"] == "900000"
    assert error.extras["ServerTime"] == late.now.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert error.extras["RequestTime"].startswith(case.now.strftime("%Y-%m-%dT%H:%M:"))


@pytest.mark.parametrize("case", HEADERS, ids=by_id)
@pytest.mark.parametrize("minutes", [-14, 14])
def test_a_clock_less_than_15_minutes_off_is_accepted(case: Recorded, minutes: int) -> None:
    replace(case, now=case.now + timedelta(minutes=minutes)).verified()


@pytest.mark.parametrize("case", HEADERS, ids=by_id)
def test_another_second_of_the_date_is_refused(case: Recorded) -> None:
    name = "x-oss-date" if "x-oss-date" in case.request.headers else "date"
    text = case.request.headers[name]
    seconds = text.rindex(" ") - 1 if " " in text else len(text) - 2
    tampered = case.with_header(name, changed(text, seconds))

    assert_wrong_signature(tampered, refused(tampered))


@pytest.mark.parametrize("case", HEADERS, ids=by_id)
def test_a_request_without_a_date_is_refused(case: Recorded) -> None:
    headers = {
        name: value for name, value in case.request.headers.items() if name not in ("date", "x-oss-date")
    }

    error = refused(replace(case, request=case.request._replace(headers=headers)))

    assert (error.code, error.status, error.ec) == ("AccessDenied", 403, "0002-00000503")


@pytest.mark.parametrize("case", HEADERS, ids=by_id)
def test_an_unreadable_date_is_refused(case: Recorded) -> None:
    name = "x-oss-date" if "x-oss-date" in case.request.headers else "date"

    error = refused(case.with_header(name, "the day before yesterday"))

    assert (error.code, error.status, error.ec) == ("AccessDenied", 403, "0002-00000502")


@pytest.mark.parametrize("case", URLS, ids=by_id)
def test_an_expired_url_is_refused(case: Recorded) -> None:
    late = replace(case, now=case.now + timedelta(days=8))

    error = refused(late)

    assert (error.code, error.status, error.ec) == ("AccessDenied", 403, "0002-00000069")
    assert error.message == "Request has expired."
    assert error.extras["ServerTime"] == late.now.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert error.extras["Expires"] < error.extras["ServerTime"]


@pytest.mark.parametrize("case", URLS, ids=by_id)
def test_a_url_made_to_last_longer_is_refused(case: Recorded) -> None:
    name = "Expires" if case.vector["kind"] == "v1-presign" else "x-oss-expires"
    value = case.request.parameter(name)
    assert value is not None
    tampered = case.with_parameter(name, str(int(value) + 1))

    assert_wrong_signature(tampered, refused(tampered))


@pytest.mark.parametrize("case", URLS, ids=by_id)
def test_a_url_with_an_authorization_header_too_is_refused(case: Recorded) -> None:
    error = refused(case.with_header("authorization", "OSS someone:c2lnbmF0dXJl"))

    assert (error.code, error.status) == ("InvalidArgument", 400)


TOKENS = [
    each
    for each in OBJECT_STORAGE
    if "security_token" in each.vector["credentials"] and "security-token" not in each.request.headers
]


@pytest.mark.parametrize("case", TOKENS, ids=by_id)
def test_another_token_is_refused(case: Recorded) -> None:
    """Where the token is signed; what it means is the identity service's business."""
    shown = claim.read(case.request)
    assert shown is not None
    assert shown.token == case.vector["credentials"]["security_token"]
    wrong = changed(shown.token, 4)
    if "x-oss-security-token" in case.request.headers:
        tampered = case.with_header("x-oss-security-token", wrong)
    else:
        tampered = replace(
            case.with_parameter("security-token", wrong).with_parameter("x-oss-security-token", wrong)
        )

    assert_wrong_signature(tampered, refused(tampered))


V4 = [each for each in OBJECT_STORAGE if each.vector["kind"].startswith("v4")]


def with_credential(case: Recorded, old: str, new: str) -> Recorded:
    if "authorization" in case.request.headers:
        header = case.request.headers["authorization"]
        assert old in header
        return case.with_header("authorization", header.replace(old, new))
    return case.with_parameter(
        "x-oss-credential", (case.request.parameter("x-oss-credential") or "").replace(old, new)
    )


@pytest.mark.parametrize("case", V4, ids=by_id)
def test_a_scope_of_another_region_is_refused(case: Recorded) -> None:
    region = case.vector["region"]
    tampered = with_credential(case, f"/{region}/", f"/{changed(region)}/")

    assert_wrong_signature(tampered, refused(tampered))


@pytest.mark.parametrize("case", V4, ids=by_id)
def test_a_region_of_more_than_64_characters_is_refused(case: Recorded) -> None:
    error = refused(with_credential(case, f"/{case.vector['region']}/", f"/{'r' * 65}/"))

    assert (error.code, error.status) == ("InvalidArgument", 400)
    assert error.ec in ("0002-00000202", "0002-00000222")


@pytest.mark.parametrize("case", V4, ids=by_id)
def test_a_scope_of_another_product_is_refused(case: Recorded) -> None:
    error = refused(with_credential(case, f"/{case.vector['product']}/", "/osx/"))

    assert (error.code, error.status, error.ec) == ("InvalidArgument", 400, "0002-00000227")
    assert error.message == "Invalid signing product in Authorization header."


@pytest.mark.parametrize("case", V4, ids=by_id)
def test_a_scope_of_another_day_is_refused(case: Recorded) -> None:
    day = case.now.strftime("%Y%m%d")
    error = refused(with_credential(case, f"/{day}/", f"/{changed(day)}/"))

    ec = "0002-00000212" if case.vector["kind"] == "v4-header" else "0002-00000223"
    assert (error.code, error.status, error.ec) == ("InvalidArgument", 400, ec)


@pytest.mark.parametrize("case", [each for each in URLS if each in V4], ids=by_id)
def test_a_url_whose_time_has_not_come_is_refused(case: Recorded) -> None:
    error = refused(replace(case, now=case.now - timedelta(minutes=16)))

    assert (error.code, error.status, error.ec) == ("AccessDenied", 403, "0002-00000235")


# --- forms and RPC ----------------------------------------------------------------------------------------------------


@of_kind("post-policy-v1")
def test_the_signature_of_a_v1_form_is_reproduced(vector) -> None:
    form, secret = vector["expected"]["form"], vector["credentials"]["access_key_secret"]

    assert post.signature_v1(secret, form["policy"]) == form["Signature"]
    assert post.signature_v1(changed(secret), form["policy"]) != form["Signature"]
    assert post.signature_v1(secret, changed(form["policy"], 10)) != form["Signature"]


@of_kind("post-policy-v4")
def test_the_signature_of_a_v4_form_is_reproduced(vector) -> None:
    form, secret = vector["expected"]["form"], vector["credentials"]["access_key_secret"]
    _, day, region, product, _ = form["x-oss-credential"].rsplit("/", 4)
    scope = v4.Scope(day=day, region=region, product=product)

    assert post.signature_v4(secret, scope, form["policy"]) == form["x-oss-signature"]
    assert post.signature_v4(changed(secret), scope, form["policy"]) != form["x-oss-signature"]
    assert post.signature_v4(secret, scope, changed(form["policy"], 10)) != form["x-oss-signature"]


@of_kind("sts-rpc-hmac-sha1")
def test_the_signature_of_an_rpc_call_is_reproduced(vector) -> None:
    given = vector["expected"].get("form") or recorded_query(vector)
    secret = vector["credentials"]["access_key_secret"]
    text = rpc.string_to_sign(vector["request"]["method"], tuple(given.items()))

    assert text == vector["expected"]["string_to_sign"]
    assert rpc.signature(secret, text) == vector["expected"]["signature"]
    assert rpc.signature(changed(secret), text) != vector["expected"]["signature"]


def recorded_query(vector) -> dict[str, str]:
    return dict(recorded(vector).request.query)


@of_kind("sts-acs3-hmac-sha256")
def test_the_signature_of_an_acs3_call_is_reproduced(vector) -> None:
    headers = {"host": vector["request"]["host"], **headers_of(vector)}
    request = SignedRequest(
        method=vector["request"]["method"], query=recorded(vector).request.query, headers=headers
    )
    shown = rpc.read_acs3(headers["authorization"])
    assert shown is not None
    body = b64decode(vector["request"].get("body_base64", ""))
    canonical = rpc.acs3_canonical_request(request, "/", shown.signed_headers, body)
    text = rpc.acs3_string_to_sign(canonical)

    assert canonical == vector["expected"]["canonical_request"]
    assert text == vector["expected"]["string_to_sign"]
    made = rpc.acs3_signature(vector["credentials"]["access_key_secret"], text)
    assert made == shown.signature == vector["expected"]["signature"]
