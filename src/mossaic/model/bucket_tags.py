"""Tags of a bucket: their rules, and the filters of ListBuckets (OSS API: PutBucketTags, ListBuckets)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_plus

from mossaic.model import documents
from mossaic.protocol.errors import (
    INVALID_ARGUMENT,
    INVALID_TAG,
    MALFORMED_XML,
    REPEATED_TAGS,
    TOO_MANY_TAGS,
    OssError,
)
from mossaic.protocol.limits import MAX_BUCKET_TAGS
from mossaic.protocol.operations.settings import Tag, Tagging

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mossaic.model.bucket import Bucket

MAX_KEY_BYTES: Final = 64
MAX_VALUE_BYTES: Final = 128
_RESERVED: Final = ("http://", "https://", "aliyun")
_CONTROL: Final = r"[\x00-\x1f\x7f]"
_PAIR: Final = r'"([^"]*)":"([^"]*)"'
_PAIRS: Final = r'("[^"]*":"[^"]*")(,"[^"]*":"[^"]*")*'


def checked(tagging: Tagging) -> str:
    """The text to store. Raises OssError: MALFORMED_XML, TOO_MANY_TAGS, INVALID_TAG, REPEATED_TAGS."""
    if not tagging.tags:
        raise OssError(MALFORMED_XML, ErrorDetail="Tag is missing")
    if len(tagging.tags) > MAX_BUCKET_TAGS:
        raise OssError(TOO_MANY_TAGS)
    for tag in tagging.tags:
        if (
            not _is_key(tag.key)
            or len(tag.value.encode()) > MAX_VALUE_BYTES
            or re.search(_CONTROL, tag.value)
        ):
            raise OssError(INVALID_TAG)
    if len({tag.key for tag in tagging.tags}) < len(tagging.tags):
        raise OssError(REPEATED_TAGS)
    return documents.dump(tagging, Tagging)


def _is_key(key: str) -> bool:
    return (
        1 <= len(key.encode()) <= MAX_KEY_BYTES
        and not key.lower().startswith(_RESERVED)
        and re.search(_CONTROL, key) is None
    )


def load(bucket: Bucket) -> Tagging:
    """The bucket's tags, perhaps none."""
    return documents.load(bucket, documents.TAGGING, Tagging) or Tagging()


def without(tagging: Tagging, keys: str) -> str | None:
    """The text to store when the tags of these keys (`k1,k2`; empty: all) are gone; None when none is left."""
    gone = set(keys.split(",")) if keys else {tag.key for tag in tagging.tags}
    left = tuple(tag for tag in tagging.tags if tag.key not in gone)
    return documents.dump(Tagging(tags=left), Tagging) if left else None


def of_header(text: str) -> Tagging:
    """The tags of `x-oss-bucket-tagging`: `k1=v1&k2=v2`, URL-encoded."""
    pairs = (piece.partition("=") for piece in text.split("&"))
    return Tagging(
        tags=tuple(Tag(key=unquote_plus(key), value=unquote_plus(value)) for key, _, value in pairs)
    )


def wanted(tag_key: str | None, tag_value: str | None, tagging: str | None) -> dict[str, str | None]:
    """What ListBuckets asks of a bucket's tags: keys with their values, None for any value.

    Raises OssError INVALID_ARGUMENT.
    """
    if tagging:
        if tag_key or tag_value:
            raise _refused("tagging", tagging, "tagging cannot be combined with tag-key and tag-value.")
        if re.fullmatch(_PAIRS, tagging) is None:
            raise _refused("tagging", tagging, 'tagging must be of the form "k1":"v1","k2":"v2".')
        return dict(re.findall(_PAIR, tagging))
    if tag_value and not tag_key:
        raise _refused("tag-value", tag_value, "tag-value needs a tag-key.")
    return {tag_key: tag_value or None} if tag_key else {}


def has(bucket: Bucket, asked: Mapping[str, str | None]) -> bool:
    tags = {tag.key: tag.value for tag in load(bucket).tags}
    return all(key in tags and value in {None, tags[key]} for key, value in asked.items())


def _refused(name: str, value: str, message: str) -> OssError:
    return OssError(INVALID_ARGUMENT, message, ArgumentName=name, ArgumentValue=value)
