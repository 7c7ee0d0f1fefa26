"""A multipart upload in progress and its parts; what a list of parts becomes is decided in `plan_completion`."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from mossaic.model.manifest import Manifest
from mossaic.model.names import UploadId
from mossaic.model.object import ObjectAcl, ObjectHeaders, StorageClass
from mossaic.protocol.checksum import crc64_join, multipart_etag
from mossaic.protocol.errors import (
    ENTITY_TOO_SMALL,
    INVALID_ARGUMENT,
    INVALID_PART,
    INVALID_PART_ORDER,
    NO_SUCH_UPLOAD,
    OssError,
)
from mossaic.protocol.limits import MAX_PART_NUMBER, MIN_PART_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from mossaic.model.names import BucketName, ObjectKey
    from mossaic.protocol.operations.multipart import ListedPart

_SHOWN: Final = 256  # characters of a refused value that the error repeats


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What InitiateMultipartUpload froze: the object that Complete will make, and who began it. An upload that was begun through
    an upload-request link has `request_id` and `visit`."""

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
    request_id: str | None = None
    visit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A stored part. number 1 … 10,000; size in bytes; etag is the upper-case hex MD5 of its bytes or `crc64_etag`."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What a list of parts becomes: the parts in order, and the object's size (bytes), ETag, CRC-64 and extents."""

    parts: tuple[Part, ...]
    size: int
    etag: str
    crc64: int
    manifest: Manifest


def new_upload_id(now: datetime) -> UploadId:
    """32 upper-case hex digits: 48 bits of milliseconds, so that the ids of a key sort by age, and 80 random bits."""
    return UploadId(f"{int(now.timestamp() * 1000):012X}{secrets.token_hex(10).upper()}")


def no_such_upload(upload_id: str) -> OssError:
    """The upload is unknown, aborted, completed, or one of another key."""
    return OssError(NO_SUCH_UPLOAD, ec="0017-00000244", UploadId=_shown(upload_id))


def part_number(text: str | None) -> int:
    """The number in a query parameter, 1 … 10,000. Raises OssError INVALID_ARGUMENT."""
    if text is None:
        message = "An upload ID without a part number is not expected here."
        raise OssError(INVALID_ARGUMENT, message, ec="0017-00000219", ArgumentName="partNumber")
    if text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= MAX_PART_NUMBER:
        return int(text)
    message = f"Part number must be an integer between 1 and {MAX_PART_NUMBER}, inclusive."
    raise OssError(
        INVALID_ARGUMENT,
        message,
        ec="0017-00000220",
        ArgumentName="PartNumber",
        ArgumentValue=_shown(text),
    )


def list_digest(asked: Iterable[ListedPart] | None) -> str:
    """Identifies the list of parts that a Complete asks for; None stands for "all there are"."""
    if asked is None:
        return hashlib.sha256(b"all").hexdigest()
    lines = "".join(f"{part.number}:{part.etag.upper()}\n" for part in asked)
    return hashlib.sha256(lines.encode("utf-8", "replace")).hexdigest()


def plan_completion(
    stored: Sequence[Part], asked: Sequence[ListedPart] | None, *, upload_id: UploadId
) -> Completion:
    """The object that `asked` makes of the stored parts; None takes all of them in order of their numbers.

    Checks as OSS does and in its order: numbers ascend strictly; each part is there with that ETag; each but the last
    has 100 KiB. An empty list makes an empty object. Linear in the number of parts.

    Raises OssError: INVALID_PART_ORDER, INVALID_PART, ENTITY_TOO_SMALL.
    """
    if asked is None:
        parts = tuple(sorted(stored, key=lambda part: part.number))
    else:
        _check_order(asked, upload_id)
        parts = _find(stored, asked, upload_id)
    for part in parts[:-1]:
        if part.size < MIN_PART_SIZE:
            raise OssError(
                ENTITY_TOO_SMALL,
                ec="0042-00000213",
                MinSizeAllowed=MIN_PART_SIZE,
                ProposedSize=part.size,
                PartNumber=part.number,
                ETag=part.etag,
            )
    return Completion(
        parts=parts,
        size=sum(part.size for part in parts),
        etag=multipart_etag(part.etag for part in parts),
        crc64=crc64_join([(part.crc64, part.size) for part in parts]),
        manifest=Manifest.join(part.manifest for part in parts),
    )


def _check_order(asked: Sequence[ListedPart], upload_id: UploadId) -> None:
    in_range = all(1 <= part.number <= MAX_PART_NUMBER for part in asked)
    if not in_range or any(part.number >= following.number for part, following in pairwise(asked)):
        raise OssError(INVALID_PART_ORDER, ec="0042-00000209", UploadId=upload_id)


def _find(stored: Sequence[Part], asked: Sequence[ListedPart], upload_id: UploadId) -> tuple[Part, ...]:
    by_number = {part.number: part for part in stored}
    found: list[Part] = []
    for listed in asked:
        part = by_number.get(listed.number)
        if part is None or part.etag != listed.etag.upper():
            raise OssError(
                INVALID_PART, UploadId=upload_id, PartNumber=listed.number, ETag=_shown(listed.etag)
            )
        found.append(part)
    return tuple(found)


def _shown(text: str) -> str:
    """A client's text as an error may repeat it: short, and without the surrogates of bytes that were not UTF-8."""
    return text[:_SHOWN].encode("utf-8", "replace").decode()
