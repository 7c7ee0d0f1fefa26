"""No barriers: axe finds nothing on any view, in both themes and on a phone, where nothing is wider than the screen either."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.console.driver import Console
from tests.e2e.conftest import new_bucket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from tests.e2e.harness import Server

AXE = Path(__file__).parents[1] / "node" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
KEY = "notes/a long name, with spaces and 中文.txt"
ROUTES = [
    "/",
    "/transfers",
    "/b/BUCKET/objects/",
    "/b/BUCKET/objects/notes/",
    "/b/BUCKET/object/notes/a%20long%20name%2C%20with%20spaces%20and%20%E4%B8%AD%E6%96%87.txt",
    "/b/BUCKET/upload/",
    "/b/BUCKET/tasks",
    "/b/BUCKET/settings",
    "/b/BUCKET/settings/cors",
    "/b/BUCKET/settings/lifecycle",
    "/b/BUCKET/settings/versioning",
    "/b/BUCKET/settings/policy",
    "/b/BUCKET/settings/tags",
    "/b/BUCKET/settings/acl",
    "/b/BUCKET/callbacks",
    "/b/BUCKET/links",
]
# Counts requests on their way, so that a view is looked at when all it asked for has come.
COUNT_PENDING = """
window.pending = 0;
const send = XMLHttpRequest.prototype.send;
XMLHttpRequest.prototype.send = function (...given) {
  window.pending += 1;
  this.addEventListener("loadend", () => setTimeout(() => { window.pending -= 1; }, 30));
  return send.apply(this, given);
};
"""
SETTLED = """() => window.pending === 0 && !document.querySelector(".skeleton")
  && document.getAnimations().every((one) => one.playState !== "running" || one.effect.getTiming().iterations === Infinity)"""
LOOKS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 860}, "locale": "en-GB"},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 860}, "locale": "en-GB"},
    "phone": {"color_scheme": "light", "viewport": {"width": 360, "height": 740}, "locale": "en-GB"},
    "phone-zh-dark": {"color_scheme": "dark", "viewport": {"width": 360, "height": 740}, "locale": "zh-CN"},
}


@pytest.fixture(scope="module")
def furnished(server: Server) -> str:
    """A bucket with something in it for every view."""
    bucket = new_bucket(server)
    oss = Console.bucket_of(server, bucket)
    oss.put_object(KEY, b"hello")
    oss.put_object("picture.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    upload_id = oss.init_multipart_upload("unfinished.bin").upload_id
    oss.upload_part("unfinished.bin", upload_id, 1, b"x" * 102_400)
    return bucket


@pytest.fixture(scope="module", params=list(LOOKS))
def looked_at(
    request: pytest.FixtureRequest, browser: Browser, server: Server, furnished: str
) -> Iterator[Console]:
    """Signed in once for all views of a look."""
    if not AXE.exists():
        pytest.fail("axe-core is not installed: scripts/setup-tests.sh") if shutil.which(
            "npm"
        ) else pytest.skip("npm is not installed")
    context = browser.new_context(**LOOKS[request.param])
    context.add_init_script(path=AXE)
    context.add_init_script(COUNT_PENDING)
    console = Console.open(context, server, furnished)
    console.page.goto(console.url)
    console.page.locator("form.signin-form").wait_for()
    yield console
    context.close()


def barriers(console: Console) -> list[str]:
    found: list[dict[str, Any]] = console.page.evaluate(
        """async (tags) => {
            const found = await axe.run(document, {runOnly: tags, resultTypes: ["violations"]});
            return found.violations.flatMap(({id, help, nodes}) => nodes.map((node) => ({
                id, help, html: node.html.slice(0, 200), why: node.failureSummary,
            })));
        }""",
        RULES,
    )
    return [f"{one['id']}: {one['html']}\n    {one['why']}" for one in found]


def too_wide(console: Console) -> list[str]:
    """Elements that stick out of the screen, unless a box around them scrolls."""
    found: list[str] = console.page.evaluate(
        """() => {
            const root = document.documentElement;
            if (root.scrollWidth <= root.clientWidth) return [];
            const out = [...document.querySelectorAll("main *")].filter((node) => node.getBoundingClientRect().right > root.clientWidth + 1);
            return out.slice(0, 5).map((node) => node.outerHTML.slice(0, 160)).concat([`${root.scrollWidth} > ${root.clientWidth}`]);
        }"""
    )
    return found


def settled(console: Console) -> None:
    """All that the view asked for has come, and nothing is fading in any more."""
    console.page.wait_for_function(SETTLED)


def test_no_view_has_barriers_or_is_wider_than_the_screen(looked_at: Console) -> None:
    console, found = looked_at, []
    found += [f"sign-in {one}" for one in barriers(console) + too_wide(console)]
    form = console.page.locator("form.signin-form")
    form.locator("[name=username]").fill(console.server.access_key_id)
    form.locator("[name=password]").fill(console.server.access_key_secret)
    form.locator("[type=submit]").click()
    console.page.locator("nav.nav").wait_for()

    for route in ROUTES:
        console.go(route)
        settled(console)
        found += [f"{route} {one}" for one in barriers(console) + too_wide(console)]

    console.go("/")
    console.page.locator(".page-actions .is-primary").click()
    settled(console)
    found += [f"dialog {one}" for one in barriers(console)]
    console.page.keyboard.press("Escape")
    console.page.locator(".who").click()
    found += [f"menu {one}" for one in barriers(console)]
    assert not found, f"{len(found)} barriers:\n" + "\n".join(found)
    console.assert_calm()
