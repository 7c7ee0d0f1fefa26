"""A scripted server and a pool for each test."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from mossaic.client.http import Pool
from mossaic.client.options import Timeout
from tests.e2e.harness import self_signed
from tests.unit.client_http.server import WAIT_S, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def serve() -> Iterator[Callable[..., ScriptedServer]]:
    """Start servers: `serve(script, ...)`. At the end of the test a script that failed fails it."""
    made: list[ScriptedServer] = []

    def start(*scripts: object, **options: object) -> ScriptedServer:
        server = ScriptedServer(*scripts, **options)  # type: ignore[arg-type]
        made.append(server)
        return server

    yield start
    for server in made:
        server.close()


@pytest.fixture
def pool() -> Iterator[Pool]:
    made = Pool(timeout=Timeout(connect=WAIT_S, idle=WAIT_S), proxy="")
    yield made
    made.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Files: a self-signed certificate for 127.0.0.1, and its key."""
    return self_signed(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def tls(certificate: dict[str, str]) -> ssl.SSLContext:
    """For a server."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate["TLS_CERTIFICATE"], certificate["TLS_KEY"])
    return context
