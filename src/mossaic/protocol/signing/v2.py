"""Signature V2: HMAC-SHA256 over the encoded resource with all query parameters; oss2, Go v1 and Java can still send it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mossaic.protocol.signing.request import base64_mac, enc, header_lines, oss_headers

if TYPE_CHECKING:
    from mossaic.protocol.signing.request import Pair, Pairs, Resource, SignedRequest

NAME = "OSS2"


def string_to_sign(
    request: SignedRequest, resource: Resource, date_line: str, additional: tuple[str, ...] = ()
) -> str:
    headers = request.headers
    named = [name for name in additional if name in headers]
    pairs = sorted((enc(name), enc(value)) for name, value in request.query if name != "x-oss-signature")
    query = "&".join(f"{name}={value}" if value else name for name, value in pairs)
    return (
        f"{request.method}\n{headers.get('content-md5', '')}\n{headers.get('content-type', '')}\n{date_line}\n"
        f"{header_lines(headers, [*oss_headers(headers), *named])}{';'.join(additional)}\n"
        f"{enc(resource.path)}{'?' if query else ''}{query}"
    )


def signature(secret: str, text: str) -> str:
    return base64_mac(secret, text, "sha256")


def authorization(
    pair: Pair, request: SignedRequest, resource: Resource, additional: tuple[str, ...] = ()
) -> str:
    date_line = request.headers.get("x-oss-date") or request.headers["date"]
    made = signature(pair.secret, string_to_sign(request, resource, date_line, additional))
    listed = f"AdditionalHeaders:{';'.join(additional)}," if additional else ""
    return f"{NAME} AccessKeyId:{pair.access_key_id},{listed}Signature:{made}"


def presigned(pair: Pair, request: SignedRequest, resource: Resource, *, expires: int) -> Pairs:
    """The query parameters of a URL that is valid until `expires` (Unix seconds), `request.query` among them."""
    query = (
        *request.query,
        ("x-oss-signature-version", NAME),
        ("x-oss-access-key-id", pair.access_key_id),
        ("x-oss-expires", str(expires)),
        *((("security-token", pair.token),) if pair.token else ()),
    )
    covered = request._replace(query=query)
    made = signature(pair.secret, string_to_sign(covered, resource, str(expires)))
    return (*query, ("x-oss-signature", made))
