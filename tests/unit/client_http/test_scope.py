"""A cancel from a signal handler: it may come between any two instructions of whatever its own thread does to the scope."""

from __future__ import annotations

import signal
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Self

import pytest

from mossaic.client.errors import Cancelled
from mossaic.client.http.lookup import find_addresses
from mossaic.client.http.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

INSIDE = {each.__code__ for each in (Scope.__init__, Scope.add, Scope.adopt, Scope.cancel, Scope.check)}


class Blocked:
    def __init__(self) -> None:
        self.interrupted = False

    def interrupt(self) -> None:
        self.interrupted = True


class Handler:
    """Calls `act` once, before the instruction `at` of what runs inside of scopes; `reached` tells whether there is one."""

    def __init__(self, at: int, act: Callable[[], None]) -> None:
        self._left = at
        self._act = act
        self.reached = False

    def __enter__(self) -> Self:
        self._before = sys.gettrace()
        sys.settrace(self._look)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _look(self, frame: FrameType, event: str, _: object) -> Any:  # Any: a trace function
        if frame.f_code not in INSIDE:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode" and not self.reached:
            self._left -= 1
            if self._left < 0:
                self.reached = True
                self._act()  # nothing is traced in here
        return self._look


def at_every_instruction(prove: Callable[[int], Handler]) -> None:
    at = 0
    while prove(at).reached:
        at += 1
    assert at > 5, "nothing was traced"


def test_what_is_being_added_is_interrupted_or_refused() -> None:
    def prove(at: int) -> Handler:
        scope, one, refused = Scope(), Blocked(), False
        with Handler(at, scope.cancel) as handler:
            try:
                scope.add(one)
            except Cancelled:
                refused = True
        assert one.interrupted or refused or not handler.reached, at
        return handler

    at_every_instruction(prove)


def test_a_child_that_is_being_made_is_cancelled() -> None:
    def prove(at: int) -> Handler:
        scope = Scope()
        with Handler(at, scope.cancel) as handler:
            child = Scope(parent=scope)
        assert child.cancelled or not handler.reached, at
        return handler

    at_every_instruction(prove)


def test_a_cancel_within_a_cancel_leaves_nothing_out() -> None:
    def prove(at: int) -> Handler:
        scope, one = Scope(), Blocked()
        child, another = Scope(parent=scope), Blocked()
        scope.add(one)
        child.add(another)
        with Handler(at, scope.cancel) as handler:
            scope.cancel()
        assert one.interrupted, at
        assert another.interrupted, at
        with pytest.raises(Cancelled):
            child.check()
        return handler

    at_every_instruction(prove)


def test_a_handler_ends_a_lookup_of_its_own_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    scope, asked, over = Scope(), threading.Event(), threading.Event()
    found: list[bool] = []

    def hangs(*_: object, **__: object) -> list[Any]:
        asked.set()
        over.wait(5)
        found.append(True)
        return []

    def press() -> None:
        asked.wait(60)
        time.sleep(
            0.2
        )  # until it waits for the answer; earlier it would be refused, which the tests above are about
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    before = signal.signal(signal.SIGUSR1, lambda *_: scope.cancel())
    try:
        threading.Thread(target=press).start()
        with pytest.raises(Cancelled):
            find_addresses("hangs.example", 80, scope=scope, wait_s=600)
        assert not found, "it was waited for"
    finally:
        signal.signal(signal.SIGUSR1, before)
        over.set()
