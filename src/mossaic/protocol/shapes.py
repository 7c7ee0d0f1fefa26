"""Shapes that several operations share: addresses, the headers of a stored object, owners."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated

from mossaic.protocol.shape import shape
from mossaic.protocol.wire import Element, Header, Target, UserMeta


@shape
class OnService:
    """A request to the service itself."""


@shape
class OnBucket:
    """A request to a bucket."""

    bucket: Annotated[str, Target("bucket")]


@shape
class OnObject(OnBucket):
    """A request to an object."""

    key: Annotated[str, Target("key")]


@shape
class WritesObject(OnObject):
    """The headers that every operation which makes an object takes (OSS API: PutObject request headers).

    `tagging` is the URL-encoded query form `k1=v1&k2=v2`; `expires` is an opaque string, never parsed.
    """

    cache_control: Annotated[str | None, Header("Cache-Control")] = None
    content_disposition: Annotated[str | None, Header("Content-Disposition")] = None
    content_encoding: Annotated[str | None, Header("Content-Encoding")] = None
    content_language: Annotated[str | None, Header("Content-Language")] = None
    content_type: Annotated[str | None, Header("Content-Type")] = None
    expires: Annotated[str | None, Header("Expires")] = None
    meta: Annotated[Mapping[str, str], UserMeta()] = field(default_factory=dict[str, str])
    object_acl: Annotated[str | None, Header("x-oss-object-acl")] = None
    storage_class: Annotated[str | None, Header("x-oss-storage-class")] = None
    forbid_overwrite: Annotated[str | None, Header("x-oss-forbid-overwrite")] = None
    tagging: Annotated[str | None, Header("x-oss-tagging")] = None
    server_side_encryption: Annotated[str | None, Header("x-oss-server-side-encryption")] = None
    persistent_headers: Annotated[str | None, Header("x-oss-persistent-headers")] = None
    callback: Annotated[str | None, Header("x-oss-callback")] = None
    callback_var: Annotated[str | None, Header("x-oss-callback-var")] = None


@shape
class Empty:
    """An answer that has neither body nor headers of its own."""


@shape
class Owner:
    """An account; clients read `Owner` unguarded, so it is always there."""

    id: Annotated[str, Element("ID")]
    display_name: Annotated[str, Element("DisplayName")]
