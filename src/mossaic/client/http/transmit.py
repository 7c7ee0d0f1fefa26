"""Sends one request over a connection and waits for the head of its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mossaic.client.http.connection import Connection
    from mossaic.client.http.head import Answer
    from mossaic.client.http.line import Chunk

_JOINED: Final = 16 * 1024  # bytes of head and body that fit into one TLS record


class Chunks:
    """The chunks of a body, counted: together they must be `length` bytes (None: any number). Empty ones are left out."""

    __slots__ = ("_chunks", "_left", "chunked")

    def __init__(self, chunks: Iterator[Chunk], length: int | None) -> None:
        self._chunks = chunks
        self._left = length
        self.chunked = length is None

    def next(self) -> Chunk | None:
        """None at the end. Raises ValueError for a body that is longer or shorter than it said."""
        for chunk in self._chunks:
            if isinstance(chunk, memoryview) and chunk.itemsize != 1:
                raise ValueError("the chunks of a body are bytes; this view has larger items")
            size = len(chunk)
            if not size:
                continue
            if self._left is not None:
                self._left -= size
                if self._left < 0:
                    raise ValueError(f"the body is {-self._left} bytes longer than its length says, or more")
            return chunk
        if self._left:
            raise ValueError(f"the body ended {self._left} bytes before its length")
        return None

    def close(self) -> None:
        """Let a generator close its files."""
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()


def transmit(connection: Connection, head: bytes, first: Chunk | None, chunks: Chunks) -> Answer:
    """Head and `first` chunk leave together, the others one by one. Whatever it raises, the connection is of no use any more."""
    if first is None:
        going = connection.push(head, b"0\r\n\r\n") if chunks.chunked else connection.push(head)
    elif chunks.chunked:
        going = _push_chunked(connection, head, first, chunks)
    else:
        going = _push_sized(connection, head, first, chunks)
    connection.complete = going
    return connection.answer()


def _push_sized(connection: Connection, head: bytes, first: Chunk, chunks: Chunks) -> bool:
    if connection.joins and len(head) + len(first) <= _JOINED:
        going = connection.push(b"".join((head, first)))
    else:
        going = connection.push(head, first)
    while going and (chunk := chunks.next()) is not None:
        going = not connection.answered() and connection.push(chunk)
    return going


def _push_chunked(connection: Connection, head: bytes, first: Chunk, chunks: Chunks) -> bool:
    going = connection.push(b"%b%x\r\n" % (head, len(first)), first)
    while going and (chunk := chunks.next()) is not None:
        going = not connection.answered() and connection.push(b"\r\n%x\r\n" % len(chunk), chunk)
    return going and connection.push(b"\r\n0\r\n\r\n")
