"""Large uploads that are paused, reloaded, resumed and aborted by clicks."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.console.uploading import CALL, NO_HANDLES, OWN_FILES, Transfer, Uploader
from tests.e2e.ali_oss.support import MIB, source_file, stored_md5
from tests.e2e.harness import PART, noise

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Dialog

    from tests.browser.console.driver import Console
    from tests.e2e.ali_oss.support import Source

LARGE = 112 * MIB
MOST_IN_FLIGHT = 4  # parts at once, when nobody says how many
KEY = "video/large.bin"


@pytest.fixture
def console(console_context: BrowserContext, signed_out: Console) -> Console:
    console_context.add_init_script(NO_HANDLES)
    signed_out.sign_in()
    return signed_out


@pytest.fixture
def uploader(console: Console) -> Uploader:
    return Uploader(console=console)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Source:
    return source_file(tmp_path_factory.mktemp("large"), LARGE)


def begin(uploader: Uploader, source: Path, *, part_size: str, key: str = "", rate: int = CALL) -> Transfer:
    """Send a file so slowly that there is time to do something about it; the row, with its map open."""
    uploader.slow(rate)
    uploader.open("video/")
    uploader.choose(source)
    if key:
        uploader.page.get_by_label("Object name").fill(key.removeprefix("video/"))
    uploader.group("sending").get_by_label("Part size").fill(part_size)
    uploader.send()
    row = uploader.transfer(key or f"video/{source.name}")
    row.open()
    return row


def test_two_pauses_a_reload_and_no_stored_part_is_sent_again(
    uploader: Uploader, console: Console, large: Source
) -> None:
    page = console.page
    row = begin(uploader, large.path, part_size="2 MiB", key=KEY, rate=5 * MIB)
    row.until_stored(4)
    row.press("Pause")
    row.until("Paused")
    row.press("Resume")
    row.until_stored(10)
    row.press("Pause")
    row.until("Paused")
    shown = row.row.locator(".part-map").get_attribute("aria-label")
    assert shown is not None
    assert shown.startswith("56 parts")
    before = sorted(console.server.parts_put(console.bucket))
    console.page.evaluate("document.title = 'same page'")

    page.reload()
    row = uploader.transfer(KEY).until("Needs the file")
    assert "Choose large.bin" not in row.trouble  # the file's name is told, not the key's
    assert large.path.name in row.trouble
    uploader.limit("No limit")
    uploader.chooser(row.row.get_by_role("button", name="Choose the file of")).set_files(str(large.path))
    row.until("Uploaded")

    after = console.server.parts_put(console.bucket)[len(before) :]
    assert len(before) >= 10
    assert not set(before) & set(after)
    assert sorted({*before, *after}) == list(range(1, 57))
    assert stored_md5(console.oss, KEY) == large.md5
    row.open()
    # Parts whose bytes had all left when the second pause came were stored, and logged, after `before` was read.
    label = row.row.locator(".part-map").get_attribute("aria-label") or ""
    counts = re.search(r"(\d+) stored, (\d+) kept and verified", label)
    assert counts is not None, label
    stored, kept = map(int, counts.groups())
    assert stored + kept == 56
    assert len(before) <= kept <= len(before) + MOST_IN_FLIGHT
    assert row.fact("CRC-64").endswith("the same here and on the server")


def test_another_file_is_refused_in_words(uploader: Uploader, console: Console, tmp_path: Path) -> None:
    source, other, longer = (tmp_path / name for name in ("film.bin", "other.bin", "longer.bin"))
    source.write_bytes(noise(60 * PART))
    other.write_bytes(noise(60 * PART, seed=2))
    longer.write_bytes(noise(60 * PART + 1))
    row = begin(uploader, source, part_size="100 KiB")
    row.until_stored(2)
    row.press("Pause")
    row.until("Paused")
    before = console.server.parts_put(console.bucket)
    console.page.reload()
    row = uploader.transfer("video/film.bin").until("Needs the file")
    choose = row.row.get_by_role("button", name="Choose the file of")

    uploader.chooser(choose).set_files(str(longer))
    expect(row.row.locator(".problem")).to_be_visible()
    by_size = row.trouble
    uploader.chooser(choose).set_files(str(other))
    row.until("Needs the file")
    expect(row.row.locator(".problem")).to_be_visible()

    assert "6,144,001" in by_size
    assert len(row.trouble) > 40
    assert console.server.parts_put(console.bucket) == before  # nothing of the wrong file was sent
    uploader.limit("No limit")
    uploader.chooser(choose).set_files(str(source))
    row.until("Uploaded")
    assert console.oss.get_object("video/film.bin").read() == source.read_bytes()


MAKE_OWN = """
async (size) => {
  const handle = await (await navigator.storage.getDirectory()).getFileHandle("kept.bin", { create: true });
  const writer = await handle.createWritable();
  await writer.write(new Uint8Array(size).map((_, at) => at * 31));
  await writer.close();
}
"""


def test_with_a_stored_handle_one_click_goes_on(console_context: BrowserContext, signed_out: Console) -> None:
    console = signed_out
    console_context.add_init_script(OWN_FILES)
    console.sign_in()
    uploader = Uploader(console=console)
    uploader.slow()
    uploader.open()
    page = console.page
    page.evaluate(MAKE_OWN, 40 * PART)
    uploader.group("sending").get_by_label("Part size").fill("100 KiB")
    page.get_by_role("button", name="Choose files").click()
    uploader.send()
    row = uploader.transfer("kept.bin")
    row.open()
    row.until_stored(2)
    asked: list[str] = []

    def stay_once(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", stay_once)
    page.reload()
    row = uploader.transfer("kept.bin").until("Paused")
    before = console.server.parts_put(console.bucket)
    assert asked == ["beforeunload"]  # leaving while sending asks first
    assert "The browser remembers the file" in row.trouble
    uploader.limit("No limit")
    row.press("Resume")
    row.until("Uploaded")

    after = console.server.parts_put(console.bucket)[len(before) :]
    assert before
    assert not set(before) & set(after)
    assert (
        hashlib.md5(console.oss.get_object("kept.bin").read()).digest()
        == hashlib.md5(bytes(at * 31 % 256 for at in range(40 * PART))).digest()
    )


def test_stop_keeps_what_is_stored_and_abort_frees_it(
    uploader: Uploader, console: Console, tmp_path: Path
) -> None:
    page = console.page
    source = tmp_path / "film.bin"
    source.write_bytes(noise(80 * PART))
    row = begin(uploader, source, part_size="100 KiB")
    row.until_stored(2)

    row.menu("Stop, keep what is stored")
    row.until("Stopped")
    (upload,) = console.oss.list_multipart_uploads().upload_list
    assert "stay on the server" in row.trouble
    row.press("Resume")
    row.until_stored(4)
    page.get_by_role("button", name="Pause all").click()
    row.until("Paused")
    page.get_by_role("button", name="Resume all").click()
    row.until("Uploading")
    row.menu("Abort, free what is stored")
    console.dialog.get_by_role("button", name="Abort upload").click()

    row.until("Aborted")
    assert upload.upload_id not in [
        each.upload_id for each in console.oss.list_multipart_uploads().upload_list
    ]
    page.get_by_role("button", name="Clear finished").click()
    expect(row.row).to_have_count(0)


def test_the_dock_follows_to_every_view(uploader: Uploader, console: Console, tmp_path: Path) -> None:
    page = console.page
    source = tmp_path / "film.bin"
    source.write_bytes(noise(80 * PART))
    begin(uploader, source, part_size="100 KiB").until_stored(1)
    dock = page.get_by_role("group", name="Transfers")
    expect(dock).to_be_hidden()

    console.go("/")
    expect(dock).to_contain_text("1 uploading")
    dock.get_by_role("button", name="Pause all").click()
    expect(dock.get_by_role("button", name="Resume all")).to_be_visible()
    dock.get_by_role("link").click()

    expect(console.heading).to_have_text("Transfers")
    row = uploader.transfer("video/film.bin").until("Paused")
    uploader.limit("No limit")
    row.press("Resume")
    row.until("Uploaded")
