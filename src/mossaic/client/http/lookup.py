"""Finds the addresses of a host. The resolver cannot be cancelled and keeps no deadline, so it gets a thread of its own to block in."""

from __future__ import annotations

import queue
import socket
import threading
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mossaic.client.http.scope import Scope


class Address(NamedTuple):
    """What `socket.socket` and `connect` want."""

    family: int
    where: tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]

    def __str__(self) -> str:
        return str(self.where[0])


def find_addresses(host: str, port: int, *, scope: Scope | None, wait_s: float) -> list[Address]:
    """In the resolver's order of preference. Raises OSError (gaierror), TimeoutError after `wait_s` seconds, Cancelled."""
    if _is_literal(host):
        return _resolve(host, port)
    lookup = _Lookup(host, port)
    if scope is not None:
        scope.add(lookup)
    try:
        return lookup.wait(wait_s)
    finally:
        if scope is not None:
            scope.remove(lookup)
            scope.check()


class _Lookup:
    def __init__(self, host: str, port: int) -> None:
        # None: interrupted. Other than with an Event, a signal handler of the thread that waits may interrupt.
        self._answers: queue.SimpleQueue[list[Address] | OSError | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, args=(host, port), name="mossaic-lookup", daemon=True).start()

    def wait(self, wait_s: float) -> list[Address]:
        try:
            answer = self._answers.get(timeout=max(0.0, wait_s))
        except queue.Empty:
            answer = None
        if answer is None:
            raise TimeoutError
        if isinstance(answer, OSError):
            raise answer
        return answer

    def interrupt(self) -> None:
        self._answers.put(None)

    def _run(self, host: str, port: int) -> None:
        try:
            self._answers.put(_resolve(host, port))
        except OSError as error:
            self._answers.put(error)
        except UnicodeError:
            self._answers.put(OSError("not a host name"))


def _is_literal(host: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    except (OSError, ValueError):
        return False
    return True


def _resolve(host: str, port: int) -> list[Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [Address(family, where) for family, _, _, _, where in found]
