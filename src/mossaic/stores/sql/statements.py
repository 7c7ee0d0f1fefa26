"""Statements on a connection: reads, and the steps of a transaction."""

from __future__ import annotations

import re
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Generator, Iterable, Sequence

Row = tuple[Any, ...]  # sqlite3 gives values of the types that the schema (STRICT) declares
_COUNT_CHANGE = "UPDATE object_changes SET times = times + 1"  # see `Recent`
_OBJECTS: Final = re.compile(r"\bobjects\b")
LONG: Final = 20  # keys or parts from which on a step is better not run on the event loop


class Reader:
    """Statements on one connection. Every result is fetched at once, so that no read stays open behind our back."""

    __slots__ = ("connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def one(self, sql: str, *values: object) -> Row | None:
        rows = self.connection.execute(sql, values).fetchall()
        return rows[0] if rows else None

    def all(self, sql: str, *values: object) -> list[Row]:
        return self.connection.execute(sql, values).fetchall()

    def each(self, sql: str, *values: object) -> sqlite3.Cursor:
        """Row by row, for reading inside `snapshot` only; close it when leaving early."""
        return self.connection.execute(sql, values)

    @contextmanager
    def snapshot(self) -> Generator[None]:
        """All statements inside see the same state. Never await inside."""
        self.connection.execute("BEGIN")
        try:
            yield
        finally:
            self.connection.execute("COMMIT")


class Transaction(Reader):
    """One step of a batch: it stays as a whole or leaves no trace.

    `freed`: it left blobs without reference. `changed`: it may have changed a current version. `sums`: statements with numbers to add, kept until the end of the batch:
    a hundred steps that each count one object cost one update. `known`: what steps found and none has changed since; a step
    that changes it forgets it.
    """

    __slots__ = ("changed", "freed", "known", "sums")

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self.freed = False
        self.changed = False
        self.known: dict[str, Row] = {}
        self.sums: dict[tuple[str, Row], list[int]] = {}

    def run(self, sql: str, *values: object) -> int:
        """The number of rows that were changed."""
        self.changed |= _names_objects(sql)
        return self.connection.execute(sql, values).rowcount

    def insert(self, sql: str, *values: object) -> int:
        """The new row's id."""
        self.changed |= _names_objects(sql)
        row_id = self.connection.execute(sql, values).lastrowid
        assert row_id is not None
        return row_id

    def many(self, sql: str, values: Iterable[Sequence[object]]) -> int:
        self.changed |= _names_objects(sql)
        return self.connection.executemany(sql, values).rowcount

    def add_later(self, sql: str, place: Row, numbers: Row, *, latest: int = 0) -> None:
        """At the end run `sql` with `place`, these numbers and a time, once for all steps with that `place`: numbers are
        summed, of the times the latest counts."""
        sums = self.sums.get((sql, place))
        if sums is None:
            self.sums[sql, place] = [*numbers, latest]
        else:
            sums[:] = [*map(int.__add__, sums, numbers), max(sums[-1], latest)]

    def absorb(self, other: Transaction) -> None:
        """Take over what a step of the same batch left for the end."""
        self.freed |= other.freed
        self.changed |= other.changed
        for (sql, place), (*numbers, latest) in other.sums.items():
            self.add_later(sql, place, tuple(numbers), latest=latest)

    def finish(self) -> None:
        for (sql, place), numbers in self.sums.items():
            self.run(sql, *place, *numbers)
        if self.changed:
            self.connection.execute(_COUNT_CHANGE)


@lru_cache
def _names_objects(sql: str) -> bool:
    """Every statement that changes rows of `objects` names it."""
    return _OBJECTS.search(sql) is not None
