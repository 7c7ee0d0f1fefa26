"""The way to the service: its name, a connection, TLS, the clock at its end."""

from __future__ import annotations

import socket
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from mossaic.client.diagnosis.finding import Finding
from mossaic.client.errors import ConnectionTimeoutError, NetworkError
from mossaic.client.http import Request

if TYPE_CHECKING:
    from mossaic.client.endpoint import Place
    from mossaic.client.exchange import Session

_ALLOWED_S: Final = 900  # OSS refuses requests whose time is further off (OSS API: RequestTimeTooSkewed)
_NOTABLE_S: Final = 60


def name(place: Place) -> Finding:
    """Whether the host has an address."""
    host = place.origin.host
    began = time.monotonic()
    try:
        found = socket.getaddrinfo(host, place.origin.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return Finding(
            check="dns",
            verdict="failed",
            words=f"{host} has no address: {error}",
            advice=(
                "check the spelling of the endpoint and of the bucket, which is part of the host name",
                "a service that is not found as BUCKET.host may be in path style: --addressing path",
            ),
        )
    took = time.monotonic() - began
    addresses = sorted({str(row[4][0]) for row in found})
    return Finding(
        check="dns",
        verdict="ok",
        words=f"{host} is {', '.join(addresses[:3])} ({took * 1000:.0f} ms)",
        facts={"addresses": addresses, "seconds": round(took, 4)},
    )


def connection_and_clock(session: Session, place: Place) -> tuple[Finding, Finding | None]:
    """Whether anything answers over HTTP (and TLS), how soon, and what time it is there."""
    request = Request(
        method="GET",
        origin=place.origin,
        target="/",
        headers=[("host", place.host), ("user-agent", session.user_agent)],
    )
    began = time.time()
    try:
        response = session.pool.send(request, deadline=time.monotonic() + 30)
        response.close()
    except NetworkError as error:
        return _unreachable(place, error), None
    took = time.time() - began
    over = "https, certificate accepted" if place.origin.secure else "http, not encrypted"
    connected = Finding(
        check="connection",
        verdict="ok",
        words=f"{place.host} answers in {took * 1000:.0f} ms ({over}; server {response.headers.get('server', 'unnamed')})",
        facts={"seconds": round(took, 4), "secure": place.origin.secure},
    )
    return connected, _clock(response.headers.get("date", ""), began + took / 2)


def _unreachable(place: Place, error: NetworkError) -> Finding:
    advice = ["check the port and whether the service runs; for Mossaic: make run, or mossaic serve"]
    if place.origin.secure:
        advice = [
            "a certificate of your own: --ca-file FILE; a service without TLS: write http:// before the endpoint"
        ]
    if isinstance(error, ConnectionTimeoutError):
        advice = [
            "a firewall or a proxy may swallow the packets; try --proxy, or the internal endpoint from inside the cloud"
        ]
    return Finding(check="connection", verdict="failed", words=str(error), advice=tuple(advice))


def _clock(date: str, ours: float) -> Finding:
    try:
        offset = parsedate_to_datetime(date).timestamp() + 0.5 - ours  # the header has whole seconds
    except ValueError:
        return Finding(check="clock", verdict="skipped", words="the service does not tell its time")
    facts = {"offset_s": round(offset, 1)}
    if abs(offset) < _NOTABLE_S:
        return Finding(
            check="clock", verdict="ok", words=f"the clocks are {abs(offset):.0f} s apart", facts=facts
        )
    side = "behind" if offset > 0 else "ahead"
    refused = abs(offset) > _ALLOWED_S
    return Finding(
        check="clock",
        verdict="failed" if refused else "warning",
        words=f"this machine's clock is {abs(offset):.0f} s {side}"
        + ("; other clients are refused with RequestTimeTooSkewed" if refused else ""),
        advice=("set the clock (timedatectl set-ntp true); this client corrects its signatures by itself",),
        facts=facts,
    )
