"""One pass over a request's body: counted, hashed, checked and made durable before anything names it."""

from __future__ import annotations

import asyncio
import base64
import binascii
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

from mossaic.model.names import new_blob_id
from mossaic.model.object import Blob
from mossaic.ports import StoreError
from mossaic.protocol.checksum import Sums, crc64, crc64_etag, md5_hex
from mossaic.protocol.errors import (
    ENTITY_TOO_LARGE,
    INCOMPLETE_BODY,
    INVALID_CRC64,
    INVALID_DIGEST,
    MISSING_CONTENT_LENGTH,
    OssError,
)
from mossaic.protocol.limits import KIB, MAX_OBJECT_SIZE, MIB
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from mossaic.ports import BlobStore, Body, BodyReader
    from mossaic.protocol.checksum import EtagKind

INLINE_UP_TO: Final = 16 * KIB  # bytes; smaller contents lie beside the metadata, not in a blob
# One buffer a body, which bounds its memory. Rounds of half the size cost 7 % more CPU time, for what each round needs of the
# interpreter is no longer in the caches; those of the double let small requests wait longer.
_BUFFER_SIZE: Final = MIB
_KEPT_BUFFERS: Final = 8  # for the next bodies
_WORTH_HASHING: Final = 128 * KIB  # bytes to gather before a round of hashing and writing


