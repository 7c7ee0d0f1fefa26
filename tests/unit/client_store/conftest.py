"""Every kind of store over a fresh place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mossaic.client.store import File, KeyValue, Memory, SQLite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from mossaic.client.store import Store


class Shelf:
    """What a user of KeyValue brings. `refusing` names the calls that fail."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.puts = 0
        self.refusing: set[str] = set()

    def get(self, name: str) -> bytes | None:
        self._check("get")
        return self.kept.get(name)

    def put(self, name: str, value: bytes) -> None:
        self._check("put")
        self.puts += 1
        self.kept[name] = value

    def delete(self, name: str) -> None:
        self._check("delete")
        self.kept.pop(name, None)

    def list(self) -> Iterable[str]:
        self._check("list")
        return list(self.kept)

    def _check(self, call: str) -> None:
        if call in self.refusing:
            raise OSError(f"the shelf refuses to {call}")


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture(params=["File", "File with lock files", "SQLite", "Memory", "KeyValue"])
def again(request: pytest.FixtureRequest, tmp_path: Path, shelf: Shelf) -> Callable[[], Store]:
    """Makes a store; what it makes next keeps the same, as after a restart. Memory has no restart: it is the same object."""
    memory = Memory()
    kinds: dict[str, Callable[[], Store]] = {
        "File": lambda: File(tmp_path / "state"),
        "File with lock files": lambda: File(tmp_path / "state", locking="file"),
        "SQLite": lambda: SQLite(tmp_path / "state" / "journals.db"),
        "Memory": lambda: memory,
        "KeyValue": lambda: KeyValue(shelf),
    }
    return kinds[request.param]


@pytest.fixture
def store(again: Callable[[], Store]) -> Store:
    return again()
