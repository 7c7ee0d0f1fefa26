"""Pausing: who is under way is cut and goes again, who waits hears of a stop."""

from __future__ import annotations

import threading

import pytest

from mossaic.client.errors import Cancelled
from mossaic.client.http import Scope
from mossaic.client.transfer.gate import Gate


def test_a_pause_cuts_an_attempt_which_begins_again_when_the_gate_opens() -> None:
    gate, tries = Gate(), []

    def attempt(scope: Scope) -> str:
        tries.append(scope)
        if len(tries) == 1:
            assert gate.pause()
            threading.Timer(0.01, gate.go_on).start()
            scope.check()
        return "done"

    assert gate.through(Scope(), attempt) == "done"
    assert len(tries) == 2


def test_a_cancel_reaches_who_waits_at_the_gate() -> None:
    gate, scope = Gate(), Scope()
    gate.pause()
    threading.Timer(0.01, scope.cancel).start()

    with pytest.raises(Cancelled):
        gate.through(scope, lambda _: None)


def test_a_stop_reaches_who_waits_at_the_gate() -> None:
    gate = Gate()
    gate.pause()
    threading.Timer(0.01, gate.stop).start()

    with pytest.raises(Cancelled):
        gate.through(Scope(), lambda _: None)


def test_a_cancelled_that_no_pause_made_is_raised() -> None:
    def attempt(_: Scope) -> None:
        raise Cancelled("somebody else")

    with pytest.raises(Cancelled, match="somebody else"):
        Gate().through(Scope(), attempt)


def test_pausing_twice_says_so_once() -> None:
    gate = Gate()

    assert [gate.pause(), gate.pause(), gate.go_on(), gate.go_on()] == [True, False, True, False]
