"""What an earlier attempt left, and how much of it may be trusted.

ListParts says what is stored. A stored part is kept without reading the source only when the journal shows that it was made from just this
file, unchanged to the inode's change time; otherwise its CRC-64 (or MD5) is computed from the source as it is now and has to be the
stored one. So an object mixed from two versions of a source cannot come about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mossaic.client.checkpoint import Checkpoint, PartRecord
from mossaic.client.errors import NetworkError, NoSuchUpload, ServerError, SourceChanged
from mossaic.client.object_options import fingerprint
from mossaic.client.upload import wire
from mossaic.client.upload.body import crc64_of, md5_of
from mossaic.client.upload.finish import Expected, published
from mossaic.client.upload.plan import Piece, piece_of
from mossaic.protocol.operations import multipart as ops

if TYPE_CHECKING:
    from datetime import datetime

    from mossaic.client.checkpoint import SourceIdentity
    from mossaic.client.exchange import Ask
    from mossaic.client.upload.log import Log
    from mossaic.client.upload.source import Source
    from mossaic.client.upload.task import Task, UploadResult
    from mossaic.client.upload.wire import Part

_CLOCKS_APART_S: Final = (
    60.0  # how far our clock and the server's may be apart when upload times are compared
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """An open upload: its id, its part size, and the parts that are stored and proven."""

    upload_id: str
    part_size: int
    parts: dict[int, PartRecord]


def resume(task: Task, source: Source, identity: SourceIdentity, log: Log) -> Begun | UploadResult | None:
    """The upload to go on with; the result when the object turns out to be there already; None to begin anew.

    Raises SourceChanged for a checkpoint of a source of another size.
    """
    given = task.options.resume if isinstance(task.options.resume, Checkpoint) else None
    found = earlier(task, log)
    if found is None:
        return None
    if found.file_size is not None and found.file_size != identity.size:
        if given is not None:
            raise SourceChanged(
                f"the checkpoint is for {found.file_size} bytes, the source has {identity.size}"
            )
        give_up(task, found, f"the source has {identity.size} bytes now, not {found.file_size}")
        return None
    try:
        stored = list(wire.stored_parts(task.session, task.ref(found.upload_id), task.ask()))
    except NoSuchUpload:
        made = _made_before(task, source, found, log)
        if made is not None:
            return made
        if given is not None:
            raise
        task.events.say("discarded", upload_id=found.upload_id, reason="the upload is gone from the server")
        return None
    same_file = identity.kind == "file" and found.source == identity
    trusted = (
        {part.number: part for part in found.parts} if same_file and task.options.resume == "auto" else {}
    )
    parts = _kept(task, source, found.part_size, stored, trusted)
    kept = sum(part.size for part in parts.values())
    task.events.say("resumed", upload_id=found.upload_id, parts=len(parts), bytes=kept)
    return Begun(upload_id=found.upload_id, part_size=found.part_size, parts=parts)


def earlier(task: Task, log: Log) -> Checkpoint | None:
    """The upload that was given, else that of the journal, if it is of use. What is not gone on with is named or aborted."""
    given = task.options.resume if isinstance(task.options.resume, Checkpoint) else None
    if log.intended_at is not None:
        ours = given.upload_id if given is not None else ""
        tell_leftovers(task, log.intended_at, "an earlier run ended while it began an upload", ours=ours)
    known = log.checkpoint
    if given is not None:
        if known is not None and known.upload_id != given.upload_id:
            task.events.say(
                "leftover", upload_ids=(known.upload_id,), reason="another upload was given to go on with"
            )
        return given
    if known is not None and log.said != fingerprint(task.options.object, task.name):
        give_up(task, known, "the object is to have other headers, meta or tags now")
        return None
    return known


def _made_before(task: Task, source: Source, found: Checkpoint, log: Log) -> UploadResult | None:
    """The object of an upload whose Complete was asked for by a run that did not live to hear the answer."""
    if log.completing is None:
        return None
    said = log.completing
    if said.get("size") != source.size or said.get("crc64") is None:
        return None
    crc = crc64_of(source, Piece(number=1, offset=0, size=source.size))
    if said["crc64"] != str(crc):
        return None
    expected = Expected(etags=(str(said.get("etag")),), crc64=crc, size=source.size, parts=len(found.parts))
    return published(task, found.upload_id, expected)


def _kept(
    task: Task, source: Source, part_size: int, stored: list[Part], trusted: dict[int, PartRecord]
) -> dict[int, PartRecord]:
    parts: dict[int, PartRecord] = {}
    for part in stored:
        try:
            piece = piece_of(part.number, part_size, source.size)
        except ValueError:
            continue  # beyond the end: not listed at Complete, and freed by it
        known = trusted.get(part.number)
        unchanged = known is not None and known.etag == part.etag and known.size == part.size == piece.size
        if unchanged or proves(task, source, piece, part):
            parts[part.number] = _record(piece, part)
        else:
            task.events.say("unverified", part_number=part.number)
    return parts


def proves(task: Task, source: Source, piece: Piece, part: Part) -> bool:
    """Whether the stored part has the bytes that the source has now."""
    task.scope.check()
    task.time_left()
    if part.size != piece.size:
        return False
    if part.crc64 is not None:
        return crc64_of(source, piece) == part.crc64
    return md5_of(source, piece).hex().upper() == part.etag


def _record(piece: Piece, part: Part) -> PartRecord:
    return PartRecord(
        number=piece.number, offset=piece.offset, size=piece.size, etag=part.etag, crc64=part.crc64
    )


def give_up(task: Task, found: Checkpoint, reason: str) -> None:
    """Abort an upload of ours that cannot be used, so that its parts do not stay for ever."""
    try:
        wire.abort(task.session, task.ref(found.upload_id), task.ask())
    except NoSuchUpload:
        pass
    except ServerError as error:
        task.events.say(
            "leftover", upload_ids=(found.upload_id,), reason=f"{reason}; it could not be aborted: {error}"
        )
        return
    task.events.say("discarded", upload_id=found.upload_id, reason=reason)


def tell_leftovers(task: Task, since: float, reason: str, *, ours: str = "", ask: Ask | None = None) -> None:
    """Name the uploads of this key that were begun since then and may be ours: an answer with their id was lost.

    They are not aborted, because another client may be sending to the same key.
    """
    asked = ops.ListMultipartUploads(bucket=task.bucket, prefix=task.name, encoding_type="url")
    try:
        listed = task.session.do(ops.LIST_MULTIPART_UPLOADS, asked, ask or task.ask()).value.uploads
    except (ServerError, NetworkError) as error:
        task.events.say(
            "leftover", upload_ids=(), reason=f"{reason}; the uploads could not be listed: {error}"
        )
        return
    earliest = since - _CLOCKS_APART_S
    left = [
        upload.upload_id
        for upload in listed
        if upload.key == task.name and upload.upload_id != ours and _at(upload.initiated) >= earliest
    ]
    if left:
        task.events.say("leftover", upload_ids=tuple(left), reason=reason)


def _at(moment: datetime) -> float:
    return moment.timestamp()
