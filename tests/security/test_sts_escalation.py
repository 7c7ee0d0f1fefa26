"""Temporary credentials never give more than the role and the session policy both give, nor longer, nor to anybody else.

Class: MinIO CVE-2025-62506, CVE-2024-24747, CVE-2022-24842, CVE-2021-43858; RustFS GHSA-xgr5, -ccrv, -48rf, -xvfh, -5qfg.
The intersection itself is a property test in tests/unit/test_policy.py; tokens are bent in test_signature_skipped.py.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from typing import Any

import pytest
from aliyunsdkcore.acs_exception.exceptions import ServerException

from tests.e2e.broker import Broker, broker
from tests.e2e.harness import Server, statement
from tests.security.support import CONTENT, KEY, Asker, Stage, eventually

__all__ = ["broker"]


def session(broker: Broker, policy: dict[str, Any] | None = None) -> Asker:
    made = broker.assume(policy=policy)["Credentials"]
    return Asker(
        server=broker.server,
        access_key_id=made["AccessKeyId"],
        secret=made["AccessKeySecret"],
        token=made["SecurityToken"],
    )


def code_of(attempt: Any) -> str:  # Any: a call of a client
    with pytest.raises(ServerException) as refused:
        attempt()
    code: str = refused.value.get_error_code()
    return code


def test_a_session_is_kept_to_its_roles_bucket(broker: Broker, stage: Stage) -> None:
    asker = session(broker)
    assert asker("PUT", broker.bucket, "k", body=b"x").status == 200

    for reply in (
        asker("GET", stage.bucket, KEY),
        asker("PUT", stage.bucket, "k", body=b"x"),
        asker("GET", stage.bucket),
        asker("GET"),
        asker("PUT", f"other-{secrets.token_hex(4)}"),
        asker("PUT", broker.bucket, "k", headers={"x-oss-copy-source": f"/{stage.bucket}/{KEY}"}),
    ):
        assert (reply.status, reply.code) == (403, "AccessDenied")
        assert CONTENT not in reply.body


@pytest.mark.parametrize(
    "policy",
    [
        statement("Deny", "oss:DeleteObject", "*"),  # only a Deny: nothing is allowed by it
        statement("Allow", "oss:GetObject", "acs:oss:*:*:another/*"),
        statement("Allow", "oss:ListBuckets", "*"),
        statement("Allow", "ram:*", "*"),
    ],
    ids=["deny only", "another bucket", "another action", "another service"],
)
def test_a_session_policy_that_does_not_allow_refuses(broker: Broker, policy: dict[str, Any]) -> None:
    asker = session(broker, policy)

    assert asker("PUT", broker.bucket, "k", body=b"x").status == 403
    assert asker("GET", broker.bucket).status == 403
    assert asker("DELETE", broker.bucket, "k").status == 403


def test_a_session_policy_gives_nothing_that_the_role_has_not(broker: Broker, stage: Stage) -> None:
    asker = session(broker, statement("Allow", "*", "*"))

    assert asker("GET", broker.bucket).status == 200
    assert asker("GET", stage.bucket, KEY).status == 403


def test_a_public_acl_does_not_widen_a_session(broker: Broker, stage: Stage) -> None:
    assert (
        stage.root("PUT", stage.bucket, query={"acl": ""}, headers={"x-oss-acl": "public-read-write"}).status
        == 200
    )
    asker = session(broker, statement("Allow", "oss:GetObject", f"acs:oss:*:*:{broker.bucket}/*"))

    assert asker("GET", stage.bucket, KEY).status == 403
    assert asker("PUT", stage.bucket, KEY, body=b"x").status == 403


def test_a_session_cannot_make_another_one_of_itself(broker: Broker) -> None:
    """The role has no right to assume roles, so its life ends with the token."""
    asker = session(broker)
    from aliyunsdkcore.auth.credentials import StsTokenCredential  # noqa: PLC0415  # next to its one use
    from aliyunsdkcore.client import AcsClient  # noqa: PLC0415
    from aliyunsdksts.request.v20150401.AssumeRoleRequest import AssumeRoleRequest  # noqa: PLC0415

    asked = AssumeRoleRequest()
    asked.set_endpoint(broker.server.host)
    asked.set_protocol_type("http")
    asked.set_RoleArn(broker.role_arn)
    asked.set_RoleSessionName("again")
    client = AcsClient(
        region_id="cn-hangzhou",
        credential=StsTokenCredential(asker.access_key_id, asker.secret, asker.token),
    )

    assert code_of(lambda: client.do_action_with_exception(asked)) == "NoPermission"


@pytest.mark.parametrize(
    "name", ["a", "a" * 65, "a/b", "../admin", "a b", "a:b", "*", "a\nb", "root", "a?b", "用户"]
)
def test_a_session_name_is_a_name(broker: Broker, name: str) -> None:
    """It becomes a part of the ARN that policies are compared with."""
    if name == "root":
        asker = broker.assume(session=name)
        assert asker["AssumedRoleUser"]["Arn"].endswith("/root")
        return
    assert code_of(lambda: broker.assume(session=name)).startswith("InvalidParameter")


@pytest.mark.parametrize(
    "text",
    [
        '{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}],"Statement":[]}',
        '{"Version":"1","Statement":[{"Effect":"Allow","Effect":"Deny","Action":"*","Resource":"*"}]}',
        '{"Version":"1","Statement":[{"Effect":"allow","Action":"*","Resource":"*"}]}',
        '{"Version":"1","Statement":[{"Effect":"Allow","NotAction":"oss:DeleteBucket","Resource":"*"}]}',
        '{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"acs:SourceIp":"1"}}}]}',
        '{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"acs:Unknown":"1"}}}]}',
        "{}",
        "[]",
        '"*"',
        "null",
        "not json",
    ],
)  # fmt: skip
def test_a_session_policy_that_is_not_understood_gives_no_session(broker: Broker, text: str) -> None:
    odd = _Raw(text)

    assert code_of(lambda: broker.assume(policy=odd)).startswith("InvalidParameter")


class _Raw(dict[str, Any]):
    """Stands for a policy whose JSON text is given; `json.dumps` of it is that text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


