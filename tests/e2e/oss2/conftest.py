"""oss2 clients: one bucket object for each signature version the SDK has."""

from __future__ import annotations

import oss2
import pytest

from tests.e2e.harness import REGION, Server

AUTHS = {"v1": oss2.Auth, "v2": oss2.AuthV2, "v4": oss2.AuthV4}


def connect(server: Server, name: str, *, version: str = "v4", endpoint: str | None = None) -> oss2.Bucket:
    """oss2 takes path style by itself when the endpoint is an IP address."""
    auth = AUTHS[version](server.access_key_id, server.access_key_secret)
    return oss2.Bucket(auth, endpoint or server.endpoint, name, region=REGION, connect_timeout=10)


@pytest.fixture(params=["v1", "v4"])
def client(request: pytest.FixtureRequest, server: Server, bucket: str) -> oss2.Bucket:
    return connect(server, bucket, version=request.param)


@pytest.fixture
def client_v4(server: Server, bucket: str) -> oss2.Bucket:
    return connect(server, bucket)
