"""Multipart upload on the wire: shape in, service call, shape out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from mossaic.gateway.call import Call, Permission, handlers
from mossaic.gateway.handlers import callback
from mossaic.gateway.handlers.object_facts import content_md5
from mossaic.model.conditions import COPY, Conditions
from mossaic.protocol.addressing import object_url
from mossaic.protocol.limits import DEFAULT_PART_PAGE
from mossaic.protocol.operations import multipart as ops
from mossaic.protocol.operations.listing import page_encoding, page_size
from mossaic.protocol.records import Records
from mossaic.protocol.shapes import Empty
from mossaic.service.copying import PartCopyOrder, PartPlace
from mossaic.service.multipart import part_marker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mossaic.model.upload import Part, ShownParts, ShownUploads, Upload
    from mossaic.ports import Stored

# What v2's encryption client wrote into the metadata at Initiate and reads from ListParts to go on.
_CLIENT_ENCRYPTION: Final = "client-side-encryption-"


@handlers.on(ops.INITIATE_MULTIPART_UPLOAD)
async def initiate_multipart_upload(
    call: Call, asked: ops.InitiateMultipartUpload
) -> ops.InitiateMultipartUploadResult:
    encoding_type = page_encoding(asked.encoding_type)
    upload = await call.services.multipart.initiate(
        call.bucket, asked, initiator=call.principal.arn, grant=call.principal.grant
    )
    return ops.InitiateMultipartUploadResult(
        encoding_type=encoding_type,
        bucket=upload.bucket,
        key=upload.key,
        upload_id=upload.upload_id,
        server_side_encryption=upload.headers.encryption,
    )


@handlers.on(ops.UPLOAD_PART)
async def upload_part(call: Call, asked: ops.UploadPart) -> ops.UploadPartResult:
    upload, part, md5 = await call.services.multipart.put_part(
        call.bucket, asked, call.body, grant=call.principal.grant
    )
    return part_result(upload, part, md5)


def part_result(upload: Upload, part: Part, md5: str | None) -> ops.UploadPartResult:
    """`md5`: of the part's bytes, upper-case hex, None where it was not made."""
    return ops.UploadPartResult(
        etag=part.etag,
        content_md5=content_md5(md5),
        crc64=str(part.crc64),
        server_side_encryption=upload.headers.encryption,
    )


@handlers.on(ops.UPLOAD_PART_COPY)
async def upload_part_copy(call: Call, asked: ops.UploadPartCopy) -> ops.CopyPartResult:
    source = await call.services.copying.locate(asked.copy_source)
    await call.authorize(
        Permission(action=source.action, bucket=source.bucket, key=source.key, version_id=source.version_id)
    )
    upload, number = await call.services.multipart.place(call.bucket, asked)
    copied = await call.services.copying.copy_part(
        PartPlace(bucket=upload.bucket, key=upload.key, upload_id=upload.upload_id, number=number),
        source,
        PartCopyOrder(
            range=asked.copy_source_range, conditions=Conditions.of(asked, prefix=COPY, always_412=True)
        ),
    )
    return ops.CopyPartResult(
        last_modified=copied.part.stored_at,
        etag=copied.part.etag,
        etag_header=copied.part.etag,
        crc64=str(copied.part.crc64),
        content_range=copied.content_range,
        source_version_id=copied.source_version_id,
    )


@handlers.on(ops.COMPLETE_MULTIPART_UPLOAD)
async def complete_multipart_upload(
    call: Call, asked: ops.CompleteMultipartUpload
) -> ops.CompleteMultipartUploadResult:
    encoding_type = page_encoding(asked.encoding_type)
    prepared = await callback.prepare(call, asked.callback, asked.callback_var)
    stored = await call.services.multipart.complete(call.bucket, asked, grant=call.principal.grant)
    answer = await callback.answer_of(call, stored, prepared)
    result = complete_result(stored, endpoint=call.endpoint)
    return replace(result, callback_answer=answer, encoding_type=encoding_type)


