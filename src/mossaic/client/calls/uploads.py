"""The steps of multipart upload one by one, and the care for unfinished uploads: list, inspect, abort, tidy up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from mossaic.client.calls.base import Calls
from mossaic.client.http import Scope
from mossaic.client.object_options import ObjectOptions
from mossaic.client.paging import Paged
from mossaic.client.store import Null
from mossaic.client.upload import wire
from mossaic.client.upload.part import send_part
from mossaic.client.upload.plan import Piece
from mossaic.client.upload.source import Stream, open_source
from mossaic.client.upload.spool import Spool
from mossaic.client.upload.task import Task, UploadOptions, UploadResult
from mossaic.client.upload.wire import Part, UploadRef
from mossaic.protocol.addressing import copy_source
from mossaic.protocol.limits import MAX_PART_NUMBER, MAX_PART_SIZE
from mossaic.protocol.operations import multipart as ops

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mossaic.client.callback import Callback
    from mossaic.client.upload.source import SourceLike


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadInfo(UploadRef):
    """An unfinished upload as ListMultipartUploads tells it; `initiated` is aware UTC."""

    initiated: datetime
    storage_class: str

    @property
    def age(self) -> timedelta:
        return datetime.now(UTC) - self.initiated


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedPart:
    """A part that was made of an object's bytes; `etag` is bare, `crc64` that of the part."""

    number: int
    etag: str
    crc64: int | None
    modified_at: datetime


