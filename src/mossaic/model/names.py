"""Names that must not be mixed up, and the rules a bucket name and an object key have to obey."""

from __future__ import annotations

import re
import secrets
import time
from typing import Final, NewType

from mossaic.protocol.errors import INVALID_ARGUMENT, INVALID_BUCKET_NAME, INVALID_OBJECT_NAME, OssError
from mossaic.protocol.limits import MAX_KEY_BYTES

BucketName = NewType("BucketName", str)
ObjectKey = NewType("ObjectKey", str)
UploadId = NewType("UploadId", str)
VersionId = NewType("VersionId", str)
BlobId = NewType("BlobId", str)

NULL_VERSION: Final = VersionId("null")
_TOGETHER_S: Final = 10
_VERSION_ID: Final = re.compile(r"[A-Za-z0-9._~=-]{1,128}")
_BUCKET_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


def bucket_name(text: str) -> BucketName:
    """3 … 63 lower-case letters, digits and inner hyphens. Raises OssError INVALID_BUCKET_NAME."""
    if _BUCKET_NAME.fullmatch(text) is None:
        raise OssError(INVALID_BUCKET_NAME, BucketName=text)
    return BucketName(text)


def object_key(text: str) -> ObjectKey:
    r"""1 … 1023 bytes of UTF-8, not beginning with `/` or `\`, without NUL. Raises OssError INVALID_OBJECT_NAME."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:  # a lone surrogate: the path was not UTF-8
        raise OssError(INVALID_OBJECT_NAME, ObjectName=ascii(text)) from None
    # NUL: no XML can say it, so that one such key would spoil every listing of its bucket; and it ends names in C.
    if not 1 <= size <= MAX_KEY_BYTES or text[0] in "/\\" or "\0" in text:
        raise OssError(INVALID_OBJECT_NAME, ObjectName=text.replace("\0", "\\0"))
    return ObjectKey(text)


def version_id(text: str | None) -> VersionId | None:
    """`?versionId=` as it was sent. Whether there is such a version is another question.

    Raises OssError INVALID_ARGUMENT: empty, or of characters that no id has.
    """
    if text is None:
        return None
    if _VERSION_ID.fullmatch(text) is None:
        raise OssError(
            INVALID_ARGUMENT, "Invalid version id.", ArgumentName="versionId", ArgumentValue=text[:128]
        )
    return VersionId(text)


def new_blob_id() -> BlobId:
    """32 lower-case hex digits; never reused, never made from a key. The first two change every ten seconds, the rest are 120
    random bits: blobs of the same time lie together, in a folder as in the metadata."""
    return BlobId(f"{int(time.monotonic()) // _TOGETHER_S % 256:02x}{secrets.token_hex(15)}")
