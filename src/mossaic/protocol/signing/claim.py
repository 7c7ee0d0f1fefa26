"""What a request says of its signature: scheme, key id, times and token, read from the header or the query and checked for form.

OSS API: "Include a V1/V4 signature in the Authorization header / in a URL". Nothing here needs a secret.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from mossaic.protocol.errors import ACCESS_DENIED, INVALID_ACCESS_KEY_ID, INVALID_ARGUMENT, OssError
from mossaic.protocol.limits import MAX_PRESIGN_V4_S, MAX_REGION
from mossaic.protocol.signing.request import How, Version
from mossaic.protocol.signing.v1 import URL_NAMES
from mossaic.protocol.signing.v2 import NAME as V2_NAME
from mossaic.protocol.signing.v4 import NAME as V4_NAME
from mossaic.protocol.signing.v4 import TERMINATOR, Scope

if TYPE_CHECKING:
    from mossaic.protocol.errors import ErrorRow
    from mossaic.protocol.signing.request import SignedRequest

PRODUCTS: Final = frozenset({"oss", "oss-cloudbox"})
_KEPT: Final = 256  # characters
_LAST: Final = ",Signature="
_NO_NAMES: Final = frozenset[str]()
_KEY_ID: Final = re.compile(r"[!-~]{1,128}")
_DAY: Final = re.compile(r"[0-9]{8}")
_INVALID_HEADER: Final = "Authorization header is invalid."


class Claim(NamedTuple):
    """`times`: the texts that may have been signed as the time, best first; empty when the request has none.
    `expires`: the Unix second of a V1 or V2 URL, or the length in seconds of a V4 URL. `scope`: V4 only."""

    version: Version
    how: How
    access_key_id: str
    signature: str
    token: str | None
    times: tuple[str, ...]
    expires: int | None = None
    additional: tuple[str, ...] = ()
    scope: Scope | None = None


def read(request: SignedRequest) -> Claim | None:
    """The claim, or None for an anonymous request. A header and a URL signature together are refused.

    Raises OssError: INVALID_ARGUMENT (form), ACCESS_DENIED (incomplete V1 URL), INVALID_ACCESS_KEY_ID (characters).
    """
    header = request.headers.get("authorization")
    names = {name for name, _ in request.query} if request.query else _NO_NAMES
    in_url = "x-oss-signature-version" in names or not URL_NAMES.isdisjoint(names)
    if header is not None and in_url:
        raise OssError(
            INVALID_ARGUMENT,
            "Only one auth mechanism allowed: the signature is in the Authorization header and in the URL.",
        )
    if header is not None:
        return _read_header(request, header)
    return _read_url(request) if in_url else None


def _read_header(request: SignedRequest, header: str) -> Claim:
    scheme, _, rest = header.partition(" ")
    if scheme == V4_NAME:
        return _v4_header(request, rest)
    if scheme == V2_NAME:
        return _v2_header(request, rest)
    if scheme == "OSS":
        return _v1_header(request, rest)
    raise OssError(INVALID_ARGUMENT, "Unsupported authorization type.", ec="0002-00000062")


def _read_url(request: SignedRequest) -> Claim:
    match request.parameter("x-oss-signature-version"):
        case None:
            return _v1_url(request)
        case version if version == V4_NAME:
            return _v4_url(request)
        case version if version == V2_NAME:
            return _v2_url(request)
        case other:
            raise OssError(
                INVALID_ARGUMENT,
                "The signature version of the URL is not supported.",
                ArgumentName="x-oss-signature-version",
                ArgumentValue=other,
            )


# --- V1 ---------------------------------------------------------------------------------------------------------------


def _v1_header(request: SignedRequest, rest: str) -> Claim:
    access_key_id, colon, signature = rest.strip().rpartition(":")
    if not colon or not access_key_id or not signature:
        raise OssError(INVALID_ARGUMENT, _INVALID_HEADER, ec="0002-00000062")
    return Claim(
        version=Version.V1,
        how=How.HEADER,
        access_key_id=_key_id(access_key_id, ec="0002-00000064"),
        signature=signature,
        # alibabacloud-oss-v2 for Python sends the token of a V1 header in `security-token`, unsigned.
        token=request.headers.get("x-oss-security-token") or request.headers.get("security-token"),
        times=_dates(request),
    )


def _v1_url(request: SignedRequest) -> Claim:
    given = {name: request.parameter(name) for name in URL_NAMES}
    if None in given.values() or "" in given.values():
        raise OssError(
            ACCESS_DENIED,
            "Query-string authentication requires the Signature, Expires and OSSAccessKeyId parameters",
            ec="0002-00000068" if given["Expires"] == "" else "0002-00000067",
        )
    expires = given["Expires"] or ""
    return Claim(
        version=Version.V1,
        how=How.URL,
        access_key_id=_key_id(given["OSSAccessKeyId"] or "", ec="0002-00000064"),
        signature=given["Signature"] or "",
        token=request.parameter("security-token") or request.headers.get("x-oss-security-token"),
        times=(expires,),
        expires=_seconds(expires),
    )


# --- V2 ---------------------------------------------------------------------------------------------------------------


def _v2_header(request: SignedRequest, rest: str) -> Claim:
    items = _items(rest, separator=":", invalid="0002-00000102")
    if not {"AccessKeyId", "Signature"} <= items.keys() <= {"AccessKeyId", "Signature", "AdditionalHeaders"}:
        raise OssError(INVALID_ARGUMENT, _INVALID_HEADER, ec="0002-00000102")
    return Claim(
        version=Version.V2,
        how=How.HEADER,
        access_key_id=_key_id(items["AccessKeyId"], ec="0002-00000107"),
        signature=items["Signature"],
        token=request.headers.get("x-oss-security-token"),
        times=_dates(request),
        additional=_additional(items.get("AdditionalHeaders")),
    )


def _v2_url(request: SignedRequest) -> Claim:
    expires = _required(request, "x-oss-expires", ec="0002-00000067", row=ACCESS_DENIED)
    access_key_id = _required(request, "x-oss-access-key-id", ec="0002-00000067", row=ACCESS_DENIED)
    signature = _required(request, "x-oss-signature", ec="0002-00000067", row=ACCESS_DENIED)
    return Claim(
        version=Version.V2,
        how=How.URL,
        access_key_id=_key_id(access_key_id, ec="0002-00000107"),
        signature=signature,
        token=request.parameter("security-token") or request.headers.get("x-oss-security-token"),
        times=(expires,),
        expires=_seconds(expires),
        additional=_additional(request.parameter("x-oss-additional-headers")),
    )


# --- V4 ---------------------------------------------------------------------------------------------------------------


def _v4_header(request: SignedRequest, rest: str) -> Claim:
    # A client says the same all day long, but for the signature. Long texts are not kept: a stranger could send many.
    # Fields by position: names would double the cost of the tuple.
    front, found, signature = rest.partition(_LAST)
    is_usual = bool(found) and bool(signature) and "," not in signature and len(front) <= _KEPT
    said = _kept_v4(f"{front}{_LAST}-") if is_usual else _read_v4(rest)
    return Claim(
        Version.V4,
        How.HEADER,
        said.access_key_id,
        signature if is_usual else said.signature,
        request.headers.get("x-oss-security-token"),
        _dates(request)[:1],
        None,
        said.additional,
        said.scope,
    )


class _V4Said(NamedTuple):
    access_key_id: str
    scope: Scope
    additional: tuple[str, ...]
    signature: str


def _read_v4(rest: str) -> _V4Said:
    if rest.count(",") not in (1, 2):
        raise OssError(
            INVALID_ARGUMENT,
            "Authorization header is invalid, bad num of Items in Authorization header.",
            ec="0002-00000202",
        )
    items = _items(rest, separator="=", invalid="0002-00000202")
    if not items.keys() <= {"Credential", "Signature", "AdditionalHeaders"}:
        raise OssError(INVALID_ARGUMENT, "Unknown parameter in Authorization header.", ec="0002-00000202")
    if not items.get("Credential") or not items.get("Signature"):
        raise OssError(
            INVALID_ARGUMENT,
            "AccessKeyId or Signature is missing in Authorization header value.",
            ec="0002-00000202",
        )
    access_key_id, scope = _credential(items["Credential"], form="0002-00000202", day="0002-00000212")
    access_key_id = _key_id(access_key_id, ec="0002-00000206")
    return _V4Said(access_key_id, scope, _additional(items.get("AdditionalHeaders")), items["Signature"])


_kept_v4: Final = lru_cache(maxsize=1024)(_read_v4)


def _v4_url(request: SignedRequest) -> Claim:
    credential = _required(request, "x-oss-credential", ec="0002-00000222")
    access_key_id, scope = _credential(credential, form="0002-00000222", day="0002-00000223")
    timestamp = _required(request, "x-oss-date", ec="0002-00000223")
    expires = _required(request, "x-oss-expires", ec="0002-00000215")
    if not _is_number(expires) or not 1 <= int(expires) <= MAX_PRESIGN_V4_S:
        raise OssError(
            INVALID_ARGUMENT,
            f"x-oss-expires must be between 1 and {MAX_PRESIGN_V4_S} seconds.",
            ec="0002-00000232",
            ArgumentName="x-oss-expires",
            ArgumentValue=expires,
        )
    return Claim(
        version=Version.V4,
        how=How.URL,
        access_key_id=_key_id(access_key_id, ec="0002-00000222"),
        signature=_required(request, "x-oss-signature", ec="0002-00000219"),
        token=request.parameter("x-oss-security-token") or request.headers.get("x-oss-security-token"),
        times=(timestamp,),
        expires=int(expires),
        additional=_additional(request.parameter("x-oss-additional-headers")),
        scope=scope,
    )


def _credential(text: str, *, form: str, day: str) -> tuple[str, Scope]:
    """As `_read_credential`; a client says the same all day long. Long texts are not kept: a stranger could send many."""
    read = _kept_credential if len(text) <= _KEPT else _read_credential
    return read(text, form, day)


def _read_credential(text: str, form: str, day: str) -> tuple[str, Scope]:
    """`<key id>/<yyyymmdd>/<region>/<product>/aliyun_v4_request`, split from the right: a key id may hold a slash."""
    pieces = text.rsplit("/", 4)
    # Keys are kept by region, and a stranger could name many long ones.
    if len(pieces) != 5 or pieces[4] != TERMINATOR or not 0 < len(pieces[2]) <= MAX_REGION:
        raise OssError(INVALID_ARGUMENT, "The credential of the signature is not valid.", ec=form)
    if _DAY.fullmatch(pieces[1]) is None:
        raise OssError(INVALID_ARGUMENT, "Invalid signing date in the credential.", ec=day)
    if pieces[3] not in PRODUCTS:
        raise OssError(
            INVALID_ARGUMENT, "Invalid signing product in Authorization header.", ec="0002-00000227"
        )
    return pieces[0], Scope(day=pieces[1], region=pieces[2], product=pieces[3])


_kept_credential: Final = lru_cache(maxsize=1024)(_read_credential)


# --- shared -----------------------------------------------------------------------------------------------------------


def _dates(request: SignedRequest) -> tuple[str, ...]:
    first, second = request.headers.get("x-oss-date"), request.headers.get("date")
    if first:
        return (first, second) if second else (first,)
    return (second,) if second else ()


def _items(rest: str, *, separator: str, invalid: str) -> dict[str, str]:
    """`a=1, b=2` as a dictionary. A name that comes twice is refused."""
    items: dict[str, str] = {}
    for item in rest.split(","):
        name, found, value = item.strip().partition(separator)
        if not found or name in items:
            raise OssError(INVALID_ARGUMENT, _INVALID_HEADER, ec=invalid)
        items[name] = value
    return items


def _additional(text: str | None) -> tuple[str, ...]:
    """Names of additional signed headers: lower case, ascending, none empty."""
    if text is None:
        return ()
    names = tuple(text.split(";"))
    if "" in names:
        ec = "0002-00000209" if not text else "0002-00000210"
        raise OssError(INVALID_ARGUMENT, "AdditionalHeaders holds an empty name.", ec=ec)
    if list(names) != sorted({name.lower() for name in names}):
        raise OssError(
            INVALID_ARGUMENT, "AdditionalHeaders must be in lower case and ascending.", ec="0002-00000209"
        )
    return names


def _key_id(text: str, *, ec: str) -> str:
    if _KEY_ID.fullmatch(text) is None:
        raise OssError(
            INVALID_ACCESS_KEY_ID,
            "The OSS Access Key Id you provided contains non-acceptable characters.",
            ec=ec,
        )
    return text


def _required(request: SignedRequest, name: str, *, ec: str, row: ErrorRow = INVALID_ARGUMENT) -> str:
    value = request.parameter(name)
    if not value:
        raise OssError(row, f"The URL lacks {name}.", ec=ec, ArgumentName=name)
    return value


def _seconds(text: str) -> int:
    if not _is_number(text):
        raise OssError(
            ACCESS_DENIED, "Invalid date (should be seconds since epoch).", ec="0002-00000070", Expires=text
        )
    return int(text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18
