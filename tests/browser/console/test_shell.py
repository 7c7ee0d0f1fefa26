"""The console's frame: signing in and out, sessions that end, buckets, language, theme, keyboard."""

from __future__ import annotations

import json
import re
import secrets
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.broker import Broker, make_broker
from tests.e2e.harness import statement

if TYPE_CHECKING:
    from tests.browser.console.driver import Console
    from tests.e2e.harness import Server


@pytest.fixture(scope="module")
def broker(server: Server) -> Broker:
    """A role that may use one bucket only, and who hands out its tokens."""
    return make_broker(server)


def stored(console: Console) -> str:
    """Everything the page keeps in the browser, and its address."""
    text: str = console.page.evaluate(
        "() => JSON.stringify([{...sessionStorage}, {...localStorage}, document.cookie, location.href, history.state])"
    )
    return text


def test_a_key_pair_is_exchanged_and_forgotten(console: Console) -> None:
    expect(console.heading).to_have_text("Buckets")

    kept = stored(console)
    assert console.server.access_key_secret not in kept
    assert console.server.access_key_id not in kept
    assert "STS." in kept

    console.page.reload()
    expect(console.heading).to_have_text("Buckets")

    console.menu("Account: root", "Sign out")
    expect(console.page.get_by_role("heading", name="Sign in to Mossaic")).to_be_visible()
    assert "STS." not in stored(console)


def test_a_wrong_secret_is_refused_in_words_with_the_request_id(signed_out: Console) -> None:
    page = signed_out.page
    page.goto(f"{signed_out.url}#/b/{signed_out.bucket}/settings")
    expect(page.get_by_label("AccessKey ID")).to_be_focused()

    signed_out.fill_sign_in(signed_out.server.access_key_id, "not the secret")

    problem = page.locator(".signin-form .problem")
    expect(problem).to_contain_text(re.compile("[0-9A-F]{20,}"))
    expect(problem.get_by_role("button", name="Copy the request ID")).to_be_visible()

    signed_out.fill_sign_in(signed_out.server.access_key_id, signed_out.server.access_key_secret)
    expect(signed_out.heading).to_have_text("Settings")  # where the link led


def test_empty_fields_are_told_before_anything_is_sent(signed_out: Console) -> None:
    page = signed_out.page
    page.goto(signed_out.url)

    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_label("AccessKey ID")).to_be_focused()
    expect(page.get_by_label("AccessKey ID")).to_have_accessible_description("This is needed.")


def test_pasted_temporary_credentials_open_their_one_bucket(signed_out: Console, broker: Broker) -> None:
    page = signed_out.page
    page.goto(signed_out.url)
    answer = broker.assume()

    page.get_by_label("AccessKey ID").evaluate(
        """(field, text) => {
            const data = new DataTransfer();
            data.setData("text", text);
            field.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
        }""",
        json.dumps(answer),
    )
    expect(page.get_by_label("Security token")).to_have_value(answer["Credentials"]["SecurityToken"])
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_text("You may not list the buckets")).to_be_visible()
    page.get_by_label("Bucket name").fill(broker.bucket)
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page.locator("nav.nav a[aria-current=page]")).to_have_text("Objects")


def test_a_session_that_cannot_renew_says_when_it_ends_and_goes_on_with_fresh_credentials(
    signed_out: Console, broker: Broker
) -> None:
    page = signed_out.page
    page.clock.install()
    token = broker.assume()["Credentials"]
    signed_out.sign_in(token["AccessKeyId"], token["AccessKeySecret"], token["SecurityToken"])
    banner = page.locator(".session-banner")
    expect(banner).to_be_empty()

    page.clock.fast_forward("06:00")
    expect(banner).to_contain_text("This session ends in")
    page.clock.fast_forward("10:00")
    expect(banner).to_contain_text("The session has ended")

    fresh = broker.assume(duration_s=3600)["Credentials"]
    banner.get_by_role("button", name="Enter new credentials").click()
    signed_out.dialog.get_by_label("AccessKey ID").fill(fresh["AccessKeyId"])
    signed_out.dialog.get_by_label("AccessKey secret").fill(fresh["AccessKeySecret"])
    signed_out.dialog.get_by_label("Security token").fill(fresh["SecurityToken"])
    signed_out.dialog.get_by_role("button", name="Go on with these").click()

    expect(banner).to_be_empty()


