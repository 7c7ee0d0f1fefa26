"""A clock that is wrong, and temporary credentials that end in the middle of an upload."""

from __future__ import annotations

import base64
import json
import os
import sqlite3
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mossaic.client.credentials import AssumeRole, Credentials, Static, Sts
from mossaic.client.errors import CredentialsError, MossaicError, RequestTimeTooSkewed, SecurityTokenExpired
from tests.e2e.harness import Server, statement
from tests.faults.place import KEY, MANY, PUT_PART, Heard, Place, data_of, part
from tests.faults.proxy import Rule, Seen, error

DATA = data_of(MANY)
TOKEN = "x-oss-security-token"


# --- the clock --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("signature", ["v4", "v1"])
@pytest.mark.parametrize("hours", [-2, 1, 30])
def test_a_clock_that_is_wrong_is_corrected_by_the_first_answer(
    place: Place, signature: str, hours: int
) -> None:
    data, client, heard = data_of(30), place.client(signature=signature), Heard()
    client._session.signer.clock.offset_s = hours * 3600.0
    client.multipart_upload(KEY, place.file(data), on_event=heard)
    place.assert_whole(data)
    assert len(heard.of("retry")) == 1
    assert abs(client._session.signer.clock.offset_s) < 60


def test_a_clock_that_jumps_while_parts_are_sent_costs_no_part(place: Place) -> None:
    client = place.client(parallel=8)

    def jump(_: Seen) -> None:
        client._session.signer.clock.offset_s = 7200.0

    place.proxy.add(Rule(pattern=part(60), call=jump))
    client.multipart_upload(KEY, place.file(DATA))
    place.assert_whole(DATA)


def test_a_service_that_always_finds_the_time_wrong_is_believed_once(place: Place) -> None:
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    place.proxy.add(
        Rule(
            pattern=part(5),
            times=99,
            answer=error(403, "RequestTimeTooSkewed", ServerTime=moment),
        )
    )
    with pytest.raises(RequestTimeTooSkewed) as refused:
        place.client().multipart_upload(KEY, place.file(DATA))
    assert refused.value.part_number == 5
    assert place.proxy.part_numbers().count(5) == 2


# --- tokens -----------------------------------------------------------------------------------------------------------


class Issuer:
    """An application server that hands out credentials of a role of this Mossaic, and counts."""

    def __init__(self, server: Server, user: Static, role: str) -> None:
        self._server = server
        self._user, self._role = user, role
        self.calls = 0
        self.expired_at: datetime | None = None  # of the first pair
        self.fails_after: int | None = None
        self.slow = threading.Event()
        self.slow.set()

    def fetch(self) -> dict[str, Any]:
        self.calls += 1
        assert self.slow.wait(60)
        if self.fails_after is not None and self.calls > self.fails_after:
            raise OSError("the application server is down")
        pair = AssumeRole(self._user, self._role, endpoint=self._server.endpoint).get()
        made = _fields(pair)
        if self.calls == 1 and self.expired_at is not None:
            made["SecurityToken"] = self._ending(made["SecurityToken"], self.expired_at)
        return made

    def _ending(self, token: str, until: datetime) -> str:
        """The same session, sealed with the service's own key, but with another end."""
        data = base64.b64decode(token)
        head, nonce, sealed = data[:5], data[5:17], data[17:]
        session = json.loads(self._cipher.decrypt(nonce, sealed, head))
        session["until"] = int(until.timestamp())
        nonce = os.urandom(12)
        sealed = self._cipher.encrypt(nonce, json.dumps(session).encode(), head)
        return base64.b64encode(head + nonce + sealed).decode()

    @cached_property
    def _cipher(self) -> AESGCM:
        for path in self._server.data.rglob("*"):
            if path.is_file() and path.open("rb").read(15) == b"SQLite format 3":
                with sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True) as database:
                    return AESGCM(base64.b64decode(_setting(database, "sts_key_1")))
        raise AssertionError("no metadata store")


