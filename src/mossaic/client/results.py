"""What calls give back: frozen values. Sizes are bytes, times aware datetimes, ETags bare and upper case, CRC-64 whole numbers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mossaic.protocol.signing.request import header_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mossaic.client.errors import ServerError
    from mossaic.protocol.operations.object import DeletedObject, ObjectFacts
    from mossaic.protocol.shapes import Owner


@dataclass(frozen=True, slots=True, kw_only=True)
class PutResult:
    """A stored object. `callback`: what the callback's receiver answered, None without a callback."""

    bucket: str
    name: str
    size: int
    etag: str
    crc64: int | None
    version_id: str | None = None
    callback: bytes | None = None
    request_id: str = ""

    @property
    def data(self) -> Any:  # Any: whatever JSON the callback's receiver answered
        """The callback's answer read as JSON, as ali-oss gives it. Raises ValueError when it is not JSON."""
        return None if self.callback is None else json.loads(self.callback)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendResult:
    """`position` is where the next append goes: the object's size now. `crc64` is the whole object's."""

    bucket: str
    name: str
    position: int
    etag: str
    crc64: int | None
    version_id: str | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyResult:
    bucket: str
    name: str
    etag: str
    modified_at: datetime
    crc64: int | None = None
    version_id: str | None = None
    source_version_id: str | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteResult:
    """`delete_marker`: whether a delete marker was made or removed; `version_id` is then the marker's."""

    version_id: str | None
    delete_marker: bool
    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undeleted:
    """An object that was not deleted, and why."""

    name: str
    version_id: str | None
    error: ServerError


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteManyResult:
    """`deleted` in the order asked for; an object that was not there counts as deleted, as OSS has it."""

    deleted: tuple[DeletedObject, ...]
    failures: tuple[Undeleted, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectInfo:
    """What is known of an object. `size` is the whole object's, of a ranged read, too.

    `meta`: names without `x-oss-meta-`, lower case. `type`: Normal, Multipart, Appendable or Symlink. `append_position`: where an
    appendable object goes on. `headers`: all of the answer, by lower-case name, for what has no field.
    """

    bucket: str
    name: str
    size: int
    etag: str
    modified_at: datetime
    content_type: str | None = None
    cache_control: str | None = None
    content_disposition: str | None = None
    content_encoding: str | None = None
    content_language: str | None = None
    expires: str | None = None
    content_md5: str | None = None
    meta: Mapping[str, str] = field(default_factory=dict[str, str])
    type: str | None = None
    storage_class: str | None = None
    crc64: int | None = None
    version_id: str | None = None
    tag_count: int = 0
    append_position: int | None = None
    restore: str | None = None
    server_side_encryption: str | None = None
    request_id: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectMeta:
    """The short form. Of a symbolic link, the link's own facts."""

    bucket: str
    name: str
    size: int
    etag: str
    modified_at: datetime
    crc64: int | None = None
    version_id: str | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AclInfo:
    """Who owns it and who else may use it. `acl` of an object may be `default`: that of its bucket."""

    acl: str
    owner: Owner


@dataclass(frozen=True, slots=True, kw_only=True)
class SymlinkResult:
    """A symbolic link that was made."""

    bucket: str
    name: str
    etag: str
    version_id: str | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SymlinkInfo:
    """A symbolic link itself. `target` is the key it points to, in the same bucket."""

    bucket: str
    name: str
    target: str
    etag: str
    modified_at: datetime
    meta: Mapping[str, str] = field(default_factory=dict[str, str])
    version_id: str | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreResult:
    """`begun`: restoring began now (202); otherwise it was under way or done already (200)."""

    begun: bool
    priority: str | None = None
    version_id: str | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostForm:
    """A form that uploads an object without credentials: POST `fields`, then the field `file`, as multipart/form-data to `url`."""

    url: str
    fields: Mapping[str, str]
    expires_at: datetime


def object_info(
    facts: ObjectFacts, *, bucket: str, name: str, size: int, headers: Mapping[str, str]
) -> ObjectInfo:
    """`headers` are the answer's, by lower-case name."""

    def text(value: str | None) -> str | None:
        return None if value is None else header_text(value)

    return ObjectInfo(
        bucket=bucket,
        name=name,
        size=size,
        etag=facts.etag,
        modified_at=facts.last_modified,
        content_type=text(facts.content_type),
        cache_control=text(facts.cache_control),
        content_disposition=text(facts.content_disposition),
        content_encoding=text(facts.content_encoding),
        content_language=text(facts.content_language),
        expires=text(facts.expires),
        content_md5=facts.content_md5,
        meta=read_meta(facts.meta),
        type=facts.object_type,
        storage_class=facts.storage_class,
        crc64=facts.crc64,
        version_id=facts.version_id,
        tag_count=facts.tagging_count or 0,
        append_position=facts.next_append_position,
        restore=facts.restore,
        server_side_encryption=facts.server_side_encryption,
        request_id=headers.get("x-oss-request-id", ""),
        headers={name: header_text(value) for name, value in headers.items()},
    )


def read_meta(meta: Mapping[str, str]) -> dict[str, str]:
    """Values as they were given: what is not ASCII travels as UTF-8."""
    return {name: header_text(text) for name, text in meta.items()}
