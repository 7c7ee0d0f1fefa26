"""Verifies that every object and part reads back as it was stored, and lists bytes that nothing refers to.

Each stored byte is read once: blobs are compared with their own size, CRC-64 and, where it was made, MD5, and objects and
parts with what follows from those of their blobs. A damaged blob is named first, then every object and part that holds it.
Only content that is cut out of blobs, and MD5 over several blobs, is read again.
Changes nothing; may run beside a server, where what is deleted meanwhile is no problem. Memory does not grow with the store.
"""

from __future__ import annotations

import asyncio
from dataclasses import field
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

from mossaic.model.object import ObjectType
from mossaic.model.page import ListQuery
from mossaic.ports import Absent, Damaged
from mossaic.protocol.checksum import Sums, crc64, crc64_join, md5_hex, md5_of_part
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence

    from mossaic.model.bucket import Bucket
    from mossaic.model.manifest import Extent, Manifest
    from mossaic.model.names import BlobId
    from mossaic.model.object import Blob, ObjectVersion
    from mossaic.model.page import Page
    from mossaic.model.upload import Part, Upload
    from mossaic.ports import BlobStore, MetadataStore

T = TypeVar("T")

_PAGE: Final = 1_000
_BATCH: Final = 200  # blobs verified in one call of a thread
_PIECE: Final = 1024 * 1024  # bytes read at a time
_MAX_DAMAGED: Final = 100_000  # damaged blobs that are remembered, so that what holds them can be named
MAX_LISTED: Final = 1_000  # problems and unreferenced blobs that the report names; all are counted


@dataclass(slots=True)
class FsckReport:
    """Counts, and the first MAX_LISTED problems in words. Sizes in bytes.

    `unreferenced`: blobs of which the metadata knows nothing: left by a crash, or being written just now. `garbage`:
    blobs that wait for the sweeper.
    """

    blobs: int = 0
    versions: int = 0
    parts: int = 0
    bytes_read: int = 0
    problem_count: int = 0
    problems: list[str] = field(default_factory=list[str])
    unreferenced_count: int = 0
    unreferenced_bytes: int = 0
    unreferenced: list[str] = field(default_factory=list[str])
    garbage_count: int = 0
    garbage_bytes: int = 0

    @property
    def sound(self) -> bool:
        return self.problem_count == 0

    def found(self, problem: str) -> None:
        self.problem_count += 1
        if len(self.problems) < MAX_LISTED:
            self.problems.append(problem)

    def found_unreferenced(self, blob_id: str, size: int) -> None:
        self.unreferenced_count += 1
        self.unreferenced_bytes += size
        if len(self.unreferenced) < MAX_LISTED:
            self.unreferenced.append(blob_id)

    def lines(self) -> Iterator[str]:
        """The report for people."""
        yield from self.problems
        if self.problem_count > len(self.problems):
            yield f"... and {self.problem_count - len(self.problems)} more problems"
        yield from (f"unreferenced: {blob_id}" for blob_id in self.unreferenced)
        yield f"{self.versions} object versions, {self.parts} parts, {self.blobs} blobs; {self.bytes_read} bytes read"
        yield f"{self.garbage_count} blobs ({self.garbage_bytes} bytes) wait for the sweeper"
        yield f"{self.unreferenced_count} blobs ({self.unreferenced_bytes} bytes) are unreferenced"
        yield "sound" if self.sound else f"{self.problem_count} problem{'s' * (self.problem_count > 1)}"


async def fsck(metadata: MetadataStore, blobs: BlobStore, *, read_bytes: bool) -> FsckReport:
    """`read_bytes`: read and compare all content; without, only that it is there and has its size."""
    run = _Run(metadata, blobs, read_bytes=read_bytes)
    for problem in await metadata.check():
        run.report.found(problem)
    await run.verify_blobs()
    async for bucket in _buckets(metadata):
        await run.verify_versions(bucket)
        await run.verify_parts(bucket)
    await run.find_unreferenced()
    return run.report


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    """What a version or part says of its bytes. `md5` is None where it is not known."""

    name: str
    manifest: Manifest
    size: int
    crc64: int
    md5: str | None


