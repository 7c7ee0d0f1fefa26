"""Object versions: publishing, deleting, changing and reading them. `listing.py` pages through them.

`objects` holds the current version of each key with a live one; `history` all others and the delete markers. `seq` orders
the versions of a key; the clock does not.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from mossaic.model.bucket import Versioning
from mossaic.model.names import NULL_VERSION, VersionId
from mossaic.model.object import ObjectType, ObjectVersion
from mossaic.ports import Absent, Conflict, Deleted, Stored
from mossaic.quick import dataclass
from mossaic.stores.sql import buckets, requests
from mossaic.stores.sql.buckets import Change, Counts
from mossaic.stores.sql.content import add_content, blob_ids, release_content
from mossaic.stores.sql.rows import VERSION_COLUMNS, map_text, micros, size_of, version_from, version_row
from mossaic.stores.sql.statements import LONG

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from mossaic.model.names import BucketName, ObjectKey
    from mossaic.model.object import ObjectAcl, StorageClass
    from mossaic.ports import Commit
    from mossaic.stores.sql.database import Database
    from mossaic.stores.sql.statements import Reader, Row, Transaction

_COLUMNS = "bucket_id, " + VERSION_COLUMNS
_MARKS = "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
_PUT_CURRENT = f"INSERT OR REPLACE INTO objects ({_COLUMNS}) VALUES ({_MARKS})"  # noqa: S608  # constants
_PUT_FIRST = f"""INSERT INTO objects ({_COLUMNS}) VALUES ({_MARKS})
    ON CONFLICT (bucket_id, key) DO NOTHING"""  # noqa: S608  # constants
_PUT_HISTORY = f"INSERT INTO history ({_COLUMNS}) VALUES ({_MARKS})"  # noqa: S608  # constants
_SHELVE = f"""INSERT INTO history ({_COLUMNS}) SELECT {_COLUMNS} FROM objects
    WHERE bucket_id = ? AND key = ?"""  # noqa: S608  # constants
_PROMOTE = f"""INSERT INTO objects ({_COLUMNS}) SELECT {_COLUMNS} FROM history
    WHERE bucket_id = ? AND key = ? AND seq = ?"""  # noqa: S608  # constants
_DROP_CURRENT = "DELETE FROM objects WHERE bucket_id = ? AND key = ?"
_DROP_HISTORY = "DELETE FROM history WHERE bucket_id = ? AND key = ? AND seq = ?"
_PLACE = "seq, version_id, type, size, storage_class, content_id, etag"
_CURRENT = f"SELECT {_PLACE} FROM objects WHERE bucket_id = ? AND key = ?"  # noqa: S608  # constants
_NAMED = f"SELECT {_PLACE} FROM history WHERE bucket_id = ? AND key = ? AND version_id = ?"  # noqa: S608  # constants
_NEWEST = "SELECT seq, type FROM history WHERE bucket_id = ? AND key = ? ORDER BY seq DESC LIMIT 1"
_HEAD = f"""SELECT {VERSION_COLUMNS.replace("content_id", "o.content_id")}, packed, inline
    FROM objects AS o LEFT JOIN content AS c ON c.content_id = o.content_id
    WHERE bucket_id = ? AND key = ?"""  # noqa: S608  # constants
_HEAD_BY_NAME = _HEAD.replace("bucket_id = ?", "bucket_id = (SELECT bucket_id FROM buckets WHERE name = ?)")
_HEAD_HISTORY = f"""SELECT {VERSION_COLUMNS.replace("content_id", "o.content_id")}, packed, inline
    FROM history AS o LEFT JOIN content AS c ON c.content_id = o.content_id
    WHERE bucket_id = ? AND key = ?"""  # noqa: S608  # constants
_CHANGE_CURRENT = "UPDATE objects SET acl = ?, tags = ? WHERE bucket_id = ? AND key = ? AND version_id = ?"
_CHANGE_HISTORY = "UPDATE history SET acl = ?, tags = ? WHERE bucket_id = ? AND key = ? AND version_id = ?"
_RELABEL_CURRENT = "UPDATE objects SET storage_class = ? WHERE bucket_id = ? AND key = ? AND version_id = ?"
_RELABEL_HISTORY = "UPDATE history SET storage_class = ? WHERE bucket_id = ? AND key = ? AND version_id = ?"
_FIRST_SEQ = 1
_IS_NEWEST = """SELECT NOT EXISTS (SELECT 1 FROM objects WHERE bucket_id = ? AND key = ?)
    AND NOT EXISTS (SELECT 1 FROM history WHERE bucket_id = ? AND key = ? AND seq > ?)"""


@dataclass(frozen=True, slots=True)
class _Place:
    """A stored version, as much of it as moving it needs."""

    seq: int
    version_id: str
    type: str
    size: int
    storage_class: str
    content_id: int | None
    etag: str

    @classmethod
    def of(cls, row: Row | None) -> Self | None:
        return None if row is None else cls(*row)

    @property
    def is_marker(self) -> bool:
        return self.type == ObjectType.DELETE_MARKER.value


def new_version_id(seq: int) -> VersionId:
    """64 characters: CAEQ, the version's place among those of its key, chance. Listings find their way back by the
    place when the version itself has been deleted since."""
    return VersionId(f"CAEQ{seq & 0xFFFF_FFFF_FFFF:012x}{secrets.token_hex(24)}")


def place_in(version_id: str) -> int | None:
    """The `seq` that an id of `new_version_id` carries; None for any other text."""
    if len(version_id) != 64 or not version_id.startswith("CAEQ"):
        return None
    try:
        return int(version_id[4:16], 16)
    except ValueError:
        return None


@dataclass(slots=True)
class Shelf:
    """The versions of one key, inside a step. `now` in microseconds."""

    tx: Transaction
    bucket_id: int
    key: bytes
    now: int

    def put_first(self, row: tuple[object, ...]) -> bool:
        """Put a version (its row) where the key has none; False, and nothing is done, where it has. For buckets that never
        had versioning: a key without a current version has no other there."""
        return self.tx.run(_PUT_FIRST, self.bucket_id, *row) == 1

    def current(self) -> _Place | None:
        return _Place.of(self.tx.one(_CURRENT, self.bucket_id, self.key))

    def named(self, version_id: str) -> _Place | None:
        return _Place.of(self.tx.one(_NAMED, self.bucket_id, self.key, version_id))

    def top(self, current: _Place | None) -> int:
        """The seq of the newest version; 0 when there is none."""
        if current is not None:
            return current.seq
        row = self.tx.one(_NEWEST, self.bucket_id, self.key)
        return 0 if row is None else int(row[0])

    def take_current(self) -> None:
        """Its row; what it holds stays."""
        self.tx.run(_DROP_CURRENT, self.bucket_id, self.key)

    def drop_current(self, place: _Place) -> None:
        self.take_current()
        self._gone(place)

    def drop_history(self, place: _Place) -> None:
        self.tx.run(_DROP_HISTORY, self.bucket_id, self.key, place.seq)
        self._gone(place)

    def make_room(self, versioning: Versioning) -> tuple[int, VersionId]:
        """Shelve the current version, or let go of what it holds where the new one takes its id. Its row is still to be replaced,
        or taken. The new one's seq and version id."""
        current = self.current()
        seq = self.top(current) + 1
        if versioning is Versioning.ENABLED:
            if current is not None:
                self._shelve()
            return seq, new_version_id(seq)
        if current is not None and current.version_id == NULL_VERSION:
            self._gone(current)
        elif current is not None:
            self._shelve()
        if versioning is Versioning.SUSPENDED and (old := self.named(NULL_VERSION)) is not None:
            self.drop_history(old)
        return seq, NULL_VERSION

    def tally(self, storage_class: str, size: int, count: int) -> None:
        change = Change(storage_class=storage_class, size=size, count=count, now=self.now)
        buckets.tally(self.tx, self.bucket_id, change)

    def promote(self) -> None:
        """The current version was dropped: the newest of the others takes its place, unless it is a marker."""
        row = self.tx.one(_NEWEST, self.bucket_id, self.key)
        if row is not None and row[1] != ObjectType.DELETE_MARKER.value:
            self.tx.run(_PROMOTE, self.bucket_id, self.key, row[0])
            self.tx.run(_DROP_HISTORY, self.bucket_id, self.key, row[0])

    def _shelve(self) -> None:
        self.tx.run(_SHELVE, self.bucket_id, self.key)

    def _gone(self, place: _Place) -> None:
        if place.is_marker:
            buckets.count(self.tx, self.bucket_id, Counts(markers=-1))
            return
        release_content(self.tx, place.content_id, now=self.now)
        self.tally(place.storage_class, -place.size, -1)


