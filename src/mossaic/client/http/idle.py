"""Connections that wait for their next request: bounded in number and in time, and none that a fork has made two of."""

from __future__ import annotations

import os
import threading
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from mossaic.client.http.connection import Connection
    from mossaic.client.http.message import Origin

MAX_IDLE: Final = 64  # connections
IDLE_S: Final = 50.0  # seconds that one waits: servers commonly close theirs after 60 or more


class _Waiting(NamedTuple):
    connection: Connection
    since: float


class Idle:
    """Thread-safe. The one that came last is used first, so that those too many grow old."""

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.RLock()  # reentrant: a finalizer may come in while its own thread is in here
        self._waiting: list[_Waiting] = []

    def take(self, origin: Origin) -> Connection | None:
        """One to this origin that the server has not closed meanwhile."""
        while True:
            connection = self._pop(origin)
            if connection is None or connection.usable():
                return connection
            connection.close()

    def put(self, connection: Connection) -> None:
        self._mind_fork()
        with self._lock:
            self._waiting.append(_Waiting(connection, monotonic()))
            dropped = self._outdated()
        _close(dropped)

    def clear(self) -> None:
        with self._lock:
            dropped, self._waiting = self._waiting, []
        _close(dropped)

    def __len__(self) -> int:
        return len(self._waiting)

    def _pop(self, origin: Origin) -> Connection | None:
        self._mind_fork()
        found: Connection | None = None
        with self._lock:
            dropped = self._outdated()
            for place in range(len(self._waiting) - 1, -1, -1):
                if self._waiting[place].connection.origin == origin:
                    found = self._waiting.pop(place).connection
                    break
        _close(dropped)
        return found

    def _outdated(self) -> list[_Waiting]:
        """Take out those that wait too long or are too many; the oldest stand first."""
        waiting = self._waiting
        oldest = monotonic() - IDLE_S
        count = max(0, len(waiting) - MAX_IDLE)
        while count < len(waiting) and waiting[count].since < oldest:
            count += 1
        if not count:
            return []
        dropped = waiting[:count]
        del waiting[:count]
        return dropped

    def _mind_fork(self) -> None:
        if self._pid != os.getpid():
            # The parent goes on with them, and may have held the lock. That our copies are closed does not end them.
            self._pid = os.getpid()
            self._lock = threading.RLock()
            self._waiting = []


def _close(dropped: list[_Waiting]) -> None:
    for one in dropped:
        one.connection.close()
