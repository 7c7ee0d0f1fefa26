"""A multipart upload in progress and its parts; what a list of parts becomes is decided in `plan_completion`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mossaic.model.object import ObjectAcl, ObjectHeaders, StorageClass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mossaic.model.manifest import Manifest
    from mossaic.model.names import BucketName, ObjectKey, UploadId


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What InitiateMultipartUpload froze: the object that Complete will make, and who began it."""

    upload_id: UploadId
    bucket: BucketName
    key: ObjectKey
    initiated_at: datetime
    initiator: str
    headers: ObjectHeaders = field(default_factory=ObjectHeaders)
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    acl: ObjectAcl = ObjectAcl.DEFAULT
    storage_class: StorageClass = StorageClass.STANDARD
    forbid_overwrite: bool = False
    sequential: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A stored part. number 1 … 10,000; size in bytes; etag is the upper-case hex MD5 of its bytes."""

    number: int
    size: int
    etag: str
    crc64: int
    stored_at: datetime
    manifest: Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """The result of Complete, kept as a receipt so that a repeated Complete gets the same answer.

    `digest` identifies the list of parts that was asked for (hex SHA-256 over number and etag of each).
    """

    upload_id: UploadId
    bucket: BucketName
    key: ObjectKey
    digest: str
    etag: str
    crc64: int
    size: int
    version_id: str | None
    completed_at: datetime