def complete_result(stored: Stored, *, endpoint: str) -> ops.CompleteMultipartUploadResult:
    """`endpoint`: the service as the client addressed it."""
    version = stored.version
    return ops.CompleteMultipartUploadResult(
        location=object_url(endpoint, version.bucket, version.key),
        bucket=version.bucket,
        key=version.key,
        etag=version.etag,
        etag_header=version.etag,
        crc64=str(version.crc64),
        version_id=stored.version_id,
        server_side_encryption=version.headers.encryption,
    )


@handlers.on(ops.ABORT_MULTIPART_UPLOAD)
async def abort_multipart_upload(call: Call, asked: ops.AbortMultipartUpload) -> Empty:
    await call.services.multipart.abort(call.bucket, asked, grant=call.principal.grant)
    return Empty()


@handlers.on(ops.LIST_PARTS)
async def list_parts(call: Call, asked: ops.ListParts) -> ops.ListPartsResult:
    encoding_type = page_encoding(asked.encoding_type)
    upload, page = await call.services.multipart.parts(call.bucket, asked, grant=call.principal.grant)
    return ops.ListPartsResult(
        encoding_type=encoding_type,
        bucket=upload.bucket,
        key=upload.key,
        upload_id=upload.upload_id,
        storage_class=upload.storage_class.value,
        part_number_marker=part_marker(asked.part_number_marker),
        next_part_number_marker=page.columns.numbers[-1] if page.columns.numbers else 0,
        max_parts=page_size(asked.max_parts, DEFAULT_PART_PAGE, name="max-parts"),
        is_truncated=page.truncated,
        client_encryption_key=_client_encryption(upload, "key"),
        client_encryption_start=_client_encryption(upload, "start"),
        client_encryption_cek_alg=_client_encryption(upload, "cek-alg"),
        client_encryption_wrap_alg=_client_encryption(upload, "wrap-alg"),
        client_encryption_data_size=_client_encryption(upload, "data-size"),
        client_encryption_part_size=_client_encryption(upload, "part-size"),
        parts=_stored_parts(page.columns),
    )


@handlers.on(ops.LIST_MULTIPART_UPLOADS)
async def list_multipart_uploads(
    call: Call, asked: ops.ListMultipartUploads
) -> ops.ListMultipartUploadsResult:
    encoding_type = page_encoding(asked.encoding_type)
    page = await call.services.multipart.uploads(call.bucket, asked)
    return ops.ListMultipartUploadsResult(
        encoding_type=encoding_type,
        bucket=call.bucket.name,
        key_marker=asked.key_marker or "",
        upload_id_marker=asked.upload_id_marker or "",
        next_key_marker=page.next_key,
        next_upload_id_marker=page.next_id,
        delimiter=asked.delimiter or "",
        prefix=asked.prefix or "",
        max_uploads=page_size(asked.max_uploads, DEFAULT_PART_PAGE, name="max-uploads"),
        is_truncated=page.truncated,
        uploads=_open_uploads(page.columns),
        common_prefixes=Records(ops.UploadGroup, {"prefix": page.prefixes}),
    )


def _client_encryption(upload: Upload, name: str) -> str | None:
    return upload.headers.meta.get(_CLIENT_ENCRYPTION + name)


def _stored_parts(found: ShownParts) -> Sequence[ops.StoredPart]:
    columns: dict[str, Sequence[object]] = {
        "number": found.numbers,
        "last_modified": found.stored,
        "etag": found.etags,
        "crc64": found.crc64s,
        "size": found.sizes,
    }
    return Records(ops.StoredPart, columns)


def _open_uploads(found: ShownUploads) -> Sequence[ops.OpenUpload]:
    columns: dict[str, Sequence[object]] = {
        "key": found.keys,
        "upload_id": found.upload_ids,
        "storage_class": found.storage_classes,
        "initiated": found.initiated,
    }
    return Records(ops.OpenUpload, columns)
