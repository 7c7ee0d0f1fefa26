"""Connections that wait for their next request: bounded in number and in time, and none that a fork has made two of."""

from __future__ import annotations

import os
import threading
from time import monotonic
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mossaic.client.http.connection import Connection
    from mossaic.client.http.message import Origin

MAX_IDLE: Final = 64  # connections
IDLE_S: Final = 50.0  # seconds that one waits: servers commonly close theirs after 60 or more


class Idle:
    """Thread-safe. The one that came last is used first, so that those too many grow old."""

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.RLock()  # reentrant: a finalizer may come in while its own thread is in here
        self._waiting: list[Connection] = []  # the longest waiting first

    def take(self, origin: Origin) -> Connection | None:
        """One to this origin that the server has not closed meanwhile."""
        while True:
            connection = self._pop(origin)
            if connection is None or connection.usable():
                return connection
            connection.close()

    def put(self, connection: Connection) -> None:
        self._mind_fork()
        if connection.pid != self._pid:
            connection.close()  # the parent's
            return
        with self._lock:
            connection.idle_since = monotonic()
            self._waiting.append(connection)
            dropped = self._waiting.pop(0) if len(self._waiting) > MAX_IDLE else None
        if dropped is not None:
            dropped.close()

    def clear(self) -> None:
        with self._lock:
            dropped, self._waiting = self._waiting, []
        for connection in dropped:
            connection.close()

    def _pop(self, origin: Origin) -> Connection | None:
        self._mind_fork()
        oldest = monotonic() - IDLE_S
        with self._lock:
            waiting = self._waiting
            while waiting and waiting[0].idle_since < oldest:
                waiting.pop(0).close()
            for place in range(len(waiting) - 1, -1, -1):
                if waiting[place].origin == origin:
                    return waiting.pop(place)
        return None

    def _mind_fork(self) -> None:
        if self._pid != os.getpid():
            # The parent goes on with them: that our copies are closed does not end them. Its threads may have held the lock.
            self._pid = os.getpid()
            self._lock = threading.RLock()
            self.clear()
