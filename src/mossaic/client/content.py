"""What a put or an append sends: any source as the body of a request, made afresh for each attempt and checked on its way."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

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


class Sums(NamedTuple):
    """Of the whole content. `md5` is base64, as in Content-MD5; None: not asked for."""

    size: int
    crc64: int | None
    md5: str | None


class Summing:
    """Adds up what passes."""

    def __init__(self, checksum: Checksum) -> None:
        self._checks = checksum != "none"
        self._digest = hashlib.md5(usedforsecurity=False) if checksum == "crc64+md5" else None
        self._crc64 = 0
        self.size = 0

    def add(self, chunk: bytes | memoryview) -> None:
        if self._checks:
            self._crc64 = crc64(chunk, self._crc64)
        if self._digest is not None:
            self._digest.update(chunk)
        self.size += len(chunk)

    def sums(self) -> Sums:
        md5 = None if self._digest is None else b64encode(self._digest.digest()).decode("ascii")
        return Sums(self.size, self._crc64 if self._checks else None, md5)


class Outgoing:
    """The body of one attempt. `done` hears the sums once all chunks were given out."""

    def __init__(
        self,
        chunks: Iterator[bytes | memoryview],
        length: int | None,
        *,
        summing: Summing,
        take: Callable[[int], None],
        done: Callable[[Sums], None],
    ) -> None:
        self.length = length
        self._chunks = chunks
        self._summing = summing
        self._take = take
        self._done = done
        if length == 0:  # such a body is never asked for its chunks
            done(summing.sums())

    def chunks(self) -> Iterator[bytes | memoryview]:
        for chunk in self._chunks:
            self._summing.add(chunk)
            self._take(len(chunk))
            if self._summing.size == self.length:  # nobody asks for more
                self._done(self._summing.sums())
            yield chunk
        if self.length is None:
            self._done(self._summing.sums())


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
        self._kept: list[bytes] | None = []  # None: too much of a stream is gone
        self._known = self._sum_up(self._source) if isinstance(self._source, BytesSource) else None
        self._sent: Sums | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._source.close()

    def _sum_up(self, source: BytesSource) -> Sums:
        summing = Summing(self._checksum)
        for chunk in source.chunks(0, source.size, _as_many):
            summing.add(chunk)
        return summing.sums()

    # --- sending ------------------------------------------------------------------------------------------------------

    def body(self) -> Outgoing:
        """For another attempt. Raises NetworkError when the stream cannot be begun again."""
        if self._kept is None:
            raise NetworkError("the connection broke, and the data cannot be read a second time", sent=True)
        if isinstance(self._source, Stream):
            chunks, length = self._streamed(self._source), None
        else:
            length = self._source.size
            chunks = self._source.chunks(0, length, self._throttle.chunk)
        return Outgoing(
            chunks,
            length,
            summing=Summing("none" if self._known is not None else self._checksum),
            take=lambda count: self._throttle.take(count, self._scope),
            done=self._was_given_out,
        )

    def _was_given_out(self, sums: Sums) -> None:
        self._sent = self._known or sums

    def _streamed(self, stream: Stream) -> Iterator[bytes | memoryview]:
        kept = self._kept
        assert kept is not None
        yield from tuple(kept)
        size = sum(map(len, kept))
        while chunk := self._next(stream):
            size += len(chunk)
            if size > _KEPT:
                self._kept = None
            else:
                kept.append(bytes(chunk))
            yield chunk

    def _next(self, stream: Stream) -> memoryview:
        """A stream that failed would look ended to another attempt, which would store a part of it as the whole."""
        try:
            return stream.next(self._throttle.chunk(CHUNK))
        except BaseException:
            self._kept = None
            raise

    def guarded(self, ask: Ask) -> Ask:
        """`ask` with retries that end, with the error that would have led to one, once a stream is under way."""
        further = ask.on_retry

        def check(retrying: Retrying) -> None:
            if self._kept is None:
                raise retrying.error
            if further is not None:
                further(retrying)

        return replace(ask, on_retry=check)

    # --- checking -----------------------------------------------------------------------------------------------------

    def headers(self) -> dict[str, str]:
        """Checksums that can be told beforehand: with them the server refuses what arrives changed, before anybody sees it."""
        known = self._known
        if known is None or known.crc64 is None:
            return {}
        told = {"x-oss-hash-crc64ecma": str(known.crc64)}
        return told if known.md5 is None else told | {"content-md5": known.md5}

    @property
    def sums(self) -> Sums:
        """Of the content. Raises ChecksumMismatch when it was never given out whole: nobody can have it."""
        if self._sent is None:
            raise ChecksumMismatch("the server answered before it had been sent everything")
        return self._sent

    @property
    def was_sent(self) -> bool:
        """Whether some attempt gave out the content whole."""
        return self._sent is not None

    def equals(self, stored: Iterable[bytes]) -> bool:
        """Whether `stored` is the content, by its CRC-64."""
        value = 0
        for chunk in stored:
            value = crc64(chunk, value)
        return self.sums.crc64 == value

    def compare(self, crc: int | None, md5: str | None = None) -> None:
        """What the server says it has, with what was sent. Raises ChecksumMismatch."""
        _same("CRC-64", crc, self.sums.crc64)
        _same("MD5", md5, self.sums.md5)

    def compare_whole(self, crc: int | None, before: int) -> None:
        """The same where the bytes were added to an object whose CRC-64 had been `before`. Raises ChecksumMismatch."""
        size, ours, _ = self.sums
        if ours is not None:
            _same("CRC-64", crc, crc64_combine(before, ours, size))


def _same(what: str, theirs: int | str | None, ours: int | str | None) -> None:
    if theirs is not None and ours is not None and theirs != ours:
        raise ChecksumMismatch(f"the server's {what} is {theirs}, that of the bytes sent {ours}")


def _as_many(most: int) -> int:
    return most