def require_free(tx: Transaction, bucket_id: int, key: ObjectKey, versioning: Versioning) -> None:
    """forbid-overwrite: raises Conflict when a live object has the key. OSS ignores it once versioning was ever set."""
    if versioning is Versioning.UNSET and tx.one(_CURRENT, bucket_id, key.encode()) is not None:
        raise Conflict(f"{key} exists")


def require_new(tx: Transaction, bucket_id: int, key: ObjectKey, request_id: str) -> None:
    """Through an upload-request link nothing is replaced, not even by a further version. Raises LinkRefused."""
    if tx.one(_CURRENT, bucket_id, key.encode()) is not None:
        raise requests.refuse_existing(tx, request_id)


def publish(
    tx: Transaction, commit: Commit, *, gone: Mapping[bytes, int] | None = None, handed_on: bool = False
) -> Stored:
    """Make `commit.version` the current one of its key. `gone`, `handed_on`: as in `add_content`.

    Raises Absent (bucket), Conflict (forbid_overwrite), Damaged (a shared blob), LinkRefused.
    """
    version = commit.version
    bucket_id, versioning = buckets.written_bucket(tx, version.bucket)
    if commit.request_id is not None:
        require_new(tx, bucket_id, version.key, commit.request_id)
        requests.take_place(tx, commit.request_id, size=version.size, now=version.modified_at)
    if commit.forbid_overwrite:
        require_free(tx, bucket_id, version.key, versioning)
    content_id = add_content(tx, version, commit.new_blobs, gone=gone, handed_on=handed_on)
    shelf = Shelf(tx, bucket_id, version.key.encode(), micros(version.modified_at))
    return _place(shelf, version, versioning, content_id)


