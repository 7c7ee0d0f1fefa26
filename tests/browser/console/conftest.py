"""Fixtures of the console's tests: a real server, a real Chromium, a person who has signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.console.driver import Console
from tests.e2e.conftest import new_bucket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext

    from tests.e2e.harness import Server


@pytest.fixture
def console_context(browser: Browser) -> Iterator[BrowserContext]:
    """English, light, as wide as a laptop."""
    context = browser.new_context(
        locale="en-GB", color_scheme="light", viewport={"width": 1280, "height": 860}, accept_downloads=True
    )
    yield context
    context.close()


@pytest.fixture
def signed_out(console_context: BrowserContext, server: Server) -> Iterator[Console]:
    """A tab that has not loaded the page yet; `console.sign_in(…)` as somebody."""
    console = Console.open(console_context, server, new_bucket(server))
    yield console
    console.assert_calm()


@pytest.fixture
def console(signed_out: Console) -> Console:
    """The account has signed in; `console.bucket` is a fresh bucket. Any trouble in the page fails the test."""
    signed_out.sign_in()
    return signed_out


@pytest.fixture(scope="module")
def console_tab(browser: Browser, server: Server) -> Iterator[Console]:
    """One signed-in tab for all tests of a module: signing in is what takes the time."""
    context = browser.new_context(
        locale="en-GB", color_scheme="light", viewport={"width": 1280, "height": 860}
    )
    console = Console.open(context, server, new_bucket(server))
    console.sign_in()
    yield console
    context.close()


@pytest.fixture
def shared_console(console_tab: Console, server: Server) -> Iterator[Console]:
    """The module's tab with a fresh bucket. Any trouble in the page fails the test that it came up in."""
    console_tab.bucket = new_bucket(server)
    console_tab.troubles.clear()
    yield console_tab
    if console_tab.page.locator("dialog[open]").count():  # a test that failed left it
        console_tab.page.reload()
    console_tab.assert_calm()
