"""Documents on a bucket as XML and as JSON, in and out."""

from __future__ import annotations

import json

import click
import pytest

from mossaic.cli.documents import parse_document, to_json, to_xml
from mossaic.cli.sts import policy_for
from mossaic.cli.urls import Remote
from mossaic.protocol.operations.settings import (
    CorsConfiguration,
    CorsRule,
    LifecycleAbort,
    LifecycleConfiguration,
    LifecycleExpiration,
    LifecycleRule,
    Tag,
)

CORS = CorsConfiguration(
    rules=(
        CorsRule(
            allowed_origins=("https://a.example", "*"),
            allowed_methods=("GET",),
            allowed_headers=("*",),
            max_age_s=5,
        ),
    ),
    response_vary=True,
)
LIFECYCLE = LifecycleConfiguration(
    rules=(
        LifecycleRule(
            rule_id="r", prefix="tmp/", status="Enabled", tags=(Tag(key="k", value="v"),),
            expiration=LifecycleExpiration(days=7), abort_upload=LifecycleAbort(days=1),
        ),
    )
)  # fmt: skip


@pytest.mark.parametrize("document", [CORS, LIFECYCLE])
def test_what_is_written_is_read_back(document: CorsConfiguration | LifecycleConfiguration) -> None:
    assert parse_document(to_xml(document), type(document), "f") == document
    assert parse_document(json.dumps(to_json(document)), type(document), "f") == document


@pytest.mark.parametrize(
    "text",
    [
        '[{"AllowedOrigins": ["*"], "AllowedMethods": ["GET"], "MaxAgeSeconds": 5}]',
        '{"CORSRules": [{"allowed_origins": ["*"], "allowed_methods": ["GET"], "max_age_s": 5}]}',
        '{"CORSRule": {"AllowedOrigin": "*", "AllowedMethod": "GET", "MaxAgeSeconds": 5}}',
        "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod><MaxAgeSeconds>5</MaxAgeSeconds></CORSRule></CORSConfiguration>",
    ],
)
def test_names_are_ours_or_oss_s_or_those_that_aws_users_have(text: str) -> None:
    rule = CorsRule(allowed_origins=("*",), allowed_methods=("GET",), max_age_s=5)

    assert parse_document(text, CorsConfiguration, "f") == CorsConfiguration(rules=(rule,))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "f: "),
        (
            '{"rules": [{"alowed_origins": ["*"]}]}',
            "rules[0].alowed_origins is not known; did you mean allowed_origins?",
        ),
        ('{"rules": [{"max_age_s": "5"}]}', 'rules[0].max_age_s: expected a whole number, got "5"'),
        ('{"rules": [{"max_age_s": true}]}', "expected a whole number"),
        ('{"rules": ["x"]}', "rules[0]: expected an object"),
        ("3", "expected an object"),
        ("<CORSConfiguration>", "f: "),
        ("<Other/>", "the root element is Other, not CORSConfiguration"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(text: str, words: str) -> None:
    with pytest.raises(click.UsageError) as raised:
        parse_document(text, CorsConfiguration, "f")

    assert words in raised.value.message


def test_a_policy_for_a_prefix_allows_nothing_beside_it() -> None:
    policy = policy_for(Remote("b", "in/"), "write,list")

    objects, bucket = policy["Statement"]  # type: ignore[misc]  # a list of two
    assert objects["Resource"] == ["acs:oss:*:*:b/in/*"]
    assert "oss:PutObject" in objects["Action"]
    assert "oss:GetObject" not in objects["Action"]
    assert bucket["Resource"] == ["acs:oss:*:*:b"]
    assert bucket["Condition"] == {"StringLike": {"oss:Prefix": ["in/*"]}}


def test_an_operation_that_is_none_is_refused() -> None:
    with pytest.raises(click.UsageError, match="'fly' is none of"):
        policy_for(Remote("b"), "read,fly")
