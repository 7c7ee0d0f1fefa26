"""The documents of a bucket, put, read back and deleted through the SDK."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mossaic.client.client import Client
from mossaic.client.errors import (
    MalformedXML,
    NoSuchBucketPolicy,
    NoSuchCORSConfiguration,
    NoSuchLifecycle,
    ServerError,
)
from mossaic.protocol.operations.settings import (
    CorsConfiguration,
    CorsRule,
    LifecycleAbort,
    LifecycleConfiguration,
    LifecycleExpiration,
    LifecycleRule,
    LifecycleTransition,
    Tag,
)

RULES = (
    CorsRule(
        allowed_origins=("https://a.example", "http://*.b.example"),
        allowed_methods=("PUT", "GET"),
        allowed_headers=("*",),
        expose_headers=("ETag", "x-oss-request-id"),
        max_age_s=600,
    ),
    CorsRule(allowed_origins=("*",), allowed_methods=("HEAD",)),
)


def test_cors_rules(client: Client) -> None:
    with pytest.raises(NoSuchCORSConfiguration):
        client.get_cors()

    client.put_cors(RULES, response_vary=True)
    found = client.get_cors()
    assert found == CorsConfiguration(rules=RULES, response_vary=True)
    client.put_cors(found)
    assert client.get_cors() == found
    client.delete_cors()
    client.delete_cors()

    with pytest.raises(NoSuchCORSConfiguration):
        client.get_cors()


def test_cors_rules_that_cannot_be(client: Client) -> None:
    with pytest.raises(ServerError):
        client.put_cors([CorsRule(allowed_origins=("*",), allowed_methods=("FETCH",))])
    with pytest.raises(MalformedXML):
        client.put_cors([])


def test_lifecycle_rules(client: Client) -> None:
    rules = (
        LifecycleRule(
            rule_id="logs",
            prefix="logs/ü&",
            tags=(Tag(key="a", value="1"),),
            status="Enabled",
            expiration=LifecycleExpiration(days=30),
            transitions=(LifecycleTransition(days=10, storage_class="IA"),),
        ),
        LifecycleRule(rule_id="parts", prefix="", status="Enabled", abort_upload=LifecycleAbort(days=1)),
    )
    with pytest.raises(NoSuchLifecycle):
        client.get_lifecycle()

    client.put_lifecycle(rules)
    found = client.get_lifecycle()
    assert [(each.rule_id, each.prefix, each.status) for each in found.rules] == [
        ("logs", "logs/ü&", "Enabled"),
        ("parts", "", "Enabled"),
    ]
    assert found.rules[0].expiration == LifecycleExpiration(days=30)
    assert found.rules[0].tags == (Tag(key="a", value="1"),)
    assert found.rules[1].abort_upload == LifecycleAbort(days=1)
    client.put_lifecycle(LifecycleConfiguration(rules=found.rules), allow_overlap=True)
    assert client.get_lifecycle() == found
    client.delete_lifecycle()

    with pytest.raises(NoSuchLifecycle):
        client.get_lifecycle()


def test_bucket_tags(client: Client) -> None:
    assert client.get_bucket_tags() == {}

    client.put_bucket_tags({"a": "1", "b": "zwei", "c": ""})
    assert client.get_bucket_tags() == {"a": "1", "b": "zwei", "c": ""}
    client.delete_bucket_tags(["a", "c"])
    assert client.get_bucket_tags() == {"b": "zwei"}
    client.delete_bucket_tags()

    assert client.get_bucket_tags() == {}


@pytest.mark.parametrize("form", ["mapping", "text", "bytes"])
def test_the_bucket_policy(client: Client, form: str) -> None:
    policy: dict[str, Any] = {
        "Version": "1",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": ["*"],
                "Action": ["oss:GetObject"],
                "Resource": [f"acs:oss:*:*:{client.bucket}/ü/*"],
            }
        ],
    }
    with pytest.raises(NoSuchBucketPolicy):
        client.get_bucket_policy()
    forms: dict[str, Any] = {
        "mapping": policy,
        "text": json.dumps(policy),
        "bytes": json.dumps(policy).encode(),
    }

    client.put_bucket_policy(forms[form])

    assert client.get_bucket_policy() == policy
    assert client.get_bucket_policy_status() is True
    client.delete_bucket_policy()
    with pytest.raises(NoSuchBucketPolicy):
        client.get_bucket_policy()
