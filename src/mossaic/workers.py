"""The service as several worker processes of one parent: what the parent prepares, and what each worker does."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import os
import sys
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from mossaic.app import App, StartError, Unfit, check_files, endpoint_of, say_stopping
from mossaic.board import Board
from mossaic.config import SettingsError
from mossaic.gateway.http.listening import bound
from mossaic.gateway.route import Router
from mossaic.heap import keep_freed
from mossaic.quick import dataclass
from mossaic.service.callback_log import MAX_KEPT
from mossaic.stores.bells import Bells
from mossaic.stores.journal import Journal
from mossaic.supervisor import CannotReload, Supervisor
from mossaic.team import Team

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Coroutine

    from mossaic.config import Settings
    from mossaic.stores.lock import FileLock
    from mossaic.supervisor import Post

_log = logging.getLogger("mossaic.workers")

_BACKLOG: Final = 1024
# What the parent has made of these cannot be changed under the workers.
_FIXED: Final = ("listen", "data", "workers", "account_id", "demo_bucket", "console.callbacks")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerService:
    """`mossaic.supervisor.Service`. `reread` gives the settings as they are now, or raises SettingsError; `announce` gets the
    endpoint."""

    settings: Settings
    reread: Callable[[], Settings]
    announce: Callable[[str], None]
    sockets: tuple[socket.socket, ...]
    board: Board
    bells: Bells
    journal: Journal
    lock: FileLock | None
    router: Router
    owner: str
    count: int

    @property
    def stop_s(self) -> float:
        return self.settings.http.shutdown_s

    def work(self, post: Post) -> int:
        team = Team(
            place=self.board.place(post.slot),
            bell=self.bells.bell(post.slot),
            processes=self.count,
            sockets=self.sockets,
            journal=self.journal,
            lifeline=post.lifeline,
            lock=self.lock,
            router=self.router,
            owner=self.owner,
        )
        try:
            app = App.open(self.settings, team)
            run(app.run(lambda _: post.ready()))
        except StartError as error:
            _log.error("a worker cannot start: %s", error)  # the trace would say nothing more
            return 1
        except Unfit as reason:
            _log.critical("a worker ends, for another to take its place: %s", reason)
            return 1
        return 0

    def starting(self) -> None:
        try:
            for sock in self.sockets:
                sock.listen(_BACKLOG)
        except OSError as error:
            raise _not_heard(self.settings, error) from None

    def ended(self, slot: int) -> None:
        self.board.vacate(slot)

    def renewed(self) -> WorkerService:
        try:
            settings = self.reread()
            for name in _FIXED:
                if attrgetter(name)(settings) != attrgetter(name)(self.settings):
                    raise CannotReload(f"{name} was changed; only a restart can do that")
            check_files(settings)
        except (SettingsError, StartError) as error:
            raise CannotReload(str(error)) from None
        return replace(self, settings=settings)

    def answering(self) -> None:
        addresses = [sock.getsockname()[:2] for sock in self.sockets]
        self.announce(endpoint_of(self.settings, addresses))

    def stopping(self) -> None:
        say_stopping(self.stop_s)
        if self.lock is not None:
            self.lock.close()
        for sock in self.sockets:
            sock.close()


def run(main: Coroutine[object, object, None]) -> None:
    keep_freed()
    _runner()(main)


def _runner() -> Callable[[Coroutine[object, object, None]], None]:
    """Of the fastest event loop that there is."""
    if sys.platform != "win32" and importlib.util.find_spec("uvloop") is not None:
        import uvloop  # noqa: PLC0415  # not on every platform

        return uvloop.run
    return asyncio.run


def serve_with_workers(
    app: App, count: int, *, reread: Callable[[], Settings], announce: Callable[[str], None]
) -> int:
    """Serve until told to stop; the exit code. `app` is used once, to prepare what all share, and closed: nothing of SQLite and no
    thread may be open when processes are forked. Raises StartError."""
    settings = app.settings
    owner = asyncio.run(app.prepare())
    if not hasattr(os, "fork"):
        raise StartError("several workers need a system with fork: set workers to 1")
    check_files(settings)
    _runner()  # what is loaded before the fork is in memory once
    try:
        journal = Journal(count=settings.console.callbacks if settings.console.enabled else 0, size=MAX_KEPT)
        bells = Bells(2 * count)  # during a reload there are the old and the new workers
        sockets = bound(*settings.host_port)
    except OSError as error:
        raise _not_heard(settings, error) from None
    service = WorkerService(
        settings=settings,
        reread=reread,
        announce=announce,
        sockets=sockets,
        board=Board(2 * count),
        bells=bells,
        journal=journal,
        lock=app.team.lock,
        router=Router(),
        owner=owner,
        count=count,
    )
    return Supervisor(service, count=count).run()


def _not_heard(settings: Settings, error: OSError) -> StartError:
    return StartError(f"cannot listen on {settings.listen}: {error.strerror or error}")
