"""Temporary credentials: obtained with the official clients, used with oss2 and v2, narrowed, forged and expired."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING

import alibabacloud_oss_v2 as oss_v2
import oss2
import pytest
import requests
from alibabacloud_credentials.client import Client as CredentialsClient
from alibabacloud_credentials.provider.ram_role_arn import RamRoleArnCredentialsProvider
from alibabacloud_sts20150401.client import Client as StsClient
from alibabacloud_sts20150401.models import AssumeRoleRequest
from alibabacloud_tea_openapi.models import Config
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.client import AcsClient
from aliyunsdksts.request.v20150401.GetCallerIdentityRequest import GetCallerIdentityRequest
from oss2.models import PartInfo

from tests.e2e.broker import Broker, make_broker
from tests.e2e.harness import PART, REGION, Server, noise, self_signed, statement

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

AUTH_VERSIONS = (oss2.AUTH_VERSION_1, oss2.AUTH_VERSION_2, oss2.AUTH_VERSION_4)


def holder(broker: Broker, credentials: dict[str, str], version: str = oss2.AUTH_VERSION_4) -> oss2.Bucket:
    auth = oss2.StsAuth(
        credentials["AccessKeyId"], credentials["AccessKeySecret"], credentials["SecurityToken"], version
    )
    return oss2.Bucket(auth, broker.server.endpoint, broker.bucket, region=REGION)


def upload(client: oss2.Bucket, key: str) -> None:
    upload_id = client.init_multipart_upload(key).upload_id
    parts = [PartInfo(n, client.upload_part(key, upload_id, n, noise(PART, seed=n)).etag) for n in (1, 2)]
    client.complete_multipart_upload(key, upload_id, parts)


def wait_for_refusal(attempt: Callable[[], object]) -> oss2.exceptions.ServerError:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            attempt()
        except oss2.exceptions.ServerError as error:
            return error
    raise AssertionError("still allowed after 5 s")


def test_the_answer_has_the_shape_that_clients_parse(broker: Broker) -> None:
    answer = broker.assume(session="shop-17")

    credentials = answer["Credentials"]
    assert credentials["AccessKeyId"].startswith("STS.")
    assert len(credentials["Expiration"]) == len("2024-03-05T07:07:08Z")
    assert credentials["Expiration"].endswith("Z")
    assert answer["AssumedRoleUser"]["Arn"].endswith("/shop-17")
    assert answer["AssumedRoleUser"]["AssumedRoleId"].endswith(":shop-17")
    assert answer["RequestId"]


@pytest.mark.parametrize("version", AUTH_VERSIONS)
def test_a_token_uploads_in_parts_and_reads_back_with_oss2(broker: Broker, version: str) -> None:
    client = holder(broker, broker.assume()["Credentials"], version)

    upload(client, f"sts/{version}")

    assert client.get_object(f"sts/{version}").read() == noise(PART, seed=1) + noise(PART, seed=2)
    url = client.sign_url("GET", f"sts/{version}", 60)
    assert client.get_object_with_url(url).read()[:PART] == noise(PART, seed=1)


@pytest.mark.parametrize("version", ["v1", "v4"])
def test_a_token_works_with_oss_v2(broker: Broker, version: str) -> None:
    got = broker.assume()["Credentials"]
    settings = oss_v2.config.load_default()
    settings.region, settings.endpoint = REGION, broker.server.endpoint
    settings.signature_version = version
    settings.credentials_provider = oss_v2.credentials.StaticCredentialsProvider(
        got["AccessKeyId"], got["AccessKeySecret"], got["SecurityToken"]
    )
    client = oss_v2.Client(settings)

    client.put_object(oss_v2.PutObjectRequest(bucket=broker.bucket, key=f"v2/{version}", body=b"hello"))

    got_back = client.get_object(oss_v2.GetObjectRequest(bucket=broker.bucket, key=f"v2/{version}"))
    assert got_back.body.read() == b"hello"


def test_a_session_policy_narrows_the_role(broker: Broker) -> None:
    only_one = statement("Allow", "oss:PutObject", f"acs:oss:*:*:{broker.bucket}/mine/*")
    client = holder(broker, broker.assume(policy=only_one)["Credentials"])

    upload(client, "mine/a")

    for attempt in (
        lambda: client.put_object("other/a", b"x"),
        lambda: client.get_object("mine/a"),
        lambda: client.delete_object("mine/a"),
        client.list_objects,
    ):
        with pytest.raises(oss2.exceptions.AccessDenied):
            attempt()


def test_a_session_policy_never_gives_more_than_the_role(broker: Broker) -> None:
    everything = statement("Allow", "*", "*")
    client = holder(broker, broker.assume(policy=everything)["Credentials"])
    elsewhere = oss2.Bucket(client.auth, broker.server.endpoint, "another-bucket-name", region=REGION)

    with pytest.raises(oss2.exceptions.AccessDenied):
        elsewhere.create_bucket()


@pytest.mark.parametrize("version", AUTH_VERSIONS)
def test_a_tampered_token_is_refused(broker: Broker, version: str) -> None:
    credentials = broker.assume()["Credentials"]
    token = credentials["SecurityToken"]
    middle = len(token) // 2
    other = "A" if token[middle] != "A" else "B"
    forged = {**credentials, "SecurityToken": token[:middle] + other + token[middle + 1 :]}

    with pytest.raises(oss2.exceptions.ServerError) as caught:
        holder(broker, forged, version).put_object("x", b"x")

    assert (caught.value.status, caught.value.code) == (403, "InvalidSecurityToken")


def test_a_token_without_its_secret_is_worth_nothing(broker: Broker) -> None:
    credentials = {**broker.assume()["Credentials"], "AccessKeySecret": "wrong"}

    with pytest.raises(oss2.exceptions.SignatureDoesNotMatch):
        holder(broker, credentials).put_object("x", b"x")


def test_an_unknown_role_and_a_wrong_secret_have_their_own_codes(broker: Broker) -> None:
    nowhere = Broker(**{**vars(broker), "role_arn": f"{broker.role_arn}-not"})
    wrong = Broker(**{**vars(broker), "access_key_secret": "wrong"})

    with pytest.raises(ServerException) as caught:
        nowhere.assume()
    assert (caught.value.get_http_status(), caught.value.get_error_code()) == (404, "EntityNotExist.Role")
    with pytest.raises(ServerException) as caught:
        wrong.assume()
    # the SDK compares its own string to sign with the one in the message, and then says whose fault it is
    assert caught.value.get_error_code() == "InvalidAccessKeySecret"


def test_a_user_without_the_right_may_not_assume(broker: Broker) -> None:
    key_id, secret = broker.server.make_user(f"nobody-{broker.bucket}")
    stranger = Broker(**{**vars(broker), "access_key_id": key_id, "access_key_secret": secret})

    with pytest.raises(ServerException) as caught:
        stranger.assume()

    assert (caught.value.get_http_status(), caught.value.get_error_code()) == (403, "NoPermission")


def test_the_policy_has_to_be_a_policy(broker: Broker) -> None:
    with pytest.raises(ServerException) as caught:
        broker.assume(policy={"Version": "1", "Statement": "none"})

    assert caught.value.get_error_code() == "InvalidParameter.PolicyGrammar"


def test_caller_identity_names_the_user(broker: Broker) -> None:
    asked = GetCallerIdentityRequest()
    asked.set_endpoint(broker.server.host)
    asked.set_protocol_type("http")
    asked.set_accept_format("JSON")
    client = AcsClient(broker.access_key_id, broker.access_key_secret, REGION)

    answer = json.loads(client.do_action_with_exception(asked))

    assert answer["AccountId"] == broker.server.account_id
    assert answer["Arn"].startswith(f"acs:ram::{broker.server.account_id}:user/broker-")


def test_sts20150401_gets_a_token_with_its_own_signature(broker: Broker) -> None:
    """This client signs with ACS3-HMAC-SHA256."""
    client = StsClient(
        Config(
            access_key_id=broker.access_key_id,
            access_key_secret=broker.access_key_secret,
            endpoint=broker.server.host,
            protocol="http",
        )
    )
    policy = json.dumps(statement("Allow", "oss:*", "*"))

    got = client.assume_role(
        AssumeRoleRequest(
            role_arn=broker.role_arn, role_session_name="acs3", duration_seconds=900, policy=policy
        )
    )
    identity = client.get_caller_identity()

    credentials = got.body.credentials.to_map()
    holder(broker, credentials).put_object("acs3", b"hello")
    assert identity.body.account_id == broker.server.account_id


def test_alibabacloud_credentials_gets_and_hands_on_a_token_over_tls(
    make_server: Callable[..., Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This client insists on https, so the server has a certificate of its own here."""
    secure = make_server(**self_signed(tmp_path))
    for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(variable, str(secure.certificate))
    broker = make_broker(secure)
    provider = RamRoleArnCredentialsProvider(
        access_key_id=broker.access_key_id,
        access_key_secret=broker.access_key_secret,
        role_arn=broker.role_arn,
        role_session_name="credentials",
        sts_endpoint=secure.host,
    )

    got = CredentialsClient(provider=provider).get_credential()

    credentials = {
        "AccessKeyId": got.access_key_id,
        "AccessKeySecret": got.access_key_secret,
        "SecurityToken": got.security_token,
    }
    client = holder(broker, credentials)
    client.put_object("tls", b"hello")
    assert client.get_object("tls").read() == b"hello"


