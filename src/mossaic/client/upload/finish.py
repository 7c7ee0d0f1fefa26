"""Complete, and what to make of an answer that never came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mossaic.client.errors import (
    ChecksumMismatch,
    FileAlreadyExists,
    NoSuchUpload,
    ServerError,
    UploadAborted,
)
from mossaic.client.upload import wire
from mossaic.client.upload.task import UploadResult
from mossaic.protocol.checksum import crc64_join, multipart_etag
from mossaic.protocol.operations import object as object_ops

if TYPE_CHECKING:
    from mossaic.client.checkpoint import PartRecord
    from mossaic.client.exchange import Ask
    from mossaic.client.upload.log import Log
    from mossaic.client.upload.resume import Begun
    from mossaic.client.upload.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the object will be known by: bare ETag (one of these), CRC-64 when every part's is known, bytes, number of parts."""

    etags: tuple[str, ...]
    crc64: int | None
    size: int
    parts: int


def complete(task: Task, begun: Begun, log: Log) -> UploadResult:
    """Make the object of the parts.

    Raises ChecksumMismatch, UploadAborted (the upload is gone and the object is not ours), and
    what `Session.do` raises."""
    parts = [begun.parts[number] for number in sorted(begun.parts)]
    crc = _whole_crc(parts)
    etag = multipart_etag(part.etag for part in parts)
    expected = Expected(
        etags=(etag,),
        crc64=crc,
        size=sum(part.size for part in parts),
        parts=len(parts),
    )
    asked_before = log.completing is not None
    task.expected = expected
    log.will_complete(etag, crc, expected.size)
    listed = [(part.number, part.etag) for part in parts]
    try:
        reply = wire.complete(
            task.session, task.ref(begun.upload_id), listed, task.options.object, task.ask()
        )
    except (NoSuchUpload, FileAlreadyExists) as error:
        # Asked for the second time, by us or an earlier run, the first answer was lost: the object may be there, and ours.
        if asked_before or error.attempts > 1 or isinstance(error, NoSuchUpload):
            found = published(task, begun.upload_id, expected)
            if found is not None:
                return found
        if isinstance(error, FileAlreadyExists):
            raise
        raise UploadAborted(f"the upload {begun.upload_id} was aborted or completed elsewhere") from error
    value = reply.value
    told = int(value.crc64) if value.crc64 else None
    if crc is not None and told is not None and told != crc:
        raise ChecksumMismatch(
            f"the object has CRC-64 {told} on the server, its parts make {crc} (request id {reply.request_id})"
        )
    task.events.say("completed", upload_id=begun.upload_id, etag=value.etag_header or value.etag)
    return UploadResult(
        bucket=task.bucket,
        name=task.name,
        etag=value.etag_header or value.etag,
        crc64=told if told is not None else crc,
        size=expected.size,
        version_id=value.version_id,
        upload_id=begun.upload_id,
        parts=len(parts),
        callback=value.callback_answer if task.options.object.callback is not None else None,
        request_id=reply.request_id,
    )


def _whole_crc(parts: list[PartRecord]) -> int | None:
    pieces = [(part.crc64, part.size) for part in parts if part.crc64 is not None]
    return crc64_join(pieces) if len(pieces) == len(parts) else None


def published(
    task: Task, upload_id: str | None, expected: Expected, ask: Ask | None = None
) -> UploadResult | None:
    """The object, if it is the one that this upload makes: same ETag, CRC-64 and size."""
    asked = object_ops.HeadObject(bucket=task.bucket, key=task.name)
    try:
        reply = task.session.do(object_ops.HEAD_OBJECT, asked, ask or task.ask())
    except ServerError as error:
        if error.status in (403, 404):
            return None
        raise
    found = reply.value
    same_crc = expected.crc64 is None or found.crc64 is None or found.crc64 == expected.crc64
    if found.etag.upper() not in expected.etags or found.content_length != expected.size or not same_crc:
        return None
    task.events.say("resolved", upload_id=upload_id)
    return UploadResult(
        bucket=task.bucket,
        name=task.name,
        etag=found.etag,
        crc64=found.crc64,
        size=expected.size,
        version_id=found.version_id,
        upload_id=upload_id,
        parts=expected.parts,
        request_id=reply.request_id,
    )
