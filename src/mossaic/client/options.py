"""How a client behaves: time limits, retries, addressing and checks, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Addressing = Literal["auto", "virtual", "path", "cname"]
Checksum = Literal["crc64", "crc64+md5", "none"]
SignatureVersion = Literal["v4", "v1"]

RETRIED_STATUSES: Final = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeout:
    """Seconds. `connect`: until a connection stands; `idle`: the longest silence while sending or receiving.

    There is no limit for a whole request: a large part on a slow line may take as long as it moves.
    """

    connect: float = 10.0
    idle: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """`attempts` in all, the first one included. The wait before attempt n+1 is random in 0 … min(cap, base * 2**n) seconds
    (full jitter), or what the server's `Retry-After` says, at most `cap`.

    Repeated: network errors and timeouts, and the statuses in `statuses`.
    """

    attempts: int = 6
    base: float = 0.2
    cap: float = 20.0
    statuses: frozenset[int] = RETRIED_STATUSES


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrying:
    """Why and how a request is repeated; given to `on_retry` before the wait. `attempt` is the one that failed, from 1."""

    operation: str
    attempt: int
    wait_s: float
    error: Exception
