"""The journal that processes share: the newest records, bounded, whole."""

from __future__ import annotations

import os

from mossaic.stores.journal import Journal


def test_the_newest_are_kept_by_number() -> None:
    journal = Journal(count=3, size=1000)
    for number in range(20):
        journal.append(b"%d" % number)
        expected = [b"%d" % each for each in range(max(0, number - 2), number + 1)]
        assert list(journal.records()) == expected


def test_the_newest_are_kept_by_bytes() -> None:
    journal = Journal(count=100, size=1000)
    for number in range(50):
        journal.append(bytes([number]) * 300)

    assert list(journal.records()) == [bytes([number]) * 300 for number in (47, 48, 49)]
    assert os.fstat(journal._descriptor).st_size < 4000


def test_one_that_is_too_large_alone_is_not_kept() -> None:
    journal = Journal(count=10, size=1000)
    journal.append(b"before")

    journal.append(bytes(1001))

    assert list(journal.records()) == [b"before"]


def test_none_is_kept_when_none_shall_be() -> None:
    journal = Journal(count=0, size=1000)

    journal.append(b"x")

    assert list(journal.records()) == []


def test_processes_add_to_one_journal() -> None:
    journal = Journal(count=1000, size=100_000)
    children = []
    for child in range(4):
        pid = os.fork()
        if pid == 0:
            for number in range(100):
                journal.append(b"%d:%d" % (child, number))
            os._exit(0)
        children.append(pid)
    for pid in children:
        os.waitpid(pid, 0)

    found = list(journal.records())
    for child in range(4):
        own = [record for record in found if record.startswith(b"%d:" % child)]
        assert own == [b"%d:%d" % (child, number) for number in range(100)]
