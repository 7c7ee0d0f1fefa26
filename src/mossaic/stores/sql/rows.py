"""Rows of the tables to nouns of the model and back; nothing outside this package sees a row."""

from __future__ import annotations

import json
import sys
from array import array
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import msgspec

from mossaic.model.bucket import Bucket, BucketAcl, Versioning
from mossaic.model.manifest import Manifest, Manifests
from mossaic.model.names import BucketName, ObjectKey, UploadId, VersionId
from mossaic.model.object import (
    ObjectAcl,
    ObjectHeaders,
    ObjectType,
    ObjectVersion,
    ShownObjects,
    ShownVersions,
    StorageClass,
)
from mossaic.model.upload import Completed, Part, PartColumns, ShownParts, ShownUploads, Upload
from mossaic.protocol.records import COMMA, Moments, Numbers, Texts, Words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mossaic.stores.sql.statements import Row

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_TYPES: Final = {kind.value: kind for kind in ObjectType}
_MARKER: Final = ObjectType.DELETE_MARKER.value.encode()
_CLASSES: Final = {kind.value: kind for kind in StorageClass}
_ACLS: Final = {acl.value: acl for acl in ObjectAcl}
_NO_HEADERS: Final = ObjectHeaders()
_NO_TAGS: Final[Mapping[str, str]] = MappingProxyType({})
_NO_MANIFEST: Final = Manifest()
_ENCODE: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_texts: Final = msgspec.json.Decoder(dict[str, str]).decode
_UNSIGNED: Final = 0xFFFF_FFFF_FFFF_FFFF
BLOB_ID_BYTES: Final = 16
NO_MD5: Final = ""  # in a blob's row, where the MD5 was not made

BUCKET_COLUMNS: Final = (
    "name, region, owner_id, created_at, acl, storage_class, redundancy, versioning, documents, revision"
)
# As `shown_objects` takes them. Lists show whole seconds of the microseconds that are kept.
SHOWN_COLUMNS: Final = "key, type, size, etag, modified_at / 1000000, storage_class"
LISTED_COLUMNS: Final = "key, seq, version_id, type, size, etag, crc64, modified_at, storage_class"
VERSION_COLUMNS: Final = LISTED_COLUMNS + ", content_id, md5, acl, target, tags, headers"
UPLOAD_COLUMNS: Final = (
    "upload_id, key, initiated_at, initiator, acl, storage_class, forbid_overwrite, sequential, tags, headers,"
    " request_id, visit"
)
SHOWN_OF_VERSIONS: Final = (
    "key, seq, version_id, CAST(type AS BLOB), CAST(size AS BLOB), CAST(etag AS BLOB),"
    " CAST(modified_at / 1000000 AS BLOB), CAST(storage_class AS BLOB)"
)
SHOWN_OF_UPLOADS: Final = "key, upload_id, initiated_at / 1000000, storage_class"
# SQLite's %u takes a number for one without a sign; to do that here for each number takes more than twice as long.
_UNSIGNED_CRC64: Final = "CASE WHEN crc64 < 0 THEN printf('%u',crc64) ELSE crc64 END"
SHOWN_OF_PARTS: Final = f"number, size, etag, {_UNSIGNED_CRC64}, stored_at / 1000000"
HELD_COLUMNS: Final = "packed, number, size, etag, crc64"  # what Complete needs of a part
PART_COLUMNS: Final = "number, size, etag, crc64, packed, stored_at"
RECEIPT_COLUMNS: Final = "upload_id, key, digest, etag, crc64, size, version_id, completed_at"


def micros(moment: datetime) -> int:
    """Microseconds since 1970, exact (a float of seconds is not)."""
    return (moment - _EPOCH) // _MICROSECOND


def size_of(row: Row) -> int:
    """Bytes of its texts and blobs."""
    return sum(len(value) for value in row if isinstance(value, str | bytes))


def moment(micros_: int) -> datetime:
    return _EPOCH + timedelta(0, 0, micros_)


def signed(crc64: int) -> int:
    """An unsigned 64-bit number as SQLite keeps it."""
    return crc64 - (1 << 64) if crc64 >> 63 else crc64


def unsigned(stored: int) -> int:
    return stored & _UNSIGNED


class _HeadersText(msgspec.Struct):
    """What `headers_text` wrote."""

    stored: dict[str, str] = {}
    meta: dict[str, str] = {}
    encryption: str | None = None


_headers: Final = msgspec.json.Decoder(_HeadersText).decode


class StoredManifest(Manifest):
    """The manifest of an object as it was read; it names its content row, so that a copy of the object can share it."""

    def __init__(self, packed: bytes, content_id: int) -> None:
        super().__init__(packed=packed)
        self.__dict__["content_id"] = content_id

    content_id: int


