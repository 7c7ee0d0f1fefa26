"""How long a refusal takes, and what it says, tells nothing about keys and signatures.

Class: Swift CVE-2014-0006; RustFS GHSA-3p3x. Counted, not timed: a stopwatch on a shared machine proves nothing.
"""

from __future__ import annotations

import hmac
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mossaic.protocol.addressing import Address
from mossaic.protocol.errors import OssError
from mossaic.protocol.signing import request as signing
from mossaic.protocol.signing import v1, v4
from mossaic.protocol.signing.request import Pair, Resource, SignedRequest
from mossaic.protocol.wire import Message
from tests.security.support import SCHEMES, Stage, send
from tests.unit.gateway.identity_support import (
    NOW,
    ROOT_ID,
    ROOT_SECRET,
    World,
    given_user,
    open_world,
    request,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

HERE = Address(bucket="photos", key="a.jpg", base="localhost", virtual=True)
SCOPE = v4.Scope(day="20240305", region="cn-hangzhou")


class Tally:
    """The standard library's hmac, counted."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    def digest(self, key: bytes, message: bytes, algorithm: str) -> bytes:
        self.calls[f"digest {algorithm}"] += 1
        return hmac.digest(key, message, algorithm)

    def compare_digest(self, left: bytes, right: bytes) -> bool:
        self.calls["compare"] += 1
        return hmac.compare_digest(left, right)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    opened = open_world(tmp_path)
    yield opened
    await opened.store.close()


def headers_of(pair: Pair, version: str) -> dict[str, str]:
    stamp = NOW.strftime("%Y%m%dT%H%M%SZ") if version == "v4" else NOW.strftime("%a, %d %b %Y %H:%M:%S GMT")
    headers = {"x-oss-date": stamp}
    signed = SignedRequest(method="GET", headers=headers)
    resource = Resource(bucket="photos", key="a.jpg")
    if version == "v4":
        return headers | {"authorization": v4.authorization(pair, signed, resource, SCOPE)}
    return headers | {"authorization": v1.authorization(pair, signed, resource)}


@pytest.mark.parametrize("version", ["v1", "v4"])
async def test_an_unknown_key_costs_what_a_wrong_signature_costs(
    world: World, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    user_id, _ = await given_user(world, "bob")
    costs: dict[str, Counter[str]] = {}
    for name, key_id in (
        ("root", ROOT_ID),
        ("user", user_id),
        ("nobody", "LTAInobody"),
        ("session", "STS.nobody"),
    ):
        given = request(
            "GET", "/a.jpg", headers=headers_of(Pair(access_key_id=key_id, secret="wrong"), version)
        )
        tally = Tally()
        v4.signer.cache_clear()
        with monkeypatch.context() as patched:
            patched.setattr(signing, "hmac", tally)
            with pytest.raises(OssError):
                await world.admission.authenticate(given, (HERE,))
        costs[name] = tally.calls

    assert costs["root"]["compare"] >= 1
    assert costs["root"] == costs["user"] == costs["nobody"] == costs["session"]


@pytest.mark.parametrize("version", ["v1", "v4"])
async def test_every_comparison_of_a_signature_takes_constant_time(
    world: World, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    """A good one as well: nothing is accepted that did not go through `compare_digest`."""
    given = request(
        "GET", "/a.jpg", headers=headers_of(Pair(access_key_id=ROOT_ID, secret=ROOT_SECRET), version)
    )
    tally = Tally()
    monkeypatch.setattr(signing, "hmac", tally)

    await world.admission.authenticate(given, (HERE,))

    assert tally.calls["compare"] >= 1


def test_a_refusal_does_not_tell_how_near_a_signature_was(stage: Stage) -> None:
    """Neither the expected signature nor a word that depends on it."""
    message = Message(method="GET", bucket=stage.bucket, key="secret/plan.txt")
    for scheme in SCHEMES:
        target, headers = stage.root.signed(message, scheme)
        good = headers.get("Authorization", target)
        found = re.search(r"(?:[Ss]ignature[=:]|:)([A-Za-z0-9%/+]{20,}=*)", good)
        assert found is not None, good
        signature = found[1]
        seen = set()
        for wrong in (signature[:-3] + "AAA", "A" * len(signature), signature[:10]):
            bent = {name: value.replace(signature, wrong) for name, value in headers.items()}
            reply = send(stage.root.server, message, target.replace(signature, wrong), bent)
            assert reply.status == 403
            assert signature.encode() not in reply.body
            shown = re.sub(rb"<(RequestId|SignatureProvided)>[^<]*<", b"", reply.body)
            seen.add(shown.replace(wrong.encode(), b""))
        assert len(seen) == 1, scheme


def test_keys_that_do_not_exist_and_keys_that_do_are_refused_in_the_same_shape(stage: Stage) -> None:
    """OSS tells an unknown key from a wrong secret by its code; it tells nothing else."""
    unknown = replace(stage.root, access_key_id="LTAIdoesnotexist")
    reply = unknown("GET", stage.bucket, "secret/plan.txt")

    assert (reply.status, reply.code, reply.ec) == (403, "InvalidAccessKeyId", "0002-00000902")
    assert unknown("GET", "no-such-bucket-here", "k").body.count(b"<") == reply.body.count(b"<")
