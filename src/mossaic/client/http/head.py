"""Writes the head of a request and reads the head of an answer, strictly: pure, no I/O.

A head that is ambiguous is refused, never guessed (RFC 9112): what a lenient reader lets through is how answers get mixed up
on a connection that is used again.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_HEAD: Final = 64 * 1024  # bytes of an answer's head
MAX_FIELDS: Final = 200  # fields of an answer's head

_LEGAL: Final = bytes([0x09, *range(0x20, 0x7F), *range(0x80, 0x100)])  # no control character but HTAB
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_FIELD: Final = re.compile(r"\r\n([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([^\r]*)")
_STATUS_LINE: Final = re.compile(r"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: ([^\r]*))?(?=\r|$)")
_LENGTH: Final = re.compile(r"[0-9]{1,18}")
_BODY_EXPECTED: Final = frozenset({"POST", "PUT", "PATCH"})  # RFC 9110 8.6: these say `Content-Length: 0`


class Malformed(Exception):
    """The answer is not HTTP as we read it; the text says what is wrong."""


class Answer(NamedTuple):
    """A parsed head. `length` is that of the body that follows: None when it is chunked or ends with the connection."""

    status: int
    reason: str
    headers: dict[str, str]
    length: int | None
    chunked: bool
    keep_alive: bool


# --- the request ------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=512)
def _lower(name: str) -> str:
    """A field's name in lower case. Raises ValueError."""
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"not a header name: {name!r}")
    return name.lower()


def write_head(method: str, target: str, fields: Sequence[tuple[str, str]], length: int | None) -> bytes:
    """The bytes up to and with the empty line. `length` is the body's: None for a chunked one.

    Raises ValueError for what would change the meaning of the head (CR, LF, NUL and other control characters, blanks in the target)
    and for a Content-Length that is not the body's.
    """
    if not _TOKEN.fullmatch(method):
        raise ValueError(f"not a method: {method!r}")
    if not target.isascii() or " " in target or not target:
        raise ValueError("the target of a request must be encoded to ASCII and hold no blanks")
    lines = [f"{method} {target} HTTP/1.1"]
    declared = False
    for name, value in fields:
        lower = _lower(name)
        if lower == "content-length":
            if declared or value != str(length):
                raise ValueError(f"Content-Length is {value}, the body has {length} bytes")
            declared = True
        elif lower == "transfer-encoding":
            raise ValueError("Transfer-Encoding is chosen by the body")
        lines.append(f"{name}: {value}")
    if length is None:
        lines.append("Transfer-Encoding: chunked")
    elif not declared and (length or method in _BODY_EXPECTED):
        lines.append(f"Content-Length: {length}")
    lines.append("\r\n")
    head = "\r\n".join(lines).encode("latin-1")  # a value beyond Latin-1: UnicodeEncodeError is a ValueError
    # What is left without the legal characters must be our own line ends and nothing else.
    if head.translate(None, _LEGAL) != b"\r\n" * (len(lines)):
        raise ValueError("a header or the target holds a control character")
    return head


# --- the answer -------------------------------------------------------------------------------------------------------


def parse_head(data: bytes, *, method: str) -> Answer:
    """`data` is everything before the empty line, `method` that of the request. Raises Malformed."""
    text = data.decode("latin-1")
    count = text.count("\r\n")
    if data.translate(None, _LEGAL) != b"\r\n" * count:
        raise Malformed("its head holds a control character or a bare line feed")
    found = _STATUS_LINE.match(text)
    if found is None:
        raise Malformed("its first line is no HTTP/1.1 status line")
    minor, code, reason = found.groups()
    status = int(code)
    if status == 101:
        raise Malformed("it changes to another protocol")
    headers = _fields(text, count)
    length, chunked, doubtful = _framing(headers, status, method)
    return Answer(
        status, reason or "", headers, length, chunked, not doubtful and _keeps_alive(headers, minor == "1")
    )


def _fields(text: str, count: int) -> dict[str, str]:
    """The fields of a head that has `count` lines after the first."""
    if count > MAX_FIELDS:
        raise Malformed(f"its head has more than {MAX_FIELDS} fields")
    found = _FIELD.findall(text)
    if len(found) != count:
        raise Malformed("a line of its head is no header field")
    headers: dict[str, str] = {name.lower(): value.strip(" \t") for name, value in found}
    if len(headers) != count:
        _join_repeated(headers, found)
    return headers


def _join_repeated(headers: dict[str, str], found: list[tuple[str, str]]) -> None:
    values: dict[str, list[str]] = {}
    for name, value in found:
        values.setdefault(name.lower(), []).append(value.strip(" \t"))
    headers.update((name, ", ".join(every)) for name, every in values.items())


def _framing(headers: dict[str, str], status: int, method: str) -> tuple[int | None, bool, bool]:
    """RFC 9112 6.3: the length, whether it is chunked, and whether the connection must end with this answer."""
    if status < 200 or status in (204, 304) or method == "HEAD":
        return 0, False, False
    if method == "CONNECT" and status < 300:
        return 0, False, False
    declared = headers.get("content-length")
    if declared is not None and not _LENGTH.fullmatch(declared):
        # A second Content-Length, even an equal one, arrives here as "5, 5".
        raise Malformed("its Content-Length is not valid")
    coding = headers.get("transfer-encoding")
    if coding is not None:
        if coding.lower() != "chunked":
            raise Malformed("its Transfer-Encoding is not one we asked for")
        return None, True, declared is not None
    if declared is None:
        return None, False, True
    return int(declared), False, False


def _keeps_alive(headers: dict[str, str], modern: bool) -> bool:
    said = headers.get("connection")
    if said is None:
        return modern
    tokens = [token.strip() for token in said.lower().split(",")]
    return "close" not in tokens and (modern or "keep-alive" in tokens)
