"""Objects that a browser opens at the console's own origin get nothing of it, and the bundle needs nothing that the policy forbids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mossaic.protocol.wire import Message
from tests.security.support import Asker

if TYPE_CHECKING:
    from tests.browser.console.driver import Console

HTML = b"""<!doctype html><title>before</title><script>
document.title = "ran " + (() => { try { return sessionStorage.length; } catch (error) { return error.name; } })();
</script><form action="/-/console/"><button>send</button></form>"""
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><title>before</title><script>document.title = "ran";</script></svg>'


def link(console: Console, key: str, query: dict[str, str] | None = None) -> str:
    """A presigned URL of the account, path style: the console's origin."""
    message = Message(method="GET", bucket=console.bucket, key=key, query=query or {})
    target, _ = Asker.root(console.server).signed(message, "v4-url")
    return console.server.endpoint + target


def test_a_page_opened_by_a_link_does_not_run_in_the_consoles_origin(console: Console) -> None:
    """In the very tab that is signed in, whose sessionStorage a page of this origin would share."""
    console.oss.put_object("page.html", HTML, headers={"Content-Type": "text/html"})
    console.oss.put_object("page.svg", SVG, headers={"Content-Type": "image/svg+xml"})
    assert console.page.evaluate("sessionStorage.length") > 0
    console.expect_trouble("Blocked script execution|sandboxed")
    for key in ("page.html", "page.svg"):
        console.page.goto(link(console, key))

        assert console.page.evaluate("self.origin") == "null"
        assert console.page.evaluate("document.querySelector('title').textContent") == "before"
    stolen = console.page.evaluate(
        "(() => { try { return sessionStorage.length; } catch (error) { return error.name; } })()"
    )
    assert stolen == "SecurityError"


def test_a_link_still_saves_shows_and_plays(console: Console) -> None:
    """The sandbox is for documents: downloads, images and requests of other pages are as ever."""
    console.oss.put_object("page.html", HTML, headers={"Content-Type": "text/html"})
    console.oss.put_object("dot.svg", SVG, headers={"Content-Type": "image/svg+xml"})
    query = {"response-content-disposition": "attachment; filename=saved.html"}

    with console.page.expect_download() as saved:
        console.page.evaluate("(url) => { location.href = url; }", link(console, "page.html", query))
    shown = console.page.evaluate(
        """async ([image, text]) => {
        const drawn = new Image();
        drawn.src = image;
        await drawn.decode();
        return [drawn.complete, (await (await fetch(text)).text()).length];
      }""",
        [link(console, "dot.svg"), link(console, "page.html")],
    )

    assert saved.value.suggested_filename == "saved.html"
    assert saved.value.path().read_bytes() == HTML
    assert shown == [True, len(HTML)]


def test_an_object_cannot_become_a_script_of_the_console(console: Console) -> None:
    """Whatever got into the page: a script, a worker and a service worker of an object are refused."""
    console.oss.put_object(
        "evil.js", b"window.evil = true; self.evil = true;", headers={"Content-Type": "text/javascript"}
    )
    console.expect_trouble("evil.js|Failed to load resource|bad HTTP response code")

    found = console.page.evaluate(
        """async (url) => {
        const script = document.createElement("script");
        const loaded = new Promise((resolve) => { script.onload = () => resolve("loaded"); script.onerror = () => resolve("refused"); });
        script.src = url;
        document.head.append(script);
        const worker = new Promise((resolve) => {
          const made = new Worker(url);
          made.onerror = () => resolve("refused");
          setTimeout(() => resolve("runs"), 5000);
        });
        const service = navigator.serviceWorker.register(url).then(() => "registered", () => "refused");
        return [await loaded, await worker, await service, window.evil ?? null];
      }""",
        link(console, "evil.js"),
    )

    assert found == ["refused", "refused", "refused", None]


def test_texts_are_no_code_in_the_console(console: Console) -> None:
    """The policy has no unsafe-eval and no unsafe-inline, and ali-oss works all the same: this tab has signed in with it."""
    console.expect_trouble("Content Security Policy")

    found = console.page.evaluate(
        """() => {
        const inline = document.createElement("script");
        inline.textContent = "window.evil = true;";
        document.head.append(inline);
        const styled = document.createElement("p");
        styled.setAttribute("onclick", "window.evil = true;");
        document.body.append(styled);
        styled.click();
        return [typeof window.OSS, window.evil ?? null];
      }"""
    )

    assert found == ["function", None]
