"""Fixtures: a server of several workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.harness import build_server
from tests.e2e.workers.crew import COUNT, Crew

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    """One for a module; tests keep apart by buckets of their own, and kill nobody."""
    server = build_server(tmp_path_factory.mktemp("crew"), WORKERS=str(COUNT)).start()
    yield Crew(server=server).whole()
    server.stop()


@pytest.fixture
def make_crew(tmp_path: Path) -> Iterator[Callable[..., Crew]]:
    """Special ones: `make_crew(HTTP_MAX_CONNECTIONS="4")`. All are killed after the test."""
    made = []

    def make(**settings: str) -> Crew:
        server = build_server(tmp_path / f"crew-{len(made)}", **({"WORKERS": str(COUNT)} | settings))
        made.append(server)
        return Crew(server=server.start()).whole()

    yield make
    for server in made:
        server.kill()
