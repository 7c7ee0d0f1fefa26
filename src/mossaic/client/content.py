"""What a put or an append sends: any source as the body of a request, made afresh for each attempt and checked on its way."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from mossaic.client.errors import ChecksumMismatch, NetworkError
from mossaic.client.http.scope import current_scope
from mossaic.client.upload.source import CHUNK, BytesSource, Stream, open_source
from mossaic.protocol.checksum import crc64, crc64_combine
from mossaic.protocol.limits import MIB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType
    from typing import Self

    from mossaic.client.exchange import Ask
    from mossaic.client.http import Scope
    from mossaic.client.options import Checksum, Retrying
    from mossaic.client.upload.source import SourceLike
    from mossaic.client.upload.throttle import Throttle

_KEPT: Final = MIB  # bytes of a stream that are remembered: until then another attempt can begin again


class Outgoing:
    """One attempt to send the content. `size`, `crc64` and `md5` are those of the bytes that were sent so far."""

    def __init__(
        self,
        chunks: Iterator[bytes | memoryview],
        length: int | None,
        *,
        checksum: Checksum,
        take: Callable[[int], None],
    ) -> None:
        self._chunks = chunks
        self._take = take
        self._checks = checksum != "none"
        self._digest = hashlib.md5(usedforsecurity=False) if checksum == "crc64+md5" else None
        self.length = length
        self.size = 0
        self.crc64 = 0

    def chunks(self) -> Iterator[bytes | memoryview]:
        for chunk in self._chunks:
            if self._checks:
                self.crc64 = crc64(chunk, self.crc64)
            if self._digest is not None:
                self._digest.update(chunk)
            self._take(len(chunk))
            self.size += len(chunk)
            yield chunk

    @property
    def md5(self) -> str | None:
        """Base64, as Content-MD5 has it; None when it was not asked for."""
        return None if self._digest is None else b64encode(self._digest.digest()).decode("ascii")


class Content:
    """A source and the attempts to send it. A file or bytes can be sent again; a stream only while no more than 1 MiB of it is gone.

    Raises OSError, TypeError, ValueError for what is no source (see `open_source`).
    """

    def __init__(
        self, data: SourceLike, *, checksum: Checksum, throttle: Throttle, scope: Scope | None = None
    ) -> None:
        self._source = open_source(data)
        self._checksum: Checksum = checksum
        self._throttle = throttle
        self._scope = scope or current_scope.get()
        self._kept: list[bytes] | None = []
        self._last: Outgoing | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._source.close()

    def body(self) -> Outgoing:
        """For another attempt. Raises NetworkError when the stream cannot be begun again."""
        if self._kept is None:
            raise NetworkError("the connection broke, and the data cannot be read a second time", sent=True)
        if isinstance(self._source, Stream):
            chunks, length = self._streamed(self._source), None
        else:
            length = self._source.size
            chunks = self._source.chunks(0, length, self._throttle.chunk)
        self._last = Outgoing(
            chunks,
            length,
            checksum=self._checksum,
            take=lambda count: self._throttle.take(count, self._scope),
        )
        return self._last

    def _streamed(self, stream: Stream) -> Iterator[bytes | memoryview]:
        kept = self._kept
        assert kept is not None
        yield from tuple(kept)
        size = sum(map(len, kept))
        while chunk := stream.next(self._throttle.chunk(CHUNK)):
            size += len(chunk)
            if size > _KEPT:
                self._kept = None
            else:
                kept.append(bytes(chunk))
            yield chunk

    def guarded(self, ask: Ask) -> Ask:
        """`ask` with retries that end, with the error that would have led to one, once a stream is under way."""
        further = ask.on_retry

        def check(retrying: Retrying) -> None:
            if self._kept is None:
                raise retrying.error
            if further is not None:
                further(retrying)

        return replace(ask, on_retry=check)

    def headers(self) -> dict[str, str]:
        """Checksums that can be told beforehand: with them the server refuses what arrives changed, before anybody sees it."""
        if self._checksum == "none" or not isinstance(self._source, BytesSource):
            return {}
        told = {"x-oss-hash-crc64ecma": str(_crc64_of(self._source.chunks(0, self._source.size, _as_many)))}
        if self._checksum == "crc64+md5":
            digest = hashlib.md5(usedforsecurity=False)
            for chunk in self._source.chunks(0, self._source.size, _as_many):
                digest.update(chunk)
            told["content-md5"] = b64encode(digest.digest()).decode("ascii")
        return told

    def equals(self, stored: Iterable[bytes]) -> bool:
        """Whether `stored` has the bytes that the last attempt sent, by their CRC-64."""
        return _crc64_of(stored) == self.crc64

    @property
    def size(self) -> int:
        """Bytes that the last attempt sent."""
        return 0 if self._last is None else self._last.size

    @property
    def crc64(self) -> int | None:
        """That of the bytes that the last attempt sent; None with checks off."""
        return None if self._checksum == "none" or self._last is None else self._last.crc64

    def compare(self, crc: int | None, md5: str | None = None) -> None:
        """What the server says it has, with what was sent. Raises ChecksumMismatch."""
        last = self._last
        if last is None or self._checksum == "none":
            return
        _same("CRC-64", crc, last.crc64)
        _same("MD5", md5, last.md5)

    def compare_whole(self, crc: int | None, before: int) -> None:
        """The same where the bytes were added to an object whose CRC-64 had been `before`. Raises ChecksumMismatch."""
        if self.crc64 is not None:
            _same("CRC-64", crc, crc64_combine(before, self.crc64, self.size))


def _same(what: str, theirs: int | str | None, ours: int | str | None) -> None:
    if theirs is not None and ours is not None and theirs != ours:
        raise ChecksumMismatch(f"the server's {what} is {theirs}, that of the bytes sent {ours}")


def _crc64_of(chunks: Iterable[bytes | memoryview]) -> int:
    value = 0
    for chunk in chunks:
        value = crc64(chunk, value)
    return value


def _as_many(most: int) -> int:
    return most
