"""The STS endpoint: recorded calls of official clients get credentials, and what is wrong with a call is said in STS's words."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

import pytest

from mossaic.gateway.record import RequestRecord
from mossaic.gateway.sts import Nonces, StsEndpoint
from mossaic.model.identity import AccessKey, PrincipalKind, Secret, User
from mossaic.protocol.addressing import Address
from mossaic.protocol.errors import OssError
from mossaic.protocol.signing import rpc, v1, v4
from mossaic.protocol.signing.request import Pair, Resource, SignedRequest
from mossaic.service.token import Session
from tests.unit.gateway.identity_support import (
    ACCOUNT_ID,
    NOW,
    ROLE_ARN,
    ROOT_ID,
    ROOT_SECRET,
    World,
    document,
    given_role,
    given_user,
    open_world,
    request,
    trust,
)
from tests.unit.signing.support import VECTORS, raw

if TYPE_CHECKING:
    from mossaic.gateway.message import HttpRequest, HttpResponse

CALLS = [vector for vector in VECTORS if vector["kind"].startswith("sts-")]
DIRECT = [vector for vector in CALLS if "security_token" not in vector["credentials"]]
CHAINED = [vector for vector in CALLS if "security_token" in vector["credentials"]]
ASSUME = document("Allow", "sts:AssumeRole", ROLE_ARN)


def by_id(vector: dict[str, Any]) -> str:
    return str(vector["id"])


@pytest.fixture
async def world(tmp_path):
    opened = open_world(tmp_path)
    yield opened
    await opened.store.close()


def recorded(vector: dict[str, Any]) -> HttpRequest:
    given = vector["request"]
    headers = {"host": given["host"], **{name: raw(value) for name, value in given["headers"]}}
    return request(given["method"], given["target"], headers, b64decode(given.get("body_base64", "")))


async def given_recorded_caller(world: World, vector: dict[str, Any], *documents: str) -> None:
    """The key of the recordings belongs to a user that may assume the recordings' role; time is theirs."""
    shown = vector["credentials"]
    world.clock.moment = datetime.fromisoformat(vector["clock"])
    await given_user(world, "recorded", *(documents or (ASSUME,)))
    await world.store.put_access_key(
        AccessKey(
            access_key_id=shown["access_key_id"],
            secret=Secret(shown["access_key_secret"]),
            user="recorded",
            created_at=NOW,
        )
    )


async def answered(world: World, given: HttpRequest) -> tuple[HttpResponse, dict[str, Any]]:
    assert StsEndpoint.matches(given)
    response = await world.sts.handle(given, RequestRecord())
    assert isinstance(response.body, bytes)
    return response, json.loads(response.body)


def query_call(pair: Pair, now: datetime, nonce: str = "n", **parameters: str) -> HttpRequest:
    """As alibabacloud-credentials calls: GET with everything in the query."""
    common = {
        "Format": "JSON",
        "Version": "2015-04-01",
        "AccessKeyId": pair.access_key_id,
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        "SignatureNonce": nonce,
        "Timestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        **({"SecurityToken": pair.token} if pair.token else {}),
    }
    pairs = (*{**common, **parameters}.items(),)
    signed = (*pairs, ("Signature", rpc.signature(pair.secret, rpc.string_to_sign("GET", pairs))))
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in signed)
    return request("GET", f"/?{query}", {"host": "sts.localhost:9280"})


def assume(pair: Pair, now: datetime = NOW, nonce: str = "n", **parameters: str) -> HttpRequest:
    wanted = {"Action": "AssumeRole", "RoleArn": ROLE_ARN, "RoleSessionName": "job", **parameters}
    return query_call(pair, now, nonce, **wanted)


async def given_caller(world: World, *documents: str) -> Pair:
    key_id, secret = await given_user(world, "bob", *documents)
    return Pair(access_key_id=key_id, secret=secret)


async def given_session(world: World, **parameters: str) -> Pair:
    """Credentials of a role that may do everything in OSS."""
    await given_role(world, document("Allow", "oss:*"))
    _, answer = await answered(world, assume(await given_caller(world, ASSUME), **parameters))
    made = answer["Credentials"]
    return Pair(
        access_key_id=made["AccessKeyId"], secret=made["AccessKeySecret"], token=made["SecurityToken"]
    )


