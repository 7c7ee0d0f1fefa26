"""Open multipart uploads, their parts, and the receipts of completed ones.

A row in `uploads` is an open upload. Every step on one begins by finding that row in its own transaction, and Complete and
Abort delete it: of two that race one finds it and the other raises Absent. The rows of its parts mean nothing without it; where
they are many they go later (`drop_left_parts`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from mossaic.model.upload import PartColumns, PartPage
from mossaic.ports import Absent, Busy, Commit, Conflict, Stored
from mossaic.protocol.limits import MAX_PART_NUMBER
from mossaic.stores.sql import buckets, requests
from mossaic.stores.sql.buckets import Counts
from mossaic.stores.sql.content import are_handed_on, blob_ids, change_holders, held, holding
from mossaic.stores.sql.objects import publish, require_free, require_new
from mossaic.stores.sql.pages import TOGETHER, columns_of
from mossaic.stores.sql.rows import (
    HELD_COLUMNS,
    PART_COLUMNS,
    RECEIPT_COLUMNS,
    SHOWN_OF_PARTS,
    UPLOAD_COLUMNS,
    micros,
    part_columns,
    part_from,
    receipt_from,
    shown_parts,
    signed,
    upload_from,
    upload_row,
)
from mossaic.stores.sql.statements import LONG

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from mossaic.model.names import BucketName, ObjectKey, UploadId
    from mossaic.model.object import Blob
    from mossaic.model.upload import Completed, Part, Upload
    from mossaic.stores.sql.database import Database
    from mossaic.stores.sql.statements import Reader, Transaction

    Decide = Callable[[PartColumns], tuple[Commit, Completed]]

_ADD = f"INSERT INTO uploads (bucket_id, {UPLOAD_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_GET = f"""SELECT {UPLOAD_COLUMNS} FROM uploads WHERE upload_id = ? AND key = ?
    AND bucket_id = (SELECT bucket_id FROM buckets WHERE name = ?)"""  # noqa: S608  # constants
_BEFORE = f"""SELECT {UPLOAD_COLUMNS} FROM uploads WHERE bucket_id = ? AND initiated_at < ?
    ORDER BY initiated_at LIMIT ?"""  # noqa: S608  # constants
_OPEN = "SELECT upload_num, bucket_id, key, sequential, request_id FROM uploads WHERE upload_id = ?"
_CLOSE = "DELETE FROM uploads WHERE upload_num = ?"
_PUT_PART = f"INSERT OR REPLACE INTO parts (upload_num, {PART_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_PUT_FIRST = f"""INSERT INTO parts (upload_num, {PART_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (upload_num, number) DO NOTHING"""  # noqa: S608  # constants
_OLD_PART = "SELECT size, packed FROM parts WHERE upload_num = ? AND number = ?"
_LAST_PART = "SELECT max(number) FROM parts WHERE upload_num = ?"
_PARTS = f"""SELECT {PART_COLUMNS} FROM parts WHERE upload_num = (SELECT upload_num FROM uploads WHERE upload_id = ?)
    AND number > ? ORDER BY number LIMIT ?"""  # noqa: S608  # constants
_NUM = "SELECT upload_num FROM uploads WHERE upload_id = ?"
_NTH_PART = "SELECT number FROM parts WHERE upload_num = ? AND number > ? ORDER BY number LIMIT 1 OFFSET ?"
_SHOWN_PARTS = columns_of("parts", SHOWN_OF_PARTS, within="upload_num = ? AND number > ? AND number < ?")
_PART = f"""SELECT {PART_COLUMNS} FROM parts WHERE upload_num = (SELECT upload_num FROM uploads WHERE upload_id = ?)
    AND number = ?"""  # noqa: S608  # constants
_HELD = columns_of("parts", HELD_COLUMNS, within="upload_num = ?", first=TOGETHER)
_LENGTHS = columns_of("parts", "length(packed)", within="upload_num = ?")
_HAS_MANY = """SELECT 1 FROM parts WHERE upload_num = (SELECT upload_num FROM uploads WHERE upload_id = ?)
    LIMIT 1 OFFSET ?"""
_DROP_PARTS = "DELETE FROM parts WHERE upload_num = ?"
_DROP_PARTS_BELOW = "DELETE FROM parts WHERE upload_num = ? AND number < ?"
_LEAVE_PARTS = "INSERT INTO closed_uploads VALUES (?)"
_LEFT = "SELECT upload_num FROM closed_uploads WHERE upload_num > 0 ORDER BY upload_num LIMIT 1"
_SETTLED = "DELETE FROM closed_uploads WHERE upload_num = ?"
_ADD_RECEIPT = f"INSERT INTO receipts (bucket_id, {RECEIPT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_GET_RECEIPT = f"""SELECT {RECEIPT_COLUMNS} FROM receipts WHERE upload_id = ? AND key = ?
    AND bucket_id = (SELECT bucket_id FROM buckets WHERE name = ?)"""  # noqa: S608  # constants
_NO_LIMIT = -1
_DROPPED_AT_ONCE = 1_000  # parts, in a step that others wait for


def put_part(tx: Transaction, upload_id: UploadId, part: Part, new_blobs: tuple[Blob, ...]) -> None:
    row = tx.one(_OPEN, upload_id)
    if row is None:
        raise Absent(upload_id)
    upload_num, bucket_id, _, sequential, request_id = row
    if sequential and part.number != (last := tx.all(_LAST_PART, upload_num)[0][0] or 0) + 1:
        raise Conflict(f"part {part.number} does not follow part {last}")
    if request_id is not None:
        requests.hold_part(tx, request_id, upload_num, part)
    packed = part.manifest.packed
    gone: dict[bytes, int] = {}
    counts = Counts(parts=1, part_size=part.size)
    row = (upload_num, part.number, part.size, part.etag, signed(part.crc64), packed, micros(part.stored_at))
    if tx.run(_PUT_FIRST, *row) == 0:  # few are sent again
        old_size, old_packed = tx.all(_OLD_PART, upload_num, part.number)[0]
        tx.run(_PUT_PART, *row)
        gone = holding(old_packed)
        counts = Counts(part_size=part.size - old_size)
    change_holders(tx, gone=gone, come=holding(packed), new_blobs=new_blobs)
    buckets.count(tx, bucket_id, counts)


def complete(tx: Transaction, upload: Upload, decide: Decide) -> Stored:
    found = _open(tx, upload.bucket, upload.key, upload.upload_id)
    stored = _columns(tx, found.upload_num)
    commit, receipt = decide(stored)
    packed = commit.version.manifest.packed
    handed_on = are_handed_on(stored.packed, packed)
    gone = None if handed_on else held(stored.packed)
    if gone is not None and not blob_ids(packed) <= gone.keys():
        raise Busy("the object's manifest names blobs that are not of its parts")
    if found.request_id is not None:  # its bytes are counted again as the object's
        requests.give_back(tx, found.request_id, stored.size)
        commit = replace(commit, request_id=found.request_id)
    result = publish(tx, commit, gone=gone, handed_on=handed_on)
    _close(tx, found, stored)
    receipt = replace(receipt, version_id=result.version_id)
    tx.run(_ADD_RECEIPT, found.bucket_id, *_receipt_row(receipt))
    return result


def abort(tx: Transaction, bucket: BucketName, key: ObjectKey, upload_id: UploadId) -> None:
    found = _open(tx, bucket, key, upload_id)
    stored = _columns(tx, found.upload_num)
    change_holders(tx, gone=held(stored.packed), come={})
    if found.request_id is not None:
        requests.give_back(tx, found.request_id, stored.size)
    _close(tx, found, stored)


class _Open(NamedTuple):
    """An open upload inside a step."""

    upload_num: int
    bucket_id: int
    request_id: str | None


def _open(tx: Transaction, bucket: BucketName, key: ObjectKey, upload_id: UploadId) -> _Open:
    """Raises Absent."""
    bucket_id, _ = buckets.written_bucket(tx, bucket)
    row = tx.one(_OPEN, upload_id)
    if row is None or row[1:3] != (bucket_id, key.encode()):
        raise Absent(upload_id)
    return _Open(row[0], bucket_id, row[4])


def _columns(tx: Transaction, upload_num: int) -> PartColumns:
    ((count, *joined),) = tx.all(_HELD, upload_num)
    return part_columns([whole or b"" for whole in joined], count, lambda: tx.all(_LENGTHS, upload_num)[0][1])


def _close(tx: Transaction, found: _Open, stored: PartColumns) -> None:
    """Remove the rows of the upload; the references of its parts have been moved or released."""
    if len(stored) > LONG:
        tx.run(_LEAVE_PARTS, found.upload_num)
        tx.freed = True
    else:
        tx.run(_DROP_PARTS, found.upload_num)
    tx.run(_CLOSE, found.upload_num)
    counts = Counts(uploads=-1, parts=-len(stored), part_size=-stored.size)
    buckets.count(tx, found.bucket_id, counts)


def has_left_parts(reader: Reader) -> bool:
    return reader.one(_LEFT) is not None


def drop_left_parts(tx: Transaction) -> None:
    """Delete some rows of parts that closed uploads left."""
    for (upload_num,) in tx.all(_LEFT):
        edge = tx.one(_NTH_PART, upload_num, 0, _DROPPED_AT_ONCE)
        if edge is not None:
            tx.run(_DROP_PARTS_BELOW, upload_num, edge[0])
        else:
            tx.run(_DROP_PARTS, upload_num)
            tx.run(_SETTLED, upload_num)


def _receipt_row(receipt: Completed) -> tuple[object, ...]:
    return (
        receipt.upload_id,
        receipt.key.encode(),
        receipt.digest,
        receipt.etag,
        signed(receipt.crc64),
        receipt.size,
        receipt.version_id,
        micros(receipt.completed_at),
    )


class UploadTables:
    """`ports.Uploads`, but for the listing of uploads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create_upload(self, upload: Upload) -> None:
        def step(tx: Transaction) -> None:
            bucket_id, versioning = buckets.written_bucket(tx, upload.bucket)
            if upload.request_id is not None:
                require_new(tx, bucket_id, upload.key, upload.request_id)
                requests.admit_upload(tx, upload.request_id, upload.initiated_at)
            if upload.forbid_overwrite:
                require_free(tx, bucket_id, upload.key, versioning)
            if tx.one("SELECT 1 FROM receipts WHERE upload_id = ?", upload.upload_id) is not None:
                raise Conflict(f"{upload.upload_id} was used before")
            tx.run(_ADD, bucket_id, *upload_row(upload))
            buckets.count(tx, bucket_id, Counts(uploads=1))

        await self._database.write(step)

    async def upload(self, bucket: BucketName, key: ObjectKey, upload_id: UploadId) -> Upload | None:
        row = self._database.read.one(_GET, upload_id, key.encode(), bucket)
        return None if row is None else upload_from(bucket, row)

    async def put_part(self, upload_id: UploadId, part: Part, new_blobs: tuple[Blob, ...]) -> None:
        await self._database.write(lambda tx: put_part(tx, upload_id, part, new_blobs))

    async def part(self, upload_id: UploadId, number: int) -> Part | None:
        row = self._database.read.one(_PART, upload_id, number)
        return None if row is None else part_from(row)

    async def parts(self, upload_id: UploadId, *, after: int, limit: int) -> PartPage:
        read = self._database.read
        with read.snapshot():
            (upload_num,) = read.one(_NUM, upload_id) or (None,)
            edge = read.one(_NTH_PART, upload_num, after, limit)
            stop = edge[0] if edge is not None else MAX_PART_NUMBER + 1
            ((count, *found),) = read.all(_SHOWN_PARTS, upload_num, after, stop)
        shown = shown_parts([whole or b"" for whole in found], count)
        return PartPage(
            columns=shown, truncated=edge is not None, next_key=str(shown.numbers[-1]) if edge else ""
        )

    async def all_parts(self, upload_id: UploadId) -> Sequence[Part]:
        return [part_from(row) for row in self._database.read.all(_PARTS, upload_id, 0, _NO_LIMIT)]

    async def complete(self, upload: Upload, decide: Decide) -> Stored:
        is_long = self._database.read.one(_HAS_MANY, upload.upload_id, LONG) is not None
        return await self._database.write(lambda tx: complete(tx, upload, decide), is_long=is_long)

    async def receipt(self, bucket: BucketName, key: ObjectKey, upload_id: UploadId) -> Completed | None:
        row = self._database.read.one(_GET_RECEIPT, upload_id, key.encode(), bucket)
        return None if row is None else receipt_from(bucket, row)

    async def abort(self, bucket: BucketName, key: ObjectKey, upload_id: UploadId) -> None:
        await self._database.write(lambda tx: abort(tx, bucket, key, upload_id), is_long=True)

    async def uploads_before(self, bucket: BucketName, before: datetime, limit: int) -> Sequence[Upload]:
        """Oldest first. Raises Absent (bucket)."""
        read = self._database.read
        with read.snapshot():
            rows = read.all(_BEFORE, buckets.bucket_id_of(read, bucket), micros(before), limit)
        return [upload_from(bucket, row) for row in rows]
