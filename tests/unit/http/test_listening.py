"""The sockets that connections come to, and which of them send by timers."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from typing import Final

import pytest

from mossaic.gateway.http import listening
from mossaic.gateway.http.listening import bound, unpace

CHOICE: Final[int] = getattr(socket, "TCP_CONGESTION", 0)
linux = pytest.mark.skipif(not CHOICE, reason="the system has no TCP_CONGESTION")


def choice(sock: socket.socket) -> bytes:
    return sock.getsockopt(socket.IPPROTO_TCP, CHOICE, 16).rstrip(b"\0")


@pytest.fixture
def system() -> bytes:
    """What the system would have connections use."""
    with socket.socket() as sock:
        return choice(sock)


@pytest.fixture
def paced(system: bytes, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """As if the system's choice was the one that paces."""
    monkeypatch.setattr(listening, "_PACED", system)
    return system


def accepted() -> bytes:
    """What a connection uses that came in from the machine itself."""
    with ExitStack() as stack:
        listener, *_ = [stack.enter_context(sock) for sock in bound("127.0.0.1", 0)]
        listener.listen()
        stack.enter_context(socket.create_connection(("127.0.0.1", listener.getsockname()[1])))
        connection = stack.enter_context(listener.accept()[0])
        return choice(connection)


@linux
def test_connections_within_the_machine_are_not_paced(paced: bytes) -> None:
    assert accepted() == b"reno", paced


@linux
def test_what_comes_from_elsewhere_is_left_to_the_system(paced: bytes) -> None:
    with ExitStack() as stack:
        sockets = [stack.enter_context(sock) for sock in bound("0.0.0.0", 0)]  # none listens
        assert {choice(sock) for sock in sockets} == {paced}


@linux
def test_a_choice_that_does_not_pace_is_left_alone(system: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "_PACED", b"another")
    assert accepted() == system


@linux
def test_a_system_that_refuses_is_obeyed(paced: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "_UNPACED", b"no such")
    with socket.socket() as sock:
        unpace(sock)
        assert choice(sock) == paced


def test_all_addresses_of_a_name_get_one_port() -> None:
    with ExitStack() as stack:
        sockets = [stack.enter_context(sock) for sock in bound("localhost", 0)]
        assert len({sock.getsockname()[1] for sock in sockets}) == 1


def test_a_port_that_is_taken_is_an_error_and_leaves_nothing_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder, pytest.raises(OSError, match="in use"):
        bound("127.0.0.1", holder.getsockname()[1])