# --- recorded calls ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vector", DIRECT, ids=by_id)
async def test_a_recorded_call_gets_credentials(world: World, vector: dict[str, Any]) -> None:
    await given_recorded_caller(world, vector)
    await given_role(world)

    response, answer = await answered(world, recorded(vector))

    assert response.status == 200, answer
    assert ("Content-Type", "application/json") in response.headers
    assert answer["RequestId"]
    made, who = answer["Credentials"], answer["AssumedRoleUser"]
    assert made["AccessKeyId"].startswith("STS.")
    assert who["Arn"].startswith(f"{ROLE_ARN}/")
    role = await world.directory.role("upload-role")
    assert who["AssumedRoleId"].startswith(f"{role.role_id}:")
    # alibabacloud-credentials parses exactly this form.
    ends = datetime.strptime(made["Expiration"], "%Y-%m-%dT%H:%M:%SZ")  # noqa: DTZ007  # as that client does
    assert ends > world.clock.moment.replace(tzinfo=None)


@pytest.mark.parametrize("vector", DIRECT, ids=by_id)
async def test_a_recorded_call_cannot_be_repeated(world: World, vector: dict[str, Any]) -> None:
    await given_recorded_caller(world, vector)
    await given_role(world)
    await answered(world, recorded(vector))

    response, answer = await answered(world, recorded(vector))

    assert (response.status, answer["Code"]) == (400, "SignatureNonceUsed")


@pytest.mark.parametrize("vector", DIRECT, ids=by_id)
async def test_a_changed_call_is_refused_with_a_colon_in_the_message(
    world: World, vector: dict[str, Any]
) -> None:
    """aliyun-python-sdk-core splits the message at the colon and takes the second piece."""
    await given_recorded_caller(world, vector)
    await given_role(world)
    good = recorded(vector)
    wrong = b"RoleSessionName=other" if b"RoleSessionName" in good.body.data else b""  # type: ignore[attr-defined]
    if wrong:
        body = good.body.data.replace(b"RoleSessionName=", b"RoleSessionName=x")  # type: ignore[attr-defined]
        changed = request(good.method, good.target, good.index, body)
    else:
        target = good.target.replace("RoleSessionName=", "RoleSessionName=x")
        changed = request(good.method, target, good.index)

    response, answer = await answered(world, changed)

    assert (response.status, answer["Code"]) == (400, "SignatureDoesNotMatch")
    assert answer["Message"].split(":", 1)[1]
    first = await answered(world, good)
    assert first[0].status == 200, "a refused call must not use the nonce up"


@pytest.mark.parametrize("vector", CHAINED, ids=by_id)
async def test_a_token_that_is_not_ours_is_refused(world: World, vector: dict[str, Any]) -> None:
    await given_recorded_caller(world, vector)
    await given_role(world)

    response, answer = await answered(world, recorded(vector))

    assert (response.status, answer["Code"]) == (400, "InvalidSecurityToken.Malformed")


@pytest.mark.parametrize("vector", DIRECT, ids=by_id)
@pytest.mark.parametrize("minutes", [-16, 16])
async def test_a_recorded_call_at_another_time_is_refused(
    world: World, vector: dict[str, Any], minutes: int
) -> None:
    await given_recorded_caller(world, vector)
    world.clock.moment += timedelta(minutes=minutes)

    response, answer = await answered(world, recorded(vector))

    assert (response.status, answer["Code"]) == (400, "InvalidTimeStamp.Expired")


