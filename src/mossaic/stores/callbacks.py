"""Sends callbacks over plain sockets: to the address it is given, without redirects, within bounds."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from mossaic.ports import CallbackReply, CallbackRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_HEAD: Final = 64 * 1024  # bytes of status line and headers
_MAX_EXPLANATION: Final = 64 * 1024  # bytes of a refusal's body
_EXPLAIN_S: Final = 0.5


class HttpCallbackSender:
    """One connection a callback. `tls` may bring own trust anchors; default: the system's."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except UnicodeError as error:  # `a..b`, or a label of more than 63 characters
            raise OSError("it is no host name") from error
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

    async def send(self, request: CallbackRequest, *, max_body: int) -> CallbackReply:
        async with asyncio.timeout(request.timeout_s):
            reader, writer = await asyncio.open_connection(
                request.address,
                request.port,
                ssl=(self._tls or ssl.create_default_context()) if request.server_name else None,
                server_hostname=request.server_name,
                limit=_MAX_HEAD,
            )
            try:
                head = "".join(f"{name}: {value}\r\n" for name, value in request.headers)
                writer.write(f"POST {request.url} HTTP/1.1\r\n{head}\r\n".encode() + request.body)
                await writer.drain()
                return await _read_reply(reader, max_body)
            finally:
                writer.close()


async def _read_reply(reader: asyncio.StreamReader, max_body: int) -> CallbackReply:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise ValueError("it is no HTTP answer") from error
    status_line, *lines = head.decode("latin-1").split("\r\n")[:-2]
    version, _, rest = status_line.partition(" ")
    if not version.startswith("HTTP/1.") or not rest[:3].isdigit():
        raise ValueError("it is no HTTP answer")
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    status = int(rest[:3])
    if status != 200:
        return CallbackReply(status=status, headers=headers, body=await _explanation(reader))
    length = headers.get("content-length", "")
    if not length.isascii() or not length.isdigit():
        raise ValueError("it has no Content-Length")
    if int(length) > max_body:
        raise ValueError(f"its body is longer than {max_body} bytes")
    try:
        body = await reader.readexactly(int(length))
    except asyncio.IncompleteReadError as error:
        raise ValueError("its body is shorter than its Content-Length") from error
    return CallbackReply(status=status, headers=headers, body=body)


async def _explanation(reader: asyncio.StreamReader) -> bytes:
    """What a refusal says, for people: as much of it as comes at once, and nobody waits for more."""
    found = b""
    with suppress(TimeoutError, OSError):
        async with asyncio.timeout(_EXPLAIN_S):
            while len(found) < _MAX_EXPLANATION and (more := await reader.read(_MAX_EXPLANATION)):
                found += more
    return found[:_MAX_EXPLANATION]
