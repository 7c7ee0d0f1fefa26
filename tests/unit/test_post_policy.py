"""The policy of a form: what it demands, and what is no policy."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest

from mossaic.model import post_policy
from mossaic.protocol.errors import OssError

NOW = datetime(2024, 3, 5, tzinfo=UTC)


def encoded(*conditions: object, expiration: object = "2024-03-06T00:00:00.000Z") -> str:
    return base64.b64encode(
        json.dumps({"expiration": expiration, "conditions": conditions}).encode()
    ).decode()


@pytest.mark.parametrize(
    ("condition", "fields", "holds"),
    [
        ({"bucket": "b"}, {"bucket": "b"}, True),
        ({"Bucket": "b"}, {"bucket": "B"}, False),
        (["eq", "$key", "a"], {"key": "a"}, True),
        (["EQ", "$KEY", "a"], {"key": "a"}, True),
        (["eq", "$key", "a"], {}, False),
        (["starts-with", "$key", "dir/"], {"key": "dir/x"}, True),
        (["starts-with", "$key", "dir/"], {"key": "other"}, False),
        (["starts-with", "$key", ""], {"key": "anything"}, True),
        (["in", "$content-type", ["a", "b"]], {"content-type": "b"}, True),
        (["in", "$content-type", ["a", "b"]], {"content-type": "c"}, False),
        (["not-in", "$content-type", ["a"]], {"content-type": "b"}, True),
        (["not-in", "$content-type", ["a"]], {"content-type": "a"}, False),
        ({"success_action_status": 201}, {"success_action_status": "201"}, True),
    ],
)
def test_conditions(condition: object, fields: dict[str, str], holds: bool) -> None:
    policy = post_policy.parse(encoded(condition))

    if holds:
        policy.check(fields, NOW)
    else:
        with pytest.raises(OssError, match="Policy Condition failed"):
            policy.check(fields, NOW)


def test_a_policy_expires() -> None:
    policy = post_policy.parse(encoded({"bucket": "b"}, expiration="2024-03-04T23:59:59Z"))

    with pytest.raises(OssError, match="Policy expired"):
        policy.check({"bucket": "b"}, NOW)


def test_the_narrowest_size_range_counts() -> None:
    sizes = (["content-length-range", 1, 100], ["content-length-range", "10", "1000"])
    policy = post_policy.parse(encoded(*sizes))

    assert policy.size == (10, 100)


def test_an_escaped_dollar_is_understood() -> None:
    text = r'{"expiration":"2024-03-06T00:00:00Z","conditions":[["eq","$key","a\$b"]]}'

    post_policy.parse(base64.b64encode(text.encode()).decode()).check({"key": "a$b"}, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "%%%",
        base64.b64encode(b"{").decode(),
        base64.b64encode(b"[]").decode(),
        base64.b64encode(b"{}").decode(),
        encoded(),
        encoded({"a": "1", "b": "2"}),
        encoded(["eq", "key", "a"]),
        encoded(["matches", "$key", "a"]),
        encoded(["in", "$key", "a"]),
        encoded(["eq", "$key", {"a": 1}]),
        encoded(["content-length-range", -1, 5]),
        encoded(["content-length-range", 1, "x"]),
        encoded({"bucket": "b"}, expiration="tomorrow"),
        encoded({"bucket": "b"}, expiration=None),
    ],
)
def test_what_is_no_policy_is_refused(text: str) -> None:
    with pytest.raises(OssError) as caught:
        post_policy.parse(text)

    assert caught.value.code == "InvalidPolicyDocument"