# --- what a session may do --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["v1-header", "v1-url", "v4-header", "v4-url"])
async def test_a_session_signs_requests_in_every_scheme(world: World, scheme: str) -> None:
    pair = await given_session(world)
    here, resource = Address(bucket="photos", key="a"), Resource(bucket="photos", key="a")
    scope = v4.Scope(day=NOW.strftime("%Y%m%d"), region="cn-hangzhou")
    token = {"x-oss-security-token": pair.token or ""}
    if scheme == "v1-header":
        headers = {"date": format_datetime(NOW, usegmt=True), **token}
        headers["authorization"] = v1.authorization(
            pair, SignedRequest(method="GET", headers=headers), resource
        )
        given = request("GET", "/a", headers)
    elif scheme == "v4-header":
        headers = {"x-oss-date": NOW.strftime("%Y%m%dT%H%M%SZ"), **token}
        signed = SignedRequest(method="GET", headers=headers)
        given = request(
            "GET", "/a", {**headers, "authorization": v4.authorization(pair, signed, resource, scope)}
        )
    else:
        plain = SignedRequest(method="GET")
        validity = v4.Validity(timestamp=NOW.strftime("%Y%m%dT%H%M%SZ"), expires_s=60)
        pairs = (
            v1.presigned(pair, plain, resource, expires=int(NOW.timestamp()) + 60)
            if scheme == "v1-url"
            else v4.presigned(pair, plain, resource, scope, validity)
        )
        given = request("GET", "/a?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs))

    principal, _ = await world.admission.authenticate(given, (here,))

    assert (principal.kind, principal.name, principal.session) == (PrincipalKind.ROLE, "upload-role", "job")
    assert principal.arn == f"acs:sts::{ACCOUNT_ID}:assumed-role/upload-role/job"
    assert principal.policies == (document("Allow", "oss:*").replace(": ", ":").replace(", ", ","),)


def signed_by(pair: Pair, moment: datetime) -> HttpRequest:
    headers = {"date": format_datetime(moment, usegmt=True)}
    if pair.token is not None:
        headers["x-oss-security-token"] = pair.token
    signed = SignedRequest(method="GET", headers=headers)
    made = v1.authorization(pair, signed, Resource(bucket="photos", key="a"))
    return request("GET", "/a", {**headers, "authorization": made})


async def refused(world: World, pair: Pair) -> OssError:
    with pytest.raises(OssError) as caught:
        await world.admission.authenticate(
            signed_by(pair, world.clock.moment), (Address(bucket="photos", key="a"),)
        )
    return caught.value


async def test_the_session_policy_goes_with_the_token(world: World) -> None:
    narrowed = document("Allow", "oss:PutObject", "acs:oss:*:*:photos/user/*")
    pair = await given_session(world, Policy=narrowed)

    principal, _ = await world.admission.authenticate(
        signed_by(pair, NOW), (Address(bucket="photos", key="a"),)
    )

    assert principal.boundary == narrowed


async def test_a_token_ends_at_its_time(world: World) -> None:
    pair = await given_session(world, DurationSeconds="900")

    world.clock.moment = NOW + timedelta(seconds=899)
    await world.admission.authenticate(
        signed_by(pair, world.clock.moment), (Address(bucket="photos", key="a"),)
    )
    world.clock.moment = NOW + timedelta(seconds=900)
    error = await refused(world, pair)

    assert (error.code, error.status, error.ec) == ("SecurityTokenExpired", 403, "0002-00000007")
    assert error.message == "The security token you provided has expired."


async def test_a_token_ends_when_its_role_is_deleted_and_does_not_come_back_with_the_name(
    world: World,
) -> None:
    pair = await given_session(world)
    await world.directory.delete_role("upload-role")

    assert (await refused(world, pair)).code == "InvalidSecurityToken"

    await given_role(world, name="upload-role")
    assert (await refused(world, pair)).code == "InvalidSecurityToken"


async def test_no_changed_token_is_accepted(world: World) -> None:
    pair = await given_session(world)
    assert pair.token is not None
    data = b64decode(pair.token)

    for index in {*range(20), *range(20, len(data), 37), len(data) - 1}:
        changed = data[:index] + bytes([data[index] ^ 1]) + data[index + 1 :]
        error = await refused(world, replace(pair, token=b64encode(changed).decode()))
        assert (error.code, error.status, error.ec) == ("InvalidSecurityToken", 403, "0002-00000006")
    for text in ("x", "%", pair.token[:-4], pair.token + "AAAA", "A" * 100_000, "é"):
        assert (await refused(world, replace(pair, token=text))).code == "InvalidSecurityToken"


async def test_a_token_of_another_installation_is_refused(world: World, tmp_path_factory) -> None:
    pair = await given_session(world)
    other = open_world(tmp_path_factory.mktemp("other"))
    await given_role(other)

    assert (await refused(other, pair)).code == "InvalidSecurityToken"
    await other.store.close()


async def test_a_token_goes_with_its_own_key_id_only(world: World) -> None:
    pair = await given_session(world)

    error = await refused(world, replace(pair, access_key_id="STS.someoneElse"))
    assert (error.code, error.ec) == ("AccessKeyIdAndSecurityTokenNotMatch", "0002-00000004")

    error = await refused(world, Pair(access_key_id=ROOT_ID, secret=ROOT_SECRET, token=pair.token))
    assert (error.code, error.ec) == ("InvalidAccessKeyId", "0002-00000002")

    error = await refused(world, replace(pair, token=None))
    assert (error.code, error.ec) == ("InvalidAccessKeyId", "0002-00000003")
    assert error.message.endswith("The Security Token may be lost to specify that it is a STS Access Id.")


async def test_a_url_of_temporary_credentials_needs_its_token(world: World) -> None:
    pair = replace(await given_session(world), token=None)
    pairs = v1.presigned(
        pair,
        SignedRequest(method="GET"),
        Resource(bucket="photos", key="a"),
        expires=int(NOW.timestamp()) + 60,
    )
    target = "/a?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs)

    with pytest.raises(OssError) as caught:
        await world.admission.authenticate(request("GET", target), (Address(bucket="photos", key="a"),))

    assert (caught.value.code, caught.value.status) == ("InvalidRequest", 400)


async def test_tokens_of_an_older_key_stay_valid_after_rotation(world: World) -> None:
    before = await given_session(world)
    assert await world.tokens.rotate() == 2
    session = await world.tokens.open(before.token or "")
    assert session is not None

    after = await world.tokens.seal(session)

    assert b64decode(after)[:5] == b"MT1\x00\x02"
    assert await world.tokens.open(after) == session
    assert session.secret.reveal() not in repr(session)


async def test_a_token_hides_what_it_holds(world: World) -> None:
    session = Session(
        access_key_id="STS.x",
        secret=Secret("topsecret"),
        role="upload-role",
        role_id="3",
        name="job",
        policy=None,
        expires_at=NOW,
    )

    data = b64decode(await world.tokens.seal(session))

    assert b"topsecret" not in data
    assert b"upload-role" not in data


# --- who may assume ---------------------------------------------------------------------------------------------------


async def test_the_account_itself_may_not_assume_roles(world: World) -> None:
    await given_role(world)

    response, answer = await answered(world, assume(Pair(access_key_id=ROOT_ID, secret=ROOT_SECRET)))

    assert (response.status, answer["Code"]) == (403, "NoPermission")
    assert answer["Message"] == "Roles may not be assumed by root accounts."


@pytest.mark.parametrize(
    ("documents", "trusted"),
    [
        ((), None),
        ((document("Allow", "oss:*"),), None),
        ((document("Allow", "sts:AssumeRole", f"acs:ram::{ACCOUNT_ID}:role/other"),), None),
        ((ASSUME, document("Deny", "sts:*")), None),
        ((ASSUME,), trust(f"acs:ram::{ACCOUNT_ID}:user/eve")),
        ((ASSUME,), trust("acs:ram::999:root")),
    ],
)
async def test_permission_of_the_caller_and_trust_of_the_role_are_both_needed(
    world: World, documents: tuple[str, ...], trusted: str | None
) -> None:
    pair = await given_caller(world, *documents)
    await given_role(world, trusted=trusted)

    response, answer = await answered(world, assume(pair))

    assert (response.status, answer["Code"]) == (403, "NoPermission")


async def test_who_may_not_assume_a_role_does_not_learn_whether_it_exists(world: World) -> None:
    pair = await given_caller(world)
    _, missing = await answered(world, assume(pair, nonce="1"))
    await given_role(world)
    _, there = await answered(world, assume(pair, nonce="2"))

    assert (missing["Code"], missing["Message"]) == (there["Code"], there["Message"])


async def test_a_session_assumes_another_role_only_within_its_own_policy(world: World) -> None:
    everything = document("Allow", "*")
    await given_role(world, everything, name="first")
    await given_role(world)
    caller = await given_caller(world, everything)
    first = f"acs:ram::{ACCOUNT_ID}:role/first"

    def session(answer: dict[str, Any]) -> Pair:
        made = answer["Credentials"]
        return Pair(
            access_key_id=made["AccessKeyId"], secret=made["AccessKeySecret"], token=made["SecurityToken"]
        )

    _, wide = await answered(world, assume(caller, nonce="1", RoleArn=first))
    narrowed = document("Allow", "oss:GetObject")
    _, narrow = await answered(world, assume(caller, nonce="2", RoleArn=first, Policy=narrowed))

    assert (await answered(world, assume(session(wide), nonce="3")))[0].status == 200
    response, answer = await answered(world, assume(session(narrow), nonce="4"))
    assert (response.status, answer["Code"]) == (403, "NoPermission")


# --- parameters -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "status", "code"),
    [
        ({"RoleArn": "upload-role"}, 400, "InvalidParameter.RoleArn"),
        ({"RoleArn": ""}, 400, "InvalidParameter.RoleArn"),
        ({"RoleSessionName": "a"}, 400, "InvalidParameter.RoleSessionName"),
        ({"RoleSessionName": "a b"}, 400, "InvalidParameter.RoleSessionName"),
        ({"RoleSessionName": "a" * 65}, 400, "InvalidParameter.RoleSessionName"),
        ({"DurationSeconds": "899"}, 400, "InvalidParameter.DurationSeconds"),
        ({"DurationSeconds": "3601"}, 400, "InvalidParameter.DurationSeconds"),
        ({"DurationSeconds": "1e3"}, 400, "InvalidParameter.DurationSeconds"),
        ({"DurationSeconds": "9" * 5000}, 400, "InvalidParameter.DurationSeconds"),
        ({"Policy": "{}"}, 400, "InvalidParameter.PolicyGrammar"),
        ({"Policy": "x" * 2049}, 400, "InvalidParameter.PolicySize"),
        ({"Action": "GetSecrets"}, 404, "InvalidApi.NotFound"),
        ({"SignatureMethod": "HMAC-MD5"}, 400, "InvalidParameter"),
        ({"SignatureNonce": ""}, 400, "InvalidParameter"),
        ({"Timestamp": "now"}, 400, "InvalidTimeStamp.Format"),
        ({"Timestamp": "2024-13-45T06:07:08Z"}, 400, "InvalidTimeStamp.Format"),
    ],
)
async def test_a_wrong_parameter_is_named(
    world: World, parameters: dict[str, str], status: int, code: str
) -> None:
    pair = await given_caller(world, document("Allow", "sts:*"))
    await given_role(world)

    response, answer = await answered(world, assume(pair, **parameters))

    assert (response.status, answer["Code"]) == (status, code)


