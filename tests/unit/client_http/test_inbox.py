"""Heads and lines are found wherever the pieces that arrive are cut."""

from __future__ import annotations

import pytest

from mossaic.client.http.head import Malformed
from mossaic.client.http.inbox import Inbox


def feed(inbox: Inbox, data: bytes) -> None:
    while data:
        room = inbox.room()
        count = min(len(room), len(data))
        room[:count] = data[:count]
        inbox.grew(count)
        data = data[count:]


HEAD = b"HTTP/1.1 200 OK\r\nA: b"


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 100])
def test_a_head_is_found_however_it_is_cut(size: int) -> None:
    inbox = Inbox()
    stream = (HEAD + b"\r\n\r\n") * 3
    found = []

    for start in range(0, len(stream), size):
        feed(inbox, stream[start : start + size])
        while (head := inbox.take_head()) is not None:
            found.append(head)

    assert found == [HEAD] * 3
    assert not inbox


def test_a_line_is_found_however_it_is_cut() -> None:
    inbox = Inbox()
    found = []

    for byte in b"12\r\n\r\n345\r\n":
        feed(inbox, bytes([byte]))
        while (line := inbox.take_line(3)) is not None:
            found.append(line)

    assert found == [b"12", b"", b"345"]


def test_a_line_may_be_as_long_as_its_limit_and_no_longer() -> None:
    inbox = Inbox()
    feed(inbox, b"1234\r\n12345")
    assert inbox.take_line(4) == b"1234"
    assert inbox.take_line(4) is None

    feed(inbox, b"\r")
    with pytest.raises(Malformed, match="too long"):
        inbox.take_line(4)


def test_what_waits_survives_growing_and_moving() -> None:
    inbox = Inbox()
    long = b"HTTP/1.1 200 OK\r\nA: " + bytes(range(32, 127)) * 500

    for _ in range(3):
        feed(inbox, HEAD + b"\r\n\r\n" + long[:10_000])
        assert inbox.take_head() == HEAD
        assert inbox.take_head() is None
        feed(inbox, long[10_000:])
        assert inbox.take_head() is None
        feed(inbox, b"\r\n\r\nrest")
        assert inbox.take_head() == long
        assert inbox.take(4) == b"rest"


def test_a_head_has_a_longest_length() -> None:
    inbox = Inbox()
    feed(inbox, b"HTTP/1.1 200 OK\r\nA: " + b"b" * 65_000)
    assert inbox.take_head() is None

    feed(inbox, b"b" * 1000)
    with pytest.raises(Malformed, match="longer than 65536"):
        inbox.take_head()