class BodyHeaders(Protocol):
    """The fields by which an input shape describes the body that comes with it, as header text."""

    @property
    def content_length(self) -> str | None: ...
    @property
    def transfer_encoding(self) -> str | None: ...
    @property
    def content_md5(self) -> str | None: ...
    @property
    def crc64(self) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a body has to be. `content_md5` (base64) and `crc64` (decimal) are header text, not yet looked at;
    `max_size` is in bytes. `watch` is told the size so far, again and again and in whatever thread, and raises OssError
    to stop."""

    content_md5: str | None = None
    crc64: str | None = None
    max_size: int = MAX_OBJECT_SIZE
    watch: Callable[[int], None] | None = None

    @classmethod
    def by(cls, asked: BodyHeaders, *, max_size: int = MAX_OBJECT_SIZE) -> Expected:
        """From a shape's headers. Raises OssError MISSING_CONTENT_LENGTH when they do not say where the body ends."""
        if asked.content_length is None and asked.transfer_encoding is None:
            raise OssError(MISSING_CONTENT_LENGTH)
        return cls(content_md5=asked.content_md5, crc64=asked.crc64, max_size=max_size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A body that arrived whole. size in bytes, `etag` as its part or object has it, md5 upper-case hex or None where it was
    not made; exactly one of `blob` (durable) and `inline` is set, an empty body is `inline=b""`."""

    size: int
    etag: str
    md5: str | None
    crc64: int
    blob: Blob | None = None
    inline: bytes | None = None

    @property
    def new_blobs(self) -> tuple[Blob, ...]:
        return () if self.blob is None else (self.blob,)


class Intake:
    """Receives bodies into a blob store. Contents of up to `inline_up_to` bytes are given back instead of stored. With `etags`
    "crc64" an MD5 is made only of a body that comes with Content-MD5."""

    def __init__(
        self, blobs: BlobStore, *, inline_up_to: int = INLINE_UP_TO, etags: EtagKind = "md5"
    ) -> None:
        self.etags: Final = etags
        self._blobs = blobs
        self._inline_up_to = inline_up_to

    async def receive(self, body: Body, expected: Expected, *, inline_up_to: int = INLINE_UP_TO) -> Received:
        """Read the whole body; up to `inline_up_to` bytes are given back, more become a durable blob.

        Raises OssError: ENTITY_TOO_LARGE (before a byte is read where the length is known), INVALID_DIGEST,
        INVALID_CRC64, INCOMPLETE_BODY, REQUEST_TIMEOUT. StoreError and OSError of the blob store pass through.
        Crash: an unfinished or unnamed blob stays, which the sweeper finds.
        """
        length = body.length
        if length is not None:
            _check_size(length, expected)
        digest = _binary_md5(expected.content_md5)
        if length is not None and length <= inline_up_to:
            received = _of_bytes(await body.read(length), digest, self.etags)
            _check(received, expected, digest=digest, length=length)
            return received
        passing = _Passing(
            blobs=self._blobs, expected=expected, digest=digest, length=length, etags=self.etags
        )
        return await body.consume(lambda reader: passing.run(reader, inline_up_to))

    def take(self, reader: BodyReader, expected: Expected) -> Received:
        """As `receive`, for bytes of unknown length inside a body that the caller reads already (a form's file). Blocks."""
        digest = _binary_md5(expected.content_md5)
        passing = _Passing(blobs=self._blobs, expected=expected, digest=digest, length=None, etags=self.etags)
        return passing.run(reader, self._inline_up_to)

    async def discard(self, received: Received) -> None:
        """Delete the blob of a body that the metadata store refused (and therefore does not name). Never raises:
        what stays is an orphan, and the sweeper's work."""
        if received.blob is None:
            return
        with suppress(StoreError, OSError):
            await asyncio.to_thread(self._blobs.delete, [received.blob.blob_id])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Passing:
    """A body on its way from the connection to a blob; lives in one worker thread."""

    blobs: BlobStore
    expected: Expected
    digest: bytes | None
    length: int | None
    etags: EtagKind

    def run(self, reader: BodyReader, inline_up_to: int) -> Received:
        buffer = _take_buffer()
        try:
            return self._run(reader, buffer, inline_up_to)
        finally:
            _give_buffer(buffer)

    def _run(self, reader: BodyReader, buffer: memoryview, inline_up_to: int) -> Received:
        filled = _gather(reader, buffer, max(_WORTH_HASHING, inline_up_to + 1))
        if filled <= inline_up_to:  # the length was unknown, and it was short
            _check_size(filled, self.expected)
            received = _of_bytes(bytes(buffer[:filled]), self.digest, self.etags)
            _check(received, self.expected, digest=self.digest, length=self.length)
            return received
        return self._write(reader, buffer, filled)

    def _write(self, reader: BodyReader, buffer: memoryview, filled: int) -> Received:
        """Write and hash `filled` bytes of the buffer and all that follow; commit when everything is as expected."""
        blob_id = new_blob_id()
        sums = Sums(md5=_makes_md5(self.digest, self.etags))
        sink = self.blobs.create(blob_id, self.length)
        try:
            while filled:
                _check_size(sums.size + filled, self.expected)
                piece = buffer[:filled]
                sink.write(piece)  # first, so that the disk works while the piece is hashed
                sums.add(piece)
                filled = _gather(reader, buffer, _WORTH_HASHING)
            size, md5, crc = sums.size, sums.md5, sums.crc64
            blob = Blob(blob_id=blob_id, size=size, md5=md5, crc64=crc)
            etag = _etag(md5, crc, size, self.etags)
            received = Received(size=size, etag=etag, md5=md5, crc64=crc, blob=blob)
            _check(received, self.expected, digest=self.digest, length=self.length)
            sink.commit()
        except BaseException:  # whatever stops it, nothing half done may stay
            sink.discard()
            raise
        return received


_buffers: Final[list[memoryview]] = []


def _take_buffer() -> memoryview:
    """The one that was used last, for it is in the caches. Any thread, as `_give_buffer`: a list's end is one step of the interpreter."""
    try:
        return _buffers.pop()
    except IndexError:
        return memoryview(bytearray(_BUFFER_SIZE))


def _give_buffer(buffer: memoryview) -> None:
    if len(_buffers) < _KEPT_BUFFERS:
        _buffers.append(buffer)


def _gather(reader: BodyReader, buffer: memoryview, enough: int) -> int:
    """Read until `enough` bytes are there or the body ends; the number of bytes. Small pieces are not worth a round."""
    filled = 0
    while filled < enough:
        count = reader.readinto(buffer[filled:])
        if count == 0:
            break
        filled += count
    return filled


def _check_size(size: int, expected: Expected) -> None:
    if expected.watch is not None:
        expected.watch(size)
    if size > expected.max_size:
        raise OssError(ENTITY_TOO_LARGE, MaxSizeAllowed=expected.max_size, ProposedSize=size)


def _makes_md5(digest: bytes | None, etags: EtagKind) -> bool:
    return etags == "md5" or digest is not None


def _etag(md5: str | None, crc: int, size: int, etags: EtagKind) -> str:
    """Of one form for all bodies: a client that sends Content-MD5 gets no other ETag for it."""
    return crc64_etag(crc, size) if md5 is None or etags == "crc64" else md5


def _of_bytes(content: bytes, digest: bytes | None, etags: EtagKind) -> Received:
    md5 = md5_hex(content) if _makes_md5(digest, etags) else None
    crc, size = crc64(content), len(content)
    return Received(size=size, etag=_etag(md5, crc, size, etags), md5=md5, crc64=crc, inline=content)


def _binary_md5(content_md5: str | None) -> bytes | None:
    """The 16 bytes that a Content-MD5 stands for. Raises OssError INVALID_DIGEST."""
    if content_md5 is None:
        return None
    try:
        digest = base64.b64decode(content_md5.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise OssError(INVALID_DIGEST) from None
    if len(digest) != 16:
        raise OssError(INVALID_DIGEST)
    return digest


def _check(received: Received, expected: Expected, *, digest: bytes | None, length: int | None) -> None:
    if length is not None and received.size != length:
        raise OssError(INCOMPLETE_BODY)
    if digest is not None and (received.md5 is None or bytes.fromhex(received.md5) != digest):
        raise OssError(INVALID_DIGEST)
    if expected.crc64 is not None and expected.crc64.strip() != str(received.crc64):
        raise OssError(INVALID_CRC64)
