"""Uploading through the page: every option, folders, conflicts, limits, and words for what fails."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import oss2
import pytest
from playwright.sync_api import expect

from tests.browser.console.uploading import NO_HANDLES, Uploader
from tests.e2e.harness import PART, CallbackReceiver, noise, statement

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Route

    from tests.browser.console.driver import Console

FORM = "bucket=${bucket}&object=${object}&size=${size}&order=${x:order}&who=${x:who}"


@pytest.fixture
def console(console_context: BrowserContext, signed_out: Console) -> Console:
    console_context.add_init_script(NO_HANDLES)
    signed_out.sign_in()
    return signed_out


@pytest.fixture
def uploader(console: Console) -> Uploader:
    return Uploader(console=console)


@pytest.fixture
def receiver() -> Iterator[CallbackReceiver]:
    running = CallbackReceiver()
    yield running
    running.close()


def a_file(folder: Path, name: str, size: int, seed: int = 1) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(noise(size, seed=seed))
    return path


def test_every_option_reaches_the_object_and_the_callback(
    uploader: Uploader, console: Console, receiver: CallbackReceiver, tmp_path: Path
) -> None:
    page = console.page
    source = a_file(tmp_path, "exampleobject.txt", 3 * PART + 7)
    uploader.open("in/here/")
    uploader.choose(source)
    page.get_by_label("Object name").fill("新 name+%.txt")
    page.get_by_label("Storage class").select_option("IA")
    headers = uploader.group("headers")
    headers.get_by_label("Cache-Control").fill("no-cache")
    headers.get_by_label("Content-Disposition").fill('attachment; filename="example.txt"')
    headers.get_by_label("Content-Encoding").fill("utf-8")
    headers.get_by_label("Expires").fill("Wed, 21 Oct 2026 07:28:00 GMT")
    headers.get_by_label("Content-Type").fill("text/plain")
    headers.get_by_label("Access (ACL)").select_option("public-read")
    uploader.group("labels")
    uploader.pair("Tags", "Tag1", "1")
    uploader.pair("Tags", "Tag2", "a b/2")
    uploader.pair("User metadata", "year", "2020")
    uploader.pair("User metadata", "people", "test")
    callback = uploader.group("callback")
    callback.get_by_text("Tell a server when the upload is complete").click()
    callback.get_by_label("URL", exact=True).fill(receiver.url)
    callback.get_by_label("Host header").fill("app.example.com")
    callback.get_by_label("Body", exact=True).fill(FORM)
    uploader.pair("Custom variables", "order", "7 & 8")
    uploader.pair("Custom variables", "who", "王")
    preview = callback.locator("pre").inner_text()
    sending = uploader.group("sending")
    sending.get_by_label("Part size").fill("100 KiB")
    sending.get_by_label("Parts at once").fill("2")
    expect(sending).to_contain_text("goes in 4 parts of 100")

    uploader.send()
    row = uploader.transfer("in/here/新 name+%.txt").until("Uploaded")

    found = console.oss.head_object("in/here/新 name+%.txt")
    assert {name: found.headers[name] for name in ("Cache-Control", "Content-Disposition", "Content-Encoding", "Expires", "Content-Type")} == {
        "Cache-Control": "no-cache",
        "Content-Disposition": 'attachment; filename="example.txt"',
        "Content-Encoding": "utf-8",
        "Expires": "Wed, 21 Oct 2026 07:28:00 GMT",
        "Content-Type": "text/plain",
    }  # fmt: skip
    assert (
        found.headers["x-oss-storage-class"],
        found.headers["x-oss-meta-year"],
        found.headers["x-oss-meta-people"],
    ) == ("IA", "2020", "test")
    assert console.oss.get_object_tagging(
        found.resp.request_id and "in/here/新 name+%.txt"
    ).tag_set.tagging_rule == {"Tag1": "1", "Tag2": "a b/2"}
    assert console.oss.get_object_acl("in/here/新 name+%.txt").acl == "public-read"
    assert found.etag.endswith("-4")
    assert console.oss.get_object("in/here/新 name+%.txt").read() == source.read_bytes()
    (called,) = receiver.calls
    assert called.form() == {
        "bucket": console.bucket,
        "object": "in/here/新 name+%.txt",
        "size": str(3 * PART + 7),
        "order": "7 & 8",
        "who": "王",
    }
    assert called.headers["host"] == "app.example.com"
    assert preview.endswith(called.body.decode())  # what was promised is what came
    row.open()
    assert row.fact("Callback's answer") == '{"Status":"OK"}'
    assert row.fact("CRC-64").startswith(found.headers["x-oss-hash-crc64ecma"])
    complete = console.server.log_lines(bucket=console.bucket, operation="CompleteMultipartUpload")
    assert row.fact("Request ID") == complete[-1]["request_id"]


def test_details_that_are_open_stay_open_when_the_upload_ends(
    uploader: Uploader, console: Console, tmp_path: Path
) -> None:
    held: list[Route] = []
    console.page.route("**/*partNumber=*", lambda route: held.append(route))  # noqa: PLW0108  # Playwright looks at its code
    uploader.open()
    uploader.choose(a_file(tmp_path, "a.bin", 2 * PART))
    uploader.group("sending").get_by_label("Part size").fill("100 KiB")
    uploader.send()
    row = uploader.transfer("a.bin")
    row.open()

    while len(held) < 2:
        console.page.wait_for_timeout(20)
    for route in held:
        route.continue_()
    row.until("Uploaded")
    expect(row.row.locator("xpath=..")).to_have_attribute(
        "data-list", "ended"
    )  # it has moved to the other list

    assert row.fact("CRC-64")


def test_options_last_for_the_visit_and_hold_no_secret(
    uploader: Uploader, console: Console, tmp_path: Path
) -> None:
    uploader.open()
    uploader.group("headers").get_by_label("Cache-Control").fill("no-store")
    callback = uploader.group("callback")
    callback.get_by_text("Tell a server when the upload is complete").click()
    callback.get_by_label("URL", exact=True).fill("https://app.example.com/done?token=s3cret")
    uploader.pair("Custom variables", "key", "t0psecret")

    kept = console.page.evaluate("JSON.stringify({...sessionStorage}) + JSON.stringify({...localStorage})")
    console.page.reload()
    uploader.open()

    assert "s3cret" not in kept
    assert "t0psecret" not in kept
    expect(uploader.group("headers").get_by_label("Cache-Control")).to_have_value("no-store")
    expect(uploader.group("callback").get_by_label("URL", exact=True)).to_have_value(
        "https://app.example.com/done"
    )


def test_what_cannot_be_sent_is_said_before_anything_is(
    uploader: Uploader, console: Console, tmp_path: Path
) -> None:
    uploader.open()
    uploader.choose(a_file(tmp_path, "a.bin", 10))
    group = uploader.group("sending")
    group.get_by_label("Part size").fill("50 KiB")
    group.locator("summary").click()  # a closed group opens where something is wrong in it

    uploader.send()

    expect(console.page.get_by_text("A part has at least 100 KiB.")).to_be_visible()
    expect(group.get_by_label("Part size")).to_be_focused()
    assert console.server.log_lines(bucket=console.bucket, operation="PutObject") == []


def test_a_folder_keeps_its_paths_and_patterns_choose(
    uploader: Uploader, console: Console, tmp_path: Path
) -> None:
    folder = tmp_path / "album"
    for name in ("a.jpg", "b.tmp", "2026/c d.jpg", "2026/.git/config", "2026/深/e.jpg"):
        a_file(folder, name, 100)
    uploader.open("photos/")
    uploader.group("folders").get_by_label("Not these").fill(".git/, *.tmp")

    uploader.choose(folder, button="Choose a folder")

    expect(console.page.locator(".send-bar")).to_contain_text("3 files, 300")
    expect(console.page.locator(".staged-row.is-excluded")).to_have_count(2)
    uploader.send()
    uploader.until("3 uploaded")
    keys = [each.key for each in oss2.ObjectIterator(console.oss)]
    assert keys == ["photos/album/2026/c d.jpg", "photos/album/2026/深/e.jpg", "photos/album/a.jpg"]


DROP = """
async () => {
  const root = await navigator.storage.getDirectory();
  const transfer = new DataTransfer();
  transfer.items.add(new File(["one"], "one.txt", { type: "text/plain" }));
  transfer.items.add(new File(["two"], "two.txt", { type: "text/plain" }));
  const target = document.querySelector(".dropzone");
  target.dispatchEvent(new DragEvent("dragenter", { bubbles: true, dataTransfer: transfer }));
  const veiled = target.classList.contains("is-over");
  target.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: transfer }));
  return veiled;
}
"""
PASTE = """
() => {
  const clipboardData = new DataTransfer();
  clipboardData.items.add(new File(["picture"], "image.png", { type: "image/png" }));
  document.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}
