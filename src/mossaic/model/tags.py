"""Tags of an object: the header form `k1=v1&k2=v2`, and the rules keys and values have to obey (OSS API: object tagging)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote_to_bytes

from mossaic.protocol.errors import INVALID_ARGUMENT, INVALID_TAGGING_KEY, OssError
from mossaic.protocol.limits import MAX_OBJECT_TAGS, MAX_TAG_KEY, MAX_TAG_VALUE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ALLOWED: Final = r"[A-Za-z0-9 +\-=._:/]*"
_BAD_ESCAPE: Final = r"%(?![0-9A-Fa-f]{2})"
_HEADER: Final = "x-oss-tagging"


def parse_tagging(text: str | None) -> dict[str, str]:
    """The tags of an `x-oss-tagging` header; a key without `=` has an empty value. None and empty text: no tags.

    A `+` stands for itself: it is a legal character of a tag, and the clients escape a blank as %20.

    Raises OssError INVALID_ARGUMENT, INVALID_TAGGING_KEY.
    """
    if not text:
        return {}
    pairs: list[tuple[str, str]] = []
    for piece in text.split("&"):
        key, _, value = piece.partition("=")
        if not key:
            raise _syntax(text)
        pairs.append((_unescaped(key, text), _unescaped(value, text)))
    return check_tags(pairs)


def check_tags(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Tags in order: at most 10, unique keys of 1 … 128 characters, values of at most 256.

    Raises OssError INVALID_ARGUMENT, INVALID_TAGGING_KEY.
    """
    tags: dict[str, str] = {}
    for key, value in pairs:
        if len(key) > MAX_TAG_KEY:
            raise _bad("TagKey", key, "0010-00000209", f"A tag key has at most {MAX_TAG_KEY} characters.")
        if not key or re.fullmatch(_ALLOWED, key) is None:
            raise OssError(INVALID_TAGGING_KEY)
        if len(value) > MAX_TAG_VALUE or re.fullmatch(_ALLOWED, value) is None:
            raise _bad("TagValue", value, "0010-00000217", "The tag value is not valid.")
        if key in tags:
            raise _bad(_HEADER, key, "0010-00000219", "The tag keys are not unique.")
        tags[key] = value
    if len(tags) > MAX_OBJECT_TAGS:
        raise _bad(_HEADER, str(len(tags)), "0010-00000218", f"An object has at most {MAX_OBJECT_TAGS} tags.")
    return tags


def format_tagging(tags: Mapping[str, str]) -> str:
    """The header form of tags; the inverse of `parse_tagging`."""
    return "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in tags.items())


def _unescaped(part: str, whole: str) -> str:
    try:
        if re.search(_BAD_ESCAPE, part) is None:
            return unquote_to_bytes(part).decode()
    except UnicodeError:
        pass
    raise _syntax(whole)


def _syntax(text: str) -> OssError:
    return _bad(_HEADER, text, "0010-00000219", "The tagging is not of the form k1=v1&k2=v2.")


def _bad(name: str, value: str, ec: str, message: str) -> OssError:
    return OssError(INVALID_ARGUMENT, message, ec=ec, ArgumentName=name, ArgumentValue=value[:MAX_TAG_VALUE])
