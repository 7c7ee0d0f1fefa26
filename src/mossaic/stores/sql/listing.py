"""Pages of objects, versions and uploads: the cost of a page follows its size, not the number of keys behind it.

Keys are walked in byte order. With a delimiter, the first key of a group gives the common prefix, and the walk goes on
with a seek to the first key after the group: a page of 1,000 groups costs 1,000 seeks, however large the groups are. Groups
that follow each other are found by one statement: 1,000 statements would cost three times as much.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING

from mossaic.model.object import ObjectPage
from mossaic.model.page import ListQuery, Page
from mossaic.model.upload import UploadPage
from mossaic.stores.sql import buckets
from mossaic.stores.sql.objects import place_in
from mossaic.stores.sql.rows import (
    LISTED_COLUMNS,
    SHOWN_COLUMNS,
    UPLOAD_COLUMNS,
    listed_from,
    shown_objects,
    shown_uploads,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Generator, Iterator

    from mossaic.model.object import ObjectVersion
    from mossaic.stores.sql.database import Database, Reader, Row

    _Rows = Generator[Row, None, None] | sqlite3.Cursor  # closed when enough was read

_RANGE = "bucket_id = ? AND key >= ? AND key < ? ORDER BY key"
_OBJECTS = f"SELECT {SHOWN_COLUMNS} FROM objects WHERE {_RANGE}"  # noqa: S608  # constants
_CURRENT = f"SELECT {LISTED_COLUMNS} FROM objects WHERE {_RANGE}"  # noqa: S608  # constants
_HISTORY = f"SELECT {LISTED_COLUMNS} FROM history WHERE {_RANGE}, seq DESC"  # noqa: S608  # constants
_UPLOADS = f"SELECT {UPLOAD_COLUMNS} FROM uploads WHERE {_RANGE}, upload_id"  # noqa: S608  # constants
_OF_KEY = "bucket_id = ? AND key = ? AND"
_CURRENT_OF_KEY = f"SELECT {LISTED_COLUMNS} FROM objects WHERE {_OF_KEY} seq < ?"  # noqa: S608  # constants
_HISTORY_OF_KEY = f"SELECT {LISTED_COLUMNS} FROM history WHERE {_OF_KEY} seq < ? ORDER BY seq DESC"  # noqa: S608
_NEWEST_OF_KEY = _HISTORY_OF_KEY + " LIMIT 1"
_UPLOADS_OF_KEY = f"SELECT {UPLOAD_COLUMNS} FROM uploads WHERE {_OF_KEY} upload_id > ? ORDER BY upload_id"  # noqa: S608
# Keys from ?2 below ?3, each the first after the group of the one before: the group ends behind the delimiter ?5, which is
# looked for behind the ?4 bytes of the prefix; ?6 is what follows the delimiter in order. The last is a key without a group, or NULL.
_FIRSTS = """WITH RECURSIVE firsts (key) AS (
    SELECT (SELECT key FROM {table} WHERE bucket_id = ?1 AND key >= ?2 AND key < ?3 ORDER BY key LIMIT 1)
    UNION ALL
    SELECT (SELECT t.key FROM {table} AS t WHERE bucket_id = ?1 AND t.key < ?3 AND t.key >= CAST(
        substr(firsts.key, 1, ?4 + instr(substr(firsts.key, ?4 + 1), ?5) - 1) || ?6 AS BLOB) ORDER BY t.key LIMIT 1)
    FROM firsts WHERE key IS NOT NULL AND instr(substr(key, ?4 + 1), ?5) > 0 LIMIT ?7
) SELECT key FROM firsts"""
_FIRST_OBJECTS = _FIRSTS.format(table="objects")
_FIRST_UPLOADS = _FIRSTS.format(table="uploads")
_NO_SEQ = 1 << 62  # above every seq
_SEQ = "SELECT seq FROM history WHERE bucket_id = ? AND key = ? AND version_id = ?"
_SEQ_CURRENT = "SELECT seq FROM objects WHERE bucket_id = ? AND key = ? AND version_id = ?"
_AFTER_ALL = b"\xff"  # no UTF-8 text has this byte


def successor(prefix: bytes) -> bytes:
    """The first bytes that sort after everything that begins with `prefix` (UTF-8)."""
    return prefix[:-1] + bytes((prefix[-1] + 1,)) if prefix else _AFTER_ALL


@dataclass(slots=True)
class _Walk:
    """One page in the making. `rows(start, stop)`: rows in order whose first key column is in start … stop;
    `key_at` and `id_at` are the columns of the markers. `skip(values)` runs a statement of the kind of `_FIRSTS`; without, groups
    are taken one by one."""

    query: ListQuery
    rows: Callable[[bytes, bytes], _Rows]
    id_at: int
    key_at: int
    skip: Callable[[tuple[object, ...]], list[Row]] | None = None
    found: list[Row] = field(default_factory=list["Row"])
    prefixes: list[str] = field(default_factory=list[str])
    last_key: bytes = b""
    last_id: str = ""
    is_full: bool = False
    prefix: bytes = field(init=False)
    delimiter: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.prefix = self.query.prefix.encode()
        self.delimiter = self.query.delimiter.encode()

    def walk(self) -> list[Row]:
        """The rows of the page."""
        stop = successor(self.prefix)
        start: bytes | None = max(self.prefix, self._first())
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
        if self._group(after) == after:
            return successor(after)
        return after if self.query.after_id else after + b"\0"

    def _group(self, key: bytes) -> bytes | None:
        """The common prefix that the key is counted under."""
        if not self.delimiter or not key.startswith(self.prefix):
            return None
        at = key.find(self.delimiter, len(self.prefix))
        return None if at < 0 else key[: at + len(self.delimiter)]

    def _run(self, start: bytes, stop: bytes) -> bytes | None:
        """Take rows until a group is met: where to go on after it; None at the end of the page or of the rows."""
        with closing(self.rows(start, stop)) as rows:
            if not self.delimiter:
                self._take(rows)
                return None
            for row in rows:
                key: bytes = row[self.key_at]
                group = self._group(key)
                if group is not None:
                    return self._skip(key, stop)
                self._add(row)
                if self.is_full:
                    return None
        return None

    def _skip(self, key: bytes, stop: bytes) -> bytes | None:
        """Take the group of `key`, and those that follow it: where to go on."""
        firsts: list[Row] = [(key,)]
        if self.skip is not None:
            room = self.query.limit - len(self.found) - len(self.prefixes)
            last = successor(self.delimiter)
            firsts = self.skip((key, stop, len(self.prefix), self.delimiter, last, room + 1))
        group = b""
        for (first,) in firsts:
            if first is None:
                return None
            found = self._group(first)
            if found is None:
                return bytes(first)
            if not self._has_room():
                return None
            group = found
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
            self.last_key, self.last_id = last[self.key_at], last[self.id_at]

    def _add(self, row: Row) -> None:
        if self._has_room():
            self.found.append(row)
            self.last_key, self.last_id = row[self.key_at], row[self.id_at]

    def _has_room(self) -> bool:
        self.is_full = len(self.found) + len(self.prefixes) >= self.query.limit
        return not self.is_full


class ListingTables:
    """The listings of `ports.Objects` and `ports.Uploads`. All raise Absent when there is no such bucket."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_objects(self, query: ListQuery) -> ObjectPage:
        read = self._database.read
        with read.snapshot():
            bucket_id = buckets.bucket_id_of(read, query.bucket)
            walk = _Walk(
                query=query,
                rows=lambda start, stop: read.each(_OBJECTS, bucket_id, start, stop),
                key_at=0,
                id_at=1,
                skip=lambda values: read.all(_FIRST_OBJECTS, bucket_id, *values),
            )
            items, columns = shown_objects(query.bucket, walk.walk())
        return ObjectPage(
            items=items,
            columns=columns,
            prefixes=tuple(walk.prefixes),
            truncated=walk.is_full,
            next_key=walk.next_key,
        )

    async def list_versions(self, query: ListQuery) -> Page[ObjectVersion]:
        read = self._database.read
        with read.snapshot():
            bucket_id = buckets.bucket_id_of(read, query.bucket)
            versions = _VersionWalk(read, bucket_id, query)
            walk = _Walk(query=query, rows=versions.rows, key_at=0, id_at=2)
            items = tuple(map(versions.item, walk.walk()))
        return Page(
            items=items,
            prefixes=tuple(walk.prefixes),
            truncated=walk.is_full,
            next_key=walk.next_key,
            next_id=walk.next_id,
        )

    async def list_uploads(self, query: ListQuery) -> UploadPage:
        read = self._database.read
        after_key = query.after_key.encode()

        def rows(start: bytes, stop: bytes) -> Generator[Row, None, None]:
            if query.after_id and start == after_key:
                yield from read.each(_UPLOADS_OF_KEY, bucket_id, start, query.after_id)
                start += b"\0"
            yield from read.each(_UPLOADS, bucket_id, start, stop)

        with read.snapshot():
            bucket_id = buckets.bucket_id_of(read, query.bucket)
            walk = _Walk(
                query=query,
                rows=rows,
                key_at=1,
                id_at=0,
                skip=lambda values: read.all(_FIRST_UPLOADS, bucket_id, *values),
            )
            items, columns = shown_uploads(query.bucket, walk.walk())
        return UploadPage(
            items=items,
            columns=columns,
            prefixes=tuple(walk.prefixes),
            truncated=walk.is_full,
            next_key=walk.next_key,
            next_id=walk.next_id,
        )


