"""alibabacloud-oss-v2 clients, blocking and asyncio, and what both suites say about errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import alibabacloud_oss_v2 as oss
import pytest

if TYPE_CHECKING:
    from tests.e2e.harness import Server


def config(
    server: Server, *, version: str = "v4", token: str | None = None, endpoint: str | None = None
) -> oss.config.Config:
    """The SDK's default settings with our endpoint; it takes path style by itself for an IP address."""
    made = oss.config.load_default()
    made.region = server.region
    made.endpoint = endpoint or server.endpoint
    made.signature_version = version
    made.credentials_provider = oss.credentials.StaticCredentialsProvider(
        server.access_key_id, server.access_key_secret, token
    )
    return made


def refused(caught: pytest.ExceptionInfo[oss.exceptions.OperationError]) -> oss.exceptions.ServiceError:
    """The service's error inside what the SDK raised."""
    error = caught.value
    while not isinstance(error, oss.exceptions.ServiceError):
        error = error.unwrap()
    return error


@pytest.fixture(params=["v1", "v4"])
def client(request: pytest.FixtureRequest, server: Server) -> oss.Client:
    return oss.Client(config(server, version=request.param))


@pytest.fixture
def client_v4(server: Server) -> oss.Client:
    return oss.Client(config(server))
