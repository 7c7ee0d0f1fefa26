"""The Objects view: folders, paging, search, making, deleting, copying, moving, versions, narrow rights."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import unquote

import oss2
import pytest
from oss2.models import BucketVersioningConfig, PartInfo
from playwright.sync_api import expect

from tests.browser.console.browsing import fresh_console, tab  # noqa: F401 - fixtures
from tests.e2e.broker import make_broker
from tests.e2e.harness import noise, statement

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Route

    from tests.browser.console.driver import Console

MIB = 1024 * 1024


def names(console: Console) -> list[str]:
    """What the list shows, once it has settled."""
    return [text.strip() for text in console.page.locator("tbody .entry .object-name").all_inner_texts()]


def row(console: Console, name: str) -> Locator:
    return console.page.locator("tbody tr").filter(
        has=console.page.locator(".entry .object-name", has_text=re.compile(f"^{re.escape(name)}$"))
    )


def act(console: Console, name: str, item: str) -> None:
    """An item of the menu of a row."""
    console.menu(row(console, name).get_by_role("button", name="Actions for"), item)


def finish(console: Console) -> str:
    """Wait for the end of a run, read its account and close it."""
    close = console.dialog.get_by_role("button", name="Close")
    expect(close).to_be_enabled()
    said: str = console.dialog.locator(".run-account").inner_text()
    close.click()
    return said


def finish_well(console: Console, words: str) -> None:
    """A run without any trouble closes its dialog by itself and says so."""
    expect(console.toast).to_contain_text(words, timeout=60_000)
    expect(console.page.locator("dialog[open]")).to_have_count(0)


def keys(bucket: oss2.Bucket, prefix: str = "") -> list[str]:
    return [found.key for found in oss2.ObjectIteratorV2(bucket, prefix=prefix)]


def test_folders_lead_down_and_crumbs_lead_up(console: Console) -> None:
    for key in ("2026/may/a.txt", "2026/may/b.txt", "2026/june.txt", "readme.md"):
        console.oss.put_object(key, b"12345")
    console.oss.put_object("old.tar", b"x" * 2048, headers={"x-oss-storage-class": "IA"})
    console.go("/b/BUCKET/objects/")

    expect(row(console, "old.tar")).to_contain_text("2 KiB")
    expect(row(console, "old.tar")).to_contain_text("Infrequent Access")
    assert names(console) == ["2026", "old.tar", "readme.md"]
    row(console, "2026").get_by_role("link").click()
    expect(row(console, "june.txt")).to_be_visible()
    row(console, "may").get_by_role("link").click()
    expect(row(console, "a.txt")).to_be_visible()
    expect(console.heading).to_have_text("may")
    assert names(console) == ["a.txt", "b.txt"]
    console.page.locator("nav.crumbs").get_by_role("link", name="2026").click()
    expect(row(console, "june.txt")).to_be_visible()


def test_a_search_finds_names_by_their_beginning_and_stays_in_the_address(console: Console) -> None:
    for key in ("logs/app-1.log", "logs/app-2.log", "logs/web-1.log", "logs/app/deep.log"):
        console.oss.put_object(key, b"x")
    console.go("/b/BUCKET/objects/logs/")
    search = console.page.get_by_role("searchbox")

    search.fill("app")
    expect(row(console, "web-1.log")).to_have_count(0)
    assert names(console) == ["app-1.log", "app-2.log", "app"]
    console.page.get_by_role("button", name="All levels").click()
    expect(row(console, "app/deep.log")).to_be_visible()
    console.page.reload()
    expect(row(console, "app/deep.log")).to_be_visible()
    expect(search).to_have_value("app")
    console.go("/b/BUCKET/objects/logs/we")
    expect(row(console, "web-1.log")).to_be_visible()
    expect(console.heading).to_have_text("logs")
    expect(search).to_have_value("we")
    search.fill("nothing like this")
    expect(console.page.get_by_text("No name begins with “nothing like this”")).to_be_visible()


def test_a_long_listing_is_read_page_by_page_in_a_window(console: Console) -> None:
    bucket = console.oss
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: bucket.put_object(f"n{number:04}", b""), range(1030)))
    console.go("/b/BUCKET/objects/")
    expect(row(console, "n0000")).to_be_visible()
    rows = console.page.locator("tbody tr")

    assert rows.count() < 400, "a listing is not read to its end"
    console.page.wait_for_function(
        "() => { scrollTo(0, document.body.scrollHeight); return document.querySelectorAll('tbody tr').length >= 1000; }",
        timeout=60_000,
    )
    expect(rows).to_have_count(1000)
    console.page.get_by_role("button", name="Go on").click()
    expect(row(console, "n1029")).to_be_visible()
    expect(rows).to_have_count(30)
    console.page.get_by_role("button", name="Back").click()
    expect(row(console, "n0000")).to_be_visible()

    listed = [
        line
        for line in console.server.log_lines(bucket=console.bucket)
        if line["operation"] == "ListObjectsV2"
    ]
    assert len(listed) >= 7


def test_a_folder_is_made_once_and_bad_names_are_told(console: Console) -> None:
    console.go("/b/BUCKET/objects/")
    console.page.get_by_role("button", name="New folder").click()
    name = console.dialog.get_by_label("Folder name")

    name.fill("/abs")
    console.dialog.get_by_role("button", name="Create").click()
    expect(console.dialog).to_contain_text("does not begin with")
    name.fill("ü" * 600)
    console.dialog.get_by_role("button", name="Create").click()
    expect(console.dialog).to_contain_text("1,023")
    name.fill("photos & more")
    console.dialog.get_by_role("button", name="Create").click()
    expect(console.heading).to_have_text("photos & more")
    expect(console.page.get_by_text("This folder is empty")).to_be_visible()

    assert keys(console.oss) == ["photos & more/"]
    console.go("/b/BUCKET/objects/")
    console.page.get_by_role("button", name="New folder").click()
    name.fill("photos & more")
    console.dialog.get_by_role("button", name="Create").click()
    expect(console.dialog).to_contain_text("There is a folder of this name")
    console.dialog.get_by_role("button", name="Cancel").click()


def test_many_are_deleted_after_a_preview(console: Console) -> None:
    for key in ("a.txt", "b.txt", "keep.txt", "dir/1", "dir/2", "dir/sub/3"):
        console.oss.put_object(key, b"12345")
    console.go("/b/BUCKET/objects/")
    for name in ("a.txt", "b.txt", "dir"):
        row(console, name).get_by_role("checkbox").check()

    expect(console.page.get_by_role("region", name="What is selected")).to_contain_text("3 selected")
    console.page.get_by_role("region", name="What is selected").get_by_role("button", name="Delete").click()
    expect(console.dialog).to_contain_text("5 objects · 25 B")
    expect(console.dialog).to_contain_text("This cannot be undone")
    console.dialog.get_by_role("button", name="Delete").click()
    expect(console.dialog).to_contain_text("This is not “dir”")
    assert len(keys(console.oss)) == 6, "nothing is deleted before it is confirmed"
    console.dialog.get_by_role("textbox").fill("dir")
    console.dialog.get_by_role("button", name="Delete").click()

    finish_well(console, "5 objects deleted")
    expect(row(console, "dir")).to_have_count(0)
    assert keys(console.oss) == ["keep.txt"]


def test_a_key_that_may_not_be_deleted_is_named_and_the_others_go(signed_out: Console) -> None:
    console = signed_out
    for key in ("one", "two", "precious", "three"):
        console.oss.put_object(key, b"x")
    policy = statement("Allow", "oss:*", [f"acs:oss:*:*:{console.bucket}", f"acs:oss:*:*:{console.bucket}/*"])
    policy["Statement"] += statement("Deny", "oss:DeleteObject", f"acs:oss:*:*:{console.bucket}/precious")[
        "Statement"
    ]
    console.sign_in(*console.server.make_user(f"keeper-{console.bucket}", policy))
    console.go("/b/BUCKET/objects/")

    row(console, "one").wait_for()
    console.page.get_by_role("checkbox", name="Select all rows").check()
    console.page.get_by_role("region", name="What is selected").get_by_role("button", name="Delete").click()
    console.dialog.get_by_role("button", name="Delete").click()
    account = finish(console)

    assert "Deleted: 3 of 4" in account
    assert "1 could not be deleted" in account
    assert "precious" in account
    assert "AccessDenied" in account
    assert keys(console.oss) == ["precious"]
    expect(row(console, "precious")).to_be_visible()


def test_a_folder_is_renamed_with_all_that_belongs_to_its_objects(console: Console) -> None:
    bucket = console.oss
    bucket.put_object(
        "old name/photo.jpg",
        b"jpeg",
        headers={
            "x-oss-meta-who": "Ada",
            "x-oss-storage-class": "IA",
            "x-oss-object-acl": "public-read",
            "Cache-Control": "no-cache",
            "x-oss-tagging": "k=v",
        },
    )
    bucket.put_object("old name/sub/deep.txt", b"deep")
    bucket.put_object("old name/taken.txt", b"mine")
    bucket.put_object("new+name/taken.txt", b"theirs")
    console.go("/b/BUCKET/objects/")

    act(console, "old name", "Move or rename…")
    expect(console.dialog).to_contain_text("3 objects")
    console.dialog.get_by_label("Name", exact=True).fill("old name/inside")
    console.dialog.get_by_role("button", name="Move").click()
    expect(console.dialog).to_contain_text("A folder cannot go into itself")
    console.dialog.get_by_label("Name", exact=True).fill("new+name")
    console.dialog.get_by_role("button", name="Move").click()
    account = finish(console)

    assert "Moved: 2 of 3" in account
    assert "1 was left alone" in account
    assert "old name/taken.txt" in account
    assert keys(bucket) == [
        "new+name/photo.jpg",
        "new+name/sub/deep.txt",
        "new+name/taken.txt",
        "old name/taken.txt",
    ]
    assert bucket.get_object("new+name/taken.txt").read() == b"theirs"
    moved = bucket.head_object("new+name/photo.jpg")
    assert moved.headers["x-oss-meta-who"] == "Ada"
    assert moved.headers["x-oss-storage-class"] == "IA"
    assert moved.headers["Cache-Control"] == "no-cache"
    assert bucket.get_object_acl("new+name/photo.jpg").acl == "public-read"
    assert bucket.get_object_tagging("new+name/photo.jpg").tag_set.tagging_rule == {"k": "v"}

    row(console, "old name").get_by_role("link").click()
    act(console, "taken.txt", "Copy…")
    console.dialog.get_by_label("Into the folder").fill("copies")
    console.dialog.get_by_text("Replace it").click()
    console.dialog.get_by_role("button", name="Copy").click()
    finish_well(console, "1 object copied")
    expect(console.toast).to_contain_text("copies/taken.txt")
    assert bucket.get_object("copies/taken.txt").read() == b"mine"


def test_an_object_above_a_gibibyte_is_copied_by_parts(console: Console) -> None:
    bucket = console.oss
    brick = noise(103 * MIB)
    bucket.put_object("brick", brick)
    headers = {"x-oss-meta-who": "Ada", "Content-Type": "application/x-wall", "x-oss-tagging": "a=b"}
    upload = bucket.init_multipart_upload("wall", headers=headers).upload_id
    parts = [
        PartInfo(number, bucket.upload_part_copy(console.bucket, "brick", None, "wall", upload, number).etag)
        for number in range(1, 11)
    ]
    bucket.complete_multipart_upload("wall", upload, parts)
    console.go("/b/BUCKET/objects/")

    act(console, "wall", "Copy…")
    console.dialog.get_by_label("Name", exact=True).fill("wall 2")
    console.dialog.get_by_role("button", name="Copy").click()
    finish_well(console, "1 object copied")

    one, two = bucket.head_object("wall"), bucket.head_object("wall 2")
    assert one.content_length > 1024 * MIB
    assert two.headers["x-oss-hash-crc64ecma"] == one.headers["x-oss-hash-crc64ecma"]
    assert two.headers["x-oss-meta-who"] == "Ada"
    assert two.headers["Content-Type"] == "application/x-wall"
    assert bucket.get_object_tagging("wall 2").tag_set.tagging_rule == {"a": "b"}
    copied = [
        line
        for line in console.server.log_lines(bucket=console.bucket, operation="UploadPartCopy")
        if line["key"] == "wall 2"
    ]
    assert len(copied) == 5
    assert not bucket.list_multipart_uploads().upload_list


def test_versions_are_shown_brought_back_and_deleted_for_good(console: Console) -> None:
    bucket = console.oss
    bucket.put_bucket_versioning(BucketVersioningConfig("Enabled"))
    first = bucket.put_object("plan.txt", b"first").versionid
    bucket.put_object("plan.txt", b"second")
    bucket.put_object("gone.txt", b"still here")
    console.go("/b/BUCKET/objects/")

    act(console, "gone.txt", "Delete…")
    expect(console.dialog).to_contain_text("can be brought back")
    console.dialog.get_by_role("button", name="Delete").click()
    finish_well(console, "1 object deleted")
    expect(row(console, "gone.txt")).to_have_count(0)
    console.page.get_by_role("button", name="Versions").click()
    expect(row(console, "gone.txt")).to_have_count(2)
    expect(row(console, "gone.txt").first).to_contain_text("delete marker")
    console.menu(row(console, "gone.txt").first.get_by_role("button", name="Actions for"), "Undelete")
    expect(row(console, "gone.txt")).to_have_count(1)
    assert bucket.get_object("gone.txt").read() == b"still here"

    expect(row(console, "plan.txt").first).to_contain_text("current")
    console.menu(
        row(console, "plan.txt").nth(1).get_by_role("button", name="Actions for"),
        "Make this the current version",
    )
    expect(row(console, "plan.txt")).to_have_count(3)
    assert bucket.get_object("plan.txt").read() == b"first"
    row(console, "plan.txt").filter(has_text=first).get_by_role("checkbox").check()
    console.page.get_by_role("region", name="What is selected").get_by_role(
        "button", name="Delete for good"
    ).click()
    expect(console.dialog).to_contain_text("cannot be undone")
    console.dialog.get_by_role("button", name="Delete").click()
    finish_well(console, "1 version deleted for good")
    expect(row(console, "plan.txt")).to_have_count(2)
    with pytest.raises(oss2.exceptions.ServerError, match="NoSuchVersion"):
        bucket.head_object("plan.txt", params={"versionId": first})

    act_first = row(console, "plan.txt").first.get_by_role("button", name="Actions for")
    console.menu(act_first, "Delete…")
    console.dialog.get_by_text("All versions, for good").click()
    expect(console.dialog).to_contain_text("2 objects")
    console.dialog.get_by_role("button", name="Delete").click()
    finish_well(console, "2 versions deleted for good")
    expect(row(console, "plan.txt")).to_have_count(0)
    assert [found.key for found in bucket.list_object_versions(prefix="plan").versions] == []


def test_a_narrow_session_is_told_in_words_what_it_may_not(signed_out: Console) -> None:
    console = signed_out
    broker = make_broker(console.server)
    console.bucket = broker.bucket
    for key in ("private/secret.txt", "team/report.txt"):
        console.oss.put_object(key, b"hello")
    read = statement("Allow", ["oss:GetObject", "oss:GetObjectAcl"], f"acs:oss:*:*:{console.bucket}/team/*")
    listing = statement("Allow", "oss:ListObjects", f"acs:oss:*:*:{console.bucket}")["Statement"][0]
    listing["Condition"] = {"StringLike": {"oss:Prefix": ["team/*"]}}
    read["Statement"].append(listing)
    triple = broker.assume(policy=read)["Credentials"]
    console.sign_in(triple["AccessKeyId"], triple["AccessKeySecret"], triple["SecurityToken"])
    console.go("/b/BUCKET/objects/")

    refused = console.page.locator("[data-problem=denied]")
    expect(refused).to_be_visible()
    expect(refused).to_contain_text("Request ID")
    console.page.get_by_label("Folder to open").fill("team/")
    console.page.get_by_role("button", name="Open").click()
    expect(row(console, "report.txt")).to_be_visible()
    act(console, "report.txt", "Delete…")
    expect(console.dialog).to_contain_text("You may not see whether this bucket keeps versions")
    console.dialog.get_by_role("button", name="Delete").click()
    account = finish(console)
    assert "1 could not be deleted" in account
    assert "AccessDenied" in account
    act(console, "report.txt", "Move or rename…")
    console.dialog.get_by_label("Name", exact=True).fill("other.txt")
    console.dialog.get_by_role("button", name="Move").click()
    assert "still in its old place" in finish(console)
    console.page.get_by_role("button", name="New folder").click()
    console.dialog.get_by_label("Folder name").fill("mine")
    console.dialog.get_by_role("button", name="Create").click()
    expect(console.dialog.locator("[data-problem=denied]")).to_be_visible()
    console.dialog.get_by_role("button", name="Cancel").click()
    assert keys(console.oss) == ["private/secret.txt", "team/report.txt"]


def test_files_dropped_on_a_folder_go_to_the_upload_view_with_its_prefix(console: Console) -> None:
    console.oss.put_object("in box/x", b"x")
    console.go_key("objects", "in box/")
    row(console, "x").wait_for()

    console.page.evaluate(
        """() => {
          const carried = new DataTransfer();
          carried.items.add(new File(["dropped"], "from disk.txt", { type: "text/plain" }));
          const fire = (name) => document.body.dispatchEvent(new DragEvent(name, { bubbles: true, cancelable: true, dataTransfer: carried }));
          fire("dragenter");
          window.veilShown = !document.querySelector(".drop-veil").hidden;
          fire("dragover");
          fire("drop");
        }"""
    )
    console.page.wait_for_url(re.compile(r"/upload/"))

    assert console.page.evaluate("window.veilShown") is True
    assert unquote(console.page.url).endswith(f"/b/{console.bucket}/upload/in box/")
    expect(console.page.get_by_text("from disk.txt").first).to_be_visible()


ODD_KEYS = [
    " lead and trail ",
    "per%cent%2Fcent.txt",
    "plus+plus.txt",
    "hash#tag?query=1&x=2.txt",
    "emoji 🌊/海.txt",
    "..",
    "a/../b",
    "./x",
    "double//slash",
    "ends/",
    "quote'\"<b>&amp;.txt",
    "bell\x07and\x1fmore",
    "tab\tand\nline\rend",
    "\u202etxt.exe",
    "k" * 1023,
]


def test_every_key_can_be_seen_copied_moved_and_deleted(console: Console) -> None:
    bucket = console.oss
    for key in ODD_KEYS:
        bucket.put_object(f"z/{key}"[:1023], key.encode())
    stored = keys(bucket)
    console.go("/b/BUCKET/objects/?flat=1")
    expect(console.page.locator("tbody tr")).to_have_count(len(ODD_KEYS))

    hrefs = console.page.locator("tbody a.entry").evaluate_all(
        "all => all.map(one => one.getAttribute('href'))"
    )
    assert sorted(unquote(href.partition("/object/")[2]) for href in hrefs) == sorted(stored)
    console.go("/b/BUCKET/objects/")
    act(console, "z", "Move or rename…")
    expect(console.dialog).to_contain_text(f"{len(ODD_KEYS)} objects")
    console.dialog.get_by_label("Name", exact=True).fill("y")
    console.dialog.get_by_role("button", name="Move").click()
    finish_well(console, f"{len(ODD_KEYS)} objects moved")
    assert sorted(keys(bucket)) == sorted("y" + key[1:] for key in stored)
    assert bucket.get_object("y/a/../b").read() == b"a/../b"
    act(console, "y", "Delete…")
    console.dialog.get_by_role("textbox").fill("y")
    console.dialog.get_by_role("button", name="Delete").click()
    finish_well(console, f"{len(ODD_KEYS)} objects deleted")
    assert keys(bucket) == []


def test_a_run_that_is_stopped_says_what_was_done(console: Console) -> None:
    bucket = console.oss
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: bucket.put_object(f"many/{number:03}", b"x"), range(120)))
    console.go("/b/BUCKET/objects/")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    console.page.route(re.compile(r"/moved/(0[2-9]|1)"), hold)

    act(console, "many", "Move or rename…")
    console.dialog.get_by_label("Name", exact=True).fill("moved")
    console.dialog.get_by_role("button", name="Move").click()
    expect(console.dialog).to_contain_text("20 of 120")
    console.dialog.get_by_role("button", name="Stop").click()
    account = finish(console)

    assert "Moved: 20 of 120" in account
    assert "You stopped it" in account
    assert len(keys(bucket, "moved/")) == 20
    assert len(keys(bucket, "many/")) == 100
    console.page.unroute_all(behavior="ignoreErrors")
