"""What a store keeps of its reads is never older than what a read would find, whoever wrote meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mossaic.stores.sql import SqliteMetadata
from tests.contract.given import BUCKET, GRACE_S, NOW, given_bucket, key, put_inline

if TYPE_CHECKING:
    from pathlib import Path

KEY = key("k")


async def test_a_write_of_another_process_is_seen_by_the_next_read(tmp_path: Path) -> None:
    """Two stores over one file are two processes, as far as SQLite is concerned."""
    ours = SqliteMetadata.open(tmp_path / "metadata.db", sync=False, reader_grace_s=GRACE_S)
    theirs = SqliteMetadata.open(tmp_path / "metadata.db", sync=False, reader_grace_s=GRACE_S)
    await given_bucket(ours)
    await put_inline(ours, "k", b"one")
    first = await ours.head(BUCKET, KEY)

    again = await ours.head(BUCKET, KEY)
    await put_inline(theirs, "k", b"two")
    second = await ours.head(BUCKET, KEY)
    await theirs.change_object(BUCKET, KEY, None, tags={"colour": "blue"})
    third = await ours.head(BUCKET, KEY)
    await theirs.delete_object(BUCKET, KEY, None, NOW)
    last = await ours.head(BUCKET, KEY)

    assert first is not None
    assert again is first
    assert second is not None
    assert (first.inline, second.inline) == (b"one", b"two")
    assert third is not None
    assert third.tags == {"colour": "blue"}
    assert last is None
    await ours.close()
    await theirs.close()


async def test_what_is_kept_is_bounded(tmp_path: Path) -> None:
    store = SqliteMetadata.open(tmp_path / "metadata.db", sync=False, reader_grace_s=GRACE_S)
    await given_bucket(store)
    for number in range(600):
        await put_inline(store, f"{number}", bytes(16_000))

    for number in range(600):
        assert (await store.head(BUCKET, key(f"{number}"))) is not None

    assert store._database.recent.size < 8 * 1024 * 1024
    await store.close()
