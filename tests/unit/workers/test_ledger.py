"""The ledger: numbers by name, of every process that lives, and of no other."""

from __future__ import annotations

import os

from mossaic.ledger import Ledger


def test_numbers_reach_other_processes_and_end_with_their_own() -> None:
    ledger = Ledger(3)
    here = ledger.tally(0)
    ledger.tally(2).put("a", 5)
    pid = os.fork()
    if pid == 0:
        there = ledger.tally(1)
        there.put("a", 3)
        there.put("b", 7)
        there.put("a", 4)
        os._exit(0)
    os.waitpid(pid, 0)
    here.put("a", 100)

    assert (here.others("a"), here.others("b"), here.others("c")) == (9, 7, 0)

    ledger.vacate(1)

    assert (here.others("a"), here.others("b")) == (5, 0)
    ledger.tally(1).put("b", 1)
    assert here.others("b") == 1


def test_old_numbers_do_not_count() -> None:
    ledger = Ledger(2)
    ledger.tally(1).put("a", 5, 1_700_000_000.5)

    assert ledger.tally(0).others("a", 1_700_000_000.0) == 5
    assert ledger.tally(0).others("a", 1_700_000_000.5) == 0


def test_the_oldest_make_room_and_come_back_when_told_again() -> None:
    ledger = Ledger(2)
    one, other = ledger.tally(0), ledger.tally(1)
    names = [str(number) for number in range(20_000)]
    for at, name in enumerate(names):
        one.put(name, 1, float(at))
    assert all(other.others(name) == 1 for name in names[-500:])
    gone = next(name for name in names if not other.others(name))

    one.put(gone, 2, 1e6)

    assert other.others(gone) == 2


def test_what_is_taken_back_makes_room_first() -> None:
    ledger = Ledger(2)
    one, other = ledger.tally(0), ledger.tally(1)
    for number in range(1000):
        one.put(str(number), 1)
    held = [str(number) for number in range(1000) if other.others(str(number))]

    for number in range(10_000):
        one.put(f"short {number}", 1, 5.0)
        one.put(f"short {number}", 0, 5.0)

    assert [other.others(name) for name in held if other.others(name)] != []
    assert sum(other.others(f"short {number}") for number in range(10_000)) == 0
