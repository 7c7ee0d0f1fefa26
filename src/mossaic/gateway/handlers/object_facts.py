"""What Get and Head say of an object, from the version that was found to the fields of an answer."""

from __future__ import annotations

import base64
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from mossaic.gateway.call import Permission
from mossaic.model.conditions import Conditions
from mossaic.model.headers import plain
from mossaic.model.names import object_key, version_id
from mossaic.model.object import ObjectType
from mossaic.service.objects import ARCHIVED, Found, ReadOrder, shown_version

if TYPE_CHECKING:
    from mossaic.gateway.call import Call
    from mossaic.model.bucket import Bucket
    from mossaic.protocol.operations.object import GetObject, HeadObject

_FIELDS: Final = {
    "Cache-Control": "cache_control",
    "Content-Disposition": "content_disposition",
    "Content-Encoding": "content_encoding",
    "Content-Language": "content_language",
    "Content-Type": "content_type",
    "Expires": "expires",
}
_REPLACEMENTS: Final = attrgetter(*(f"response_{field}" for field in _FIELDS.values()))


async def look(call: Call, asked: GetObject | HeadObject, order: ReadOrder) -> Found:
    """`order` completed with what Get and Head have in common, and decided. Raises OssError as `ObjectService.look`."""
    order = ReadOrder(
        key=object_key(asked.key),
        version_id=version_id(asked.version_id),
        conditions=Conditions.of(asked),
        range=order.range,
        if_range=order.if_range,
        standard=order.standard,
    )

    async def may_read(key: str) -> None:
        await call.authorize(Permission(action="oss:GetObject", bucket=call.bucket, key=key))

    return await call.services.objects.look(call.bucket, order, may_read)


def facts(
    bucket: Bucket, found: Found, *, is_anonymous: bool
) -> dict[str, Any]:  # Any: the fields of ObjectFacts are of many types
    """The fields of `ObjectFacts`, as an anonymous reader gets them or anybody else."""
    version, content = found.version, found.content
    stored = version.headers.stored
    named = {field: stored[name] for name, field in _FIELDS.items() if name in stored}
    # Tags are the owner's and his users' business; how many there are is no news for anybody else.
    knows_tags = bool(version.tags) and not is_anonymous
    return named | {
        "etag": content.etag,
        "last_modified": found.modified_at,
        "content_md5": content_md5(content.md5),
        "accept_ranges": "bytes",
        "object_type": version.type.value,
        "storage_class": version.storage_class.value,
        "crc64": content.crc64,
        "version_id": shown_version(bucket, version),
        "tagging_count": len(version.tags) if knows_tags else None,
        "next_append_position": content.size if version.type is ObjectType.APPENDABLE else None,
        "restore": 'ongoing-request="false"' if version.storage_class in ARCHIVED else None,
        "server_side_encryption": version.headers.encryption,
        "meta": version.headers.meta,
        "further": {name: value for name, value in stored.items() if name not in _FIELDS},
    }


def overrides(asked: GetObject) -> dict[str, Any]:  # Any: to stand in for `facts`
    """The stored headers that `response-*` replaces in this answer. Raises OssError INVALID_ARGUMENT (CR, LF)."""
    values = _REPLACEMENTS(asked)
    if not any(values):
        return {}
    said = dict(zip(_FIELDS, values, strict=True))
    # A query is UTF-8; header text is Latin-1 inside Mossaic, byte for byte what travels.
    wire = {
        name: text.encode("utf-8", "surrogateescape").decode("latin-1") for name, text in said.items() if text
    }
    return {_FIELDS[name]: plain(f"response-{name.lower()}", text) for name, text in wire.items()}


def content_md5(md5: str | None) -> str | None:
    """The Content-MD5 header: an MD5 in base64 instead of hex, where it is known."""
    return None if md5 is None else base64.b64encode(bytes.fromhex(md5)).decode()
