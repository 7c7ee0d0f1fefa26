"""Buckets, their documents and their totals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mossaic.model.bucket import Bucket, BucketTotals, ClassTotals, Versioning
from mossaic.model.object import StorageClass
from mossaic.model.page import Page
from mossaic.ports import Absent, Conflict, OverQuota
from mossaic.quick import dataclass
from mossaic.stores.sql.rows import BUCKET_COLUMNS, bucket_from, bucket_row, moment

if TYPE_CHECKING:
    from mossaic.model.names import BucketName
    from mossaic.stores.sql.database import Database
    from mossaic.stores.sql.statements import Reader, Transaction

_ID = "SELECT bucket_id, versioning FROM buckets WHERE name = ?"
_ADD = f"INSERT INTO buckets ({BUCKET_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  # constants
_GET = f"SELECT {BUCKET_COLUMNS} FROM buckets WHERE name = ?"  # noqa: S608  # constants
_PAGE = (
    f"SELECT {BUCKET_COLUMNS} FROM buckets WHERE name > ? AND name >= ? AND name < ? ORDER BY name LIMIT ?"  # noqa: S608  # constants
)
_CHANGE = """UPDATE buckets SET acl = ?, storage_class = ?, redundancy = ?, versioning = ?, documents = ?,
    revision = revision + 1 WHERE name = ? AND revision = ?"""
_IN_USE = """SELECT EXISTS (SELECT 1 FROM objects WHERE bucket_id = ?)
    OR EXISTS (SELECT 1 FROM history WHERE bucket_id = ?) OR EXISTS (SELECT 1 FROM uploads WHERE bucket_id = ?)"""
_TALLY = """INSERT INTO class_totals SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM buckets WHERE bucket_id = ?1)
    ON CONFLICT (bucket_id, storage_class) DO UPDATE SET size = size + excluded.size, count = count + excluded.count,
    modified_at = max(modified_at, excluded.modified_at)"""
_COUNT = """UPDATE bucket_counts SET upload_count = upload_count + ?2, part_count = part_count + ?3,
    part_size = part_size + ?4, delete_marker_count = delete_marker_count + ?5
    WHERE bucket_id = ?1 AND ?6 = 0"""
_LAST_NAME = "~"  # sorts after every character of a bucket name


def bucket_id_of(reader: Reader, name: BucketName) -> int:
    """Raises Absent."""
    return bucket_of(reader, name)[0]


def bucket_of(reader: Reader, name: BucketName) -> tuple[int, Versioning]:
    """The id and the versioning state at this moment. Raises Absent."""
    row = reader.one(_ID, name)
    if row is None:
        raise Absent(f"bucket {name}")
    return row[0], Versioning(row[1])


def written_bucket(tx: Transaction, name: BucketName) -> tuple[int, Versioning]:
    """As `bucket_of`, looked up once for all steps of a batch. Raises Absent."""
    row = tx.known.get(name)
    if row is None:
        row = tx.known[name] = bucket_of(tx, name)
    return row[0], row[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a step adds to a bucket's totals: bytes and versions of one storage class, at `now` (microseconds)."""

    storage_class: str
    size: int
    count: int
    now: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a step adds to a bucket's other counts; `part_size` in bytes."""

    uploads: int = 0
    parts: int = 0
    part_size: int = 0
    markers: int = 0


def tally(tx: Transaction, bucket_id: int, change: Change) -> None:
    tx.add_later(_TALLY, (bucket_id, change.storage_class), (change.size, change.count), latest=change.now)


def count(tx: Transaction, bucket_id: int, counts: Counts) -> None:
    tx.add_later(_COUNT, (bucket_id,), (counts.uploads, counts.parts, counts.part_size, counts.markers))


class BucketTables:
    """`ports.Buckets`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create_bucket(self, bucket: Bucket, *, quota: int) -> None:
        def step(tx: Transaction) -> None:
            if tx.one(_ID, bucket.name) is not None:
                raise Conflict(f"bucket {bucket.name} exists")
            if tx.all("SELECT count(*) FROM buckets")[0][0] >= quota:
                raise OverQuota(f"{quota} buckets")
            bucket_id = tx.insert(_ADD, *bucket_row(bucket))
            tx.run("INSERT INTO bucket_counts (bucket_id) VALUES (?)", bucket_id)

        await self._database.write(step)

    async def bucket(self, name: BucketName) -> Bucket | None:
        row = self._database.read.one(_GET, name)
        return None if row is None else bucket_from(row)

    async def buckets(self, *, prefix: str, after: str, limit: int) -> Page[Bucket]:
        rows = self._database.read.all(_PAGE, after, prefix, prefix + _LAST_NAME, limit + 1)
        found = tuple(bucket_from(row) for row in rows[:limit])
        truncated = len(rows) > limit
        return Page(items=found, truncated=truncated, next_key=found[-1].name if truncated else "")

    async def change_bucket(self, bucket: Bucket) -> Bucket:
        row = bucket_row(bucket)

        def step(tx: Transaction) -> Bucket:
            tx.known.pop(bucket.name, None)
            if tx.run(_CHANGE, *row[4:9], bucket.name, bucket.revision) == 0:
                bucket_id_of(tx, bucket.name)
                raise Conflict(f"bucket {bucket.name} is not at revision {bucket.revision} any more")
            return bucket_from(tx.all(_GET, bucket.name)[0])

        return await self._database.write(step)

    async def delete_bucket(self, name: BucketName) -> None:
        def step(tx: Transaction) -> None:
            tx.known.pop(name, None)
            bucket_id = bucket_id_of(tx, name)
            if tx.all(_IN_USE, bucket_id, bucket_id, bucket_id)[0][0]:
                raise Conflict(f"bucket {name} is not empty")
            for table in ("buckets", "bucket_counts", "class_totals", "upload_requests"):
                tx.run(f"DELETE FROM {table} WHERE bucket_id = ?", bucket_id)  # noqa: S608  # constants

        await self._database.write(step)

    async def bucket_totals(self, name: BucketName) -> BucketTotals:
        """Raises Absent."""
        with self._database.read.snapshot():
            bucket_id = bucket_id_of(self._database.read, name)
            classes = self._database.read.all(
                "SELECT storage_class, size, count, modified_at FROM class_totals WHERE bucket_id = ?",
                bucket_id,
            )
            counts = self._database.read.all(
                "SELECT upload_count, part_count, part_size, delete_marker_count FROM bucket_counts"
                " WHERE bucket_id = ?",
                bucket_id,
            )
        uploads, parts, part_size, markers = counts[0]
        return BucketTotals(
            classes={
                StorageClass(name): ClassTotals(size=size, count=count) for name, size, count, _ in classes
            },
            upload_count=uploads,
            part_count=parts,
            part_size=part_size,
            delete_marker_count=markers,
            modified_at=moment(max(row[3] for row in classes)) if classes else None,
        )
