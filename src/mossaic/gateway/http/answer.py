"""The bytes of an answer's head."""

from __future__ import annotations

import time
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Final

from mossaic.gateway.header_lines import lines_of
from mossaic.protocol.codec.values import http_text_at

if TYPE_CHECKING:
    from mossaic.gateway.message import HttpResponse

_STATUS_LINES: Final = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}
_NONE: Final = lines_of(())


class Dates:
    """The Date header, made once a second."""

    def __init__(self) -> None:
        self._second = -1
        self._line = b""

    def line(self) -> bytes:
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._line = f"Date: {http_text_at(second)}\r\n".encode()
        return self._line


_DATES: Final = Dates()


def bodyless(method: str, status: int) -> bool:
    """RFC 9110 6.4.1: no content follows these heads."""
    return method == "HEAD" or status in (204, 304) or status < 200


def body_length(response: HttpResponse) -> int:
    body = response.body
    return len(body) if isinstance(body, bytes) else body.length


def render_head(response: HttpResponse, *, method: str, keep_alive: bool) -> bytes:
    """Raises ValueError for a header with CR, LF or NUL in it."""
    status, first = response.status, response.lines or _NONE
    has_more = len(response.headers) > first.fields
    rest = lines_of(islice(response.headers, first.fields, None)) if has_more else _NONE
    status_line = _STATUS_LINES.get(status) or f"HTTP/1.1 {status} \r\n".encode()
    parts = [status_line, first.data, rest.data, response.stamp]
    if not (first.is_dated or rest.is_dated):
        parts.append(_DATES.line())
    if not (first.is_named or rest.is_named):
        parts.append(b"Server: Mossaic\r\n")
    parts.append(_length_line(response, method, rest.length or first.length).encode())
    parts.append(b"\r\n" if keep_alive else b"Connection: close\r\n\r\n")
    return b"".join(parts)


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


def render_refusal(status: int, reason: str, request_id: str = "") -> bytes:
    """A whole answer to a request that could not be read: plain text, and the end of the connection."""
    body = f"{reason}\n".encode()
    id_line = f"x-oss-request-id: {request_id}\r\n" if request_id else ""
    head = (
        f"Content-Type: text/plain\r\n{id_line}Server: Mossaic\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return b"".join((_STATUS_LINES[status], _DATES.line(), head.encode("ascii"), body))
