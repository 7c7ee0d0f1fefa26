"""Ctrl-C in the moments in which Python loses one, or must not raise it."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Any, cast

import pytest

from mossaic.cli.interrupts import Interrupts
from mossaic.cli.moving import watch
from mossaic.cli.outcome import Interrupted
from mossaic.cli.output import Output
from mossaic.client.errors import UploadCancelled
from mossaic.client.upload.progress import Meter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mossaic.client.transfer.handle import Transfer
    from mossaic.client.upload.progress import Progress

SOON_S = 20
LOOKS = 10


@pytest.fixture(autouse=True)
def _as_a_program_begins() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press() -> None:
    signal.raise_signal(signal.SIGINT)


class Finalized:
    """Ctrl-C while it is finalized."""

    def __del__(self) -> None:
        press()


class Sending:
    """A transfer that ends when it is cancelled; `look` is called whenever somebody waits for it."""

    def __init__(self, look: Callable[[], None], *, heeds: bool = True) -> None:
        self._look = look
        self._heeds = heeds
        self._ended = threading.Event()
        self._looks = 0

    @property
    def progress(self) -> Progress:
        return Meter().snapshot()

    def done(self) -> bool:
        return self._ended.is_set()

    def result(self, timeout: float) -> str:
        if self._ended.is_set():
            raise UploadCancelled("stopped", None)
        self._looks += 1
        if self._looks > LOOKS:
            pytest.fail("it goes on as if nothing had been pressed")
        self._look()
        self._ended.wait(timeout)
        raise TimeoutError

    def cancel(self) -> None:
        if self._heeds:
            self._ended.set()


def watched(sending: Sending) -> None:
    watch(Output(), cast("Transfer[Any]", sending), "big.bin", every_s=5.0)  # Any: as it is there


def test_one_in_a_finalizer_ends_what_is_watched() -> None:
    looks = iter([Finalized])

    def look() -> None:
        for kind in looks:
            kind()  # made, and finalized at once

    with pytest.raises(Interrupted, match=r"big.bin: interrupted; .* will not travel again"):
        watched(Sending(look))


def test_the_second_does_not_wait() -> None:
    with pytest.raises(KeyboardInterrupt):
        watched(Sending(press, heeds=False))


def test_afterwards_it_is_raised_as_before() -> None:
    with pytest.raises(Interrupted):
        watched(Sending(press))

    with pytest.raises(KeyboardInterrupt):
        press()


def test_one_that_nobody_has_seen_is_raised_at_the_exit() -> None:
    with pytest.raises(KeyboardInterrupt), Interrupts():
        press()


def test_a_failure_is_not_replaced() -> None:
    def fail() -> None:
        press()
        raise OSError("full")

    with pytest.raises(OSError, match="full"), Interrupts():
        fail()


def test_nothing_is_raised_before_the_exit() -> None:
    reached = False

    def work() -> None:
        nonlocal reached
        with Interrupts():
            press()
            reached = True

    with pytest.raises(KeyboardInterrupt):
        work()

    assert reached


def test_ignored_ones_stay_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Interrupts() as interrupts:
        press()

    assert not interrupts.came
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_those_of_somebody_else_stay_his() -> None:
    heard: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    with Interrupts() as interrupts:
        press()

    assert heard == [signal.SIGINT]
    assert not interrupts.came


def test_a_thread_that_may_not_catch_does_without() -> None:
    came: list[bool] = []

    def work() -> None:
        with Interrupts() as interrupts:
            came.append(interrupts.came)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(SOON_S)

    assert came == [False]
