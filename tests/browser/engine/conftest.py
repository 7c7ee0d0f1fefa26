"""Fixtures of the engine's tests: a tab at a fresh bucket, and one behind a proxy that breaks things."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mossaic.protocol.checksum import crc64
from tests.browser.engine.driver import Engine
from tests.e2e.conftest import make_server, new_bucket  # noqa: F401 - a fixture
from tests.e2e.harness import noise
from tests.faults.proxy import FaultProxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import BrowserContext

    from tests.e2e.harness import Server

MIB = 1024 * 1024
PARTS = 12
SIZE = PARTS * MIB - 5


@dataclass(frozen=True, slots=True)
class Source:
    path: Path
    data: bytes
    crc64: int


def make_source(path: Path, size: int, *, seed: int = 1) -> Source:
    data = noise(size, seed=seed)
    path.write_bytes(data)
    return Source(path, data, crc64(data))


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Twelve parts of 1 MiB, the last a little short."""
    return make_source(tmp_path_factory.mktemp("engine") / "holiday.mov", SIZE)


@pytest.fixture
def engine_bucket(server: Server) -> str:
    return new_bucket(server)


@pytest.fixture
def proxy(server: Server) -> Iterator[FaultProxy]:
    made = FaultProxy(server.port)
    yield made
    made.close()


@pytest.fixture
def engine(context: BrowserContext, server: Server, engine_bucket: str, source: Source) -> Iterator[Engine]:
    """Signed in, and the source is picked."""
    opened = Engine.open(context, server, engine_bucket)
    opened.pick(source.path)
    yield opened
    opened.assert_calm()


@pytest.fixture
def broken(
    context: BrowserContext, server: Server, engine_bucket: str, source: Source, proxy: FaultProxy
) -> Iterator[Engine]:
    """The same behind the proxy; requests that fail are part of the test."""
    opened = Engine.open(context, server, engine_bucket, origin=proxy.endpoint, lenient=True)
    opened.pick(source.path)
    yield opened
    opened.assert_calm()
