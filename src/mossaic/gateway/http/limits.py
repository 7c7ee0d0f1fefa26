"""What the HTTP server allows a client: sizes, counts and deadlines, each with its unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mossaic.quick import dataclass

if TYPE_CHECKING:
    import socket
    import ssl

KIB: Final = 1024
MIB: Final = 1024 * KIB

SMALL: Final = 64 * KIB  # bytes; up to here a body is gathered on the loop and an answer written at once


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """Every wait of the server has one of these deadlines (seconds), every buffer and count one of these bounds.

    A transfer counts as moving while each `quantum` bytes arrive (or leave) within its idle deadline, so a client
    that trickles single bytes is cut like a silent one.
    """

    max_head_bytes: int = 64 * KIB  # request line and headers; beyond it 431
    max_headers: int = 512  # header lines; beyond it 431
    max_connections: int = 10_000  # beyond it 503; lowered to what the process may open
    max_threads: int = 512  # worker threads; three quarters of them may hold long uploads
    lease_wait_s: float = 30.0  # an upload that finds no thread for so long is answered 503
    head_timeout_s: float = 30.0  # from the first byte of a head to its end
    keepalive_s: float = 75.0  # an idle connection is closed after it
    body_idle_s: float = 60.0
    write_idle_s: float = 60.0
    quantum: int = 4 * KIB  # bytes
    drain_bytes: int = 64 * KIB  # an unread rest of a body up to here is read away to keep the connection
    linger_s: float = (
        30.0  # how long a closed connection's incoming bytes are thrown away so that the answer arrives
    )
    linger_idle_s: float = 5.0  # ... and how long without a byte
    linger_bytes: int = 256 * MIB

    @property
    def max_leases(self) -> int:
        """Uploads that may hold a worker thread at the same time; the rest of the threads serves short work."""
        return max(1, self.max_threads * 3 // 4)

    @property
    def tick_s(self) -> float:
        """How often deadlines are looked at."""
        reading = min(self.head_timeout_s, self.keepalive_s, self.body_idle_s)
        shortest = min(reading, self.write_idle_s, self.linger_s, self.linger_idle_s)
        return min(1.0, max(0.01, shortest / 4))


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Where to listen. Port 0 takes a free one (see `Server.addresses`). `sockets`: those that several processes listen on, bound
    already, instead of host and port."""

    host: str = "127.0.0.1"
    port: int = 0
    backlog: int = 1024
    tls: ssl.SSLContext | None = None
    sockets: tuple[socket.socket, ...] = ()
