"""Multipart upload: begin, put parts, look at what is there, complete, abort.

Crash story of the whole: bytes of a part are durable before its row, and the row before the answer. Complete is one
transaction on metadata; it moves no bytes. A blob that no row names is an orphan, which the sweeper finds.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from mossaic.model.headers import attributes, forbid_overwrite, object_acl, persistent_headers
from mossaic.model.names import ObjectKey, UploadId, VersionId
from mossaic.model.object import ObjectHeaders, ObjectType, ObjectVersion
from mossaic.model.page import ListQuery
from mossaic.model.tags import parse_tagging
from mossaic.model.upload import (
    Completed,
    Part,
    PartColumns,
    Upload,
    list_digest,
    new_upload_id,
    no_such_upload,
    part_number,
    plan_completion,
)
from mossaic.ports import Absent, Busy, Commit, Conflict, Full, LinkRefused, Stored, StoreError
from mossaic.protocol.checksum import md5_of_part
from mossaic.protocol.errors import (
    FILE_ALREADY_EXISTS,
    INVALID_ARGUMENT,
    NO_SUCH_BUCKET,
    OPERATION_NOT_SUPPORTED,
    PART_ALREADY_EXIST,
    PART_NOT_SEQUENTIAL,
    SERVICE_UNAVAILABLE,
    OssError,
)
from mossaic.protocol.limits import DEFAULT_PART_PAGE, KIB, MAX_PART_SIZE, MIB
from mossaic.protocol.operations.listing import page_delimiter, page_marker, page_prefix, page_size
from mossaic.protocol.part_list import listed_parts
from mossaic.service.intake import Expected
from mossaic.service.link_limits import in_words, require_own
from mossaic.service.open_uploads import OpenUploads, is_upload_id
from mossaic.service.writing import received_manifest

if TYPE_CHECKING:
    from datetime import datetime

    from mossaic.model.bucket import Bucket
    from mossaic.model.identity import Grant
    from mossaic.model.manifest import Manifest
    from mossaic.model.page import Page
    from mossaic.model.upload import Completion, PartPage, UploadPage
    from mossaic.ports import BlobStore, Body, Clock, MetadataStore
    from mossaic.protocol.operations import multipart as shapes
    from mossaic.protocol.part_list import PartList
    from mossaic.service.intake import Intake, Received
    from mossaic.service.link_limits import LinkLimits

_ATTEMPTS: Final = 4  # plans of one Complete while parts keep changing under it
_PARSE_IN_THREAD: Final = 64 * KIB  # bytes of XML; above, the loop is spared the parsing
_READ_SIZE: Final = MIB  # bytes a step when a sequential upload is read again for its MD5


class MultipartService:
    """`replay_s`: seconds in which a repeated Complete gets the first one's answer; 0 is OSS's strict NoSuchUpload."""

    def __init__(  # noqa: PLR0913  # what it works with
        self,
        *,
        blobs: BlobStore,
        metadata: MetadataStore,
        intake: Intake,
        clock: Clock,
        limits: LinkLimits,
        replay_s: float,
    ) -> None:
        self._limits = limits
        self._blobs = blobs
        self._metadata = metadata
        self._open = OpenUploads(metadata)
        self._intake = intake
        self._clock = clock
        self._replay = timedelta(seconds=replay_s)

    async def initiate(
        self,
        bucket: Bucket,
        asked: shapes.InitiateMultipartUpload,
        *,
        initiator: str,
        grant: Grant | None = None,
    ) -> Upload:
        """Open an upload. What the headers say of the object is frozen here; `initiator` is an ARN. With a `grant` it is the upload of
        that visit of an upload-request link, here and in the other calls.

        Raises OssError: FILE_ALREADY_EXISTS, NO_SUCH_BUCKET, those of a link, and whatever `model.headers` says of the headers.
        """
        now = self._clock.now()
        given = attributes(asked, asked.key, bucket.storage_class)
        upload = Upload(
            upload_id=new_upload_id(now),
            bucket=bucket.name,
            key=ObjectKey(asked.key),
            initiated_at=now,
            initiator=initiator,
            headers=given.headers,
            tags=given.tags,
            acl=given.acl,
            storage_class=given.storage_class,
            forbid_overwrite=given.forbid_overwrite,
            sequential=asked.sequential is not None,
            request_id=grant.request_id if grant else None,
            visit=grant.visit if grant else None,
        )
        try:
            await self._metadata.create_upload(upload)
        except Absent:
            raise OssError(NO_SUCH_BUCKET, BucketName=bucket.name) from None
        except Conflict:
            raise _already_exists(upload.key, "0026-00000002") from None
        except LinkRefused as error:
            raise in_words(error, upload.key) from None
        return upload

    async def put_part(
        self, bucket: Bucket, asked: shapes.UploadPart, body: Body, *, grant: Grant | None = None
    ) -> tuple[Upload, Part, str | None]:
        """Store the body as a part; one of the same number is replaced, and its bytes are freed. With the part comes the MD5 of
        its bytes, upper-case hex, None where it was not made.

        At most 5 GiB; the minimum is Complete's to check. Everything that can be refused without the body is refused
        before a byte of it is read.

        Raises OssError: NO_SUCH_UPLOAD, INVALID_ARGUMENT (number), MISSING_CONTENT_LENGTH, ENTITY_TOO_LARGE,
        INVALID_DIGEST, INVALID_CRC64, PART_ALREADY_EXIST and PART_NOT_SEQUENTIAL (sequential uploads only); those of a link.
        Crash: before the last step an orphan blob stays; after it the part is durable.
        """
        upload, number = await self.place(bucket, asked)
        require_own(grant, upload)
        expected = Expected.by(asked, max_size=MAX_PART_SIZE)
        if upload.request_id is None:
            received = await self._intake.receive(body, expected, inline_up_to=0)
        else:
            async with self._limits.part_coming(upload.request_id, upload, number, expected) as watched:
                received = await self._intake.receive(body, watched, inline_up_to=0)
        part = self._part(number, received)
        try:
            await self._metadata.put_part(upload.upload_id, part, received.new_blobs)
        except StoreError as error:  # refused as a whole: no row names the blob
            await self._intake.discard(received)
            raise await self._part_refused(upload, number, error) from error
        return upload, part, received.md5

    async def place(
        self, bucket: Bucket, asked: shapes.UploadPart | shapes.UploadPartCopy
    ) -> tuple[Upload, int]:
        """The upload and the number that a part is meant for. It is open, or was a second ago: the store's `put_part` knows.

        Raises OssError: NO_SUCH_UPLOAD, INVALID_ARGUMENT (number), PART_ALREADY_EXIST, PART_NOT_SEQUENTIAL.
        """
        upload = await self._open.find_of_late(bucket, asked.key, asked.upload_id)
        if upload is None:
            raise no_such_upload(asked.upload_id)
        number = part_number(asked.part_number)
        await self._check_turn(upload, number)
        return upload, number

    async def open_upload(self, bucket: Bucket, key: str, upload_id: str) -> Upload:
        """Raises OssError NO_SUCH_UPLOAD, also when the upload is one of another key."""
        upload = await self._open.find(bucket, key, upload_id)
        if upload is None:
            raise no_such_upload(upload_id)
        return upload

    async def complete(
        self, bucket: Bucket, asked: shapes.CompleteMultipartUpload, *, grant: Grant | None = None
    ) -> Stored:
        """Publish the listed parts as the object and close the upload, in one step and without moving bytes.

        A repeated Complete with the same list gets the first one's answer for a while, because a client whose answer
        was lost repeats it (ali-oss's user sees NoSuchUpload otherwise, for a file that is safely stored).

        Raises OssError: OPERATION_NOT_SUPPORTED, NO_SUCH_UPLOAD, INVALID_ARGUMENT, MALFORMED_XML, INVALID_PART_ORDER,
        INVALID_PART, ENTITY_TOO_SMALL, FILE_ALREADY_EXISTS, SERVICE_UNAVAILABLE (parts keep changing); those of a link.
        Crash: before the transaction the upload is as it was, after it the object is there and a receipt with it, and a link
        has counted it.
        """
        _refuse_late_headers(asked)
        upload = await self._open.find_of_late(bucket, asked.key, asked.upload_id)
        if upload is None:
            return await self._first_answer(bucket, asked)
        require_own(grant, upload)
        listed = await _listed(asked)
        finishing = _with_late_headers(upload, asked)
        for _ in range(_ATTEMPTS):
            try:
                return await self._publish(finishing, listed)
            except Full:
                raise
            except Busy:
                continue  # another process held the store, or a sequential upload has grown
            except Conflict:
                raise _already_exists(upload.key, "0042-00000214") from None
            except LinkRefused as error:
                raise in_words(error, upload.key) from None
            except Absent:
                return await self._first_answer(bucket, asked)  # another Complete, or an Abort, was faster
            except OssError:
                if await self._open.find(bucket, asked.key, asked.upload_id) is None:
                    return await self._first_answer(
                        bucket, asked
                    )  # as above, while a sequential one was read
                raise
        raise OssError(SERVICE_UNAVAILABLE, "Parts of the upload are being replaced. Try again.")

    async def abort(
        self, bucket: Bucket, asked: shapes.AbortMultipartUpload, *, grant: Grant | None = None
    ) -> None:
        """Close the upload and free its parts; parts in flight are refused when they arrive. Raises OssError
        NO_SUCH_UPLOAD."""
        if not is_upload_id(asked.upload_id):
            raise no_such_upload(asked.upload_id)
        if grant is not None:
            require_own(grant, await self.open_upload(bucket, asked.key, asked.upload_id))
        try:
            await self._metadata.abort(bucket.name, ObjectKey(asked.key), UploadId(asked.upload_id))
        except Absent:
            raise no_such_upload(asked.upload_id) from None
        finally:
            self._open.forget(asked.upload_id)

    async def parts(
        self, bucket: Bucket, asked: shapes.ListParts, *, grant: Grant | None = None
    ) -> tuple[Upload, PartPage]:
        """A page of the upload's parts by number. Raises OssError: NO_SUCH_UPLOAD, INVALID_ARGUMENT."""
        upload = await self.open_upload(bucket, asked.key, asked.upload_id)
        require_own(grant, upload)
        limit = page_size(asked.max_parts, DEFAULT_PART_PAGE, name="max-parts")
        after = part_marker(asked.part_number_marker)
        return upload, await self._metadata.parts(upload.upload_id, after=after, limit=limit)

    async def uploads(self, bucket: Bucket, asked: shapes.ListMultipartUploads) -> UploadPage:
        """A page of the bucket's open uploads, by key, then upload id. Raises OssError INVALID_ARGUMENT."""
        return await self._metadata.show_uploads(_uploads_query(bucket, asked))

    async def uploads_in_full(self, bucket: Bucket, asked: shapes.ListMultipartUploads) -> Page[Upload]:
        """The same page, with all there is to say of each upload. Raises OssError INVALID_ARGUMENT."""
        return await self._metadata.list_uploads(_uploads_query(bucket, asked))

    # --- steps ---

    async def _check_turn(self, upload: Upload, number: int) -> None:
        """The parts of a sequential upload come as 1, 2, 3 … and stay as they came."""
        if not upload.sequential:
            return
        present = await self._metadata.part(upload.upload_id, number)
        if present is not None:
            raise OssError(
                PART_ALREADY_EXIST, ec="0042-00000108", PartEtag=present.etag, PartNumber=present.number
            )
        if number > 1 and await self._metadata.part(upload.upload_id, number - 1) is None:
            raise OssError(PART_NOT_SEQUENTIAL, PartNumber=number)

    async def _part_refused(self, upload: Upload, number: int, error: StoreError) -> Exception:
        """The store's reason in OSS's words."""
        match error:
            case Absent():
                self._open.forget(upload.upload_id)
                return no_such_upload(upload.upload_id)
            case Conflict():
                try:
                    await self._check_turn(upload, number)
                except OssError as turn:
                    return turn
                return OssError(PART_NOT_SEQUENTIAL, PartNumber=number)
            case LinkRefused():
                return in_words(error, upload.key)
            case Busy() if not isinstance(error, Full):
                return OssError(SERVICE_UNAVAILABLE)
            case _:
                return error

    def _part(self, number: int, received: Received) -> Part:
        return Part(
            number=number,
            size=received.size,
            etag=received.etag,
            crc64=received.crc64,
            stored_at=self._clock.now(),
            manifest=received_manifest(received),
        )

    async def _publish(self, upload: Upload, listed: PartList | None) -> Stored:
        """One attempt. Raises OssError as `plan_completion`, and what `Uploads.complete` raises."""
        has_md5 = upload.sequential and self._intake.etags == "md5"
        known = await self._content_md5(upload, listed) if has_md5 else None
        now = self._clock.now()

        def decide(stored: PartColumns) -> tuple[Commit, Completed]:
            plan = plan_completion(stored, listed, upload_id=upload.upload_id)
            if known is not None and known.manifest != plan.manifest:
                raise Busy("parts came while the content was read")
            version = _published(upload, plan, md5=known.md5 if known else None, now=now)
            commit = Commit(version=version, forbid_overwrite=upload.forbid_overwrite)
            return commit, _receipt(version, upload.upload_id, list_digest(listed))

        stored = await self._metadata.complete(upload, decide)
        self._open.forget(upload.upload_id)
        return stored

    async def _content_md5(self, upload: Upload, listed: PartList | None) -> _KnownMd5:
        """The MD5 of a sequential upload's content, which its object carries. Reads the parts, at the disk's speed: the
        state of an unfinished MD5 cannot be kept between two requests. Raises OssError as `plan_completion`."""
        stored = PartColumns.of(await self._metadata.all_parts(upload.upload_id))
        plan = plan_completion(stored, listed, upload_id=upload.upload_id)
        known = md5_of_part(plan.parts.etags[0]) if len(plan.parts) == 1 else None
        if known is not None:
            return _KnownMd5(plan.manifest, known)
        return _KnownMd5(plan.manifest, await asyncio.to_thread(_read_md5, self._blobs, plan.manifest))

    async def _first_answer(self, bucket: Bucket, asked: shapes.CompleteMultipartUpload) -> Stored:
        """What the same Complete was answered before: the facts of the receipt, and the object's headers while it is there.

        Raises OssError NO_SUCH_UPLOAD, MALFORMED_XML.
        """
        self._open.forget(asked.upload_id)  # it may have been found as one that was open a moment ago
        gone = no_such_upload(asked.upload_id)
        if not self._replay or not is_upload_id(asked.upload_id):
            raise gone
        receipt = await self._metadata.receipt(bucket.name, ObjectKey(asked.key), UploadId(asked.upload_id))
        if receipt is None or self._clock.now() - receipt.completed_at >= self._replay:
            raise gone
        if receipt.digest != list_digest(await _listed(asked)):
            raise gone
        return Stored(
            version=ObjectVersion(
                bucket=receipt.bucket,
                key=receipt.key,
                type=ObjectType.MULTIPART,
                size=receipt.size,
                etag=receipt.etag,
                crc64=receipt.crc64,
                modified_at=receipt.completed_at,
                headers=await self._headers_of(receipt),
            ),
            version_id=_version_id(receipt),
        )

    async def _headers_of(self, receipt: Completed) -> ObjectHeaders:
        now = await self._metadata.head(receipt.bucket, receipt.key, _version_id(receipt))
        return now.headers if now is not None and now.etag == receipt.etag else ObjectHeaders()


class _KnownMd5(NamedTuple):
    """The MD5 of what lies in a manifest."""

    manifest: Manifest
    md5: str


def _published(upload: Upload, plan: Completion, *, md5: str | None, now: datetime) -> ObjectVersion:
    return ObjectVersion(
        bucket=upload.bucket,
        key=upload.key,
        type=ObjectType.MULTIPART,
        size=plan.size,
        etag=plan.etag,
        md5=md5,
        crc64=plan.crc64,
        modified_at=now,
        headers=upload.headers,
        tags=upload.tags,
        acl=upload.acl,
        storage_class=upload.storage_class,
        manifest=plan.manifest,
        inline=None if plan.size else b"",
    )


def _receipt(version: ObjectVersion, upload_id: UploadId, digest: str) -> Completed:
    return Completed(
        upload_id=upload_id,
        bucket=version.bucket,
        key=version.key,
        digest=digest,
        etag=version.etag,
        crc64=version.crc64,
        size=version.size,
        version_id=None,  # the store knows it when it publishes
        completed_at=version.modified_at,
    )


def _version_id(receipt: Completed) -> VersionId | None:
    return None if receipt.version_id is None else VersionId(receipt.version_id)


def _uploads_query(bucket: Bucket, asked: shapes.ListMultipartUploads) -> ListQuery:
    """Raises OssError INVALID_ARGUMENT."""
    after_key = page_marker(asked.key_marker, name="key-marker")
    after_id = page_marker(asked.upload_id_marker, name="upload-id-marker")
    return ListQuery(
        bucket=bucket.name,
        prefix=page_prefix(asked.prefix),
        delimiter=page_delimiter(asked.delimiter),
        after_key=after_key,
        after_id=after_id if after_key else "",
        limit=page_size(asked.max_uploads, DEFAULT_PART_PAGE, name="max-uploads"),
    )


def part_marker(text: str | None) -> int:
    """`part-number-marker`: a number, or nothing. Raises OssError INVALID_ARGUMENT."""
    if not text:
        return 0
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return int(text)
    value = text[:256].encode("utf-8", "replace").decode()
    raise OssError(INVALID_ARGUMENT, ArgumentName="part-number-marker", ArgumentValue=value)


async def _listed(asked: shapes.CompleteMultipartUpload) -> PartList | None:
    """The list in the body; None for `x-oss-complete-all: yes`. Raises OssError INVALID_ARGUMENT, MALFORMED_XML."""
    document = asked.document or b""
    if asked.complete_all is not None:
        is_yes = asked.complete_all.strip().lower() == "yes"
        if document or not is_yes:
            message = "x-oss-complete-all takes yes, and no body beside it."
            raise OssError(
                INVALID_ARGUMENT,
                message,
                ec="0042-00000216" if is_yes else None,
                ArgumentName="x-oss-complete-all",
                ArgumentValue=asked.complete_all[:256],
            )
        return None
    if len(document) > _PARSE_IN_THREAD:
        return await asyncio.to_thread(listed_parts, document)
    return listed_parts(document)


def _refuse_late_headers(asked: shapes.CompleteMultipartUpload) -> None:
    """Storage class and encryption belong to Initiate; OSS answers with exactly this message when they come here."""
    if asked.storage_class is not None or asked.server_side_encryption is not None:
        raise OssError(OPERATION_NOT_SUPPORTED, ec="0042-00000202")


def _with_late_headers(upload: Upload, asked: shapes.CompleteMultipartUpload) -> Upload:
    """The upload with what Complete may still say of the object. Raises OssError as `model.headers` does."""
    late = persistent_headers(asked.persistent_headers)
    return replace(
        upload,
        headers=replace(upload.headers, stored={**upload.headers.stored, **late}) if late else upload.headers,
        tags=upload.tags if asked.tagging is None else parse_tagging(asked.tagging),
        acl=upload.acl if asked.object_acl is None else object_acl(asked.object_acl),
        forbid_overwrite=upload.forbid_overwrite or forbid_overwrite(asked.forbid_overwrite),
    )


def _already_exists(key: ObjectKey, ec: str) -> OssError:
    return OssError(FILE_ALREADY_EXISTS, ec=ec, Key=key)


def _read_md5(blobs: BlobStore, manifest: Manifest) -> str:
    """Blocks; holds one piece at a time. Raises Damaged."""
    md5 = hashlib.md5(usedforsecurity=False)
    for extent in manifest.extents:
        with blobs.open(extent.blob_id) as source:
            for start in range(0, extent.length, _READ_SIZE):
                md5.update(source.read(extent.offset + start, min(_READ_SIZE, extent.length - start)))
    return md5.hexdigest().upper()
