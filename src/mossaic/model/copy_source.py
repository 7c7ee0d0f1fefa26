"""`x-oss-copy-source: /bucket/key[?versionId=…]` and the directives that come with it (OSS API: CopyObject)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from mossaic.model.names import bucket_name, object_key, version_id
from mossaic.protocol.errors import INVALID_ARGUMENT, OssError
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from mossaic.model.names import BucketName, ObjectKey, VersionId

_HEADER: Final = "x-oss-copy-source"
_VERSION: Final = "?versionId="
_BAD_ESCAPE: Final = r"%(?![0-9A-Fa-f]{2})"


@dataclass(frozen=True, slots=True, kw_only=True)
class CopySource:
    """An object, or one version of it."""

    bucket: BucketName
    key: ObjectKey
    version_id: VersionId | None = None


def parse_copy_source(text: str) -> CopySource:
    """The version is split off first, then everything is decoded once: ali-oss escapes the key's slashes, v2 does not, and
    Go v1 writes a space as `+`, where all write a plus as %2B. The leading slash may be missing.

    Raises OssError INVALID_ARGUMENT.
    """
    path, mark, version = text.partition(_VERSION)
    path = path.removeprefix("/")
    bucket, slash, key = path.partition("/")
    if not slash:  # a client that escaped the separator, too
        bucket, _, key = _unescaped(path, text).removeprefix("/").partition("/")
    else:
        bucket, key = _unescaped(bucket, text), _unescaped(key, text)
    try:
        return CopySource(
            bucket=bucket_name(bucket),
            key=object_key(key),
            version_id=version_id(_unescaped(version, text)) if mark else None,
        )
    except OssError:
        raise _malformed(text) from None


def replaces(directive: str | None, header: str) -> bool:
    """A directive is COPY (also when absent) or REPLACE, in any letter case. Raises OssError INVALID_ARGUMENT."""
    match (directive or "COPY").upper():
        case "COPY":
            return False
        case "REPLACE":
            return True
        case _:
            raise OssError(INVALID_ARGUMENT, ArgumentName=header, ArgumentValue=directive or "")


def unescaped(text: str) -> str | None:
    """Percent-decoded UTF-8; None when it is not well-formed. Header text is Latin-1 of what travelled."""
    if re.search(_BAD_ESCAPE, text) is not None:
        return None
    try:
        return unquote_to_bytes(text.encode("latin-1")).decode()
    except UnicodeError:
        return None


def _unescaped(part: str, whole: str) -> str:
    plain = unescaped(part.replace("+", " "))
    if plain is None:
        raise _malformed(whole)
    return plain


def _malformed(text: str) -> OssError:
    return OssError(
        INVALID_ARGUMENT,
        "Copy Source must mention the source bucket and key: /sourcebucket/sourcekey.",
        ec="0016-00000305",
        ArgumentName=_HEADER,
        ArgumentValue=text[:1024],
    )
