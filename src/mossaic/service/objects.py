"""Objects: put, append, read, delete, and what hangs on them. Copies are in `copying.py`."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Final

from mossaic.model.bucket import Versioning
from mossaic.model.conditions import Conditions, range_still_applies
from mossaic.model.names import object_key
from mossaic.model.object import ObjectType, ObjectVersion, StorageClass
from mossaic.model.ranges import chosen_range
from mossaic.ports import Absent, Busy, Commit, Conflict, LinkRefused, StoreError
from mossaic.protocol.checksum import md5_hex
from mossaic.protocol.errors import (
    FILE_ALREADY_EXISTS,
    INVALID_TARGET_TYPE,
    METHOD_NOT_ALLOWED,
    NO_SUCH_BUCKET,
    NO_SUCH_KEY,
    NO_SUCH_VERSION,
    NOT_SYMLINK,
    OPERATION_NOT_SUPPORTED,
    SYMLINK_TARGET_NOT_EXIST,
    OssError,
)
from mossaic.quick import dataclass
from mossaic.service.appending import Appender
from mossaic.service.link_limits import in_words
from mossaic.service.reading import Reading
from mossaic.service.writing import received_manifest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from mossaic.model.bucket import Bucket
    from mossaic.model.headers import Attributes
    from mossaic.model.names import ObjectKey, VersionId
    from mossaic.model.object import ObjectAcl
    from mossaic.model.ranges import ByteRange
    from mossaic.ports import BlobStore, Body, Clock, Deleted, MetadataStore, Stored
    from mossaic.service.appending import AppendOrder
    from mossaic.service.intake import Expected, Intake, Received
    from mossaic.service.link_limits import LinkLimits

    MayRead = Callable[[str], Awaitable[None]]  # raises OssError ACCESS_DENIED for a key of the bucket

_TRIES: Final = 3  # how often a step is repeated when the object changes under it
ARCHIVED: Final = frozenset({StorageClass.ARCHIVE, StorageClass.COLD_ARCHIVE, StorageClass.DEEP_COLD_ARCHIVE})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOrder:
    """What a reader asks for. `range` is the Range header, `standard` the behaviour asked of it."""

    key: ObjectKey
    version_id: VersionId | None = None
    conditions: Conditions = field(default_factory=Conditions)
    range: str | None = None
    if_range: str | None = None
    standard: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An object as a reader sees it: `version` is what was named and has the headers, `content` has the bytes. They
    differ for a symbolic link. `part` is the range to answer, None for all."""

    version: ObjectVersion
    content: ObjectVersion
    part: ByteRange | None = None

    @property
    def modified_at(self) -> datetime:
        return max(self.version.modified_at, self.content.modified_at)


