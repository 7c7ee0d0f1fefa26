"""Requests that are there at the same time are answered in step: all of them take the first step, then all the second.

The interpreter and what it works on are larger than a core's caches. When one request is answered after the other, each brings in what
all of its steps need; in step, the first one does that for all. Their answers leave together, too: a client on the same machine that is woken by the first
takes the core away from the others. ADR 24 has what that is worth.

While bodies are on their way the event loop gives way to the threads that hash them after each such turn. It shares the cores with them and
takes more than its part by coming back for every single request; what arrives meanwhile is answered together, and cheaper (ADR 26).
"""

from __future__ import annotations

import asyncio
import logging
import os
import types
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

    Exchange = Coroutine[Any, Any, None]  # Any: what futures exchange with tasks

log = logging.getLogger(__name__)
# Does nothing where nobody else wants the core.
_give_way: Final[Callable[[], None]] = getattr(os, "sched_yield", lambda: None)
MOST: Final = 32  # in step: with more the first would wait long for its answer, and what they work on not fit the caches


@types.coroutine
def step() -> Generator[None, None, None]:
    """The end of a step: the others take theirs. In a task it is a turn of the event loop, which comes to the same."""
    yield


class Lockstep:
    """Begins requests in step. `has_bodies`: whether threads of any worker have bodies on their way. `tasks` are those that had to wait for something; they are finished even when their client is gone."""

    __slots__ = ("_awake", "_begun", "_has_bodies", "tasks")

    def __init__(self, has_bodies: Callable[[], bool] = lambda: False) -> None:
        self._has_bodies = has_bodies
        self.tasks: set[asyncio.Task[None]] = set()
        self._begun: list[Exchange] = []
        self._awake = 0  # tasks that wait for nothing but their turn

    def begin(self, exchange: Exchange) -> None:
        """In step with all that begin in this turn of the event loop. One that never waits is done without a task.

        Until its first wait it runs outside of any task: it may not use `asyncio.timeout` or `current_task` before.
        """
        if not self._begun:
            asyncio.get_running_loop().call_soon(self._go)
        self._begun.append(exchange)

    def spawn(self, exchange: Exchange) -> None:
        """In a task of its own."""
        self._go_on_in_task(exchange, None)

    def _go(self) -> None:
        going, self._begun = self._begun[:MOST], self._begun[MOST:]
        if self._begun:
            asyncio.get_running_loop().call_soon(self._go)
        while going:
            going = [exchange for exchange in going if self._goes_on(exchange)]
        if self._has_bodies():
            _give_way()

    def _goes_on(self, exchange: Exchange) -> bool:
        """Take one step. False when it is done, or goes on in a task."""
        try:
            waiting = exchange.send(None)
        except StopIteration:
            return False
        except Exception:  # the others go on
            log.exception("a request has failed")
            return False
        if waiting is None:
            return True
        # As a task takes it up: others may wait for the same future before that one does.
        waiting._asyncio_future_blocking = False  # noqa: SLF001  # what futures and tasks tell each other, of any event loop
        self._go_on_in_task(exchange, waiting)
        return False

    def _go_on_in_task(self, exchange: Exchange, waiting: Any) -> None:  # Any: as above
        task = asyncio.get_running_loop().create_task(self._rest(exchange, waiting))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _rest(self, exchange: Exchange, waiting: Any) -> None:  # Any: as above
        await self._go_on(exchange, waiting)

    @types.coroutine
    def _go_on(self, exchange: Exchange, waiting: Any) -> Generator[Any, Any, None]:  # Any: as above
        """All that is left of an exchange, which waits for a future, or has not begun. Of those that are awake together each step is a turn
        of the event loop; one that finds itself alone goes on without: each turn lets go of the interpreter, and threads that
        have bodies take it."""
        self._awake += 1
        waits = True  # before; others may be woken in the same turn, and are not counted yet
        try:
            if waiting is None:
                waiting = exchange.send(None)
            else:
                waiting._asyncio_future_blocking = True  # noqa: SLF001  # as above
            while True:
                if waiting is None and not waits and self._awake == 1:
                    waiting = exchange.send(None)
                    continue
                waits = waiting is not None
                self._awake -= waits
                try:
                    sent = yield waiting
                except BaseException as error:  # noqa: BLE001  # cancellation, too, is the coroutine's to deal with
                    self._awake += waits
                    waiting = exchange.throw(error)
                else:
                    self._awake += waits
                    waiting = exchange.send(sent)
        except StopIteration:
            return
        finally:
            self._awake -= 1
