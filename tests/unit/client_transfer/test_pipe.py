"""The pipe between who writes and who uploads: bounded, ended once, left from either side."""

from __future__ import annotations

import threading

import pytest

from mossaic.client.errors import Cancelled, DeadlineExceeded
from mossaic.client.writer import Pipe

MIB = 1 << 20


def test_what_was_put_comes_out_in_order_and_ends() -> None:
    pipe = Pipe()
    for chunk in (b"a", b"b", b"c"):
        assert pipe.put(chunk)
    pipe.end()

    assert list(pipe.chunks(lambda: None)) == [b"a", b"b", b"c"]


def test_who_writes_waits_until_there_is_room() -> None:
    pipe = Pipe()
    assert pipe.put(bytes(MIB))
    done = threading.Event()
    writer = threading.Thread(target=lambda: pipe.put(b"x") and done.set())
    writer.start()
    assert not done.wait(0.05)

    assert len(next(pipe.chunks(lambda: None))) == MIB

    assert done.wait(5)


def test_leaving_wakes_who_waits_on_both_sides() -> None:
    pipe = Pipe()
    pipe.put(bytes(MIB))
    answers: list[bool] = []
    writer = threading.Thread(target=lambda: answers.append(pipe.put(b"x")))
    writer.start()

    pipe.leave()

    writer.join(5)
    assert answers == [False]
    with pytest.raises(Cancelled):
        next(pipe.chunks(lambda: None))


def test_who_waits_for_bytes_hears_of_a_deadline() -> None:
    def check() -> None:
        raise DeadlineExceeded("over")

    with pytest.raises(DeadlineExceeded):
        next(Pipe().chunks(check))
