"""A blocking call on behalf of a task: run in a thread, cut off with the task, fed from the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from concurrent.futures import CancelledError, Executor
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from mossaic.client.errors import Cancelled
from mossaic.client.http import Scope
from mossaic.client.http.scope import current_scope

if TYPE_CHECKING:
    from concurrent.futures import Future

    from mossaic.client.client import Client

R = TypeVar("R")

PATIENCE_S: Final = 5.0
# Called back in the event loop, in order, not in the thread that does the work.
_CALLBACKS: Final = ("progress", "on_event")


class Work:
    """One call, or the life of one open object: its scope, and what it reads from the event loop."""

    def __init__(self, executor: Executor, parent: Scope | None) -> None:
        self._executor = executor
        self._scope = Scope(parent=parent)
        self._bridges: list[Bridge] = []
        self._context = copy_context()
        self._context.run(current_scope.set, self._scope)

    def bound(self, client: Client) -> Client:
        """`client`, cancelled with this."""
        return client.with_options(scope=self._scope)

    def taken_over(self, value: object, name: str | None = None) -> object:
        """An argument as a thread can use it."""
        if isinstance(value, AsyncIterable):
            self._bridges.append(Bridge(aiter(cast("AsyncIterable[object]", value))))
            return self._bridges[-1]
        if name in _CALLBACKS and callable(value):
            return _in_loop(value)
        return value

    async def run(self, step: Callable[[], R]) -> R:
        """`step` in a thread. When the task is cancelled, so is the step, and it has ended when CancelledError is raised; but nothing
        can end a step that is blocked in its caller's own source, so that is not waited for."""
        self._scope.check()
        job = self._executor.submit(self._context.copy().run, step)
        future = asyncio.wrap_future(job)
        try:
            await asyncio.wait((future,))
        except asyncio.CancelledError:
            self.cancel()
            job.cancel()  # for when it has not begun; else it ends by itself, since its scope has
            await asyncio.wait((future,), timeout=PATIENCE_S)
            future.add_done_callback(_let_go)
            raise
        return future.result()

    def cancel(self) -> None:
        self._scope.cancel()
        for bridge in self._bridges:
            bridge.cancel()


def _in_loop(call: Callable[..., Any]) -> Callable[..., None]:  # Any: a callback of whatever kind
    loop = asyncio.get_running_loop()

    def said(*what: object) -> None:
        loop.call_soon_threadsafe(call, *what)

    return said


def _let_go(future: asyncio.Future[Any]) -> None:  # Any: the result of any call
    """Nobody will take it any more."""
    if future.cancelled() or future.exception() is not None:
        return
    close = getattr(future.result(), "close", None)
    if close is not None:
        close()


class Bridge(Iterator[object]):
    """An asynchronous iterator, read by a thread item by item. What it raises is raised there."""

    def __init__(self, source: AsyncIterator[object]) -> None:
        self._source = source
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._waiting: Future[object] | None = None
        self._cancelled = False

    def __next__(self) -> object:
        with self._lock:
            if self._cancelled:
                raise Cancelled("the work was cancelled")
            self._waiting = asyncio.run_coroutine_threadsafe(self._next(), self._loop)
        try:
            found = self._waiting.result()
        except CancelledError:
            raise Cancelled("the work was cancelled") from None
        if found is self:
            raise StopIteration
        return found

    async def _next(self) -> object:
        """The next item; this bridge at the end, because StopAsyncIteration does not fit into a Future."""
        try:
            return await anext(self._source)
        except StopAsyncIteration:
            return self

    def cancel(self) -> None:
        with self._lock:
            self._cancelled = True
            if self._waiting is not None:
                self._waiting.cancel()
