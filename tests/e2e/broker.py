"""A RAM user who may assume a role, and the role: what an application server that hands out tokens has."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any

import pytest
from aliyunsdkcore.client import AcsClient
from aliyunsdksts.request.v20150401.AssumeRoleRequest import AssumeRoleRequest

from tests.e2e.conftest import new_bucket
from tests.e2e.harness import REGION, Server, statement


@dataclass(frozen=True, kw_only=True)
class Broker:
    """Whoever may ask for tokens: key pair of a RAM user, ARN of the role, and the bucket that the role may use."""

    server: Server
    access_key_id: str
    access_key_secret: str
    role_arn: str
    bucket: str

    def assume(
        self, *, policy: dict[str, Any] | None = None, session: str = "shop-17", duration_s: int = 900
    ) -> dict[str, Any]:
        """AssumeRole through aliyun-python-sdk-sts; the whole answer."""
        asked = AssumeRoleRequest()
        asked.set_endpoint(self.server.host)
        asked.set_protocol_type("http")
        asked.set_accept_format("JSON")
        asked.set_RoleArn(self.role_arn)
        asked.set_RoleSessionName(session)
        asked.set_DurationSeconds(duration_s)
        if policy is not None:
            asked.set_Policy(json.dumps(policy))
        client = AcsClient(self.access_key_id, self.access_key_secret, REGION)
        answer: dict[str, Any] = json.loads(client.do_action_with_exception(asked))
        return answer


def make_broker(server: Server, bucket: str | None = None) -> Broker:
    """`bucket`: one by name, which need not be there; None makes one."""
    tag = secrets.token_hex(3)
    bucket = bucket or new_bucket(server)
    rights = statement("Allow", "oss:*", [f"acs:oss:*:*:{bucket}", f"acs:oss:*:*:{bucket}/*"])
    role_arn = server.make_role(f"uploader-{tag}", rights)
    key_id, secret = server.make_user(f"broker-{tag}", statement("Allow", "sts:AssumeRole", "*"))
    return Broker(
        server=server, access_key_id=key_id, access_key_secret=secret, role_arn=role_arn, bucket=bucket
    )


@pytest.fixture(scope="session")
def broker(server: Server) -> Broker:
    return make_broker(server)