async def test_a_role_that_does_not_exist_is_said_to(world: World) -> None:
    pair = await given_caller(world, document("Allow", "sts:*"))

    response, answer = await answered(world, assume(pair))

    assert (response.status, answer["Code"]) == (404, "EntityNotExist.Role")


async def test_an_unknown_key_is_said_to(world: World) -> None:
    response, answer = await answered(world, assume(Pair(access_key_id="LTAInobody", secret="x")))

    assert (response.status, answer["Code"]) == (404, "InvalidAccessKeyId.NotFound")


async def test_a_disabled_key_is_said_to_be(world: World) -> None:
    pair = await given_caller(world, ASSUME)
    await world.directory.set_key_active(pair.access_key_id, active=False)

    response, answer = await answered(world, assume(pair))

    assert (response.status, answer["Code"]) == (400, "InvalidAccessKeyId.Inactive")


async def test_temporary_credentials_without_token_are_told_so(world: World) -> None:
    pair = replace(await given_session(world), token=None)

    response, answer = await answered(world, assume(pair, nonce="2"))

    assert (response.status, answer["Code"]) == (400, "MissingSecurityToken")


async def test_a_parameter_that_comes_twice_is_refused(world: World) -> None:
    good = assume(await given_caller(world, ASSUME))

    response, answer = await answered(world, request("GET", good.target + "&RoleArn=x", good.index))

    assert (response.status, answer["Code"]) == (400, "InvalidParameter")


