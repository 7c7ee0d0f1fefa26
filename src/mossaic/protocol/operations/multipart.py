"""The rows and shapes of multipart upload: initiate, put and copy parts, list, complete, abort."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, ClassVar, Final

from mossaic.protocol.operation import Access, AnyOperation, Level, Operation
from mossaic.protocol.shape import shape
from mossaic.protocol.shapes import Empty, OnBucket, OnObject, WritesObject
from mossaic.protocol.wire import ByteStream, Element, Header, Payload, Query, Stream

# --- InitiateMultipartUpload -----------------------------------------------------------------------------------------


@shape
class InitiateMultipartUpload(WritesObject):
    """`sequential` is a flag: any value, the empty one too, sets it."""

    sequential: Annotated[str | None, Query("sequential")] = None
    encoding_type: Annotated[str | None, Query("encoding-type")] = None


@shape
class InitiateMultipartUploadResult:
    XML_ROOT: ClassVar[str] = "InitiateMultipartUploadResult"

    encoding_type: Annotated[str | None, Element("EncodingType")] = None
    bucket: Annotated[str, Element("Bucket")]
    key: Annotated[str, Element("Key", encoded=True)]
    upload_id: Annotated[str, Element("UploadId")]
    server_side_encryption: Annotated[str | None, Header("x-oss-server-side-encryption")] = None


# --- UploadPart ------------------------------------------------------------------------------------------------------


@shape
class UploadPart(OnObject):
    """`part_number` is text: OSS has a code of its own for one that is missing and one that is no number.

    ali-oss sends the object's headers (forbid-overwrite, tagging, meta) with every part; they mean nothing here.
    """

    part_number: Annotated[str | None, Query("partNumber")] = None
    upload_id: Annotated[str, Query("uploadId")]
    content_length: Annotated[str | None, Header("Content-Length")] = None
    transfer_encoding: Annotated[str | None, Header("Transfer-Encoding")] = None
    content_md5: Annotated[str | None, Header("Content-MD5")] = None
    crc64: Annotated[str | None, Header("x-oss-hash-crc64ecma")] = None
    body: Annotated[ByteStream | None, Stream()] = None


@shape
class UploadPartResult:
    """`content_md5` is base64, `crc64` decimal; oss2, v2, Go and Java compare the latter with their own.
    Our CRC-64 is always there, our MD5 where it was made."""

    etag: Annotated[str, Header("ETag", quoted=True)]
    content_md5: Annotated[str | None, Header("Content-MD5")] = None
    crc64: Annotated[str | None, Header("x-oss-hash-crc64ecma")] = None
    server_side_encryption: Annotated[str | None, Header("x-oss-server-side-encryption")] = None


# --- UploadPartCopy --------------------------------------------------------------------------------------------------


@shape
class UploadPartCopy(OnObject):
    """`copy_source` is `/bucket/key[?versionId=V]`, the key URL-encoded; `copy_source_range` is `bytes=a-b`."""

    part_number: Annotated[str | None, Query("partNumber")] = None
    upload_id: Annotated[str, Query("uploadId")]
    copy_source: Annotated[str, Header("x-oss-copy-source")]
    copy_source_range: Annotated[str | None, Header("x-oss-copy-source-range")] = None
    if_match: Annotated[str | None, Header("x-oss-copy-source-if-match")] = None
    if_none_match: Annotated[str | None, Header("x-oss-copy-source-if-none-match")] = None
    if_modified_since: Annotated[str | None, Header("x-oss-copy-source-if-modified-since")] = None
    if_unmodified_since: Annotated[str | None, Header("x-oss-copy-source-if-unmodified-since")] = None


@shape
class CopyPartResult:
    """The ETag travels twice: oss2 and ali-oss read the header, v2 and Java the body."""

    XML_ROOT: ClassVar[str] = "CopyPartResult"

    last_modified: Annotated[datetime, Element("LastModified")]
    etag: Annotated[str, Element("ETag", quoted=True)]
    etag_header: Annotated[str | None, Header("ETag", quoted=True)] = None
    crc64: Annotated[str | None, Header("x-oss-hash-crc64ecma")] = None
    content_range: Annotated[str | None, Header("Content-Range")] = None
    source_version_id: Annotated[str | None, Header("x-oss-copy-source-version-id")] = None


# --- CompleteMultipartUpload -----------------------------------------------------------------------------------------


@shape
class CompleteMultipartUpload(OnObject):
    """`document` is the XML list of parts, read by `protocol.part_list` once it is known that there is to be one.

    Of the object's headers, which ali-oss sends once more, forbid-overwrite, ACL, tagging and persistent headers count here; storage class
    and encryption are an error, because they belong to Initiate.
    """

    document: Annotated[bytes | None, Payload("application/xml")] = None
    upload_id: Annotated[str, Query("uploadId")]
    encoding_type: Annotated[str | None, Query("encoding-type")] = None
    complete_all: Annotated[str | None, Header("x-oss-complete-all")] = None
    content_md5: Annotated[str | None, Header("Content-MD5")] = None
    forbid_overwrite: Annotated[str | None, Header("x-oss-forbid-overwrite")] = None
    object_acl: Annotated[str | None, Header("x-oss-object-acl")] = None
    tagging: Annotated[str | None, Header("x-oss-tagging")] = None
    persistent_headers: Annotated[str | None, Header("x-oss-persistent-headers")] = None
    storage_class: Annotated[str | None, Header("x-oss-storage-class")] = None
    server_side_encryption: Annotated[str | None, Header("x-oss-server-side-encryption")] = None
    callback: Annotated[str | None, Header("x-oss-callback")] = None
    callback_var: Annotated[str | None, Header("x-oss-callback-var")] = None


@shape
class CompleteMultipartUploadResult:
    """The ETag travels twice: ali-oss reads the header, Java the body.

    `callback_answer` is that of an upload callback; it replaces the XML, so that a client then reads the headers only.
    """

    XML_ROOT: ClassVar[str] = "CompleteMultipartUploadResult"

    encoding_type: Annotated[str | None, Element("EncodingType")] = None
    location: Annotated[str, Element("Location")] = ""
    bucket: Annotated[str, Element("Bucket")] = ""
    key: Annotated[str, Element("Key", encoded=True)] = ""
    etag: Annotated[str, Element("ETag", quoted=True)] = ""
    etag_header: Annotated[str, Header("ETag", quoted=True)] = ""
    crc64: Annotated[str | None, Header("x-oss-hash-crc64ecma")] = None
    version_id: Annotated[str | None, Header("x-oss-version-id")] = None
    server_side_encryption: Annotated[str | None, Header("x-oss-server-side-encryption")] = None
    callback_answer: Annotated[bytes | None, Payload("application/json")] = None


# --- AbortMultipartUpload --------------------------------------------------------------------------------------------


@shape
class AbortMultipartUpload(OnObject):
    upload_id: Annotated[str, Query("uploadId")]


# --- ListParts -------------------------------------------------------------------------------------------------------


@shape
class ListParts(OnObject):
    upload_id: Annotated[str, Query("uploadId")]
    max_parts: Annotated[str | None, Query("max-parts")] = None
    part_number_marker: Annotated[str | None, Query("part-number-marker")] = None
    encoding_type: Annotated[str | None, Query("encoding-type")] = None


@shape
class StoredPart:
    """`crc64` is always there in our answers: v2 and Go combine the CRCs of a resumed upload from it."""

    number: Annotated[int, Element("PartNumber")]
    last_modified: Annotated[datetime, Element("LastModified")]
    etag: Annotated[str, Element("ETag", quoted=True)]
    crc64: Annotated[str | None, Element("HashCrc64ecma")] = None
    size: Annotated[int, Element("Size")]


@shape
class ListPartsResult:
    """The next marker is always there, the last part's number or 0: oss2 raises without it."""

    XML_ROOT: ClassVar[str] = "ListPartsResult"

    encoding_type: Annotated[str | None, Element("EncodingType")] = None
    bucket: Annotated[str, Element("Bucket")]
    key: Annotated[str, Element("Key", encoded=True)]
    upload_id: Annotated[str, Element("UploadId")]
    storage_class: Annotated[str, Element("StorageClass")] = "Standard"
    part_number_marker: Annotated[int, Element("PartNumberMarker")] = 0
    next_part_number_marker: Annotated[int, Element("NextPartNumberMarker")] = 0
    max_parts: Annotated[int, Element("MaxParts")] = 0
    is_truncated: Annotated[bool, Element("IsTruncated")]
    client_encryption_key: Annotated[str | None, Element("ClientEncryptionKey")] = None
    client_encryption_start: Annotated[str | None, Element("ClientEncryptionStart")] = None
    client_encryption_cek_alg: Annotated[str | None, Element("ClientEncryptionCekAlg")] = None
    client_encryption_wrap_alg: Annotated[str | None, Element("ClientEncryptionWrapAlg")] = None
    client_encryption_data_size: Annotated[str | None, Element("ClientEncryptionDataSize")] = None
    client_encryption_part_size: Annotated[str | None, Element("ClientEncryptionPartSize")] = None
    parts: Annotated[Sequence[StoredPart], Element("Part")] = ()


