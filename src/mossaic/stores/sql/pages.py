"""Pages of current objects and open uploads: which rows are on a page, found by seeks, and each run of rows read as columns.

Keys are walked in byte order. A run of rows is read by one statement that gives each column as one text: a row at a time, each
value would cost as much as SQLite's work for it. An aggregate promises no order, but the rows of a range of one index come in
the order of that index, and there is no other way to them.

With a delimiter, the first key of a group gives the common prefix, and the walk goes on with a seek to the first key after the
group: a page of 1,000 groups costs 1,000 seeks, however large the groups are. Groups that follow each other are found by one
statement: 1,000 statements would cost three times as much.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from mossaic.protocol.records import COMMA, GAP, Texts

if TYPE_CHECKING:
    from collections.abc import Callable

    from mossaic.model.page import ListQuery
    from mossaic.stores.sql.statements import Reader

    Place = tuple[bytes, *tuple[str, ...]]  # a key, and where a key may have several rows the id of one
    Take = Callable[[Place, Place], tuple[int, Place]]  # rows from … up to: how many they were, and the last

# Of the rows of a range: the one behind some others; the first one, among the next so many, whose key has the delimiter behind the
# bytes of the prefix; their number, and each of their columns as one text.
_NTH = "SELECT {row} FROM {table} WHERE {range} ORDER BY {row} LIMIT 1 OFFSET ?"
_GROUPED = """SELECT {row} FROM (SELECT {row} FROM {table} WHERE {range} ORDER BY {row} LIMIT ?) AS page
    WHERE instr(substr(key, ? + 1), ?) > 0 LIMIT 1"""
_COLUMNS = "SELECT count(*), {columns} FROM {table} WHERE {range}"
WORDS = "CAST(group_concat({name}) AS BLOB)"  # with a comma between two
LINES = "CAST(group_concat({name}, '\n') AS BLOB)"
TOGETHER = "CAST(group_concat({name}, '') AS BLOB)"  # with nothing
GAPS = "CAST(group_concat({name}, x'ff') AS BLOB)"  # the same for any keys; SQLite copies what is no plain text in each row anew
# From ?2 on below ?3: the place behind each group that follows, until a key without a group. A group ends behind the delimiter ?5,
# which is looked for behind the ?4 bytes of the prefix; ?6 is what follows the delimiter in order.
_GROUPS = """WITH RECURSIVE places (place) AS (
    VALUES (?2)
    UNION ALL
    SELECT (SELECT CAST(substr(key, 1, ?4 + nullif(instr(substr(key, ?4 + 1), ?5), 0) - 1) || ?6 AS BLOB)
        FROM {table} WHERE bucket_id = ?1 AND key >= place AND key < ?3 ORDER BY key LIMIT 1)
    FROM places WHERE place IS NOT NULL LIMIT ?7
) SELECT CAST(group_concat(place, x'ff') AS BLOB) FROM places"""
_AFTER_ALL = b"\xff"  # no UTF-8 text has this byte


def nth_of(table: str, row: str, within: str) -> str:
    """`row`: the columns that tell the rows of a bucket apart, and order them; `within`: that they are from a place on and
    below a key."""
    return _NTH.format(table=table, row=row, range=within)


def grouped_of(table: str, row: str, within: str) -> str:
    return _GROUPED.format(table=table, row=row, range=within)


def groups_of(table: str) -> str:
    return _GROUPS.format(table=table)


def columns_of(table: str, names: str, *, within: str, first: str = WORDS) -> str:
    """The number of rows, and for each of the names one text. `first`: how that of the first is made."""
    name_of_first, *others = names.split(", ")
    columns = ", ".join([first.format(name=name_of_first), *(WORDS.format(name=name) for name in others)])
    return _COLUMNS.format(table=table, columns=columns, range=within)


class Source(NamedTuple):
    """The statements on a table that find the places of a page. `start`: what a place has behind its key where the key's rows begin."""

    nth: str
    grouped: str
    groups: str
    start: tuple[str, ...] = ()


def successor(prefix: bytes) -> bytes:
    """The first bytes that sort after everything that begins with `prefix` (UTF-8)."""
    return prefix[:-1] + bytes((prefix[-1] + 1,)) if prefix else _AFTER_ALL


def group_of(key: bytes, query: ListQuery) -> bytes | None:
    """The common prefix that the key is counted under."""
    prefix, delimiter = query.prefix.encode(), query.delimiter.encode()
    if not delimiter or not key.startswith(prefix):
        return None
    at = key.find(delimiter, len(prefix))
    return None if at < 0 else key[: at + len(delimiter)]


