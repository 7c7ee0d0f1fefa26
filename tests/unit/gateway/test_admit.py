"""Admission: who a request comes from, and what policies, ownership and ACLs let it do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from mossaic.gateway.call import Call, Permission
from mossaic.model.bucket import Bucket, BucketAcl
from mossaic.model.identity import ANONYMOUS, Principal, PrincipalKind
from mossaic.model.names import ObjectKey
from mossaic.model.object import ObjectAcl, ObjectHeaders, ObjectVersion
from mossaic.ports import Commit
from mossaic.protocol.addressing import Address, parse_query
from mossaic.protocol.errors import OssError
from mossaic.protocol.operations import TABLE
from mossaic.protocol.signing import v1, v4
from mossaic.protocol.signing.request import Pair, Resource, SignedRequest
from tests.unit.gateway.identity_support import (
    ACCOUNT_ID,
    NOW,
    ROOT_ID,
    ROOT_SECRET,
    World,
    document,
    given_bucket,
    given_role,
    given_user,
    open_world,
    request,
)

if TYPE_CHECKING:
    from mossaic.gateway.message import HttpRequest
    from mossaic.protocol.operation import AnyOperation

ROOT = Pair(access_key_id=ROOT_ID, secret=ROOT_SECRET)
DATE = format_datetime(NOW, usegmt=True)
ROWS = {row.name: row for row in TABLE}
HERE = Address(bucket="photos", key="a.jpg", base="localhost", virtual=True)
SCOPE = v4.Scope(day="20240305", region="cn-hangzhou")


@pytest.fixture
async def world(tmp_path):
    opened = open_world(tmp_path)
    yield opened
    await opened.store.close()


def v1_headers(pair: Pair, method: str = "GET", address: Address = HERE) -> dict[str, str]:
    headers = {"date": DATE, **({"x-oss-security-token": pair.token} if pair.token else {})}
    signed = SignedRequest(method=method, headers=headers)
    resource = Resource(bucket=address.bucket, key=address.key)
    return {**headers, "authorization": v1.authorization(pair, signed, resource)}


def v1_url(pair: Pair, expires: int) -> str:
    pairs = v1.presigned(
        pair, SignedRequest(method="GET"), Resource(bucket="photos", key="a.jpg"), expires=expires
    )
    return "/a.jpg?" + "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)


async def who(world: World, given: HttpRequest, *candidates: Address) -> Principal:
    principal, _ = await world.admission.authenticate(given, candidates or (HERE,))
    return principal


async def refusal(world: World, given: HttpRequest) -> OssError:
    with pytest.raises(OssError) as caught:
        await world.admission.authenticate(given, (HERE,))
    return caught.value


# --- who --------------------------------------------------------------------------------------------------------------


async def test_a_request_without_a_signature_is_anonymous(world: World) -> None:
    assert await who(world, request("GET", "/a.jpg")) == ANONYMOUS


async def test_the_root_pair_is_the_account(world: World) -> None:
    principal = await who(world, request("GET", "/a.jpg", v1_headers(ROOT)))

    assert (principal.kind, principal.principal_id) == (PrincipalKind.ACCOUNT, ACCOUNT_ID)
    assert principal.is_owner


async def test_a_users_key_is_the_user_with_its_policies(world: World) -> None:
    allowed = document("Allow", "oss:GetObject")
    key_id, secret = await given_user(world, "bob", allowed)
    pair = Pair(access_key_id=key_id, secret=secret)

    principal = await who(world, request("GET", "/a.jpg", v1_headers(pair)))

    assert (principal.kind, principal.name) == (PrincipalKind.USER, "bob")
    assert len(principal.policies) == 1
    assert principal.arn == f"acs:ram::{ACCOUNT_ID}:user/bob"


async def test_a_v4_request_verifies_in_any_region_unless_strict(world: World) -> None:
    headers = {"x-oss-date": "20240305T060708Z"}
    scope = SCOPE._replace(region="eu-central-1")
    signed = SignedRequest(method="GET", headers=headers)
    made = v4.authorization(ROOT, signed, Resource(bucket="photos", key="a.jpg"), scope)

    given = request("GET", "/a.jpg", {**headers, "authorization": made})

    assert (await who(world, given)).is_owner


async def test_of_two_readings_the_signed_one_is_taken(world: World) -> None:
    """ali-oss with an IP endpoint and sldEnable: Host and path both carry the bucket."""
    as_path = Address(bucket="photos", key="photos/a.jpg", base="localhost", virtual=True)
    given = request("GET", "/photos/a.jpg", v1_headers(ROOT))

    _, taken = await world.admission.authenticate(given, (as_path, HERE))

    assert taken is HERE


async def test_an_unknown_key_is_refused(world: World) -> None:
    error = await refusal(
        world, request("GET", "/a.jpg", v1_headers(replace(ROOT, access_key_id="LTAInobody")))
    )

    assert (error.code, error.status, error.ec) == ("InvalidAccessKeyId", 403, "0002-00000902")
    assert error.extras["OSSAccessKeyId"] == "LTAInobody"


async def test_a_disabled_key_is_refused_and_a_deleted_one_unknown(world: World) -> None:
    key_id, secret = await given_user(world, "bob")
    given = request("GET", "/a.jpg", v1_headers(Pair(access_key_id=key_id, secret=secret)))
    assert (await who(world, given)).name == "bob"

    await world.directory.set_key_active(key_id, active=False)
    world.clock.moment = NOW + timedelta(seconds=2)
    assert (await refusal(world, given)).message == "The OSS Access Key Id you provided is disabled."

    await world.directory.delete_key(key_id)
    assert (
        await refusal(world, given)
    ).message == "The OSS Access Key Id you provided does not exist in our records."


async def test_a_new_key_works_at_once_after_it_was_unknown(world: World) -> None:
    await world.directory.create_user("bob", NOW)
    unknown = Pair(access_key_id="LTAI5tNotYet", secret="x")
    await refusal(world, request("GET", "/a.jpg", v1_headers(unknown)))

    key = await world.directory.create_key("bob", NOW)
    pair = Pair(access_key_id=key.access_key_id, secret=key.secret.reveal())

    assert (await who(world, request("GET", "/a.jpg", v1_headers(pair)))).name == "bob"


async def test_an_expired_url_says_so_before_its_signature_is_looked_at(world: World) -> None:
    target = v1_url(replace(ROOT, secret="wrong"), expires=int(NOW.timestamp()) - 1)

    error = await refusal(world, request("GET", target))

    assert (error.code, error.message) == ("AccessDenied", "Request has expired.")


async def test_an_unknown_key_is_said_before_the_clock(world: World) -> None:
    world.clock.moment = NOW + timedelta(hours=1)

    error = await refusal(
        world, request("GET", "/a.jpg", v1_headers(replace(ROOT, access_key_id="LTAInobody")))
    )

    assert error.code == "InvalidAccessKeyId"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "OSS",
        "OSS ",
        "OSS :",
        "OSS id",
        "OSS id:",
        "Bearer token",
        "OSS4-HMAC-SHA256 Credential=a",
        "OSS4-HMAC-SHA256 Credential=a/20240305/cn/oss/aliyun_v4_request,Signature=",
        "OSS4-HMAC-SHA256 Credential=a/20240305/cn/oss/aliyun_v3_request,Signature=b",
        "OSS4-HMAC-SHA256 Credential=a/2024/cn/oss/aliyun_v4_request,Signature=b",
        "OSS4-HMAC-SHA256 Credential=a/20240305/cn/s3/aliyun_v4_request,Signature=b",
        "OSS4-HMAC-SHA256 Credential=a/20240305/cn/oss/aliyun_v4_request,AdditionalHeaders=,Signature=b",
        "OSS4-HMAC-SHA256 Credential=a/20240305/cn/oss/aliyun_v4_request,AdditionalHeaders=b;;c,Signature=b",
        "OSS4-HMAC-SHA256 Credential=a/20240305/cn/oss/aliyun_v4_request,AdditionalHeaders=b;a,Signature=b",
        "OSS4-HMAC-SHA256 Credential=a/20240305/cn/oss/aliyun_v4_request,Other=b,Signature=b",
        "OSS4-HMAC-SHA256 Credential=a/20240305/cn/oss/aliyun_v4_request,Signature=a,Signature=b",
        "OSS2 AccessKeyId:a",
        "OSS2 Signature:a",
    ],
)
async def test_a_malformed_authorization_header_is_refused(world: World, header: str) -> None:
    error = await refusal(world, request("GET", "/a.jpg", {"date": DATE, "authorization": header}))

    assert (error.code, error.status) == ("InvalidArgument", 400)


@pytest.mark.parametrize(
    ("query", "code", "ec"),
    [
        ("Expires=1", "AccessDenied", "0002-00000067"),
        ("OSSAccessKeyId=a&Signature=b", "AccessDenied", "0002-00000067"),
        ("OSSAccessKeyId=a&Signature=b&Expires=", "AccessDenied", "0002-00000068"),
        ("OSSAccessKeyId=a&Signature=b&Expires=soon", "AccessDenied", "0002-00000070"),
        ("OSSAccessKeyId=a&Signature=b&Expires=-1", "AccessDenied", "0002-00000070"),
        ("OSSAccessKeyId=a%20b&Signature=b&Expires=9999999999", "InvalidAccessKeyId", "0002-00000064"),
        ("x-oss-signature-version=OSS5", "InvalidArgument", None),
        ("x-oss-signature-version=OSS4-HMAC-SHA256", "InvalidArgument", "0002-00000222"),
        ("x-oss-signature-version=OSS2", "AccessDenied", "0002-00000067"),
    ],
)
async def test_an_incomplete_url_signature_is_refused(world: World, query: str, code: str, ec: str) -> None:
    error = await refusal(world, request("GET", f"/a.jpg?{query}"))

    assert (error.code, error.ec) == (code, ec)


@pytest.mark.parametrize("expires", ["0", "604801", "-1", "x", "1" * 30])
async def test_a_v4_url_lasts_one_second_to_seven_days(world: World, expires: str) -> None:
    query = (
        "x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-date=20240305T060708Z&x-oss-signature=a"
        f"&x-oss-credential=a%2F20240305%2Fcn%2Foss%2Faliyun_v4_request&x-oss-expires={expires}"
    )

    error = await refusal(world, request("GET", f"/a.jpg?{query}"))

    assert (error.code, error.ec) == ("InvalidArgument", "0002-00000232")


async def test_the_first_of_repeated_parameters_counts(world: World) -> None:
    target = v1_url(ROOT, expires=int(NOW.timestamp()) + 60)

    assert (await who(world, request("GET", target + "&Expires=1&Signature=x"))).is_owner


# --- may they ---------------------------------------------------------------------------------------------------------


def call(
    world: World, operation: AnyOperation, principal: Principal, bucket: Bucket | None, given: HttpRequest
) -> Call:
    query = {name: value for name, value, _ in parse_query(given.target.partition("?")[2])}
    return Call(
        request=given,
        operation=operation,
        request_id="0",
        now=NOW,
        principal=principal,
        services=None,  # type: ignore[arg-type]  # admission asks no service
        query=query,
        endpoint="http://localhost",
        admission=world.admission,
        bucket_or_none=bucket,
    )


async def outcome(
    world: World,
    name: str,
    principal: Principal,
    bucket: Bucket | None,
    *,
    key: str | None = "a.jpg",
    query: str = "",
    headers: dict[str, str] | None = None,
    remote: str = "10.1.1.1:999",
) -> str:
    """ "allowed", or the message of the refusal."""
    operation = ROWS[name]
    given = request(operation.method, f"/x?{query}", headers, remote=remote)
    address = Address(bucket=bucket.name if bucket else None, key=key, base="localhost")
    refused: OssError | None = None
    try:
        await world.admission.authorize(call(world, operation, principal, bucket, given), address)
    except OssError as error:
        refused = error
    assert refused is None or refused.code in ("AccessDenied", "InvalidRequest", "NoSuchBucket")
    return "allowed" if refused is None else refused.message


OWNER = Principal(
    kind=PrincipalKind.ACCOUNT, account_id=ACCOUNT_ID, principal_id=ACCOUNT_ID, access_key_id=ROOT_ID
)


def user(*documents: str) -> Principal:
    return Principal(
        kind=PrincipalKind.USER,
        account_id=ACCOUNT_ID,
        principal_id="200000000000000001",
        name="bob",
        access_key_id="LTAIbob",
        policies=documents,
    )


async def given_object(world: World, bucket: Bucket, key: str, acl: ObjectAcl, **tags: str) -> None:
    version = ObjectVersion(
        bucket=bucket.name,
        key=ObjectKey(key),
        modified_at=NOW,
        headers=ObjectHeaders(),
        acl=acl,
        inline=b"",
        tags=tags,
    )
    await world.store.put_object(Commit(version=version))


async def test_the_owner_may_do_everything(world: World) -> None:
    bucket = await given_bucket(world, "photos")

    for row in TABLE:
        key = "a.jpg" if row.level.value == "object" else None
        assert await outcome(world, row.name, OWNER, bucket, key=key) == "allowed", row.name


async def test_a_stranger_may_do_nothing_in_a_private_bucket(world: World) -> None:
    bucket = await given_bucket(world, "photos")

    for row in TABLE:
        key = "a.jpg" if row.level.value == "object" else None
        for principal in (ANONYMOUS, user()):
            said = await outcome(world, row.name, principal, bucket, key=key)
            # Their handlers ask for every key in the body.
            by_key = row.name in ("DeleteMultipleObjects", "PostObject")
            assert (said == "allowed") == by_key, row.name


async def test_batch_operations_are_refused_key_by_key(world: World) -> None:
    bucket = await given_bucket(world, "photos")
    asked = call(world, ROWS["DeleteMultipleObjects"], ANONYMOUS, bucket, request("POST", "/?delete"))

    with pytest.raises(OssError) as caught:
        await asked.authorize(Permission(action="oss:DeleteObject", bucket=bucket, key="a.jpg", write=True))

    assert caught.value.message == "Anonymous user has no right to access this object."


ACLS = [(BucketAcl.PRIVATE, set()), (BucketAcl.PUBLIC_READ, {"r"}), (BucketAcl.PUBLIC_READ_WRITE, {"r", "w"})]


@pytest.mark.parametrize(("acl", "open_for"), ACLS)
async def test_a_bucket_acl_opens_objects_but_neither_listings_nor_settings(
    world: World, acl, open_for
) -> None:
    bucket = await given_bucket(world, "photos", acl=acl)

    for row in TABLE:
        if row.name in ("DeleteMultipleObjects", "PostObject"):
            continue
        key = "a.jpg" if row.level.value == "object" else None
        opened = {"read": "r", "write": "w", "owner": "never"}[row.access.value] in open_for
        assert (await outcome(world, row.name, ANONYMOUS, bucket, key=key) == "allowed") == opened, row.name


@pytest.mark.parametrize(
    ("bucket_acl", "object_acl", "reads", "writes"),
    [
        (BucketAcl.PRIVATE, ObjectAcl.PUBLIC_READ, True, False),
        (BucketAcl.PRIVATE, ObjectAcl.PUBLIC_READ_WRITE, True, True),
        (BucketAcl.PUBLIC_READ_WRITE, ObjectAcl.PRIVATE, False, False),
        (BucketAcl.PUBLIC_READ_WRITE, ObjectAcl.PUBLIC_READ, True, False),
        (BucketAcl.PUBLIC_READ, ObjectAcl.DEFAULT, True, False),
    ],
)
async def test_an_object_acl_overrides_the_buckets(
    world: World, bucket_acl, object_acl, reads, writes
) -> None:
    bucket = await given_bucket(world, "photos", acl=bucket_acl)
    await given_object(world, bucket, "a.jpg", object_acl)

    assert (await outcome(world, "GetObject", ANONYMOUS, bucket) == "allowed") == reads
    assert (await outcome(world, "PutObject", ANONYMOUS, bucket) == "allowed") == writes


@pytest.mark.parametrize(
    ("name", "principal", "key", "message"),
    [
        ("GetObject", ANONYMOUS, "a.jpg", "Anonymous user has no right to access this object."),
        ("ListObjects", ANONYMOUS, None, "Anonymous user has no right to access this bucket."),
        ("PutBucketAcl", ANONYMOUS, None, "Anonymous access is forbidden for this operation."),
        ("ListBuckets", ANONYMOUS, None, "Anonymous access is forbidden for this operation."),
        ("GetObject", user(), "a.jpg", "You have no right to access this object because of bucket acl."),
        ("GetBucketInfo", user(), None, "The bucket you access does not belong to you."),
        ("ListBuckets", user(), None, "You are forbidden to list buckets."),
        ("GetObjectAcl", user(), "a.jpg", "You do not have read acl permission on this object."),
        ("PutObjectAcl", user(), "a.jpg", "You do not have write acl permission on this object."),
    ],
)
async def test_a_refusal_uses_the_words_of_oss(world: World, name, principal, key, message) -> None:
    bucket = None if name == "ListBuckets" else await given_bucket(world, "photos")

    assert await outcome(world, name, principal, bucket, key=key) == message


async def test_a_policy_gives_a_user_its_prefix_and_no_more(world: World) -> None:
    bucket = await given_bucket(world, "photos")
    bob = user(document("Allow", ["oss:PutObject", "oss:ListParts"], "acs:oss:*:*:photos/user/*"))

    assert await outcome(world, "PutObject", bob, bucket, key="user/a") == "allowed"
    assert await outcome(world, "UploadPart", bob, bucket, key="user/a") == "allowed"
    assert await outcome(world, "PutObject", bob, bucket, key="other/a") != "allowed"
    assert await outcome(world, "GetObject", bob, bucket, key="user/a") != "allowed"
    assert await outcome(world, "AbortMultipartUpload", bob, bucket, key="user/a") != "allowed"


async def test_a_deny_is_said_to_come_from_where_it_does(world: World) -> None:
    denied = document("Deny", "oss:GetObject", Principal=["*"])
    bucket = await given_bucket(world, "photos", acl=BucketAcl.PUBLIC_READ, policy=denied)
    bounded = replace(user(document("Allow", "oss:*")), boundary=document("Allow", "oss:PutObject"))

    assert await outcome(world, "GetObject", ANONYMOUS, bucket) == "Access denied by bucket policy."
    assert await outcome(world, "GetObject", bounded, bucket) == "Access denied by authorizer's policy."
    assert await outcome(world, "GetObject", OWNER, bucket) == "allowed"


async def test_a_session_policy_closes_even_a_public_object(world: World) -> None:
    bucket = await given_bucket(world, "photos", acl=BucketAcl.PUBLIC_READ)
    bounded = replace(user(), boundary=document("Allow", "oss:PutObject"))

    assert await outcome(world, "GetObject", bounded, bucket) == "Access denied by authorizer's policy."


async def test_a_bucket_policy_lets_anybody_list(world: World) -> None:
    allowed = document("Allow", "oss:ListObjects", "acs:oss:*:*:photos", Principal=["*"])
    bucket = await given_bucket(world, "photos", policy=allowed)

    assert await outcome(world, "ListObjectsV2", ANONYMOUS, bucket, key=None) == "allowed"
    assert await outcome(world, "GetBucketInfo", ANONYMOUS, bucket, key=None) != "allowed"


async def test_a_version_needs_the_action_for_versions(world: World) -> None:
    bucket = await given_bucket(world, "photos")
    current = user(document("Allow", "oss:GetObject"))
    versions = user(document("Allow", "oss:GetObjectVersion"))

    assert await outcome(world, "GetObject", current, bucket) == "allowed"
    assert await outcome(world, "GetObject", current, bucket, query="versionId=CAEQ1") != "allowed"
    assert await outcome(world, "GetObject", versions, bucket, query="versionId=CAEQ1") == "allowed"


async def test_a_write_with_tags_needs_the_tagging_action_too(world: World) -> None:
    bucket = await given_bucket(world, "photos", acl=BucketAcl.PUBLIC_READ_WRITE)
    put = user(document("Allow", "oss:PutObject"))
    both = user(document("Allow", ["oss:PutObject", "oss:PutObjectTagging"]))
    tags = {"x-oss-tagging": "a=b"}

    assert await outcome(world, "PutObject", put, bucket) == "allowed"
    assert await outcome(world, "PutObject", put, bucket, headers=tags) != "allowed"
    assert await outcome(world, "PutObject", both, bucket, headers=tags) == "allowed"
    assert await outcome(world, "PutObject", ANONYMOUS, bucket, headers=tags) != "allowed"


@pytest.mark.parametrize(
    ("condition", "good", "bad"),
    [
        ({"IpAddress": {"acs:SourceIp": "10.0.0.0/8"}}, {}, {"remote": "192.0.2.1:5"}),
        (
            {"IpAddress": {"acs:SourceIp": "2001:db8::/32"}},
            {"remote": "[2001:db8::1]:5"},
            {"remote": "[::1]:5"},
        ),
        ({"StringLike": {"oss:Prefix": "user/*"}}, {"query": "prefix=user/a"}, {"query": ""}),
        ({"StringEquals": {"oss:Prefix": ""}}, {"query": ""}, {"query": "prefix=a"}),
        ({"StringEquals": {"oss:Delimiter": "/"}}, {"query": "delimiter=%2F"}, {"query": "delimiter=a"}),
        ({"StringLike": {"acs:UserAgent": "good*"}}, {"headers": {"user-agent": "good/1"}}, {}),
        ({"DateLessThan": {"acs:CurrentTime": "2024-03-06T00:00:00Z"}}, {}, None),
        ({"StringEquals": {"acs:AccessId": "LTAIbob"}}, {}, None),
        ({"Bool": {"acs:SecureTransport": "false"}}, {}, None),
    ],
)
async def test_conditions_see_the_request_as_the_server_does(world: World, condition, good, bad) -> None:
    bucket = await given_bucket(world, "photos")
    bob = user(document("Allow", "oss:ListObjects", Condition=condition))

    assert await outcome(world, "ListObjects", bob, bucket, key=None, **good) == "allowed"
    if bad is not None:
        assert await outcome(world, "ListObjects", bob, bucket, key=None, **bad) != "allowed"


async def test_no_header_poses_as_a_condition_key(world: World) -> None:
    bucket = await given_bucket(world, "photos")
    bob = user(document("Allow", "oss:GetObject", Condition={"IpAddress": {"acs:SourceIp": "10.0.0.0/8"}}))
    forged = {"x-forwarded-for": "10.0.0.1", "acs:sourceip": "10.0.0.1", "x-real-ip": "10.0.0.1"}

    assert await outcome(world, "GetObject", bob, bucket, headers=forged, remote="192.0.2.1:5") != "allowed"


async def test_conditions_see_the_tags_of_the_object_and_of_the_request(world: World) -> None:
    bucket = await given_bucket(world, "photos")
    await given_object(world, bucket, "a.jpg", ObjectAcl.DEFAULT, state="done")
    existing = user(
        document(
            "Allow", "oss:GetObject", Condition={"StringEquals": {"oss:ExistingObjectTag/state": "done"}}
        )
    )
    asked = user(
        document("Allow", "oss:*", Condition={"StringEquals": {"oss:RequestObjectTag/state": "new"}})
    )

    assert await outcome(world, "GetObject", existing, bucket) == "allowed"
    assert await outcome(world, "GetObject", existing, bucket, key="b.jpg") != "allowed"
    assert (
        await outcome(world, "PutObject", asked, bucket, headers={"x-oss-tagging": "state=new"}) == "allowed"
    )
    assert (
        await outcome(world, "PutObject", asked, bucket, headers={"x-oss-tagging": "state=old"}) != "allowed"
    )


async def test_anonymous_reads_may_not_choose_response_headers(world: World) -> None:
    bucket = await given_bucket(world, "photos", acl=BucketAcl.PUBLIC_READ)

    said = await outcome(world, "GetObject", ANONYMOUS, bucket, query="response-content-type=text/html")

    assert said == "Request specific response headers cannot be used for anonymous GET requests."


async def test_a_role_session_has_its_roles_rights(world: World) -> None:
    await given_role(world, document("Allow", "oss:GetObject"))
    role = await world.directory.role("upload-role")
    session = Principal(
        kind=PrincipalKind.ROLE,
        account_id=ACCOUNT_ID,
        principal_id=f"{role.role_id}:job",
        name=role.name,
        session="job",
        policies=(document("Allow", "oss:GetObject"),),
    )
    bucket = await given_bucket(world, "photos")

    assert await outcome(world, "GetObject", session, bucket) == "allowed"
    assert await outcome(world, "PutObject", session, bucket) != "allowed"
