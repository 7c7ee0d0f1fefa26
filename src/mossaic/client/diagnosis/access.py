"""Whether the service takes the signature, and what a browser would be told."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from mossaic.client.diagnosis.finding import Finding
from mossaic.client.errors import CredentialsError, MossaicError, NetworkError, ServerError
from mossaic.client.exchange import Ask
from mossaic.client.http import Request
from mossaic.protocol.operations import listing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mossaic.client.exchange import Session

METHODS: Final = ("PUT", "POST", "GET", "HEAD", "DELETE")
EXPOSED: Final = ("ETag", "x-oss-request-id", "x-oss-hash-crc64ecma", "x-oss-version-id")
_SENT: Final = (
    "authorization,content-type,x-oss-content-sha256,x-oss-date,x-oss-security-token,x-oss-user-agent"
)
_ADVICE: Final = {
    "SignatureDoesNotMatch": "the secret does not belong to the key id, or a proxy changes the request",
    "InvalidAccessKeyId": "the service does not know this key id: another service, or a key that was deleted",
    "InvalidSecurityToken": "the token does not belong to the key pair",
    "SecurityTokenExpired": "get a new token: temporary credentials end",
    "NoSuchBucket": "make it (mossaic mb), or check its name and the endpoint's region",
}


def signature(session: Session, bucket: str, prefix: str) -> Finding:
    """Whether a signed listing is answered."""
    try:
        who = session.provider.get()
        reply = session.do(listing.LIST_OBJECTS_V2, _one(bucket, prefix), Ask(deadline=30))
    except CredentialsError as error:
        return Finding(check="signature", verdict="failed", words=str(error))
    except ServerError as error:
        if error.code == "AccessDenied":
            return Finding(
                check="signature",
                verdict="warning",
                words=f"the signature is right, but listing is not allowed (request id {error.request_id})",
                advice=("an uploader needs no more than oss:PutObject; oss:ListParts lets it resume",),
                facts={"code": error.code, "request_id": error.request_id},
            )
        return Finding(
            check="signature",
            verdict="failed",
            words=f"{error.code}: {error.message} (request id {error.request_id})",
            advice=tuple(text for code, text in _ADVICE.items() if code == error.code),
            facts={"code": error.code, "request_id": error.request_id, "ec": error.ec},
        )
    except MossaicError as error:
        return Finding(check="signature", verdict="failed", words=str(error))
    if not who.access_key_id:
        return Finding(
            check="signature", verdict="warning", words="the bucket answers without a signature: it is public"
        )
    kind = "temporary" if who.security_token else "permanent"
    return Finding(
        check="signature",
        verdict="ok",
        words=f"{session.signer.version.upper()} with the {kind} key {who.access_key_id} is accepted",
        facts={"access_key_id": who.access_key_id, "request_id": reply.request_id},
    )


def cors(session: Session, bucket: str, prefix: str, origin: str) -> Finding:
    """Whether a page at `origin` could upload parts: the preflight, and whether it may read the ETag of the answer."""
    try:
        preflight = _preflight(session, bucket, prefix, origin)
        answered = session.do(
            listing.LIST_OBJECTS_V2, _one(bucket, prefix), Ask(headers={"Origin": origin}, deadline=30)
        ).headers
    except (NetworkError, ServerError, CredentialsError) as error:
        return Finding(check="cors", verdict="skipped", words=f"could not be tried: {error}")
    wrong = _refused(preflight, origin)
    if wrong is None and "etag" not in _listed(answered.get("access-control-expose-headers", "")):
        wrong = 'a page may not read the ETag of a part: "Please set the etag of expose-headers in OSS"'
    if wrong is None:
        return Finding(
            check="cors", verdict="ok", words=f"a page at {origin} may upload parts and read their ETags"
        )
    return Finding(
        check="cors",
        verdict="warning",
        words=f"a page at {origin} cannot upload: {wrong}",
        advice=("only browsers need this; the rule to set:", *rule(origin)),
        facts={"origin": origin},
    )


def rule(origin: str) -> tuple[str, ...]:
    """The exact CORS rule, as the lines of its XML."""
    return (
        "<CORSRule>",
        f"  <AllowedOrigin>{origin}</AllowedOrigin>",
        *(f"  <AllowedMethod>{method}</AllowedMethod>" for method in METHODS),
        "  <AllowedHeader>*</AllowedHeader>",
        *(f"  <ExposeHeader>{name}</ExposeHeader>" for name in EXPOSED),
        "  <MaxAgeSeconds>600</MaxAgeSeconds>",
        "</CORSRule>",
    )


def _preflight(session: Session, bucket: str, prefix: str, origin: str) -> Mapping[str, str]:
    place = session.endpoint.place(bucket, f"{prefix}doctor")
    request = Request(
        method="OPTIONS",
        origin=place.origin,
        target=place.path,
        headers=[
            ("host", place.host),
            ("user-agent", session.user_agent),
            ("Origin", origin),
            ("Access-Control-Request-Method", "PUT"),
            ("Access-Control-Request-Headers", _SENT),
        ],
    )
    with session.pool.send(request, deadline=time.monotonic() + 30) as response:
        return {**response.headers, ":status": str(response.status)}


def _refused(preflight: Mapping[str, str], origin: str) -> str | None:
    if preflight[":status"] != "200":
        return f"the preflight is answered {preflight[':status']}; no CORS rule fits"
    if preflight.get("access-control-allow-origin") not in (origin, "*"):
        return "the origin is not allowed"
    if "put" not in _listed(preflight.get("access-control-allow-methods", "")):
        return "PUT is not allowed"
    allowed = _listed(preflight.get("access-control-allow-headers", ""))
    missing = [name for name in _SENT.split(",") if name not in allowed and "*" not in allowed]
    return f"these headers are not allowed: {', '.join(missing)}" if missing else None


def _listed(text: str) -> set[str]:
    return {piece.strip().lower() for piece in text.split(",") if piece.strip()}


def _one(bucket: str, prefix: str) -> listing.ListObjectsV2:
    return listing.ListObjectsV2(bucket=bucket, prefix=prefix or None, max_keys="1")
