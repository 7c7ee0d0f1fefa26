"""Objects as they are stored: versions, the headers that come back, and the words OSS has for their kinds."""

from __future__ import annotations

from dataclasses import field
from enum import Enum
from typing import TYPE_CHECKING

from mossaic.model.manifest import Manifest
from mossaic.model.names import NULL_VERSION
from mossaic.model.page import Cut
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from mossaic.model.names import BlobId, BucketName, ObjectKey, VersionId
    from mossaic.protocol.records import Moments, Numbers, Texts


class StorageClass(Enum):
    """x-oss-storage-class. Recorded and reported; Archive classes are labels, their bytes stay readable."""

    STANDARD = "Standard"
    IA = "IA"
    ARCHIVE = "Archive"
    COLD_ARCHIVE = "ColdArchive"
    DEEP_COLD_ARCHIVE = "DeepColdArchive"


class ObjectType(Enum):
    """x-oss-object-type, and DELETE_MARKER for a version that says "deleted"."""

    NORMAL = "Normal"
    MULTIPART = "Multipart"
    APPENDABLE = "Appendable"
    SYMLINK = "Symlink"
    DELETE_MARKER = "DeleteMarker"


class ObjectAcl(Enum):
    """x-oss-object-acl; DEFAULT follows the bucket."""

    DEFAULT = "default"
    PRIVATE = "private"
    PUBLIC_READ = "public-read"
    PUBLIC_READ_WRITE = "public-read-write"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectHeaders:
    """What a writer says of an object and a reader gets back.

    `stored`: Cache-Control, Content-Disposition, Content-Encoding, Content-Language, Content-Type, Expires, verbatim,
    by the name as OSS spells it, and persistent headers by their own names. `meta`: user metadata, lower-case names
    without prefix. `encryption`: the x-oss-server-side-encryption that was asked for, a label.
    """

    stored: Mapping[str, str] = field(default_factory=dict[str, str])
    meta: Mapping[str, str] = field(default_factory=dict[str, str])
    encryption: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class ObjectVersion:
    """One version of an object, or a delete marker (then size 0, empty etag and manifest).

    size in bytes; etag bare, upper case; md5 the upper-case hex MD5 of the content where it is known (Normal objects,
    sequential multipart, with ETags of CRC-64 what came with Content-MD5), else None; crc64 of the whole content. Content is `inline` (small objects, kept with the
    metadata) or the manifest's extents. `modified_at` is aware UTC. `target` is the key a symlink points to.
    """

    bucket: BucketName
    key: ObjectKey
    version_id: VersionId = NULL_VERSION
    type: ObjectType = ObjectType.NORMAL
    size: int = 0
    etag: str = ""
    md5: str | None = None
    crc64: int = 0
    modified_at: datetime
    headers: ObjectHeaders = field(default_factory=ObjectHeaders)
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    acl: ObjectAcl = ObjectAcl.DEFAULT
    storage_class: StorageClass = StorageClass.STANDARD
    manifest: Manifest = field(default_factory=Manifest)
    inline: bytes | None = None
    target: str | None = None
    is_latest: bool = True

    @property
    def is_delete_marker(self) -> bool:
        return self.type is ObjectType.DELETE_MARKER


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownObjects:
    """What a listing shows of objects, column by column, one value an object."""

    keys: Texts
    types: Texts
    sizes: Numbers
    etags: Texts
    modified: Moments
    storage_classes: Texts


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectPage(Cut):
    columns: ShownObjects


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownVersions(ShownObjects):
    """The same of versions or of delete markers."""

    version_ids: Texts
    latest: Sequence[bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionPage(Cut):
    versions: ShownVersions
    markers: ShownVersions


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """Bytes under an id of ours, as they were written: size in bytes, upper-case hex MD5 (None: was not made), CRC-64."""

    blob_id: BlobId
    size: int
    md5: str | None
    crc64: int
