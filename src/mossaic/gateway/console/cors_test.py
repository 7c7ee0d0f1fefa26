"""The CORS test: what a page of some origin would be answered, by the very code that answers real preflights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mossaic.gateway import cors as door
from mossaic.gateway.console.api import api
from mossaic.gateway.message import HttpRequest
from mossaic.model import cors
from mossaic.protocol.errors import INVALID_ARGUMENT, OssError

if TYPE_CHECKING:
    from mossaic.gateway.console.api import ApiCall
    from mossaic.gateway.message import HttpResponse
    from mossaic.model.bucket import Bucket


@api.on("GET", "cors-test")
async def cors_test(call: ApiCall) -> dict[str, object]:
    """`rule`: the number of the rule that decided, counted from 1. `advice`: codes of what to change, the gravest first."""
    bucket = await call.bucket(call.parameter("bucket"))
    await call.authorize("oss:GetBucketCors", bucket)
    asked = _asked(call)
    preflight = _preflight(asked, bucket)
    configuration = cors.load(bucket)
    origin, method = asked.header("origin"), asked.header("access-control-request-method")
    rule = cors.match(configuration, origin, method, door.requested_headers(asked.index))
    exposed = {name.lower() for name in rule.expose_headers} if rule is not None else set[str]()
    return {
        "allowed": rule is not None,
        "rule": configuration.rules.index(rule) + 1 if rule is not None else None,
        "preflight": {"status": preflight.status, "headers": dict(preflight.headers)},
        "exposes_etag": "etag" in exposed,
        "exposes_request_id": "x-oss-request-id" in exposed,
        "advice": _advice(bucket, asked, exposed if rule is not None else None),
    }


def _asked(call: ApiCall) -> HttpRequest:
    """The preflight that a browser would send. Raises OssError: MISSING_ARGUMENT, INVALID_ARGUMENT."""
    headers = {
        "origin": call.parameter("origin"),
        "access-control-request-method": call.parameter("method"),
        "access-control-request-headers": call.parameter("headers", ""),
    }
    for name, value in headers.items():
        if not value.isascii() or not value.isprintable():
            raise OssError(INVALID_ARGUMENT, f"{name} is not a header's value.", ArgumentName=name)
    key = call.parameter("key", "")
    request = call.call.request
    return HttpRequest(
        method="OPTIONS",
        target=f"/{key}",
        headers=tuple(headers.items()),
        body=request.body,
        index={name: value for name, value in headers.items() if value},
    )


def _preflight(asked: HttpRequest, bucket: Bucket) -> HttpResponse | _Refused:
    try:
        return door.preflight(asked, bucket, bucket.name)
    except OssError as error:
        return _Refused(error)


class _Refused:
    """A preflight that is refused has no CORS headers at all."""

    def __init__(self, error: OssError) -> None:
        self.status = error.status
        self.headers: list[tuple[str, str]] = []


def _advice(bucket: Bucket, asked: HttpRequest, exposed: set[str] | None) -> list[str]:
    if exposed is not None:
        return [
            code
            for name, code in (("etag", "expose-etag"), ("x-oss-request-id", "expose-request-id"))
            if name not in exposed
        ]
    configuration = cors.load(bucket)
    if not configuration.rules:
        return ["no-rules"]
    origin, method = asked.header("origin"), asked.header("access-control-request-method")
    headers = door.requested_headers(asked.index)
    for_origin = [rule for rule in configuration.rules if cors.fits_origin(rule, origin)]
    if not for_origin:
        return ["allow-origin"]
    if not any(method in rule.allowed_methods for rule in for_origin):
        return ["allow-method"]
    if any(cors.match(configuration, origin, method, (name,)) is None for name in headers):
        return ["allow-headers"]
    return ["one-rule"]  # every piece is allowed by some rule, but rules are never merged
