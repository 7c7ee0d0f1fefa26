"""Journals in one SQLite file: beside other tables, private, and honest about damage."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from mossaic.client.store import SQLite, StoreError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journals.db"


def test_only_its_owner_can_read_from_the_first_moment(path: Path) -> None:
    before = os.umask(0)
    try:
        journal = SQLite(path).open("name")
        journal.append({"number": 1})
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        journal.close()
    finally:
        os.umask(before)

    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {"journals.db", "journals.db-wal"} < set(modes)
    assert set(modes.values()) == {0o600}


def test_when_all_is_closed_there_is_one_file(path: Path) -> None:
    store = SQLite(path)
    first, second = store.open("first"), store.open("second")
    first.append({"number": 1}, durable=True)
    second.append({"number": 2})
    first.close()
    second.discard()

    assert [file.name for file in path.parent.iterdir()] == ["journals.db"]


def test_asking_makes_no_file(path: Path) -> None:
    store = SQLite(path)

    assert (list(store.names()), store.peek("name")) == ([], [])
    assert not path.parent.exists()


def test_other_tables_of_the_database_are_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as mine, mine:
        mine.execute("CREATE TABLE record (x)")
        mine.execute("INSERT INTO record VALUES (7)")

    with closing(SQLite(path).open("name")) as journal:
        journal.append({"number": 1})
        journal.replace([])
    SQLite(path).open("name").discard()

    with closing(sqlite3.connect(path)) as mine:
        assert mine.execute("SELECT x FROM record").fetchall() == [(7,)]
        assert mine.execute("SELECT count(*) FROM mossaic_record").fetchone() == (0,)
        assert mine.execute("SELECT count(*) FROM mossaic_journal").fetchone() == (0,)


def test_a_damaged_database_is_a_store_error(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is no database, but long enough to be one" * 100)
    store = SQLite(path)

    with pytest.raises(StoreError, match="not a database"):
        store.open("name")
    with pytest.raises(StoreError):
        store.names()
    with pytest.raises(StoreError):
        store.peek("name")
    assert [file.name for file in path.parent.iterdir()] == ["journals.db"]


def test_a_refused_record_leaves_the_journal_usable(path: Path) -> None:
    """A trigger refuses, as a full disk would: the transaction is taken back as a whole."""
    journal = SQLite(path).open("name")
    journal.append({"number": 1})
    with closing(sqlite3.connect(path)) as other, other:
        other.execute(
            "CREATE TRIGGER full BEFORE INSERT ON mossaic_record BEGIN SELECT raise(FAIL, 'no room'); END"
        )

    with pytest.raises(StoreError, match="no room"):
        journal.append({"number": 2})
    with pytest.raises(StoreError, match="no room"):
        journal.replace([{"number": 3}])
    assert journal.records() == [{"number": 1}]

    with closing(sqlite3.connect(path)) as other, other:
        other.execute("DROP TRIGGER full")
    journal.append({"number": 4})
    assert journal.records() == [{"number": 1}, {"number": 4}]
    journal.close()


def test_a_durable_record_settles_all_before_it(path: Path) -> None:
    """The write-ahead log as it is on the disk at a power failure holds what was synced: everything up to the durable one."""
    journal = SQLite(path, sync_every_s=3600).open("name")
    for number in range(5):
        journal.append({"number": number})
    with closing(sqlite3.connect(path)) as other:
        before = other.execute("SELECT syncs FROM mossaic_journal").fetchone()[0]
    journal.append({"number": 5}, durable=True)
    with closing(sqlite3.connect(path)) as other:
        after = other.execute("SELECT syncs FROM mossaic_journal").fetchone()[0]

    assert after == before + 1
    assert len(journal.records()) == 6
    journal.close()


def test_a_path_in_a_directory_that_is_a_file_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")

    with pytest.raises(StoreError):
        SQLite(tmp_path / "state" / "journals.db").open("name")


def test_a_journal_is_readable_while_another_writes(path: Path) -> None:
    store = SQLite(path)
    with closing(store.open("one")) as one, closing(store.open("two")) as two:
        with contextlib.ExitStack() as stack:
            other = stack.enter_context(closing(sqlite3.connect(path, isolation_level=None)))
            other.execute("BEGIN IMMEDIATE")
            assert store.peek("one") == one.records() == []
            other.execute("ROLLBACK")
        two.append({"number": 2})
        assert store.peek("two") == [{"number": 2}]
