"""Rows and shapes of the object family: put, append, get, head, copy, delete (OSS API: "Object operations")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Annotated, ClassVar, Final

from mossaic.protocol.operation import Access, AnyOperation, Level, Operation
from mossaic.protocol.operations import object_settings
from mossaic.protocol.shape import shape
from mossaic.protocol.shapes import OnBucket, OnObject, WritesObject
from mossaic.protocol.wire import ByteStream, Element, Header, Payload, Query, Status, Stream, UserMeta


@shape
class Conditional(OnObject):
    """The conditions of a request. Text: an unreadable date is ignored, and an ETag may be quoted, bare, a list or `*`."""

    if_match: Annotated[str | None, Header("If-Match")] = None
    if_none_match: Annotated[str | None, Header("If-None-Match")] = None
    if_modified_since: Annotated[str | None, Header("If-Modified-Since")] = None
    if_unmodified_since: Annotated[str | None, Header("If-Unmodified-Since")] = None


# --- writing ----------------------------------------------------------------------------------------------------------


@shape
class ReceivesObject(WritesObject):
    """A write with a body. `content_md5` is base64, `crc64` decimal; both are compared with what arrives.

    The conditions are read so that they can be refused: OSS has none on writes, and ignoring one would break a promise.
    """

    if_match: Annotated[str | None, Header("If-Match")] = None
    if_none_match: Annotated[str | None, Header("If-None-Match")] = None
    if_modified_since: Annotated[str | None, Header("If-Modified-Since")] = None
    if_unmodified_since: Annotated[str | None, Header("If-Unmodified-Since")] = None
    content_length: Annotated[str | None, Header("Content-Length")] = None
    transfer_encoding: Annotated[str | None, Header("Transfer-Encoding")] = None
    content_md5: Annotated[str | None, Header("Content-MD5")] = None
    crc64: Annotated[str | None, Header("x-oss-hash-crc64ecma")] = None
    body: Annotated[ByteStream | None, Stream()] = None


@shape
class PutObject(ReceivesObject):
    """The body becomes the object."""


@shape
class PutObjectResult:
    """`status` and `callback_answer` are those of an upload callback; without one the body is empty."""

    status: Annotated[int | None, Status()] = None
    etag: Annotated[str, Header("ETag", quoted=True)]
    content_md5: Annotated[str | None, Header("Content-MD5")] = None
    crc64: Annotated[int, Header("x-oss-hash-crc64ecma")]
    version_id: Annotated[str | None, Header("x-oss-version-id")] = None
    server_side_encryption: Annotated[str | None, Header("x-oss-server-side-encryption")] = None
    callback_answer: Annotated[bytes | None, Payload("application/json")] = None


@shape
class AppendObject(ReceivesObject):
    """`position` is the length of the object so far; text, since OSS has its own words for a bad one."""

    position: Annotated[str | None, Query("position")] = None


@shape
class AppendObjectResult:
    """`crc64` is the whole object's."""

    etag: Annotated[str, Header("ETag", quoted=True)]
    next_append_position: Annotated[int, Header("x-oss-next-append-position")]
    crc64: Annotated[int, Header("x-oss-hash-crc64ecma")]
    version_id: Annotated[str | None, Header("x-oss-version-id")] = None
    server_side_encryption: Annotated[str | None, Header("x-oss-server-side-encryption")] = None


@shape
class CopyObject(WritesObject):
    """`copy_source` is `/bucket/key[?versionId=…]`, the key percent-encoded; the directives are COPY or REPLACE."""

    copy_source: Annotated[str, Header("x-oss-copy-source")]
    if_match: Annotated[str | None, Header("x-oss-copy-source-if-match")] = None
    if_none_match: Annotated[str | None, Header("x-oss-copy-source-if-none-match")] = None
    if_modified_since: Annotated[str | None, Header("x-oss-copy-source-if-modified-since")] = None
    if_unmodified_since: Annotated[str | None, Header("x-oss-copy-source-if-unmodified-since")] = None
    metadata_directive: Annotated[str | None, Header("x-oss-metadata-directive")] = None
    tagging_directive: Annotated[str | None, Header("x-oss-tagging-directive")] = None


@shape
class CopyObjectResult:
    """The ETag stands in the header and in the document: clients read one or the other."""

    XML_ROOT: ClassVar[str] = "CopyObjectResult"

    etag: Annotated[str, Element("ETag", quoted=True)]
    last_modified: Annotated[datetime, Element("LastModified")]
    etag_header: Annotated[str, Header("ETag", quoted=True)]
    crc64: Annotated[int | None, Header("x-oss-hash-crc64ecma")] = None
    version_id: Annotated[str | None, Header("x-oss-version-id")] = None
    source_version_id: Annotated[str | None, Header("x-oss-copy-source-version-id")] = None
    server_side_encryption: Annotated[str | None, Header("x-oss-server-side-encryption")] = None


