"""The bytes of an answer's head. A header that could end a line early never leaves the house."""

from __future__ import annotations

import time
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from mossaic.protocol.codec.values import http_text_at

if TYPE_CHECKING:
    from mossaic.gateway.message import HttpResponse

_STATUS_LINES: Final = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
_OURS: Final = frozenset(("content-length", "transfer-encoding", "connection", "keep-alive"))


@lru_cache(maxsize=1024)
def _special(name: str) -> str:
    """The name in lower case when this module has a say in that header, else nothing."""
    lower = name.lower()
    return lower if lower in _OURS or lower in ("date", "server") else ""


class Dates:
    """The Date header, made once a second."""

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def now(self) -> str:
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._text = http_text_at(second)
        return self._text


_DATES: Final = Dates()


def bodyless(method: str, status: int) -> bool:
    """RFC 9110 6.4.1: no content follows these heads."""
    return method == "HEAD" or status in (204, 304) or status < 200


def body_length(response: HttpResponse) -> int:
    body = response.body
    return len(body) if isinstance(body, bytes) else body.length


def render_head(response: HttpResponse, *, method: str, keep_alive: bool) -> bytes:
    """Raises ValueError for a header with CR, LF or NUL in it."""
    status = response.status
    lines: list[str] = []
    declared: str | None = None
    is_dated = is_named = False
    for name, value in response.headers:
        special = _special(name)
        if special:
            if special in _OURS:
                declared = value if special == "content-length" else declared
                continue
            is_dated = is_dated or special == "date"
            is_named = is_named or special == "server"
        lines.append(f"{name}: {value}\r\n")
    block = "".join(lines)
    if not block.count("\r") == block.count("\n") == len(lines) or "\0" in block:
        raise ValueError("a header holds a line break or NUL")
    parts = [_STATUS_LINES.get(status) or f"HTTP/1.1 {status} \r\n", *lines]
    if not is_dated:
        parts.append(f"Date: {_DATES.now()}\r\n")
    if not is_named:
        parts.append("Server: Mossaic\r\n")
    parts.append(_length_line(response, method, declared))
    if not keep_alive:
        parts.append("Connection: close\r\n")
    parts.append("\r\n")
    return _encode(parts)


def _length_line(response: HttpResponse, method: str, declared: str | None) -> str:
    if response.status == 204 or response.status < 200:
        return ""
    if not bodyless(method, response.status):
        return f"Content-Length: {body_length(response)}\r\n"
    if response.content_length is not None:
        return f"Content-Length: {response.content_length}\r\n"
    if declared is not None and declared.isdigit():
        return f"Content-Length: {declared}\r\n"
    if response.status == 304:
        return ""  # a 0 would say something about the object
    return f"Content-Length: {body_length(response)}\r\n"


def _encode(parts: list[str]) -> bytes:
    """Header values are Latin-1 pictures of the bytes that came in; text beyond that is sent as UTF-8."""
    try:
        return "".join(parts).encode("latin-1")
    except UnicodeEncodeError:
        return b"".join(_encode_part(part) for part in parts)


def _encode_part(part: str) -> bytes:
    try:
        return part.encode("latin-1")
    except UnicodeEncodeError:
        return part.encode("utf-8")


def render_refusal(status: int, reason: str, request_id: str = "") -> bytes:
    """A whole answer to a request that could not be read: plain text, and the end of the connection."""
    body = f"{reason}\n".encode()
    id_line = f"x-oss-request-id: {request_id}\r\n" if request_id else ""
    head = (
        f"{_STATUS_LINES[status]}Content-Type: text/plain\r\n{id_line}Date: {_DATES.now()}\r\nServer: Mossaic\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body
