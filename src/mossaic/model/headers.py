"""The headers of a request that makes an object, checked and turned into what is stored (OSS API: PutObject request headers)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final

from mossaic.model.object import ObjectAcl, ObjectHeaders, StorageClass
from mossaic.model.tags import parse_tagging
from mossaic.protocol.errors import (
    INVALID_ARGUMENT,
    INVALID_ENCRYPTION_ALGORITHM_ERROR,
    KMS_SERVICE_NOT_ENABLED,
    OssError,
)
from mossaic.protocol.limits import MAX_META_BYTES
from mossaic.protocol.mime import content_type_of
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mossaic.protocol.shapes import WritesObject

_META_NAME: Final = re.compile(r"[a-z0-9-]+")
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")  # a tab is legal inside a header value
_SHOWN: Final = 256  # characters of a refused value that the error repeats
# X-Accel-* and the sendfile headers are orders to a proxy in front of us: they would open its own files.
_RESERVED_PREFIXES: Final = (
    "x-oss-",
    "x-accel-",
    "access-control-",
    "content-",
    "cross-origin-",
    "proxy-",
    "sec-",
    "transfer-",
    "if-",
)
_RESERVED: Final = frozenset(
    {
        "accept-ranges",
        "age",
        "allow",
        "alt-svc",
        "authorization",
        "cache-control",
        "clear-site-data",
        "connection",
        "cookie",
        "date",
        "etag",
        "expires",
        "host",
        "keep-alive",
        "last-modified",
        "link",
        "location",
        "nel",
        "range",
        "refresh",
        "report-to",
        "reporting-endpoints",
        "retry-after",
        "server",
        "service-worker-allowed",
        "set-cookie",
        "strict-transport-security",
        "surrogate-control",
        "te",
        "trailer",
        "upgrade",
        "vary",
        "via",
        "www-authenticate",
        "x-lighttpd-send-file",
        "x-sendfile",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """What a write says of the object beside its bytes, checked. `request_id`: the upload-request link that it comes through."""

    headers: ObjectHeaders
    tags: Mapping[str, str]
    acl: ObjectAcl
    storage_class: StorageClass
    forbid_overwrite: bool
    request_id: str | None = None


def attributes(shape: WritesObject, key: str, default_class: StorageClass) -> Attributes:
    """Everything `shape` says of the object at once; `default_class` is the bucket's. Raises OssError as the parts do."""
    return Attributes(
        headers=object_headers(shape, key),
        tags=parse_tagging(shape.tagging),
        acl=object_acl(shape.object_acl),
        storage_class=storage_class(shape.storage_class, default_class),
        forbid_overwrite=forbid_overwrite(shape.forbid_overwrite),
    )


def object_headers(shape: WritesObject, key: str) -> ObjectHeaders:
    """The headers that come back with the object. Without a Content-Type the key's extension decides.

    Raises OssError: INVALID_ARGUMENT (control characters, metadata too large or badly named, persistent headers),
    INVALID_ENCRYPTION_ALGORITHM_ERROR, KMS_SERVICE_NOT_ENABLED.
    """
    said = {
        "Cache-Control": shape.cache_control,
        "Content-Disposition": shape.content_disposition,
        "Content-Encoding": shape.content_encoding,
        "Content-Language": shape.content_language,
        "Content-Type": shape.content_type or content_type_of(key),
        "Expires": shape.expires,
    }
    stored = {name: plain(name, value) for name, value in said.items() if value is not None}
    stored |= persistent_headers(shape.persistent_headers)
    return ObjectHeaders(
        stored=stored,
        meta=user_meta(shape.meta),
        encryption=encryption(shape.server_side_encryption),
    )


def plain(name: str, value: str) -> str:
    """A header value as it can travel: text outside Latin-1 (from a form) becomes the bytes of its UTF-8.

    Raises OssError INVALID_ARGUMENT for CR, LF, NUL and other control characters.
    """
    if _CONTROL.search(value) is not None:
        raise _bad(name, ascii(value), "A header value has a control character in it.")
    return _wire(value)