class _VersionWalk:
    """The rows of `objects` and `history` as one, newest first inside a key."""

    def __init__(self, read: Reader, bucket_id: int, query: ListQuery) -> None:
        self._read = read
        self._bucket_id = bucket_id
        self._query = query
        self._after = query.after_key.encode()
        self._below = self._seq_of_marker() if query.after_id and query.after_key else None
        self._top = self._newest() if self._below is not None else 0
        self._seen = b""

    def rows(self, start: bytes, stop: bytes) -> Generator[Row, None, None]:
        if self._below is not None and start == self._after:
            place = (self._bucket_id, start, self._below)
            yield from self._merged(_CURRENT_OF_KEY, _HISTORY_OF_KEY, place)
            start += b"\0"
        yield from self._merged(_CURRENT, _HISTORY, (self._bucket_id, start, stop))

    def item(self, row: Row) -> ObjectVersion:
        is_latest, self._seen = row[0] != self._seen, row[0]
        if self._below is not None and row[0] == self._after:
            is_latest = row[1] == self._top
        return listed_from(self._query.bucket, row, is_latest=is_latest)

    def _merged(self, current: str, history: str, place: tuple[object, ...]) -> Generator[Row, None, None]:
        with (
            closing(self._read.each(current, *place)) as first,
            closing(self._read.each(history, *place)) as second,
        ):
            yield from merge(first, second, key=lambda row: (row[0], -row[1]))

    def _seq_of_marker(self) -> int | None:
        """Versions of `after_key` from this seq up were given out already. A marker that was deleted since is found by
        the place in its id; "null", which has none, begins the key again rather than leaving versions out."""
        place = (self._bucket_id, self._after, self._query.after_id)
        row = self._read.one(_SEQ, *place) or self._read.one(_SEQ_CURRENT, *place)
        return place_in(self._query.after_id) if row is None else int(row[0])

    def _newest(self) -> int:
        place = (self._bucket_id, self._after, _NO_SEQ)
        return max(
            (row[1] for sql in (_CURRENT_OF_KEY, _NEWEST_OF_KEY) for row in self._read.all(sql, *place)),
            default=0,
        )
