"""The sign-in of the page: a key is shown once, and then temporary credentials do."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import oss2
import pytest

from tests.e2e.console.caller import Caller
from tests.e2e.harness import ACCOUNT_ID, statement

if TYPE_CHECKING:
    from tests.e2e.broker import Broker
    from tests.e2e.harness import Server


@pytest.fixture
def root(server: Server) -> Caller:
    return Caller.root(server)


def test_a_key_signs_in_and_official_clients_go_on_with_the_session(root: Caller, bucket: str) -> None:
    answer = root.api("POST", "session", {})

    assert answer.status == 200, answer.body
    triple = answer.json
    assert triple["principal"] == {"arn": f"acs:ram::{ACCOUNT_ID}:root", "kind": "account", "name": ""}
    auth = oss2.StsAuth(
        triple["accessKeyId"], triple["accessKeySecret"], triple["securityToken"], auth_version="v2"
    )
    official = oss2.Bucket(auth, root.server.endpoint, bucket)
    official.put_object("by/session.txt", b"hello")
    assert official.get_object("by/session.txt").read() == b"hello"


def test_the_session_tells_who_it_is_and_renews_itself(root: Caller) -> None:
    first = root.api("POST", "session", {}).json
    signed_in = root.by(first)

    told = signed_in.api("GET", "session").json
    second = signed_in.api("POST", "session", {}).json

    assert told["expiration"] == first["expiration"]
    assert told["renewable"] is True
    assert told["account_id"] == ACCOUNT_ID
    assert "sessions" in told["features"]
    assert second["renewable_until"] == first["renewable_until"]
    assert second["accessKeyId"] != first["accessKeyId"]
    assert root.by(second).api("GET", "session").status == 200


def test_a_pair_is_told_that_it_does_not_expire(root: Caller) -> None:
    told = root.api("GET", "session").json

    assert (told["expiration"], told["renewable"]) == (None, False)


def test_a_user_session_ends_when_the_key_is_disabled(server: Server, root: Caller, bucket: str) -> None:
    policy = statement("Allow", "oss:*", [f"acs:oss:*:*:{bucket}/*"])
    key_id, secret = server.make_user("session-user", policy)
    pair = Caller(server=server, access_key_id=key_id, secret=secret)
    triple = pair.api("POST", "session", {}).json
    session = root.by(triple)
    assert triple["principal"]["name"] == "session-user"
    assert session.send("PUT", bucket, "a", body=b"1").status == 200
    assert session.send("GET", bucket, "").code == "AccessDenied"

    server.cli("key", "disable", key_id)

    until = time.monotonic() + 10
    while (answer := session.send("PUT", bucket, "b", body=b"1")).status == 200:
        assert time.monotonic() < until  # credentials are kept for a second
    assert answer.code == "InvalidSecurityToken"


def test_credentials_of_a_role_do_not_sign_in(broker: Broker, root: Caller) -> None:
    made = broker.assume()["Credentials"]
    triple = {
        "accessKeyId": made["AccessKeyId"],
        "accessKeySecret": made["AccessKeySecret"],
        "securityToken": made["SecurityToken"],
    }

    answer = root.by(triple).api("POST", "session", {})

    assert (answer.status, answer.code) == (400, "InvalidRequest")
    assert root.by(triple).api("GET", "session").json["renewable"] is False


def test_who_does_not_sign_gets_no_session(server: Server) -> None:
    answer = Caller(server=server).api("POST", "session", {})

    assert (answer.status, answer.code) == (403, "AccessDenied")


def test_no_secret_of_a_session_reaches_the_log(root: Caller) -> None:
    triple = root.api("POST", "session", {}).json
    root.by(triple).api("GET", "session")

    log = json.dumps(root.server.log_lines())
    assert triple["accessKeySecret"] not in log
    assert triple["securityToken"] not in log