async def test_xml_is_answered_when_asked_for(world: World) -> None:
    pair = await given_caller(world, ASSUME)
    await given_role(world)

    good = await world.sts.handle(assume(pair, nonce="1", Format="XML"), RequestRecord())
    bad = await world.sts.handle(assume(pair, nonce="1", Format="XML"), RequestRecord())

    assert isinstance(good.body, bytes)
    assert isinstance(bad.body, bytes)
    root = ET.fromstring(good.body)
    assert root.tag == "AssumeRoleResponse"
    assert (root.findtext("Credentials/AccessKeyId") or "").startswith("STS.")
    assert ET.fromstring(bad.body).findtext("Code") == "SignatureNonceUsed"


async def test_callers_learn_who_they_are(world: World) -> None:
    session = await given_session(world)
    user: User = await world.directory.user("bob")
    bob = (await world.directory.keys("bob"))[0]
    pairs = {
        "Account": Pair(access_key_id=ROOT_ID, secret=ROOT_SECRET),
        "RAMUser": Pair(access_key_id=bob.access_key_id, secret=bob.secret.reveal()),
        "AssumedRoleUser": session,
    }

    said = {
        kind: (await answered(world, query_call(pair, NOW, kind, Action="GetCallerIdentity")))[1]
        for kind, pair in pairs.items()
    }

    assert {kind: answer["IdentityType"] for kind, answer in said.items()} == {kind: kind for kind in pairs}
    assert {answer["AccountId"] for answer in said.values()} == {ACCOUNT_ID}
    assert said["RAMUser"]["UserId"] == user.user_id
    assert said["RAMUser"]["Arn"] == f"acs:ram::{ACCOUNT_ID}:user/bob"
    assert said["AssumedRoleUser"]["Arn"].endswith(":assumed-role/upload-role/job")


