"""ListBuckets and DescribeRegions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mossaic.gateway.call import Call, handlers
from mossaic.model import bucket_tags
from mossaic.protocol.errors import NO_SUCH_REGION, OssError
from mossaic.protocol.limits import DEFAULT_PAGE
from mossaic.protocol.operations import service as ops
from mossaic.protocol.operations.listing import page_marker, page_prefix, page_size
from mossaic.protocol.shapes import Owner
from mossaic.service.buckets import BucketQuery

if TYPE_CHECKING:
    from mossaic.model.bucket import Bucket


@handlers.on(ops.LIST_BUCKETS)
async def list_buckets(call: Call, asked: ops.ListBuckets) -> ops.ListBucketsResult:
    query = BucketQuery(
        prefix=page_prefix(asked.prefix),
        after=page_marker(asked.marker),
        limit=page_size(asked.max_keys, DEFAULT_PAGE),
        tags=bucket_tags.wanted(asked.tag_key, asked.tag_value, asked.tagging),
    )
    page = await call.services.buckets.page(query)
    return ops.ListBucketsResult(
        prefix=query.prefix,
        marker=query.after,
        max_keys=query.limit,
        is_truncated=page.truncated,
        next_marker=page.next_key if page.truncated else None,
        owner=Owner(id=call.principal.account_id, display_name=call.principal.account_id),
        buckets=tuple(_entry(bucket, public_host(call)) for bucket in page.items),
    )


def public_host(call: Call) -> str:
    """Where clients reach the service: `host[:port]`, without the scheme, as OSS words endpoints."""
    return call.endpoint.partition("://")[2]


def _entry(bucket: Bucket, host: str) -> ops.BucketEntry:
    return ops.BucketEntry(
        name=bucket.name,
        created_at=bucket.created_at,
        location=f"oss-{bucket.region}",
        region=bucket.region,
        storage_class=bucket.storage_class.value,
        extranet_endpoint=host,
        intranet_endpoint=host,
    )


@handlers.on(ops.DESCRIBE_REGIONS)
async def describe_regions(call: Call, asked: ops.DescribeRegions) -> ops.RegionInfoList:
    region = f"oss-{call.services.buckets.region}"
    if asked.region not in {"", region}:
        raise OssError(NO_SUCH_REGION, Region=asked.region)
    host = public_host(call)
    info = ops.RegionInfo(
        region=region, internet_endpoint=host, internal_endpoint=host, accelerate_endpoint=host
    )
    return ops.RegionInfoList(regions=(info,))