@pytest.fixture(autouse=True)
def raw_policies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the SDK send policy texts that are no policies."""
    dumps = json.dumps
    monkeypatch.setattr(
        json, "dumps", lambda value, **how: value.text if isinstance(value, _Raw) else dumps(value, **how)
    )


def test_a_secret_alone_and_a_token_alone_are_worth_nothing(broker: Broker) -> None:
    good, other = session(broker), session(broker)
    assert good("GET", broker.bucket).status == 200

    assert replace(good, token=None)("GET", broker.bucket).status == 403
    assert replace(good, secret="")("GET", broker.bucket).status == 403
    assert replace(good, secret=other.secret)("GET", broker.bucket).status == 403
    assert replace(good, access_key_id=other.access_key_id)("GET", broker.bucket).status == 403
    root = Asker.root(broker.server)
    assert root.but(token=good.token)("GET", broker.bucket).status == 403


def test_a_disabled_key_and_a_detached_policy_stop_their_user(server: Server, stage: Stage) -> None:
    rights = statement("Allow", "oss:GetObject", f"acs:oss:*:*:{stage.bucket}/*")
    name = f"gone-{secrets.token_hex(3)}"
    key_id, secret = server.make_user(name, rights)
    asker = Asker(server=server, access_key_id=key_id, secret=secret)
    assert asker("GET", stage.bucket, KEY).status == 200

    server.cli("key", "disable", key_id)
    eventually(lambda: asker("GET", stage.bucket, KEY).code == "InvalidAccessKeyId")
    server.cli("key", "enable", key_id)
    eventually(lambda: asker("GET", stage.bucket, KEY).status == 200)
    server.cli("user", "detach", name, f"{name}-policy")
    eventually(lambda: asker("GET", stage.bucket, KEY).code == "AccessDenied")
