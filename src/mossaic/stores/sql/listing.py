"""Listings of objects, versions and uploads: the cost of a page follows its size, not the number of keys behind it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import field
from itertools import compress, islice, takewhile
from typing import TYPE_CHECKING

from mossaic.model.object import ObjectPage, VersionPage
from mossaic.model.page import ListQuery, Page
from mossaic.model.upload import UploadPage
from mossaic.quick import dataclass
from mossaic.stores.sql import buckets
from mossaic.stores.sql.objects import place_in
from mossaic.stores.sql.pages import (
    GAPS,
    LINES,
    Columns,
    Source,
    Walk,
    columns_of,
    group_of,
    grouped_of,
    groups_of,
    nth_of,
    successor,
)
from mossaic.stores.sql.rows import (
    LISTED_COLUMNS,
    SHOWN_COLUMNS,
    SHOWN_OF_UPLOADS,
    SHOWN_OF_VERSIONS,
    UPLOAD_COLUMNS,
    is_marker,
    listed_from,
    shown_objects,
    shown_uploads,
    shown_versions,
    upload_from,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Generator, Iterator

    from mossaic.model.object import ObjectVersion
    from mossaic.model.upload import Upload
    from mossaic.stores.sql.database import Database
    from mossaic.stores.sql.pages import Place
    from mossaic.stores.sql.statements import Reader, Row

    _Rows = Generator[Row, None, None] | sqlite3.Cursor  # closed when enough was read

_OBJECTS_TO_KEY = "bucket_id = ? AND key >= ? AND key < ?"
_UPLOADS_TO_KEY = "bucket_id = ? AND (key, upload_id) >= (?, ?) AND key < ?"
_UPLOADS_TO_PLACE = "bucket_id = ? AND (key, upload_id) >= (?, ?) AND (key, upload_id) < (?, ?)"
_NTH_OBJECT = nth_of("objects", "key", _OBJECTS_TO_KEY)
_NTH_UPLOAD = nth_of("uploads", "key, upload_id", _UPLOADS_TO_KEY)
_GROUPED_OBJECT = grouped_of("objects", "key", _OBJECTS_TO_KEY)
_GROUPED_UPLOAD = grouped_of("uploads", "key, upload_id", _UPLOADS_TO_KEY)
_GROUPS_OF_OBJECTS = groups_of("objects")
_GROUPS_OF_UPLOADS = groups_of("uploads")
_OBJECTS = columns_of("objects", SHOWN_COLUMNS, within=_OBJECTS_TO_KEY, first=LINES)
_OBJECTS_OF_ODD_KEYS = columns_of("objects", SHOWN_COLUMNS, within=_OBJECTS_TO_KEY, first=GAPS)
_UPLOADS = columns_of("uploads", SHOWN_OF_UPLOADS, within=_UPLOADS_TO_PLACE, first=LINES)
_UPLOADS_OF_ODD_KEYS = columns_of("uploads", SHOWN_OF_UPLOADS, within=_UPLOADS_TO_PLACE, first=GAPS)
_OPEN_UPLOADS = f"SELECT {UPLOAD_COLUMNS} FROM uploads WHERE {_UPLOADS_TO_PLACE} ORDER BY key, upload_id"  # noqa: S608
_OF_KEY = "bucket_id = ? AND key = ? AND seq < ?"
_NEWEST_FIRST = "ORDER BY key, seq DESC"
_VERSIONS, _VERSIONS_OF_KEY, _SHOWN_VERSIONS, _SHOWN_VERSIONS_OF_KEY = (
    f"SELECT {names} FROM objects WHERE {within} UNION ALL SELECT {names} FROM history WHERE {within} {_NEWEST_FIRST}"  # noqa: S608  # constants
    for names in (LISTED_COLUMNS, SHOWN_OF_VERSIONS)
    for within in (_OBJECTS_TO_KEY, _OF_KEY)
)
_NEWEST_OF_KEY = f"{_VERSIONS_OF_KEY} LIMIT 1"
_NO_SEQ = 1 << 62  # above every seq
_SEQ = "SELECT seq FROM history WHERE bucket_id = ? AND key = ? AND version_id = ?"
_SEQ_CURRENT = "SELECT seq FROM objects WHERE bucket_id = ? AND key = ? AND version_id = ?"
_OF_OBJECTS = Source(nth=_NTH_OBJECT, grouped=_GROUPED_OBJECT, groups=_GROUPS_OF_OBJECTS)
_OF_UPLOADS = Source(nth=_NTH_UPLOAD, grouped=_GROUPED_UPLOAD, groups=_GROUPS_OF_UPLOADS, start=("",))


@dataclass(slots=True)
class _Walk:
    """One page of versions in the making. `rows(start, stop)`: rows in order whose key is in start … stop."""

    query: ListQuery
    rows: Callable[[bytes, bytes], _Rows]
    found: list[Row] = field(default_factory=list["Row"])
    prefixes: list[str] = field(default_factory=list[str])
    last_key: bytes = b""
    last_id: str = ""
    is_full: bool = False

    def walk(self) -> list[Row]:
        """The rows of the page."""
        prefix = self.query.prefix.encode()
        stop = successor(prefix)
        start: bytes | None = max(prefix, self._first())
        while start is not None and start < stop and not self.is_full:
            start = self._run(start, stop)
        return self.found

    @property
    def next_key(self) -> str:
        return self.last_key.decode() if self.is_full else ""

    @property
    def next_id(self) -> str:
        return self.last_id if self.is_full else ""

    def _first(self) -> bytes:
        """Where the walk begins: behind the marker, or behind its group when the marker is a common prefix."""
        after = self.query.after_key.encode()
        if not after:
            return b""
        if group_of(after, self.query) == after:
            return successor(after)
        return after if self.query.after_id else after + b"\0"

    def _run(self, start: bytes, stop: bytes) -> bytes | None:
        """Take rows until a group is met: where to go on after it; None at the end of the page or of the rows."""
        with closing(self.rows(start, stop)) as rows:
            if not self.query.delimiter:
                self._take(rows)
                return None
            for row in rows:
                group = group_of(row[0], self.query)
                if group is not None:
                    return self._skip(group)
                self._add(row)
                if self.is_full:
                    return None
        return None

    def _skip(self, group: bytes) -> bytes | None:
        if not self._has_room():
            return None
        self.prefixes.append(group.decode())
        self.last_key, self.last_id = group, ""
        return successor(group)

    def _take(self, rows: Iterator[Row]) -> None:
        """All of a page without groups."""
        taken = list(islice(rows, self.query.limit + 1))
        self.is_full = len(taken) > self.query.limit
        self.found = taken[: self.query.limit]
        if self.is_full:
            last = taken[-2]
            self.last_key, self.last_id = last[0], last[2]

    def _add(self, row: Row) -> None:
        if self._has_room():
            self.found.append(row)
            self.last_key, self.last_id = row[0], row[2]

    def _has_room(self) -> bool:
        self.is_full = len(self.found) + len(self.prefixes) >= self.query.limit
        return not self.is_full


class ListingTables:
    """The listings of `ports.Objects` and `ports.Uploads`. All raise Absent when there is no such bucket."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def object_changes(self) -> int:
        return self._database.object_changes.times()

    async def list_objects(self, query: ListQuery) -> ObjectPage:
        found, walk = self._columns(query, _OF_OBJECTS, _OBJECTS, _OBJECTS_OF_ODD_KEYS)
        return ObjectPage(
            columns=shown_objects(found.keys, found.joined()),
            prefixes=walk.prefixes,
            truncated=walk.is_full,
            next_key=walk.next_key,
        )

    def _columns(
        self, query: ListQuery, source: Source, statement: str, for_odd_keys: str
    ) -> tuple[Columns, Walk]:
        read = self._database.read
        with read.snapshot():
            bucket_id = buckets.bucket_id_of(read, query.bucket)
            found = Columns(read, bucket_id, statement, for_odd_keys)
            walk = Walk(read, bucket_id, query, source, found.take)
            walk.walk()
        return found, walk

    async def list_versions(self, query: ListQuery) -> Page[ObjectVersion]:
        versions, walk = self._versions(query, _VERSIONS, _VERSIONS_OF_KEY)
        latest = versions.latest(walk.found)
        return Page(
            items=[
                listed_from(query.bucket, row, is_latest=each)
                for row, each in zip(walk.found, latest, strict=True)
            ],
            prefixes=tuple(walk.prefixes),
            truncated=walk.is_full,
            next_key=walk.next_key,
            next_id=walk.next_id,
        )

    async def show_versions(self, query: ListQuery) -> VersionPage:
        versions, walk = self._versions(query, _SHOWN_VERSIONS, _SHOWN_VERSIONS_OF_KEY)
        latest = versions.latest(walk.found)
        kept, markers = _parted(walk.found, latest)
        return VersionPage(
            versions=shown_versions(*kept),
            markers=shown_versions(*markers),
            prefixes=tuple(walk.prefixes),
            truncated=walk.is_full,
            next_key=walk.next_key,
            next_id=walk.next_id,
        )

    def _versions(self, query: ListQuery, statement: str, of_key: str) -> tuple[_VersionWalk, _Walk]:
        read = self._database.read
        with read.snapshot():
            bucket_id = buckets.bucket_id_of(read, query.bucket)
            versions = _VersionWalk(read, bucket_id, query, statement, of_key)
            walk = _Walk(query=query, rows=versions.rows)
            walk.walk()
        return versions, walk

    async def show_uploads(self, query: ListQuery) -> UploadPage:
        found, walk = self._columns(query, _OF_UPLOADS, _UPLOADS, _UPLOADS_OF_ODD_KEYS)
        return UploadPage(
            columns=shown_uploads(found.keys, found.joined()),
            prefixes=walk.prefixes,
            truncated=walk.is_full,
            next_key=walk.next_key,
            next_id=walk.next_id,
        )

    async def list_uploads(self, query: ListQuery) -> Page[Upload]:
        read = self._database.read
        found: list[Row] = []

        def take(start: Place, end: Place) -> tuple[int, Place]:
            rows = read.all(_OPEN_UPLOADS, bucket_id, *start, *end)
            found.extend(rows)
            return len(rows), (rows[-1][1], rows[-1][0]) if rows else start

        with read.snapshot():
            bucket_id = buckets.bucket_id_of(read, query.bucket)
            walk = Walk(read, bucket_id, query, _OF_UPLOADS, take)
            walk.walk()
        return Page(
            items=[upload_from(query.bucket, row) for row in found],
            prefixes=walk.prefixes,
            truncated=walk.is_full,
            next_key=walk.next_key,
            next_id=walk.next_id,
        )


