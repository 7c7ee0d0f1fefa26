"""A bucket as a whole: PutBucket, DeleteBucket, info, location, stat, ACL and versioning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mossaic.gateway.call import Call, handlers
from mossaic.gateway.handlers.service import public_host
from mossaic.model import bucket_tags, documents
from mossaic.model.bucket import ClassTotals
from mossaic.model.object import StorageClass
from mossaic.protocol.errors import NOT_IMPLEMENTED, OssError
from mossaic.protocol.operations import bucket as ops
from mossaic.protocol.shapes import Empty, Owner
from mossaic.service.buckets import NewBucket

if TYPE_CHECKING:
    from mossaic.model.bucket import Bucket


def owner_of(bucket: Bucket) -> Owner:
    return Owner(id=bucket.owner_id, display_name=bucket.owner_id)


@handlers.on(ops.PUT_BUCKET)
async def put_bucket(call: Call, asked: ops.PutBucket) -> Empty:
    if asked.server_side_encryption is not None:
        raise OssError(NOT_IMPLEMENTED, "Encryption by default is not implemented.")
    if asked.hns_status is not None and asked.hns_status.lower() == "enabled":
        raise OssError(NOT_IMPLEMENTED, "Hierarchical namespaces are not implemented.")
    tags = bucket_tags.checked(bucket_tags.of_header(asked.tagging)) if asked.tagging else None
    wished = NewBucket(
        name=asked.bucket,
        acl=asked.acl,
        location=asked.location,
        storage_class=asked.storage_class,
        redundancy=asked.redundancy,
        documents={documents.TAGGING: tags} if tags else None,
    )
    await call.services.buckets.create(wished)
    return Empty()


@handlers.on(ops.DELETE_BUCKET)
async def delete_bucket(call: Call, _: ops.DeleteBucket) -> Empty:
    await call.services.buckets.delete(call.bucket.name)
    return Empty()


@handlers.on(ops.GET_BUCKET_INFO)
async def get_bucket_info(call: Call, _: ops.GetBucketInfo) -> ops.GetBucketInfoResult:
    bucket = call.bucket
    info = ops.BucketInfo(
        name=bucket.name,
        created_at=bucket.created_at,
        storage_class=bucket.storage_class.value,
        location=f"oss-{bucket.region}",
        extranet_endpoint=public_host(call),
        intranet_endpoint=public_host(call),
        owner=owner_of(bucket),
        grant=bucket.acl.value,
        redundancy=bucket.redundancy,
        versioning=bucket.versioning.value or None,
    )
    return ops.GetBucketInfoResult(bucket=info)


@handlers.on(ops.GET_BUCKET_LOCATION)
async def get_bucket_location(call: Call, _: ops.GetBucketLocation) -> ops.GetBucketLocationResult:
    return ops.GetBucketLocationResult(location=f"oss-{call.bucket.region}")


@handlers.on(ops.GET_BUCKET_STAT)
async def get_bucket_stat(call: Call, _: ops.GetBucketStat) -> ops.GetBucketStatResult:
    totals = await call.services.buckets.totals(call.bucket.name)
    of = {kind: totals.classes.get(kind, ClassTotals()) for kind in StorageClass}
    standard, ia, archive, cold, deep = of.values()
    return ops.GetBucketStatResult(
        storage=sum(one.size for one in of.values()),
        object_count=sum(one.count for one in of.values()),
        upload_count=totals.upload_count,
        modified_at=int((totals.modified_at or call.bucket.created_at).timestamp()),
        standard_storage=standard.size,
        standard_count=standard.count,
        ia_storage=ia.size,
        ia_real_storage=ia.size,
        ia_count=ia.count,
        archive_storage=archive.size,
        archive_real_storage=archive.size,
        archive_count=archive.count,
        cold_archive_storage=cold.size,
        cold_archive_real_storage=cold.size,
        cold_archive_count=cold.count,
        deep_cold_archive_storage=deep.size,
        deep_cold_archive_real_storage=deep.size,
        deep_cold_archive_count=deep.count,
        part_count=totals.part_count,
        delete_marker_count=totals.delete_marker_count,
    )


@handlers.on(ops.PUT_BUCKET_ACL)
async def put_bucket_acl(call: Call, asked: ops.PutBucketAcl) -> Empty:
    await call.services.buckets.set_acl(call.bucket.name, asked.acl)
    return Empty()


@handlers.on(ops.GET_BUCKET_ACL)
async def get_bucket_acl(call: Call, _: ops.GetBucketAcl) -> ops.GetBucketAclResult:
    return ops.GetBucketAclResult(owner=owner_of(call.bucket), grant=call.bucket.acl.value)


@handlers.on(ops.PUT_BUCKET_VERSIONING)
async def put_bucket_versioning(call: Call, asked: ops.PutBucketVersioning) -> Empty:
    await call.services.buckets.set_versioning(call.bucket.name, asked.status)
    return Empty()


@handlers.on(ops.GET_BUCKET_VERSIONING)
async def get_bucket_versioning(call: Call, _: ops.GetBucketVersioning) -> ops.GetBucketVersioningResult:
    return ops.GetBucketVersioningResult(status=call.bucket.versioning.value or None)
