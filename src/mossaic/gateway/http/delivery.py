"""Brings an answer to the client: small ones in one write on the loop, big ones by a worker thread."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from mossaic.gateway.http.limits import SMALL
from mossaic.gateway.http.pace import Pace
from mossaic.gateway.http.sender import Chunks, Sender, read_all

if TYPE_CHECKING:
    import socket

    from mossaic.gateway.http.channel import Channel
    from mossaic.gateway.http.site import Site
    from mossaic.gateway.message import Content

log = logging.getLogger(__name__)


async def deliver(channel: Channel, site: Site, *, head: bytes, content: bytes | Content) -> bool:
    """True when the kernel has the whole answer; False when the connection is lost or was cut."""
    if isinstance(content, bytes):
        await _write(channel, head, content)
        return not channel.lost
    try:
        if content.length <= SMALL:
            await _write(channel, head, await site.workers.run(lambda: read_all(content)))
        elif channel.secure:
            await _send_portably(channel, site, head, content)
        else:
            await _send_from_thread(channel, site, head, content)
    except (ConnectionError, TimeoutError):
        channel.cut()
        return False
    except (
        Exception
    ):  # whatever the store raised: bytes are missing, so the client must not see a whole answer
        log.exception("an answer was cut short")
        channel.cut(reset=True)
        return False
    return not channel.lost


async def _write(channel: Channel, head: bytes, body: bytes) -> None:
    if len(body) <= SMALL:
        channel.write(head + body)
    else:
        channel.write_both(head, body)
    if channel.writable:
        return
    await channel.flushed()


async def _send_portably(channel: Channel, site: Site, head: bytes, content: Content) -> None:
    chunks = Chunks(content)
    try:
        channel.write(head)
        while chunk := await site.workers.run(chunks.next):
            channel.write(chunk)
            await channel.flushed()
            if channel.lost:
                return
    finally:
        site.workers.release(chunks.close)


async def _send_from_thread(channel: Channel, site: Site, head: bytes, content: Content) -> None:
    """The thread owns a descriptor of its own; the transport has nothing left to write and does not read, so nothing is mixed."""
    await channel.flushed()
    channel.pause()
    sock = channel.duplicate()
    pace = Pace(idle_s=site.limits.write_idle_s, quantum=site.limits.quantum)
    sender = Sender(sock, head=head, content=content, pace=pace, returned=channel.returned)
    try:
        while not await site.workers.run(sender.run):
            await _writable(channel, sock, pace)
    finally:
        if not sender.is_closed:
            site.workers.release(sender.close)


async def _writable(channel: Channel, sock: socket.socket, pace: Pace) -> None:
    """Wait on the loop, without a thread, for a slow client. Raises TimeoutError, ConnectionError."""
    if channel.lost:
        raise ConnectionResetError
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_writer(sock, ready.set)
    try:
        await asyncio.wait_for(ready.wait(), max(0.001, pace.left_s()))
    finally:
        loop.remove_writer(sock)
