"""Garbage, receipts, leases: what the sweeper and fsck ask of the metadata."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mossaic.model.names import BlobId
from mossaic.model.object import Blob
from mossaic.ports import Conflict
from mossaic.stores.sql.check import check
from mossaic.stores.sql.content import drop_retired
from mossaic.stores.sql.rows import NO_MD5, micros, unsigned
from mossaic.stores.sql.statements import LONG
from mossaic.stores.sql.uploads import drop_left_parts, has_left_parts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mossaic.stores.sql.database import Database
    from mossaic.stores.sql.statements import Transaction

_DUE = "SELECT content_id FROM content WHERE retired_at IS NOT NULL AND retired_at <= ? ORDER BY retired_at LIMIT ?"
_GARBAGE = "SELECT blob_id FROM blobs WHERE refs = 0 ORDER BY blob_id LIMIT ?"
_LEASE = """INSERT INTO leases VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET holder = excluded.holder,
    expires_at = excluded.expires_at WHERE holder = excluded.holder OR expires_at <= ?"""
_MICROS = 1_000_000


class HousekeepingTables:
    """`ports.Housekeeping`, but for `uploads_before`. `reader_grace_s`: how long a GET may still read what was deleted."""

    def __init__(self, database: Database, *, reader_grace_s: float) -> None:
        self._database = database
        self._reader_grace = int(reader_grace_s * _MICROS)

    async def garbage(self, *, now: datetime, limit: int) -> Sequence[BlobId]:
        due = micros(now) - self._reader_grace
        read = self._database.read
        while has_left_parts(read):  # they name no blobs any more, but nobody else comes by
            await self._database.write(drop_left_parts, is_long=True)
        if read.one(_DUE, due, 1) is not None:  # reading costs nothing, a commit does

            def step(tx: Transaction) -> None:
                room = limit
                for (content_id,) in tx.all(_DUE, due, limit):
                    if room <= 0:
                        return
                    room -= drop_retired(tx, content_id)

            await self._database.write(step, is_long=True)
        return [BlobId(blob_id.hex()) for (blob_id,) in read.all(_GARBAGE, limit)]

    async def garbage_waits(self, timeout_s: float) -> bool:
        """Wait until a step of this process leaves garbage; False after the timeout. One waiter at a time."""
        if not self._database.freed.is_set():
            try:
                await asyncio.wait_for(self._database.freed.wait(), timeout_s)
            except TimeoutError:
                return False
        self._database.freed.clear()
        return True

    async def forget(self, blob_ids: Sequence[BlobId]) -> None:
        def step(tx: Transaction) -> None:
            for blob_id in blob_ids:
                raw = bytes.fromhex(blob_id)
                if tx.run("DELETE FROM blobs WHERE blob_id = ? AND refs = 0", raw):
                    continue
                if tx.one("SELECT 1 FROM blobs WHERE blob_id = ?", raw) is not None:
                    raise Conflict(f"blob {blob_id} is referenced")

        await self._database.write(step, is_long=len(blob_ids) > LONG)

    async def unknown(self, blob_ids: Sequence[BlobId]) -> Sequence[BlobId]:
        known = {blob.blob_id for blob in await self.known_blobs(blob_ids)}
        return [blob_id for blob_id in blob_ids if blob_id not in known]

    async def known_blobs(self, blob_ids: Sequence[BlobId]) -> Sequence[Blob]:
        """Those that are known, in the order asked."""
        sql = "SELECT blob_id, size, md5, crc64 FROM blobs WHERE blob_id = ?"
        rows = (self._database.read.one(sql, bytes.fromhex(blob_id)) for blob_id in blob_ids)
        return [_blob(*row) for row in rows if row is not None]

    async def blobs(self, *, after: str, limit: int) -> Sequence[tuple[Blob, int]]:
        sql = "SELECT blob_id, size, md5, crc64, refs FROM blobs WHERE blob_id > ? ORDER BY blob_id LIMIT ?"
        rows = self._database.read.all(sql, bytes.fromhex(after), limit)
        return [(_blob(*row), refs) for *row, refs in rows]

    async def forget_receipts(self, before: datetime) -> int:
        sql = "DELETE FROM receipts WHERE completed_at < ?"
        return await self._database.write(lambda tx: tx.run(sql, micros(before)), is_long=True)

    async def lease(self, name: str, holder: str, *, now: datetime, seconds: float) -> bool:
        at = micros(now)
        values = (name, holder, at + int(seconds * _MICROS), at)
        return await self._database.write(lambda tx: tx.run(_LEASE, *values)) > 0

    async def forget_leases(self, now: datetime) -> None:
        """Those that are over."""
        sql = "DELETE FROM leases WHERE expires_at <= ?"
        await self._database.write(lambda tx: tx.run(sql, micros(now)))

    async def check(self) -> Sequence[str]:
        return await asyncio.to_thread(check, self._database)

    async def probe(self) -> None:
        sql = "INSERT INTO leases VALUES ('probe', '', 0) ON CONFLICT (name) DO UPDATE SET expires_at = expires_at + 1"
        await self._database.write(lambda tx: tx.run(sql))


def _blob(raw: bytes, size: int, md5: str, crc64: int) -> Blob:
    return Blob(
        blob_id=BlobId(raw.hex()), size=size, md5=None if md5 == NO_MD5 else md5, crc64=unsigned(crc64)
    )
