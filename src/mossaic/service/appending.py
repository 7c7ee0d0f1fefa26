"""Appendable objects: each append adds its bytes at the end, and keeps the number of pieces small.

A log that grows by a hundred bytes at a time would make a manifest of a million extents. So a small append is written
together with the small extents before it, as long as each is not larger than what comes after it (as binary counters
carry): every byte is rewritten a logarithmic number of times, and only a few small extents are ever there.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from mossaic.model.bucket import Versioning
from mossaic.model.manifest import Extent, Manifest
from mossaic.model.object import ObjectType, ObjectVersion
from mossaic.ports import Absent, Busy, Commit, Conflict, Damaged, Stored, StoreError
from mossaic.protocol.checksum import crc64_combine
from mossaic.protocol.errors import (
    INVALID_ARGUMENT,
    MISSING_ARGUMENT,
    NO_SUCH_BUCKET,
    OBJECT_NOT_APPENDABLE,
    POSITION_NOT_EQUAL_TO_LENGTH,
    OssError,
)
from mossaic.protocol.limits import KIB, MAX_OBJECT_SIZE
from mossaic.quick import dataclass
from mossaic.service.intake import INLINE_UP_TO
from mossaic.service.reading import Reading
from mossaic.service.writing import received_manifest, write_blob

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mossaic.model.bucket import Bucket
    from mossaic.model.headers import Attributes
    from mossaic.model.names import ObjectKey
    from mossaic.model.object import Blob
    from mossaic.ports import BlobStore, Body, Clock, MetadataStore
    from mossaic.service.intake import Expected, Intake, Received

_SMALL: Final = 256 * KIB  # bytes; extents and appends below this are merged
_TRIES: Final = 3  # how often a lost race for the object's blobs is tried again


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendOrder:
    """`position` is the length the client believes the object has; `said` counts for the first append only."""

    position: int
    said: Attributes
    expected: Expected


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grown:
    """The content after an append: as in ObjectVersion. `new_blobs` were written for it."""

    manifest: Manifest
    inline: bytes | None
    new_blobs: tuple[Blob, ...]


def append_position(text: str | None) -> int:
    """`?position=`. Raises OssError: MISSING_ARGUMENT, INVALID_ARGUMENT (not a whole number of bytes)."""
    if text is None:
        raise OssError(MISSING_ARGUMENT, "The position of the append is required.", ArgumentName="position")
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise OssError(INVALID_ARGUMENT, ArgumentName="position", ArgumentValue=text[:64])
    return int(text)


class Appender:
    def __init__(self, *, metadata: MetadataStore, blobs: BlobStore, intake: Intake, clock: Clock) -> None:
        self._metadata = metadata
        self._blobs = blobs
        self._intake = intake
        self._clock = clock

    async def append(self, bucket: Bucket, key: ObjectKey, body: Body, order: AppendOrder) -> Stored:
        """Add a body to the end of an appendable object, or begin one at position 0. An empty one changes nothing.

        Raises OssError: OBJECT_NOT_APPENDABLE, POSITION_NOT_EQUAL_TO_LENGTH (with the right position in a header),
        ENTITY_TOO_LARGE (beyond 5 GiB in all), NO_SUCH_BUCKET, and those of `Intake.receive`; Busy.
        Crash: before the metadata step orphan blobs stay, which the sweeper finds; after it the append is durable.
        """
        current = await self._current(bucket, key, order.position)
        expected = replace(order.expected, max_size=max(MAX_OBJECT_SIZE - order.position, 0))
        received = await self._intake.receive(body, expected)
        if current is not None and received.size == 0:
            shown = None if bucket.versioning is Versioning.UNSET else current.version_id
            return Stored(version=current, version_id=shown)
        for _ in range(_TRIES):
            try:
                return await self._add(current, received, bucket=bucket, key=key, order=order)
            except (Conflict, Damaged):  # the object was changed under us: say how it is now
                try:
                    current = await self._current(bucket, key, order.position)
                except OssError:
                    await self._intake.discard(received)
                    raise
            except StoreError:
                await self._intake.discard(received)
                raise
        await self._intake.discard(received)
        raise Busy(key)

    async def _current(self, bucket: Bucket, key: ObjectKey, position: int) -> ObjectVersion | None:
        """The object to be extended; None when there is none. Raises OssError when it is not of length `position`."""
        found = await self._metadata.head(bucket.name, key)
        if found is None or found.is_delete_marker:
            found = None
        elif found.type is not ObjectType.APPENDABLE:
            raise OssError(OBJECT_NOT_APPENDABLE)
        size = found.size if found is not None else 0
        if size != position:
            # oss2 makes its PositionNotEqualToLength exception from this header
            headers = {"x-oss-next-append-position": str(size)}
            raise OssError(POSITION_NOT_EQUAL_TO_LENGTH, ec="0026-00000016", headers=headers)
        return found

    async def _add(
        self,
        current: ObjectVersion | None,
        received: Received,
        *,
        bucket: Bucket,
        key: ObjectKey,
        order: AppendOrder,
    ) -> Stored:
        grown = await self._grow(current, received)
        base = current or _beginning(bucket, key, order.said)
        version = replace(
            base,
            size=base.size + received.size,
            etag=secrets.token_hex(16).upper(),  # opaque, as the content's MD5 is not known
            crc64=crc64_combine(base.crc64, received.crc64, received.size),
            modified_at=self._clock.now(),
            manifest=grown.manifest,
            inline=grown.inline,
        )
        try:
            stored = await self._metadata.append_object(
                Commit(version=version, new_blobs=grown.new_blobs),
                position=order.position,
                etag=current.etag if current else None,
            )
        except StoreError as error:
            await asyncio.to_thread(self._drop, [blob for blob in grown.new_blobs if blob != received.blob])
            if isinstance(error, Absent):
                await self._intake.discard(received)
                raise OssError(NO_SUCH_BUCKET, BucketName=bucket.name) from None
            raise
        if received.blob is not None and received.blob not in grown.new_blobs:
            await self._intake.discard(received)
        return stored

    async def _grow(self, current: ObjectVersion | None, received: Received) -> _Grown:
        if current is None or current.size == 0:
            return _Grown(
                manifest=received_manifest(received), inline=received.inline, new_blobs=received.new_blobs
            )
        if current.inline is not None and received.inline is not None:
            inline = current.inline + received.inline
            if len(inline) <= INLINE_UP_TO:
                return _Grown(manifest=Manifest(), inline=inline, new_blobs=())
        kept, first = _kept(current, received)
        if received.blob is not None and first == current.size:
            manifest = Manifest.join((Manifest(kept), received_manifest(received)))
            return _Grown(manifest=manifest, inline=None, new_blobs=received.new_blobs)
        return await asyncio.to_thread(self._merge, current, received, kept, first)

    def _merge(
        self, current: ObjectVersion, received: Received, kept: tuple[Extent, ...], first: int
    ) -> _Grown:
        """The bytes from `first` on, and the new ones unless they are a big blob already, as one new blob. Blocks."""
        tail = Reading(blobs=self._blobs, version=current, start=first, stop=current.size).blocks()
        if received.blob is not None and received.size >= _SMALL:
            merged = self._write(tail)
            extents = (
                *kept,
                Extent(merged.blob_id, 0, merged.size),
                Extent(received.blob.blob_id, 0, received.size),
            )
            return _Grown(manifest=Manifest(extents), inline=None, new_blobs=(merged, received.blob))
        new = replace(
            current, manifest=received_manifest(received), inline=received.inline, size=received.size
        )
        added = Reading.whole(self._blobs, new).blocks()
        merged = self._write(block for blocks in (tail, added) for block in blocks)
        extents = (*kept, Extent(merged.blob_id, 0, merged.size))
        return _Grown(manifest=Manifest(extents), inline=None, new_blobs=(merged,))

    def _write(self, blocks: Iterable[bytes]) -> Blob:
        return write_blob(self._blobs, blocks, md5=self._intake.etags == "md5")

    def _drop(self, blobs: list[Blob]) -> None:
        """Blobs that no metadata names; should it fail, they are the sweeper's."""
        if blobs:
            self._blobs.delete([blob.blob_id for blob in blobs])


def _kept(current: ObjectVersion, received: Received) -> tuple[tuple[Extent, ...], int]:
    """The extents that stay as they are, and the offset from which the object's bytes are written anew."""
    if current.inline is not None:
        return (), 0
    extents = list(current.manifest.extents)
    first, following = current.size, received.size
    while extents and following < _SMALL and extents[-1].length <= following:
        last = extents.pop()
        first -= last.length
        following += last.length
    return tuple(extents), first


def _beginning(bucket: Bucket, key: ObjectKey, said: Attributes) -> ObjectVersion:
    return ObjectVersion(
        bucket=bucket.name,
        key=key,
        type=ObjectType.APPENDABLE,
        modified_at=bucket.created_at,  # replaced at once
        headers=said.headers,
        tags=said.tags,
        acl=said.acl,
        storage_class=said.storage_class,
    )
