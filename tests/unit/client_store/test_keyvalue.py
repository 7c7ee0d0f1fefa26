"""Journals in an object of the user's: how often it is asked, and what happens when it fails."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from mossaic.client.store import KeyValue, StoreError

if TYPE_CHECKING:
    from tests.unit.client_store.conftest import Shelf


def test_the_whole_log_is_put_when_durable_and_on_close_and_otherwise_rarely(shelf: Shelf) -> None:
    journal = KeyValue(shelf, sync_every_s=3600).open("name")
    for number in range(100):
        journal.append({"number": number})
    assert shelf.puts == 0
    journal.append({"number": 100}, durable=True)
    assert shelf.puts == 1
    journal.close()
    assert shelf.puts == 1

    with closing(KeyValue(shelf, sync_every_s=3600).open("name")) as later:
        later.append({"number": 101})
    assert shelf.puts == 2
    assert [record["number"] for record in KeyValue(shelf).peek("name")] == list(range(102))


def test_when_the_time_has_passed_an_append_puts(shelf: Shelf) -> None:
    journal = KeyValue(shelf, sync_every_s=0).open("name")
    journal.append({"number": 1})
    journal.append({"number": 2})

    assert shelf.puts == 2
    journal.close()


def test_a_torn_value_gives_what_stands_before(shelf: Shelf) -> None:
    with closing(KeyValue(shelf).open("name")) as journal:
        for number in range(3):
            journal.append({"number": number})
    whole = shelf.kept["name"]

    for length in range(len(whole) + 1):
        shelf.kept["name"] = whole[:length]
        records = KeyValue(shelf).peek("name")
        assert records == [{"number": number} for number in range(max(0, whole[:length].count(b"\n") - 1))]


def test_what_the_object_raises_is_a_store_error_and_nothing_is_lost(shelf: Shelf) -> None:
    store = KeyValue(shelf, sync_every_s=3600)
    journal = store.open("name")
    journal.append({"number": 1}, durable=True)
    shelf.refusing = {"get", "put", "delete", "list"}

    with pytest.raises(StoreError, match="refuses to put"):
        journal.append({"number": 2}, durable=True)
    with pytest.raises(StoreError, match="refuses to put"):
        journal.replace([{"number": 9}])
    with pytest.raises(StoreError, match="refuses to get"):
        store.peek("name")
    with pytest.raises(StoreError, match="refuses to list"):
        list(store.names())
    with pytest.raises(StoreError, match="refuses to get"):
        store.open("other")

    shelf.refusing = set()
    store.open("other").close()
    journal.append({"number": 3}, durable=True)
    assert store.peek("name") == [{"number": 1}, {"number": 2}, {"number": 3}]
    journal.close()


def test_a_close_that_cannot_put_raises_and_lets_go(shelf: Shelf) -> None:
    store = KeyValue(shelf)
    journal = store.open("name")
    journal.append({"number": 1})
    shelf.refusing = {"put"}

    with pytest.raises(StoreError):
        journal.close()

    journal.close()
    store.open("name").close()


def test_a_discard_that_cannot_delete_raises_and_lets_go(shelf: Shelf) -> None:
    store = KeyValue(shelf)
    journal = store.open("name")
    journal.append({"number": 1}, durable=True)
    shelf.refusing = {"delete"}

    with pytest.raises(StoreError):
        journal.discard()

    journal.close()
    shelf.refusing = set()
    assert store.peek("name") == [{"number": 1}]
    store.open("name").discard()
    assert shelf.kept == {}


def test_other_values_are_no_journals(shelf: Shelf) -> None:
    shelf.kept |= {"mine": b"something else", "empty": b""}
    with closing(KeyValue(shelf).open("name")) as journal:
        journal.append({"number": 1})
    shelf.kept["copy"] = shelf.kept["name"]

    assert list(KeyValue(shelf).names()) == ["name"]
    with pytest.raises(StoreError, match="is the journal of 'name'"):
        KeyValue(shelf).open("copy")