"""
# A folder cannot be put into a DataTransfer by a script: its entry is made as the browser would give it.
DROP_FOLDER = """
async () => {
  const file = (name, text) => ({ isFile: true, isDirectory: false, name, file: (done) => done(new File([text], name)) });
  const folder = (name, entries) => {
    const pages = [entries, []];
    return { isFile: false, isDirectory: true, name, createReader: () => ({ readEntries: (done) => done(pages.shift()) }) };
  };
  const tree = folder("trip", [file("a.txt", "a"), folder("day 1", [file("b.txt", "b")]), folder("empty", [])]);
  const item = { kind: "file", getAsFile: () => null, webkitGetAsEntry: () => tree };
  const event = new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: new DataTransfer() });
  Object.defineProperty(event, "dataTransfer", { value: { types: ["Files"], items: [item], files: [] } });
  document.querySelector(".dropzone").dispatchEvent(event);
}
"""


def test_files_and_folders_are_dropped_and_pictures_pasted(uploader: Uploader, console: Console) -> None:
    uploader.open("d/")

    assert console.page.evaluate(DROP) is True
    expect(console.page.locator(".staged-row")).to_have_count(2)
    console.page.evaluate(DROP_FOLDER)
    expect(console.page.locator(".staged-row")).to_have_count(5)
    console.page.evaluate(PASTE)
    expect(console.page.locator(".staged-row")).to_have_count(6)
    uploader.send()

    uploader.until("6 uploaded")
    keys = {each.key: console.oss.get_object(each.key).read() for each in oss2.ObjectIterator(console.oss)}
    (pasted,) = [key for key in keys if re.fullmatch(r"d/pasted-\d{8}-\d{6}\.png", key)]
    assert keys.pop(pasted) == b"picture"
    assert keys == {
        "d/one.txt": b"one",
        "d/two.txt": b"two",
        "d/trip/a.txt": b"a",
        "d/trip/day 1/b.txt": b"b",
        "d/trip/empty/": b"",
    }


def test_an_object_that_exists_is_kept_renamed_skipped_or_replaced(
    uploader: Uploader, console: Console, tmp_path: Path
) -> None:
    page = console.page
    console.oss.put_object("x.bin", b"old")
    source = a_file(tmp_path, "x.bin", 5000)
    policy = page.get_by_label("If the object exists already")

    uploader.open()
    policy.select_option("refuse")
    uploader.choose(source)
    uploader.send()
    refused = uploader.transfer("x.bin").until("Failed")
    assert "exists" in refused.trouble
    assert console.oss.get_object("x.bin").read() == b"old"
    (line,) = [
        each
        for each in console.server.log_lines(bucket=console.bucket, operation="PutObject")
        if each["status"] == 409
    ]
    assert line["request_id"] in refused.trouble

    refused.press("More")
    page.get_by_role("menu").get_by_text("Take off the list").click()
    policy.select_option("rename")
    uploader.choose(source)
    uploader.send()
    expect(page.get_by_role("link", name="x (1).bin")).to_be_visible()
    assert console.oss.get_object("x (1).bin").read() == source.read_bytes()

    policy.select_option("replace")
    uploader.choose(source)
    uploader.send()
    uploader.until("2 uploaded")
    assert console.oss.get_object("x.bin").read() == source.read_bytes()

    policy.select_option("skip")
    uploader.choose(source)
    uploader.send()
    expect(page.get_by_text("Skipped, identical")).to_be_visible()


def test_refusals_and_lost_lines_say_what_to_do(
    console_context: BrowserContext, signed_out: Console, tmp_path: Path
) -> None:
    console = signed_out
    only = statement("Allow", ["oss:GetObject", "oss:ListObjects"], "*")
    key = console.server.make_user(f"reader-{console.bucket[-8:]}", only)
    console_context.add_init_script(NO_HANDLES)
    console.sign_in(*key)
    uploader = Uploader(console=console).open()
    uploader.choose(a_file(tmp_path, "x.bin", 10))

    uploader.send()

    row = uploader.transfer("x.bin").until("Failed")
    (line,) = console.server.log_lines(bucket=console.bucket, operation="PutObject")
    assert line["request_id"] in row.trouble
    assert "AccessDenied" in row.trouble
    row.row.get_by_role("button", name="Copy the request ID").wait_for()
    assert row.row.locator(".problem-todo li").count() > 0

    console_context.set_offline(offline=True)
    row.row.get_by_role("button", name="Retry x.bin").click()
    row.until("Offline")
    assert "as soon as there is" in row.trouble
    console_context.set_offline(offline=False)
    row.until("Failed")  # by itself, and still not allowed


def test_the_limit_holds_all_uploads_and_is_changed_on_the_way(
    uploader: Uploader, console: Console, tmp_path: Path
) -> None:
    page = console.page
    uploader.slow()
    uploader.open()
    uploader.choose(a_file(tmp_path, "slow.bin", 4_000_000))
    uploader.group("sending").get_by_label("Part size").fill("100 KiB")
    page.evaluate("window.scrollTo(0, 0)")
    uploader.send()

    slider = page.get_by_role("slider", name="Bandwidth limit")
    expect(slider).to_have_attribute("aria-valuetext", "at most 128\u00a0KiB/s")  # as before the reload
    slider.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "at most 256\u00a0KiB/s")
    uploader.limit("Video call")
    expect(slider).to_have_attribute("aria-valuetext", "at most 128\u00a0KiB/s")
    slider.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "no limit")
    uploader.transfer("slow.bin").until("Uploaded")


def test_a_phone_in_chinese_has_everything_in_sight(
    uploader: Uploader, console: Console, tmp_path: Path
) -> None:
    page = console.page
    page.set_viewport_size({"width": 360, "height": 780})
    page.evaluate("localStorage.setItem('mossaic.lang', 'zh')")
    page.reload()
    uploader.open("照片/")
    source = a_file(tmp_path, "a rather long name of a file that was never meant for phones.bin", 250_000)
    chooser = uploader.chooser(page.get_by_role("button", name="选择文件", exact=True))
    chooser.set_files(str(source))
    page.get_by_role("button", name="上传 1 个文件").click()
    uploader.transfer(f"照片/{source.name}").until("上传完成")
    page.get_by_role("button", name="详细信息").click()

    wide = page.evaluate(
        "[...document.querySelectorAll('main *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.visually-hidden')).length"
    )
    assert wide == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth") is True
    assert json.dumps(page.locator("main").inner_text(), ensure_ascii=False).count("upload.") == 0
