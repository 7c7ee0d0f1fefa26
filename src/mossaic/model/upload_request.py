"""Upload-request links: whoever has one may put files into one place, so many, so large, and for so long.

OSS has nothing like it; the error codes are OSS's, the detailed codes (`0099-…`) are Mossaic's own.
"""

from __future__ import annotations

import hashlib
import hmac
from enum import Enum
from typing import TYPE_CHECKING, Final

from mossaic.protocol.errors import ACCESS_DENIED, ENTITY_TOO_LARGE, FILE_ALREADY_EXISTS, OssError
from mossaic.protocol.limits import GIB, MAX_KEY_BYTES, MAX_PART_NUMBER, MAX_PART_SIZE
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from datetime import datetime

    from mossaic.model.names import BucketName

DEFAULT_OBJECTS: Final = 100
DEFAULT_TOTAL: Final = 10 * GIB
DEFAULT_OBJECT: Final = 5 * GIB
DEFAULT_LIFE_S: Final = 7 * 86_400
MIN_LIFE_S: Final = 60
MAX_LIFE_S: Final = 365 * 86_400
MAX_OBJECTS: Final = 1_000_000
MAX_BYTES: Final = MAX_PART_NUMBER * MAX_PART_SIZE
MAX_TITLE: Final = 200  # characters
MAX_NOTE: Final = 2_000  # characters
MAX_PREFIX: Final = MAX_KEY_BYTES - 500  # bytes: the visit's folder and the names of its files come after it
MAX_OPEN_UPLOADS: Final = (
    256  # of one link at a time: an upload without parts costs nothing against the bytes
)
MAX_LINKS: Final = 1_000  # of a bucket
# What a link's session may do. Nothing that reads content, lists, deletes, copies or appends. HeadObject: a page whose answer
# was lost has to learn whether its file arrived; in the visit's own folder there is nothing else to learn.
OPERATIONS: Final = frozenset(
    {
        "PutObject",
        "HeadObject",
        "InitiateMultipartUpload",
        "UploadPart",
        "CompleteMultipartUpload",
        "AbortMultipartUpload",
        "ListParts",
    }
)
# The owner of the bucket decides on these; a callback would make the server call where the visitor wishes.
REFUSED_HEADERS: Final = (
    "x-oss-object-acl",
    "x-oss-tagging",
    "x-oss-storage-class",
    "x-oss-server-side-encryption",
    "x-oss-server-side-data-encryption",
    "x-oss-persistent-headers",
    "x-oss-callback",
    "x-oss-callback-var",
)
REFUSED_QUERY: Final = ("callback", "callback-var", *REFUSED_HEADERS)
NOT_VALID_EC: Final = "0099-00000001"
BEYOND_EC: Final = "0099-00000002"
_NOBODYS_HASH: Final = "0" * 64


class Reason(Enum):
    """Why a link does not allow a step; the value is the detailed error code."""

    ENDED = NOT_VALID_EC
    OBJECT_SIZE = "0099-00000003"
    TOTAL = "0099-00000004"
    COUNT = "0099-00000005"
    UPLOADS = "0099-00000006"
    EXISTS = "0099-00000007"


@dataclass(frozen=True, slots=True, kw_only=True)
class Creator:
    """Who made a link: the account, or its user `user`. `id` is the account's or the user's, `key_id` the access key that signed;
    the link belongs to the identity, not to the key."""

    id: str
    user: str | None
    key_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bytes of one object, bytes of all, and number of objects."""

    object_bytes: int = DEFAULT_OBJECT
    total_bytes: int = DEFAULT_TOTAL
    objects: int = DEFAULT_OBJECTS


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRequest:
    """A link and what came through it. `prefix` is empty or ends in `/`. `used_…`: ever published; `held_bytes`: parts of open
    uploads."""

    request_id: str
    secret_hash: str
    bucket: BucketName
    prefix: str
    title: str
    note: str
    creator: Creator
    limits: Limits
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    used_objects: int = 0
    used_bytes: int = 0
    held_bytes: int = 0

    def has_ended(self, now: datetime) -> bool:
        return self.revoked_at is not None or now >= self.expires_at

    @property
    def left_objects(self) -> int:
        return max(0, self.limits.objects - self.used_objects)

    @property
    def left_bytes(self) -> int:
        return max(0, self.limits.total_bytes - self.used_bytes - self.held_bytes)

    def why_not(self, now: datetime, *, size: int, more: int, count: int = 0) -> Reason | None:
        """What forbids an object that has `size` bytes now, for which `more` bytes and `count` objects come to what the link
        has; None when nothing does."""
        if self.has_ended(now):
            return Reason.ENDED
        if size > self.limits.object_bytes:
            return Reason.OBJECT_SIZE
        if self.used_objects + count > self.limits.objects:
            return Reason.COUNT
        if more > 0 and self.used_bytes + self.held_bytes + more > self.limits.total_bytes:
            return Reason.TOTAL
        return None


def hash_of(secret: str) -> str:
    """Enough for a secret of 256 random bits: there is nothing to guess."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def opens(request: UploadRequest | None, secret: str, now: datetime) -> bool:
    """Whether the secret is that of a living link. Takes the same time for every answer."""
    expected = _NOBODYS_HASH if request is None else request.secret_hash
    is_right = hmac.compare_digest(expected, hash_of(secret))
    return is_right and request is not None and not request.has_ended(now)


def not_valid() -> OssError:
    """One refusal for every reason, so that nobody learns which links there are or were."""
    return OssError(ACCESS_DENIED, "The upload-request link is not valid, or it has ended.", ec=NOT_VALID_EC)


def beyond(what: str) -> OssError:
    """The session of a link was used for something else than it is for."""
    return OssError(ACCESS_DENIED, f"An upload-request link does not allow {what}.", ec=BEYOND_EC)


def refusal(reason: Reason, request: UploadRequest, *, key: str = "") -> OssError:
    """The reason in OSS's words."""
    limits, ec = request.limits, reason.value
    match reason:
        case Reason.ENDED:
            return not_valid()
        case Reason.OBJECT_SIZE:
            message = f"The upload-request link takes files of at most {limits.object_bytes} bytes."
            return OssError(ENTITY_TOO_LARGE, message, ec=ec, MaxSizeAllowed=limits.object_bytes)
        case Reason.TOTAL:
            message = f"The upload-request link takes {limits.total_bytes} bytes in all; {request.left_bytes} are left."
            return OssError(ENTITY_TOO_LARGE, message, ec=ec, MaxSizeAllowed=request.left_bytes)
        case Reason.COUNT:
            message = f"The upload-request link takes {limits.objects} files, and has them."
            return OssError(ACCESS_DENIED, message, ec=ec)
        case Reason.UPLOADS:
            message = (
                f"The upload-request link has {MAX_OPEN_UPLOADS} unfinished uploads; finish or abort some."
            )
            return OssError(ACCESS_DENIED, message, ec=ec)
        case Reason.EXISTS:
            return OssError(FILE_ALREADY_EXISTS, ec=ec, Key=key)