@dataclass(slots=True)
class Walk:
    """One page in the making: `take` gets each run of rows that belongs to it."""

    read: Reader
    bucket_id: int
    query: ListQuery
    source: Source
    take: Take
    groups: list[bytes] = field(default_factory=list[bytes])
    is_full: bool = False
    _last: Place = (b"",)
    _taken: int = 0
    _prefix: bytes = field(init=False)
    _delimiter: bytes = field(init=False)

    def __post_init__(self) -> None:
        self._prefix = self.query.prefix.encode()
        self._delimiter = self.query.delimiter.encode()

    def walk(self) -> None:
        query = self.query
        stop = successor(self._prefix)
        first = max(self._begin(self._prefix), self._first())
        place: Place | None = first
        if query.after_id and query.delimiter:
            place = self._nth(first, stop, 0)  # what is left of the marker's key may be nothing
        while place is not None and place[0] < stop and not self.is_full:
            if query.delimiter:
                place = self._skip(place, stop)
            if not self.is_full:
                place = self._run(place, stop)

    @property
    def prefixes(self) -> Texts:
        return Texts(GAP.join(self.groups), len(self.groups))

    @property
    def next_key(self) -> str:
        return self._last[0].decode() if self.is_full else ""

    @property
    def next_id(self) -> str:
        return "".join(self._last[1:]) if self.is_full else ""

    @property
    def _room(self) -> int:
        return self.query.limit - self._taken - len(self.groups)

    def _begin(self, key: bytes) -> Place:
        """Where the rows of a key begin."""
        return (key, *self.source.start)

    def _first(self) -> Place:
        """Where the walk begins: behind the marker, or behind its group when the marker is a common prefix."""
        after, after_id = self.query.after_key.encode(), self.query.after_id
        if not after:
            return self._begin(b"")
        if group_of(after, self.query) == after:
            return self._begin(successor(after))
        return (after, after_id + "\0") if after_id else self._begin(after + b"\0")

    def _nth(self, place: Place, stop: bytes, count: int) -> Place | None:
        """The row behind `count` rows from `place` on."""
        return self.read.one(self.source.nth, self.bucket_id, *place, stop, count)

    def _run(self, place: Place, stop: bytes) -> Place | None:
        """Take rows until the page is full or a group is met: where to go on; None when nothing follows."""
        edge = self._grouped(place, stop) if self._delimiter else None
        edge = edge or self._nth(place, stop, self._room)
        count, last = self.take(place, edge or self._begin(stop))
        if count:
            self._taken += count
            self._last = last
        self.is_full = edge is not None and not self._delimiter
        return edge

    def _grouped(self, place: Place, stop: bytes) -> Place | None:
        """The first of the rows for which there is room that belongs to a group."""
        values = (*place, stop, self._room, len(self._prefix), self._delimiter)
        return self.read.one(self.source.grouped, self.bucket_id, *values)

    def _skip(self, place: Place, stop: bytes) -> Place:
        """Take the groups that follow: where to go on after them."""
        end = successor(self._delimiter)
        values = (place[0], stop, len(self._prefix), self._delimiter, end, self._room + 1)
        whole: bytes = self.read.all(self.source.groups, self.bucket_id, *values)[0][0]
        behind = whole.split(GAP)[1:]
        if behind:
            self.groups += [each[: -len(end)] + self._delimiter for each in behind]
            self._last = self._begin(self.groups[-1])
            place = self._begin(behind[-1])
        self.is_full = not self._room and self._nth(place, stop, 0) is not None
        return place


@dataclass(slots=True)
class Columns:
    """Runs of rows as columns. The statements are of `columns_of`, with a line between the keys and with a GAP; a place's columns
    are the first. `others`: of each run, the columns after the key."""

    read: Reader
    bucket_id: int
    statement: str
    for_odd_keys: str
    keys: list[bytes] = field(default_factory=list[bytes])
    others: list[list[bytes]] = field(default_factory=list[list[bytes]])

    def take(self, start: Place, end: Place) -> tuple[int, Place]:
        ((count, whole, *others),) = self.read.all(self.statement, self.bucket_id, *start, *end)
        if not count:
            return 0, start
        keys: list[bytes] = whole.split(b"\n")
        if len(keys) != count:  # one has a line feed
            ((_, whole, *_),) = self.read.all(self.for_odd_keys, self.bucket_id, *start, *end)
            keys = whole.split(GAP)
        self.keys += keys
        self.others.append(others)
        ids = [column.rpartition(COMMA)[2].decode() for column in others[: len(start) - 1]]
        return count, (keys[-1], *ids)

    def joined(self) -> list[bytes]:
        """Each column after the key as one text."""
        if not self.others:
            return [b""] * (self.statement.count("group_concat") - 1)
        return [COMMA.join(column) for column in zip(*self.others, strict=True)]