# --- ACS3 -------------------------------------------------------------------------------------------------------------


async def test_an_acs3_signature_has_to_cover_the_action(world: World) -> None:
    """Otherwise whoever sees a signed call could turn it into another one."""
    vector = next(each for each in DIRECT if each["kind"] == "sts-acs3-hmac-sha256")
    await given_recorded_caller(world, vector)
    await given_role(world)
    good = recorded(vector)
    unsigned = request(good.method, good.target, {**good.index, "x-acs-extra": "1"})
    thinner = good.index["authorization"].replace("x-acs-action;", "")

    for given in (unsigned, request(good.method, good.target, {**good.index, "authorization": thinner})):
        response, answer = await answered(world, given)
        assert (response.status, answer["Code"]) == (400, "InvalidParameter")


async def test_an_acs3_signature_covers_the_body(world: World) -> None:
    vector = next(each for each in DIRECT if each["kind"] == "sts-acs3-hmac-sha256")
    await given_recorded_caller(world, vector)
    good = recorded(vector)

    response, answer = await answered(
        world, request(good.method, good.target, good.index, b"DurationSeconds=1")
    )

    assert (response.status, answer["Code"]) == (400, "SignatureDoesNotMatch")


# --- nonces and recognition -------------------------------------------------------------------------------------------


async def test_a_nonce_is_free_again_when_its_call_could_not_be_repeated_any_more(world: World) -> None:
    nonces = Nonces(world.store)
    await nonces.use("key", "n", NOW)

    with pytest.raises(OssError):
        await nonces.use("key", "n", NOW + timedelta(minutes=30))
    await nonces.use("other", "n", NOW)
    await nonces.use("key", "n", NOW + timedelta(minutes=30, seconds=1))


async def test_a_nonce_that_another_process_took_is_used(world: World) -> None:
    await Nonces(world.store).use("key", "n", NOW)

    with pytest.raises(OssError) as caught:
        await Nonces(world.store).use("key", "n", NOW)

    assert caught.value.code == "SignatureNonceUsed"


async def test_nonces_are_forgotten_when_they_are_over_not_before(world: World) -> None:
    await Nonces(world.store).use("key", "n", NOW)

    await world.store.forget_leases(NOW + timedelta(minutes=29))
    with pytest.raises(OssError):
        await Nonces(world.store).use("key", "n", NOW)
    await world.store.forget_leases(NOW + timedelta(minutes=31))

    await Nonces(world.store).use("key", "n", NOW)


async def test_nonces_take_bounded_room(world: World) -> None:
    nonces = Nonces(world.store, capacity=2)
    await nonces.use("key", "1", NOW)
    await nonces.use("key", "2", NOW)

    with pytest.raises(OssError) as caught:
        await nonces.use("key", "3", NOW)
    assert caught.value.code == "Throttling.User"
    await nonces.use("key", "3", NOW + timedelta(hours=1))


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("GET", "/", {}),
        ("GET", "/?prefix=Action", {}),
        ("POST", "/?delete", {"content-type": "application/xml"}),
        ("POST", "/?delete", {"content-type": "application/x-www-form-urlencoded"}),
        ("POST", "/", {"content-type": "multipart/form-data; boundary=x"}),
        ("GET", "/key?Action=AssumeRole&Version=2015-04-01", {}),
        ("PUT", "/key", {"x-acs-action": "AssumeRole"}),
    ],
)
def test_requests_of_oss_are_not_taken_for_calls(method: str, target: str, headers: dict[str, str]) -> None:
    assert not StsEndpoint.matches(request(method, target, headers))
