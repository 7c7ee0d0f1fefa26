"""One process of the service among others."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from mossaic.board import Board, Place
from mossaic.quick import dataclass

if TYPE_CHECKING:
    import socket

    from mossaic.gateway.route import Router
    from mossaic.service.callback_log import Journal
    from mossaic.stores.bells import Bell
    from mossaic.stores.lock import FileLock


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """The processes of the service, as one of them sees it: its place among them, what they share, and the descriptor by which it
    knows that its parent lives. By default a process of its own."""

    place: Place = field(default_factory=lambda: Board().place(0))
    processes: int = 1
    bell: Bell | None = None
    sockets: tuple[socket.socket, ...] = ()
    journal: Journal | None = None
    lifeline: int | None = None
    lock: FileLock | None = None  # of the data directory
    router: Router | None = None  # made once, before processes are forked
    owner: str = ""  # the account's id, found once

    @property
    def is_alone(self) -> bool:
        return self.lifeline is None

    def share(self, whole: int, *, least: int = 1) -> int:
        """This process's part of a limit of the service."""
        return max(least, -(-whole // self.processes))
