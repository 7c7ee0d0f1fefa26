"""A database of an earlier version is brought to this one when it is opened, once, and keeps what it had."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from mossaic.model.names import ObjectKey, UploadId
from mossaic.ports import Damaged
from mossaic.stores.sql import SqliteMetadata, migrate
from tests.contract.given import BUCKET, NOW, given_bucket

if TYPE_CHECKING:
    from pathlib import Path

_UPLOAD = """INSERT INTO uploads (upload_id, bucket_id, key, initiated_at, initiator, acl, storage_class, forbid_overwrite,
    sequential) VALUES (?, 1, ?, 0, '1', 'default', 'Standard', 0, 0)"""


FIRST = migrate.migrations()[:1]


def first_only() -> tuple[migrate.Migration, ...]:
    return FIRST


def applied(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as connection:
        return [number for (number,) in connection.execute("SELECT number FROM migrations ORDER BY number")]


async def test_a_database_of_the_first_version_is_brought_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "metadata.db"
    with monkeypatch.context() as earlier:
        earlier.setattr(migrate, "migrations", first_only)
        old = SqliteMetadata.open(path)
        await given_bucket(old)
        await old.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(_UPLOAD, ("A" * 32, b"big"))
        connection.execute("UPDATE bucket_counts SET upload_count = 1")
    assert applied(path) == [1]

    new = SqliteMetadata.open(path)

    upload = await new.upload(BUCKET, ObjectKey("big"), UploadId("A" * 32))
    assert upload is not None
    assert (upload.request_id, upload.visit) == (None, None)
    assert list(await new.upload_requests(BUCKET)) == []
    assert list(await new.uploads_of_ended(NOW, 10)) == []
    await new.abort(BUCKET, upload.key, upload.upload_id)
    assert list(await new.check()) == []
    await new.close()
    assert applied(path) == [each.number for each in migrate.migrations()]


async def test_an_earlier_version_refuses_a_newer_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "metadata.db"
    await SqliteMetadata.open(path).close()
    monkeypatch.setattr(migrate, "migrations", first_only)

    with pytest.raises(Damaged, match="which this version of Mossaic does not know"):
        SqliteMetadata.open(path)


async def test_a_database_that_is_up_to_date_is_only_read(tmp_path: Path) -> None:
    """The start waits for nobody's write lock then, and costs no sync."""
    path = tmp_path / "metadata.db"
    await SqliteMetadata.open(path).close()
    statements: list[str] = []

    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.set_trace_callback(statements.append)
        migrate.migrate(connection)

    assert statements
    assert all(statement.startswith("SELECT") for statement in statements)