def _place(shelf: Shelf, version: ObjectVersion, versioning: Versioning, content_id: int | None) -> Stored:
    version_id = version.version_id
    row = version_row(version, seq=_FIRST_SEQ, content_id=content_id)
    # Most buckets never had versioning, and most keys are new ones there: then one statement does.
    is_plain = versioning is Versioning.UNSET and version_id == NULL_VERSION
    if not is_plain or not shelf.put_first(row):
        seq, version_id = shelf.make_room(versioning)
        if version_id != version.version_id:
            version = replace(version, version_id=version_id)
        key, _, _, *rest = row
        shelf.tx.run(_PUT_CURRENT, shelf.bucket_id, key, seq, version_id, *rest)
    shelf.tally(version.storage_class.value, version.size, 1)
    return Stored(version=version, version_id=None if versioning is Versioning.UNSET else version_id)


def delete(
    tx: Transaction, bucket: BucketName, key: ObjectKey, version_id: VersionId | None, now: datetime
) -> Deleted:
    bucket_id, versioning = buckets.written_bucket(tx, bucket)
    shelf = Shelf(tx, bucket_id, key.encode(), micros(now))
    if version_id is not None:
        return _delete_version(shelf, version_id, versioning)
    if versioning is Versioning.UNSET:
        current = shelf.current()
        if current is not None:
            shelf.drop_current(current)
        return Deleted()
    seq, marker_id = shelf.make_room(versioning)
    shelf.take_current()
    marker = ObjectVersion(
        bucket=bucket, key=key, version_id=marker_id, type=ObjectType.DELETE_MARKER, modified_at=now
    )
    tx.run(_PUT_HISTORY, bucket_id, *version_row(marker, seq=seq, content_id=None))
    buckets.count(tx, bucket_id, Counts(markers=1))
    return Deleted(version_id=marker_id, delete_marker=True)