def headers_text(headers: ObjectHeaders) -> str | None:
    """JSON, with only what is there; None when nothing is."""
    content_type = headers.stored.get("Content-Type") if len(headers.stored) == 1 else None
    if content_type is not None and not headers.meta and headers.encryption is None:
        return _usual_headers_text(content_type)
    parts = {
        "stored": dict(headers.stored),
        "meta": dict(headers.meta),
        "encryption": headers.encryption,
    }
    present = {name: value for name, value in parts.items() if value}
    return _dump(present) if present else None


@lru_cache(maxsize=256)
def _usual_headers_text(content_type: str) -> str:
    """Most objects have a Content-Type and no more, and there are few of them."""
    return _dump({"stored": {"Content-Type": content_type}})


def headers_from(text: str | None) -> ObjectHeaders:
    if text is None:
        return _NO_HEADERS
    parts = _headers(text)
    return ObjectHeaders(stored=parts.stored, meta=parts.meta, encryption=parts.encryption)


def map_text(pairs: Any) -> str | None:
    """A mapping of texts as JSON; None when it is empty."""
    return _dump(dict(pairs)) if pairs else None


def map_from(text: str | None) -> dict[str, str]:
    return _texts(text) if text else {}


def bucket_row(bucket: Bucket) -> tuple[object, ...]:
    """In the order of BUCKET_COLUMNS."""
    return (
        bucket.name,
        bucket.region,
        bucket.owner_id,
        micros(bucket.created_at),
        bucket.acl.value,
        bucket.storage_class.value,
        bucket.redundancy,
        bucket.versioning.value,
        _dump(dict(bucket.documents)),
        bucket.revision,
    )


def bucket_from(row: Row) -> Bucket:
    name, region, owner_id, created_at, acl, storage_class, redundancy, versioning, documents, revision = row
    return Bucket(
        name=BucketName(name),
        region=region,
        owner_id=owner_id,
        created_at=moment(created_at),
        acl=BucketAcl(acl),
        storage_class=_CLASSES[storage_class],
        redundancy=redundancy,
        versioning=Versioning(versioning),
        documents=_texts(documents),
        revision=revision,
    )


def version_row(version: ObjectVersion, *, seq: int, content_id: int | None) -> tuple[object, ...]:
    """In the order of VERSION_COLUMNS."""
    return (
        version.key.encode(),
        seq,
        version.version_id,
        version.type.value,
        version.size,
        version.etag,
        signed(version.crc64),
        micros(version.modified_at),
        version.storage_class.value,
        content_id,
        version.md5,
        version.acl.value,
        version.target,
        map_text(version.tags),
        headers_text(version.headers),
    )


def listed_from(bucket: BucketName, row: Row, *, is_latest: bool) -> ObjectVersion:
    """From LISTED_COLUMNS: no headers, tags, ACL or content."""
    key, _, version_id, kind, size, etag, crc64, modified_at, storage_class = row
    return ObjectVersion(
        bucket=bucket,
        key=ObjectKey(key.decode()),
        version_id=VersionId(version_id),
        type=_TYPES[kind],
        size=size,
        etag=etag,
        crc64=unsigned(crc64),
        modified_at=moment(modified_at),
        headers=_NO_HEADERS,  # said, though they are the defaults: making new empty ones is a third of the cost
        tags=_NO_TAGS,
        storage_class=_CLASSES[storage_class],
        manifest=_NO_MANIFEST,
        is_latest=is_latest,
    )


def shown_objects(keys: list[bytes], joined: Sequence[bytes]) -> ShownObjects:
    """From the SHOWN_COLUMNS of current versions; those after the key each as one text."""
    types, sizes, etags, modified, classes = joined
    count = len(keys)
    return ShownObjects(
        keys=Texts.cut(keys),
        types=Texts(types, count, COMMA),
        sizes=Numbers(sizes, count, COMMA),
        etags=Texts(etags, count, COMMA),
        modified=Moments(modified, count, COMMA),
        storage_classes=Texts(classes, count, COMMA),
    )


def shown_versions(rows: Sequence[Row], latest: Sequence[bool]) -> ShownVersions:
    """From SHOWN_OF_VERSIONS."""
    keys, _, version_ids, types, sizes, etags, modified, classes = (
        zip(*rows, strict=True) if rows else [()] * 8
    )
    return ShownVersions(
        keys=Texts.cut(list(keys)),
        version_ids=Texts.of(version_ids),
        latest=latest,
        types=Texts.cut(list(types)),
        sizes=Numbers.cut(list(sizes)),
        etags=Texts.cut(list(etags)),
        modified=Moments.cut(list(modified)),
        storage_classes=Texts.cut(list(classes)),
    )


def is_marker(row: Row) -> bool:
    """Of SHOWN_OF_VERSIONS."""
    return bool(row[3] == _MARKER)


