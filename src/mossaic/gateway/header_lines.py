"""Header fields as they are sent. One that could end a line early never leaves the house."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_OURS: Final = frozenset(("content-length", "transfer-encoding", "connection", "keep-alive"))


class Lines(NamedTuple):
    """`fields` header fields as lines; without those that the HTTP server says itself, of which `length` was the Content-Length."""

    data: bytes
    fields: int
    length: str | None
    is_dated: bool
    is_named: bool


@lru_cache(maxsize=1024)
def _special(name: str) -> str:
    """The name in lower case when the HTTP server has a say in that header, else nothing."""
    lower = name.lower()
    return lower if lower in _OURS or lower in ("date", "server") else ""


def lines_of(headers: Iterable[tuple[str, str]]) -> Lines:
    """Raises ValueError for a header with CR, LF or NUL in it."""
    lines: list[str] = []
    count = 0
    length: str | None = None
    is_dated = is_named = False
    for name, value in headers:
        count += 1
        special = _special(name)
        if special:
            if special in _OURS:
                length = value if special == "content-length" else length
                continue
            is_dated = is_dated or special == "date"
            is_named = is_named or special == "server"
        lines.append(f"{name}: {value}\r\n")
    text = "".join(lines)
    if not text.count("\r") == text.count("\n") == len(lines) or "\0" in text:
        raise ValueError("a header holds a line break or NUL")
    return Lines(_encode(text, lines), count, length, is_dated, is_named)


def _encode(text: str, lines: list[str]) -> bytes:
    """Header values are Latin-1 pictures of the bytes that came in; a line with text beyond that is sent as UTF-8."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return b"".join([_encode_line(line) for line in lines])


def _encode_line(line: str) -> bytes:
    try:
        return line.encode("latin-1")
    except UnicodeEncodeError:
        return line.encode("utf-8")
