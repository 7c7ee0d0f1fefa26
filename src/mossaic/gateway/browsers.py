"""Objects that a browser opens at the web page's own origin: they are shown, but have no part in that origin.

A path-style URL shares its origin with `/-/console/`, and a signed URL may be of anybody's HTML. See docs/adr/0016. An object at
`BUCKET.DOMAIN` or a bound domain has another origin and is left alone, and so is whatever is signed in a header, which no link
can be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mossaic.protocol.errors import ACCESS_DENIED, OssError

if TYPE_CHECKING:
    from mossaic.gateway.message import HttpRequest, HttpResponse

_SANDBOX: Final = ("Content-Security-Policy", "sandbox")
_NO_SNIFFING: Final = ("X-Content-Type-Options", "nosniff")
# Browsers show it in a viewer of another origin, which a sandbox would keep from starting.
_INERT: Final = "application/pdf"
_RUNS: Final = frozenset(("script", "worker", "sharedworker", "serviceworker", "style", "xslt", "manifest"))


def _from_a_link(request: HttpRequest) -> bool:
    return request.method in ("GET", "HEAD") and "authorization" not in request.index


def refuse_to_run(request: HttpRequest) -> None:
    """No object becomes a script of the page, whatever got into the page. Raises OssError ACCESS_DENIED."""
    if (
        request.header("sec-fetch-dest") in _RUNS
        and request.header("sec-fetch-site") == "same-origin"
        and _from_a_link(request)
    ):
        raise OssError(ACCESS_DENIED, "An object is no script of this origin.")


def fence(request: HttpRequest, response: HttpResponse) -> None:
    """A document made of this answer gets an origin of its own, without scripts, forms and storage."""
    if not _from_a_link(request):
        return
    response.headers.append(_NO_SNIFFING)
    if not any(name == "Content-Type" and value == _INERT for name, value in response.headers):
        response.headers.append(_SANDBOX)
