"""A new database comes into being as a whole, and for two syncs."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from mossaic.service.identity import ACCOUNT_ID, account_id
from mossaic.stores.sql import SqliteMetadata, make

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def schema(path: Path) -> Sequence[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()


async def test_a_made_database_is_the_one_that_opening_makes(tmp_path: Path) -> None:
    made, opened = tmp_path / "made.db", tmp_path / "opened.db"

    make(made, {})

    await SqliteMetadata.open(opened).close()
    assert schema(made) == schema(opened)
    with closing(sqlite3.connect(made)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert made.stat().st_mode & 0o777 == 0o600


async def test_it_begins_with_its_settings_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "metadata.db"

    make(path, {ACCOUNT_ID: "1234"})

    assert [file.name for file in tmp_path.iterdir()] == ["metadata.db"]
    store = SqliteMetadata.open(path)
    assert await account_id(store, None) == "1234"
    await store.close()


def test_the_file_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "metadata.db"
    fsync, synced = os.fsync, list[bool]()
    monkeypatch.setattr(os, "fsync", lambda descriptor: (synced.append(path.exists()), fsync(descriptor)))

    make(path, {})

    assert synced == [False, True], "the file without its name, then the folder with it"


async def test_one_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "metadata.db"
    make(path, {ACCOUNT_ID: "1"})

    make(path, {ACCOUNT_ID: "2"})

    store = SqliteMetadata.open(path)
    assert await account_id(store, None) == "1"
    await store.close()


@pytest.mark.parametrize("code", [errno.EEXIST, errno.EPERM])
async def test_where_no_link_can_be_made_opening_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refused(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", refused)

    make(tmp_path / "metadata.db", {ACCOUNT_ID: "1"})

    assert list(tmp_path.iterdir()) == []
    store = SqliteMetadata.open(tmp_path / "metadata.db")
    assert await account_id(store, "2") == "2"
    await store.close()
