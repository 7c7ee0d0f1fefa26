"""What the laws begin with: small nouns with everything filled in."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from mossaic.model.bucket import Bucket, Versioning
from mossaic.model.manifest import Extent, Manifest
from mossaic.model.names import BucketName, ObjectKey, UploadId, VersionId, new_blob_id
from mossaic.model.object import Blob, ObjectType, ObjectVersion
from mossaic.model.page import Page
from mossaic.model.upload import Completed, Part, Upload
from mossaic.ports import Commit, Stored

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from mossaic.model.object import ObjectPage
    from mossaic.model.page import ListQuery
    from mossaic.model.upload import UploadPage
    from mossaic.ports import MetadataStore

T = TypeVar("T")

NOW = datetime(2026, 11, 24, 8, 0, 0, 123456, tzinfo=UTC)
GRACE_S = 600.0
LATER = NOW + timedelta(seconds=GRACE_S + 1)  # whatever was deleted at NOW may go
BUCKET = BucketName("photos")


def key(text: str) -> ObjectKey:
    return ObjectKey(text)


def a_bucket(name: str = BUCKET, **more: Any) -> Bucket:
    return Bucket(name=BucketName(name), region="cn-hangzhou", owner_id="1", created_at=NOW, **more)


async def given_bucket(metadata: MetadataStore, versioning: Versioning = Versioning.UNSET) -> Bucket:
    await metadata.create_bucket(a_bucket(), quota=100)
    return await set_versioning(metadata, versioning)


async def set_versioning(metadata: MetadataStore, versioning: Versioning) -> Bucket:
    bucket = await metadata.bucket(BUCKET)
    assert bucket is not None
    return await metadata.change_bucket(replace(bucket, versioning=versioning))


def a_blob(size: int = 10) -> Blob:
    return Blob(blob_id=new_blob_id(), size=size, md5="D" * 32, crc64=2**64 - 5)


def as_shown(moment: datetime) -> datetime:
    """Lists show whole seconds."""
    return moment.replace(microsecond=0)


def whole(blob: Blob) -> Manifest:
    return Manifest([Extent(blob.blob_id, 0, blob.size)])


def a_version(name: str, manifest: Manifest | None = None, **more: Any) -> ObjectVersion:
    manifest = Manifest() if manifest is None else manifest
    fields: dict[str, Any] = {"size": manifest.size, "etag": "E" * 32, "modified_at": NOW} | more
    return ObjectVersion(bucket=BUCKET, key=key(name), manifest=manifest, **fields)


async def put(metadata: MetadataStore, name: str, **more: Any) -> Stored:
    """An object with a blob of its own."""
    blob = a_blob()
    return await metadata.put_object(Commit(version=a_version(name, whole(blob), **more), new_blobs=(blob,)))


async def put_inline(metadata: MetadataStore, name: str, content: bytes = b"x") -> Stored:
    return await metadata.put_object(Commit(version=a_version(name, inline=content, size=len(content))))


def an_upload(upload_id: str = "U1", name: str = "big", **more: Any) -> Upload:
    return Upload(
        upload_id=UploadId(upload_id),
        key=key(name),
        initiator="1",
        **({"bucket": BUCKET, "initiated_at": NOW} | more),
    )


async def given_upload(metadata: MetadataStore, upload_id: str = "U1", **more: Any) -> Upload:
    upload = an_upload(upload_id, **more)
    await metadata.create_upload(upload)
    return upload


def a_part(number: int, blob: Blob, etag: str | None = None) -> Part:
    etag = hashlib.md5(blob.blob_id.encode()).hexdigest().upper() if etag is None else etag
    return Part(
        number=number, size=blob.size, etag=etag, crc64=blob.crc64, stored_at=NOW, manifest=whole(blob)
    )


async def put_part(metadata: MetadataStore, upload: Upload, number: int, etag: str | None = None) -> Part:
    blob = a_blob()
    part = a_part(number, blob, etag)
    await metadata.put_part(upload.upload_id, part, (blob,))
    return part


def completion(upload: Upload, parts: Sequence[Part], **more: Any) -> tuple[Commit, Completed]:
    version = a_version(
        upload.key,
        Manifest.join(part.manifest for part in parts),
        type=ObjectType.MULTIPART,
        etag=f"{'F' * 32}-{len(parts)}",
        crc64=7,
    )
    receipt = Completed(
        upload_id=upload.upload_id,
        bucket=BUCKET,
        key=upload.key,
        digest="digest",
        etag=version.etag,
        crc64=version.crc64,
        size=version.size,
        version_id=None,
        completed_at=NOW,
    )
    return Commit(version=version, **more), receipt


async def complete(metadata: MetadataStore, upload: Upload, parts: Sequence[Part], **more: Any) -> Stored:
    """Whatever else is stored: the decision is made."""
    return await metadata.complete(upload, lambda _: completion(upload, parts, **more))


def blob_id_of(part: Part) -> str:
    return part.manifest.extents[0].blob_id


def ids(*parts: Part) -> set[str]:
    return {blob_id_of(part) for part in parts}


def keys_of(
    listing: Callable[[ListQuery], Awaitable[ObjectPage | UploadPage]],
) -> Callable[[ListQuery], Awaitable[Page[str]]]:
    """A listing that gives columns, as one whose items are the keys."""

    async def pages(query: ListQuery) -> Page[str]:
        page = await listing(query)
        return Page(
            items=page.columns.keys,
            prefixes=page.prefixes,
            truncated=page.truncated,
            next_key=page.next_key,
            next_id=page.next_id,
        )

    return pages


async def all_pages(
    listing: Callable[[ListQuery], Awaitable[Page[T]]], query: ListQuery
) -> tuple[list[T], list[str]]:
    """Page after page; each keeps the limit, and a page that says there is more is not empty."""
    items: list[T] = []
    prefixes: list[str] = []
    while True:
        page = await listing(query)
        count = len(page.items) + len(page.prefixes)
        assert count <= query.limit
        items += page.items
        prefixes += page.prefixes
        if not page.truncated:
            return items, prefixes
        assert count == query.limit
        query = replace(query, after_key=page.next_key, after_id=page.next_id)


def version_id_of(stored: Stored) -> VersionId:
    assert stored.version_id is not None
    return stored.version_id
