"""Credentials as a value, and the spellings they are read from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from mossaic.client.credentials import Anonymous, Credentials, Static, read_credentials
from mossaic.client.errors import CredentialsError
from tests.unit.client_credentials.leaks import SECRET, TOKEN, assert_keeps_secrets

NAIVE = datetime(2024, 3, 5)  # noqa: DTZ001  # what this is about
END = datetime(2024, 3, 5, 7, 7, 8, tzinfo=UTC)

SPELLINGS: list[dict[str, Any]] = [
    {
        "AccessKeyId": "id",
        "AccessKeySecret": "se",
        "SecurityToken": "to",
        "Expiration": "2024-03-05T07:07:08Z",
    },
    {
        "accessKeyId": "id",
        "accessKeySecret": "se",
        "stsToken": "to",
        "expiration": "2024-03-05T07:07:08.000Z",
    },
    {"access_key_id": "id", "access_key_secret": "se", "security_token": "to", "expires_at": END},
    {
        "accessKeyID": "id",
        "accessKeySecret": "se",
        "sts_token": "to",
        "expiration": "2024-03-05T15:07:08+08:00",
    },
    {
        "access-key-id": "id",
        "access-key-secret": "se",
        "sts-token": "to",
        "Expiration": "2024-03-05T07:07:08",
    },
    {"AccessKeyId": "id", "AccessKeySecret": "se", "sessionToken": "to", "expiresAt": 1_709_622_428},
    {
        "AccessKeyId": " id\n",
        "AccessKeySecret": "se ",
        "SecurityToken": "to",
        "Expiration": 1_709_622_428_000,
    },
]


@pytest.mark.parametrize("spelling", SPELLINGS, ids=" ".join)
def test_every_usual_spelling_is_read(spelling: dict[str, Any]) -> None:
    read = read_credentials(spelling)

    assert read == Credentials(
        access_key_id="id", access_key_secret="se", security_token="to", expires_at=END
    )


def test_the_whole_answer_of_assume_role_is_read() -> None:
    answer = {
        "RequestId": "1",
        "AssumedRoleUser": {"Arn": "acs:ram::1:role/r/s"},
        "Credentials": {"AccessKeyId": "STS.id", "AccessKeySecret": "se", "SecurityToken": "to"},
    }

    read = read_credentials(answer)

    assert (read.access_key_id, read.security_token, read.expires_at) == ("STS.id", "to", None)


def test_an_empty_token_and_an_empty_end_are_none() -> None:
    read = read_credentials(
        {"AccessKeyId": "id", "AccessKeySecret": "se", "SecurityToken": "", "Expiration": ""}
    )

    assert (read.security_token, read.expires_at) == (None, None)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"AccessKeyId": "id", "AccessKeySekret": SECRET}, "no AccessKeySecret among the fields accesskeyid"),
        ({}, r"no AccessKeyId among the fields \(none\)"),
        ({"AccessKeyId": 7, "AccessKeySecret": SECRET}, "accesskeyid is int, not text"),
        ({"AccessKeyId": "id", "AccessKeySecret": SECRET, "SecurityToken": [TOKEN]}, "securitytoken is list"),
        ({"AccessKeyId": "id", "AccessKeySecret": SECRET, "Expiration": "soon"}, "expiration is neither"),
        ({"AccessKeyId": "id", "AccessKeySecret": SECRET, "Expiration": 1e300}, "expiration is neither"),
        (
            {"AccessKeyId": "id", "AccessKeySecret": SECRET, "Expiration": NAIVE},
            "no time zone",
        ),
        ({"AccessKeyId": "id", "AccessKeySecret": f"{SECRET}\nX: y"}, "access_key_secret has a blank"),
        (f"{SECRET}", "a mapping, got str"),
        (None, "a mapping, got NoneType"),
    ],
)
def test_what_cannot_be_read_is_named_and_not_shown(given: object, words: str) -> None:
    with pytest.raises(CredentialsError, match=words) as refused:
        read_credentials(given)

    assert_keeps_secrets(refused.value)


def test_secrets_do_not_show() -> None:
    pair = Credentials(access_key_id="id", access_key_secret=SECRET, security_token=TOKEN, expires_at=END)

    for value in (pair, Static("id", SECRET, TOKEN), [pair], {"pair": pair}):
        assert SECRET not in f"{value!r}{value!s}"
        assert TOKEN not in f"{value!r}{value!s}"


@pytest.mark.parametrize(
    "fields",
    [
        {"access_key_id": "id", "access_key_secret": ""},
        {"access_key_id": "", "access_key_secret": SECRET},
        {"access_key_id": "", "access_key_secret": "", "security_token": TOKEN},
        {"access_key_id": "i d", "access_key_secret": SECRET},
        {"access_key_id": "id", "access_key_secret": SECRET, "security_token": f"{TOKEN}\r\n"},
        {"access_key_id": "id", "access_key_secret": f"{SECRET}é"},
        {"access_key_id": "id", "access_key_secret": SECRET, "expires_at": NAIVE},
    ],
)
def test_what_could_not_sign_a_request_is_no_credentials(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"is empty|has a blank|no time zone") as refused:
        Credentials(**fields)

    assert_keeps_secrets(refused.value)


def test_a_pair_is_the_same_whatever_is_known_about_its_end() -> None:
    east = timezone(timedelta(hours=8))
    one = Credentials(access_key_id="id", access_key_secret="se", security_token="to", expires_at=END)
    two = Credentials(
        access_key_id="id", access_key_secret="se", security_token="to", expires_at=datetime.now(east)
    )
    other = Credentials(access_key_id="id", access_key_secret="se", security_token="newer")

    assert one.same_keys(two)
    assert not one.same_keys(other)


def test_anonymous_is_an_empty_id_and_cannot_be_renewed() -> None:
    nobody = Anonymous().get()

    assert nobody.anonymous
    assert (nobody.access_key_id, nobody.security_token) == ("", None)
    with pytest.raises(CredentialsError, match="anonymous"):
        Anonymous().renew(nobody)


def test_a_given_pair_is_given_as_it_is_and_cannot_be_renewed() -> None:
    provider = Static("id", SECRET, TOKEN)

    pair = provider.get()

    assert (pair.access_key_id, pair.access_key_secret, pair.security_token) == ("id", SECRET, TOKEN)
    with pytest.raises(CredentialsError, match="id are fixed") as refused:
        provider.renew(pair)
    assert_keeps_secrets(refused.value)


def test_a_given_pair_has_both_halves() -> None:
    with pytest.raises(ValueError, match="access_key_secret is empty"):
        Static("id", "")
    with pytest.raises(ValueError, match="access_key_id is empty"):
        Static("", "")
