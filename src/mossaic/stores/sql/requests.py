"""Upload-request links: their rows, and what steps on objects and parts count against them.

Counting happens in the transaction of the step itself. Of two steps that want the last place one gets it, whichever process
they run in; a step that fails or a crash leaves no count behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mossaic.model.names import BucketName
from mossaic.model.upload_request import MAX_LINKS, MAX_OPEN_UPLOADS, Creator, Limits, Reason, UploadRequest
from mossaic.ports import Absent, LinkRefused, OverQuota
from mossaic.stores.sql import buckets
from mossaic.stores.sql.rows import UPLOAD_COLUMNS, micros, moment, upload_from

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mossaic.model.names import UploadId
    from mossaic.model.upload import Part, Upload
    from mossaic.stores.sql.database import Database
    from mossaic.stores.sql.statements import Reader, Row, Transaction

_COLUMNS = """request_id, secret_hash, prefix, title, note, creator, creator_user, creator_key_id, max_object_bytes,
    max_total_bytes, max_objects, r.created_at, expires_at, revoked_at, used_objects, used_bytes, held_bytes"""
_ADD = """INSERT INTO upload_requests (bucket_id, request_id, secret_hash, prefix, title, note, creator, creator_user,
    creator_key_id, max_object_bytes, max_total_bytes, max_objects, created_at, expires_at, used_objects, used_bytes,
    held_bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0)"""
_GET = f"""SELECT b.name, {_COLUMNS} FROM upload_requests AS r JOIN buckets AS b USING (bucket_id)
    WHERE request_id = ?"""  # noqa: S608  # constants
_OF_BUCKET = f"""SELECT b.name, {_COLUMNS} FROM upload_requests AS r JOIN buckets AS b USING (bucket_id)
    WHERE bucket_id = ? ORDER BY r.created_at DESC, request_id LIMIT ?"""  # noqa: S608  # constants
_COUNT = "SELECT count(*) FROM upload_requests WHERE bucket_id = ?"
_REVOKE = (
    "UPDATE upload_requests SET revoked_at = ? WHERE request_id = ? AND revoked_at IS NULL AND expires_at > ?"
)
_TAKE = """UPDATE upload_requests SET used_objects = used_objects + 1, used_bytes = used_bytes + ?
    WHERE request_id = ?"""
_HOLD = "UPDATE upload_requests SET held_bytes = held_bytes + ? WHERE request_id = ?"
_OPEN_UPLOADS = "SELECT count(*) FROM uploads WHERE request_id = ?"
_SIZES = """SELECT coalesce(sum(size) FILTER (WHERE number <> ?1), 0), coalesce(sum(size) FILTER (WHERE number = ?1), 0)
    FROM parts WHERE upload_num = """
_UPLOAD_NUM = "(SELECT upload_num FROM uploads WHERE upload_id = ?2)"
_ENDED = "(revoked_at IS NOT NULL OR expires_at <= ?)"
# The index holds uploads of links only: few, whatever the number of uploads.
_OF_ENDED = f"""SELECT b.name, {", ".join("u." + column.strip() for column in UPLOAD_COLUMNS.split(","))}
    FROM uploads AS u JOIN buckets AS b USING (bucket_id) LEFT JOIN upload_requests AS r USING (request_id)
    WHERE u.request_id IS NOT NULL AND (r.request_id IS NULL OR {_ENDED}) LIMIT ?"""  # noqa: S608  # constants
_FORGOTTEN = """FROM upload_requests WHERE min(expires_at, coalesce(revoked_at, expires_at)) < ?
    AND NOT EXISTS (SELECT 1 FROM uploads AS u WHERE u.request_id = upload_requests.request_id)"""


# --- inside the steps of objects and uploads --------------------------------------------------------------------------


def admit_upload(tx: Transaction, request_id: str, now: datetime) -> None:
    """An upload begins. Raises LinkRefused: also when what it would make has no place any more."""
    request = _living(tx, request_id)
    _require(request, request.why_not(now, size=0, more=0, count=1))
    if tx.all(_OPEN_UPLOADS, request_id)[0][0] >= MAX_OPEN_UPLOADS:
        raise LinkRefused(Reason.UPLOADS, request)


def hold_part(tx: Transaction, request_id: str, upload_num: int, part: Part) -> None:
    """A part comes, or replaces the one of its number. Raises LinkRefused."""
    request = _living(tx, request_id)
    others, old = tx.all(_SIZES + "?2", part.number, upload_num)[0]
    more = part.size - old
    _require(request, request.why_not(part.stored_at, size=others + part.size, more=more))
    tx.run(_HOLD, more, request_id)


def give_back(tx: Transaction, request_id: str, size: int) -> None:
    """An upload whose parts have `size` bytes is closed."""
    tx.run(_HOLD, -size, request_id)


def take_place(tx: Transaction, request_id: str, *, size: int, now: datetime) -> None:
    """An object of `size` bytes is published. Raises LinkRefused."""
    request = _living(tx, request_id)
    _require(request, request.why_not(now, size=size, more=size, count=1))
    tx.run(_TAKE, size, request_id)


def refuse_existing(reader: Reader, request_id: str) -> LinkRefused:
    return LinkRefused(Reason.EXISTS, _living(reader, request_id))


def _living(reader: Reader, request_id: str) -> UploadRequest:
    """Raises Absent: the row went, and with it whatever was to be written."""
    row = reader.one(_GET, request_id)
    if row is None:
        raise Absent(f"upload request {request_id}")
    return _request(row)


def _require(request: UploadRequest, reason: Reason | None) -> None:
    if reason is not None:
        raise LinkRefused(reason, request)


# --- the port ---------------------------------------------------------------------------------------------------------


class RequestTables:
    """`ports.UploadRequests`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_request(self, request: UploadRequest) -> None:
        def step(tx: Transaction) -> None:
            bucket_id = buckets.bucket_id_of(tx, request.bucket)
            if tx.all(_COUNT, bucket_id)[0][0] >= MAX_LINKS:
                raise OverQuota(f"{MAX_LINKS} upload requests")
            tx.run(_ADD, bucket_id, *_row(request))

        await self._database.write(step)

    async def upload_request(self, request_id: str) -> UploadRequest | None:
        row = self._database.read.one(_GET, request_id)
        return None if row is None else _request(row)

    async def upload_requests(self, bucket: BucketName) -> Sequence[UploadRequest]:
        """Raises Absent (bucket)."""
        read = self._database.read
        with read.snapshot():
            rows = read.all(_OF_BUCKET, buckets.bucket_id_of(read, bucket), MAX_LINKS)
        return [_request(row) for row in rows]

    async def revoke_request(self, request_id: str, now: datetime) -> UploadRequest:
        def step(tx: Transaction) -> UploadRequest:
            tx.run(_REVOKE, micros(now), request_id, micros(now))
            return _living(tx, request_id)

        return await self._database.write(step)

    async def part_sizes(self, upload_id: UploadId, number: int) -> tuple[int, int]:
        others, own = self._database.read.all(_SIZES + _UPLOAD_NUM, number, upload_id)[0]
        return others, own

    async def uploads_of_ended(self, now: datetime, limit: int) -> Sequence[Upload]:
        rows = self._database.read.all(_OF_ENDED, micros(now), limit)
        return [upload_from(BucketName(bucket), tuple(row)) for bucket, *row in rows]

    async def forget_requests(self, before: datetime) -> int:
        if self._database.read.one(f"SELECT 1 {_FORGOTTEN} LIMIT 1", micros(before)) is None:
            return 0  # reading costs nothing, a commit does
        return await self._database.write(lambda tx: tx.run(f"DELETE {_FORGOTTEN}", micros(before)))


def _row(request: UploadRequest) -> tuple[object, ...]:
    creator, limits = request.creator, request.limits
    return (
        request.request_id,
        request.secret_hash,
        request.prefix,
        request.title,
        request.note,
        creator.id,
        creator.user,
        creator.key_id,
        limits.object_bytes,
        limits.total_bytes,
        limits.objects,
        micros(request.created_at),
        micros(request.expires_at),
    )


def _request(row: Row) -> UploadRequest:
    bucket, request_id, secret_hash, prefix, title, note, creator, user, key_id, *more = row
    object_bytes, total_bytes, objects, created, expires, revoked, used_objects, used_bytes, held_bytes = more
    return UploadRequest(
        request_id=request_id,
        secret_hash=secret_hash,
        bucket=BucketName(bucket),
        prefix=prefix,
        title=title,
        note=note,
        creator=Creator(id=creator, user=user, key_id=key_id),
        limits=Limits(object_bytes=object_bytes, total_bytes=total_bytes, objects=objects),
        created_at=moment(created),
        expires_at=moment(expires),
        revoked_at=None if revoked is None else moment(revoked),
        used_objects=used_objects,
        used_bytes=used_bytes,
        held_bytes=held_bytes,
    )
