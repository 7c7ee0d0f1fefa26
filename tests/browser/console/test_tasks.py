"""Unfinished uploads of a bucket: seen, taken over, handed over, aborted."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.console.uploading import NO_HANDLES, Uploader
from tests.e2e.ali_oss.support import source_file, stored_md5
from tests.e2e.harness import PART, noise, statement
from tests.e2e.interop.shell import KEY, SIZE, Sent, Shell

if TYPE_CHECKING:
    from pathlib import Path

    import oss2
    from playwright.sync_api import BrowserContext

    from tests.browser.console.driver import Console
    from tests.e2e.ali_oss.support import Source
    from tests.e2e.harness import Server


@pytest.fixture
def console(console_context: BrowserContext, signed_out: Console) -> Console:
    console_context.add_init_script(NO_HANDLES)
    signed_out.sign_in()
    return signed_out


@pytest.fixture
def uploader(console: Console) -> Uploader:
    return Uploader(console=console)


@pytest.fixture
def shell(server: Server, tmp_path: Path) -> Shell:
    return Shell(server=server, home=tmp_path / "home")


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return source_file(tmp_path, SIZE)


def row_of(console: Console, key: str) -> Locator:
    return console.page.locator("main tbody tr").filter(has=console.page.get_by_title(key, exact=True))


def given_upload(bucket: oss2.Bucket, key: str, parts: dict[int, int]) -> str:
    """An unfinished upload with parts of these sizes; its id."""
    upload_id: str = bucket.init_multipart_upload(key).upload_id
    for number, size in parts.items():
        bucket.upload_part(key, upload_id, number, noise(size, seed=number))
    return upload_id


def test_what_is_unfinished_and_what_of_it_is_stored(console: Console) -> None:
    page, bucket = console.page, console.oss
    gaps = given_upload(bucket, "a/gaps.bin", {1: PART, 2: PART, 5: PART, 7: 1000})
    given_upload(bucket, "a/none.bin", {})
    given_upload(bucket, "b/other.bin", {1: 5})
    name = f"anna-{console.bucket[-8:]}"
    key_id, secret = console.server.make_user(name, statement("Allow", "oss:*", "*"))
    type(bucket)(
        type(bucket.auth)(key_id, secret), console.server.endpoint, console.bucket
    ).init_multipart_upload("c/anna.bin")

    console.go("/b/BUCKET/tasks")

    expect(page.locator(".tasks-total")).to_contain_text("4 uploads hold 301\u00a0KiB")
    row = row_of(console, "a/gaps.bin")
    expect(row).to_contain_text("301\u00a0KiB in 4 parts")
    expect(row).to_contain_text("root")
    expect(row).to_contain_text(gaps)
    expect(row.locator(".part-map")).to_have_attribute("aria-label", "7 parts, 3 not sent, 4 stored")
    expect(row_of(console, "c/anna.bin")).to_contain_text(f"user/{name}")

    console.menu(row.get_by_role("button", name="More for"), "Show parts")
    expect(console.dialog).to_contain_text("3\u20134, 6")
    expect(console.dialog).to_contain_text("4 parts, 301\u00a0KiB (308,200 bytes)")
    expect(console.dialog.locator("tbody tr")).to_have_count(4)
    page.keyboard.press("Escape")

    page.get_by_placeholder("Key begins with").fill("b/")
    expect(page.locator("main tbody tr")).to_have_count(1)
    expect(page.locator(".tasks-total")).to_contain_text("1 upload holds 5\u00a0B")
    page.get_by_placeholder("Key begins with").fill("zzz")
    expect(page.get_by_text("No unfinished upload begins with zzz")).to_be_visible()
    page.get_by_placeholder("Key begins with").fill("")
    given_upload(bucket, "d/later.bin", {1: 7})
    expect(row_of(console, "d/later.bin")).to_contain_text(
        "7\u00a0B in 1 part"
    )  # live: nobody pressed anything


def test_begun_in_the_shell_and_finished_here(
    console: Console, uploader: Uploader, server: Server, shell: Shell, source: Source
) -> None:
    upload_id = shell.cp_stopped(source.path, console.oss, by=signal.SIGINT)
    sent = Sent.so_far(server, upload_id)
    console.go("/b/BUCKET/tasks")

    uploader.chooser(row_of(console, KEY).get_by_role("button", name="Resume")).set_files(str(source.path))

    uploader.transfer(KEY).until("Uploaded")
    sent.assert_only_missing_parts_follow()
    assert stored_md5(console.oss, KEY) == source.md5


def test_begun_here_and_finished_in_the_shell(
    console: Console, uploader: Uploader, server: Server, shell: Shell, source: Source, tmp_path: Path
) -> None:
    page = console.page
    uploader.slow()
    uploader.open()
    uploader.choose(source.path)
    uploader.group("sending").get_by_label("Part size").fill("100 KiB")
    uploader.send()
    row = uploader.transfer(source.path.name)
    row.open()
    row.until_stored(2)
    row.press("Pause")
    row.until("Paused")
    console.go("/b/BUCKET/tasks")
    task = row_of(console, source.path.name)
    expect(task).to_contain_text("here: Paused")
    console.menu(task.get_by_role("button", name="More for"), "Hand over…")
    with page.expect_download() as saving:
        console.dialog.get_by_role("link", name="Save").click()
    saved = tmp_path / "cp.json"
    saving.value.save_as(saved)
    command = console.dialog.locator(".code-block code").first.inner_text()
    upload_id = json.loads(saved.read_text())["uploadId"]
    sent = Sent.so_far(server, upload_id)

    done = shell.ok("uploads", "import", str(saved), str(source.path), "--json")

    assert command.splitlines()[0] == f"export MOSSAIC_ENDPOINT={server.endpoint}"
    assert (
        command.splitlines()[1]
        == f"mossaic uploads import {source.path.name}.checkpoint.json {source.path.name}"
    )
    assert done.last()["resumed_bytes"] >= 2 * PART
    sent.assert_only_missing_parts_follow()
    assert stored_md5(console.oss, source.path.name) == source.md5
    page.keyboard.press("Escape")
    expect(page.get_by_text("Nothing is unfinished")).to_be_visible()


def test_a_checkpoint_of_the_shell_goes_on_here(
    console: Console, uploader: Uploader, server: Server, shell: Shell, source: Source
) -> None:
    upload_id = shell.cp_stopped(source.path, console.oss, by=signal.SIGINT)
    text = shell.ok("uploads", "export", upload_id).out
    sent = Sent.so_far(server, upload_id)
    console.go("/b/BUCKET/tasks")
    console.page.get_by_role("button", name="From a checkpoint").click()
    box = console.dialog.get_by_label("Checkpoint (JSON)")
    go = console.dialog.get_by_role("button", name="Choose the file")

    box.fill("{}")
    uploader.chooser(go).set_files(str(source.path))
    expect(console.dialog.locator(".problem")).to_be_visible()
    box.fill(text)
    uploader.chooser(go).set_files(str(source.path))

    uploader.transfer(KEY).until("Uploaded")
    sent.assert_only_missing_parts_follow()
    assert stored_md5(console.oss, KEY) == source.md5


def test_one_is_aborted_and_who_sends_it_hears_of_it(
    console: Console, uploader: Uploader, console_context: BrowserContext, tmp_path: Path
) -> None:
    source = tmp_path / "film.bin"
    source.write_bytes(noise(60 * PART))
    uploader.slow()
    uploader.open()
    uploader.choose(source)
    uploader.group("sending").get_by_label("Part size").fill("100 KiB")
    uploader.send()
    row = uploader.transfer("film.bin")
    row.open()
    row.until_stored(1)
    other = type(console)(page=console_context.new_page(), server=console.server, bucket=console.bucket)
    other.watch(other.page)
    other.sign_in()
    other.go("/b/BUCKET/tasks")

    other.menu(row_of(other, "film.bin").get_by_role("button", name="More for"), "Abort…")
    expect(other.dialog).to_contain_text("Whoever is sending it will be told")
    other.dialog.get_by_role("button", name="Abort upload").click()

    expect(other.page.get_by_text("Nothing is unfinished")).to_be_visible()
    row.until("Failed")
    assert "The upload is gone" in row.trouble
    assert console.oss.list_multipart_uploads().upload_list == []
    uploader.limit("No limit")
    row.press("Retry")  # anew: all of it is sent again
    row.until("Uploaded")
    assert console.oss.get_object("film.bin").read() == source.read_bytes()
    other.assert_calm()


def test_all_older_than_an_age_after_a_look_at_them(console: Console) -> None:
    page, bucket = console.page, console.oss
    for at in range(5):
        given_upload(bucket, f"old/{at}.bin", {1: PART})
    kept = given_upload(bucket, "kept/1.bin", {1: PART})
    console.go("/b/BUCKET/tasks")
    page.get_by_placeholder("Key begins with").fill("old/")
    expect(page.locator(".tasks-total")).to_contain_text("5 uploads hold 500\u00a0KiB")

    page.get_by_role("button", name="Abort old ones").click()
    dialog = console.dialog
    expect(dialog).to_contain_text("No upload is that old")  # a day, by default
    expect(dialog.get_by_role("button", name="Abort 0 uploads")).to_be_disabled()
    dialog.get_by_label("Begun more than").fill("0")
    expect(dialog).to_contain_text("5 uploads go, 500\u00a0KiB will be freed")
    dialog.get_by_role("button", name="Abort 5 uploads").click()

    expect(page.get_by_text("5 uploads were aborted.")).to_be_visible()
    expect(page.get_by_text("No unfinished upload begins with old/")).to_be_visible()
    assert [each.upload_id for each in bucket.list_multipart_uploads().upload_list] == [kept]
