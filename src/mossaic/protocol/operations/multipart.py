"""The rows and shapes of multipart upload: initiate, put and copy parts, list, complete, abort."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Annotated, ClassVar, Final

from mossaic.protocol.errors import MALFORMED_XML, OssError
from mossaic.protocol.limits import MAX_PART_NUMBER
from mossaic.protocol.operation import Access, AnyOperation, Level, Operation
from mossaic.protocol.records import COMMA, Numbers, Texts
from mossaic.protocol.shape import shape
from mossaic.protocol.shapes import Empty, OnBucket, OnObject, WritesObject
from mossaic.protocol.wire import ByteStream, Element, Header, Payload, Query, Stream
from mossaic.protocol.xml import Node, XmlError, parse

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
class PartList:
    """The parts that are listed, in their order: the number of each, not yet compared with the limits, and its ETag, bare and
    upper case. Two columns, because a request may list 10,000."""

    numbers: Numbers
    etags: Texts

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, str]]) -> PartList:
        listed = list(pairs)
        return cls(
            numbers=Numbers.of([number for number, _ in listed]), etags=Texts.of([etag for _, etag in listed])
        )


@shape
class CompleteMultipartUpload(OnObject):
    """`document` is the XML list of parts, read by `listed_parts` once it is known that there is to be one.

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


# The document as clients write it: blanks between elements, ETags quoted in one of three ways or not. Every repetition is
# bounded or possessive, so that no document makes the search go back over what it has seen. `\s` takes form feeds, which
# are no XML: they are looked for first.
_QUOTE: Final = b'(?:"|&quot;|&#34;)?'
_BLANK: Final = rb"\s*+"
_LIST: Final = re.compile(
    rb'(?:<\?xml version="1\.0"(?: encoding="(?:UTF|utf)-8")?\?>)?%(b)b'
    rb'<CompleteMultipartUpload(?: xmlns="[\w:/.-]*+")?>%(b)b((?s:.*))</CompleteMultipartUpload>%(b)b'
    % {b"b": _BLANK}
)
_PART: Final = re.compile(
    rb"<Part>%(b)b<PartNumber>%(b)b([0-9]{1,9}+)%(b)b</PartNumber>%(b)b"
    rb"<ETag>%(b)b%(q)b%(b)b([0-9A-Za-z-]{1,64}+)%(b)b%(q)b%(b)b</ETag>%(b)b</Part>%(b)b"
    % {b"b": _BLANK, b"q": _QUOTE}
)
_MAX_DIGITS: Final = 9  # of a number in `_PART`
_IN_ETAGS: Final = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def listed_parts(document: bytes) -> PartList:
    """The list of parts in the body of CompleteMultipartUpload; it may be empty. 10,000 parts take some 3 ms as clients
    write them, 10 ms when only their pieces look usual, 100 ms otherwise.

    ETags may be quoted and in either case (oss2, ali-oss and Java quote them). Raises OssError MALFORMED_XML.
    """
    usual = _usual_list(document)
    if usual is not None:
        return usual
    try:
        root = parse(document)
        if root.tag != "CompleteMultipartUpload":
            raise XmlError(f"the root element is {root.tag}, not CompleteMultipartUpload")
        return PartList.of(map(_listed_part, root.find_all("Part")))
    except ValueError as error:  # XmlError is one
        raise OssError(MALFORMED_XML, ec="0042-00000205", ErrorDetail=str(error)) from None


def _usual_list(document: bytes) -> PartList | None:
    """The list, when nothing but what the patterns describe is in the document: then it means what a parser would say.
    None: let the parser look at it."""
    if not document.isascii() or b"\x0b" in document or b"\x0c" in document:
        return None
    found = _LIST.fullmatch(document)
    if found is None:
        return None
    even = _even_list(found[1])
    if even is not None:
        return even
    gaps_numbers_etags = _PART.split(found[1])
    if any(gaps_numbers_etags[::3]) or len(gaps_numbers_etags) > 3 * MAX_PART_NUMBER + 1:
        return None
    return PartList(
        numbers=Numbers.of(map(int, gaps_numbers_etags[1::3]), COMMA),
        etags=Texts.cut(list(map(bytes.upper, gaps_numbers_etags[2::3])), COMMA),
    )


def _even_list(inner: bytes) -> PartList | None:
    """The list, when all parts are written as the first one and numbers do not become shorter: it is taken from where the values
    must be, and written again to see that they were there."""
    first = _PART.match(inner)
    if first is None:
        return None
    before, between, after = (
        inner[: first.start(1)],
        inner[first.end(1) : first.start(2)],
        inner[first.end(2) : first.end()],
    )
    inner = inner.rstrip()
    end = after.rstrip()  # of the last part: other blanks may follow than between two
    numbers: list[bytes] = []
    etags: list[bytes] = []
    for digits, place, stop, step in _stretches(
        inner + after[len(end) :], before, between, len(after) + len(first[2])
    ):
        numbers += [inner[at : at + digits] for at in range(place, stop, step)]
        behind = digits + len(between)
        etags += [inner[at : at + len(first[2])] for at in range(place + behind, stop, step)]
    count = len(numbers)
    written = [after + before] * (4 * count)
    written[0] = before
    written[1::4] = numbers
    written[2::4] = [between] * count
    written[3::4] = etags
    listed = PartList(
        numbers=Numbers.cut(numbers, COMMA), etags=Texts(COMMA.join(etags).upper(), count, COMMA)
    )
    is_right = (
        count <= MAX_PART_NUMBER
        and b"".join(written) + end == inner
        and b"".join(numbers).isdigit()
        and b",0" not in COMMA + listed.numbers.whole  # such a number has another text, too
        and len(listed.etags.whole.translate(None, _IN_ETAGS)) == count - 1
    )
    return listed if is_right else None


def _stretches(inner: bytes, before: bytes, between: bytes, rest: int) -> Iterator[tuple[int, int, int, int]]:
    """Parts in a row whose numbers have as many digits, so that they are equally long: the digits, where the first number is, where
    the parts end, and from one number to the next. `rest`: the length of what follows `between`."""
    start = 0
    for _ in range(_MAX_DIGITS):
        place = start + len(before)
        digits = inner.find(between, place, place + _MAX_DIGITS + len(between)) - place
        if digits <= 0:
            return
        step = len(before) + digits + len(between) + rest

        def has_ended(part: int, mark: int = place + digits, step: int = step) -> bool:
            return not inner.startswith(between, mark + part * step)

        count = bisect_left(range((len(inner) - start) // step), x=True, key=has_ended)
        yield digits, place, start + count * step, step
        start += count * step


def _listed_part(node: Node) -> tuple[int, str]:
    number, etag = node.find("PartNumber"), node.find("ETag")
    if number is None or etag is None:
        raise XmlError("a Part needs a PartNumber and an ETag")
    digits = number.text.strip()
    if not digits.isascii() or not digits.removeprefix("-").isdigit() or len(digits) > 20:
        raise XmlError(f"PartNumber is no number: {digits[:40]!r}")
    return int(digits), etag.text.strip().strip('"').strip().upper()


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
