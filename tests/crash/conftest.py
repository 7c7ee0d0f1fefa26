"""Fixtures: servers that may be killed, a shared one for races, and a bucket in each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash.support import Store
from tests.e2e.harness import Server, build_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start servers: `make_server(UPLOAD_REPLAY_S="0")`. All are killed after the test."""
    made: list[Server] = []

    def make(**settings: str) -> Server:
        one = build_server(tmp_path / f"server-{len(made)}", **settings)
        made.append(one)
        return one.start()

    yield make
    for one in made:
        one.kill()


@pytest.fixture
def server(make_server: Callable[..., Server]) -> Server:
    return make_server()


@pytest.fixture
def store(server: Server) -> Store:
    return Store.on(server)
