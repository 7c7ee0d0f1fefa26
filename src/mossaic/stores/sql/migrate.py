"""Brings a database to this program's schema: numbered SQL files, each applied once and remembered by its checksum."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from mossaic.ports import Damaged
from mossaic.quick import dataclass

if TYPE_CHECKING:
    import sqlite3

_TABLE = """CREATE TABLE IF NOT EXISTS migrations (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at TEXT NOT NULL
) STRICT"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    number: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def migrations() -> tuple[Migration, ...]:
    """The files `migrations/NNNN_name.sql` of this package, in order."""
    files = sorted((Path(__file__).parent / "migrations").glob("*.sql"))
    return tuple(
        Migration(number=int(f.name[:4]), name=f.name[5:-4], text=f.read_text(encoding="utf-8"))
        for f in files
    )


def migrate(connection: sqlite3.Connection) -> None:
    """Apply what is missing, all in one transaction; a database that is up to date is only read.

    Raises Damaged: the database was made by a newer program, or a migration was changed after it had been applied.
    """
    wanted = migrations()
    if _missing(connection, wanted):
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute(_TABLE)
            for migration in _missing(connection, wanted):  # another process may have been first
                _apply(connection, migration)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _missing(connection: sqlite3.Connection, wanted: tuple[Migration, ...]) -> list[Migration]:
    exists = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'migrations'").fetchall()
    rows = connection.execute("SELECT number, checksum FROM migrations").fetchall() if exists else []
    applied: dict[int, str] = dict(rows)
    newer = applied.keys() - {migration.number for migration in wanted}
    if newer:
        raise Damaged(f"the database has migration {max(newer)}, which this version of Mossaic does not know")
    for migration in wanted:
        if applied.get(migration.number, migration.checksum) != migration.checksum:
            raise Damaged(f"migration {migration.number} is not the one that was applied to the database")
    return [migration for migration in wanted if migration.number not in applied]


def _apply(connection: sqlite3.Connection, migration: Migration) -> None:
    for statement in _statements(migration.text):
        connection.execute(statement)
    connection.execute(
        "INSERT INTO migrations VALUES (?, ?, ?, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))",
        (migration.number, migration.name, migration.checksum),
    )


def _statements(text: str) -> list[str]:
    """Single statements (executescript would commit the transaction). Our files have no `;` but at statement ends."""
    lines = (line.partition("--")[0] for line in text.splitlines())
    return [statement for statement in "\n".join(lines).split(";") if statement.strip()]
