"""Entries of listings as the records that commands print."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from mossaic.cli.urls import Remote

if TYPE_CHECKING:
    from mossaic.protocol.operations.listing import CommonPrefix, MarkerEntry, ObjectEntry, VersionEntry

    Entry: TypeAlias = CommonPrefix | MarkerEntry | ObjectEntry | VersionEntry


def name_in(entry: Entry) -> str:
    """The key, or the prefix of a folder."""
    key: str | None = getattr(entry, "key", None)
    return key if key is not None else getattr(entry, "prefix", "")


def entry_record(entry: Entry, bucket: str) -> dict[str, object]:
    """`kind`, `url` and `key` always; a folder has no more."""
    from mossaic.protocol.operations.listing import (  # noqa: PLC0415  # `mossaic ls --help` has no need of shapes
        CommonPrefix,
        MarkerEntry,
        VersionEntry,
    )

    if isinstance(entry, CommonPrefix):
        return {"kind": "folder", "url": str(Remote(bucket, entry.prefix)), "key": entry.prefix}
    record: dict[str, object] = {
        "kind": "object",
        "url": str(Remote(bucket, entry.key)),
        "key": entry.key,
        "modified_at": entry.modified_at,
    }
    if isinstance(entry, MarkerEntry):
        version = {"version_id": entry.version_id, "is_latest": entry.is_latest}
        return record | {"kind": "delete-marker", "state": "deleted"} | version
    record |= {
        "size": entry.size,
        "etag": entry.etag,
        "type": entry.type,
        "storage_class": entry.storage_class,
    }
    if isinstance(entry, VersionEntry):
        state = "latest" if entry.is_latest else "older"
        version = {"version_id": entry.version_id, "is_latest": entry.is_latest}
        return record | {"kind": "version", "state": state} | version
    return record
