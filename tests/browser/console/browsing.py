"""One signed-in tab for all tests of a file; each test has a bucket of its own and begins with a fresh page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.console.driver import Console
from tests.e2e.conftest import new_bucket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from tests.e2e.harness import Server


@pytest.fixture(scope="module")
def tab(browser: Browser, server: Server) -> Iterator[Console]:
    context = browser.new_context(
        locale="en-GB", color_scheme="light", viewport={"width": 1280, "height": 860}, accept_downloads=True
    )
    console = Console.open(context, server, new_bucket(server))
    console.sign_in()
    yield console
    context.close()


@pytest.fixture(name="console")
def fresh_console(tab: Console) -> Iterator[Console]:
    tab.bucket = new_bucket(tab.server)
    tab.troubles.clear()
    tab.page.reload()
    tab.page.locator("nav.nav").wait_for()
    yield tab
    tab.assert_calm()