def _setting(database: sqlite3.Connection, name: str) -> str:
    """The value beside this name, in whatever table of settings."""
    for (table,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
        for row in database.execute(f"SELECT * FROM {table}"):
            if row[0] == name:
                return str(row[1])
    raise AssertionError(f"no setting {name}")


def _fields(pair: Credentials) -> dict[str, Any]:
    """Without the end: the client is to learn of it from the service."""
    return {
        "AccessKeyId": pair.access_key_id,
        "AccessKeySecret": pair.access_key_secret,
        "SecurityToken": pair.security_token,
    }


@pytest.fixture(scope="module")
def user_and_role(server: Server) -> tuple[Static, str]:
    user = server.make_user("sender", statement("Allow", "sts:AssumeRole", "*"))
    return Static(*user), server.make_role("sending", statement("Allow", "oss:*", "*"))


@pytest.fixture
def issuer(server: Server, user_and_role: tuple[Static, str]) -> Issuer:
    return Issuer(server, *user_and_role)


def refusing(place: Place, code: str, first: int) -> list[str]:
    """The proxy refuses the first token it sees once `first` parts were asked for; the tokens seen, in order."""
    tokens: list[str] = []

    def old(seen: Seen) -> bool:
        token = seen.headers.get(TOKEN, "")
        if token not in tokens:
            tokens.append(token)
        return token == tokens[0] and len(place.proxy.part_numbers()) > first

    place.proxy.add(Rule(pattern=PUT_PART, times=10**6, when=old, answer=error(403, code)))
    return tokens


@pytest.mark.parametrize("code", ["SecurityTokenExpired", "InvalidSecurityToken", "InvalidAccessKeyId"])
def test_a_token_refused_in_mid_upload_is_renewed_once_by_all_parts(
    place: Place, issuer: Issuer, code: str
) -> None:
    """ali-oss marks itself fresh before the new token has come, and sends parts with the old one."""
    tokens, heard = refusing(place, code, 50), Heard()
    client = place.client(parallel=8, credentials=Sts(issuer.fetch))
    client.multipart_upload(KEY, place.file(DATA), on_event=heard)
    place.assert_whole(DATA)
    assert issuer.calls == 2
    assert len(tokens) == 2
    refused = Counter(event.about["part_number"] for event in heard.of("retry"))
    assert 1 <= len(refused) <= 16
    assert set(refused.values()) == {1}


def test_a_token_that_really_expires_is_renewed_once(place: Place, issuer: Issuer) -> None:
    issuer.expired_at = datetime.now(UTC) + timedelta(seconds=4)
    client, heard = place.client(parallel=8, credentials=Sts(issuer.fetch)), Heard()
    client.multipart_upload(KEY, place.file(DATA), on_event=heard, bandwidth=3_000_000)
    place.assert_whole(DATA)
    assert issuer.calls == 2
    assert {type(event.about["error"]) for event in heard.of("retry")} == {SecurityTokenExpired}


def test_all_parts_wait_for_one_slow_renewal(place: Place, issuer: Issuer) -> None:
    refusing(place, "SecurityTokenExpired", 20)
    client, heard = place.client(parallel=8, credentials=Sts(issuer.fetch)), Heard()
    client.get_bucket_acl()
    issuer.slow.clear()
    upload = client.start_upload(KEY, place.file(DATA), on_event=heard)
    while issuer.calls < 2:
        time.sleep(0.01)
    issuer.slow.set()
    upload.result(120)
    assert issuer.calls == 2
    place.assert_whole(DATA)


@pytest.mark.parametrize("code", ["SecurityTokenExpired", "InvalidAccessKeyId"])
def test_a_renewal_that_fails_says_why_and_where_it_can_go_on(
    place: Place, issuer: Issuer, code: str
) -> None:
    issuer.fails_after = 1
    refusing(place, code, 50)
    source = place.file(DATA)
    with pytest.raises(MossaicError) as failed:
        place.client(parallel=8, credentials=Sts(issuer.fetch)).multipart_upload(KEY, source)
    why = failed.value if isinstance(failed.value, CredentialsError) else failed.value.__cause__
    assert isinstance(why, CredentialsError)
    assert "the application server is down" in str(why)
    assert failed.value.checkpoint is not None
    assert len(failed.value.checkpoint.parts) >= 40
    place.proxy.clear()
    place.client().multipart_upload(KEY, source)
    place.assert_whole(DATA)


def test_static_keys_that_are_refused_are_no_reason_to_try_again(place: Place) -> None:
    place.proxy.add(Rule(pattern=part(3), times=99, answer=error(403, "InvalidAccessKeyId")))
    with pytest.raises(MossaicError, match="InvalidAccessKeyId"):
        place.client().multipart_upload(KEY, place.file(DATA))
    assert place.proxy.part_numbers().count(3) == 1
