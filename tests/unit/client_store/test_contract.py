"""What every store promises, whatever it keeps journals in."""

from __future__ import annotations

import os
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mossaic.client.errors import MossaicError
from mossaic.client.store import Held, Null, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mossaic.client.store import Store

NAMES = [
    "a",
    "upload\nhttps://oss.example\nbucket\nphotos/2024/a b.jpg\n/home/me/a b.jpg",
    "../../etc/passwd",
    "钥匙/файл 🗝",
    "name of a file that is not UTF-8: \udcff\udc80",
    "x" * 5000,
    " ",
    "",
    "a\0b",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
RECORDS = st.lists(st.dictionaries(st.text(), JSON, max_size=4), max_size=6)


def test_records_come_back_in_order_while_open_and_after_a_restart(again: Callable[[], Store]) -> None:
    with closing(again().open("name")) as journal:
        assert journal.records() == []
        journal.append({"kind": "upload", "id": "ABC"}, durable=True)
        journal.append({"kind": "part", "number": 1})
        assert journal.records() == [{"kind": "upload", "id": "ABC"}, {"kind": "part", "number": 1}]

    with closing(again().open("name")) as journal:
        journal.append({"kind": "part", "number": 2})
    assert again().peek("name") == [
        {"kind": "upload", "id": "ABC"},
        {"kind": "part", "number": 1},
        {"kind": "part", "number": 2},
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(first=RECORDS, then=RECORDS, last=RECORDS)
def test_any_json_survives_append_and_replace(
    store: Store, first: list[dict[str, object]], then: list[dict[str, object]], last: list[dict[str, object]]
) -> None:
    with closing(store.open("name")) as journal:
        for record in first:
            journal.append(record)
        assert journal.records() == first
        journal.replace(then)
        for record in last:
            journal.append(record)
        assert journal.records() == then + last

    assert store.peek("name") == then + last
    store.open("name").discard()
    assert store.peek("name") == []


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_any_text(again: Callable[[], Store], name: str) -> None:
    with closing(again().open(name)) as journal:
        journal.append({"of": name})
    with closing(again().open(name + "!")) as other:
        other.append({"of": "the other"})

    store = again()
    assert sorted(store.names()) == sorted([name, name + "!"])
    assert store.peek(name) == [{"of": name}]


def test_names_that_differ_in_case_or_form_only_are_different_names(store: Store) -> None:
    names = ["É", "e\u0301", "é", "E\u0301", "x", "X"]
    for name in names:
        with closing(store.open(name)) as journal:
            journal.append({"of": name})

    assert sorted(store.names()) == sorted(names)
    assert [store.peek(name) for name in names] == [[{"of": name}] for name in names]


def test_an_open_name_is_held_and_says_by_whom(again: Callable[[], Store]) -> None:
    store = again()
    journal = store.open("name")

    with pytest.raises(Held) as held:
        store.open("name")

    assert (held.value.name, held.value.pid) == ("name", os.getpid())
    assert str(os.getpid()) in str(held.value)
    store.open("other").close()
    journal.close()
    again().open("name").close()


def test_a_held_name_is_held_until_it_is_let_go_however_often_it_is_asked_for(store: Store) -> None:
    journal = store.open("name")
    for _ in range(3):
        with pytest.raises(Held):
            store.open("name")
    journal.append({"still": "mine"})
    assert journal.records() == [{"still": "mine"}]

    journal.discard()
    store.open("name").close()


def test_what_is_held_can_be_read_and_is_listed(again: Callable[[], Store]) -> None:
    journal = again().open("name")
    journal.append({"number": 1}, durable=True)

    assert again().peek("name") == [{"number": 1}]
    assert list(again().names()) == ["name"]
    journal.close()


def test_a_name_without_records_leaves_nothing(again: Callable[[], Store]) -> None:
    journal = again().open("name")
    assert list(again().names()) == []
    journal.close()
    assert list(again().names()) == []

    journal = again().open("name")
    journal.append({"number": 1})
    journal.replace([])
    journal.close()
    assert (list(again().names()), again().peek("name")) == ([], [])


def test_what_was_never_there_reads_as_nothing(store: Store) -> None:
    assert store.peek("name") == []
    assert list(store.names()) == []


def test_discarding_leaves_nothing_and_closes(again: Callable[[], Store]) -> None:
    journal = again().open("name")
    journal.append({"number": 1}, durable=True)
    journal.discard()

    journal.close()
    with pytest.raises(StoreError):
        journal.append({"number": 2})
    assert (list(again().names()), again().peek("name")) == ([], [])
    with closing(again().open("name")) as fresh:
        assert fresh.records() == []


def test_a_closed_journal_refuses_everything_but_being_closed(again: Callable[[], Store]) -> None:
    journal = again().open("name")
    journal.append({"number": 1})
    journal.close()
    journal.close()

    for work in (
        journal.records,
        journal.discard,
        lambda: journal.append({"number": 2}),
        lambda: journal.append({"number": 2}, durable=True),
        lambda: journal.replace([]),
    ):
        with pytest.raises(StoreError, match="is closed"):
            work()
    assert again().peek("name") == [{"number": 1}]


def test_closing_twice_does_not_let_go_of_the_next_holders_name(store: Store) -> None:
    first = store.open("name")
    first.close()
    second = store.open("name")

    first.close()

    with pytest.raises(Held):
        store.open("name")
    second.close()


def test_replacing_keeps_the_hold_and_what_comes_after(again: Callable[[], Store]) -> None:
    store = again()
    journal = store.open("name")
    journal.append({"number": 1})
    for turn in range(3):
        journal.replace([{"turn": turn}])
        with pytest.raises(Held):
            store.open("name")
    journal.append({"number": 2})
    journal.close()

    assert again().peek("name") == [{"turn": 2}, {"number": 2}]


@pytest.mark.parametrize("record", [{"x": object()}, {"x": float("nan")}, {"x": b"bytes"}])
def test_what_json_cannot_hold_is_refused_and_nothing_is_written(
    store: Store, record: dict[str, object]
) -> None:
    journal = store.open("name")
    journal.append({"number": 1})

    with pytest.raises((TypeError, ValueError)):
        journal.append(record)
    with pytest.raises((TypeError, ValueError)):
        journal.replace([{"number": 3}, record])

    assert journal.records() == [{"number": 1}]
    journal.close()


def test_records_are_copies(store: Store) -> None:
    journal = store.open("name")
    record: dict[str, object] = {"list": [1]}
    journal.append(record)
    record["list"] = 2
    journal.records()[0]["list"] = 3

    assert journal.records() == [{"list": [1]}]
    journal.close()


def test_many_threads_append_and_each_record_is_whole_and_in_its_threads_order(
    again: Callable[[], Store],
) -> None:
    threads, each = 8, 60
    journal = again().open("name")
    start = threading.Barrier(threads)

    def work(thread: int) -> None:
        start.wait()
        for number in range(each):
            journal.append(
                {"thread": thread, "number": number, "pad": "x" * 50}, durable=number % 3 == thread % 3
            )

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
    journal.close()

    records = again().peek("name")
    assert len(records) == threads * each
    for thread in range(threads):
        assert [r["number"] for r in records if r["thread"] == thread] == list(range(each))


def test_of_many_threads_one_at_a_time_holds_the_name(again: Callable[[], Store]) -> None:
    store = again()
    threads, turns = 8, 40
    start = threading.Barrier(threads)
    inside: list[int] = []
    seen: list[int] = []

    def work(thread: int) -> int:
        start.wait()
        held = 0
        for _ in range(turns):
            try:
                journal = store.open("name")
            except Held:
                continue
            inside.append(thread)
            seen.append(len(inside))
            journal.append({"thread": thread})
            inside.remove(thread)
            held += 1
            journal.close()
        return held

    with ThreadPoolExecutor(threads) as pool:
        total = sum(pool.map(work, range(threads)))

    assert set(seen) == {1}
    assert len(again().peek("name")) == total > 0


def test_closing_beside_appending_threads_keeps_exactly_what_was_accepted(again: Callable[[], Store]) -> None:
    journal = again().open("name")
    begun = threading.Semaphore(0)

    def work(thread: int) -> int:
        for number in range(100_000):
            try:
                journal.append({"thread": thread}, durable=number % 7 == 0)
            except StoreError:
                return number
            begun.release()
        raise AssertionError("it was never closed")

    with ThreadPoolExecutor(4) as pool:
        counts = [pool.submit(work, thread) for thread in range(4)]
        for _ in range(40):
            assert begun.acquire(timeout=20)
        journal.close()
        accepted = [count.result(timeout=20) for count in counts]

    records = again().peek("name")
    for thread in range(
        4
    ):  # one that was written, but not yet synced when the door closed, counts as refused
        assert accepted[thread] <= len([r for r in records if r["thread"] == thread]) <= accepted[thread] + 1


def test_null_opens_and_keeps_nothing() -> None:
    store = Null()
    first, second = store.open("name"), store.open("name")
    first.append({"number": 1}, durable=True)
    first.replace([{"number": 2}])

    assert (first.records(), store.peek("name"), list(store.names())) == ([], [], [])
    first.discard()
    second.close()


def test_held_is_no_store_error_so_that_falling_back_does_not_swallow_it() -> None:
    held = Held("name", 7)
    copied = pickle.loads(pickle.dumps(held))

    assert isinstance(held, MossaicError)
    assert not isinstance(held, StoreError)
    assert (copied.name, copied.pid, str(copied)) == ("name", 7, str(held))
