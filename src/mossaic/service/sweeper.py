"""The sweeper: frees bytes that nothing refers to, and does what lifecycle rules ask for.

Two loops. One frees garbage as soon as the metadata store says so: the bytes of an aborted upload are gone within a second.
The other makes rounds every so often, under a lease: lifecycle rules, receipts that are too old, and orphans, which are blobs
that a crash left before any metadata named them.

Crash: garbage loses its bytes first and its row after, so that a crash in between repeats the deletion; the store never lets
an unreferenced blob be referred to again. A lifecycle step is one step of the store, on the condition that the version still
is what was judged. Nothing is remembered between rounds.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import time
from dataclasses import fields
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol

from mossaic.quick import dataclass
from mossaic.service.expiry import Expiry
from mossaic.service.requests import KEPT_S, abort_ended

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mossaic.model.names import BlobId
    from mossaic.ports import BlobStore, Clock, MetadataStore

_log = logging.getLogger("mossaic.sweeper")

_BATCH: Final = 256  # blobs a step
_POLL_S: Final = 2.0  # how long garbage that nobody announced may wait: its reader grace ran out
_BACKOFF_S: Final = 5.0  # after a step that failed
_FIRST_ROUND_S: Final = 10.0  # the start belongs to the clients
_LEASE_S: Final = 120.0
_LEASE: Final = "sweeper"
_ORPHAN_ROUNDS: Final = 24  # how often in a grace period orphans are looked for: that reads every folder
_SHARE: Final = 50  # a round may take one part in so many of the time


class SweepSettings(Protocol):
    """Seconds: between rounds; how old bytes must be that no metadata names before they count as orphans."""

    @property
    def interval_s(self) -> float: ...

    @property
    def orphan_grace_s(self) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepReport:
    """What was done: blobs freed, orphans freed and their bytes; by lifecycle rules: versions expired (deleted as a client
    would), removed and relabelled, uploads aborted (also those of upload-request links that have ended); receipts forgotten. `skipped`: somebody else holds the lease."""

    garbage: int = 0
    orphans: int = 0
    orphan_bytes: int = 0
    expired: int = 0
    removed: int = 0
    relabelled: int = 0
    aborted: int = 0
    receipts: int = 0
    skipped: bool = False

    def __add__(self, other: SweepReport) -> SweepReport:
        sums = {
            one.name: getattr(self, one.name) + getattr(other, one.name)
            for one in fields(self)
            if one.name != "skipped"
        }
        return SweepReport(**sums, skipped=self.skipped or other.skipped)


class Sweeper:
    """`receipts_s`: how long the receipt of a completed upload is kept. `done` sums up what was done since the start."""

    def __init__(
        self,
        *,
        metadata: MetadataStore,
        blobs: BlobStore,
        clock: Clock,
        settings: SweepSettings,
        receipts_s: float = 86_400.0,
    ) -> None:
        self._metadata = metadata
        self._blobs = blobs
        self._clock = clock
        self._settings = settings
        self._receipts = timedelta(seconds=receipts_s)
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._next_orphans = 0.0  # by the monotonic clock
        self.done = SweepReport()

    async def run(self) -> None:
        """Until cancelled. A failed step is logged and tried again later."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._collect())
            group.create_task(self._make_rounds())

    async def _collect(self) -> None:
        while True:
            try:
                self.done += await self.free_garbage(self._clock.now())
                await self._metadata.garbage_waits(_POLL_S)
            except Exception:  # noqa: BLE001  # the loop must outlive a full disk, a busy store and our own mistakes
                _log.exception("freeing garbage failed")
                await asyncio.sleep(_BACKOFF_S)

    async def _make_rounds(self) -> None:
        await asyncio.sleep(min(_FIRST_ROUND_S, self._settings.interval_s))
        while True:
            started = time.monotonic()
            try:
                with_orphans = started >= self._next_orphans
                self.done += await self._round(self._clock.now(), with_orphans=with_orphans)
                if with_orphans:
                    self._next_orphans = started + self._settings.orphan_grace_s / _ORPHAN_ROUNDS
            except Exception:  # noqa: BLE001  # the loop must outlive whatever one bucket or blob does
                _log.exception("a round failed")
            took = time.monotonic() - started
            await asyncio.sleep(max(self._settings.interval_s, took * _SHARE))

    async def sweep_once(self, now: datetime) -> SweepReport:
        """Everything once, as of `now`. Raises StoreError, OSError."""
        report = await self._round(now, with_orphans=True)
        return report + await self.free_garbage(now)

    async def _round(self, now: datetime, *, with_orphans: bool) -> SweepReport:
        if not await self._hold(_LEASE_S):
            return SweepReport(skipped=True)
        try:
            report = SweepReport(receipts=await self._metadata.forget_receipts(now - self._receipts))
            async for step in Expiry(self._metadata, now).steps():
                report += SweepReport(
                    expired=step.expired,
                    removed=step.removed,
                    relabelled=step.relabelled,
                    aborted=step.aborted,
                )
                await self._hold(_LEASE_S)
            report += SweepReport(aborted=await abort_ended(self._metadata, now))
            await self._metadata.forget_leases(now)
            await self._metadata.forget_requests(now - timedelta(seconds=KEPT_S))
            if with_orphans:
                report += await self.free_orphans(now)
        finally:
            await self._hold(0.0)
        return report

    async def _hold(self, seconds: float) -> bool:
        """Take or renew the lease; 0 gives it back."""
        now = self._clock.now()
        return await self._metadata.lease(_LEASE, self._holder, now=now, seconds=seconds)

    async def free_garbage(self, now: datetime) -> SweepReport:
        """Delete the bytes that nothing refers to any more. Raises StoreError, OSError."""
        freed = 0
        while found := await self._metadata.garbage(now=now, limit=_BATCH):
            await asyncio.to_thread(self._blobs.delete, found)
            await self._metadata.forget(found)
            freed += len(found)
        return SweepReport(garbage=freed)

    async def free_orphans(self, now: datetime) -> SweepReport:
        """Delete old bytes that the metadata never heard of, unfinished ones included. Raises StoreError, OSError."""
        before = now - timedelta(seconds=self._settings.orphan_grace_s)
        listed = self._blobs.list(before=before)
        report = SweepReport()
        while batch := await asyncio.to_thread(_some, listed):
            sizes = dict(batch)
            unknown = await self._metadata.unknown(list(sizes))
            await asyncio.to_thread(self._blobs.delete, unknown)
            report += SweepReport(orphans=len(unknown), orphan_bytes=sum(sizes[one] for one in unknown))
            await self._hold(_LEASE_S)
        return report


def _some(listed: Iterator[tuple[BlobId, int]]) -> list[tuple[BlobId, int]]:
    return list(islice(listed, _BATCH))
