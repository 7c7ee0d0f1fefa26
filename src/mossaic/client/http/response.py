"""The answer to a request, whose body is read by whoever asked; then the connection goes back to the pool."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol, Self

from mossaic.client.errors import NetworkError
from mossaic.client.http.framing import Chunked, Nothing, Sized, UntilClose

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from mossaic.client.http.connection import Connection
    from mossaic.client.http.framing import Framing
    from mossaic.client.http.head import Answer

_DRAINED: Final = 64 * 1024  # bytes of an unwanted body that are rather read than a connection lost
_PIECE: Final = 64 * 1024  # bytes read at a time when the length is unknown


class Home(Protocol):
    """Takes a connection back that is free for another request."""

    def give_back(self, connection: Connection) -> None: ...


class Response:
    """Status and headers are there; the body is read with `read` or `readinto`, by one thread at a time.

    `headers` have lower-case names; repeated ones are joined with ", "; values are decoded as Latin-1. `length` is the body's
    size in bytes, None when only its end will tell. One that is not read to the end is to be closed, best by `with`.
    """

    __slots__ = ("_connection", "_framing", "_home", "_keep", "headers", "length", "reason", "status")

    def __init__(self, answer: Answer, connection: Connection, home: Home) -> None:
        self._connection: Connection | None = connection
        self._home = home
        self._keep = answer.keep_alive and connection.complete
        self.status: int = answer.status
        self.reason: str = answer.reason
        self.headers: Mapping[str, str] = answer.headers
        self.length: int | None = answer.length
        self._framing = _framing(answer, connection)
        if self._framing.done:
            self._finish()

    def read(self, limit: int = 64 << 20) -> bytes:
        """The rest of the body, at most `limit` bytes.

        Raises NetworkError (cut, or longer than the limit), ConnectionTimeoutError, DeadlineExceeded, Cancelled.
        """
        left = self._framing.left
        if left is None:
            return self._read_to_end(limit)
        self._check_limit(left, limit)
        data = bytearray(left)
        view = memoryview(data)
        while view:
            view = view[self.readinto(view) :]
        return bytes(data)

    def readinto(self, buffer: memoryview) -> int:
        """Receive into `buffer`; how many bytes, 0 at the end. A buffer that is not empty gets at least one before the end.

        Raises NetworkError (cut before its end), ConnectionTimeoutError, DeadlineExceeded, Cancelled; the connection is
        closed then.
        """
        if self._connection is None and not self._framing.done:
            raise ValueError("the response is closed")
        try:
            count = self._framing.readinto(buffer)
        except BaseException:
            self.close()
            raise
        if self._framing.done:
            self._finish()
        return count

    def discard(self) -> None:
        """The body is not wanted: read it if little is left, so that the connection can be kept; or close."""
        left = self._framing.left
        if self._connection is None or (left is not None and left > _DRAINED):
            self.close()
            return
        buffer = memoryview(bytearray(_DRAINED))
        room = _DRAINED
        with suppress(NetworkError):  # it is not wanted, so it does not matter
            while room and (count := self.readinto(buffer[:room])):
                room -= count
        self.close()

    def close(self) -> None:
        """Done with it. The connection is closed unless the body was read to its end."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_connection", None) is not None:
            self.close()

    def _finish(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._keep and not connection.inbox:  # bytes after the body are nobody's answer
            connection.end()
            self._home.give_back(connection)
        else:
            connection.close()

    def _read_to_end(self, limit: int) -> bytes:
        pieces: list[bytes] = []
        size = 0
        buffer = memoryview(bytearray(_PIECE))
        while count := self.readinto(buffer):
            size += count
            self._check_limit(size, limit)
            pieces.append(bytes(buffer[:count]))
        return b"".join(pieces)

    def _check_limit(self, size: int, limit: int) -> None:
        connection = self._connection
        if size > limit and connection is not None:
            self.close()
            raise connection.failure(f"gave an answer of more than {limit} bytes")


def _framing(answer: Answer, connection: Connection) -> Framing:
    if answer.chunked:
        return Chunked(connection)
    if answer.length is None:
        return UntilClose(connection)
    return Sized(connection, answer.length) if answer.length else Nothing()