class ObjectService:
    def __init__(
        self,
        *,
        metadata: MetadataStore,
        blobs: BlobStore,
        intake: Intake,
        clock: Clock,
        limits: LinkLimits,
    ) -> None:
        self._limits = limits
        self._metadata = metadata
        self._blobs = blobs
        self._intake = intake
        self._clock = clock
        self._appender = Appender(metadata=metadata, blobs=blobs, intake=intake, clock=clock)

    # --- writing ------------------------------------------------------------------------------------------------------

    async def put(
        self, bucket: Bucket, key: ObjectKey, body: Body, *, said: Attributes, expected: Expected
    ) -> Stored:
        """Store a body as an object, in the place of the one that is there.

        Raises OssError: FILE_ALREADY_EXISTS (before a byte is read, and once more at the commit), NO_SUCH_BUCKET, and
        those of `Intake.receive`; those of an upload-request link, whose counts change in the metadata step.
        Crash: before the metadata step an orphan blob stays, which the sweeper finds; after it the object is durable.
        """
        await self.refuse_overwrite(bucket, key, forbidden=said.forbid_overwrite)
        if said.request_id is None:
            received = await self._intake.receive(body, expected)
        else:
            async with self._limits.object_coming(said.request_id, bucket, key, expected) as watched:
                received = await self._intake.receive(body, watched)
        return await self.put_received(bucket, key, received, said=said)

    async def put_received(
        self, bucket: Bucket, key: ObjectKey, received: Received, *, said: Attributes
    ) -> Stored:
        """Publish a body that has arrived already (PostObject). Raises OssError: FILE_ALREADY_EXISTS, NO_SUCH_BUCKET."""
        version = ObjectVersion(
            bucket=bucket.name,
            key=key,
            size=received.size,
            etag=received.etag,
            md5=received.md5,
            crc64=received.crc64,
            modified_at=self._clock.now(),
            headers=said.headers,
            tags=said.tags,
            acl=said.acl,
            storage_class=said.storage_class,
            manifest=received_manifest(received),
            inline=received.inline,
        )
        try:
            return await self.publish(
                Commit(
                    version=version,
                    new_blobs=received.new_blobs,
                    forbid_overwrite=said.forbid_overwrite,
                    request_id=said.request_id,
                )
            )
        except (OssError, StoreError):  # a cancelled caller does not know whether the commit happened
            await self._intake.discard(received)
            raise

    async def append(self, bucket: Bucket, key: ObjectKey, body: Body, order: AppendOrder) -> Stored:
        """See `Appender.append`."""
        await self.refuse_overwrite(bucket, key, forbidden=order.said.forbid_overwrite)
        return await self._appender.append(bucket, key, body, order)

    async def put_symlink(self, bucket: Bucket, key: ObjectKey, target: str, *, said: Attributes) -> Stored:
        """Make `key` a symbolic link to another key of the bucket, which need not exist.

        Raises OssError: INVALID_OBJECT_NAME, FILE_ALREADY_EXISTS, NO_SUCH_BUCKET.
        """
        version = ObjectVersion(
            bucket=bucket.name,
            key=key,
            type=ObjectType.SYMLINK,
            etag=md5_hex(target.encode()),
            modified_at=self._clock.now(),
            headers=said.headers,
            tags=said.tags,
            acl=said.acl,
            storage_class=said.storage_class,
            target=object_key(target),
        )
        return await self.publish(Commit(version=version, forbid_overwrite=said.forbid_overwrite))

    async def publish(self, commit: Commit) -> Stored:
        """The metadata step of a write, its refusals in OSS's words. Raises OssError; Damaged and Busy pass through."""
        try:
            return await self._metadata.put_object(commit)
        except Conflict:
            raise already_exists(commit.version.key) from None
        except Absent:
            raise OssError(NO_SUCH_BUCKET, BucketName=commit.version.bucket) from None
        except LinkRefused as error:
            raise in_words(error, commit.version.key) from None

    async def refuse_overwrite(self, bucket: Bucket, key: ObjectKey, *, forbidden: bool) -> None:
        """Spare the client sending a body that cannot be stored. The commit checks again, atomically."""
        if not forbidden or bucket.versioning is not Versioning.UNSET:
            return
        found = await self._metadata.head(bucket.name, key)
        if found is not None and not found.is_delete_marker:
            raise already_exists(key)

    # --- reading ------------------------------------------------------------------------------------------------------

    async def find(
        self, bucket: Bucket, key: ObjectKey, version_id: VersionId | None = None
    ) -> ObjectVersion:
        """The current version or the named one, links not followed.

        Raises OssError: NO_SUCH_KEY, NO_SUCH_VERSION, METHOD_NOT_ALLOWED (the named version is a delete marker).
        """
        found = await self._metadata.head(bucket.name, key, version_id)
        if found is None:
            if version_id is None:
                raise OssError(NO_SUCH_KEY, ec="0026-00000001", Key=key)
            raise OssError(NO_SUCH_VERSION, Key=key, VersionId=version_id)
        if not found.is_delete_marker:
            return found
        headers = {"x-oss-delete-marker": "true", "x-oss-version-id": found.version_id}
        if version_id is None:
            raise OssError(NO_SUCH_KEY, ec="0026-00000001", headers=headers, Key=key)
        raise OssError(
            METHOD_NOT_ALLOWED,
            headers=headers | {"Allow": "DELETE"},
            Method="GET",
            ResourceType="DeleteMarker",
        )

    async def look(self, bucket: Bucket, order: ReadOrder, may_read: MayRead) -> Found:
        """What a reader gets, decided but not yet read. A symbolic link is followed once, if `may_read` lets its target pass.

        Raises OssError: as `find`; NOT_MODIFIED, PRECONDITION_FAILED, INVALID_RANGE, SYMLINK_TARGET_NOT_EXIST,
        INVALID_TARGET_TYPE, ACCESS_DENIED.
        """
        version = await self.find(bucket, order.key, order.version_id)
        content = version
        if version.type is ObjectType.SYMLINK:
            content = await self._target(bucket, version, may_read)
        found = Found(version=version, content=content)
        order.conditions.check(etag=content.etag, modified_at=found.modified_at)
        if not range_still_applies(order.if_range, etag=content.etag, modified_at=found.modified_at):
            return found
        part = chosen_range(order.range, content.size, standard=order.standard)
        return Found(version=version, content=content, part=part)

    def reading(self, found: Found) -> Reading:
        """The bytes that `look` decided on."""
        if found.part is None:
            return Reading.whole(self._blobs, found.content)
        return Reading(blobs=self._blobs, version=found.content, start=found.part.start, stop=found.part.stop)

    async def _target(self, bucket: Bucket, link: ObjectVersion, may_read: MayRead) -> ObjectVersion:
        assert link.target is not None
        await may_read(link.target)
        target = await self._metadata.head(bucket.name, object_key(link.target))
        if target is None or target.is_delete_marker:
            raise OssError(SYMLINK_TARGET_NOT_EXIST, Key=link.target)
        if target.type is ObjectType.SYMLINK:
            raise OssError(INVALID_TARGET_TYPE)
        return target

    async def find_symlink(
        self, bucket: Bucket, key: ObjectKey, version_id: VersionId | None
    ) -> ObjectVersion:
        """The link itself. Raises OssError: as `find`; NOT_SYMLINK."""
        found = await self.find(bucket, key, version_id)
        if found.type is not ObjectType.SYMLINK:
            raise OssError(NOT_SYMLINK)
        return found

    # --- deleting and changing ----------------------------------------------------------------------------------------

    async def delete(self, bucket: Bucket, key: ObjectKey, version_id: VersionId | None) -> Deleted:
        """Remove the object, or add a delete marker where the bucket keeps versions; what is not there is no error."""
        try:
            return await self._metadata.delete_object(bucket.name, key, version_id, self._clock.now())
        except Absent:
            raise OssError(NO_SUCH_BUCKET, BucketName=bucket.name) from None

    async def delete_many(
        self, bucket: Bucket, keys: Sequence[tuple[ObjectKey, VersionId | None]]
    ) -> list[Deleted]:
        """As `delete`, for all of them or, when something fails, for none."""
        try:
            return await self._metadata.delete_objects(bucket.name, keys, self._clock.now())
        except Absent:
            raise OssError(NO_SUCH_BUCKET, BucketName=bucket.name) from None

    async def change(
        self,
        bucket: Bucket,
        key: ObjectKey,
        version_id: VersionId | None,
        *,
        acl: ObjectAcl | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> ObjectVersion:
        """Set the ACL or replace all tags; Last-Modified stays. Raises OssError as `find`; Busy."""
        for _ in range(_TRIES):
            try:
                return await self._metadata.change_object(bucket.name, key, version_id, acl=acl, tags=tags)
            except (Absent, Conflict):
                await self.find(bucket, key, version_id)  # says what is wrong, unless it has changed since
        raise Busy(key)

    async def restore(self, bucket: Bucket, key: ObjectKey, version_id: VersionId | None) -> ObjectVersion:
        """An archived object is readable at any time here, so there is nothing to wait for.

        Raises OssError: as `find`; OPERATION_NOT_SUPPORTED when the object is not of an archive class.
        """
        found = await self.find(bucket, key, version_id)
        if found.storage_class not in ARCHIVED:
            raise OssError(
                OPERATION_NOT_SUPPORTED,
                "The operation is not supported for this resource.",
                ec="0016-00000702",
                Detail="RestoreObject operation does not support this object storage class",
            )
        return found


def already_exists(key: ObjectKey) -> OssError:
    return OssError(FILE_ALREADY_EXISTS, ec="0026-00000002", Key=key)


def shown_version(bucket: Bucket, version: ObjectVersion) -> str | None:
    """The version id as answers give it: none in a bucket that never had versioning."""
    return None if bucket.versioning is Versioning.UNSET else version.version_id
