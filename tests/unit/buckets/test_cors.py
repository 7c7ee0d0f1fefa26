"""CORS rules: what may be put, which rule wins, and the headers that follow."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mossaic.model import cors, documents
from mossaic.protocol.codec.document import read_document
from mossaic.protocol.codec.plan import plan_of
from mossaic.protocol.errors import OssError
from mossaic.protocol.operations.settings import CorsConfiguration, CorsRule, PutBucketCors

WHOLE = CorsRule(
    allowed_origins=("https://a.example.com", "https://*.b.com"),
    allowed_methods=("GET", "PUT"),
    allowed_headers=("x-oss-*", "Authorization"),
    expose_headers=("ETag",),
    max_age_s=100,
)


def one(rule: CorsRule, *, vary: bool | None = None) -> CorsConfiguration:
    return CorsConfiguration(rules=(rule,), response_vary=vary)


@pytest.mark.parametrize(
    ("origin", "method", "requested", "allowed"),
    [
        ("https://a.example.com", "GET", (), True),
        ("HTTPS://A.example.com", "GET", (), True),
        ("https://a.example.com:8443", "GET", (), False),
        ("http://a.example.com", "GET", (), False),
        ("https://x.b.com", "PUT", (), True),
        ("https://b.com", "PUT", (), False),
        ("https://x.b.com.evil.com", "PUT", (), False),
        ("https://a.example.com", "DELETE", (), False),
        ("https://a.example.com", "PUT", ("x-oss-date", "authorization"), True),
        ("https://a.example.com", "PUT", ("x-oss-date", "x-other"), False),
        ("null", "GET", (), False),
    ],
)
def test_a_rule_allows_its_origins_methods_and_headers(
    origin: str, method: str, requested: tuple[str, ...], allowed: bool
) -> None:
    found = cors.match(one(WHOLE), origin, method, requested)

    assert (found is WHOLE) is allowed


def test_the_first_rule_that_matches_everything_wins_and_none_are_merged() -> None:
    narrow = replace(WHOLE, allowed_methods=("GET",), expose_headers=("x-first",))
    wide = replace(WHOLE, allowed_origins=("*",), expose_headers=("x-second",))
    configuration = CorsConfiguration(rules=(narrow, wide))

    got = cors.match(configuration, "https://a.example.com", "GET", ())
    put = cors.match(configuration, "https://a.example.com", "PUT", ())

    assert (got, put) == (narrow, wide)


def test_the_answer_names_the_origin_and_varies_by_it() -> None:
    headers = dict(cors.headers(one(WHOLE), WHOLE, "https://a.example.com", ("x-oss-date", "x-other")))

    assert headers == {
        "Access-Control-Allow-Origin": "https://a.example.com",
        "Access-Control-Allow-Methods": "GET, PUT",
        "Access-Control-Allow-Headers": "x-oss-date",
        "Access-Control-Expose-Headers": "ETag",
        "Access-Control-Max-Age": "100",
        "Vary": "Origin",
    }


def test_a_rule_for_everybody_answers_with_a_star() -> None:
    configuration = cors.browser_rules()
    rule = cors.match(configuration, "https://any.where", "POST", ("x-oss-callback", "content-type"))
    assert rule is not None

    headers = dict(cors.headers(configuration, rule, "https://any.where", ()))

    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "Vary" not in headers
    assert "ETag" in headers["Access-Control-Expose-Headers"]


def test_response_vary_is_said_without_a_matching_rule_too() -> None:
    assert cors.headers(one(WHOLE, vary=True), None, "", ()) == [("Vary", "Origin")]
    assert cors.headers(one(WHOLE, vary=False), None, "", ()) == []


@pytest.mark.parametrize(
    ("configuration", "code", "name"),
    [
        (CorsConfiguration(), "MalformedXML", None),
        (one(replace(WHOLE, allowed_origins=())), "MalformedXML", None),
        (one(replace(WHOLE, allowed_methods=())), "MalformedXML", None),
        (CorsConfiguration(rules=(WHOLE,) * 21), "CORSRuleBeyondLimit", None),
        (one(replace(WHOLE, allowed_origins=("http://*.*.com",))), "InvalidArgument", "AllowedOrigin"),
        (one(replace(WHOLE, allowed_origins=("a\r\nSet-Cookie: x",))), "InvalidArgument", "AllowedOrigin"),
        (one(replace(WHOLE, allowed_methods=("get",))), "InvalidArgument", "AllowedMethod"),
        (one(replace(WHOLE, allowed_methods=("PATCH",))), "InvalidArgument", "AllowedMethod"),
        (one(replace(WHOLE, allowed_headers=("*-*",))), "InvalidArgument", "AllowedHeader"),
        (one(replace(WHOLE, expose_headers=("x-oss-*",))), "InvalidArgument", "ExposeHeader"),
        (one(replace(WHOLE, expose_headers=("a\nb",))), "InvalidArgument", "ExposeHeader"),
        (one(replace(WHOLE, max_age_s=-1)), "InvalidArgument", "MaxAgeSeconds"),
        (one(replace(WHOLE, allowed_origins=("http://a.com",) * 900)), "MalformedXML", None),
    ],
)
def test_a_bad_configuration_is_refused(
    configuration: CorsConfiguration, code: str, name: str | None
) -> None:
    with pytest.raises(OssError) as refused:
        cors.checked(configuration)

    assert (refused.value.code, refused.value.extras.get("ArgumentName")) == (code, name)


def test_what_is_stored_reads_back_the_same() -> None:
    configuration = CorsConfiguration(rules=(WHOLE, replace(WHOLE, max_age_s=None)), response_vary=True)

    text = cors.checked(configuration)

    assert CorsConfiguration(**read_document(text.encode(), plan_of(CorsConfiguration))) == configuration


def test_a_request_shape_is_stored_without_its_bucket() -> None:
    asked = PutBucketCors(rules=(WHOLE,), bucket="plain")

    assert documents.dump(asked, CorsConfiguration) == documents.dump(one(WHOLE), CorsConfiguration)


labels = st.text(alphabet="abcxyz0123-", min_size=1, max_size=8)


@given(head=labels, tail=labels, between=st.text(alphabet="abc.:/-", max_size=12))
def test_a_star_stands_for_any_run_of_characters_and_nothing_else(head: str, tail: str, between: str) -> None:
    rule = replace(WHOLE, allowed_origins=(f"{head}*{tail}",), allowed_headers=("*",))

    assert cors.match(one(rule), head + between + tail, "GET", ()) is rule
    assert cors.match(one(rule), "!" + head + between + tail, "GET", ()) is None
    assert cors.match(one(rule), head + between + tail + "!", "GET", ()) is None


@given(
    rules=st.lists(
        st.builds(
            CorsRule,
            allowed_origins=st.lists(st.sampled_from(["*", "http://a", "http://b"]), min_size=1).map(tuple),
            allowed_methods=st.lists(st.sampled_from(cors.METHODS), min_size=1).map(tuple),
            allowed_headers=st.lists(st.sampled_from(["*", "x-a", "x-b"])).map(tuple),
        ),
        max_size=4,
    ),
    origin=st.sampled_from(["http://a", "http://b", "http://c"]),
    method=st.sampled_from(cors.METHODS),
    asked=st.lists(st.sampled_from(["x-a", "x-b", "x-c"])).map(tuple),
)
def test_the_winner_allows_all_and_no_earlier_rule_does(
    rules: list[CorsRule], origin: str, method: str, asked: tuple[str, ...]
) -> None:
    def allows(rule: CorsRule) -> bool:
        return (
            bool({"*", origin} & set(rule.allowed_origins))
            and method in rule.allowed_methods
            and ("*" in rule.allowed_headers or set(asked) <= set(rule.allowed_headers))
        )

    found = cors.match(CorsConfiguration(rules=tuple(rules)), origin, method, asked)

    assert found == next((rule for rule in rules if allows(rule)), None)
