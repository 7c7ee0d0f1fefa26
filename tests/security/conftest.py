"""Fixtures of the attacks: the running server of the end-to-end tests, a second account's worth of identities, a stage to attack."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import bucket, make_server, receiver, server
from tests.e2e.harness import Server
from tests.security.support import Asker, Stage

__all__ = ["bucket", "make_server", "receiver", "server"]


@pytest.fixture
def root(server: Server) -> Asker:
    """The owner, who may do everything."""
    return Asker.root(server)


@pytest.fixture
def stage(root: Asker, bucket: str) -> Stage:
    """A private bucket with an object, its settings, and an open upload of one part: what an attacker is after."""
    return Stage.build(root, bucket)
