"""Copies that move no bytes: the new object shares the extents of its source, small contents are copied with their row."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from mossaic.model.bucket import Versioning
from mossaic.model.copy_source import parse_copy_source
from mossaic.model.manifest import Manifest
from mossaic.model.names import NULL_VERSION
from mossaic.model.object import ObjectHeaders, ObjectType, ObjectVersion
from mossaic.model.ranges import copied_range
from mossaic.model.upload import Part
from mossaic.ports import Absent, Busy, Commit, Conflict, Damaged, LinkRefused, StoreError
from mossaic.protocol.checksum import crc64_etag
from mossaic.protocol.errors import (
    ENTITY_TOO_LARGE,
    INVALID_ARGUMENT,
    NO_SUCH_BUCKET,
    NO_SUCH_UPLOAD,
    OPERATION_NOT_SUPPORTED,
    PART_NOT_SEQUENTIAL,
    OssError,
)
from mossaic.protocol.limits import MAX_PART_NUMBER, MAX_PART_SIZE
from mossaic.quick import dataclass
from mossaic.service.link_limits import in_words
from mossaic.service.objects import shown_version
from mossaic.service.reading import Reading
from mossaic.service.writing import write_blob

if TYPE_CHECKING:
    from mossaic.model.bucket import Bucket
    from mossaic.model.conditions import Conditions
    from mossaic.model.headers import Attributes
    from mossaic.model.names import BucketName, ObjectKey, UploadId, VersionId
    from mossaic.model.object import Blob
    from mossaic.model.ranges import ByteRange
    from mossaic.ports import BlobStore, Clock, MetadataStore, Stored
    from mossaic.protocol.checksum import EtagKind
    from mossaic.service.objects import ObjectService

_TRIES: Final = 4  # how often a source that vanished while it was copied is read again


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The source of a copy, found but not yet read: authorize reading `key` of `bucket` before anything else."""

    bucket: Bucket
    key: ObjectKey
    version_id: VersionId | None

    @property
    def action(self) -> str:
        """The RAM action that reading it takes."""
        return "oss:GetObject" if self.version_id is None else "oss:GetObjectVersion"


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyOrder:
    """How to copy. `said` is what the request says of the new object; its headers and tags count where they replace the
    source's, its ACL, storage class and encryption always."""

    said: Attributes
    conditions: Conditions
    replace_headers: bool = False
    replace_tags: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """A copy that was made; `source_version_id` is None where the source's bucket has no versions."""

    stored: Stored
    source_version_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartPlace:
    """Where a part goes: its upload, as addressed, and its number, 1 … 10,000."""

    bucket: BucketName
    key: ObjectKey
    upload_id: UploadId
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PartCopyOrder:
    """`range` is `x-oss-copy-source-range`, text; one that does not fit the source copies all of it."""

    range: str | None = None
    conditions: Conditions


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedPart:
    """`content_range` as the header has it, None when the whole source was copied."""

    part: Part
    content_range: str | None
    source_version_id: str | None


