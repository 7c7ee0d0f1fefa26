"""Signature V1: HMAC-SHA1 over six unframed parts, in the `Authorization: OSS` header or in a URL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mossaic.protocol.signing.request import base64_mac, header_lines, oss_headers
from mossaic.protocol.signing.subresources import SUB_RESOURCES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mossaic.protocol.signing.request import Pair, Pairs, Resource, SignedRequest

URL_NAMES: Final = frozenset({"OSSAccessKeyId", "Expires", "Signature"})


def is_signed(name: str) -> bool:
    return name in SUB_RESOURCES or name.startswith("x-oss-")


def string_to_sign(
    request: SignedRequest, resource: Resource, date_line: str, selects: Callable[[str], bool] = is_signed
) -> str:
    """The six parts. `date_line` is the text of the date header, or of `Expires`, as it was received."""
    headers = request.headers
    picked = sorted(pair for pair in request.query if selects(pair[0]))
    query = "&".join(f"{name}={value}" if value else name for name, value in picked)
    return (
        f"{request.method}\n{headers.get('content-md5', '')}\n{headers.get('content-type', '')}\n{date_line}\n"
        f"{header_lines(headers, oss_headers(headers))}{resource.path}{'?' if query else ''}{query}"
    )


def strings_to_sign(
    request: SignedRequest, resource: Resource, date_line: str, *, in_url: bool
) -> Iterator[str]:
    """The plain form first, then what single clients sign instead."""
    yield string_to_sign(request, resource, date_line)
    # alibabacloud-oss-v2 for Python does not sign x-oss-process; it changes nothing here but the choice of a 501.
    if request.parameter("x-oss-process") is not None:
        yield string_to_sign(
            request, resource, date_line, lambda name: name != "x-oss-process" and is_signed(name)
        )
    # ali-oss signs every name of `subResource` in a URL, known or not: that covers more, never less.
    if in_url and not all(is_signed(name) or name in URL_NAMES for name, _ in request.query):
        yield string_to_sign(request, resource, date_line, lambda name: name not in URL_NAMES)


def signature(secret: str, text: str) -> str:
    return base64_mac(secret, text, "sha1")


def authorization(pair: Pair, request: SignedRequest, resource: Resource) -> str:
    """The header for a request that carries `Date` or `x-oss-date` and, with a token, `x-oss-security-token`."""
    date_line = request.headers.get("x-oss-date") or request.headers["date"]
    return f"OSS {pair.access_key_id}:{signature(pair.secret, string_to_sign(request, resource, date_line))}"


def presigned(pair: Pair, request: SignedRequest, resource: Resource, *, expires: int) -> Pairs:
    """The query parameters of a URL that is valid until `expires` (Unix seconds), `request.query` among them."""
    token = (("security-token", pair.token),) if pair.token else ()
    query = request.query + token
    covered = request._replace(query=query)
    made = signature(pair.secret, string_to_sign(covered, resource, str(expires)))
    return (*query, ("OSSAccessKeyId", pair.access_key_id), ("Expires", str(expires)), ("Signature", made))
