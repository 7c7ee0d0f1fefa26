"""What a write says of the object beside its bytes: one value for put, append, copy and multipart upload, and the shape fields it becomes."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict, cast
from urllib.parse import quote

from mossaic.client.callback import Callback
from mossaic.client.read_options import Conditions
from mossaic.protocol.mime import content_type_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Acl = Literal["default", "private", "public-read", "public-read-write"]
StorageClass = Literal["Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"]

TRAFFIC_LIMIT: Final = "x-oss-traffic-limit"
MIN_TRAFFIC_LIMIT: Final = 819_200  # bit/s (OSS API: "single-connection bandwidth throttling")
MAX_TRAFFIC_LIMIT: Final = 838_860_800  # bit/s
_META: Final = "x-oss-meta-"
_SAID_AT_COMPLETE: Final = frozenset({"callback", "callback_var", "forbid_overwrite", "meta"})

# These say where a message ends and who sent it: they belong to the exchange, never to a caller.
_OURS: Final = frozenset(
    "authorization connection content-length date expect host keep-alive te trailer transfer-encoding upgrade x-oss-date".split()
)
_FIELD_OF: Final = {
    "cache-control": "cache_control",
    "content-disposition": "content_disposition",
    "content-encoding": "content_encoding",
    "content-language": "content_language",
    "content-type": "content_type",
    "expires": "expires",
    "x-oss-object-acl": "object_acl",
    "x-oss-storage-class": "storage_class",
    "x-oss-forbid-overwrite": "forbid_overwrite",
    "x-oss-tagging": "tagging",
    "x-oss-server-side-encryption": "server_side_encryption",
    "x-oss-persistent-headers": "persistent_headers",
    "x-oss-callback": "callback",
    "x-oss-callback-var": "callback_var",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectOptions:
    """What is stored with an object and how the write behaves.

    `headers`: Cache-Control, Content-Disposition, Content-Encoding, Content-Language, Expires and any further header, in any letter
    case; an option of its own wins over the header of the same meaning. `meta`: names without `x-oss-meta-`; 8 KiB in all.
    `mime`: the Content-Type, guessed from the key's extension when None. `tags`: at most 10. `forbid_overwrite`: an object of
    that name makes the write fail with FileAlreadyExists. `callback`: a Callback, or ali-oss's object. `traffic_limit`: bit/s, 819,200 …
    838,860,800. `persistent`: headers of any name that readers get back.
    """

    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    meta: Mapping[str, str] = field(default_factory=dict[str, str])
    mime: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    storage_class: StorageClass | str | None = None
    acl: Acl | str | None = None
    forbid_overwrite: bool | None = None
    callback: Callback | Mapping[str, Any] | None = None  # Any: ali-oss's values are of several types
    server_side_encryption: str | None = None
    traffic_limit: int | None = None
    persistent: Mapping[str, str] = field(default_factory=dict[str, str])


class WriteOptions(TypedDict, total=False):
    """The fields of ObjectOptions as the keywords of a call."""

    headers: Mapping[str, str]
    meta: Mapping[str, str]
    mime: str | None
    tags: Mapping[str, str]
    storage_class: StorageClass | str | None
    acl: Acl | str | None
    forbid_overwrite: bool | None
    callback: Callback | Mapping[str, Any] | None  # Any: as above
    server_side_encryption: str | None
    traffic_limit: int | None
    persistent: Mapping[str, str]


class CopyOptions(WriteOptions, Conditions, total=False):
    """What a copy carries, and conditions on its source."""


class ObjectFields(TypedDict):
    """The fields of `WritesObject`, to be unpacked into any shape that writes an object."""

    cache_control: str | None
    content_disposition: str | None
    content_encoding: str | None
    content_language: str | None
    content_type: str | None
    expires: str | None
    meta: Mapping[str, str]
    object_acl: str | None
    storage_class: str | None
    forbid_overwrite: str | None
    tagging: str | None
    server_side_encryption: str | None
    persistent_headers: str | None
    callback: str | None
    callback_var: str | None


def object_fields(options: ObjectOptions, key: str | None) -> ObjectFields:
    """The shape fields of `options`; `key` gives the Content-Type when nothing else does, None leaves it out (copies).

    Raises ValueError (a header that is not the caller's to set, a bad callback).
    """
    named = _lowered(options.headers)
    said: dict[str, str | None] = {field: named.get(name) for name, field in _FIELD_OF.items()}
    guessed = None if key is None else content_type_of(key)
    own = {
        "content_type": options.mime or said["content_type"] or guessed,
        "object_acl": options.acl,
        "storage_class": options.storage_class,
        "forbid_overwrite": None if options.forbid_overwrite is None else _flag(options.forbid_overwrite),
        "tagging": tagging(options.tags) if options.tags else None,
        "server_side_encryption": options.server_side_encryption,
        "persistent_headers": _persistent(options.persistent.items()) or None,
    }
    if options.callback is not None:
        asked = Callback.of(options.callback).to_headers()
        own["callback"] = asked["x-oss-callback"]
        own["callback_var"] = asked.get("x-oss-callback-var")
    said |= {name: text for name, text in own.items() if text is not None}
    meta = {name.removeprefix(_META): text for name, text in named.items() if name.startswith(_META)}
    meta |= {name.lower().removeprefix(_META): text for name, text in options.meta.items()}
    return cast("ObjectFields", {**said, "meta": meta})


def fingerprint(options: ObjectOptions, key: str) -> str:
    """Same text, same object but for its bytes: what InitiateMultipartUpload says once and for all. A digest, so that it is short and
    tells nobody."""
    fields = object_fields(options, key)
    once = {name: text for name, text in fields.items() if name not in _SAID_AT_COMPLETE}
    said = repr(
        (
            sorted(once.items(), key=str),
            sorted(fields["meta"].items()),
            sorted(further_headers(options).items()),
        )
    )
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def further_headers(options: ObjectOptions) -> dict[str, str]:
    """The headers of `options` that no shape has a field for, lower case, the traffic limit among them.

    Raises ValueError (a header that is not the caller's to set, a traffic limit out of range).
    """
    named = _lowered(options.headers)
    found = {n: text for n, text in named.items() if n not in _FIELD_OF and not n.startswith(_META)}
    return found | traffic_headers(options.traffic_limit)


def traffic_headers(limit: int | None) -> dict[str, str]:
    """`limit` in bit/s. Raises ValueError when the service would not take it."""
    if limit is None:
        return {}
    if not MIN_TRAFFIC_LIMIT <= limit <= MAX_TRAFFIC_LIMIT:
        raise ValueError(f"a traffic limit is {MIN_TRAFFIC_LIMIT} to {MAX_TRAFFIC_LIMIT} bit/s, not {limit}")
    return {TRAFFIC_LIMIT: str(limit)}


def tagging(tags: Mapping[str, str]) -> str:
    """The header form of tags, `k1=v1&k2=v2`."""
    return "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in tags.items())


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    named = {name.lower(): str(text) for name, text in headers.items()}
    wrong = sorted(_OURS.intersection(named))
    if wrong:
        raise ValueError(f"the client sets these headers itself: {', '.join(wrong)}")
    return named


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _persistent(pairs: Iterable[tuple[str, str]]) -> str:
    return ",".join(f"{name}:{b64encode(text.encode()).decode('ascii')}" for name, text in pairs)
