"""The board: what one process writes another reads, whole, and what a worker leaves behind."""

from __future__ import annotations

import os

import pytest

from mossaic.board import Board, Cell


def test_texts_and_numbers_reach_other_processes() -> None:
    board = Board(2)
    own, other = board.place(0), board.place(1)
    pid = os.fork()
    if pid == 0:
        other.write(b"from the child")
        other.news(Cell.BUCKETS).tell()
        other.crowd().have(3)
        os._exit(0)
    os.waitpid(pid, 0)

    assert own.others() == [b"from the child"]
    assert own.total(Cell.BUCKETS) == 1
    assert own.crowd().others() == 3


def test_news_are_heard_once_and_by_who_told_them_too() -> None:
    board = Board(2)
    one, two = board.place(0).news(Cell.LINKS), board.place(1).news(Cell.LINKS)
    before = one.heard()
    assert one.heard() == before

    two.tell()
    after = one.heard()
    one.tell()

    assert before != after != one.heard()
    assert one.heard() == two.heard()


def test_the_next_worker_of_a_place_finds_its_text_but_holds_nothing() -> None:
    board = Board(1)
    first = board.place(0)
    first.write(b"counted")
    first.news(Cell.BUCKETS).tell()
    heard = first.news(Cell.BUCKETS).heard()
    crowd = first.crowd()
    crowd.listens(True)
    crowd.have(7)

    second = board.place(0)

    assert second.read() == b"counted"
    assert second.news(Cell.BUCKETS).heard() == heard
    assert (second.total(Cell.CONNECTIONS), second.total(Cell.LISTENS)) == (0, 0)


def test_the_fewest_connections_are_of_those_who_listen() -> None:
    board = Board(4)
    crowds = [board.place(number).crowd() for number in range(4)]
    assert crowds[0].least() is None
    for crowd, count in zip(crowds, (9, 5, 2, 0), strict=True):
        crowd.have(count)
        crowd.listens(count > 0)

    assert crowds[0].least() == 2
    assert crowds[2].least() == 5
    assert crowds[0].others() == 7


def test_a_lease_of_any_worker_counts_until_it_ends_or_its_worker_does() -> None:
    board = Board(2)
    one, other = board.place(0).crowd(), board.place(1).crowd()
    assert not one.has_lent()

    other.lend(2)
    lent = one.has_lent(), other.has_lent()
    board.vacate(1)

    assert lent == (True, True)
    assert not one.has_lent()


def test_a_writer_that_was_killed_leaves_the_text_before() -> None:
    board = Board(1)
    place = board.place(0)
    place.write(b"whole")
    at = board._at(0, 1 - board.rows[Cell.SIDE][0])
    board._memory[at : at + 20] = b"half of a new text  "

    assert place.read() == b"whole"


def test_a_text_that_has_no_room_is_refused() -> None:
    place = Board(1).place(0)
    place.write(b"before")

    with pytest.raises(ValueError, match="room"):
        place.write(bytes(1024 * 1024))
    assert place.read() == b"before"
