"""Objects: put, append, copy, get, head, delete."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mossaic.gateway.call import Call, Permission, handlers
from mossaic.gateway.handlers import callback
from mossaic.gateway.handlers.object_facts import content_md5, facts, look, overrides
from mossaic.model import traffic
from mossaic.model.conditions import COPY, Conditions, refuse_on_write
from mossaic.model.copy_source import replaces
from mossaic.model.deletion import DeleteList
from mossaic.model.headers import attributes
from mossaic.model.names import object_key, version_id
from mossaic.model.traffic import check_traffic_limit
from mossaic.protocol.operations import object as ops
from mossaic.service.appending import AppendOrder, append_position
from mossaic.service.copying import CopyOrder
from mossaic.service.intake import Expected
from mossaic.service.objects import ReadOrder, shown_version

if TYPE_CHECKING:
    from mossaic.ports import Stored


@handlers.on(ops.PUT_OBJECT)
async def put_object(call: Call, asked: ops.PutObject) -> ops.PutObjectResult:
    refuse_on_write(asked)
    check_traffic_limit(call.header(traffic.NAME), call.query.get(traffic.NAME))
    key = object_key(asked.key)
    said = attributes(asked, key, call.bucket.storage_class)
    if call.principal.grant is not None:
        said = replace(said, request_id=call.principal.grant.request_id)
    expected = Expected.by(asked)
    prepared = await callback.prepare(call, asked.callback, asked.callback_var)
    stored = await call.services.objects.put(call.bucket, key, call.body, said=said, expected=expected)
    return put_result(stored, await callback.answer_of(call, stored, prepared))


def put_result(stored: Stored, callback_answer: bytes | None = None) -> ops.PutObjectResult:
    return ops.PutObjectResult(
        etag=stored.version.etag,
        content_md5=content_md5(stored.version.md5),
        crc64=stored.version.crc64,
        version_id=stored.version_id,
        server_side_encryption=stored.version.headers.encryption,
        callback_answer=callback_answer,
    )


@handlers.on(ops.APPEND_OBJECT)
async def append_object(call: Call, asked: ops.AppendObject) -> ops.AppendObjectResult:
    refuse_on_write(asked)
    check_traffic_limit(call.header(traffic.NAME), call.query.get(traffic.NAME))
    key = object_key(asked.key)
    said = attributes(asked, key, call.bucket.storage_class)
    order = AppendOrder(position=append_position(asked.position), said=said, expected=Expected.by(asked))
    stored = await call.services.objects.append(call.bucket, key, call.body, order)
    return ops.AppendObjectResult(
        etag=stored.version.etag,
        next_append_position=stored.version.size,
        crc64=stored.version.crc64,
        version_id=stored.version_id,
        server_side_encryption=stored.version.headers.encryption,
    )


@handlers.on(ops.COPY_OBJECT)
async def copy_object(call: Call, asked: ops.CopyObject) -> ops.CopyObjectResult:
    source = await call.services.copying.locate(asked.copy_source)
    await call.authorize(
        Permission(action=source.action, bucket=source.bucket, key=source.key, version_id=source.version_id)
    )
    key = object_key(asked.key)
    order = CopyOrder(
        said=attributes(asked, key, call.bucket.storage_class),
        conditions=Conditions.of(asked, prefix=COPY),
        replace_headers=replaces(asked.metadata_directive, "x-oss-metadata-directive"),
        replace_tags=replaces(asked.tagging_directive, "x-oss-tagging-directive"),
    )
    copied = await call.services.copying.copy(call.bucket, key, source, order)
    version = copied.stored.version
    return ops.CopyObjectResult(
        etag=version.etag,
        last_modified=version.modified_at,
        etag_header=version.etag,
        crc64=version.crc64,
        version_id=copied.stored.version_id,
        source_version_id=copied.source_version_id,
        server_side_encryption=version.headers.encryption,
    )


@handlers.on(ops.GET_OBJECT)
async def get_object(call: Call, asked: ops.GetObject) -> ops.GetObjectResult:
    check_traffic_limit(call.header(traffic.NAME), call.query.get(traffic.NAME))
    replaced = overrides(asked)
    order = ReadOrder(
        key=object_key(asked.key),
        range=asked.range,
        if_range=asked.if_range,
        standard=asked.range_behavior == "standard",
    )
    found = await look(call, asked, order)
    part = found.part
    return ops.GetObjectResult(
        **facts(call.bucket, found, is_anonymous=call.is_anonymous) | replaced,
        status=200 if part is None else 206,
        content_range=None if part is None else part.content_range(found.content.size),
        body=call.services.objects.reading(found),
    )


@handlers.on(ops.HEAD_OBJECT)
async def head_object(call: Call, asked: ops.HeadObject) -> ops.HeadObjectResult:
    found = await look(call, asked, ReadOrder(key=object_key(asked.key)))
    said = facts(call.bucket, found, is_anonymous=call.is_anonymous)
    return ops.HeadObjectResult(**said, content_length=found.content.size)


@handlers.on(ops.GET_OBJECT_META)
async def get_object_meta(call: Call, asked: ops.GetObjectMeta) -> ops.GetObjectMetaResult:
    """The object's own facts; a link is not followed. By GET there is an empty body, whose length is its own."""
    found = await call.services.objects.find(call.bucket, object_key(asked.key), version_id(asked.version_id))
    return ops.GetObjectMetaResult(
        content_length=found.size if call.operation is ops.GET_OBJECT_META else None,
        etag=found.etag,
        last_modified=found.modified_at,
        crc64=found.crc64,
        version_id=shown_version(call.bucket, found),
    )


handlers.on(ops.GET_OBJECT_META_BY_GET)(get_object_meta)


@handlers.on(ops.DELETE_OBJECT)
async def delete_object(call: Call, asked: ops.DeleteObject) -> ops.DeleteObjectResult:
    deleted = await call.services.objects.delete(
        call.bucket, object_key(asked.key), version_id(asked.version_id)
    )
    return ops.DeleteObjectResult(
        version_id=deleted.version_id, delete_marker=True if deleted.delete_marker else None
    )


@handlers.on(ops.DELETE_MULTIPLE_OBJECTS)
async def delete_multiple_objects(
    call: Call, asked: ops.DeleteMultipleObjects
) -> ops.DeleteMultipleObjectsResult:
    listed = DeleteList.of(asked)
    for key, version in listed.entries:
        action = "oss:DeleteObject" if version is None else "oss:DeleteObjectVersion"
        await call.authorize(
            Permission(action=action, bucket=call.bucket, key=key, write=True, version_id=version)
        )
    deleted = await call.services.objects.delete_many(call.bucket, listed.entries)
    if asked.quiet:
        return ops.DeleteMultipleObjectsResult(leaves_body_out=True)
    return ops.DeleteMultipleObjectsResult(
        encoding_type=listed.encoding_type,
        deleted=tuple(
            ops.DeletedObject(
                key=key,
                version_id=version,
                delete_marker=True if done.delete_marker else None,
                delete_marker_version_id=done.version_id if done.delete_marker else None,
            )
            for (key, version), done in zip(listed.entries, deleted, strict=True)
        ),
    )
