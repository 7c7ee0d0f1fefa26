"""A service, and a proxy in front of it that breaks things."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import Server, build_server
from tests.faults.proxy import FaultProxy


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = build_server(tmp_path_factory.mktemp("faults")).start()
    yield started
    started.stop()


@pytest.fixture
def proxy(server: Server) -> Iterator[FaultProxy]:
    made = FaultProxy(server.port)
    yield made
    made.close()
