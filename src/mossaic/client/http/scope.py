"""Cancelling from another thread: a scope knows what is blocked on its behalf and wakes it."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import Final, Protocol
from weakref import WeakSet

from mossaic.client.errors import Cancelled


class Interruptible(Protocol):
    """Something that a thread may be blocked in. `interrupt` wakes that thread, is called from any thread, and never blocks or raises."""

    def interrupt(self) -> None: ...


class Scope:
    """Cancels what runs in it. `cancel()` may be called from any thread or signal handler; every blocked call of `Pool.send` or
    of a Response raises Cancelled at once, and so does every later one. A scope with a `parent` is cancelled with its parent.
    """

    __slots__ = ("__weakref__", "_cancelled", "_children", "_inside", "_lock", "_parent")

    def __init__(self, *, parent: Scope | None = None) -> None:
        # Reentrant: a signal handler or a finalizer may come in while its own thread is in here.
        self._lock = threading.RLock()
        self._inside: set[Interruptible] = set()
        self._children: WeakSet[Scope] | None = None  # made with the first: most have none
        self._cancelled = False
        self._parent = parent  # kept alive: a grandparent reaches this one only through it
        if parent is not None:
            parent.adopt(self)

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    def cancel(self) -> None:
        """Wake everything that is blocked in this scope and in its children; for good. Does nothing the second time."""
        with self._lock:
            if self._cancelled:
                return
            self._cancelled = True
            # Under the lock, so that nobody closes a socket whose number would then be somebody else's.
            for one in list(self._inside):
                one.interrupt()
            children = list(self._children or ())
        for child in children:
            child.cancel()

    def check(self) -> None:
        """Raises Cancelled if the scope was cancelled."""
        if self._cancelled:
            raise Cancelled("the work was cancelled")

    def add(self, one: Interruptible) -> None:
        """`one` is to be interrupted from now on. For connections only. Raises Cancelled: then it was not added."""
        with self._lock:
            self._inside.add(one)  # before the look: a signal handler that cancels may come between the two
            if self._cancelled:
                self._inside.discard(one)
                self.check()

    def remove(self, one: Interruptible) -> None:
        """After this `one` is not interrupted any more, and may be closed. For connections only."""
        with self._lock:
            self._inside.discard(one)

    def adopt(self, child: Scope) -> None:
        """For a child that is being made."""
        with self._lock:
            if self._children is None:
                self._children = WeakSet()
            self._children.add(child)  # before the look, as in `add`
            if self._cancelled:
                child._cancelled = True


current_scope: Final[ContextVar[Scope | None]] = ContextVar("current_scope", default=None)
"""The scope of calls that are given none: whoever runs them on behalf of something that can be cancelled sets it."""
