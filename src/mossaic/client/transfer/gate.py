"""Pausing: attempts pass a gate; closing it cuts those under way, and they begin again when it opens."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, TypeVar

from mossaic.client.errors import Cancelled
from mossaic.client.http import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_LOOK_S: Final = 0.1  # how soon somebody who waits at the gate hears of a cancel


class Gate:
    """Open at first. Any thread may close or open it. `news` is notified of every change."""

    def __init__(self) -> None:
        self.news = threading.Condition()
        self.paused = False
        self._stopping = False
        self._attempts: set[Scope] = set()

    def pause(self) -> bool:
        """Whether it was open."""
        with self.news:
            if self.paused:
                return False
            self.paused = True
            cut = tuple(self._attempts)
        for scope in cut:
            scope.cancel()
        return True

    def go_on(self) -> bool:
        """Whether it was closed."""
        with self.news:
            was, self.paused = self.paused, False
            self.news.notify_all()
        return was

    def stop(self) -> None:
        """Nobody passes any more; those under way may finish."""
        with self.news:
            self._stopping = True
            self.news.notify_all()

    def through(self, parent: Scope, attempt: Callable[[Scope], T]) -> T:
        """Run `attempt`, again after each pause that cut it. Raises Cancelled: `parent` was, or everything stops; and as `attempt`."""
        while True:
            scope = Scope(parent=parent)
            self._enter(parent, scope)
            try:
                return attempt(scope)
            except Cancelled:
                if self._stopping or parent.cancelled or not scope.cancelled:
                    raise
            finally:
                with self.news:
                    self._attempts.discard(scope)

    def _enter(self, parent: Scope, scope: Scope) -> None:
        with self.news:
            while self.paused and not self._stopping:
                parent.check()
                self.news.wait(_LOOK_S)
            if self._stopping:
                raise Cancelled("the transfer stops")
            self._attempts.add(scope)