def version_from(bucket: BucketName, row: Row, *, is_latest: bool) -> ObjectVersion:
    """From VERSION_COLUMNS and the content's `packed` and `inline`."""
    key, _, version_id, kind, size, etag, crc64, modified_at, storage_class, *more = row
    content_id, md5, acl, target, tags, headers, packed, inline = more
    return ObjectVersion(
        bucket=bucket,
        key=ObjectKey(key.decode()),
        version_id=VersionId(version_id),
        type=_TYPES[kind],
        size=size,
        etag=etag,
        md5=md5,
        crc64=unsigned(crc64),
        modified_at=moment(modified_at),
        headers=headers_from(headers),
        tags=map_from(tags),
        acl=_ACLS[acl],
        storage_class=_CLASSES[storage_class],
        manifest=_NO_MANIFEST if packed is None else StoredManifest(packed, content_id),
        inline=inline,
        target=target,
        is_latest=is_latest,
    )


def upload_row(upload: Upload) -> tuple[object, ...]:
    """In the order of UPLOAD_COLUMNS."""
    return (
        upload.upload_id,
        upload.key.encode(),
        micros(upload.initiated_at),
        upload.initiator,
        upload.acl.value,
        upload.storage_class.value,
        int(upload.forbid_overwrite),
        int(upload.sequential),
        map_text(upload.tags),
        headers_text(upload.headers),
        upload.request_id,
        upload.visit,
    )


def upload_from(bucket: BucketName, row: Row) -> Upload:
    upload_id, key, initiated_at, initiator, acl, storage_class, forbid, sequential, *more = row
    tags, headers, request_id, visit = more
    return Upload(
        upload_id=UploadId(upload_id),
        bucket=bucket,
        key=ObjectKey(key.decode()),
        initiated_at=moment(initiated_at),
        initiator=initiator,
        headers=headers_from(headers),
        tags=map_from(tags),
        acl=_ACLS[acl],
        storage_class=_CLASSES[storage_class],
        forbid_overwrite=bool(forbid),
        sequential=bool(sequential),
        request_id=request_id,
        visit=visit,
    )


def shown_uploads(keys: list[bytes], joined: Sequence[bytes]) -> ShownUploads:
    """From SHOWN_OF_UPLOADS, as above."""
    upload_ids, initiated, classes = joined
    count = len(keys)
    return ShownUploads(
        keys=Texts.cut(keys),
        upload_ids=Texts(upload_ids, count, COMMA),
        initiated=Moments(initiated, count, COMMA),
        storage_classes=Texts(classes, count, COMMA),
    )


def shown_parts(joined: Sequence[bytes], count: int) -> ShownParts:
    """From SHOWN_OF_PARTS of so many, each as one text."""
    numbers, sizes, etags, crc64s, stored = joined
    return ShownParts(
        numbers=Numbers(numbers, count, COMMA),
        sizes=Numbers(sizes, count, COMMA),
        etags=Texts(etags, count, COMMA),
        crc64s=Numbers(crc64s, count, COMMA),
        stored=Moments(stored, count, COMMA),
    )


def part_columns(joined: Sequence[bytes], count: int, lengths: Callable[[], bytes]) -> PartColumns:
    """From HELD_COLUMNS of so many parts in order, each as one text; the manifests as one. `lengths` gives the lengths of these."""
    manifests, numbers, sizes, etags, crc64s = joined
    if not count:
        return PartColumns()
    packed, sizes_ = Manifests(manifests), Numbers(sizes, count, COMMA)
    # Who has bytes has an extent: when there are as many extents as parts, each part has one.
    if len(packed) != count or 0 in dict(sizes_.runs()):
        packed = Manifests(manifests, list(map(int, lengths().split(COMMA))))
    words = array("q", map(int, crc64s.decode().split(COMMA.decode())))
    if sys.byteorder == "big":
        words.byteswap()
    return PartColumns(
        numbers=Numbers(numbers, count, COMMA),
        sizes=sizes_,
        etags=Texts(etags, count, COMMA),
        crc64s=Words(words.tobytes()),
        packed=packed,
    )


def part_from(row: Row) -> Part:
    number, size, etag, crc64, packed, stored_at = row
    return Part(
        number=number,
        size=size,
        etag=etag,
        crc64=unsigned(crc64),
        stored_at=moment(stored_at),
        manifest=Manifest(packed=packed),
    )


def receipt_from(bucket: BucketName, row: Row) -> Completed:
    upload_id, key, digest, etag, crc64, size, version_id, completed_at = row
    return Completed(
        upload_id=UploadId(upload_id),
        bucket=bucket,
        key=ObjectKey(key.decode()),
        digest=digest,
        etag=etag,
        crc64=unsigned(crc64),
        size=size,
        version_id=None if version_id is None else VersionId(version_id),
        completed_at=moment(completed_at),
    )


def _dump(value: object) -> str:
    return _ENCODE(value)
