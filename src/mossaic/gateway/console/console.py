"""The reserved paths under `/-/`, which no bucket can have, and the way from the front door to the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mossaic.gateway.console.api import PREFIX
from mossaic.gateway.console.assets import ROOT
from mossaic.gateway.message import HttpRequest, HttpResponse
from mossaic.protocol.errors import METHOD_NOT_ALLOWED, NO_SUCH_KEY, OssError
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mossaic.gateway.console.api import ApiEndpoint, Visit
    from mossaic.gateway.console.assets import Assets

# These answers are no documents of a site: whatever stands in them, a browser shall neither run nor frame it.
_FOR_BROWSERS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """`ready` tells why the service is not ready, or "" when it is; `metrics` gives the Prometheus page; `callback_key` the PEM
    that receivers of upload callbacks verify with. `assets` and `api` are the web page: None where the settings switch it off."""

    ready: Callable[[], Awaitable[str]]
    metrics: Callable[[], bytes]
    callback_key: Callable[[], Awaitable[bytes]]
    assets: Assets | None = None
    api: ApiEndpoint | None = None

    @property
    def has_page(self) -> bool:
        return self.assets is not None

    async def serve(self, visit: Visit) -> HttpResponse:
        """Raises OssError: NO_SUCH_KEY for a path that is not there, METHOD_NOT_ALLOWED, and those of the API."""
        request, path = visit.request, visit.path
        if self.api is not None and path.startswith(PREFIX):
            return await self.api.serve(visit)
        if request.method not in ("GET", "HEAD"):
            raise OssError(METHOD_NOT_ALLOWED, headers={"Allow": "GET, HEAD"}, Method=request.method)
        if self.assets is not None and path in self.assets:
            response = await self.assets.serve(request, path)
        else:
            response = await self._page(path)
        if request.method == "HEAD":
            assert isinstance(response.body, bytes)
            response.content_length, response.body = len(response.body), b""
        return response

    def greets(self, request: HttpRequest) -> bool:
        """Somebody typed the service's address into a browser: no client of OSS asks for HTML there, or without a signature."""
        return (
            self.assets is not None
            and ROOT in self.assets
            and request.method in ("GET", "HEAD")
            and request.target == "/"
            and request.header("accept").startswith("text/html")
            and not request.header("authorization")
        )

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


def to_page() -> HttpResponse:
    """From the front door to the page."""
    headers = [("Location", ROOT), ("Cache-Control", "no-store"), ("Vary", "Accept"), *_FOR_BROWSERS]
    return HttpResponse(status=302, headers=headers)


def _text(status: int, body: bytes, content_type: str = "text/plain; charset=utf-8") -> HttpResponse:
    headers = [("Content-Type", content_type), ("Cache-Control", "no-store"), *_FOR_BROWSERS]
    return HttpResponse(status=status, headers=headers, body=body)
