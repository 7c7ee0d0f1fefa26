"""An answer other than success, read into the exception that carries it."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Final

from mossaic.client.errors import ServerError, class_of
from mossaic.protocol.xml import XmlError, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

_KNOWN: Final = frozenset({"Code", "Message", "RequestId", "HostId", "EC"})
# What a status means when the answer has no error document: a HEAD without x-oss-err, a proxy on the way.
_BY_STATUS: Final = {
    304: "NotModified",
    403: "AccessDenied",
    404: "NoSuchKey",
    409: "FileAlreadyExists",
    412: "PreconditionFailed",
    416: "InvalidRange",
}


def read_refusal(operation: str, status: int, headers: Mapping[str, str], body: bytes) -> ServerError:
    """`headers` by lower-case name. A HEAD's document travels in `x-oss-err` (base64)."""
    fields = _document(headers, body)
    code = fields.get("Code") or _BY_STATUS.get(status) or f"Http{status}"
    return class_of(code)(
        code=code,
        status=status,
        message=fields.get("Message") or _plain(body) or f"the server answered {status}",
        request_id=fields.get("RequestId") or headers.get("x-oss-request-id", ""),
        host_id=fields.get("HostId", ""),
        ec=fields.get("EC") or headers.get("x-oss-ec", ""),
        operation=operation,
        extras={name: text for name, text in fields.items() if name not in _KNOWN}
        | {name: headers[name] for name in ("x-oss-next-append-position",) if name in headers},
    )


def _document(headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    try:
        text = body or b64decode(headers.get("x-oss-err", ""))
        root = parse(text) if text else None
    except (XmlError, ValueError):
        return {}
    if root is None or root.tag != "Error":
        return {}
    return {child.tag: child.text for child in root.children}


def _plain(body: bytes) -> str:
    """The first words of an answer that is no document, so that a proxy's complaint is seen."""
    text = " ".join(body[:400].decode("utf-8", "replace").split())
    return text[:200] if text and not text.startswith("<") else ""
