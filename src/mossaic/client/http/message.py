"""What is sent and where to: Origin, Request and the bodies that requests carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CHUNK: Final = 256 * 1024  # bytes that BytesBody gives at a time


class Origin(NamedTuple):
    """Where a request goes. `host` is without brackets for IPv6."""

    secure: bool
    host: str
    port: int

    @property
    def authority(self) -> str:
        """`host:port` as it stands in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Body(Protocol):
    """What a request carries; sent once.

    `length` is in bytes; None: chunked transfer encoding. A chunk is valid until the next is asked for, and asking for the
    next one means that the last was handed to the kernel (progress is counted there). Chunks are plain bytes: a
    memoryview has items of one byte.
    """

    @property
    def length(self) -> int | None: ...

    def chunks(self) -> Iterator[bytes | bytearray | memoryview]: ...


class BytesBody:
    """Bytes that are in memory already, given out in views of at most 256 KiB."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self._data = memoryview(data).cast("B")

    @property
    def length(self) -> int:
        return len(self._data)

    def chunks(self) -> Iterator[memoryview]:
        data = self._data
        for start in range(0, len(data), CHUNK):
            yield data[start : start + CHUNK]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`target` is path and query, encoded to ASCII already. `headers` hold Host; Content-Length or Transfer-Encoding are added
    as the body asks for."""

    method: str
    origin: Origin
    target: str
    headers: Sequence[tuple[str, str]]
    body: Body | None = None
