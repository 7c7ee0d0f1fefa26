"""One part, sent once over and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mossaic.client.checkpoint import PartRecord
from mossaic.client.errors import ChecksumMismatch
from mossaic.client.exchange import Ask
from mossaic.client.object_options import traffic_headers
from mossaic.client.options import Retry
from mossaic.client.upload import wire
from mossaic.client.upload.body import PartBody, content_md5, md5_of
from mossaic.protocol.operations import multipart as ops

if TYPE_CHECKING:
    from mossaic.client.http import Scope
    from mossaic.client.upload.body import Readable
    from mossaic.client.upload.plan import Piece
    from mossaic.client.upload.task import Task


def send_part(  # noqa: PLR0913  # what a part is, and what was tried
    task: Task,
    upload_id: str,
    piece: Piece,
    source: Readable,
    scope: Scope,
    *,
    tried: list[PartBody] | None = None,
) -> PartRecord:
    """`tried`: the attempts of earlier calls, which were cut and may have been stored nevertheless; those of this call are added.

    Raises ChecksumMismatch (the part is stored, but not these bytes: send it again), and what `Session.do` raises."""
    options = task.options
    bodies: list[PartBody] = [] if tried is None else tried

    def body() -> PartBody:
        bodies.append(PartBody(task, source, piece, scope))
        return bodies[-1]

    def settled() -> ops.UploadPartResult | None:
        """Whether the part is stored, though the answer that said so was lost: it need not travel again."""
        last = next((body for body in reversed(bodies) if body.is_out), None)
        if last is None or last.crc64 is None:
            return None
        once = Ask(deadline=task.time_left(), scope=scope, retry=Retry(attempts=1))
        found = wire.stored_part(task.session, task.ref(upload_id), piece.number, once)
        if found is None or found.size != piece.size or found.crc64 != last.crc64:
            return None
        bodies.append(last)
        return ops.UploadPartResult(etag=found.etag, crc64=str(found.crc64))

    headers = traffic_headers(options.object.traffic_limit)
    if options.checksum == "crc64+md5":
        headers |= content_md5(md5_of(source, piece))
    asked = ops.UploadPart(
        bucket=task.bucket, key=task.name, upload_id=upload_id, part_number=str(piece.number)
    )
    ask = task.ask(
        body=body,
        headers=headers,
        scope=scope,
        part_number=piece.number,
        settled=settled,
        in_doubt=any(body.is_out for body in bodies),
    )
    reply = task.session.do(ops.UPLOAD_PART, asked, ask)
    told, sent = reply.value.crc64, bodies[-1].crc64
    if told is not None and sent is not None and int(told) != sent:
        raise ChecksumMismatch(
            f"part {piece.number} has CRC-64 {told} on the server, {sent} was sent (request id {reply.request_id})"
        )
    return PartRecord(
        number=piece.number,
        offset=piece.offset,
        size=piece.size,
        etag=reply.value.etag.upper(),
        crc64=sent if sent is not None else (int(told) if told is not None else None),
    )
