"""No operation of the table is reached around the signature: every row times every way of having no right to it, with no effect.

Class: MinIO CVE-2026-40344, CVE-2026-41145, CVE-2025-31489, CVE-2021-21390; SeaweedFS #7954, #2180.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from dataclasses import replace

import pytest

from mossaic.protocol.operations import TABLE
from mossaic.protocol.wire import Message
from tests.e2e.broker import Broker, broker
from tests.e2e.harness import Server
from tests.security.support import SCHEMES, Asker, Reply, Stage, anonymous, send

__all__ = ["broker"]

Attack = Callable[[Stage, Message], Reply]
HEADERS = [scheme for scheme in SCHEMES if scheme.endswith("header")]
URLS = [scheme for scheme in SCHEMES if scheme.endswith("url")]


def by(scheme: str, **changes: object) -> Attack:
    return lambda stage, message: stage.root.but(**changes).ask(message, scheme)


def changed(scheme: str, old: str, new: str) -> Attack:
    """Signed well, then one thing of the request is another."""

    def attack(stage: Stage, message: Message) -> Reply:
        target, headers = stage.root.signed(message, scheme)
        return send(stage.root.server, message, target.replace(old, new), headers)

    return attack


def for_another(scheme: str, **other: object) -> Attack:
    """A good signature, but of another request."""

    def attack(stage: Stage, message: Message) -> Reply:
        target, headers = stage.root.signed(replace(message, **other), scheme)  # type: ignore[arg-type]
        real, _ = stage.root.signed(message, scheme)
        query = target.partition("?")[2]
        if scheme.endswith("url"):
            real = f"{real.partition('?')[0]}?{query}"
        return send(stage.root.server, message, real, headers)

    return attack


def authorization(text: str) -> Attack:
    def attack(stage: Stage, message: Message) -> Reply:
        target, headers = stage.root.signed(message)
        return send(stage.root.server, message, target, headers | {"Authorization": text})

    return attack


def both(stage: Stage, message: Message) -> Reply:
    target, headers = stage.root.signed(message, "v4-url")
    _, more = stage.root.signed(message, "v1-header")
    return send(stage.root.server, message, target, headers | more)


REFUSED = (403, {"AccessDenied", "SignatureDoesNotMatch"})
ATTACKS: dict[str, tuple[Attack, int, set[str]]] = {
    "no credentials": (
        lambda stage, message: anonymous(stage.root.server, message),
        403,
        {"AccessDenied"},
    ),
    **{f"wrong secret, {s}": (by(s, secret="wrong"), 403, {"SignatureDoesNotMatch"}) for s in SCHEMES},
    **{f"empty secret, {s}": (by(s, secret=""), 403, {"SignatureDoesNotMatch"}) for s in SCHEMES},
    **{
        f"unknown key, {s}": (by(s, access_key_id="LTAIunknown"), 403, {"InvalidAccessKeyId"})
        for s in SCHEMES
    },
    **{f"stale, {s}": (by(s, skew_s=-1000), 403, {"RequestTimeTooSkewed"}) for s in HEADERS},
    **{f"of tomorrow, {s}": (by(s, skew_s=86_400), 403, {"RequestTimeTooSkewed"}) for s in HEADERS},
    **{f"expired, {s}": (by(s, skew_s=-1000), 403, {"AccessDenied"}) for s in URLS},
    **{
        f"STS key without token, {s}": (by(s, access_key_id="STS.Abc"), 403, {"InvalidAccessKeyId"})
        for s in HEADERS
    },
    **{
        f"STS key without token, {s}": (by(s, access_key_id="STS.Abc"), 400, {"InvalidRequest"}) for s in URLS
    },
    **{f"token with a plain key, {s}": (by(s, token="abc="), 403, {"InvalidAccessKeyId"}) for s in SCHEMES},
    **{
        f"forged token, {s}": (
            by(s, access_key_id="STS.Abc", token="TVQxAAE="),
            403,
            {"InvalidSecurityToken"},
        )
        for s in SCHEMES
    },
    **{
        f"of another method, {s}": (for_another(s, method="PATCH"), 403, {"SignatureDoesNotMatch"})
        for s in SCHEMES
    },
    **{
        f"of another bucket, {s}": (for_another(s, bucket="another"), 403, {"SignatureDoesNotMatch"})
        for s in SCHEMES
    },
    "header and URL": (both, 400, {"InvalidArgument"}),
    **{
        f"Authorization {text!r}": (authorization(text), 400, {"InvalidArgument"})
        for text in (
            "",
            "OSS",
            "OSS ",
            "OSS :",
            "OSS a",
            "oss a:b",
            "Bearer abc",
            "Basic cm9vdDpyb290",
            "AWS a:b",
            "AWS4-HMAC-SHA256 Credential=a/20240101/x/s3/aws4_request,SignedHeaders=host,Signature=b",
            "OSS2 ",
            "OSS2 AccessKeyId:a",
            "OSS4-HMAC-SHA256",
            "OSS4-HMAC-SHA256 ",
            "OSS4-HMAC-SHA256 Credential=a,Signature=b",
            "OSS4-HMAC-SHA256 Credential=a/20240101/r/oss/aliyun_v4_request,Signature=",
            "OSS4-HMAC-SHA256 Credential=a/20240101/r/oss/aliyun_v4_request,Credential=b,Signature=c",
            "OSS4-HMAC-SHA256-STREAMING Credential=a/20240101/r/oss/aliyun_v4_request,Signature=c",
        )
    },
    "an unknown signature version in the URL": (
        lambda stage, message: anonymous(
            stage.root.server, replace(message, query={**message.query, "x-oss-signature-version": "OSS9"})
        ),
        400,
        {"InvalidArgument"},
    ),
    "half a V1 URL": (
        lambda stage, message: anonymous(
            stage.root.server, replace(message, query={**message.query, "Expires": "99999999999"})
        ),
        403,
        {"AccessDenied"},
    ),
}


def test_no_row_is_missing() -> None:
    """A floor: rows and attacks may only become more."""
    assert len(TABLE) >= 51
    assert len(ATTACKS) >= 70


def test_the_owner_passes_with_every_row_in_every_scheme(server: Server, root: Asker) -> None:
    """The control: what the attacks send would be served if it were signed well."""
    for scheme in SCHEMES:
        name = f"control-{secrets.token_hex(6)}"
        assert root("PUT", name).status == 200
        stage = Stage.build(root, name)
        for row in TABLE:
            reply = root.ask(stage.message(row), scheme)
            assert reply.status not in (401, 403, 500, 501, 503), (scheme, row.name, reply.status, reply.body)


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_row_refuses(stage: Stage, attack: str) -> None:
    attempt, status, codes = ATTACKS[attack]
    before = stage.snapshot()

    for row in TABLE:
        reply = attempt(stage, stage.message(row))
        if (attack, row.name) == ("no credentials", "PostObject"):
            assert reply.code == "RequestIsNotMultiPartContent"  # anonymous forms exist: test_post_policy.py
            continue
        assert (reply.status, reply.code in codes) == (status, True), (row.name, reply.status, reply.document)
        assert stage.root.secret.encode() not in reply.document

    assert stage.snapshot() == before


def test_a_user_without_rights_passes_no_row(server: Server, stage: Stage) -> None:
    key_id, secret = server.make_user(f"nobody-{secrets.token_hex(4)}")
    nobody = Asker(server=server, access_key_id=key_id, secret=secret)
    before = stage.snapshot()

    for row in TABLE:
        if row.name in ("DescribeRegions", "PostObject"):
            continue  # the first is no secret; the second has its rights asked when the form is read
        reply = nobody.ask(stage.message(row))
        assert (reply.status, reply.code) == (403, "AccessDenied"), (row.name, reply.status, reply.document)

    assert stage.snapshot() == before


def test_a_token_goes_with_no_other_key(broker: Broker, stage: Stage) -> None:
    mine, other = (broker.assume()["Credentials"] for _ in range(2))
    before = stage.snapshot()

    for scheme in SCHEMES:
        asker = Asker(
            server=broker.server,
            access_key_id=mine["AccessKeyId"],
            secret=mine["AccessKeySecret"],
            token=other["SecurityToken"],
        )
        for row in TABLE:
            reply = asker.ask(stage.message(row), scheme)
            assert (reply.status, reply.code) == (403, "AccessKeyIdAndSecurityTokenNotMatch"), row.name

    assert stage.snapshot() == before


def test_no_byte_of_a_token_can_be_changed(broker: Broker, stage: Stage) -> None:
    good = broker.assume()["Credentials"]
    sealed = base64.b64decode(good["SecurityToken"])
    for position in {0, 3, 4, 5, 16, 17, len(sealed) // 2, len(sealed) - 1}:
        bent = bytearray(sealed)
        bent[position] ^= 1
        asker = Asker(
            server=broker.server,
            access_key_id=good["AccessKeyId"],
            secret=good["AccessKeySecret"],
            token=base64.b64encode(bent).decode(),
        )
        reply = asker("GET", broker.bucket)
        assert (reply.status, reply.code) == (403, "InvalidSecurityToken"), position
