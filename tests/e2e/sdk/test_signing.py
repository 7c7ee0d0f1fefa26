"""Signed URLs and forms of the SDK, used by somebody who has no credentials."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from mossaic.client.callback import Callback
from mossaic.client.client import Client
from mossaic.client.credentials import AssumeRole, Credentials, Static
from tests.e2e.broker import make_broker
from tests.e2e.harness import CallbackReceiver, Server, noise
from tests.e2e.sdk.conftest import connect

DATA = noise(100_000)


def code(answer: requests.Response) -> str:
    return answer.text.partition("<Code>")[2].partition("</Code>")[0]


def test_a_url_gets_puts_heads_and_deletes(client: Client) -> None:
    name = "a b/ü+&?.txt"

    put = requests.put(client.sign_url(name, method="PUT"), data=DATA, timeout=10)

    assert put.status_code == 200, put.text
    assert requests.get(client.sign_url(name), timeout=10).content == DATA
    assert (
        requests.head(client.sign_url(name, method="head"), timeout=10).headers["Content-Length"] == "100000"
    )
    assert requests.delete(client.sign_url(name, method="DELETE"), timeout=10).status_code == 204
    assert not client.exists(name)


def test_a_url_is_for_one_method_and_one_object(client: Client) -> None:
    client.put("a", b"x")
    url = client.sign_url("a")

    assert code(requests.put(url, data=b"y", timeout=10)) == "SignatureDoesNotMatch"
    assert code(requests.get(url.replace("/a?", "/b?"), timeout=10)) == "SignatureDoesNotMatch"


def test_signed_headers_must_be_sent(client: Client) -> None:
    url = client.sign_url("k", method="PUT", headers={"Content-Type": "text/x-a", "x-oss-meta-a": "1"})

    assert code(requests.put(url, data=b"x", timeout=10)) == "SignatureDoesNotMatch"
    sent = requests.put(url, data=b"x", headers={"Content-Type": "text/x-a", "x-oss-meta-a": "1"}, timeout=10)

    assert sent.status_code == 200, sent.text
    assert (client.head("k").content_type, client.head("k").meta) == ("text/x-a", {"a": "1"})


def test_a_query_is_signed_with_it(client: Client) -> None:
    client.put("k", b"x")

    wanted = "attachment; filename*=UTF-8''%C3%BC+a.txt"
    url = client.sign_url("k", query={"response-content-disposition": wanted})

    got = requests.get(url, timeout=10)
    assert got.status_code == 200, got.text
    assert got.headers["Content-Disposition"] == wanted
    assert requests.get(url.replace("attachment", "inline"), timeout=10).status_code == 403


def test_a_url_for_a_version(client: Client) -> None:
    client.put_versioning("Enabled")
    old = client.put("k", b"old").version_id
    client.put("k", b"new")

    assert requests.get(client.sign_url("k", version_id=old), timeout=10).content == b"old"


def test_a_url_ends(client: Client) -> None:
    client.put("k", b"x")
    client._session.signer.clock.offset_s = -7200.0  # two hours ago, by the clock that the client signs with

    assert requests.get(client.sign_url("k", expires=60), timeout=10).status_code == 403
    client._session.signer.clock.offset_s = 0.0
    assert requests.get(client.sign_url("k", expires=timedelta(minutes=1)), timeout=10).content == b"x"


def test_lifetimes_that_cannot_be(server: Server, bucket: str) -> None:
    with connect(server, bucket) as client:
        for expires in (0, -1, 604_801, timedelta(days=8)):
            with pytest.raises(ValueError, match="expires"):
                client.sign_url("k", expires=expires)
            with pytest.raises(ValueError, match="expires"):
                client.sign_post_policy("k", expires=expires)
    with connect(server, bucket, signature="v1") as client:
        client.put("k", b"x")
        assert requests.get(client.sign_url("k", expires=timedelta(days=30)), timeout=10).content == b"x"


def test_a_url_with_a_callback(client: Client, receiver: CallbackReceiver) -> None:
    asked = Callback(receiver.url, "key=${object}&order=${x:order}", vars={"order": "7"})

    answer = requests.put(client.sign_url("k", method="PUT", callback=asked), data=b"x", timeout=10)

    assert answer.json() == {"Status": "OK"}
    assert receiver.calls[0].form() == {"key": "k", "order": "7"}


def test_a_url_of_temporary_credentials_carries_their_token(server: Server, bucket: str) -> None:
    pair = Credentials(access_key_id="STS.x", access_key_secret="s", security_token="a/+=b")
    for version, name in (("v4", "x-oss-security-token"), ("v1", "security-token")):
        with connect(server, bucket, credentials=pair, signature=version) as client:
            assert f"{name}=a%2F%2B%3Db" in client.sign_url("k")
            assert client.sign_post_policy("k").fields["x-oss-security-token"] == "a/+=b"


@pytest.mark.parametrize("version", ["v4", "v1"])
def test_temporary_credentials_sign_urls_and_forms_that_work(server: Server, version: str) -> None:
    broker = make_broker(server)
    caller = Static(broker.access_key_id, broker.access_key_secret)
    role = AssumeRole(caller, broker.role_arn, endpoint=server.endpoint, duration_s=900)

    with connect(server, broker.bucket, credentials=role, signature=version) as client:
        client.put("k", DATA)
        assert requests.get(client.sign_url("k"), timeout=10).content == DATA
        assert requests.put(client.sign_url("k2", method="PUT"), data=b"x", timeout=10).status_code == 200
        assert post(client.sign_post_policy("form")).status_code == 204
        assert client.get_bytes("form") == DATA


# --- forms ------------------------------------------------------------------------------------------------------------


def post(form: Any, data: bytes = DATA, **fields: str) -> requests.Response:
    files = {"file": ("ü.txt", data, "text/plain")}
    return requests.post(form.url, data={**form.fields, **fields}, files=files, timeout=10)


def test_a_form_uploads_one_object(client: Client) -> None:
    before = datetime.now(UTC)
    form = client.sign_post_policy("a b/ü", expires=timedelta(minutes=5), fields={"x-oss-meta-a": "1", "success_action_status": "201"})  # fmt: skip

    answer = post(form)

    assert answer.status_code == 201, answer.text
    assert client.get_bytes("a b/ü") == DATA
    assert client.head("a b/ü").meta == {"a": "1"}
    assert before + timedelta(minutes=4) < form.expires_at < before + timedelta(minutes=6)
    assert code(post(form, key="other")) == "AccessDenied"
    assert code(post(form, **{"x-oss-meta-a": "2"})) == "AccessDenied"


def test_a_form_for_a_prefix(client: Client) -> None:
    form = client.sign_post_policy(prefix="in/")

    assert post(form).status_code == 204
    assert post(form, key="in/other").status_code == 204
    assert code(post(form, key="out/other")) == "AccessDenied"
    assert [entry.key for entry in client.list_objects() if hasattr(entry, "key")] == ["in/other", "in/ü.txt"]


def test_a_form_bounds_the_size_and_whatever_else_is_asked(client: Client) -> None:
    form = client.sign_post_policy("k", min_size=10, max_size=20, conditions=[["starts-with", "$x-oss-meta-kind", "a"]])  # fmt: skip

    assert code(post(form, b"x" * 9, **{"x-oss-meta-kind": "ab"})) == "EntityTooSmall"
    assert code(post(form, b"x" * 21, **{"x-oss-meta-kind": "ab"})) == "EntityTooLarge"
    assert code(post(form, b"x" * 20)) == "AccessDenied"
    assert post(form, b"x" * 20, **{"x-oss-meta-kind": "ab"}).status_code == 204


def test_a_form_with_a_callback(client: Client, receiver: CallbackReceiver) -> None:
    asked = Callback(receiver.url, "key=${object}&order=${x:order}", vars={"order": "ü 7"})

    answer = post(client.sign_post_policy("k", callback=asked))

    assert answer.json() == {"Status": "OK"}
    assert receiver.calls[0].form() == {"key": "k", "order": "ü 7"}


def test_forms_that_cannot_be(client: Client) -> None:
    for wrong in (
        {},
        {"name": "a", "prefix": "b"},
        {"name": ""},
        {"name": "a", "min_size": 2, "max_size": 1},
    ):
        with pytest.raises(ValueError, match=r"form|name|sizes"):
            client.sign_post_policy(**wrong)  # type: ignore[arg-type]
