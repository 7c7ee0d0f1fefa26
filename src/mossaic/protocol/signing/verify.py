"""Verify a claim: its time against the server's clock, its signature against the one computed from the secret."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from mossaic.protocol.codec.values import read_http_time
from mossaic.protocol.errors import (
    ACCESS_DENIED,
    INVALID_ARGUMENT,
    REQUEST_TIME_TOO_SKEWED,
    SIGNATURE_DOES_NOT_MATCH,
    OssError,
)
from mossaic.protocol.limits import MAX_CLOCK_SKEW_S
from mossaic.protocol.signing import v1, v2, v4
from mossaic.protocol.signing.request import How, Version, octets, same
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mossaic.protocol.signing.claim import Claim
    from mossaic.protocol.signing.request import Resource, SignedRequest
    from mossaic.protocol.signing.v4 import Scope

_LONGEST_TIME: Final = 64  # characters
_SKEW: Final = timedelta(seconds=MAX_CLOCK_SKEW_S)
_BASIC: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z")
_WRONG: Final = {Version.V1: "0002-00000040", Version.V2: "0002-00000101", Version.V4: "0002-00000201"}


def verify(
    claim: Claim, request: SignedRequest, resources: Sequence[Resource], secret: str, *, now: datetime
) -> int:
    """The index of the resource whose signature fits; `resources` are the readings of the address, best first.

    `now` is aware UTC. Raises OssError: REQUEST_TIME_TOO_SKEWED, ACCESS_DENIED (no date, expired, not yet valid),
    INVALID_ARGUMENT (scope of another day), SIGNATURE_DOES_NOT_MATCH.
    """
    times = _valid_times(claim, now)
    if _is_as_documented(claim, request, resources[0], times[0], secret):
        return 0
    for index, resource in enumerate(resources):
        for time in times:
            for text in _texts(claim, request, resource, time):
                if same(_signature(claim, secret, text.string_to_sign), claim.signature):
                    return index
    raise _mismatch(claim, next(_texts(claim, request, resources[0], times[0])))


def _is_as_documented(
    claim: Claim, request: SignedRequest, resource: Resource, time: str, secret: str
) -> bool:
    """The form that nearly all clients sign, tried without the ceremony that the others need."""
    if claim.scope is None or claim.version is not Version.V4:
        return False
    query = v4.canonical_query(request.query) if request.query else ""
    canonical = v4.canonical_request(request, resource, query, claim.additional)
    text = v4.string_to_sign(canonical, claim.scope, time)
    return same(v4.signature(secret, claim.scope, text), claim.signature)


# --- signatures -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    string_to_sign: str
    canonical_request: str | None = None


def _texts(claim: Claim, request: SignedRequest, resource: Resource, time: str) -> Iterator[_Text]:
    """What may have been signed, the form of the documentation first."""
    if claim.version is Version.V1:
        in_url = claim.how is How.URL
        for text in v1.strings_to_sign(request, resource, time, in_url=in_url):
            yield _Text(string_to_sign=text)
    elif claim.version is Version.V2:
        yield _Text(string_to_sign=v2.string_to_sign(request, resource, time, claim.additional))
    else:
        assert claim.scope is not None
        for query in v4.canonical_queries(request.query):
            canonical = v4.canonical_request(request, resource, query, claim.additional)
            text = v4.string_to_sign(canonical, claim.scope, time)
            yield _Text(string_to_sign=text, canonical_request=canonical)


def _signature(claim: Claim, secret: str, text: str) -> str:
    if claim.version is Version.V1:
        return v1.signature(secret, text)
    if claim.version is Version.V2:
        return v2.signature(secret, text)
    assert claim.scope is not None
    return v4.signature(secret, claim.scope, text)


def _mismatch(claim: Claim, text: _Text) -> OssError:
    """Shows what the server would have signed, never the signature it expected."""
    return mismatch(
        claim.access_key_id,
        claim.signature,
        text.string_to_sign,
        ec=_WRONG[claim.version],
        canonical_request=text.canonical_request,
    )


def mismatch(
    access_key_id: str, provided: str, string_to_sign: str, *, ec: str, canonical_request: str | None = None
) -> OssError:
    """SIGNATURE_DOES_NOT_MATCH with the fields OSS gives it."""
    refusal = OssError(
        SIGNATURE_DOES_NOT_MATCH,
        ec=ec,
        OSSAccessKeyId=access_key_id,
        SignatureProvided=provided,
        StringToSign=string_to_sign,
        StringToSignBytes="".join(f"{byte:02X} " for byte in octets(string_to_sign)),
    )
    if canonical_request is not None:
        refusal.extras["CanonicalRequest"] = canonical_request
    return refusal


# --- time -------------------------------------------------------------------------------------------------------------


def parse_time(text: str) -> datetime | None:
    """`20240305T060708Z` or an HTTP date in GMT, as aware UTC; None when it is neither."""
    return _kept_time(text) if len(text) <= _LONGEST_TIME else None


@lru_cache(maxsize=256)  # the requests of one second share it
def _kept_time(text: str) -> datetime | None:
    match = _BASIC.fullmatch(text)
    try:
        if match is not None:
            year, month, day, hour, minute, second = map(int, match.groups())
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        return read_http_time(text)
    except ValueError:
        return None


def iso(moment: datetime) -> str:
    """As OSS writes times in errors: `2024-09-22T06:32:38.000Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _valid_times(claim: Claim, now: datetime) -> tuple[str, ...]:
    if claim.how is How.URL:
        _check_url_window(claim, now)
        return claim.times
    if not claim.times:
        raise OssError(ACCESS_DENIED, "OSS authentication requires a valid Date.", ec="0002-00000503")
    first = claim.times[0]
    _in_skew(claim, first, now, first=True)
    if len(claim.times) == 1:
        return claim.times
    return (first, *[text for text in claim.times[1:] if _in_skew(claim, text, now, first=False)])


def _in_skew(claim: Claim, text: str, now: datetime, *, first: bool) -> bool:
    """Whether a header time is near the clock. The preferred one must be; an unusable second one is not tried."""
    moment = parse_time(text)
    if moment is None:
        if first:
            raise OssError(ACCESS_DENIED, "OSS authentication requires a valid Date.", ec="0002-00000502")
        return False
    if abs(now - moment) > _SKEW:
        if first:
            raise OssError(
                REQUEST_TIME_TOO_SKEWED,
                ec="0002-00000504",
                MaxAllowedSkewMilliseconds=MAX_CLOCK_SKEW_S * 1000,
                RequestTime=iso(moment),
                ServerTime=iso(now),
            )
        return False
    _check_day(claim, text)
    return True


def is_timely(scope: Scope | None, text: str, now: datetime) -> bool:
    """Whether a header time is one to sign with now; `scope` is the one of a V4 signature."""
    moment = parse_time(text)
    if moment is None or abs(now - moment) > _SKEW:
        return False
    return scope is None or _is_of_day(scope, text)


def _is_of_day(scope: Scope, text: str) -> bool:
    """A V4 key is derived for the day of the timestamp (UTC), not for any other. `text`: what `parse_time` understood."""
    if text.startswith(scope.day):  # no HTTP date begins with eight digits
        return True
    moment = parse_time(text)
    return moment is not None and moment.strftime("%Y%m%d") == scope.day


def _check_url_window(claim: Claim, now: datetime) -> None:
    assert claim.expires is not None
    if claim.version is not Version.V4:
        if now.timestamp() > claim.expires:
            raise _expired(iso(datetime.fromtimestamp(claim.expires, UTC)), now)
        return
    start = parse_time(claim.times[0])
    if start is None or _BASIC.fullmatch(claim.times[0]) is None:
        raise OssError(
            INVALID_ARGUMENT, "x-oss-date is not valid.", ec="0002-00000223", ArgumentName="x-oss-date"
        )
    _check_day(claim, claim.times[0])
    # Timestamps, not dates: a date near the year 9999 cannot be added to.
    if now.timestamp() > start.timestamp() + claim.expires:
        raise _expired(iso(start + timedelta(seconds=claim.expires)), now)
    if now.timestamp() < start.timestamp() - MAX_CLOCK_SKEW_S:
        raise OssError(
            ACCESS_DENIED,
            "Request is not valid yet.",
            ec="0002-00000235",
            RequestTime=iso(start),
            ServerTime=iso(now),
        )


def _expired(expires: str, now: datetime) -> OssError:
    return OssError(
        ACCESS_DENIED, "Request has expired.", ec="0002-00000069", Expires=expires, ServerTime=iso(now)
    )


def _check_day(claim: Claim, text: str) -> None:
    if claim.scope is not None and not _is_of_day(claim.scope, text):
        ec = "0002-00000223" if claim.how is How.URL else "0002-00000212"
        raise OssError(INVALID_ARGUMENT, "Invalid signing date in the credential.", ec=ec)
