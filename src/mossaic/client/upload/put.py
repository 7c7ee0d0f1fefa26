"""A source small enough for one PutObject: same progress, same checks, same result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mossaic.client.errors import ChecksumMismatch, FileAlreadyExists
from mossaic.client.object_options import further_headers, object_fields
from mossaic.client.upload.body import PartBody, content_md5, crc64_of, md5_of
from mossaic.client.upload.finish import Expected, published
from mossaic.client.upload.task import UploadResult
from mossaic.protocol.checksum import crc64_etag
from mossaic.protocol.operations import object as ops

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mossaic.client.exchange import Reply
    from mossaic.client.http import Scope
    from mossaic.client.transfer.gate import Gate
    from mossaic.client.upload.body import Readable
    from mossaic.client.upload.plan import Piece
    from mossaic.client.upload.task import Task


class _TickingBody(PartBody):
    """Reports progress while it is sent: this is the caller's own thread."""

    def chunks(self) -> Iterator[memoryview]:
        for chunk in super().chunks():
            yield chunk
            self._task.tick()


def _expected(source: Readable, piece: Piece) -> Expected:
    """Services name an object by its MD5, or, where they make none, by CRC-64 and size."""
    md5, crc = md5_of(source, piece).hex().upper(), crc64_of(source, piece)
    return Expected(etags=(md5, crc64_etag(crc, piece.size)), crc64=crc, size=piece.size, parts=1)


def put(
    task: Task,
    gate: Gate,
    source: Readable,
    piece: Piece,
    *,
    before_last: Callable[[int], None] | None = None,
) -> UploadResult:
    """A pause at the `gate` cuts it, and it begins again. `before_last`: as in PartBody. Raises ChecksumMismatch and what `Session.do` raises."""
    options = task.options.object
    bodies: list[PartBody] = []

    def attempt(scope: Scope) -> Reply[ops.PutObjectResult]:
        def body() -> PartBody:
            bodies.append(_TickingBody(task, source, piece, scope, before_last=before_last))
            return bodies[-1]

        return task.session.do(ops.PUT_OBJECT, asked, task.ask(body=body, headers=headers, scope=scope))

    asked = ops.PutObject(bucket=task.bucket, key=task.name, **object_fields(options, task.name))
    headers = further_headers(options)
    # Told beforehand, so that bytes damaged on the way never become an object.
    crc = None if task.options.checksum == "none" else crc64_of(source, piece)
    if crc is not None:
        headers |= {"x-oss-hash-crc64ecma": str(crc)}
    if task.options.checksum == "crc64+md5":
        headers |= content_md5(md5_of(source, piece))
    try:
        reply = gate.through(task.scope, attempt)
    except FileAlreadyExists:
        if not any(body.is_out for body in bodies[:-1]):
            raise
        found = published(task, None, _expected(source, piece))
        if found is None:
            raise
        return found
    sent = bodies[-1].crc64
    if sent is not None and reply.value.crc64 != sent:
        raise ChecksumMismatch(
            f"{task.name} has CRC-64 {reply.value.crc64} on the server, {sent} was sent (request id {reply.request_id})"
        )
    task.meter.stored(piece.number, piece.size)
    task.events.say("completed", upload_id=None, etag=reply.value.etag)
    return UploadResult(
        bucket=task.bucket,
        name=task.name,
        etag=reply.value.etag,
        crc64=reply.value.crc64,
        size=piece.size,
        version_id=reply.value.version_id,
        callback=reply.value.callback_answer if options.callback is not None else None,
        request_id=reply.request_id,
    )
