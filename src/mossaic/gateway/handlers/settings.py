"""Documents on a bucket: CORS, lifecycle, tags and policy."""

from __future__ import annotations

from mossaic.gateway.call import Call, handlers
from mossaic.model import bucket_policy, bucket_tags, cors, documents, lifecycle
from mossaic.protocol.errors import (
    NO_SUCH_BUCKET_POLICY,
    NO_SUCH_CORS_CONFIGURATION,
    NO_SUCH_LIFECYCLE,
    OssError,
)
from mossaic.protocol.operations import settings as ops
from mossaic.protocol.shapes import Empty, OnBucket


@handlers.on(ops.PUT_BUCKET_CORS)
async def put_bucket_cors(call: Call, asked: ops.PutBucketCors) -> Empty:
    await call.services.buckets.put_document(call.bucket.name, documents.CORS, cors.checked(asked))
    return Empty()


@handlers.on(ops.GET_BUCKET_CORS)
async def get_bucket_cors(call: Call, _: OnBucket) -> ops.CorsConfiguration:
    found = documents.load(call.bucket, documents.CORS, ops.CorsConfiguration)
    if found is None:
        raise OssError(NO_SUCH_CORS_CONFIGURATION, ec="0034-00000001", BucketName=call.bucket.name)
    return found


@handlers.on(ops.DELETE_BUCKET_CORS)
async def delete_bucket_cors(call: Call, _: OnBucket) -> Empty:
    await call.services.buckets.delete_document(call.bucket.name, documents.CORS)
    return Empty()


@handlers.on(ops.PUT_BUCKET_LIFECYCLE)
async def put_bucket_lifecycle(call: Call, asked: ops.PutBucketLifecycle) -> Empty:
    text = lifecycle.checked(asked, allow_overlap=asked.allow_overlap)
    await call.services.buckets.put_document(call.bucket.name, documents.LIFECYCLE, text)
    return Empty()


@handlers.on(ops.GET_BUCKET_LIFECYCLE)
async def get_bucket_lifecycle(call: Call, _: OnBucket) -> ops.LifecycleConfiguration:
    found = documents.load(call.bucket, documents.LIFECYCLE, ops.LifecycleConfiguration)
    if found is None:
        raise OssError(NO_SUCH_LIFECYCLE, BucketName=call.bucket.name)
    return found


@handlers.on(ops.DELETE_BUCKET_LIFECYCLE)
async def delete_bucket_lifecycle(call: Call, _: OnBucket) -> Empty:
    await call.services.buckets.delete_document(call.bucket.name, documents.LIFECYCLE)
    return Empty()


@handlers.on(ops.PUT_BUCKET_TAGS)
async def put_bucket_tags(call: Call, asked: ops.PutBucketTags) -> Empty:
    await call.services.buckets.put_document(call.bucket.name, documents.TAGGING, bucket_tags.checked(asked))
    return Empty()


@handlers.on(ops.GET_BUCKET_TAGS)
async def get_bucket_tags(call: Call, _: OnBucket) -> ops.Tagging:
    return bucket_tags.load(call.bucket)


@handlers.on(ops.DELETE_BUCKET_TAGS)
async def delete_bucket_tags(call: Call, asked: ops.DeleteBucketTags) -> Empty:
    await call.services.buckets.delete_tags(call.bucket.name, asked.keys)
    return Empty()


@handlers.on(ops.PUT_BUCKET_POLICY)
async def put_bucket_policy(call: Call, asked: ops.PutBucketPolicy) -> Empty:
    text = bucket_policy.checked(asked.policy)
    await call.services.buckets.put_document(call.bucket.name, documents.POLICY, text)
    return Empty()


@handlers.on(ops.GET_BUCKET_POLICY)
async def get_bucket_policy(call: Call, _: OnBucket) -> ops.BucketPolicy:
    text = call.bucket.documents.get(documents.POLICY)
    if text is None:
        raise OssError(NO_SUCH_BUCKET_POLICY, BucketName=call.bucket.name)
    return ops.BucketPolicy(policy=text.encode())


@handlers.on(ops.DELETE_BUCKET_POLICY)
async def delete_bucket_policy(call: Call, _: OnBucket) -> Empty:
    await call.services.buckets.delete_document(call.bucket.name, documents.POLICY)
    return Empty()


@handlers.on(ops.GET_BUCKET_POLICY_STATUS)
async def get_bucket_policy_status(call: Call, _: OnBucket) -> ops.PolicyStatus:
    return ops.PolicyStatus(is_public=bucket_policy.is_public(call.bucket))
