"""What a signature covers: a request reduced to method, decoded query and headers, and the resource it addresses."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from dataclasses import field
from enum import Enum
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote

from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Pairs = tuple[tuple[str, str], ...]

OSS_PREFIX: Final = "x-oss-"
_KEPT: Final = 256  # characters
_INNER: Final = bytes(byte ^ 0x36 for byte in range(256))  # RFC 2104: the pads of a key
_OUTER: Final = bytes(byte ^ 0x5C for byte in range(256))
_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})
UNSIGNED_PAYLOAD: Final = "UNSIGNED-PAYLOAD"


class Version(Enum):
    """The signature schemes of OSS."""

    V1 = "V1"
    V2 = "V2"
    V4 = "V4"


class How(Enum):
    """Where a request carries its signature."""

    NONE = "none"
    HEADER = "header"
    URL = "url"
    FORM = "form"


class SignedRequest(NamedTuple):
    """Query: decoded pairs in order of arrival, bytes that are not UTF-8 as surrogate escapes. Headers: lower-case names,
    repeated ones joined with ",", values as `header_text` gives them."""

    method: str
    query: Pairs = ()
    headers: Mapping[str, str] = _NO_HEADERS

    def parameter(self, name: str) -> str | None:
        """The first value of a query parameter (OSS: "the first wins")."""
        return next((value for known, value in self.query if known == name), None)


class Resource(NamedTuple):
    """One reading of the address: decoded bucket and key. Virtual-hosted, path style and bound domains all sign this."""

    bucket: str | None = None
    key: str | None = None

    @property
    def path(self) -> str:
        """`/`, `/bucket/` or `/bucket/key`."""
        return "/" if self.bucket is None else f"/{self.bucket}/{self.key or ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A key pair to sign with, and the token of temporary credentials. Never printed."""

    access_key_id: str
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


def header_text(value: str) -> str:
    """A header value as clients sign it. `value` is Latin-1 text of the bytes received: UTF-8 where the bytes are UTF-8,
    otherwise Latin-1 (oss2, alibabacloud-oss-v2 and ali-oss send Latin-1 bytes and sign the UTF-8 form)."""
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def enc(text: str, *, keep: str = "") -> str:
    """Percent-encode for a signature: all but unreserved characters and `keep`, upper-case hex."""
    return _enc(text, keep) if len(text) <= _KEPT else quote(text, safe=keep, errors="surrogateescape")


@lru_cache(maxsize=2048)
def _enc(text: str, keep: str) -> str:
    """The parts of an upload differ in their number alone. Long texts are not kept: a stranger could send many."""
    return quote(text, safe=keep, errors="surrogateescape")


def octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def mac(key: bytes, text: str, algorithm: str) -> bytes:
    return hmac.digest(key, octets(text), algorithm)


class Mac:
    """HMAC-SHA256 (RFC 2104) with one key for many texts: hashing the key, half of the work, is done once."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        """`key`: at most 64 bytes."""
        whole = key.ljust(64, b"\0")
        self._inner = hashlib.sha256(whole.translate(_INNER))
        self._outer = hashlib.sha256(whole.translate(_OUTER))

    def hex(self, text: str) -> str:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(octets(text))
        outer.update(inner.digest())
        return outer.hexdigest()


def base64_mac(secret: str, text: str, algorithm: str) -> str:
    return b64encode(mac(octets(secret), text, algorithm)).decode("ascii")


def header_lines(headers: Mapping[str, str], names: Iterable[str]) -> str:
    """`name:value` lines, each ended by LF, by ascending name."""
    return "".join(f"{name}:{headers[name]}\n" for name in sorted(set(names)))


def oss_headers(headers: Mapping[str, str]) -> list[str]:
    return [name for name in headers if name.startswith(OSS_PREFIX)]


def same(left: str, right: str) -> bool:
    """Compare in a time that does not depend on where they differ."""
    if left.isascii() and right.isascii():
        return hmac.compare_digest(left, right)
    return hmac.compare_digest(octets(left), octets(right))
