"""One client connection: head, handler, answer, and again. One request at a time; pipelined ones wait their turn."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import math
import socket
import time
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, cast

from mossaic.gateway.http.answer import bodyless, render_head, render_refusal
from mossaic.gateway.http.body import RequestBody
from mossaic.gateway.http.channel import Channel
from mossaic.gateway.http.delivery import deliver
from mossaic.gateway.http.head import Head, Refused, has_bare_lf, parse_head
from mossaic.gateway.http.limits import SMALL
from mossaic.gateway.lockstep import step
from mossaic.gateway.message import HttpRequest, HttpResponse
from mossaic.protocol.errors import OssError

if TYPE_CHECKING:
    from mossaic.gateway.http.site import Site
    from mossaic.gateway.lockstep import Exchange
    from mossaic.gateway.message import Repeat

log = logging.getLogger(__name__)
_END: Final = b"\r\n\r\n"
_READING: Final = frozenset(("GET", "HEAD"))  # these seldom wait: they are begun without a task


class Phase(Enum):
    IDLE = auto()  # between requests, nothing received
    HEAD = auto()  # a head has begun
    BUSY = auto()  # a request is being answered
    LINGER = auto()  # the last answer is sent; what still comes is thrown away
    CLOSED = auto()


class Connection(asyncio.BufferedProtocol):
    """Deadlines are looked at by the server's tick, not by a timer a request: most never matter."""

    __slots__ = (
        "_blank", "_channel", "_deadline", "_linger_until", "_lingered", "_phase", "_remote", "_scanned", "_site",
    )  # fmt: skip

    _channel: Channel

    def __init__(self, site: Site) -> None:
        self._site = site
        self._phase = Phase.IDLE
        self._deadline = math.inf
        self._scanned = 0  # bytes of the inbox known to hold no end of a head
        self._blank = False  # the one empty line that may precede a head was there
        self._lingered = 0  # bytes thrown away
        self._linger_until = math.inf
        self._remote = ""

    # --- asyncio.BufferedProtocol -------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        site = self._site
        self._channel = Channel(asyncio.get_running_loop(), cast("asyncio.Transport", transport), site.limits)
        self._remote = _remote(transport.get_extra_info("peername"))
        _set_nodelay(transport)
        site.accepted += 1
        turned_away = site.turns_away
        site.connections.add(self)
        site.crowd.have(len(site.connections))
        if turned_away:
            site.turned_away += 1
            # No linger: whoever floods us shall not hold descriptors.
            self._channel.write(render_refusal(503, "The server has too many connections."))
            self._close()
        else:
            self._wait(Phase.IDLE, site.patience_s if site.closing else site.limits.keepalive_s)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        return self._site.room

    def buffer_updated(self, nbytes: int) -> None:
        if self._phase is Phase.LINGER:
            self._throw_away(nbytes)
            return
        if self._phase is Phase.CLOSED:
            return
        self._channel.feed(self._site.room[:nbytes])
        if self._phase is not Phase.BUSY:
            self._next_head()

    def eof_received(self) -> bool:
        self._channel.end()
        if self._phase is Phase.BUSY and not self._channel.secure:
            return True  # the client has said all, and still waits for the answer
        self._close()
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._channel.lose()
        self._wait(Phase.CLOSED, math.inf)
        site = self._site
        site.connections.discard(self)
        site.crowd.have(len(site.connections))
        if not site.connections:
            site.emptied.set()

    def pause_writing(self) -> None:
        self._channel.block(True)

    def resume_writing(self) -> None:
        self._channel.block(False)

    # --- called by the server -----------------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        channel = self._channel
        if now >= channel.deadline:
            if not channel.writing:
                channel.expire()
            elif not channel.still_writing(now):
                channel.deadline = math.inf
                self.cut()
        if now >= self._deadline:
            self._deadline = math.inf
            if self._phase is Phase.HEAD:
                self._refuse(408, "The head of the request did not arrive in time.")
            elif self._phase is Phase.IDLE:
                self._close()
            else:
                self.cut()

    def retire(self, patience_s: float) -> None:
        """The server goes down: a busy connection closes after its answer, an idle one now, or after a request that comes within
        the patience: a client that uses it all the time may have sent one just now."""
        if self._phase is Phase.IDLE:
            self._deadline = min(self._deadline, time.monotonic() + patience_s)
        if self._phase in (Phase.IDLE, Phase.HEAD) and not patience_s:
            self._close()

    def cut(self) -> None:
        self._channel.cut()

    # --- requests -----------------------------------------------------------------------------------------------------

    def _wait(self, phase: Phase, seconds: float) -> None:
        self._phase = phase
        self._deadline = time.monotonic() + seconds

    def _next_head(self) -> None:
        inbox = self._channel.inbox
        if not self._blank and self._scanned <= 1 and inbox.startswith(b"\r\n"):
            del inbox[:2]  # RFC 9112 2.2: an empty line before the request line; one, not many
            self._blank, self._scanned = True, 0
        end = inbox.find(_END, max(0, self._scanned - 3))
        if (len(inbox) if end < 0 else end) > self._site.limits.max_head_bytes:
            self._refuse(431, "The head of the request is too long.")
        elif end >= 0:
            head = bytes(inbox[:end])
            del inbox[: end + 4]
            self._blank, self._scanned = False, 0
            self._begin(head)
        elif inbox:
            self._continue_head(inbox)

    def _continue_head(self, inbox: bytearray) -> None:
        if has_bare_lf(inbox, self._scanned):
            self._refuse(400, "The head holds a bare line feed.")
            return
        if self._channel.ended:
            self._close()  # its end will never come
            return
        self._scanned = len(inbox)
        if self._phase is not Phase.HEAD:
            self._wait(Phase.HEAD, self._site.limits.head_timeout_s)
        self._channel.resume()

    def _begin(self, data: bytes) -> None:
        repeat = self._site.hooks.recognize(data)
        if repeat is not None:
            body = RequestBody(self._channel, self._site.workers, length=repeat.length)
            self._wait(Phase.BUSY, math.inf)
            self._run(self._exchange_repeat(repeat, data, body), is_short=repeat.length <= SMALL)
            return
        head = self._read(data)
        if head is None:
            return
        body = RequestBody(
            self._channel, self._site.workers, length=head.length, expects_continue=head.expects_continue
        )
        self._wait(Phase.BUSY, math.inf)
        self._run(self._exchange(head, data, body), is_short=head.length == 0 and head.method in _READING)

    def _read(self, data: bytes) -> Head | None:
        """None when it was refused."""
        try:
            return parse_head(data, max_headers=self._site.limits.max_headers)
        except Refused as refused:
            self._refuse(refused.status, refused.reason)
            return None

    def _run(self, exchange: Exchange, *, is_short: bool) -> None:
        lockstep = self._site.lockstep
        if is_short:
            lockstep.begin(exchange)
        else:
            lockstep.spawn(exchange)

    async def _exchange_repeat(self, repeat: Repeat, data: bytes, body: RequestBody) -> None:
        try:
            response = await repeat.answer(body, self._remote)
        except Exception:
            log.exception("a repeated request failed")
            response = HttpResponse(status=500, close=True)
        if response is not None:
            await self._reply(response, body, method="", may_keep=True)  # it is no HEAD
        elif (head := self._read(data)) is not None:
            await self._exchange(head, data, body)

    async def _exchange(self, head: Head, data: bytes, body: RequestBody) -> None:
        request = HttpRequest(
            method=head.method,
            target=head.target,
            headers=head.headers,
            body=body,
            remote=self._remote,
            secure=self._channel.secure,
            index=head.by_name,
            raw=data,
        )
        try:
            response = await self._site.handle(request)
        except (
            Exception
        ):  # the last floor: the pipeline answers its errors itself, and a bug must not hang a client
            log.exception("the handler of %s failed", head.method)
            response = HttpResponse(status=500, close=True)
        await self._reply(response, body, method=head.method, may_keep=head.keep_alive)
        if response.after is not None:
            self._site.lockstep.spawn(response.after())

    async def _reply(self, response: HttpResponse, body: RequestBody, *, method: str, may_keep: bool) -> None:
        try:
            keep = may_keep and not response.close and not self._site.closing
            keep = keep and self._reusable(response, body)
            try:
                rendered = render_head(response, method=method, keep_alive=keep)
            except ValueError:
                log.exception("the answer to %s has a header that cannot be sent", method)
                response, keep = HttpResponse(status=500), False
                rendered = render_head(response, method=method, keep_alive=False)
            content = b"" if bodyless(method, response.status) else response.body
            await step()
            if await deliver(self._channel, self._site, head=rendered, content=content):
                await step()
                await self._finish(body, keep=keep)
        except Exception:  # a bug; nobody else hears of it, and a connection that nobody answers stays open
            log.exception("the answer to %s cannot be sent", method)
            self.cut()

    def _reusable(self, response: HttpResponse, body: RequestBody) -> bool:
        """What is left of an unread body may be read away after a success; after a refusal nothing in the stream is
        trusted any more."""
        if body.settled():
            return True
        return response.status < 400 and body.drainable(self._site.limits.drain_bytes)

    async def _finish(self, body: RequestBody, *, keep: bool) -> None:
        if keep and not body.done:
            try:
                await body.drain()
            except OssError:
                keep = False
        if self._phase is not Phase.BUSY:
            return  # lost meanwhile
        if not keep or self._site.closing or (self._channel.ended and not self._channel.inbox):
            self._linger(done=body.done)
            return
        self._wait(Phase.IDLE, self._site.limits.keepalive_s)
        self._channel.resume()
        if (
            self._channel.inbox
        ):  # not at once: a hundred requests in one packet shall not be a hundred calls deep
            asyncio.get_running_loop().call_soon(self._next_in_line)

    def _next_in_line(self) -> None:
        if self._phase is Phase.IDLE and self._channel.inbox:
            self._next_head()

    # --- the end ------------------------------------------------------------------------------------------------------

    def _refuse(self, status: int, reason: str) -> None:
        request_id = self._site.hooks.refused(self._remote, status)
        self._channel.write(render_refusal(status, reason, request_id))
        self._linger(done=False)

    def _linger(self, *, done: bool) -> None:
        """Close so that the answer arrives: closing a socket with unread bytes sends RST, which destroys it."""
        channel = self._channel
        quiet = done and not channel.inbox
        channel.inbox.clear()
        if quiet or channel.ended or channel.secure:
            self._close()
            return
        if not channel.say_end():
            self._close()
            return
        self._wait(Phase.LINGER, self._site.limits.linger_idle_s)
        self._linger_until = time.monotonic() + self._site.limits.linger_s
        channel.resume()

    def _throw_away(self, count: int) -> None:
        limits = self._site.limits
        self._lingered += count
        if self._lingered > limits.linger_bytes:
            self.cut()
        else:
            self._deadline = min(self._linger_until, time.monotonic() + limits.linger_idle_s)

    def _close(self) -> None:
        """What is written still goes out, within a deadline."""
        self._wait(Phase.CLOSED, self._site.limits.write_idle_s)
        self._channel.transport.close()


def _remote(peer: object) -> str:
    """The client's IP address, an IPv4 one in its own form."""
    if not isinstance(peer, tuple):
        return ""
    host = str(cast("tuple[object, ...]", peer)[0])
    if not host.startswith("::ffff:"):
        return host
    mapped = ipaddress.IPv6Address(host).ipv4_mapped
    return host if mapped is None else str(mapped)


def _set_nodelay(transport: asyncio.BaseTransport) -> None:
    sock = cast("socket.socket | None", transport.get_extra_info("socket"))
    if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
