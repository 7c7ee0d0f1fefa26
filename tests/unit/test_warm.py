"""What was written of late stays warm, what is older is given up, each piece once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from mossaic.stores.blobs.warm import Warm

if TYPE_CHECKING:
    from collections.abc import Sequence

MIB = 1024 * 1024
Piece = tuple[str, int, int]


def given_up(most_bytes: int, pieces: Sequence[Piece]) -> list[Piece]:
    gone: list[Piece] = []
    warm = Warm(most_bytes, lambda *piece: gone.append(piece))
    for piece in pieces:
        warm.add(*piece)
    return gone


def test_the_oldest_is_given_up_when_there_is_more_than_may_be() -> None:
    pieces = [(f"file-{number}", 0, MIB) for number in range(5)]

    assert given_up(3 * MIB, pieces) == pieces[:2]


def test_nothing_stays_where_nothing_may() -> None:
    assert given_up(0, [("a", 0, MIB), ("b", MIB, 3)]) == [("a", 0, MIB), ("b", MIB, 3)]


def test_a_piece_longer_than_all_that_may_stay_is_given_up_at_once() -> None:
    assert given_up(MIB, [("short", 0, 10), ("long", 0, 2 * MIB)]) == [("short", 0, 10), ("long", 0, 2 * MIB)]


def test_short_pieces_do_not_become_too_many() -> None:
    pieces = [(f"file-{number}", 0, 1) for number in range(100)]

    assert len(given_up(MIB, pieces)) == 100 - 16


@given(st.lists(st.integers(1, 3 * MIB), max_size=30), st.integers(0, 8 * MIB))
def test_what_stays_is_the_newest_and_as_much_as_may(sizes: list[int], most_bytes: int) -> None:
    pieces = [(f"file-{number}", 0, size) for number, size in enumerate(sizes)]

    gone = given_up(most_bytes, pieces)

    assert gone == pieces[: len(gone)]
    assert sum(size for *_, size in pieces[len(gone) :]) <= most_bytes
    if gone:
        assert sum(max(size, MIB // 16) for *_, size in pieces[len(gone) - 1 :]) > most_bytes


def test_a_file_that_is_gone_is_nobodys_trouble() -> None:
    Warm(0).add("/nowhere/at/all", 0, MIB)


def test_many_threads_give_up_each_piece_once() -> None:
    gone: list[Piece] = []
    warm = Warm(0, lambda *piece: gone.append(piece))

    def add(name: int) -> None:
        for number in range(500):
            warm.add(f"{name}", number, 1)

    threads = [threading.Thread(target=add, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(gone) == sorted((f"{name}", number, 1) for name in range(8) for number in range(500))