# --- reading ----------------------------------------------------------------------------------------------------------


@shape
class GetObject(Conditional):
    """`range` and `range_behavior` decide between 200, 206 and 416; `response_*` replace stored headers in this answer."""

    version_id: Annotated[str | None, Query("versionId")] = None
    range: Annotated[str | None, Header("Range")] = None
    if_range: Annotated[str | None, Header("If-Range")] = None
    range_behavior: Annotated[str | None, Header("x-oss-range-behavior")] = None
    response_cache_control: Annotated[str | None, Query("response-cache-control")] = None
    response_content_disposition: Annotated[str | None, Query("response-content-disposition")] = None
    response_content_encoding: Annotated[str | None, Query("response-content-encoding")] = None
    response_content_language: Annotated[str | None, Query("response-content-language")] = None
    response_content_type: Annotated[str | None, Query("response-content-type")] = None
    response_expires: Annotated[str | None, Query("response-expires")] = None


@shape
class ObjectFacts:
    """What Get and Head say of an object. `further` are persistent headers, by their own names."""

    etag: Annotated[str, Header("ETag", quoted=True)]
    last_modified: Annotated[datetime, Header("Last-Modified")]
    cache_control: Annotated[str | None, Header("Cache-Control")] = None
    content_disposition: Annotated[str | None, Header("Content-Disposition")] = None
    content_encoding: Annotated[str | None, Header("Content-Encoding")] = None
    content_language: Annotated[str | None, Header("Content-Language")] = None
    content_type: Annotated[str | None, Header("Content-Type")] = None
    expires: Annotated[str | None, Header("Expires")] = None
    content_md5: Annotated[str | None, Header("Content-MD5")] = None
    accept_ranges: Annotated[str | None, Header("Accept-Ranges")] = None
    object_type: Annotated[str | None, Header("x-oss-object-type")] = None
    storage_class: Annotated[str | None, Header("x-oss-storage-class")] = None
    crc64: Annotated[int | None, Header("x-oss-hash-crc64ecma")] = None
    version_id: Annotated[str | None, Header("x-oss-version-id")] = None
    tagging_count: Annotated[int | None, Header("x-oss-tagging-count")] = None
    next_append_position: Annotated[int | None, Header("x-oss-next-append-position")] = None
    restore: Annotated[str | None, Header("x-oss-restore")] = None
    server_side_encryption: Annotated[str | None, Header("x-oss-server-side-encryption")] = None
    meta: Annotated[Mapping[str, str], UserMeta()] = field(default_factory=dict[str, str])
    further: Annotated[Mapping[str, str], UserMeta(prefix="")] = field(default_factory=dict[str, str])


@shape
class GetObjectResult(ObjectFacts):
    """`status` is 206 when `content_range` says which bytes these are."""

    status: Annotated[int | None, Status()] = None
    content_range: Annotated[str | None, Header("Content-Range")] = None
    body: Annotated[ByteStream | None, Stream()] = None


@shape
class HeadObject(Conditional):
    """HeadObject knows no ranges."""

    version_id: Annotated[str | None, Query("versionId")] = None


@shape
class HeadObjectResult(ObjectFacts):
    """`content_length` is the object's size; there is no body."""

    content_length: Annotated[int, Header("Content-Length")]


@shape
class GetObjectMeta(OnObject):
    """The short form of HeadObject; of a symbolic link, the link's own facts."""

    version_id: Annotated[str | None, Query("versionId")] = None


@shape
class GetObjectMetaResult:
    """`content_length` is None where the answer has a body of its own, an empty one (GET)."""

    content_length: Annotated[int | None, Header("Content-Length")] = None
    etag: Annotated[str, Header("ETag", quoted=True)]
    last_modified: Annotated[datetime, Header("Last-Modified")]
    crc64: Annotated[int | None, Header("x-oss-hash-crc64ecma")] = None
    version_id: Annotated[str | None, Header("x-oss-version-id")] = None


# --- deleting ---------------------------------------------------------------------------------------------------------


@shape
class DeleteObject(OnObject):
    """Without a version, a versioned bucket gets a delete marker."""

    version_id: Annotated[str | None, Query("versionId")] = None


@shape
class DeleteObjectResult:
    version_id: Annotated[str | None, Header("x-oss-version-id")] = None
    delete_marker: Annotated[bool | None, Header("x-oss-delete-marker")] = None


@shape
class ObjectToDelete:
    """The key is optional here so that its absence gets OSS's own error code."""

    key: Annotated[str | None, Element("Key")] = None
    version_id: Annotated[str | None, Element("VersionId")] = None