def test_a_bucket_is_made_shown_and_deleted(console: Console) -> None:
    page, dialog = console.page, console.dialog
    name = f"made-{secrets.token_hex(6)}"

    page.get_by_role("button", name="Create bucket").wait_for()  # comes with the key
    page.keyboard.press("n")
    dialog.get_by_label("Name", exact=True).fill("No Good")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_label("Name", exact=True)).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Name", exact=True).fill(name)
    dialog.get_by_label("Who may read and write").select_option("public-read")
    dialog.get_by_label("Storage class").select_option("IA")
    dialog.get_by_text("Let web pages of other origins upload here").click()
    dialog.get_by_role("button", name="Create").click()

    row = page.get_by_role("row").filter(has_text=name)
    row.scroll_into_view_if_needed()  # where there are many, facts are asked for when a row comes into sight
    expect(row).to_contain_text("Public read")
    expect(row).to_contain_text("Infrequent access")
    expect(row).to_contain_text("cn-hangzhou")
    expect(row.locator("[data-column=objects]")).to_have_text("0")
    status, headers, _ = console.server.request(
        "OPTIONS",
        f"/{name}/x",
        headers={"Origin": "http://a.example", "Access-Control-Request-Method": "PUT"},
    )
    assert (status, headers["access-control-allow-origin"]) == (200, "*")

    console.menu(f"Actions for {name}", "Delete…")
    delete = dialog.get_by_role("button", name="Delete bucket")
    dialog.get_by_label(f"Type {name} to confirm").fill("something else")
    delete.click()
    expect(dialog).to_contain_text("This is not")
    dialog.get_by_label(f"Type {name} to confirm").fill(name)
    delete.click()
    expect(console.toast).to_have_text(f"Bucket “{name}” deleted.")
    expect(row).to_have_count(0)


def test_a_refusal_is_told_in_the_dialog_which_stays(signed_out: Console) -> None:
    reader = signed_out.server.make_user(
        f"reader-{secrets.token_hex(4)}", statement("Allow", ["oss:ListBuckets", "oss:Get*"], "*")
    )
    signed_out.sign_in(*reader)
    signed_out.page.get_by_role("button", name="Create bucket").click()
    signed_out.dialog.get_by_label("Name", exact=True).fill(f"made-{secrets.token_hex(6)}")

    signed_out.dialog.get_by_role("button", name="Create").click()

    expect(signed_out.dialog.locator(".problem")).to_contain_text("AccessDenied")
    signed_out.page.keyboard.press("Escape")
    expect(signed_out.page.locator("dialog")).to_have_count(0)


def test_a_full_bucket_is_not_deleted_and_says_what_is_in_it(console: Console) -> None:
    console.oss.put_object("a.txt", b"12345")
    console.oss.init_multipart_upload("big.bin")
    row = console.page.get_by_role("row").filter(has_text=console.bucket)

    console.menu(row.get_by_role("button"), "Delete…")

    expect(console.dialog).to_contain_text("is not empty")
    expect(console.dialog).to_contain_text("1 object, 5 B")
    expect(console.dialog).to_contain_text("1 unfinished upload")
    console.dialog.get_by_role("button", name="Show unfinished uploads").click()
    expect(console.page.locator("nav.nav a[aria-current=page]")).to_have_text("Tasks")


def test_language_and_theme_change_at_once_and_are_kept(console: Console) -> None:
    page = console.page
    console.menu("Language", "简体中文")
    expect(console.heading).to_have_text("存储空间")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    console.menu("主题", "深色")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")

    page.reload()

    expect(console.heading).to_have_text("存储空间")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    console.menu("主题", "跟随系统")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_every_word_is_there_in_both_languages_with_the_same_parameters(console: Console) -> None:
    assert console.page.evaluate("async () => (await import('./js/ui/i18n.js')).untranslated()") == []


def test_the_keyboard_reaches_everything(console: Console) -> None:
    page = console.page
    page.reload()
    expect(console.heading).to_have_text("Buckets")

    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()

    row = page.get_by_role("row").filter(has_text=console.bucket)
    row.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Browse objects")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("menuitem", name="Delete…")).to_be_focused()
    page.keyboard.press("s")
    expect(page.get_by_role("menuitem", name="Settings")).to_be_focused()
    page.keyboard.press("Escape")
    expect(row.get_by_role("button")).to_be_focused()

    page.keyboard.press("?")
    expect(console.dialog).to_contain_text("Keyboard shortcuts")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)

    row.focus()
    page.keyboard.press("Enter")
    expect(console.page.locator("nav.nav a[aria-current=page]")).to_have_text("Objects")
    expect(console.heading).to_be_focused()

    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("u")  # is typed, and leads nowhere
    expect(page.get_by_role("searchbox")).to_have_value("u")
    page.keyboard.press("Tab")
    page.keyboard.press("u")
    expect(console.heading).to_have_text("Upload")


def test_an_address_that_leads_nowhere_says_so(console: Console) -> None:
    console.go("/nowhere/at/all")

    expect(console.heading).to_have_text("Page not found")
    console.page.get_by_role("link", name="Go to the buckets").click()
    expect(console.heading).to_have_text("Buckets")
