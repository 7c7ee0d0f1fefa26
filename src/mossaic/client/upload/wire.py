"""The multipart calls as the engine makes them: typed values in and out, pages hidden."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from mossaic.client.errors import NoSuchUpload
from mossaic.client.exchange import PLAIN, pause
from mossaic.client.object_options import further_headers, object_fields
from mossaic.client.paging import page_limit
from mossaic.protocol.limits import MAX_PAGE
from mossaic.protocol.operations import multipart as ops
from mossaic.protocol.xml import DECLARATION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from mossaic.client.exchange import Ask, Reply, Session
    from mossaic.client.object_options import ObjectOptions

_ABORT_TRIES: Final = 8
_ABORT_PAUSE_S: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part that the server holds. `etag` is bare and upper case, the MD5 of its bytes unless the service makes none; `size`
    bytes; `crc64` None where the service does not tell."""

    number: int
    etag: str
    size: int
    crc64: int | None
    modified_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRef:
    """An open upload: its bucket, object key (`name`) and upload id."""

    bucket: str
    name: str
    upload_id: str


def initiate(
    session: Session, bucket: str, name: str, options: ObjectOptions, ask: Ask
) -> Reply[ops.InitiateMultipartUploadResult]:
    """Ask with the headers of `options`; those of the callback belong to Complete."""
    fields = object_fields(options, name)
    fields["callback"] = fields["callback_var"] = None
    asked = ops.InitiateMultipartUpload(bucket=bucket, key=name, **fields)
    return session.do(
        ops.INITIATE_MULTIPART_UPLOAD,
        asked,
        replace(ask, headers={**ask.headers, **further_headers(options)}),
    )


def stored_parts(session: Session, ref: UploadRef, ask: Ask = PLAIN) -> Iterator[Part]:
    """Every part, by number. Raises NoSuchUpload and what `Session.do` raises."""
    for page in part_pages(session, ref, ask):
        yield from page


def part_pages(
    session: Session, ref: UploadRef, ask: Ask = PLAIN, *, page: int = MAX_PAGE
) -> Iterator[list[Part]]:
    """The same by pages of up to `page` parts."""
    marker: int | None = None
    while True:
        value = _page(session, ref, ask, after=marker, most=page)
        yield [_part(part) for part in value.parts]
        if not value.is_truncated:
            return
        marker = value.next_part_number_marker


def stored_part(session: Session, ref: UploadRef, number: int, ask: Ask = PLAIN) -> Part | None:
    """One part, if it is there. Raises NoSuchUpload and what `Session.do` raises."""
    found = _page(session, ref, ask, after=number - 1, most=1).parts
    return _part(found[0]) if found and found[0].number == number else None


def _page(session: Session, ref: UploadRef, ask: Ask, *, after: int | None, most: int) -> ops.ListPartsResult:
    asked = ops.ListParts(
        bucket=ref.bucket,
        key=ref.name,
        upload_id=ref.upload_id,
        max_parts=page_limit(most, None),
        part_number_marker=str(after) if after else None,
        encoding_type="url",
    )
    return session.do(ops.LIST_PARTS, asked, ask).value


def _part(part: ops.StoredPart) -> Part:
    return Part(
        number=part.number,
        etag=part.etag.upper(),
        size=part.size,
        crc64=int(part.crc64) if part.crc64 else None,
        modified_at=part.last_modified,
    )


def complete(
    session: Session,
    ref: UploadRef,
    parts: Iterable[tuple[int, str]] | None,
    options: ObjectOptions,
    ask: Ask,
) -> Reply[ops.CompleteMultipartUploadResult]:
    """`parts`: (number, ETag); None lets the server take every part it holds (`x-oss-complete-all`)."""
    fields = object_fields(options, None)
    asked = ops.CompleteMultipartUpload(
        bucket=ref.bucket,
        key=ref.name,
        upload_id=ref.upload_id,
        document=None if parts is None else _document(parts),
        complete_all="yes" if parts is None else None,
        forbid_overwrite=fields["forbid_overwrite"],
        object_acl=fields["object_acl"],
        callback=fields["callback"],
        callback_var=fields["callback_var"],
    )
    return session.do(ops.COMPLETE_MULTIPART_UPLOAD, asked, ask)


def abort(session: Session, ref: UploadRef, ask: Ask = PLAIN) -> None:
    """Raises NoSuchUpload and what `Session.do` raises."""
    asked = ops.AbortMultipartUpload(bucket=ref.bucket, key=ref.name, upload_id=ref.upload_id)
    session.do(ops.ABORT_MULTIPART_UPLOAD, asked, ask)


def abort_for_good(session: Session, ref: UploadRef, ask: Ask = PLAIN) -> None:
    """Abort until the upload is gone: a part in flight when the first abort arrives may still be taken.

    An upload that is gone already is fine. Raises ServerError when it does not go away, and what `Session.do` raises.
    """
    for tried in range(_ABORT_TRIES):
        try:
            abort(session, ref, ask)
        except NoSuchUpload:
            return
        pause(_ABORT_PAUSE_S * tried, ask.scope)


def _document(parts: Iterable[tuple[int, str]]) -> bytes:
    rows = "".join(
        f'<Part><PartNumber>{number}</PartNumber><ETag>"{etag}"</ETag></Part>'
        for number, etag in sorted(parts)
    )
    return f"{DECLARATION}<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>".encode()
