"""Policies: what documents may say, what statements match, and that a session policy only narrows."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mossaic.model import policy
from mossaic.model.glob import matches
from mossaic.model.identity import ANONYMOUS, Principal, PrincipalKind
from mossaic.model.policy import Decision, Effect, Policy, PolicyKind, Question, Source, Statement
from mossaic.protocol.errors import OssError

OWNER = "1234567890123456"
ACCOUNT = Principal(kind=PrincipalKind.ACCOUNT, account_id=OWNER, principal_id=OWNER)
USER = Principal(kind=PrincipalKind.USER, account_id=OWNER, principal_id="200000000000000001", name="bob")
SESSION = Principal(
    kind=PrincipalKind.ROLE, account_id=OWNER, principal_id="3:job", name="uploader", session="job"
)


def document(*statements: dict[str, object]) -> str:
    return json.dumps({"Version": "1", "Statement": list(statements)})


def allow(action: object = "oss:GetObject", resource: object = "acs:oss:*:*:photos/*", **more: object):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: object = "oss:GetObject", resource: object = "acs:oss:*:*:photos/*", **more: object):
    return {**allow(action, resource, **more), "Effect": "Deny"}


def asks(
    action: str = "oss:GetObject", resource: str = "photos/a.jpg", principal: Principal = USER, **context: str
) -> Question:
    return Question(
        principal=principal,
        action=action,
        resource=f"acs:oss:cn-hangzhou:{OWNER}:{resource}",
        owner_id=OWNER,
        context={name.replace("_", ":", 1): value for name, value in context.items()},
    )


def says(*statements: dict[str, object], question: Question) -> Effect:
    return policy.evaluate([policy.parse(document(*statements))], question)


# --- patterns ---------------------------------------------------------------------------------------------------------

LETTERS = st.text(alphabet="ab/\n*?.", max_size=12)


def as_regex(pattern: str) -> re.Pattern[str]:
    wild = {"*": ".*", "?": "."}
    return re.compile("".join(wild.get(letter) or re.escape(letter) for letter in pattern), re.DOTALL)


@given(pattern=LETTERS, text=LETTERS)
@example(pattern="a*a", text="a")
@example(pattern="*", text="")
@example(pattern="**a*", text="a")
@example(pattern="?*?", text="ab")
@settings(max_examples=2000)
def test_a_pattern_matches_what_the_same_regular_expression_matches(pattern: str, text: str) -> None:
    assert matches(pattern, text) == bool(as_regex(pattern).fullmatch(text))


def test_a_pattern_of_many_stars_does_not_backtrack() -> None:
    assert not matches("*a" * 500 + "b", "a" * 1000)


# --- resources and actions --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "resource", "covered"),
    [
        ("*", "photos/a.jpg", True),
        ("*", "photos", True),
        ("acs:oss:*:*:*", "photos/a.jpg", True),
        ("acs:oss:*:*:photos", "photos", True),
        ("acs:oss:*:*:photos", "photos/a.jpg", False),
        ("acs:oss:*:*:photos*", "photos/a.jpg", False),
        ("acs:oss:*:*:photos*", "photos-2024", True),
        ("acs:oss:*:*:photos/*", "photos", False),
        ("acs:oss:*:*:photos/*", "photos/a/b/c.jpg", True),
        ("acs:oss:*:*:photos/a/*", "photos/ab", False),
        ("acs:oss:*:*:photos/?.jpg", "photos/a.jpg", True),
        ("acs:oss:*:*:photos/?.jpg", "photos/ab.jpg", False),
        ("acs:oss:*:*:*/a.jpg", "photos/a.jpg", True),
        ("acs:oss:*:*:Photos/*", "photos/a.jpg", False),
        (f"acs:oss:*:{OWNER}:photos/*", "photos/a.jpg", True),
        ("acs:oss:*:999:photos/*", "photos/a.jpg", False),
        ("acs:oss:cn-hangzhou:*:photos/*", "photos/a.jpg", True),
        ("acs:oss:cn-beijing:*:photos/*", "photos/a.jpg", False),
        ("acs:ram:*:*:photos/*", "photos/a.jpg", False),
        ("acs:oss:*:*:photos/a:b", "photos/a:b", True),
    ],
)
def test_a_resource_pattern_covers(pattern: str, resource: str, covered: bool) -> None:
    expected = Effect.ALLOW if covered else Effect.SILENT

    assert says(allow(resource=pattern), question=asks(resource=resource)) is expected


@pytest.mark.parametrize(
    ("pattern", "action", "matched"),
    [
        ("oss:GetObject", "oss:GetObject", True),
        ("oss:getobject", "oss:GetObject", True),
        ("oss:Get*", "oss:GetObjectVersion", True),
        ("oss:GetObject", "oss:GetObjectVersion", False),
        ("oss:*", "oss:PutBucketAcl", True),
        ("*", "sts:AssumeRole", True),
        ("oss:*", "sts:AssumeRole", False),
    ],
)
def test_an_action_pattern_matches(pattern: str, action: str, matched: bool) -> None:
    expected = Effect.ALLOW if matched else Effect.SILENT

    assert says(allow(pattern, "*"), question=asks(action)) is expected


def test_a_deny_beats_every_allow() -> None:
    assert says(allow(), allow("oss:*", "*"), deny(), question=asks()) is Effect.DENY


def test_nothing_that_matches_says_nothing() -> None:
    assert says(allow("oss:PutObject"), deny("oss:DeleteObject"), question=asks()) is Effect.SILENT


# --- principals of bucket policies ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("named", "principal", "applies"),
    [
        (["*"], USER, True),
        (["*"], ANONYMOUS, True),
        ([], ANONYMOUS, True),
        (["*"], ACCOUNT, False),
        ([OWNER], ACCOUNT, True),
        ([OWNER], USER, False),
        (["200000000000000001"], USER, True),
        (["200000000000000002"], USER, False),
        (["200000000000000001"], ANONYMOUS, False),
        ([f"arn:sts::{OWNER}:assumed-role/uploader/job"], SESSION, True),
        ([f"arn:sts::{OWNER}:assumed-role/uploader/*"], SESSION, True),
        ([f"arn:sts::{OWNER}:assumed-role/other/job"], SESSION, False),
        ([f"arn:sts::{OWNER}:assumed-role/uploader/*"], USER, False),
    ],
)
def test_a_bucket_policy_names(named: list[str], principal: Principal, applies: bool) -> None:
    parsed = policy.parse(document(deny(Principal=named)), PolicyKind.BUCKET)
    expected = Effect.DENY if applies else Effect.SILENT

    assert policy.evaluate([parsed], asks(principal=principal)) is expected


def test_everybody_with_a_condition_includes_the_owner() -> None:
    statement = deny(Principal=["*"], Condition={"Bool": {"acs:SecureTransport": "false"}})
    parsed = policy.parse(document(statement), PolicyKind.BUCKET)

    assert policy.evaluate([parsed], asks(principal=ACCOUNT, acs_securetransport="false")) is Effect.DENY
    assert policy.evaluate([parsed], asks(principal=ACCOUNT, acs_securetransport="true")) is Effect.SILENT


# --- conditions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operator", "key", "values", "actual", "holds"),
    [
        ("StringEquals", "oss:Prefix", "a", "a", True),
        ("StringEquals", "oss:Prefix", "a", "A", False),
        ("StringEquals", "oss:Prefix", ["b", "a"], "a", True),
        ("StringEquals", "oss:Prefix", "a*", "ab", False),
        ("StringEquals", "oss:Prefix", "", "", True),
        ("StringEquals", "oss:Prefix", "a", None, False),
        ("StringNotEquals", "oss:Prefix", ["a", "b"], "c", True),
        ("StringNotEquals", "oss:Prefix", ["a", "b"], "b", False),
        ("StringNotEquals", "oss:Prefix", "a", None, True),
        ("StringEqualsIgnoreCase", "oss:Prefix", "ABC", "abc", True),
        ("StringNotEqualsIgnoreCase", "oss:Prefix", "ABC", "abc", False),
        ("StringLike", "oss:Prefix", "user/*", "user/eric/", True),
        ("StringLike", "oss:Prefix", "user/*", "other/", False),
        ("StringNotLike", "oss:Prefix", "user/*", "other/", True),
        ("NumericEquals", "oss:Prefix", "10", "10.0", True),
        ("NumericNotEquals", "oss:Prefix", "10", "11", True),
        ("NumericLessThan", "oss:Prefix", "10", "9", True),
        ("NumericLessThan", "oss:Prefix", "10", "10", False),
        ("NumericLessThanEquals", "oss:Prefix", "10", "10", True),
        ("NumericGreaterThan", "oss:Prefix", "10", "9", False),
        ("NumericGreaterThanEquals", "oss:Prefix", "10", "10", True),
        ("NumericLessThan", "oss:Prefix", "10", "not a number", False),
        ("DateLessThan", "acs:CurrentTime", "2024-03-05T06:07:08Z", "2024-03-05T06:07:07.000Z", True),
        ("DateLessThan", "acs:CurrentTime", "2024-03-05T14:07:08+08:00", "2024-03-05T06:07:07.000Z", True),
        ("DateLessThan", "acs:CurrentTime", "2024-03-05T06:07:08Z", "2024-03-05T06:07:09.000Z", False),
        (
            "DateGreaterThanEquals",
            "acs:CurrentTime",
            "2024-03-05T06:07:08Z",
            "2024-03-05T06:07:08.000Z",
            True,
        ),
        ("Bool", "acs:SecureTransport", "true", "true", True),
        ("Bool", "acs:SecureTransport", "TRUE", "false", False),
        ("IpAddress", "acs:SourceIp", "10.0.0.0/8", "10.1.2.3", True),
        ("IpAddress", "acs:SourceIp", ["192.0.2.1", "10.0.0.0/8"], "192.0.2.1", True),
        ("IpAddress", "acs:SourceIp", "10.0.0.0/8", "::ffff:10.1.2.3", True),
        ("IpAddress", "acs:SourceIp", "10.0.0.0/8", "11.1.2.3", False),
        ("IpAddress", "acs:SourceIp", "2001:db8::/32", "2001:db8::1", True),
        ("IpAddress", "acs:SourceIp", "10.0.0.0/8", "2001:db8::1", False),
        ("NotIpAddress", "acs:SourceIp", ["10.0.0.0/8", "192.0.2.0/24"], "192.0.2.9", False),
        ("NotIpAddress", "acs:SourceIp", "10.0.0.0/8", "11.1.2.3", True),
        ("StringEquals", "oss:ExistingObjectTag/State", "done", "done", True),
    ],
)
def test_a_condition_holds(operator: str, key: str, values: object, actual: str | None, holds: bool) -> None:
    statement = allow(Condition={operator: {key: values}})
    name = key.replace("oss:ExistingObjectTag", "oss:existingobjecttag")
    context = {} if actual is None else {name if "/" in key else key.lower(): actual}
    question = Question(principal=USER, action="oss:GetObject", resource=asks().resource, context=context)

    expected = Effect.ALLOW if holds else Effect.SILENT
    assert says(statement, question=question) is expected


def test_all_operators_and_all_keys_must_hold() -> None:
    statement = allow(
        Condition={
            "IpAddress": {"acs:SourceIp": "10.0.0.0/8"},
            "StringLike": {"oss:Prefix": "user/*", "acs:UserAgent": "*"},
        }
    )
    good = {"acs_sourceip": "10.0.0.1", "oss_prefix": "user/", "acs_useragent": "x"}

    assert says(statement, question=asks(**good)) is Effect.ALLOW
    for missing in good:
        rest = {name: value for name, value in good.items() if name != missing}
        assert says(statement, question=asks(**rest)) is Effect.SILENT


# --- the decision -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ram", "bucket", "expected"),
    [
        (None, None, Decision(effect=Effect.SILENT)),
        ("Allow", None, Decision(effect=Effect.ALLOW, source=Source.RAM)),
        ("Deny", None, Decision(effect=Effect.DENY, source=Source.RAM)),
        (None, "Allow", Decision(effect=Effect.ALLOW, source=Source.BUCKET)),
        (None, "Deny", Decision(effect=Effect.DENY, source=Source.BUCKET)),
        ("Allow", "Deny", Decision(effect=Effect.DENY, source=Source.BUCKET)),
        ("Deny", "Allow", Decision(effect=Effect.DENY, source=Source.RAM)),
        ("Allow", "Allow", Decision(effect=Effect.ALLOW, source=Source.RAM)),
    ],
)
def test_ram_and_bucket_policy_together(ram: str | None, bucket: str | None, expected: Decision) -> None:
    said = policy.decide(
        asks(),
        ram=[policy.parse(document({**allow(), "Effect": ram}))] if ram else [],
        bucket=policy.parse(document({**allow(Principal=["*"]), "Effect": bucket}), PolicyKind.BUCKET)
        if bucket
        else None,
    )

    assert said == expected


@pytest.mark.parametrize("boundary", [allow("oss:PutObject"), deny(), allow(resource="acs:oss:*:*:other/*")])
def test_a_session_policy_that_does_not_allow_refuses_whatever_else_is_allowed(boundary) -> None:
    everything = policy.parse(document(allow("*", "*")))

    said = policy.decide(asks(principal=SESSION), ram=[everything], boundary=policy.parse(document(boundary)))

    assert said == Decision(effect=Effect.DENY, source=Source.SESSION)


ACTIONS = ["oss:GetObject", "oss:PutObject", "oss:ListObjects"]
RESOURCES = ["photos", "photos/a", "photos/b/c", "music/a"]
PATTERNS = [
    "*",
    "acs:oss:*:*:photos",
    "acs:oss:*:*:photos/*",
    "acs:oss:*:*:photos/b/*",
    "acs:oss:*:*:music/*",
]
CONDITIONS = [
    {},
    {"IpAddress": {"acs:SourceIp": "10.0.0.0/8"}},
    {"NotIpAddress": {"acs:SourceIp": "10.0.0.0/8"}},
]

statements = st.builds(
    lambda effect, actions, resources, condition: {
        "Effect": effect,
        "Action": actions,
        "Resource": resources,
        **({"Condition": condition} if condition else {}),
    },
    st.sampled_from(["Allow", "Allow", "Deny"]),
    st.lists(st.sampled_from([*ACTIONS, "oss:*", "oss:Get*"]), min_size=1, max_size=3),
    st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=3),
    st.sampled_from(CONDITIONS),
)
documents = st.lists(statements, min_size=1, max_size=4).map(
    lambda given_statements: policy.parse(document(*given_statements))
)
bucket_policies = st.none() | st.lists(statements, min_size=1, max_size=3).map(
    lambda given_statements: policy.parse(
        document(*({**each, "Principal": ["*"]} for each in given_statements)), PolicyKind.BUCKET
    )
)
questions = st.builds(
    lambda action, resource, ip: asks(action, resource, SESSION, acs_sourceip=ip),
    st.sampled_from(ACTIONS),
    st.sampled_from(RESOURCES),
    st.sampled_from(["10.1.1.1", "192.0.2.1"]),
)


@given(question=questions, role=st.lists(documents, max_size=2), bucket=bucket_policies, session=documents)
@settings(max_examples=1500)
def test_a_session_has_exactly_what_role_and_session_policy_both_allow(
    question: Question, role: list[Policy], bucket: Policy | None, session: Policy
) -> None:
    """Effective rights are the intersection: never more than the role, never more than the session policy, nothing lost."""
    unbounded = policy.decide(question, ram=role, bucket=bucket)
    bounded = policy.decide(question, ram=role, bucket=bucket, boundary=session)
    by_session = policy.evaluate([session], question)

    both = unbounded.effect is Effect.ALLOW and by_session is Effect.ALLOW
    assert (bounded.effect is Effect.ALLOW) == both
    if by_session is not Effect.ALLOW:
        # Not merely silent: an ACL must not open what the session policy left out.
        assert bounded == Decision(effect=Effect.DENY, source=Source.SESSION)


# --- trust ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("named", "caller", "trusted"),
    [
        (f"acs:ram::{OWNER}:root", f"acs:ram::{OWNER}:user/bob", True),
        (f"acs:ram::{OWNER}:user/bob", f"acs:ram::{OWNER}:user/bob", True),
        (f"acs:ram::{OWNER}:user/eve", f"acs:ram::{OWNER}:user/bob", False),
        (f"acs:ram::{OWNER}:role/uploader", f"acs:ram::{OWNER}:role/uploader", True),
        ("acs:ram::999:root", f"acs:ram::{OWNER}:user/bob", False),
    ],
)
def test_a_role_trusts(named: str, caller: str, trusted: bool) -> None:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"RAM": [named]}}
    parsed = policy.parse(document(trust), PolicyKind.TRUST)
    question = Question(principal=USER, action="sts:AssumeRole", resource=f"acs:ram::{OWNER}:role/uploader")

    assert policy.trusts(parsed, caller, question) is trusted


def test_a_role_that_trusts_a_service_trusts_no_user() -> None:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": ["ecs.aliyuncs.com"]}}
    parsed = policy.parse(document(trust), PolicyKind.TRUST)
    question = Question(principal=USER, action="sts:AssumeRole", resource=f"acs:ram::{OWNER}:role/uploader")

    assert not policy.trusts(parsed, f"acs:ram::{OWNER}:user/bob", question)


# --- documents --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        "not json",
        "[" * 10_000,
        json.dumps({"Version": "2", "Statement": [allow()]}),
        json.dumps({"Version": "1", "Statement": []}),
        json.dumps({"Version": "1", "Statement": allow()}),
        json.dumps({"Version": "1", "Statement": [allow()], "Extra": 1}),
        '{"Version": "1", "Version": "1", "Statement": []}',
        document({**allow(), "Effect": "allow"}),
        document({"Effect": "Allow", "Action": "oss:GetObject"}),
        document({"Effect": "Allow", "Resource": "*"}),
        document({"Effect": "Allow", "NotAction": "oss:GetObject", "Resource": "*"}),
        document(allow(action="GetObject")),
        document(allow(action="s3:GetObject")),
        document(allow(action=[])),
        document(allow(action={"a": "b"})),
        document(allow(resource="photos/*")),
        document(allow(resource="arn:oss:*:*:photos/*")),
        document(allow(Principal=["*"])),
        document(allow(Condition={"StringMatches": {"oss:Prefix": "a"}})),
        document(allow(Condition={"StringLike": {"oss:Nonsense": "a"}})),
        document(allow(Condition={"StringLike": {}})),
        document(allow(Condition={"StringLike": "a"})),
        document(allow(Condition={"IpAddress": {"acs:SourceIp": "10.0.0.0/33"}})),
        document(allow(Condition={"NumericEquals": {"oss:Prefix": "NaN"}})),
        document(allow(Condition={"DateLessThan": {"acs:CurrentTime": "yesterday"}})),
        document(allow(Condition={"Bool": {"acs:SecureTransport": "perhaps"}})),
        document(allow(resource=["acs:oss:*:*:" + "x" * 16_384])),
        document(*[allow()] * 101),
    ],
)
def test_a_document_that_cannot_be_evaluated_is_refused(text: str) -> None:
    with pytest.raises(OssError) as caught:
        policy.parse(text)

    assert (caught.value.code, caught.value.status) == ("InvalidPolicyDocument", 400)


@pytest.mark.parametrize("principal", [None, [{}], {"RAM": ["*"]}, 5.5])
def test_a_bucket_policy_needs_a_list_of_principals(principal: object) -> None:
    statement = allow() if principal is None else allow(Principal=principal)

    with pytest.raises(OssError):
        policy.parse(document(statement), PolicyKind.BUCKET)


@pytest.mark.parametrize("more", [{}, {"Principal": ["*"]}, {"Principal": {"RAM": ["x"]}, "Resource": "*"}])
def test_a_trust_policy_has_principals_by_kind_and_no_resource(more: dict[str, object]) -> None:
    with pytest.raises(OssError):
        policy.parse(document({"Effect": "Allow", "Action": "sts:AssumeRole", **more}), PolicyKind.TRUST)


@given(st.text(max_size=200) | st.recursive(st.none() | st.booleans() | st.text(), st.lists).map(json.dumps))
def test_no_text_breaks_the_reader(text: str) -> None:
    refused: OssError | None = None
    try:
        policy.parse(text)
    except OssError as error:
        refused = error
    assert refused is None or refused.code == "InvalidPolicyDocument"


def test_a_date_condition_reads_the_time_the_server_writes() -> None:
    now = datetime(2024, 3, 5, 6, 7, 8, tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    statement = allow(Condition={"DateEquals": {"acs:CurrentTime": "2024-03-05T06:07:08Z"}})

    assert says(statement, question=asks(acs_currenttime=now)) is Effect.ALLOW


def test_a_statement_is_a_value() -> None:
    first, again = policy.parse(document(allow())), policy.parse(document(allow()))

    assert first.statements[0] == again.statements[0]
    assert isinstance(first.statements[0], Statement)
