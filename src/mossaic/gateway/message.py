"""A request and a response between the HTTP server and the pipeline; neither knows the other."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, Protocol

from mossaic.ports import Body, FilePiece
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from mossaic.gateway.header_lines import Lines

    After = Callable[[], Coroutine[Any, Any, None]]  # Any: what futures exchange with tasks

__all__ = ["Content", "FilePiece", "HttpRequest", "HttpResponse", "IncomingBody", "Repeat"]


class IncomingBody(Body, Protocol):
    """A body on its way in."""

    @property
    def received(self) -> int:
        """Bytes of it that were read so far."""
        ...


@dataclass(slots=True, kw_only=True)  # not frozen: that would triple the cost of making one
class HttpRequest:
    """A request as it came, and as it stays. `target` is the raw request target (path and query, undecoded ASCII/Latin-1); header names are
    lower case, values are decoded as Latin-1 with outer blanks stripped, in order of arrival, repeated ones kept. `raw` is the whole
    head as it came, without the empty line."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: IncomingBody
    remote: str = ""
    secure: bool = False
    index: dict[str, str] = field(default_factory=dict[str, str])  # repeated headers joined with ","
    raw: bytes = b""

    def header(self, name: str, default: str = "") -> str:
        """By lower-case name."""
        return self.index.get(name, default)


class Repeat(Protocol):
    """A request whose head needs no reading, because one like it was served before. Its connection stays open."""

    @property
    def length(self) -> int:
        """Of its body, in bytes."""
        ...

    async def answer(self, body: IncomingBody, remote: str) -> HttpResponse | None:
        """None when it has to go the usual way after all; the body is untouched then. Never raises but for cancellation."""
        ...


class Content(Protocol):
    """Bytes to send that are too many to hold. `pieces` blocks; it is iterated in a worker thread, once."""

    @property
    def length(self) -> int: ...

    def pieces(self) -> Iterator[FilePiece | bytes]:
        """In order, exactly `length` bytes in all. An exception cuts the connection: never an XML tail."""
        ...


@dataclass(slots=True, kw_only=True)
class HttpResponse:
    """`body` is sent with Content-Length; for HEAD give the headers as GET would have them and `body=b""`,
    with `content_length` saying the length. `lines`: the first of `headers`, where somebody has them made already; `stamp`: lines
    that follow them, whole. `after`: what is left to do when the answer is on its way."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    body: bytes | Content = b""
    content_length: int | None = None
    close: bool = False
    lines: Lines | None = None
    stamp: bytes = b""
    after: After | None = None


Handle = "Callable[[HttpRequest], Awaitable[HttpResponse]]"
