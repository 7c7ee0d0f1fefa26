"""The markers a shape uses to say where each of its fields travels: query, header, XML element, payload or stream.

A *shape* is a frozen dataclass, the input or the output of one operation. Every field is `Annotated[T, marker]`:

| marker | field type | place on the wire |
| --- | --- | --- |
| `Query(name)` | str, int, bool, None | query parameter |
| `Header(name)` | str, int, bool, datetime (RFC 1123), None | header |
| `UserMeta()` | Mapping[str, str] | `x-oss-meta-*` headers, names without the prefix, lower case |
| `Element(path)` | str, int, bool, datetime, dataclass, tuple or sequence of these, None | child element of the XML body, `a/b` nests |
| `Text()` | str | text of the element itself (GetBucketLocation) |
| `Payload(content_type)` | bytes, None | the whole body as it is; when not None it replaces the XML |
| `Stream()` | ByteStream | the object's bytes; never read by the codec |
| `Status()` | int, None | HTTP status of the answer, when it is not the operation's own |
| `Target()` | str | bucket or key, taken from the address |

A shape whose fields have `Element` markers names its root element in the class variable `XML_ROOT`.
A nested dataclass of an `Element` uses `Element` and `Text` markers only. Never a namespace: oss2, v2 and Java find no element then.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Query:
    """A query parameter."""

    name: str


@dataclass(frozen=True, slots=True)
class Header:
    """A header; `quoted` adds the double quotes that ETags carry on the wire and strips them when reading."""

    name: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class UserMeta:
    """All headers that begin with `prefix`; the mapping's names are lower case and without it."""

    prefix: str = "x-oss-meta-"


@dataclass(frozen=True, slots=True)
class Element:
    """An XML element, by its path below the parent (`Buckets/Bucket`).

    `encoded`: percent-encoded when the shape's `encoding_type` field is "url". `quoted`: as in `Header`.
    """

    path: str
    encoded: bool = False
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """The text of the element that the dataclass stands for."""


@dataclass(frozen=True, slots=True)
class Payload:
    """The body itself, bytes for bytes."""

    content_type: str


@dataclass(frozen=True, slots=True)
class Stream:
    """Object bytes that flow past the codec."""


@dataclass(frozen=True, slots=True)
class Status:
    """The status of the answer."""


@dataclass(frozen=True, slots=True)
class Target:
    """Part of the address."""

    what: Literal["bucket", "key"]


@runtime_checkable
class ByteStream(Protocol):
    """What a `Stream` field holds; `length` is None when it is not known beforehand (chunked)."""

    @property
    def length(self) -> int | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A request as the codec sees it: decoded address and query, lower-case header names, the body when it is small."""

    method: str
    bucket: str | None = None
    key: str | None = None
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer as the codec makes it; header names as OSS spells them. `stream` is set instead of `body` by a Stream field."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    stream: ByteStream | None = None
