"""The door of the page's API, and its CORS test, which has to say what browsers will be told."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

import oss2
import pytest

from tests.e2e.console.caller import Caller
from tests.e2e.harness import statement

if TYPE_CHECKING:
    from tests.e2e.harness import Server

ORIGIN = "http://page.example"


@pytest.fixture
def root(server: Server) -> Caller:
    return Caller.root(server)


def put_cors(server: Server, bucket: str, *rules: dict[str, Any]) -> None:
    auth = oss2.Auth(server.access_key_id, server.access_key_secret)
    made = [oss2.models.CorsRule(**rule) for rule in rules]
    oss2.Bucket(auth, server.endpoint, bucket).put_bucket_cors(oss2.models.BucketCors(made))


def a_rule(**changes: Any) -> dict[str, Any]:
    rule = {
        "allowed_origins": [ORIGIN],
        "allowed_methods": ["PUT", "GET"],
        "allowed_headers": ["*"],
        "expose_headers": ["ETag", "x-oss-request-id"],
        "max_age_seconds": 60,
    }
    return rule | changes


def asked(root: Caller, bucket: str, **query: str) -> dict[str, Any]:
    answer = root.api(
        "GET",
        "cors-test",
        bucket=bucket,
        **({"origin": ORIGIN, "method": "PUT", "headers": "x-oss-date"} | query),
    )
    assert answer.status == 200, answer.body
    return answer.json


# --- the door ---------------------------------------------------------------------------------------------------------


def test_anybody_is_told_what_signing_takes(server: Server) -> None:
    status, headers, body = server.request("GET", "/-/api/service")

    assert (status, json.loads(body)) == (200, {"region": "cn-hangzhou", "public_endpoint": server.endpoint})
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert headers["cache-control"] == "no-store"


def test_a_call_that_is_not_there(root: Caller) -> None:
    assert (root.api("GET", "nothing").status, root.api("GET", "nothing").code) == (404, "NoSuchKey")
    wrong = root.api("PUT", "session", {})
    assert (wrong.status, wrong.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize("body", [b"[]", b"1", b"{", b"\xff", b'"x"', b"[" * 40_000])
def test_a_body_that_is_no_json_object_is_refused(root: Caller, body: bytes) -> None:
    answer = root.send("POST", "-", "api/callbacks/replay", body=body)

    assert (answer.status, answer.code) == (400, "InvalidArgument")


def test_a_body_is_bounded(root: Caller) -> None:
    answer = root.send("POST", "-", "api/callbacks/replay", body=b" " * 65_537)

    assert (answer.status, answer.code) == (400, "EntityTooLarge")


@pytest.mark.parametrize("given", [{}, {"id": 1}, {"id": None}, {"id": "x" * 65}, {"id": ["x"]}])
def test_fields_are_looked_at(root: Caller, given: dict[str, Any]) -> None:
    assert root.api("POST", "callbacks/replay", given).status == 400


# --- the CORS test ----------------------------------------------------------------------------------------------------


def test_it_says_what_the_preflight_says(server: Server, root: Caller, bucket: str) -> None:
    put_cors(server, bucket, a_rule(allowed_origins=["http://other.example"]), a_rule())

    told = asked(root, bucket)
    status, headers, _ = server.request(
        "OPTIONS",
        f"/{bucket}/k",
        headers={
            "Origin": ORIGIN,
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "x-oss-date",
        },
    )

    assert (told["allowed"], told["rule"], told["advice"]) == (True, 2, [])
    assert (told["exposes_etag"], told["exposes_request_id"]) == (True, True)
    assert told["preflight"]["status"] == status
    real = {name: value for name, value in headers.items() if name.startswith("access-control")}
    assert real == {
        name.lower(): value for name, value in told["preflight"]["headers"].items() if name != "Vary"
    }


@pytest.mark.parametrize(
    ("rules", "query", "advice"),
    [
        ((), {}, ["no-rules"]),
        ((a_rule(),), {"origin": "http://else.example"}, ["allow-origin"]),
        ((a_rule(),), {"method": "DELETE"}, ["allow-method"]),
        ((a_rule(allowed_headers=["content-type"]),), {}, ["allow-headers"]),
        (
            (a_rule(allowed_headers=["x-a"]), a_rule(allowed_headers=["x-b"])),
            {"headers": "x-a,x-b"},
            ["one-rule"],
        ),
        ((a_rule(expose_headers=[]),), {}, ["expose-etag", "expose-request-id"]),
        ((a_rule(expose_headers=["etag"]),), {}, ["expose-request-id"]),
    ],
)
def test_it_says_what_to_change(
    server: Server,
    root: Caller,
    bucket: str,
    rules: tuple[dict[str, Any], ...],
    query: dict[str, str],
    advice: list[str],
) -> None:
    if rules:
        put_cors(server, bucket, *rules)

    told = asked(root, bucket, **query)

    assert told["advice"] == advice
    assert told["allowed"] is advice[0].startswith("expose")
    assert told["preflight"]["status"] == (200 if told["allowed"] else 403)


def test_it_needs_the_right_to_read_the_rules(server: Server, root: Caller, bucket: str) -> None:
    tag = secrets.token_hex(4)
    may = statement("Allow", "oss:GetBucketCors", f"acs:oss:*:*:{bucket}")
    allowed = Caller(
        server=server, access_key_id=(pair := server.make_user(f"may-{tag}", may))[0], secret=pair[1]
    )
    other = Caller(server=server, access_key_id=(pair := server.make_user(f"not-{tag}"))[0], secret=pair[1])
    query = {"bucket": bucket, "origin": ORIGIN, "method": "GET"}

    assert allowed.api("GET", "cors-test", **query).status == 200
    assert other.api("GET", "cors-test", **query).code == "AccessDenied"
    assert root.api("GET", "cors-test", **(query | {"bucket": "none-of-that-name"})).code == "NoSuchBucket"
    assert root.api("GET", "cors-test", bucket=bucket, origin=ORIGIN).status == 400
    assert root.api("GET", "cors-test", **(query | {"origin": "http://a\r\nx: y"})).code == "InvalidArgument"