@shape
class DeleteMultipleObjects(OnBucket):
    """Keys stand raw in the document, never percent-encoded, whatever the encoding type of the answer."""

    XML_ROOT: ClassVar[str] = "Delete"
    MALFORMED_EC: ClassVar[str] = "0016-00000607"
    WRONG_ROOT_EC: ClassVar[str] = "0016-00000608"

    encoding_type: Annotated[str | None, Query("encoding-type")] = None
    quiet: Annotated[bool, Element("Quiet")] = False
    objects: Annotated[tuple[ObjectToDelete, ...], Element("Object")] = ()


@shape
class DeletedObject:
    """`version_id` repeats what was asked for; a marker that was made or removed is named by `delete_marker_version_id`."""

    key: Annotated[str, Element("Key", encoded=True)]
    version_id: Annotated[str | None, Element("VersionId")] = None
    delete_marker: Annotated[bool | None, Element("DeleteMarker")] = None
    delete_marker_version_id: Annotated[str | None, Element("DeleteMarkerVersionId")] = None


@shape
class DeleteMultipleObjectsResult:
    """A quiet request is answered without a document (`leaves_body_out`)."""

    XML_ROOT: ClassVar[str] = "DeleteResult"

    encoding_type: Annotated[str | None, Element("EncodingType")] = None
    deleted: Annotated[tuple[DeletedObject, ...], Element("Deleted")] = ()
    leaves_body_out: bool = False


# --- rows -------------------------------------------------------------------------------------------------------------

PUT_OBJECT: Final = Operation(
    name="PutObject",
    method="PUT",
    level=Level.OBJECT,
    takes=PutObject,
    gives=PutObjectResult,
    action="oss:PutObject",
    access=Access.WRITE,
)
APPEND_OBJECT: Final = Operation(
    name="AppendObject",
    method="POST",
    level=Level.OBJECT,
    marks=frozenset({"append"}),
    takes=AppendObject,
    gives=AppendObjectResult,
    action="oss:PutObject",
    access=Access.WRITE,
)
COPY_OBJECT: Final = Operation(
    name="CopyObject",
    method="PUT",
    level=Level.OBJECT,
    header="x-oss-copy-source",
    takes=CopyObject,
    gives=CopyObjectResult,
    action="oss:PutObject",
    access=Access.WRITE,
)
GET_OBJECT: Final = Operation(
    name="GetObject",
    method="GET",
    level=Level.OBJECT,
    takes=GetObject,
    gives=GetObjectResult,
    action="oss:GetObject",
    version_action="oss:GetObjectVersion",
    access=Access.READ,
)
HEAD_OBJECT: Final = Operation(
    name="HeadObject",
    method="HEAD",
    level=Level.OBJECT,
    takes=HeadObject,
    gives=HeadObjectResult,
    action="oss:GetObject",
    version_action="oss:GetObjectVersion",
    access=Access.READ,
)
GET_OBJECT_META: Final = Operation(
    name="GetObjectMeta",
    method="HEAD",
    level=Level.OBJECT,
    marks=frozenset({"objectMeta"}),
    takes=GetObjectMeta,
    gives=GetObjectMetaResult,
    action="oss:GetObject",
    version_action="oss:GetObjectVersion",
    access=Access.READ,
)
# Older clients ask for the same by GET; the answer has no body.
GET_OBJECT_META_BY_GET: Final = Operation(
    name="GetObjectMetaByGet",
    method="GET",
    level=Level.OBJECT,
    marks=frozenset({"objectMeta"}),
    takes=GetObjectMeta,
    gives=GetObjectMetaResult,
    action="oss:GetObject",
    version_action="oss:GetObjectVersion",
    access=Access.READ,
)
DELETE_OBJECT: Final = Operation(
    name="DeleteObject",
    method="DELETE",
    level=Level.OBJECT,
    takes=DeleteObject,
    gives=DeleteObjectResult,
    action="oss:DeleteObject",
    version_action="oss:DeleteObjectVersion",
    access=Access.WRITE,
    status=204,
)
# The action is asked for key by key, before the first is deleted; never for the bucket.
DELETE_MULTIPLE_OBJECTS: Final = Operation(
    name="DeleteMultipleObjects",
    method="POST",
    level=Level.BUCKET,
    marks=frozenset({"delete"}),
    takes=DeleteMultipleObjects,
    gives=DeleteMultipleObjectsResult,
    action="oss:DeleteObject",
    access=Access.WRITE,
)

ROWS: Final[tuple[AnyOperation, ...]] = (
    PUT_OBJECT,
    APPEND_OBJECT,
    COPY_OBJECT,
    GET_OBJECT,
    HEAD_OBJECT,
    GET_OBJECT_META,
    GET_OBJECT_META_BY_GET,
    DELETE_OBJECT,
    DELETE_MULTIPLE_OBJECTS,
    *object_settings.ROWS,
)
