"""A service that makes ETags of CRC-64 and size, in the place of the shared one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.harness import Server, build_server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = build_server(tmp_path_factory.mktemp("etag"), STORE_ETAG="crc64").start()
    try:
        yield running
    finally:
        running.stop()