class CopyService:
    """With `etags` "crc64" parts get no MD5, and whole objects are not read to become parts."""

    def __init__(
        self,
        *,
        metadata: MetadataStore,
        blobs: BlobStore,
        objects: ObjectService,
        clock: Clock,
        etags: EtagKind = "md5",
    ) -> None:
        self._etags = etags
        self._metadata = metadata
        self._blobs = blobs
        self._objects = objects
        self._clock = clock

    async def locate(self, copy_source: str) -> Source:
        """The bucket and key of an `x-oss-copy-source`. Raises OssError: INVALID_ARGUMENT, NO_SUCH_BUCKET."""
        named = parse_copy_source(copy_source)
        bucket = await self._metadata.bucket(named.bucket)
        if bucket is None:
            raise OssError(NO_SUCH_BUCKET, ec="0015-00000101", BucketName=named.bucket)
        return Source(bucket=bucket, key=named.key, version_id=named.version_id)

    async def copy(self, bucket: Bucket, key: ObjectKey, source: Source, order: CopyOrder) -> Copied:
        """Make `key` a copy of the source: same content, ETag and CRC-64. A link is copied as a link. Onto itself, only
        the metadata changes.

        Raises OssError: NO_SUCH_KEY, NO_SUCH_VERSION, METHOD_NOT_ALLOWED (source), NOT_MODIFIED, PRECONDITION_FAILED,
        OPERATION_NOT_SUPPORTED (an appendable source), FILE_ALREADY_EXISTS, NO_SUCH_BUCKET; Busy.
        """
        for _ in range(_TRIES):
            found = await self._objects.find(source.bucket, source.key, source.version_id)
            order.conditions.check(etag=found.etag, modified_at=found.modified_at)
            version = self._copy_of(found, bucket, key, order)
            try:
                stored = await self._objects.publish(
                    Commit(version=version, forbid_overwrite=order.said.forbid_overwrite)
                )
            except Damaged:  # the source was overwritten and its bytes freed: copy what is there now
                continue
            return Copied(stored=stored, source_version_id=shown_version(source.bucket, found))
        raise Busy(key)

    def _copy_of(
        self, found: ObjectVersion, bucket: Bucket, key: ObjectKey, order: CopyOrder
    ) -> ObjectVersion:
        onto_itself = found.bucket == bucket.name and found.key == key
        if found.type is ObjectType.APPENDABLE and not onto_itself:
            raise OssError(OPERATION_NOT_SUPPORTED, "An appendable object cannot be copied.")
        # OSS API: onto itself without versions, the metadata directive is always REPLACE.
        replaces = order.replace_headers or (onto_itself and bucket.versioning is Versioning.UNSET)
        said, kept = order.said, found.headers
        headers = (
            said.headers
            if replaces
            else ObjectHeaders(stored=kept.stored, meta=kept.meta, encryption=said.headers.encryption)
        )
        return replace(
            found,
            bucket=bucket.name,
            key=key,
            version_id=NULL_VERSION,
            modified_at=self._clock.now(),
            headers=headers,
            tags=said.tags if order.replace_tags else found.tags,
            acl=said.acl,
            storage_class=said.storage_class,
            is_latest=True,
        )

    async def copy_part(self, place: PartPlace, source: Source, order: PartCopyOrder) -> CopiedPart:
        """Store a part whose bytes are those of another object, or a range of it, shared with it. They are read for what its
        ETag is made of where that is not known, never written; only what lies inline in its row becomes a blob.

        Raises OssError: NO_SUCH_UPLOAD (first), INVALID_ARGUMENT (number), NO_SUCH_KEY, NO_SUCH_VERSION,
        METHOD_NOT_ALLOWED, PRECONDITION_FAILED, OPERATION_NOT_SUPPORTED, ENTITY_TOO_LARGE, PART_NOT_SEQUENTIAL; Busy.
        Crash: before the metadata step nothing, or the small blob, stays; after it the part is durable.
        """
        await self._check_place(place)
        for _ in range(_TRIES):
            found = await self._objects.find(source.bucket, source.key, source.version_id)
            order.conditions.check(etag=found.etag, modified_at=found.modified_at)
            if found.type in {ObjectType.SYMLINK, ObjectType.APPENDABLE}:
                raise OssError(OPERATION_NOT_SUPPORTED, "Parts cannot be copied from this type of object.")
            chosen = copied_range(order.range, found.size)
            try:
                part = await self._put_part(place, found, chosen)
            except Damaged:  # the source was overwritten and its bytes freed: copy what is there now
                continue
            return CopiedPart(
                part=part,
                content_range=chosen.content_range(found.size) if chosen else None,
                source_version_id=shown_version(source.bucket, found),
            )
        raise Busy(place.key)

    async def _check_place(self, place: PartPlace) -> None:
        if await self._metadata.upload(place.bucket, place.key, place.upload_id) is None:
            raise _no_upload(place)
        if not 1 <= place.number <= MAX_PART_NUMBER:
            raise OssError(
                INVALID_ARGUMENT,
                f"Part number must be an integer between 1 and {MAX_PART_NUMBER}, inclusive.",
                ec="0017-00000220",
                ArgumentName="PartNumber",
                ArgumentValue=place.number,
            )

    async def _put_part(self, place: PartPlace, found: ObjectVersion, chosen: ByteRange | None) -> Part:
        start, stop = chosen or (0, found.size)
        if stop - start > MAX_PART_SIZE:
            raise OssError(ENTITY_TOO_LARGE, MaxSizeAllowed=MAX_PART_SIZE, ProposedSize=stop - start)
        reading = Reading(blobs=self._blobs, version=found, start=start, stop=stop)
        etag, crc = await self._sums(reading, found if chosen is None else None)
        new_blobs: tuple[Blob, ...] = ()
        if found.inline:
            blocks, md5 = reading.blocks(), self._etags == "md5"
            new_blobs = (await asyncio.to_thread(write_blob, self._blobs, blocks, md5=md5),)
            manifest = Manifest.of_blob(new_blobs[0].blob_id, stop - start)
        else:
            manifest = Manifest(tuple(found.manifest.cut(start, stop)))
        part = Part(
            number=place.number,
            size=stop - start,
            etag=etag,
            crc64=crc,
            stored_at=self._clock.now(),
            manifest=manifest,
        )
        try:
            await self._metadata.put_part(place.upload_id, part, new_blobs)
        except StoreError as error:
            await asyncio.to_thread(self._blobs.delete, [blob.blob_id for blob in new_blobs])
            if isinstance(error, Absent):
                raise _no_upload(place) from None
            if isinstance(error, Conflict):
                raise OssError(PART_NOT_SEQUENTIAL) from None
            if isinstance(error, LinkRefused):
                raise in_words(error, place.key) from None
            raise
        return part

    async def _sums(self, reading: Reading, whole: ObjectVersion | None) -> tuple[str, int]:
        """ETag and CRC-64 of a part of these bytes; `whole`: the object that they are all of. Raises Damaged."""
        if self._etags == "crc64":
            crc = whole.crc64 if whole else (await asyncio.to_thread(reading.sums, md5=False)).crc64
            return crc64_etag(crc, reading.length), crc
        if whole is not None and whole.md5 is not None:
            return whole.md5, whole.crc64
        sums = await asyncio.to_thread(reading.sums, md5=True)
        assert sums.md5 is not None
        return sums.md5, sums.crc64


def _no_upload(place: PartPlace) -> OssError:
    return OssError(NO_SUCH_UPLOAD, ec="0017-00000244", UploadId=place.upload_id)
