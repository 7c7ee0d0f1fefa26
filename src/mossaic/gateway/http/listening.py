"""The sockets that connections come to."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Final

# BBR paces what is sent, by timers. Between two programs of one machine there is nothing to pace for: large downloads are half as
# fast again with Reno, which every kernel has and lets everybody use.
_PACED: Final = b"bbr"
_UNPACED: Final = b"reno"
_LONGEST_NAME: Final = 16  # TCP_CA_NAME_MAX of the kernel


def bound(host: str, port: int) -> tuple[socket.socket, ...]:
    """A socket for each address of the host, all on one port; none listens yet. Raises OSError."""
    name = (
        host.encode() if host.isascii() else host
    )  # a text is encoded by IDNA, which has to be loaded first
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(found):
            try:
                sock = socket.socket(family, kind, protocol)
            except OSError:
                continue  # the machine does not speak it
            sockets.append(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if address[0] == "::1" or str(address[0]).startswith("127."):
                unpace(sock)
            place = (address[0], sockets[0].getsockname()[1] or port, *address[2:])
            sock.bind(place)
    except OSError:
        for sock in sockets:
            sock.close()
        raise
    return tuple(sockets)


def unpace(sock: socket.socket) -> None:
    """Have what is sent on its connections not paced, if it would be. To be called before it listens: they take it from there, and a
    connection that was begun with pacing keeps the timers."""
    if hasattr(socket, "TCP_CONGESTION"):
        with suppress(OSError):  # the system knows no such choice, or does not leave it to us
            if sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, _LONGEST_NAME).startswith(_PACED):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, _UNPACED)
