"""Journals that live as long as the process, or not at all."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from mossaic.client.store.journal import Held, Journal, Log, decode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class Memory:
    """Journals in this object: an upload can be paused and resumed, but not after the process has ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, list[bytes]] = {}
        self._held: set[str] = set()

    def open(self, name: str) -> Journal:
        with self._lock:
            if name in self._held:
                raise Held(name, os.getpid())
            self._held.add(name)
            return _MemoryJournal(self, name, self._kept.setdefault(name, []))

    def names(self) -> Iterator[str]:
        with self._lock:
            used = [name for name, bodies in self._kept.items() if bodies]
        return iter(used)

    def peek(self, name: str) -> list[dict[str, object]]:
        with self._lock:
            bodies = list(self._kept.get(name, ()))
        return [decode(body) for body in bodies]

    def let_go(self, name: str, *, empty: bool) -> None:
        """For its journals."""
        with self._lock:
            self._held.discard(name)
            if empty:
                self._kept.pop(name, None)


class _MemoryJournal(Log):
    def __init__(self, store: Memory, name: str, bodies: list[bytes]) -> None:
        super().__init__(name)
        self._store = store
        self._bodies = bodies

    def _read(self) -> list[bytes]:
        return list(self._bodies)

    def _write(self, body: bytes) -> None:
        self._bodies.append(body)

    def _rewrite(self, bodies: Sequence[bytes]) -> None:
        self._bodies[:] = bodies

    def _remove(self) -> None:
        self._bodies.clear()

    def _sync(self) -> None:
        """Nothing to wait for."""

    def _release(self) -> None:
        self._store.let_go(self.name, empty=not self._bodies)


class Null:
    """Keeps nothing and holds nothing: every transfer begins anew."""

    def open(self, name: str) -> Journal:  # noqa: ARG002  # the store's interface
        return _NullJournal()

    def names(self) -> Iterator[str]:
        return iter(())

    def peek(self, name: str) -> list[dict[str, object]]:  # noqa: ARG002  # the store's interface
        return []


class _NullJournal:
    def records(self) -> list[dict[str, object]]:
        return []

    def append(self, record: Mapping[str, object], *, durable: bool = False) -> None: ...

    def replace(self, records: Sequence[Mapping[str, object]]) -> None: ...

    def discard(self) -> None: ...

    def close(self) -> None: ...
