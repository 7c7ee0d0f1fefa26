"""Fixtures of the tests in Chromium; the service and the callback receiver are those of tests/e2e."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import chromium
from tests.browser.site import Site
from tests.e2e.ali_oss.support import MIB, new_bucket_name, oss2_bucket, source_file
from tests.e2e.conftest import receiver, server  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from collections.abc import Iterator

    import oss2
    from playwright.sync_api import Browser, BrowserContext

    from tests.e2e.ali_oss.support import Source
    from tests.e2e.harness import Server

expect.set_options(timeout=45_000)  # a busy machine; a second is the rule


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    with Site().running() as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # One a module: Playwright's loop may not be alive while an asyncio test of another module runs.
    with chromium() as running:
        yield running


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context()
    yield context
    context.close()


@pytest.fixture
def bucket(server: Server) -> oss2.Bucket:  # noqa: F811 - the fixture above
    made = oss2_bucket(server, new_bucket_name())
    made.create_bucket()
    return made


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """3 MiB: three parts of the seed's size."""
    return source_file(tmp_path_factory.mktemp("source"), 3 * MIB)
