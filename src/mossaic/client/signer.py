"""Sign a request with V4 or V1, in headers or in a URL, with the clock that the server was found to have."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import formatdate
from functools import lru_cache
from typing import TYPE_CHECKING

from mossaic.protocol.signing import v1, v4
from mossaic.protocol.signing.request import UNSIGNED_PAYLOAD, Pair, Resource, SignedRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mossaic.client.credentials import Credentials
    from mossaic.client.options import SignatureVersion
    from mossaic.protocol.signing.request import Pairs
    from mossaic.protocol.wire import Message


class Clock:
    """The server's time: ours plus an offset learnt from its answers (`RequestTimeTooSkewed`)."""

    def __init__(self) -> None:
        self.offset_s = 0.0

    def now(self) -> float:
        return time.time() + self.offset_s

    def learn(self, server_time: float) -> None:
        self.offset_s = server_time - time.time()


class Signer:
    """Makes the headers or the query of signed requests. Stateless but for the clock, so threads share it."""

    def __init__(self, version: SignatureVersion, region: str, clock: Clock) -> None:
        self.version = version
        self.region = region
        self.clock = clock

    def headers(self, message: Message, headers: Mapping[str, str], who: Credentials) -> dict[str, str]:
        """`headers` (lower-case names) with the signature and what it needs. Without a key id the request stays anonymous."""
        signed = dict(headers)
        if not who.access_key_id:
            return signed
        moment = self.clock.now()
        if who.security_token:
            signed["x-oss-security-token"] = who.security_token
        resource = Resource(bucket=message.bucket, key=message.key)
        if self.version == "v1":
            signed["date"] = formatdate(moment, usegmt=True)
            request = SignedRequest(method=message.method, query=pairs_of(message.query), headers=signed)
            signed["authorization"] = v1.authorization(_pair(who), request, resource)
            return signed
        signed["x-oss-date"] = stamp = _stamp(moment)
        signed["x-oss-content-sha256"] = UNSIGNED_PAYLOAD
        request = SignedRequest(method=message.method, query=pairs_of(message.query), headers=signed)
        scope = v4.Scope(day=stamp[:8], region=self.region)
        signed["authorization"] = v4.authorization(_pair(who), request, resource, scope)
        return signed

    def query(
        self, message: Message, headers: Mapping[str, str], who: Credentials, *, expires_s: int
    ) -> Pairs:
        """The query of a presigned URL, valid for `expires_s` seconds from now (V4: 1 … 604,800).

        Whoever uses it sends `headers` with it.
        """
        moment = self.clock.now()
        resource = Resource(bucket=message.bucket, key=message.key)
        request = SignedRequest(method=message.method, query=pairs_of(message.query), headers=headers)
        if self.version == "v1":
            return v1.presigned(_pair(who), request, resource, expires=int(moment) + expires_s)
        scope = v4.Scope(day=_stamp(moment)[:8], region=self.region)
        validity = v4.Validity(timestamp=_stamp(moment), expires_s=expires_s)
        return v4.presigned(_pair(who), request, resource, scope, validity)


def pairs_of(query: Mapping[str, str]) -> Pairs:
    return tuple(query.items())


def _pair(who: Credentials) -> Pair:
    return Pair(access_key_id=who.access_key_id, secret=who.access_key_secret, token=who.security_token)


def _stamp(moment: float) -> str:
    return _stamp_of(int(moment))


@lru_cache(maxsize=8)
def _stamp_of(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y%m%dT%H%M%SZ")
