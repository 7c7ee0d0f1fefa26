"""ListObjects V1 and V2, ListObjectVersions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mossaic.gateway.call import Call, handlers
from mossaic.gateway.handlers.bucket import owner_of
from mossaic.model.page import ListQuery
from mossaic.protocol.limits import DEFAULT_PAGE
from mossaic.protocol.operations import listing as ops
from mossaic.protocol.records import Records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mossaic.model.bucket import Bucket
    from mossaic.model.object import ShownObjects, ShownVersions
    from mossaic.model.page import Cut
    from mossaic.protocol.shapes import Owner
    from mossaic.service.listing import ListingService


def _query(
    bucket: Bucket,
    asked: ops.ListObjects | ops.ListObjectsV2 | ops.ListObjectVersions,
    after_key: str,
    after_id: str = "",
) -> ListQuery:
    return ListQuery(
        bucket=bucket.name,
        prefix=ops.page_prefix(asked.prefix),
        delimiter=ops.page_delimiter(asked.delimiter),
        after_key=after_key,
        after_id=after_id,
        limit=ops.page_size(asked.max_keys, DEFAULT_PAGE),
    )


def _entries(found: ShownObjects, owner: Owner | None) -> Sequence[ops.ObjectEntry]:
    columns: dict[str, Sequence[object]] = {
        "key": found.keys,
        "modified_at": found.modified,
        "etag": found.etags,
        "type": found.types,
        "size": found.sizes,
        "storage_class": found.storage_classes,
    }
    return Records(ops.ObjectEntry, columns, owner=owner)


def _prefixes(page: Cut) -> Sequence[ops.CommonPrefix]:
    return Records(ops.CommonPrefix, {"prefix": page.prefixes})


@handlers.on(ops.LIST_OBJECTS)
async def list_objects(call: Call, asked: ops.ListObjects) -> ops.ListObjectsResult:
    return await _objects(call.services.listing, call.bucket, asked)


@handlers.on(ops.LIST_OBJECTS_V2)
async def list_objects_v2(call: Call, asked: ops.ListObjectsV2) -> ops.ListObjectsV2Result:
    return await _objects_v2(call.services.listing, call.bucket, asked)


async def objects_listed(
    listing: ListingService, bucket: Bucket, asked: ops.ListObjects | ops.ListObjectsV2
) -> ops.ListObjectsResult | ops.ListObjectsV2Result:
    """To whoever may list the bucket. Raises OssError: INVALID_ARGUMENT, NO_SUCH_BUCKET."""
    if isinstance(asked, ops.ListObjects):
        return await _objects(listing, bucket, asked)
    return await _objects_v2(listing, bucket, asked)


async def _objects(listing: ListingService, bucket: Bucket, asked: ops.ListObjects) -> ops.ListObjectsResult:
    query = _query(bucket, asked, ops.page_marker(asked.marker))
    encoding = ops.page_encoding(asked.encoding_type)
    page = await listing.objects(query)
    return ops.ListObjectsResult(
        name=bucket.name,
        prefix=query.prefix,
        marker=query.after_key,
        max_keys=query.limit,
        delimiter=query.delimiter,
        encoding_type=encoding,
        is_truncated=page.truncated,
        next_marker=page.next_key if page.truncated else None,
        contents=_entries(page.columns, owner_of(bucket)),
        common_prefixes=_prefixes(page),
    )


async def _objects_v2(
    listing: ListingService, bucket: Bucket, asked: ops.ListObjectsV2
) -> ops.ListObjectsV2Result:
    token = asked.continuation_token
    start_after = ops.page_marker(asked.start_after, name="start-after")
    query = _query(bucket, asked, ops.continued_marker(token) if token else start_after)
    encoding = ops.page_encoding(asked.encoding_type)
    page = await listing.objects(query)
    return ops.ListObjectsV2Result(
        name=bucket.name,
        prefix=query.prefix,
        start_after=start_after or None,
        continuation_token=token or None,
        max_keys=query.limit,
        delimiter=query.delimiter,
        encoding_type=encoding,
        is_truncated=page.truncated,
        next_continuation_token=ops.continuation_token(page.next_key) if page.truncated else None,
        key_count=len(page.columns.keys) + len(page.prefixes),
        contents=_entries(page.columns, owner_of(bucket) if asked.fetch_owner else None),
        common_prefixes=_prefixes(page),
    )


@handlers.on(ops.LIST_OBJECT_VERSIONS)
async def list_object_versions(call: Call, asked: ops.ListObjectVersions) -> ops.ListObjectVersionsResult:
    after_key = ops.page_marker(asked.key_marker, name="key-marker")
    query = _query(call.bucket, asked, after_key, asked.version_id_marker or "")
    encoding = ops.page_encoding(asked.encoding_type)
    page = await call.services.listing.versions(query)
    owner = owner_of(call.bucket)
    return ops.ListObjectVersionsResult(
        name=call.bucket.name,
        prefix=query.prefix,
        key_marker=query.after_key,
        version_id_marker=query.after_id,
        max_keys=query.limit,
        delimiter=query.delimiter,
        encoding_type=encoding,
        is_truncated=page.truncated,
        next_key_marker=page.next_key if page.truncated else None,
        next_version_id_marker=page.next_id if page.truncated else None,
        versions=_versions(page.versions, owner),
        delete_markers=_markers(page.markers, owner),
        common_prefixes=_prefixes(page),
    )


def _versions(found: ShownVersions, owner: Owner) -> Sequence[ops.VersionEntry]:
    columns: dict[str, Sequence[object]] = {
        "key": found.keys,
        "version_id": found.version_ids,
        "is_latest": found.latest,
        "modified_at": found.modified,
        "etag": found.etags,
        "type": found.types,
        "size": found.sizes,
        "storage_class": found.storage_classes,
    }
    return Records(ops.VersionEntry, columns, owner=owner)


def _markers(found: ShownVersions, owner: Owner) -> Sequence[ops.MarkerEntry]:
    columns: dict[str, Sequence[object]] = {
        "key": found.keys,
        "version_id": found.version_ids,
        "is_latest": found.latest,
        "modified_at": found.modified,
    }
    return Records(ops.MarkerEntry, columns, owner=owner)