class Uploads(Calls):
    """The multipart calls of OSS, each by itself."""

    def init_multipart_upload(
        self, name: str, options: ObjectOptions | None = None, *, bucket: str | None = None
    ) -> UploadRef:
        """Begin an upload. What the object will carry (headers, meta, tags, storage class …) is said here, in `options`.

        Raises ServerError by code, and what every call raises.
        """
        where = self._in(bucket)
        reply = wire.initiate(self._session, where, name, options or ObjectOptions(), self._ask)
        return UploadRef(bucket=where, name=name, upload_id=reply.value.upload_id)

    def upload_part(
        self,
        upload: UploadRef,
        number: int,
        data: SourceLike,
        *,
        traffic_limit: int | None = None,
    ) -> Part:
        """Send one part; `number` is 1 … 10,000, `data` a path, bytes, a binary file object or an iterable of bytes, at most 5 GiB.

        A part of that number is replaced. Raises ChecksumMismatch, NoSuchUpload, ValueError and what every call raises.
        """
        if not 1 <= number <= MAX_PART_NUMBER:
            raise ValueError(f"a part number is 1 to {MAX_PART_NUMBER}, not {number}")
        scope = Scope(parent=self._ask.scope)
        task = Task(
            session=self._session,
            bucket=upload.bucket,
            name=upload.name,
            options=UploadOptions(
                object=ObjectOptions(traffic_limit=traffic_limit),
                checksum=self._checksum,
                deadline=self._ask.deadline,
            ),
            store=Null(),
            throttle=self._throttle,
            scope=scope,
        )
        source = open_source(data)
        spool = Spool()
        try:
            if isinstance(source, Stream):
                spool.fill(source, MAX_PART_SIZE, scope)
                piece = Piece(number=number, offset=0, size=spool.size)
                record = send_part(task, upload.upload_id, piece, spool, scope)
            else:
                piece = Piece(number=number, offset=0, size=source.size)
                record = send_part(task, upload.upload_id, piece, source, scope)
        finally:
            source.close()
            spool.close()
        return Part(number=number, etag=record.etag, size=record.size, crc64=record.crc64)

    def upload_part_copy(  # noqa: PLR0913  # a call's options are keywords
        self,
        upload: UploadRef,
        number: int,
        source: str,
        *,
        range: tuple[int, int] | None = None,  # noqa: A002  # OSS's own word
        source_bucket: str | None = None,
        source_version_id: str | None = None,
        if_match: str | None = None,
    ) -> CopiedPart:
        """Make a part of the bytes `range` (start, stop; half open) of the object `source`, or of all of it; nothing travels through here.

        `if_match`: the source's ETag as it has to be. Raises NoSuchKey, NoSuchUpload, PreconditionFailed, InvalidRange and what every
        call raises.
        """
        span = None if range is None else f"bytes={range[0]}-{range[1] - 1}"
        asked = ops.UploadPartCopy(
            bucket=upload.bucket,
            key=upload.name,
            upload_id=upload.upload_id,
            part_number=str(number),
            copy_source=copy_source(source_bucket or upload.bucket, source, source_version_id),
            copy_source_range=span,
            if_match=if_match,
        )
        value = self._do(ops.UPLOAD_PART_COPY, asked).value
        return CopiedPart(
            number=number,
            etag=value.etag.upper(),
            crc64=int(value.crc64) if value.crc64 else None,
            modified_at=value.last_modified,
        )

    def complete_multipart_upload(
        self,
        upload: UploadRef,
        parts: Iterable[Part | CopiedPart | tuple[int, str]] | None = None,
        *,
        callback: Callback | Mapping[str, Any] | None = None,  # Any: as ali-oss has it
        forbid_overwrite: bool | None = None,
        acl: str | None = None,
    ) -> UploadResult:
        """Make the object. `parts`: what the `upload_part` calls returned, or (number, ETag) pairs; None takes every part that the server
        holds.

        Raises InvalidPart, InvalidPartOrder, EntityTooSmall, NoSuchUpload, FileAlreadyExists, CallbackFailed (the object is stored),
        and what every call raises.
        """
        listed = None if parts is None else [_pair(part) for part in parts]
        options = ObjectOptions(callback=callback, forbid_overwrite=forbid_overwrite, acl=acl)
        reply = wire.complete(self._session, upload, listed, options, self._ask)
        value = reply.value
        return UploadResult(
            bucket=upload.bucket,
            name=upload.name,
            etag=value.etag_header or value.etag,
            crc64=int(value.crc64) if value.crc64 else None,
            size=None,
            version_id=value.version_id,
            upload_id=upload.upload_id,
            parts=None if listed is None else len(listed),
            callback=value.callback_answer if callback is not None else None,
            request_id=reply.request_id,
        )

    def abort_multipart_upload(
        self,
        upload: UploadRef | str,
        upload_id: str | None = None,
        *,
        until_gone: bool = True,
        bucket: str | None = None,
    ) -> None:
        """Abort an upload, given as it is or by its key and id; its parts are freed.

        `until_gone`: repeat until the server does not know it any more, because a part in flight may arrive after the first abort; an
        upload that is gone already is then no error. Raises NoSuchUpload (`until_gone` False), and what every call raises.
        """
        ref = self._ref(upload, upload_id, bucket)
        if until_gone:
            wire.abort_for_good(self._session, ref, self._ask)
        else:
            wire.abort(self._session, ref, self._ask)

    def list_parts(
        self,
        upload: UploadRef | str,
        upload_id: str | None = None,
        *,
        page_size: int = 1000,
        bucket: str | None = None,
    ) -> Paged[Part]:
        """The stored parts by number; pages are asked for as they are needed, `page_size` (1 … 1000) at once.

        Raises on iteration NoSuchUpload and what every call raises.
        """
        ref = self._ref(upload, upload_id, bucket)
        return Paged(wire.part_pages(self._session, ref, self._ask, page=page_size))

    def list_uploads(
        self,
        prefix: str = "",
        *,
        older_than: timedelta | None = None,
        page_size: int = 1000,
        max_items: int | None = None,
        bucket: str | None = None,
    ) -> Paged[UploadInfo]:
        """Unfinished uploads whose key begins with `prefix`, by key; only those begun longer ago than `older_than`.

        Raises on iteration NoSuchBucket, AccessDenied and what every call raises.
        """
        asked = ops.ListMultipartUploads(
            bucket=self._in(bucket), prefix=prefix or None, max_uploads=str(page_size), encoding_type="url"
        )
        return Paged(self._upload_pages(asked, older_than), max_items=max_items)

    def _upload_pages(
        self, asked: ops.ListMultipartUploads, older_than: timedelta | None
    ) -> Iterator[Sequence[UploadInfo]]:
        while True:
            page = self._do(ops.LIST_MULTIPART_UPLOADS, asked).value
            found = [
                UploadInfo(
                    bucket=asked.bucket,
                    name=upload.key,
                    upload_id=upload.upload_id,
                    initiated=upload.initiated,
                    storage_class=upload.storage_class,
                )
                for upload in page.uploads
            ]
            yield [info for info in found if older_than is None or info.age >= older_than]
            if not page.is_truncated:
                return
            asked = replace(
                asked, key_marker=page.next_key_marker, upload_id_marker=page.next_upload_id_marker
            )

    def abort_stale_uploads(
        self,
        prefix: str = "",
        *,
        older_than: timedelta = timedelta(days=1),
        dry_run: bool = True,
        bucket: str | None = None,
    ) -> list[UploadInfo]:
        """Abort unfinished uploads begun longer ago than `older_than`, and return them. `dry_run`, the default, only returns them.

        Raises what every call raises; uploads before the one that failed are aborted.
        """
        stale = list(self.list_uploads(prefix, older_than=older_than, bucket=bucket))
        if not dry_run:
            for upload in stale:
                wire.abort_for_good(self._session, upload, self._ask)
        return stale

    def _ref(self, upload: UploadRef | str, upload_id: str | None, bucket: str | None) -> UploadRef:
        if isinstance(upload, UploadRef):
            return upload
        if not upload_id:
            raise ValueError("an upload is named by its key and its upload id")
        return UploadRef(bucket=self._in(bucket), name=upload, upload_id=upload_id)


def _pair(part: Part | CopiedPart | tuple[int, str]) -> tuple[int, str]:
    number, etag = part if isinstance(part, tuple) else (part.number, part.etag)
    return number, etag.strip('"')