class _Run:
    def __init__(self, metadata: MetadataStore, blobs: BlobStore, *, read_bytes: bool) -> None:
        self._metadata = metadata
        self._blobs = blobs
        self._read_bytes = read_bytes
        self._damaged: set[BlobId] = set()
        self.report = FsckReport()

    async def verify_blobs(self) -> None:
        after = ""
        while page := await self._metadata.blobs(after=after, limit=_BATCH):
            after = page[-1][0].blob_id
            for blob, refs in page:
                if refs == 0:
                    self.report.garbage_count += 1
                    self.report.garbage_bytes += blob.size
            held = [blob for blob, refs in page if refs]
            self.report.blobs += len(held)
            for blob, problem in await asyncio.to_thread(self._verify_each, held):
                if await self._is_referenced(blob.blob_id):  # else it was deleted meanwhile
                    self.report.found(problem)
                    if len(self._damaged) < _MAX_DAMAGED:
                        self._damaged.add(blob.blob_id)

    async def verify_versions(self, bucket: Bucket) -> None:
        async for listed in _pages(self._metadata.list_versions, ListQuery(bucket=bucket.name, limit=_PAGE)):
            if listed.type in {ObjectType.DELETE_MARKER, ObjectType.SYMLINK}:
                continue
            version = await self._metadata.head(bucket.name, listed.key, listed.version_id)
            if version is not None:
                self.report.versions += 1
                await self._verify_version(version)

    async def verify_parts(self, bucket: Bucket) -> None:
        async for upload in _pages(self._metadata.list_uploads, ListQuery(bucket=bucket.name, limit=_PAGE)):
            for part in await self._metadata.all_parts(upload.upload_id):
                self.report.parts += 1
                await self._verify_content(_of_part(upload, part))

    async def find_unreferenced(self) -> None:
        listing = self._blobs.list(before=datetime.now(UTC))
        while batch := await asyncio.to_thread(_take, listing, _BATCH):
            sizes = dict(batch)
            for blob_id in await self._metadata.unknown(list(sizes)):
                self.report.found_unreferenced(blob_id, sizes[blob_id])

    async def _verify_version(self, version: ObjectVersion) -> None:
        name = f"{version.bucket}/{version.key} ({version.version_id})"
        inline = version.inline
        if inline is None:
            content = _Content(
                name=name, manifest=version.manifest, size=version.size, crc64=version.crc64, md5=version.md5
            )
            await self._verify_content(content)
        elif len(inline) != version.size:
            self.report.found(f"{name}: {len(inline)} bytes, not {version.size}")
        elif crc64(inline) != version.crc64 or version.md5 not in {None, md5_hex(inline)}:
            self.report.found(f"{name}: its bytes are not those that were written")

    async def _verify_content(self, content: _Content) -> None:
        manifest = content.manifest
        if manifest.size != content.size:
            self.report.found(f"{content.name}: {manifest.size} bytes, not {content.size}")
            return
        if self._damaged and (hurt := _hurt(manifest, self._damaged)):
            self.report.found(f"{content.name}: {hurt}")
            return
        known = await self._known(manifest)
        pieces = [_whole(extent, known) for extent in manifest.extents]
        whole = [piece for piece in pieces if piece is not None]
        is_whole = len(whole) == len(pieces)
        md5 = _md5_of(whole)
        if is_whole and (content.md5 is None or md5 is not None):
            crc = crc64_join([(blob.crc64, blob.size) for blob in whole])
        elif self._read_bytes:
            try:
                sums = await asyncio.to_thread(self._sums, manifest, md5=content.md5 is not None)
            except (Damaged, OSError) as error:
                if await self._is_referenced(manifest.extents[0].blob_id):
                    self.report.found(f"{content.name}: {error}")
                return
            crc, md5 = sums.crc64, sums.md5
        else:
            return
        if crc != content.crc64 or content.md5 not in {None, md5}:
            self.report.found(f"{content.name}: its bytes are not those that were written")

    async def _known(self, manifest: Manifest) -> dict[BlobId, Blob]:
        ids = [extent.blob_id for extent in manifest.extents]
        return {blob.blob_id: blob for blob in await self._metadata.known_blobs(ids)}

    async def _is_referenced(self, blob_id: BlobId) -> bool:
        before = f"{int(blob_id, 16) - 1:032x}" if int(blob_id, 16) else ""
        page = await self._metadata.blobs(after=before, limit=1)
        return bool(page) and page[0][0].blob_id == blob_id and page[0][1] > 0

    # --- in a thread -------------------------------------------------------------------------------------------------

    def _verify_each(self, blobs: Sequence[Blob]) -> list[tuple[Blob, str]]:
        problems: list[tuple[Blob, str]] = []
        for blob in blobs:
            try:
                self._verify_blob(blob)
            except Damaged as error:
                problems.append((blob, str(error)))
            except OSError as error:
                problems.append((blob, f"blob {blob.blob_id}: {error}"))
        return problems

    def _verify_blob(self, blob: Blob) -> None:
        """Raises Damaged, OSError."""
        with self._blobs.open(blob.blob_id) as source:
            if blob.size:
                source.read(blob.size - 1, 1)
            try:
                source.read(blob.size, 1)
            except Damaged:
                pass  # it ends where it should
            else:
                raise Damaged(f"blob {blob.blob_id} is longer than {blob.size} bytes")
            if not self._read_bytes:
                return
            sums = Sums(md5=blob.md5 is not None)
            for offset in range(0, blob.size, _PIECE):
                sums.add(source.read(offset, min(_PIECE, blob.size - offset)))
        self.report.bytes_read += blob.size
        if (sums.md5, sums.crc64) != (blob.md5, blob.crc64):
            raise Damaged(f"blob {blob.blob_id}: its bytes are not those that were written")

    def _sums(self, manifest: Manifest, *, md5: bool) -> Sums:
        """CRC-64 of the content and, where it is wanted, its MD5. Raises Damaged, OSError."""
        sums = Sums(md5=md5)
        for extent in manifest.extents:
            with self._blobs.open(extent.blob_id) as source:
                for offset in range(0, extent.length, _PIECE):
                    sums.add(source.read(extent.offset + offset, min(_PIECE, extent.length - offset)))
        self.report.bytes_read += manifest.size
        return sums


