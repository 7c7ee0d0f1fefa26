"""Upload-request links: the owner makes one in the console, somebody without an account uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from tests.browser.console.driver import Console
from tests.browser.console.test_accessibility import AXE, RULES
from tests.browser.console.uploading import NO_HANDLES
from tests.e2e.harness import noise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page


PHONE = {"width": 360, "height": 740}


@pytest.fixture
def link(console: Console) -> str:
    """The URL of a link that the owner made with the dialog."""
    return make_link(console)


def make_link(console: Console, **fields: str) -> str:
    console.go("/b/BUCKET/links")
    console.page.get_by_role("button", name="New link").first.click()
    dialog = console.dialog
    dialog.get_by_label("Title").fill(fields.pop("title", "Photos of the day"))
    for label, value in fields.items():
        dialog.get_by_label(label, exact=True).fill(value)
    dialog.get_by_role("button", name="Make the link").click()
    once = console.page.get_by_role("heading", name="The link is ready")
    once.wait_for()
    url = console.dialog.get_by_label("Link", exact=True).input_value()
    console.dialog.get_by_role("button", name="Done").click()
    return url


@pytest.fixture
def visitor(browser: Browser, console: Console) -> Iterator[Callable[..., Page]]:
    """Opens a link in a browser of its own, on a phone; its troubles count as well."""
    contexts = []

    def open_link(url: str, locale: str = "en-GB") -> Page:
        context = browser.new_context(locale=locale, viewport=PHONE, has_touch=True)
        contexts.append(context)
        context.add_init_script(NO_HANDLES)
        page = context.new_page()
        page.set_default_timeout(15_000)
        console.watch(page)
        page.on("dialog", lambda dialog: dialog.accept())  # leaving while files are on their way
        page.goto(url)
        return page

    yield open_link
    for context in contexts:
        context.close()


@pytest.fixture
def a_file(tmp_path: Path) -> Callable[..., Path]:
    def make(name: str, size: int = 1000) -> Path:
        path = tmp_path / name
        path.write_bytes(noise(size))
        return path

    return make


def drop(page: Page, *files: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.locator(".drop-zone").click()
    chooser.value.set_files([str(file) for file in files])


def keys(console: Console) -> list[str]:
    return [each.key for each in console.oss.list_objects().object_list]


def overflow(page: Page) -> int:
    wide: int = page.evaluate(
        "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return wide


def test_a_visitor_on_a_phone_sends_files_and_gets_a_receipt(
    console: Console, link: str, visitor: Callable[..., Page], a_file: Callable[..., Path]
) -> None:
    page = visitor(link)
    page.get_by_role("heading", name="Photos of the day").wait_for()
    assert page.get_by_text("100 more files").is_visible()
    assert overflow(page) <= 0

    drop(page, a_file("a.txt"), a_file("big.bin", 9_000_000))
    page.get_by_role("heading", name="Thank you. All 2 files have arrived.").wait_for()

    found = keys(console)
    folders = {key.rpartition("/")[0] for key in found}
    assert len(folders) == 1
    assert {key.rpartition("/")[2] for key in found} == {"a.txt", "big.bin"}
    assert console.oss.get_object(next(key for key in found if key.endswith("big.bin"))).read() == noise(
        9_000_000
    )
    page.get_by_text("98 more files").wait_for()
    assert folders.pop().endswith(page.locator(".drop-receipt code").inner_text())
    assert overflow(page) <= 0

    drop(page, a_file("a.txt", 2000))
    page.get_by_role("heading", name="Thank you. All 3 files have arrived.").wait_for()
    assert sorted(key.rpartition("/")[2] for key in keys(console)) == ["a (2).txt", "a.txt", "big.bin"]

    page.reload()
    page.get_by_text("97 more files").wait_for()
    drop(page, a_file("a.txt", 3000))
    page.get_by_role("heading", name="Thank you. Your file has arrived.").wait_for()
    assert "a (3).txt" in {key.rpartition("/")[2] for key in keys(console)}
    assert len({key.rpartition("/")[0] for key in keys(console)}) == 1, "the same visit after a reload"

    console.go("/b/BUCKET/objects/")
    console.go("/b/BUCKET/links")
    console.page.get_by_text("4 of 100").wait_for()


def test_the_page_says_before_what_the_link_does_not_take(
    console: Console, visitor: Callable[..., Page], a_file: Callable[..., Path]
) -> None:
    url = make_link(console, **{"Files at most": "2"})
    page = visitor(url)
    page.get_by_text("2 more files").wait_for()

    drop(page, a_file("1"), a_file("2"), a_file("3"))

    page.get_by_text("1 file was not taken").wait_for()
    page.get_by_role("heading", name="Nothing more fits").or_(
        page.get_by_text("Nothing more fits")
    ).first.wait_for()
    assert page.locator(".drop-zone").is_disabled()
    assert len(keys(console)) == 2


def test_a_reload_in_the_middle_goes_on_with_the_file_picked_again(
    console: Console, link: str, visitor: Callable[..., Page], a_file: Callable[..., Path]
) -> None:
    page = visitor(link)
    page.get_by_role("heading", name="Photos of the day").wait_for()
    big = a_file("big.bin", 9_000_000)
    page.route("**/*partNumber=2*", lambda route: route.abort())
    with page.expect_response(lambda answer: "partNumber=1" in answer.url):
        drop(page, big)

    page.unroute_all()
    page.reload()
    again = page.get_by_role("button", name="Choose big.bin again")
    with page.expect_file_chooser() as chooser:
        again.click()
    chooser.value.set_files([str(big)])

    page.get_by_role("heading", name="Thank you. Your file has arrived.").wait_for()
    (key,) = keys(console)
    assert console.oss.get_object(key).read() == noise(9_000_000)
    assert console.server.parts_put(console.bucket, key) == [1, 2], "no part was sent again"
    assert console.oss.list_multipart_uploads().upload_list == []


def test_a_revoked_link_says_so_and_the_owner_sees_it(
    console: Console, link: str, visitor: Callable[..., Page], a_file: Callable[..., Path]
) -> None:
    page = visitor(link)
    page.get_by_role("heading", name="Photos of the day").wait_for()

    console.go("/b/BUCKET/links")
    console.page.get_by_role("button", name="Revoke the link Photos of the day").click()
    console.dialog.get_by_role("button", name="Revoke").click()
    console.page.get_by_text("revoked", exact=True).wait_for()

    drop(page, a_file("late.txt"))
    page.get_by_role("heading", name="This link does not work any more").wait_for()
    page.reload()
    page.get_by_role("heading", name="This link does not work any more").wait_for()
    assert keys(console) == []


def test_a_wrong_link_in_chinese(console: Console, link: str, visitor: Callable[..., Page]) -> None:
    page = visitor(link[:-3], locale="zh-CN")
    page.get_by_role("heading", name="此链接已失效").wait_for()

    page.goto(link)
    page.get_by_text("还可上传 100 个文件").wait_for()
    assert page.evaluate("() => document.documentElement.lang") == "zh-CN"
    page.get_by_role("button", name="English").click()
    page.get_by_text("100 more files").wait_for()


def test_a_long_visit_renews_its_keys_and_stays_the_same_visit(
    console: Console, link: str, visitor: Callable[..., Page], a_file: Callable[..., Path]
) -> None:
    page = visitor("about:blank")
    page.clock.install()
    page.goto(link)
    page.get_by_role("heading", name="Photos of the day").wait_for()
    drop(page, a_file("a.txt"))
    page.get_by_role("heading", name="Thank you. Your file has arrived.").wait_for()

    with page.expect_response(lambda answer: answer.url.endswith("/-/api/requests/open")) as renewed:
        page.clock.fast_forward(13 * 60 * 1000)
    assert renewed.value.status == 200
    drop(page, a_file("b.txt"))

    page.get_by_role("heading", name="Thank you. All 2 files have arrived.").wait_for()
    assert len({key.rpartition("/")[0] for key in keys(console)}) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_barrier_on_the_visitors_page(
    console: Console,
    link: str,
    visitor: Callable[..., Page],
    a_file: Callable[..., Path],
    scheme: Literal["light", "dark"],
) -> None:
    page = visitor(link)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.get_by_role("heading", name="Photos of the day").wait_for()
    drop(page, a_file("a.txt"))
    page.get_by_role("heading", name="Thank you. Your file has arrived.").wait_for()
    if not AXE.exists():
        pytest.skip("axe-core is not installed")

    page.evaluate(AXE.read_text())
    found = page.evaluate("rules => axe.run({runOnly: rules})", RULES)

    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]] == []


def test_nothing_of_a_link_is_kept_in_the_page_but_a_token(
    console: Console, link: str, visitor: Callable[..., Page], tmp_path: Path
) -> None:
    page = visitor(link)
    page.get_by_role("heading", name="Photos of the day").wait_for()
    secret = link.partition(".")[2].rpartition(".")[2]

    kept = page.evaluate("() => JSON.stringify([{...localStorage}, {...sessionStorage}])")

    assert secret not in kept
    assert "accessKeySecret" not in kept
    page.screenshot(path=tmp_path / "drop.png")
