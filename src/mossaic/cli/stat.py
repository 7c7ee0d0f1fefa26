"""`mossaic stat`: what is known of an object or of a bucket."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from mossaic.cli.remote import RemoteCommand
from mossaic.cli.units import human_size, human_time
from mossaic.cli.urls import PLACE_URL, Remote

if TYPE_CHECKING:
    from mossaic.cli.remote import Shell


@click.command(cls=RemoteCommand)
@click.argument("url", type=PLACE_URL, metavar="oss://BUCKET[/KEY]")
@click.option("--version-id", metavar="ID", help="This version.")
@click.pass_obj
def stat(shell: Shell, url: Remote, *, version_id: str | None) -> None:
    """Show what is known of an object (size, ETag, CRC-64, type, metadata) or of a bucket (owner, ACL, versioning, contents)."""
    url = shell.at(url)
    if url.key:
        _object(shell, url, version_id)
    elif version_id is not None:
        raise click.UsageError("--version-id is for objects")
    else:
        _bucket(shell, url)


def _object(shell: Shell, url: Remote, version_id: str | None) -> None:
    info = shell.client.head(url.key, version_id=version_id, bucket=url.bucket)
    known: dict[str, object] = {
        "kind": "object",
        "url": str(url),
        "size": info.size,
        "modified_at": info.modified_at,
        "etag": info.etag,
        "crc64": None if info.crc64 is None else str(info.crc64),
        "type": info.type,
        "storage_class": info.storage_class,
        "content_type": info.content_type,
        "cache_control": info.cache_control,
        "content_disposition": info.content_disposition,
        "content_encoding": info.content_encoding,
        "content_language": info.content_language,
        "expires": info.expires,
        "version_id": info.version_id,
        "append_position": info.append_position,
        "restore": info.restore,
        "encryption": info.server_side_encryption,
        "tag_count": info.tag_count or None,
        "meta": dict(info.meta) or None,
        "request_id": info.request_id,
    }
    record = {key: value for key, value in known.items() if value is not None}
    words = {
        key: (key.replace("_", " "), _words(key, value))
        for key, value in record.items()
        if key not in ("kind", "meta")
    }
    words |= {f"meta.{name}": (f"meta {name}", text) for name, text in info.meta.items()}
    shell.output.facts(record, words)


def _bucket(shell: Shell, url: Remote) -> None:
    info = shell.client.bucket_info(url.bucket)
    count = shell.client.bucket_stat(url.bucket)
    record: dict[str, object] = {
        "kind": "bucket",
        "url": str(url),
        "created_at": info.created_at,
        "region": info.location,
        "endpoint": info.extranet_endpoint,
        "owner": info.owner.id,
        "acl": info.grant,
        "versioning": info.versioning or "never set",
        "storage_class": info.storage_class,
        "redundancy": info.redundancy,
        "size": count.storage,
        "objects": count.object_count,
        "delete_markers": count.delete_marker_count,
        "uploads": count.upload_count,
        "parts": count.part_count,
        "counted_at": datetime.fromtimestamp(count.modified_at, UTC),
    }
    words = {
        key: (key.replace("_", " "), _words(key, value)) for key, value in record.items() if key != "kind"
    }
    shell.output.facts(record, words)


def _words(key: str, value: object) -> str:
    if isinstance(value, datetime):
        return human_time(value)
    if key == "size" and isinstance(value, int):
        return f"{human_size(value)} ({value:,} bytes)" if value >= 1024 else f"{value} B"
    return str(value)
