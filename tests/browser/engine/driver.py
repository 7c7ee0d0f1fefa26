"""The upload engine in a bare tab of the service's own origin: no console around it, the page's modules as they are served."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Page

    from tests.e2e.harness import Server

WAIT_MS = 45_000  # a busy machine; a second is the rule
# Any file of the page will do as a document: what counts is its origin and its Content-Security-Policy.
DOCUMENT = "/-/console/js/upload/plan.js"
BENCH = Path(__file__).with_name("bench.js").read_text()
# The condition is written into the script: the page's policy forbids to make code of a text there.
UNTIL = """([number, ms]) => new Promise((resolve, reject) => {
  const stop = window.bench.at(number).watch((task) => {
    if (!(%s)) return;
    setTimeout(() => clearTimeout(late));
    setTimeout(() => stop());
    resolve();
  });
  const late = setTimeout(() => {
    stop();
    reject(new Error(`still not: ${JSON.stringify(window.bench.seen(number))}`));
  }, ms);
})"""
# What the browser itself logs of a request that was refused or never answered.
_RESOURCE = re.compile(r"^Failed to load resource: (the server responded with a status of|net::ERR_)")


@dataclass(kw_only=True)
class Engine:
    """`troubles` are errors in the console and rejections nobody caught; `lenient`: failed requests are part of the test."""

    page: Page
    origin: str
    bucket: str
    lenient: bool = False
    troubles: list[str] = field(default_factory=list)

    @classmethod
    def open(
        cls, context: BrowserContext, server: Server, bucket: str, *, origin: str = "", lenient: bool = False
    ) -> Engine:
        """Signed in as the account; `origin` is that of a proxy before the server."""
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        engine = cls(page=page, origin=origin or server.endpoint, bucket=bucket, lenient=lenient)
        page.on("console", engine._heard)
        page.on("pageerror", lambda error: engine.troubles.append(f"uncaught: {error}"))
        page.goto(engine.origin + DOCUMENT)
        engine.load()
        engine.call("signIn", server.access_key_id, server.access_key_secret)
        return engine

    def _heard(self, message: ConsoleMessage) -> None:
        url = message.location.get("url", "")
        refused = _RESOURCE.match(message.text) and (self.lenient or url.endswith("/favicon.ico"))
        if message.type == "error" and not refused:
            self.troubles.append(f"{message.text} ({url})")

    def load(self) -> None:
        self.page.add_script_tag(url=f"{self.origin}/-/console/vendor/aliyun-oss-sdk.min.js")
        self.page.evaluate(BENCH)

    def reload(self) -> None:
        """As a person does it; whoever was signed in still is."""
        self.page.reload()
        self.load()
        self.call("restoreSession")

    def call(self, name: str, *arguments: object) -> Any:
        return self.page.evaluate("([name, args]) => window.bench[name](...args)", [name, list(arguments)])

    def pick(self, *paths: Path) -> None:
        """As in a file picker; `add` and `provide` take what was picked last."""
        self.page.set_input_files("#file", [str(path) for path in paths])

    def add(self, key: str, **options: object) -> int:
        """Begin to upload the picked file; the task's number."""
        number: int = self.call("add", self.bucket, key, options)
        return number

    def seen(self, number: int = 0) -> dict[str, Any]:
        """The task's fields."""
        fields: dict[str, Any] = self.call("seen", number)
        return fields

    def until(self, condition: str, number: int = 0) -> dict[str, Any]:
        """Wait for a condition on `task`, a JavaScript expression; the task's fields then."""
        self.page.evaluate(UNTIL % condition, [number, WAIT_MS])
        return self.seen(number)

    def done(self, number: int = 0) -> dict[str, Any]:
        """Wait for the end; the fields. A task that fails fails the test."""
        seen = self.until("['done', 'failed', 'needs-file', 'aborted'].includes(task.state)", number)
        assert seen["state"] == "done", seen
        return seen

    def assert_calm(self) -> None:
        assert not self.troubles, "the page had troubles:\n" + "\n".join(self.troubles)
