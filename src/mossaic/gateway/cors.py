"""CORS at the door: preflight requests, and headers on every answer, errors too.

Without them a browser shows a network error instead of OSS's own (OSS API: OptionObject; no `Access-Control-Allow-Credentials`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mossaic.gateway.message import HttpRequest, HttpResponse
from mossaic.model import cors, documents
from mossaic.protocol.errors import ACCESS_FORBIDDEN, BAD_REQUEST, NO_SUCH_BUCKET, OssError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mossaic.model.bucket import Bucket


def requested_headers(headers: Mapping[str, str]) -> tuple[str, ...]:
    """The names in Access-Control-Request-Headers, trimmed, lower case."""
    listed = headers.get("access-control-request-headers", "")
    return tuple(name.strip().lower() for name in listed.split(",") if name.strip())


def preflight(request: HttpRequest, bucket: Bucket | None, bucket_name: str | None) -> HttpResponse:
    """OPTIONS: never authenticated. Raises OssError: BAD_REQUEST, NO_SUCH_BUCKET, ACCESS_FORBIDDEN."""
    origin = request.header("origin")
    method = request.header("access-control-request-method")
    if not origin or not method:
        missing = "Access-Control-Request-Method" if origin else "Origin"
        raise OssError(BAD_REQUEST, f"Insufficient information. {missing} request header needed.")
    if bucket is None:
        raise OssError(NO_SUCH_BUCKET, ec="0015-00000101", BucketName=bucket_name or "")
    configuration = cors.load(bucket)
    asked = requested_headers(request.index)
    rule = cors.match(configuration, origin, method, asked)
    if rule is None:
        raise OssError(ACCESS_FORBIDDEN)
    return HttpResponse(status=200, headers=list(cors.headers(configuration, rule, origin, asked)))


def answer_headers(method: str, headers: Mapping[str, str], bucket: Bucket | None) -> list[tuple[str, str]]:
    """What an actual request's answer gets; nothing when the bucket has no rules or none matches. `headers` are the request's, by
    lower-case name."""
    if bucket is None or documents.CORS not in bucket.documents:
        return []
    configuration = cors.load(bucket)
    origin = headers.get("origin", "")
    rule = cors.match(configuration, origin, method, ()) if origin else None
    return list(cors.headers(configuration, rule, origin, requested_headers(headers)))
