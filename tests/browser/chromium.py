"""Debian's Chromium, headless, with a profile of its own, driven over the DevTools protocol by Playwright."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page

# The popup of the address bar is a page of its own in each window, and costs as much as the one that is tested. The other names are
# those that Playwright turns off: of two such lists the browser takes the last.
WITHOUT = (
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup,AimEnabled,AvoidCorsURLLoaderRestartOnRedirect,"
    "AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsFirstBalancedModeAutoEnable,HttpsUpgrades,LensOverlay,"
    "MediaRouter,NetworkTimeServiceQuerying,OptimizationHints,PaintHolding,PreconnectToSearch,ThirdPartyStoragePartitioning"
)
FLAGS = [
    WITHOUT,
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
FLOW_MS = 120_000
# Copies what the page logs before it goes on to the real console.
KEEP_LOG = """
(() => {
  window.logged = [];
  const plain = (value) => {
    if (value instanceof Error) return { ...value, name: value.name, message: value.message };
    try { return JSON.parse(JSON.stringify(value === undefined ? null : value)); } catch { return String(value); }
  };
  for (const level of ["log", "error"]) {
    const original = console[level].bind(console);
    console[level] = (...values) => { window.logged.push(values.map(plain)); original(...values); };
  }
  window.addEventListener("unhandledrejection", (event) => window.logged.push([plain(event.reason)]));
})();
"""


def chromium_path() -> str | None:
    """The shell is Chromium without the window around a page: a tab of it costs half as much, and shows a page the same."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser")
    return next((path for name in names if (path := shutil.which(name))), None)


@contextmanager
def chromium(*flags: str) -> Iterator[Browser]:
    path = chromium_path()
    assert path is not None, "chromium is not installed"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=[*FLAGS, *flags])
        try:
            yield browser
        finally:
            browser.close()


def logged(page: Page) -> list[list[Any]]:
    """What the page wrote with console.log and console.error, and rejections nobody caught."""
    result: list[list[Any]] = page.evaluate("window.logged")
    return result


def watched_page(context: BrowserContext) -> Page:
    context.add_init_script(KEEP_LOG)
    page = context.new_page()
    page.set_default_timeout(FLOW_MS)
    return page


class FlowFailedError(AssertionError):
    """A flow ended with the client's error; `error` is what the client threw."""

    def __init__(self, flow: str, answer: Mapping[str, Any]) -> None:
        super().__init__(f"{flow}: {answer.get('stack') or answer}")
        self.error: dict[str, Any] = answer["error"]


@dataclass(slots=True)
class FlowPage:
    """A tab with ali-oss's browser bundle and the flows of tests/e2e/node/flows.js."""

    page: Page
    options: Mapping[str, object]

    @classmethod
    def open(cls, context: BrowserContext, url: str, options: Mapping[str, object]) -> FlowPage:
        page = watched_page(context)
        page.goto(url)
        return cls(page=page, options=options)

    def pick(self, path: Path) -> None:
        self.page.set_input_files("#file", str(path))

    def run(self, flow: str, **arguments: object) -> Any:
        answer = self.page.evaluate(
            "([flow, options, args]) => window.runFlow(flow, options, args)",
            [flow, dict(self.options), arguments],
        )
        if "error" in answer:
            raise FlowFailedError(flow, answer)
        return answer["result"]

    def fails(self, flow: str, **arguments: object) -> dict[str, Any]:
        try:
            result = self.run(flow, **arguments)
        except FlowFailedError as failed:
            return failed.error
        raise AssertionError(f"{flow} was expected to fail and answered {result}")

    def start(self, flow: str, **arguments: object) -> None:
        """Begin a flow and do not wait for it; `until` waits for its events."""
        self.page.evaluate(
            "([flow, options, args]) => { window.running = window.runFlow(flow, options, args); }",
            [flow, dict(self.options), arguments],
        )

    def until(self, event: str) -> dict[str, Any]:
        """The first event of that name; the deadline is FLOW_MS."""
        found = self.page.wait_for_function(
            "name => window.events.find((item) => item.event === name)", arg=event
        )
        answer: dict[str, Any] = found.json_value()
        return answer