def _parted(
    rows: list[Row], latest: list[bool]
) -> tuple[tuple[list[Row], list[bool]], tuple[list[Row], list[bool]]]:
    """Versions, and delete markers."""
    are_markers = list(map(is_marker, rows))
    if not any(are_markers):
        return (rows, latest), ([], [])
    are_versions = [not each for each in are_markers]
    return (
        (list(compress(rows, are_versions)), list(compress(latest, are_versions))),
        (list(compress(rows, are_markers)), list(compress(latest, are_markers))),
    )


class _VersionWalk:
    """The rows of `objects` and `history` as one, newest first inside a key."""

    def __init__(self, read: Reader, bucket_id: int, query: ListQuery, statement: str, of_key: str) -> None:
        self._read = read
        self._bucket_id = bucket_id
        self._query = query
        self._statement = statement
        self._of_key = of_key
        self._after = query.after_key.encode()
        self._below = self._seq_of_marker() if query.after_id and query.after_key else None
        self._top = self._newest() if self._below is not None else 0

    def rows(self, start: bytes, stop: bytes) -> _Rows:
        if self._below is not None and start == self._after:
            return self._from_marker(start, stop, self._below)
        place = (self._bucket_id, start, stop)
        return self._read.each(self._statement, *place, *place)

    def _from_marker(self, start: bytes, stop: bytes, below: int) -> Generator[Row, None, None]:
        place = (self._bucket_id, start, below)
        yield from self._read.each(self._of_key, *place, *place)
        yield from self.rows(start + b"\0", stop)

    def latest(self, rows: list[Row]) -> list[bool]:
        """Which of them are the newest of their keys."""
        keys = [row[0] for row in rows]
        found = [key != before for key, before in zip(keys, [b"", *keys], strict=False)]
        if self._below is not None:
            for place, row in enumerate(takewhile(lambda row: row[0] == self._after, rows)):
                found[place] = row[1] == self._top
        return found

    def _seq_of_marker(self) -> int | None:
        """Versions of `after_key` from this seq up were given out already. A marker that was deleted since is found by
        the place in its id; "null", which has none, begins the key again rather than leaving versions out."""
        place = (self._bucket_id, self._after, self._query.after_id)
        row = self._read.one(_SEQ, *place) or self._read.one(_SEQ_CURRENT, *place)
        return place_in(self._query.after_id) if row is None else int(row[0])

    def _newest(self) -> int:
        place = (self._bucket_id, self._after, _NO_SEQ)
        row = self._read.one(_NEWEST_OF_KEY, *place, *place)
        return 0 if row is None else row[1]