def test_deleting_the_role_ends_its_tokens(server: Server) -> None:
    broker = make_broker(server)
    client = holder(broker, broker.assume()["Credentials"])
    client.put_object("before", b"x")

    server.cli("role", "delete", broker.role_arn.rpartition("/")[2])

    # a running server may know the role for another second
    refusal = wait_for_refusal(lambda: client.put_object("after", b"x"))
    assert refusal.status == 403


def test_a_form_upload_with_a_token(broker: Broker) -> None:
    """PostObject as a web page sends it: policy signed by the page's server with the temporary key."""
    got = broker.assume()["Credentials"]
    policy = base64.b64encode(
        json.dumps(
            {
                "expiration": "2099-01-01T00:00:00.000Z",
                "conditions": [{"bucket": broker.bucket}, ["starts-with", "$key", "form/"]],
            }
        ).encode()
    )
    signature = base64.b64encode(hmac.digest(got["AccessKeySecret"].encode(), policy, hashlib.sha1))
    fields = {
        "key": "form/${filename}",
        "policy": policy.decode(),
        "OSSAccessKeyId": got["AccessKeyId"],
        "Signature": signature.decode(),
        "x-oss-security-token": got["SecurityToken"],
        "success_action_status": "201",
    }

    answer = requests.post(
        f"{broker.server.endpoint}/{broker.bucket}/",
        data=fields,
        files={"file": ("a.txt", b"hello")},
        timeout=10,
    )

    assert answer.status_code == 201, answer.text
    assert holder(broker, got).get_object("form/a.txt").read() == b"hello"