# --- ListMultipartUploads --------------------------------------------------------------------------------------------


@shape
class ListMultipartUploads(OnBucket):
    prefix: Annotated[str | None, Query("prefix")] = None
    delimiter: Annotated[str | None, Query("delimiter")] = None
    key_marker: Annotated[str | None, Query("key-marker")] = None
    upload_id_marker: Annotated[str | None, Query("upload-id-marker")] = None
    max_uploads: Annotated[str | None, Query("max-uploads")] = None
    encoding_type: Annotated[str | None, Query("encoding-type")] = None


@shape
class OpenUpload:
    key: Annotated[str, Element("Key", encoded=True)]
    upload_id: Annotated[str, Element("UploadId")]
    storage_class: Annotated[str, Element("StorageClass")]
    initiated: Annotated[datetime, Element("Initiated")]


@shape
class UploadGroup:
    """Keys that share a beginning up to the delimiter."""

    prefix: Annotated[str, Element("Prefix", encoded=True)]


@shape
class ListMultipartUploadsResult:
    """Both next markers are always there, empty when nothing follows: oss2 raises without them."""

    XML_ROOT: ClassVar[str] = "ListMultipartUploadsResult"

    encoding_type: Annotated[str | None, Element("EncodingType")] = None
    bucket: Annotated[str, Element("Bucket")]
    key_marker: Annotated[str, Element("KeyMarker", encoded=True)]
    upload_id_marker: Annotated[str, Element("UploadIdMarker")]
    next_key_marker: Annotated[str, Element("NextKeyMarker", encoded=True)]
    next_upload_id_marker: Annotated[str, Element("NextUploadIdMarker")]
    delimiter: Annotated[str, Element("Delimiter", encoded=True)]
    prefix: Annotated[str, Element("Prefix", encoded=True)]
    max_uploads: Annotated[int, Element("MaxUploads")]
    is_truncated: Annotated[bool, Element("IsTruncated")]
    uploads: Annotated[Sequence[OpenUpload], Element("Upload")] = ()
    common_prefixes: Annotated[Sequence[UploadGroup], Element("CommonPrefixes")] = ()


