"""AssumeRole against a token service on loopback that says what the test wants."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import pytest

from mossaic.client.credentials import Anonymous, AssumeRole, Credentials, Static
from mossaic.client.errors import CredentialsError, NetworkError
from mossaic.client.http import Pool
from mossaic.client.options import Timeout
from mossaic.protocol.signing import rpc
from tests.unit.client_credentials.leaks import SECRET, TOKEN, assert_keeps_secrets

ROLE = "acs:ram::1:role/uploader"
GOOD = {
    "AssumedRoleUser": {"Arn": f"{ROLE}/mossaic"},
    "Credentials": {
        "AccessKeyId": "STS.1",
        "AccessKeySecret": "made",
        "SecurityToken": "token",
        "Expiration": "2999-01-01T00:00:00Z",
    },
}


class Said(NamedTuple):
    status: int
    document: Any
    date: str | None = None


class TokenService:
    """Answers call after call what `answers` holds; the last one for good."""

    def __init__(self) -> None:
        self.answers: list[Said] = [Said(200, GOOD)]
        self.calls: list[dict[str, str]] = []
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                service.calls.append(dict(parse_qsl(body, keep_blank_values=True)))
                said = service.answers.pop(0) if len(service.answers) > 1 else service.answers[0]
                text = said.document if isinstance(said.document, str) else json.dumps(said.document)
                self.send_response_only(said.status)
                self.send_header("Date", said.date or self.date_time_string())
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                """Keep the test output quiet."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@pytest.fixture
def service() -> Iterator[TokenService]:
    running = TokenService()
    yield running
    running.close()


def refusal(code: str, message: str = "no", status: int = 400, date: str | None = None) -> Said:
    return Said(status, {"RequestId": "1", "HostId": "h", "Code": code, "Message": message}, date)


def assume(service: TokenService, **options: Any) -> AssumeRole:
    options = {"endpoint": service.endpoint, **options}
    return AssumeRole(Static("caller", SECRET, TOKEN), ROLE, **options)


def test_the_form_is_complete_and_signed(service: TokenService) -> None:
    policy = {"Version": "1", "Statement": []}

    pair = assume(
        service,
        session_name="s-1",
        policy=policy,
        duration_s=900,
        external_id="x y",
        endpoint=service.endpoint,
    ).get()

    assert (pair.access_key_id, pair.access_key_secret, pair.security_token) == ("STS.1", "made", "token")
    assert pair.expires_at == datetime(2999, 1, 1, tzinfo=UTC)
    [call] = service.calls
    signature = call.pop("Signature")
    text = rpc.string_to_sign("POST", tuple(call.items()))
    assert signature == rpc.signature(SECRET, text)
    assert len(call.pop("SignatureNonce")) >= 16
    moment = datetime.fromisoformat(call.pop("Timestamp"))
    assert abs(datetime.now(UTC) - moment) < timedelta(minutes=1)
    assert call == {
        "Action": "AssumeRole",
        "Version": "2015-04-01",
        "Format": "JSON",
        "AccessKeyId": "caller",
        "SecurityToken": TOKEN,
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        "RoleArn": ROLE,
        "RoleSessionName": "s-1",
        "DurationSeconds": "900",
        "Policy": json.dumps(policy),
        "ExternalId": "x y",
    }


def test_connections_may_be_given(service: TokenService) -> None:
    pool = Pool(timeout=Timeout())
    try:
        assert assume(service, pool=pool).get().access_key_id == "STS.1"
    finally:
        pool.close()


@pytest.mark.parametrize(
    "passing", [Said(503, "<html>"), refusal("Throttling.User"), refusal("InternalError", status=500)]
)
def test_what_passes_is_asked_again_with_another_nonce(service: TokenService, passing: Said) -> None:
    service.answers = [passing, passing, Said(200, GOOD)]

    assert assume(service).get().access_key_id == "STS.1"
    assert len({call["SignatureNonce"] for call in service.calls}) == 3


def test_what_does_not_pass_is_given_up(service: TokenService) -> None:
    service.answers = [refusal("InternalError", "Server Internal Error happened.", 500)]

    with pytest.raises(CredentialsError, match=r"InternalError: Server Internal Error happened\."):
        assume(service).get()
    assert len(service.calls) == 3


