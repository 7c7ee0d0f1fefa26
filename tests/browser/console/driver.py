"""The console in a tab: signing in, going to a view, and what went wrong in it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

import oss2

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page

    from tests.e2e.harness import Server

# The browser logs every answer of 400 and above. Refusals of OSS are part of many tests; a file of the page itself never is.
_REFUSED = re.compile(r"^Failed to load resource: (the server responded with a status of|net::ERR_)")
WAIT_MS = 45_000  # a busy machine; a second is the rule
# Comes back when the router has taken the old view away, so that nobody waits for what is already there.
GO = """path => new Promise((done) => {
  const before = location.href;
  location.hash = path;
  if (location.href === before) done();
  else addEventListener("hashchange", () => done(), { once: true });
})"""


@dataclass(kw_only=True)
class Console:
    """`bucket` is a fresh bucket; `troubles` are console errors, CSP violations and uncaught rejections, which fail the test."""

    page: Page
    server: Server
    bucket: str
    troubles: list[str] = field(default_factory=list)
    _expected: list[re.Pattern[str]] = field(default_factory=list)

    @classmethod
    def open(cls, context: BrowserContext, server: Server, bucket: str) -> Console:
        """A tab that watches for troubles; nothing is loaded yet."""
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        console = cls(page=page, server=server, bucket=bucket)
        console.watch(page)
        return console

    def watch(self, page: Page) -> None:
        """Count the troubles of another tab, too."""
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.troubles.append(f"uncaught: {error}"))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type != "error":
            return
        url = message.location.get("url", "")
        if _REFUSED.match(message.text) and "/-/console/" not in url and "/-/drop/" not in url:
            return
        self.troubles.append(f"{message.text} ({url})")

    def expect_trouble(self, pattern: str) -> None:
        """A trouble that this test is about."""
        self._expected.append(re.compile(pattern))

    def assert_calm(self) -> None:
        """Nothing went wrong in the page that the test did not expect."""
        left = [text for text in self.troubles if not any(one.search(text) for one in self._expected)]
        assert not left, "the page had troubles:\n" + "\n".join(left)

    @property
    def url(self) -> str:
        return f"{self.server.endpoint}/-/console/"

    @property
    def oss(self) -> oss2.Bucket:
        """The fresh bucket as oss2 sees it, to prepare and to check."""
        return self.bucket_of(self.server, self.bucket)

    @staticmethod
    def bucket_of(server: Server, name: str) -> oss2.Bucket:
        """A bucket as oss2 sees it, with the account's keys."""
        return oss2.Bucket(oss2.Auth(server.access_key_id, server.access_key_secret), server.endpoint, name)

    def sign_in(self, access_key_id: str = "", access_key_secret: str = "", security_token: str = "") -> None:
        """Through the form; without arguments as the account. Waits for the first view."""
        self.page.goto(self.url)
        self.fill_sign_in(access_key_id, access_key_secret, security_token)
        self.page.locator("nav.nav").wait_for()

    def fill_sign_in(self, access_key_id: str, access_key_secret: str, security_token: str = "") -> None:
        """Fill in the form and press its button."""
        form = self.page.locator("form.signin-form")
        form.get_by_label("AccessKey ID").fill(access_key_id or self.server.access_key_id)
        form.get_by_label("AccessKey secret").fill(access_key_secret or self.server.access_key_secret)
        if security_token:
            form.get_by_text("Temporary (STS)").click()
            form.get_by_label("Security token").fill(security_token)
        form.get_by_role("button", name="Sign in").click()

    def go(self, path: str) -> None:
        """A route such as `/b/BUCKET/objects/`; BUCKET stands for the fresh bucket. Waits for the view's heading."""
        target = path.replace("BUCKET", self.bucket)
        self.page.evaluate(GO, target)
        self.heading.wait_for()

    def go_key(self, view: str, key: str) -> None:
        """The view of an object or a prefix in the fresh bucket: `go_key("object", "a b/ü.txt")`."""
        self.go(f"/b/BUCKET/{view}/{quote(key)}")

    @property
    def heading(self) -> Locator:
        return self.page.locator("main h1").first

    @property
    def toast(self) -> Locator:
        """The newest message at the edge of the page."""
        return self.page.locator(".toast").last

    @property
    def dialog(self) -> Locator:
        return self.page.locator("dialog[open]").last

    def menu(self, button: str | Locator, item: str) -> None:
        """Open a menu by its button's name and press an item."""
        opener = self.page.get_by_role("button", name=button) if isinstance(button, str) else button
        opener.click()
        self.page.get_by_role("menu").get_by_text(item, exact=True).click()