def _delete_version(shelf: Shelf, version_id: VersionId, versioning: Versioning) -> Deleted:
    current = shelf.current()
    if current is not None and current.version_id == version_id:
        shelf.drop_current(current)
        shelf.promote()
        return Deleted(version_id=None if versioning is Versioning.UNSET else version_id)
    place = shelf.named(version_id)
    if place is not None:
        shelf.drop_history(place)
        if current is None:
            shelf.promote()
    removed = None if versioning is Versioning.UNSET else version_id
    return Deleted(version_id=removed, delete_marker=place is not None and place.is_marker)


def append(tx: Transaction, commit: Commit, position: int, etag: str | None) -> Stored:
    version = commit.version
    bucket_id, versioning = buckets.written_bucket(tx, version.bucket)
    shelf = Shelf(tx, bucket_id, version.key.encode(), micros(version.modified_at))
    current = shelf.current()
    if current is None:
        if position != 0:
            raise Conflict(f"{version.key} has 0 bytes, not {position}")
        content_id = add_content(tx, version, commit.new_blobs)
        # OSS gives appended objects the version id "null" in versioned buckets, too.
        as_null = Versioning.UNSET if versioning is Versioning.UNSET else Versioning.SUSPENDED
        return _place(shelf, version, as_null, content_id)
    if current.type != ObjectType.APPENDABLE.value or current.size != position:
        raise Conflict(f"{version.key} is not appendable at {position}")
    if etag is not None and current.etag != etag:
        raise Conflict(f"{version.key} is another object of the same size")
    content_id = _extended(tx, current.content_id, commit, shelf.now)
    version = replace(version, version_id=VersionId(current.version_id), is_latest=True)
    tx.run(_PUT_CURRENT, bucket_id, *version_row(version, seq=current.seq, content_id=content_id))
    shelf.tally(current.storage_class, -current.size, -1)
    shelf.tally(version.storage_class.value, version.size, 1)
    return Stored(version=version, version_id=None if versioning is Versioning.UNSET else version.version_id)


def _extended(tx: Transaction, content_id: int | None, commit: Commit, now: int) -> int | None:
    """The content after an append. A content of one version whose blobs all stay hands its references on, so that the
    thousandth append costs what the first did; else the old one is released as usual."""
    row = tx.one("SELECT packed FROM content WHERE content_id = ? AND refs = 1", content_id)
    old = blob_ids(row[0]) if row is not None and row[0] is not None else set[bytes]()
    new = blob_ids(commit.version.manifest.packed)
    if old and old <= new:
        extended = add_content(tx, commit.version, commit.new_blobs, gone=dict.fromkeys(old, 1))
        tx.run("DELETE FROM content WHERE content_id = ?", content_id)
        return extended
    extended = add_content(tx, commit.version, commit.new_blobs)
    release_content(tx, content_id, now=now)
    return extended


@dataclass(frozen=True, slots=True)
class Name:
    """A version by its names; without `version_id` the current one."""

    bucket: BucketName
    key: ObjectKey
    version_id: VersionId | None


def _find(reader: Reader, bucket_id: int, name: Name) -> ObjectVersion | None:
    place = (bucket_id, name.key.encode())
    row = reader.one(_HEAD, *place)
    if row is not None and name.version_id in {None, row[2]}:
        return version_from(name.bucket, row, is_latest=True)
    if name.version_id is not None:
        row = reader.one(_HEAD_HISTORY + " AND version_id = ?", *place, name.version_id)
    elif row is None:
        row = reader.one(_HEAD_HISTORY + " ORDER BY seq DESC LIMIT 1", *place)
    if row is None:
        return None
    is_latest = bool(reader.all(_IS_NEWEST, *place, *place, row[1])[0][0])
    return version_from(name.bucket, row, is_latest=is_latest)


def _stands(tx: Transaction, bucket_id: int, version: ObjectVersion) -> bool:
    """Whether the version is what it was when it was listed."""
    found = _find(tx, bucket_id, Name(version.bucket, version.key, version.version_id))
    if found is None:
        return False
    now = (found.type, found.etag, found.modified_at, found.storage_class, found.is_latest)
    return now == (
        version.type,
        version.etag,
        version.modified_at,
        version.storage_class,
        version.is_latest,
    )


