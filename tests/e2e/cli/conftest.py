"""What the tests of commands share: a user's command line, buckets, an upload that was killed half-way."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from mossaic.client.client import Client
from mossaic.client.credentials import Static
from tests.e2e.cli.command import Command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.harness import Server


@pytest.fixture
def mossaic(server: Server, tmp_path: Path) -> Command:
    return Command(home=tmp_path, server=server)


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    """The SDK, to bring about what commands are to find, and to see what they did."""
    keys = Static(server.access_key_id, server.access_key_secret)
    with Client(server.endpoint, credentials=keys) as made:
        yield made


@pytest.fixture
def place(client: Client) -> str:
    """The name of a fresh bucket."""
    name = f"cli-{secrets.token_hex(6)}"
    client.put_bucket(name)
    return name
