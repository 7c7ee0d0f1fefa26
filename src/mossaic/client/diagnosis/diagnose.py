"""All looks in order; what cannot be tried because an earlier thing failed is skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mossaic.client.diagnosis import access, line
from mossaic.client.diagnosis.finding import Finding
from mossaic.client.diagnosis.parts import parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mossaic.client.exchange import Session


def diagnose(session: Session, bucket: str, prefix: str, *, origin: str) -> Iterator[Finding]:
    """Findings as they come. Writes nothing but an upload that is aborted at once. Raises ValueError: no bucket name."""
    place = session.endpoint.place(bucket, None)
    named = line.name(place)
    yield named
    if named.verdict == "failed":
        yield from _skipped("connection", "clock", "signature", "cors", "parts")
        return
    connected, clock = line.connection_and_clock(session, place)
    yield connected
    if clock is None:
        yield from _skipped("clock", "signature", "cors", "parts")
        return
    yield clock
    signed = access.signature(session, bucket, prefix)
    yield signed
    if signed.verdict == "failed":
        yield from _skipped("cors", "parts")
        return
    yield access.cors(session, bucket, prefix, origin)
    yield parts(session, bucket, prefix)


def _skipped(*checks: str) -> Iterator[Finding]:
    for check in checks:
        yield Finding(check=check, verdict="skipped", words="not tried, because of what failed before")
