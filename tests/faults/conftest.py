"""A service, a proxy in front of it that breaks things, and the place of one test on both."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import CallbackReceiver, Server, build_server
from tests.faults.place import Place
from tests.faults.proxy import FaultProxy


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = build_server(tmp_path_factory.mktemp("faults")).start()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def strict_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """It forgets an upload as soon as it is completed, as services without our replay do."""
    started = build_server(tmp_path_factory.mktemp("strict"), UPLOAD_REPLAY_S="0").start()
    yield started
    started.stop()


@pytest.fixture
def proxy(server: Server) -> Iterator[FaultProxy]:
    made = FaultProxy(server.port)
    yield made
    made.close()


@pytest.fixture
def place(server: Server, tmp_path: Path) -> Iterator[Place]:
    yield from _placed(server, tmp_path)


@pytest.fixture(scope="module")
def server_without_md5(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Its ETags are made of CRC-64 and size."""
    started = build_server(tmp_path_factory.mktemp("no-md5"), STORE_ETAG="crc64").start()
    yield started
    started.stop()


@pytest.fixture
def place_without_md5(server_without_md5: Server, tmp_path: Path) -> Iterator[Place]:
    yield from _placed(server_without_md5, tmp_path)


@pytest.fixture
def strict_place(strict_server: Server, tmp_path: Path) -> Iterator[Place]:
    yield from _placed(strict_server, tmp_path)


def _placed(server: Server, directory: Path) -> Iterator[Place]:
    made = Place(
        server=server,
        proxy=FaultProxy(server.port),
        bucket=f"faults-{secrets.token_hex(6)}",
        directory=directory,
    )
    made.direct.put_bucket()
    yield made
    made.close()


@pytest.fixture
def receiver() -> Iterator[CallbackReceiver]:
    running = CallbackReceiver()
    yield running
    running.close()