def user_meta(meta: Mapping[str, str]) -> dict[str, str]:
    """`x-oss-meta-*`: names of letters, digits and hyphens; 8 KiB in all, counting names and values.

    Values may be any visible text: clients send UTF-8 and base64 there.

    Raises OssError INVALID_ARGUMENT.
    """
    checked: dict[str, str] = {}
    for name, value in meta.items():
        if _META_NAME.fullmatch(name) is None:
            message = "The name of a metadata header may have letters, digits and hyphens."
            raise _bad("x-oss-meta-" + name, value, message, ec="0011-00000004")
        if _CONTROL.search(value) is not None:
            message = "The value of a metadata header has a control character in it."
            raise _bad("x-oss-meta-" + name, ascii(value), message, ec="0011-00000005")
        checked[name] = _wire(value)
    size = sum(len(name) + len(value) for name, value in checked.items())
    if size > MAX_META_BYTES:
        message = f"The metadata has {size} bytes; {MAX_META_BYTES} are allowed."
        raise _bad("x-oss-meta-*", str(size), message, ec="0011-00000002")
    return checked


def persistent_headers(text: str | None) -> dict[str, str]:
    """`x-oss-persistent-headers: name:base64(value),…`: further headers that readers get back as they are.

    Raises OssError INVALID_ARGUMENT: syntax, base64, control characters, or a header that has a meaning of its own.
    """
    found: dict[str, str] = {}
    for piece in text.split(",") if text else ():
        name, colon, encoded = (part.strip() for part in piece.partition(":"))
        if not colon or _TOKEN.fullmatch(name) is None or _is_reserved(name.lower()):
            raise _persistent(piece)
        try:
            value = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, ValueError):
            raise _persistent(piece) from None
        found[name] = plain("x-oss-persistent-headers", value)
    if sum(len(name) + len(value) for name, value in found.items()) > MAX_META_BYTES:
        raise _persistent(text or "")
    return found


def storage_class(text: str | None, default: StorageClass) -> StorageClass:
    """Raises OssError INVALID_ARGUMENT."""
    if text is None:
        return default
    try:
        return StorageClass(text)
    except ValueError:
        raise _bad("x-oss-storage-class", text, "There is no such storage class.") from None


def object_acl(text: str | None) -> ObjectAcl:
    """Raises OssError INVALID_ARGUMENT."""
    if text is None:
        return ObjectAcl.DEFAULT
    try:
        return ObjectAcl(text)
    except ValueError:
        raise _bad("x-oss-object-acl", text, "There is no such ACL.") from None


def forbid_overwrite(text: str | None) -> bool:
    """Raises OssError INVALID_ARGUMENT for anything but true and false (any letter case)."""
    if text is None:
        return False
    match text.lower():
        case "true":
            return True
        case "false":
            return False
        case _:
            message = "x-oss-forbid-overwrite must be true or false."
            raise _bad("x-oss-forbid-overwrite", text, message, ec="0017-00000279")


def encryption(text: str | None) -> str | None:
    """The algorithm asked for. There is no key management service here, so KMS is refused.

    Raises OssError INVALID_ENCRYPTION_ALGORITHM_ERROR, KMS_SERVICE_NOT_ENABLED.
    """
    if text == "KMS":
        raise OssError(KMS_SERVICE_NOT_ENABLED)
    if text not in {None, "AES256", "SM4"}:
        raise OssError(INVALID_ENCRYPTION_ALGORITHM_ERROR)
    return text


def _is_reserved(name: str) -> bool:
    """Headers that OSS, HTTP or a browser gives a meaning of its own must not come from a writer's free choice."""
    return name in _RESERVED or name.startswith(_RESERVED_PREFIXES)


def _wire(value: str) -> str:
    """Header text is Latin-1 inside Mossaic, byte for byte what travelled."""
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode(errors="replace").decode("latin-1")
    return value


def _persistent(piece: str) -> OssError:
    return _bad("x-oss-persistent-headers", piece, "The persistent headers are not valid.")


def _bad(name: str, value: str, message: str, *, ec: str | None = None) -> OssError:
    return OssError(INVALID_ARGUMENT, message, ec=ec, ArgumentName=name, ArgumentValue=value[:_SHOWN])