def test_a_refusal_is_told_and_not_repeated(service: TokenService) -> None:
    service.answers = [refusal("NoPermission", "You are not authorized to do this action.", 403)]

    with pytest.raises(
        CredentialsError, match=f"AssumeRole of {ROLE} was refused: NoPermission: You are not"
    ):
        assume(service).get()
    assert len(service.calls) == 1


def test_the_signed_text_that_a_server_quotes_is_not_told(service: TokenService) -> None:
    quoted = f"not matched with our calculation. server string to sign is:POST&SecurityToken%3D{TOKEN}"
    service.answers = [refusal("SignatureDoesNotMatch", quoted)]

    with pytest.raises(CredentialsError, match="is the access key secret right") as refused:
        assume(service).get()

    assert_keeps_secrets(refused.value)


@pytest.mark.parametrize(
    "said", [Said(200, "hello"), Said(404, "<Error/>"), Said(200, []), Said(302, ""), Said(200, {"a": 1})]
)
def test_what_is_no_token_service_is_suspected_to_be_none(service: TokenService, said: Said) -> None:
    service.answers = [said]

    with pytest.raises(CredentialsError, match=r"not one of STS; is the endpoint right\?"):
        assume(service).get()


def test_an_answer_that_lacks_something_is_an_error(service: TokenService) -> None:
    service.answers = [Said(200, {"Credentials": {"AccessKeyId": "STS.1", "SecurityToken": TOKEN}})]

    with pytest.raises(CredentialsError, match="no AccessKeySecret among") as refused:
        assume(service).get()

    assert_keeps_secrets(refused.value)


def test_a_wrong_clock_is_corrected_by_that_of_the_server(service: TokenService) -> None:
    server_time = datetime.now(UTC) - timedelta(hours=5)
    service.answers = [
        refusal("InvalidTimeStamp.Expired", date=format_datetime(server_time)),
        Said(200, GOOD),
    ]

    assert assume(service).get().access_key_id == "STS.1"

    told = datetime.fromisoformat(service.calls[1]["Timestamp"])
    assert abs(told - server_time) < timedelta(minutes=1)


def test_the_callers_own_token_is_renewed_when_it_has_expired(service: TokenService) -> None:
    class Renewable:
        def get(self) -> Credentials:
            return Credentials(access_key_id="old", access_key_secret="s", security_token="old")

        def renew(self, stale: Credentials) -> Credentials:
            assert stale.access_key_id == "old"
            return Credentials(access_key_id="new", access_key_secret="s", security_token="new")

    service.answers = [refusal("InvalidSecurityToken.Expired"), Said(200, GOOD)]

    AssumeRole(Renewable(), ROLE, endpoint=service.endpoint).get()

    assert [call["SecurityToken"] for call in service.calls] == ["old", "new"]


def test_a_caller_whose_token_cannot_be_renewed_is_told_so(service: TokenService) -> None:
    service.answers = [refusal("InvalidSecurityToken.Expired")]

    with pytest.raises(CredentialsError, match="the credentials caller are fixed"):
        assume(service).get()


def test_nobody_assumes_no_role(service: TokenService) -> None:
    with pytest.raises(CredentialsError, match="cannot be assumed anonymously"):
        AssumeRole(Anonymous(), ROLE, endpoint=service.endpoint).get()
    assert service.calls == []


def test_a_service_that_is_not_there_is_the_cause(service: TokenService) -> None:
    service.close()

    with pytest.raises(CredentialsError, match="could not be fetched") as failed:
        assume(service).get()

    assert isinstance(failed.value.__cause__, NetworkError)
    assert_keeps_secrets(failed.value)


def test_what_is_no_endpoint_is_said_at_once() -> None:
    with pytest.raises(ValueError, match="no endpoint"):
        AssumeRole(Static("i", "s"), ROLE, endpoint="http://host/path")


def test_neither_secret_nor_token_shows(service: TokenService) -> None:
    assert repr(assume(service)) == f"AssumeRole({ROLE!r})"