# --- the rows --------------------------------------------------------------------------------------------------------

INITIATE_MULTIPART_UPLOAD: Final = Operation(
    name="InitiateMultipartUpload",
    method="POST",
    level=Level.OBJECT,
    marks=frozenset({"uploads"}),
    takes=InitiateMultipartUpload,
    gives=InitiateMultipartUploadResult,
    action="oss:PutObject",
    access=Access.WRITE,
)
UPLOAD_PART: Final = Operation(
    name="UploadPart",
    method="PUT",
    level=Level.OBJECT,
    marks=frozenset({"uploadId"}),  # without partNumber too, which is then refused, not taken for PutObject
    takes=UploadPart,
    gives=UploadPartResult,
    action="oss:PutObject",
    access=Access.WRITE,
)
UPLOAD_PART_COPY: Final = Operation(
    name="UploadPartCopy",
    method="PUT",
    level=Level.OBJECT,
    marks=frozenset({"uploadId"}),
    header="x-oss-copy-source",
    takes=UploadPartCopy,
    gives=CopyPartResult,
    action="oss:PutObject",
    access=Access.WRITE,
)
COMPLETE_MULTIPART_UPLOAD: Final = Operation(
    name="CompleteMultipartUpload",
    method="POST",
    level=Level.OBJECT,
    marks=frozenset({"uploadId"}),
    takes=CompleteMultipartUpload,
    gives=CompleteMultipartUploadResult,
    action="oss:PutObject",
    access=Access.WRITE,
)
ABORT_MULTIPART_UPLOAD: Final = Operation(
    name="AbortMultipartUpload",
    method="DELETE",
    level=Level.OBJECT,
    marks=frozenset({"uploadId"}),
    takes=AbortMultipartUpload,
    gives=Empty,
    action="oss:AbortMultipartUpload",
    access=Access.WRITE,
    status=204,  # ali-oss takes nothing else
)
LIST_PARTS: Final = Operation(
    name="ListParts",
    method="GET",
    level=Level.OBJECT,
    marks=frozenset({"uploadId"}),
    takes=ListParts,
    gives=ListPartsResult,
    action="oss:ListParts",
    access=Access.WRITE,  # who may write an upload may see how far it is
)
LIST_MULTIPART_UPLOADS: Final = Operation(
    name="ListMultipartUploads",
    method="GET",
    level=Level.BUCKET,
    marks=frozenset({"uploads"}),
    takes=ListMultipartUploads,
    gives=ListMultipartUploadsResult,
    action="oss:ListMultipartUploads",
)

ROWS: Final[tuple[AnyOperation, ...]] = (
    INITIATE_MULTIPART_UPLOAD,
    UPLOAD_PART,
    UPLOAD_PART_COPY,
    COMPLETE_MULTIPART_UPLOAD,
    ABORT_MULTIPART_UPLOAD,
    LIST_PARTS,
    LIST_MULTIPART_UPLOADS,
)