def _of_part(upload: Upload, part: Part) -> _Content:
    name = f"upload {upload.upload_id} of {upload.bucket}/{upload.key}, part {part.number}"
    return _Content(
        name=name, manifest=part.manifest, size=part.size, crc64=part.crc64, md5=md5_of_part(part.etag)
    )


def _hurt(manifest: Manifest, damaged: set[BlobId]) -> str:
    """What a content lost with these blobs, in words; "" when it holds none of them."""
    ends = zip(manifest.extents, manifest.ends, strict=True)
    hurt = [
        (end - extent.length, end - 1, extent.blob_id) for extent, end in ends if extent.blob_id in damaged
    ]
    if not hurt:
        return ""
    first, last, blob_id = hurt[0]
    more = f", and {len(hurt) - 1} more pieces" if len(hurt) > 1 else ""
    return f"bytes {first}-{last} are damaged (blob {blob_id}){more}"


def _whole(extent: Extent, known: dict[BlobId, Blob]) -> Blob | None:
    """The blob of an extent that is all of it."""
    blob = known.get(extent.blob_id)
    return blob if blob is not None and (extent.offset, extent.length) == (0, blob.size) else None


def _md5_of(blobs: Sequence[Blob]) -> str | None:
    """The MD5 of the content of these blobs, where it is known without reading."""
    if not blobs:
        return md5_hex(b"")
    return blobs[0].md5 if len(blobs) == 1 else None


def _take(listing: Iterator[tuple[BlobId, int]], count: int) -> list[tuple[BlobId, int]]:
    return list(islice(listing, count))


async def _buckets(metadata: MetadataStore) -> AsyncIterator[Bucket]:
    after = ""
    while True:
        page = await metadata.buckets(prefix="", after=after, limit=_PAGE)
        for bucket in page.items:
            yield bucket
        if not page.truncated:
            return
        after = page.next_key


async def _pages(listing: Callable[[ListQuery], Awaitable[Page[T]]], query: ListQuery) -> AsyncIterator[T]:
    """All items of a listing; none when its bucket was deleted meanwhile."""
    after_key = after_id = ""
    while True:
        try:
            page = await listing(
                ListQuery(bucket=query.bucket, after_key=after_key, after_id=after_id, limit=query.limit)
            )
        except Absent:
            return
        for item in page.items:
            yield item
        if not page.truncated:
            return
        after_key, after_id = page.next_key, page.next_id
