"""The callbacks of a bucket in the console: tries, bytes, sending again, and programs that verify a recorded callback."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import new_bucket
from tests.e2e.harness import CallbackReceiver, need_tool

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator

    from tests.browser.console.driver import Console
    from tests.e2e.harness import Server

# Everything that a literal of some language could trip over.
ORDER = "4711 'a' \"b\" $c ${d} \\e é 中文 😀 \u202e \u2028 \u0001 \t\n end"
FILES = {"Python": "verify.py", "Node.js": "verify.mjs", "Go": "verify.go", "Java": "VerifyCallback.java"}
RUN_S = 120  # Go compiles


def put_with_callback(
    console: Console,
    key: str,
    urls: str,
    *,
    body: str = "object=${object}&order=${x:order}",
    json_body: bool = False,
) -> None:
    asked = {
        "callbackUrl": urls,
        "callbackBody": body,
        "callbackBodyType": "application/json" if json_body else "application/x-www-form-urlencoded",
    }
    headers = {
        "x-oss-callback": base64.b64encode(json.dumps(asked).encode()).decode(),
        "x-oss-callback-var": base64.b64encode(json.dumps({"x:order": ORDER}).encode()).decode(),
    }
    console.oss.put_object(key, b"bytes", headers=headers)


def opened(console: Console, key: str) -> Locator:
    """The card of the newest callback for `key`, opened."""
    console.go("/b/BUCKET/callbacks")
    card = console.page.locator(".callback", has_text=key).first
    card.locator(".callback-head").click()
    return card


def test_a_callback_shows_its_tries_its_bytes_and_is_sent_again_side_by_side(
    shared_console: Console, receiver: CallbackReceiver
) -> None:
    template = '{"object": ${object}, "order": ${x:order}}'
    put_with_callback(
        shared_console,
        "photos/1.jpg",
        f"{receiver.url}/fail;{receiver.url}?n=1",
        body=template,
        json_body=True,
    )
    sent = receiver.calls[-1]

    card = opened(shared_console, "photos/1.jpg")
    tries = card.locator(".callback-try")
    expect(tries).to_have_count(2)
    expect(tries.nth(0)).to_contain_text("404")
    expect(tries.nth(0)).to_contain_text("Error status : 404.")
    expect(tries.nth(1)).to_contain_text('{"Status":"OK"}')
    blocks = card.locator(".callback-part").filter(has_text="Body, as sent").locator("pre")
    assert blocks.text_content() == sent.body.decode()
    assert sent.headers["authorization"] in card.inner_text()
    signed = card.locator(".callback-part").filter(has_text="The text that was signed").locator("pre")
    assert signed.text_content() == f"/hook?n=1\n{sent.body.decode()}"

    receiver.answer = b'{"Status":"again"}'
    card.get_by_role("button", name="Send again").click()
    sides = card.locator(".callback-side")
    expect(sides).to_have_count(2)
    expect(sides.nth(0)).to_contain_text('{"Status":"OK"}')
    expect(sides.nth(1)).to_contain_text('{"Status":"again"}')
    expect(card.locator(".callback-replay")).to_contain_text("differ from before")
    assert receiver.calls[-1].body == sent.body
    assert receiver.calls[-1].signature_holds()
    card.get_by_role("button", name="Show it in the list").click()
    expect(shared_console.page.locator(".callback")).to_have_count(2)
    expect(shared_console.page.locator(".callback-head").first).to_contain_text("replay")


def test_a_receiver_that_cannot_be_reached_and_a_bucket_without_callbacks(shared_console: Console) -> None:
    shared_console.go("/b/BUCKET/callbacks")
    expect(shared_console.page.locator("main .empty")).to_contain_text("No callbacks yet")
    put_with_callback(shared_console, "lost.bin", "http://127.0.0.1:1/nobody")

    shared_console.page.get_by_role("button", name="Refresh").click()
    head = shared_console.page.locator(".callback-head")
    expect(head).to_contain_text("no answer")
    head.click()

    expect(shared_console.page.locator(".callback-error")).to_contain_text("cannot be reached")


@pytest.fixture(scope="module")
def snippets(console_tab: Console, server: Server) -> dict[str, str]:
    """By language, the program that the page shows for a callback that a receiver really got."""
    receiver = CallbackReceiver()
    console_tab.bucket = new_bucket(server)
    put_with_callback(console_tab, "photos/1.jpg", f"{receiver.url}%20a+b/ü?q=%20x+y")
    assert receiver.calls[-1].target.startswith("/hook%20a+b/%C3%BC?q=")
    card = opened(console_tab, "photos/1.jpg")
    shown = {}
    for language in FILES:
        card.locator(".segment", has_text=language).first.click()
        shown[language] = card.locator(".callback-snippet pre").text_content() or ""
    receiver.close()
    return shown


@pytest.mark.parametrize("language", list(FILES))
def test_the_shown_program_verifies_this_callback_and_no_other(
    server: Server, snippets: dict[str, str], tmp_path: Path, language: str
) -> None:
    commands = {
        "Python": lambda: [sys.executable],
        "Node.js": lambda: [need_tool("node")],
        "Go": lambda: [need_tool("go"), "run"],
        "Java": lambda: [need_tool("java"), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"],  # starts sooner
    }
    command = commands[language]()
    program = snippets[language]
    changed = program.replace("4711", "4712")
    elsewhere = program.replace(f'"{server.endpoint}/"', f'"{server.endpoint}0/"')
    assert len({program, changed, elsewhere}) == 3

    def outcome(text: str) -> tuple[int, str]:
        path = tmp_path / FILES[language]
        path.write_text(text, encoding="utf-8")
        done = subprocess.run(
            [*command, str(path)], capture_output=True, text=True, timeout=RUN_S, check=False
        )
        return done.returncode, done.stdout.strip()

    assert outcome(program) == (0, "genuine")
    assert outcome(changed) == (1, "NOT genuine")
    assert outcome(elsewhere) == (1, "NOT genuine")
