"""Signature V4: HMAC-SHA256 with a key derived for a day, region and product, over a framed canonical request."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from mossaic.protocol.signing.request import OSS_PREFIX, UNSIGNED_PAYLOAD, Mac, enc, mac, octets
from mossaic.protocol.signing.subresources import SUB_RESOURCES
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mossaic.protocol.signing.request import Pair, Pairs, Resource, SignedRequest

NAME: Final = "OSS4-HMAC-SHA256"
_ALWAYS_SIGNED: Final = frozenset(("content-type", "content-md5"))
TERMINATOR: Final = "aliyun_v4_request"


class Scope(NamedTuple):
    """Day (yyyymmdd), region without `oss-`, and product (`oss`, `oss-cloudbox`) that a key is derived for."""

    day: str
    region: str
    product: str = "oss"

    def __str__(self) -> str:
        return f"{self.day}/{self.region}/{self.product}/{TERMINATOR}"


def signing_key(secret: str, scope: Scope) -> bytes:
    key = mac(octets("aliyun_v4" + secret), scope.day, "sha256")
    for piece in (scope.region, scope.product, TERMINATOR):
        key = mac(key, piece, "sha256")
    return key


@lru_cache(maxsize=1024)
def signer(secret: str, scope: Scope) -> Mac:
    """Made once a day and pair; the cache is what makes V4 as cheap as V1."""
    return Mac(signing_key(secret, scope))


def signature(secret: str, scope: Scope, text: str) -> str:
    return signer(secret, scope).hex(text)


def canonical_request(
    request: SignedRequest, resource: Resource, query: str, additional: tuple[str, ...] = ()
) -> str:
    headers = request.headers
    signed = [
        name
        for name in headers
        if name.startswith(OSS_PREFIX) or name in _ALWAYS_SIGNED or name in additional
    ]
    signed.sort()
    lines = "".join([f"{name}:{headers[name]}\n" for name in signed])
    payload = headers.get("x-oss-content-sha256", UNSIGNED_PAYLOAD)
    return f"{request.method}\n{enc(resource.path, keep='/')}\n{query}\n{lines}\n{';'.join(additional)}\n{payload}"


def string_to_sign(canonical: str, scope: Scope, timestamp: str) -> str:
    """`timestamp` is the text of x-oss-date; of Date where that is missing (Go SDK v1)."""
    return f"{_opening(scope, timestamp)}{hashlib.sha256(octets(canonical)).hexdigest()}"


@lru_cache(maxsize=256)  # the requests of one second share it
def _opening(scope: Scope, timestamp: str) -> str:
    return f"{NAME}\n{timestamp}\n{scope}\n"


def canonical_query(pairs: Pairs) -> str:
    return _joined(sorted((enc(name), enc(value)) for name, value in pairs if name != "x-oss-signature"))


def canonical_queries(pairs: Pairs) -> Iterator[str]:
    """The plain form first, then those of ali-oss: `name=` for an empty value, names ordered without regard to case.

    On the wire nobody's `name` differs from `name=`, so all of them carry the same information.
    """
    plain = sorted((enc(name), enc(value)) for name, value in pairs if name != "x-oss-signature")
    yield _joined(plain)
    if not all(value for _, value in plain):
        yield "&".join(f"{name}={value}" for name, value in plain)
        yield "&".join(
            name if not value and name in SUB_RESOURCES else f"{name}={value}" for name, value in plain
        )
    if any(name != name.lower() for name, _ in plain):
        yield _joined(sorted(plain, key=lambda pair: (pair[0].lower(), pair[0].swapcase(), pair[1])))


def _joined(pairs: list[tuple[str, str]]) -> str:
    return "&".join(f"{name}={value}" if value else name for name, value in pairs)


def authorization(
    pair: Pair, request: SignedRequest, resource: Resource, scope: Scope, additional: tuple[str, ...] = ()
) -> str:
    """The header for a request that carries `x-oss-date` and, with a token, `x-oss-security-token`."""
    canonical = canonical_request(request, resource, canonical_query(request.query), additional)
    made = signature(pair.secret, scope, string_to_sign(canonical, scope, request.headers["x-oss-date"]))
    listed = f"AdditionalHeaders={';'.join(additional)}," if additional else ""
    return f"{NAME} Credential={pair.access_key_id}/{scope},{listed}Signature={made}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """A URL's beginning (`20240305T060708Z`) and length in seconds, 1 … 604,800."""

    timestamp: str
    expires_s: int


def presigned(
    pair: Pair, request: SignedRequest, resource: Resource, scope: Scope, validity: Validity
) -> Pairs:
    """The query parameters of a URL, `request.query` among them. `request.headers` are those that its user will send."""
    query = (
        *request.query,
        ("x-oss-signature-version", NAME),
        ("x-oss-credential", f"{pair.access_key_id}/{scope}"),
        ("x-oss-date", validity.timestamp),
        ("x-oss-expires", str(validity.expires_s)),
        *((("x-oss-security-token", pair.token),) if pair.token else ()),
    )
    canonical = canonical_request(request, resource, canonical_query(query))
    made = signature(pair.secret, scope, string_to_sign(canonical, scope, validity.timestamp))
    return (*query, ("x-oss-signature", made))
