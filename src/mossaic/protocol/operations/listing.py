"""Listings of objects and of their versions, and the rules that every listing's parameters obey."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, ClassVar, Final

from mossaic.protocol.errors import INVALID_ARGUMENT, OssError
from mossaic.protocol.limits import MAX_KEY_BYTES, MAX_PAGE
from mossaic.protocol.operation import AnyOperation, Level, Operation
from mossaic.protocol.shape import shape
from mossaic.protocol.shapes import OnBucket, Owner
from mossaic.protocol.wire import Element, Query

_EC_PAGE: Final = "0015-00000402"
_EC_PREFIX: Final = "0015-00000404"
_EC_MARKER: Final = "0015-00000405"
_EC_DELIMITER: Final = "0015-00000406"


def page_size(text: str | None, default: int, *, name: str = "max-keys") -> int:
    """The number of entries that is asked for: 1 … 1000, never clamped; `default` when nothing is.

    Raises OssError INVALID_ARGUMENT.
    """
    if text is None:
        return default
    if text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= MAX_PAGE:
        return int(text)
    raise _refused(name, text, _EC_PAGE)


def page_prefix(text: str | None, *, name: str = "prefix") -> str:
    """At most 1023 bytes of UTF-8. Raises OssError INVALID_ARGUMENT."""
    return _bounded(text, name, _EC_PREFIX)


def page_marker(text: str | None, *, name: str = "marker") -> str:
    """At most 1023 bytes of UTF-8. Raises OssError INVALID_ARGUMENT."""
    return _bounded(text, name, _EC_MARKER)


def page_delimiter(text: str | None) -> str:
    """Nothing or one character (OSS API: ListObjects, delimiter). Raises OssError INVALID_ARGUMENT."""
    if text and len(text) > 1:
        raise _refused("delimiter", text, _EC_DELIMITER)
    return _bounded(text, "delimiter", _EC_DELIMITER)


def page_encoding(text: str | None) -> str | None:
    """`url` or nothing. Raises OssError INVALID_ARGUMENT."""
    if not text:
        return None
    if text != "url":
        raise _refused("encoding-type", text, None)
    return text


def _bounded(text: str | None, name: str, ec: str) -> str:
    if not text:
        return ""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:  # a lone surrogate: the query was not UTF-8
        raise _refused(name, ascii(text), ec) from None
    if size > MAX_KEY_BYTES:
        raise _refused(name, text, ec)
    return text


def _refused(name: str, value: str, ec: str | None) -> OssError:
    return OssError(INVALID_ARGUMENT, ec=ec, ArgumentName=name, ArgumentValue=value)


# Tokens: base64 whose "+", "/" and "=" are "_", "." and "-", because clients percent-decode them, and OSS's own end in "--".
_TOKEN_ALPHABET: Final = b"_."
_TOKEN_VERSION: Final = b"\x0a"


def continuation_token(marker: str) -> str:
    """A marker as an opaque token, free of `%` and `+`."""
    return b64encode(_TOKEN_VERSION + marker.encode(), _TOKEN_ALPHABET).decode().replace("=", "-")


def continued_marker(token: str) -> str:
    """The marker in a token. Raises OssError INVALID_ARGUMENT."""
    try:
        raw = b64decode(token.replace("-", "=").encode("ascii"), _TOKEN_ALPHABET, validate=True)
        marker = raw.removeprefix(_TOKEN_VERSION).decode()
    except ValueError:
        raise _refused("continuation-token", token[:MAX_KEY_BYTES], None) from None
    if not raw.startswith(_TOKEN_VERSION) or len(raw) > MAX_KEY_BYTES + 1:
        raise _refused("continuation-token", token[:MAX_KEY_BYTES], None)
    return marker


@shape
class CommonPrefix:
    """Keys that share this beginning up to the delimiter."""

    prefix: Annotated[str, Element("Prefix", encoded=True)]


@shape
class ObjectEntry:
    """`owner` is there in V1 always, in V2 on demand."""

    key: Annotated[str, Element("Key", encoded=True)]
    modified_at: Annotated[datetime, Element("LastModified")]
    etag: Annotated[str, Element("ETag", quoted=True)]
    type: Annotated[str, Element("Type")]
    size: Annotated[int, Element("Size")]
    storage_class: Annotated[str, Element("StorageClass")]
    owner: Annotated[Owner | None, Element("Owner")] = None


@shape
class ListObjects(OnBucket):
    """`marker` is exclusive and need not exist."""

    prefix: Annotated[str | None, Query("prefix")] = None
    delimiter: Annotated[str | None, Query("delimiter")] = None
    marker: Annotated[str | None, Query("marker")] = None
    max_keys: Annotated[str | None, Query("max-keys")] = None
    encoding_type: Annotated[str | None, Query("encoding-type")] = None


@shape
class ListObjectsResult:
    XML_ROOT: ClassVar[str] = "ListBucketResult"

    name: Annotated[str, Element("Name")]
    prefix: Annotated[str, Element("Prefix", encoded=True)] = ""
    marker: Annotated[str, Element("Marker", encoded=True)] = ""
    max_keys: Annotated[int, Element("MaxKeys")]
    delimiter: Annotated[str, Element("Delimiter", encoded=True)] = ""
    encoding_type: Annotated[str | None, Element("EncodingType")] = None
    is_truncated: Annotated[bool, Element("IsTruncated")] = False
    next_marker: Annotated[str | None, Element("NextMarker", encoded=True)] = None
    contents: Annotated[Sequence[ObjectEntry], Element("Contents")] = ()
    common_prefixes: Annotated[Sequence[CommonPrefix], Element("CommonPrefixes")] = ()


@shape
class ListObjectsV2(OnBucket):
    """`continuation_token` wins over `start_after`; both are exclusive."""

    prefix: Annotated[str | None, Query("prefix")] = None
    delimiter: Annotated[str | None, Query("delimiter")] = None
    start_after: Annotated[str | None, Query("start-after")] = None
    continuation_token: Annotated[str | None, Query("continuation-token")] = None
    max_keys: Annotated[str | None, Query("max-keys")] = None
    fetch_owner: Annotated[bool, Query("fetch-owner")] = False
    encoding_type: Annotated[str | None, Query("encoding-type")] = None


@shape
class ListObjectsV2Result:
    """`key_count` counts contents and common prefixes together; the Java client cannot do without it."""

    XML_ROOT: ClassVar[str] = "ListBucketResult"

    name: Annotated[str, Element("Name")]
    prefix: Annotated[str, Element("Prefix", encoded=True)] = ""
    start_after: Annotated[str | None, Element("StartAfter", encoded=True)] = None
    continuation_token: Annotated[str | None, Element("ContinuationToken", encoded=True)] = None
    max_keys: Annotated[int, Element("MaxKeys")]
    delimiter: Annotated[str, Element("Delimiter", encoded=True)] = ""
    encoding_type: Annotated[str | None, Element("EncodingType")] = None
    is_truncated: Annotated[bool, Element("IsTruncated")] = False
    next_continuation_token: Annotated[str | None, Element("NextContinuationToken", encoded=True)] = None
    key_count: Annotated[int, Element("KeyCount")]
    contents: Annotated[Sequence[ObjectEntry], Element("Contents")] = ()
    common_prefixes: Annotated[Sequence[CommonPrefix], Element("CommonPrefixes")] = ()


@shape
class VersionEntry:
    key: Annotated[str, Element("Key", encoded=True)]
    version_id: Annotated[str, Element("VersionId")]
    is_latest: Annotated[bool, Element("IsLatest")]
    modified_at: Annotated[datetime, Element("LastModified")]
    etag: Annotated[str, Element("ETag", quoted=True)]
    type: Annotated[str, Element("Type")]
    size: Annotated[int, Element("Size")]
    storage_class: Annotated[str, Element("StorageClass")]
    owner: Annotated[Owner, Element("Owner")]


@shape
class MarkerEntry:
    """A delete marker."""

    key: Annotated[str, Element("Key", encoded=True)]
    version_id: Annotated[str, Element("VersionId")]
    is_latest: Annotated[bool, Element("IsLatest")]
    modified_at: Annotated[datetime, Element("LastModified")]
    owner: Annotated[Owner, Element("Owner")]


@shape
class ListObjectVersions(OnBucket):
    """`version_id_marker` goes on inside `key_marker` and means nothing without it."""

    prefix: Annotated[str | None, Query("prefix")] = None
    delimiter: Annotated[str | None, Query("delimiter")] = None
    key_marker: Annotated[str | None, Query("key-marker")] = None
    version_id_marker: Annotated[str | None, Query("version-id-marker")] = None
    max_keys: Annotated[str | None, Query("max-keys")] = None
    encoding_type: Annotated[str | None, Query("encoding-type")] = None


@shape
class ListObjectVersionsResult:
    XML_ROOT: ClassVar[str] = "ListVersionsResult"

    name: Annotated[str, Element("Name")]
    prefix: Annotated[str, Element("Prefix", encoded=True)] = ""
    key_marker: Annotated[str, Element("KeyMarker", encoded=True)] = ""
    version_id_marker: Annotated[str, Element("VersionIdMarker")] = ""
    max_keys: Annotated[int, Element("MaxKeys")]
    delimiter: Annotated[str, Element("Delimiter", encoded=True)] = ""
    encoding_type: Annotated[str | None, Element("EncodingType")] = None
    is_truncated: Annotated[bool, Element("IsTruncated")] = False
    next_key_marker: Annotated[str | None, Element("NextKeyMarker", encoded=True)] = None
    next_version_id_marker: Annotated[str | None, Element("NextVersionIdMarker")] = None
    versions: Annotated[Sequence[VersionEntry], Element("Version")] = ()
    delete_markers: Annotated[Sequence[MarkerEntry], Element("DeleteMarker")] = ()
    common_prefixes: Annotated[Sequence[CommonPrefix], Element("CommonPrefixes")] = ()


# Listing is granted by ownership and policies, never by an ACL: public-read opens objects, not the list of them.
LIST_OBJECTS: Final = Operation(
    name="ListObjects",
    method="GET",
    level=Level.BUCKET,
    takes=ListObjects,
    gives=ListObjectsResult,
    action="oss:ListObjects",
)
LIST_OBJECTS_V2: Final = Operation(
    name="ListObjectsV2",
    method="GET",
    level=Level.BUCKET,
    takes=ListObjectsV2,
    gives=ListObjectsV2Result,
    action="oss:ListObjects",
    values={"list-type": "2"},
)
LIST_OBJECT_VERSIONS: Final = Operation(
    name="ListObjectVersions",
    method="GET",
    level=Level.BUCKET,
    takes=ListObjectVersions,
    gives=ListObjectVersionsResult,
    action="oss:ListObjectVersions",
    marks=frozenset({"versions"}),
    priority="B",
)

ROWS: Final[tuple[AnyOperation, ...]] = (LIST_OBJECTS, LIST_OBJECTS_V2, LIST_OBJECT_VERSIONS)