class ObjectTables:
    """`ports.Objects`, but for the listings."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def head(
        self, bucket: BucketName, key: ObjectKey, version_id: VersionId | None = None
    ) -> ObjectVersion | None:
        read, recent = self._database.read, self._database.recent
        kept = recent.find(bucket, key)
        if kept is not None and version_id in {None, kept.version_id}:
            return kept
        # Most reads want the current version, and one statement needs no snapshot.
        row = read.one(_HEAD_BY_NAME, bucket, key.encode())
        if row is not None and (version_id is None or version_id == row[2]):
            found = version_from(bucket, row, is_latest=True)
            recent.keep(found, contents=size_of(row))
            return found
        with read.snapshot():
            try:
                bucket_id = buckets.bucket_id_of(read, bucket)
            except Absent:
                return None
            return _find(read, bucket_id, Name(bucket, key, version_id))

    async def put_object(self, commit: Commit) -> Stored:
        return await self._database.write(lambda tx: publish(tx, commit))

    async def append_object(self, commit: Commit, *, position: int, etag: str | None = None) -> Stored:
        return await self._database.write(lambda tx: append(tx, commit, position, etag))

    async def delete_object(
        self, bucket: BucketName, key: ObjectKey, version_id: VersionId | None, now: datetime
    ) -> Deleted:
        return await self._database.write(lambda tx: delete(tx, bucket, key, version_id, now))

    async def delete_objects(
        self, bucket: BucketName, keys: Sequence[tuple[ObjectKey, VersionId | None]], now: datetime
    ) -> list[Deleted]:
        return await self._database.write(
            lambda tx: [delete(tx, bucket, key, version_id, now) for key, version_id in keys],
            is_long=len(keys) > LONG,
        )

    async def change_object(
        self,
        bucket: BucketName,
        key: ObjectKey,
        version_id: VersionId | None,
        *,
        acl: ObjectAcl | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> ObjectVersion:
        name = Name(bucket, key, version_id)

        def step(tx: Transaction) -> ObjectVersion:
            bucket_id = buckets.bucket_id_of(tx, bucket)
            found = _find(tx, bucket_id, name)
            if found is None:
                raise Absent(key)
            if found.is_delete_marker:
                raise Conflict(f"{key}: a delete marker has no ACL or tags")
            changed = replace(
                found, acl=found.acl if acl is None else acl, tags=found.tags if tags is None else tags
            )
            row = (changed.acl.value, map_text(changed.tags), bucket_id, key.encode(), found.version_id)
            if tx.run(_CHANGE_CURRENT, *row) == 0:
                tx.run(_CHANGE_HISTORY, *row)
            return changed

        return await self._database.write(step)

    async def delete_unchanged(self, version: ObjectVersion, *, remove: bool, now: datetime) -> bool:
        def step(tx: Transaction) -> bool:
            bucket_id = buckets.bucket_id_of(tx, version.bucket)
            if not _stands(tx, bucket_id, version) or not (remove or version.is_latest):
                return False
            delete(tx, version.bucket, version.key, version.version_id if remove else None, now)
            return True

        return await self._database.write(step)

    async def relabel_unchanged(self, version: ObjectVersion, storage_class: StorageClass) -> bool:
        def step(tx: Transaction) -> bool:
            bucket_id = buckets.bucket_id_of(tx, version.bucket)
            if version.is_delete_marker or not _stands(tx, bucket_id, version):
                return False
            row = (storage_class.value, bucket_id, version.key.encode(), version.version_id)
            if tx.run(_RELABEL_CURRENT, *row) == 0:
                tx.run(_RELABEL_HISTORY, *row)
            shelf = Shelf(tx, bucket_id, version.key.encode(), micros(version.modified_at))
            shelf.tally(version.storage_class.value, -version.size, -1)
            shelf.tally(storage_class.value, version.size, 1)
            return True

        return await self._database.write(step)
