"""The reserved paths under `/-/`, which no bucket can have: health, metrics, the callback's public key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mossaic.gateway.message import HttpRequest, HttpResponse
from mossaic.protocol.errors import METHOD_NOT_ALLOWED, NO_SUCH_KEY, OssError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

# These pages are no documents of a site: whatever stands in them, a browser shall neither run nor frame it.
_FOR_BROWSERS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """`ready` tells why the service is not ready, or "" when it is; `metrics` gives the Prometheus page;
    `callback_key` the PEM that receivers of upload callbacks verify with."""

    ready: Callable[[], Awaitable[str]]
    metrics: Callable[[], bytes]
    callback_key: Callable[[], Awaitable[bytes]]

    async def serve(self, request: HttpRequest, path: str) -> HttpResponse:
        """Raises OssError: NO_SUCH_KEY for a path that is not there, METHOD_NOT_ALLOWED."""
        if request.method not in ("GET", "HEAD"):
            raise OssError(METHOD_NOT_ALLOWED, headers={"Allow": "GET, HEAD"}, Method=request.method)
        response = await self._page(path)
        if request.method == "HEAD":
            assert isinstance(response.body, bytes)
            response.content_length, response.body = len(response.body), b""
        return response

    async def _page(self, path: str) -> HttpResponse:
        match path:
            case "/-/livez":
                return _text(200, b"ok\n")
            case "/-/readyz":
                reason = await self.ready()
                return _text(503, f"{reason}\n".encode()) if reason else _text(200, b"ok\n")
            case "/-/metrics":
                return _text(200, self.metrics(), "text/plain; version=0.0.4; charset=utf-8")
            case "/-/callback-key.pem":
                return _text(200, await self.callback_key(), "application/x-pem-file")
            case _:
                raise OssError(NO_SUCH_KEY, Key=path)


def _text(status: int, body: bytes, content_type: str = "text/plain; charset=utf-8") -> HttpResponse:
    headers = [("Content-Type", content_type), ("Cache-Control", "no-store"), *_FOR_BROWSERS]
    return HttpResponse(status=status, headers=headers, body=body)
