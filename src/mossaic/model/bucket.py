"""A bucket, its settings and the documents stored on it."""

from __future__ import annotations

from dataclasses import field
from enum import Enum
from typing import TYPE_CHECKING

from mossaic.model.object import StorageClass
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mossaic.model.names import BucketName


class BucketAcl(Enum):
    """x-oss-acl."""

    PRIVATE = "private"
    PUBLIC_READ = "public-read"
    PUBLIC_READ_WRITE = "public-read-write"


class Versioning(Enum):
    """UNSET can never be returned to."""

    UNSET = ""
    ENABLED = "Enabled"
    SUSPENDED = "Suspended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """`documents`: settings stored as text by name ("cors", "lifecycle", "policy", "tagging" ...), validated when they were put.

    `revision` grows with every change; a change names the revision it was made from.
    """

    name: BucketName
    region: str
    owner_id: str
    created_at: datetime
    acl: BucketAcl = BucketAcl.PRIVATE
    storage_class: StorageClass = StorageClass.STANDARD
    redundancy: str = "LRS"
    versioning: Versioning = Versioning.UNSET
    documents: Mapping[str, str] = field(default_factory=dict[str, str])
    revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassTotals:
    """Bytes and object versions of one storage class."""

    size: int = 0
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketTotals:
    """GetBucketStat's numbers: exact as of the last commit."""

    classes: Mapping[StorageClass, ClassTotals]
    upload_count: int
    part_count: int
    part_size: int
    delete_marker_count: int
    modified_at: datetime | None
