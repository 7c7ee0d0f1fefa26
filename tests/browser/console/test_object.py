"""The details of one object: looked at, changed, downloaded, shared; and what is shown of its contents."""

from __future__ import annotations

import hashlib
import re
import struct
import urllib.error
import urllib.request
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from oss2.models import BucketVersioningConfig
from playwright.sync_api import expect

from tests.browser.console.browsing import fresh_console, tab  # noqa: F401 - fixtures
from tests.e2e.harness import noise

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.browser.console.driver import Console

MIB = 1024 * 1024
# A file of the origin's own file system stands for one on the disk: what is written goes the same way.
OWN_DISK = """
window.showSaveFilePicker = async ({ suggestedName }) => {
  window.suggestedName = suggestedName;
  return (await navigator.storage.getDirectory()).getFileHandle("saved", { create: true });
};
"""
# What a browser takes away on plain http from another machine.
INSECURE = """
Object.defineProperty(Navigator.prototype, "clipboard", { value: undefined });
Object.defineProperty(window, "isSecureContext", { value: false });
"""


def picture(width: int, height: int) -> bytes:
    """A grey PNG."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    lines = zlib.compress(b"".join(b"\0" + bytes(width) for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


def card(console: Console, title: str) -> Locator:
    return console.page.locator("section.card").filter(has=console.page.get_by_role("heading", name=title))


def link_of(console: Console) -> str:
    return console.dialog.get_by_role("textbox", name="The link").input_value()


def fetched(url: str) -> tuple[dict[str, str], bytes]:
    """As anybody who has the link."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return dict(answer.headers), answer.read()


def test_safe_types_are_shown_and_documents_never_run(console: Console) -> None:
    bucket = console.oss
    bucket.put_object("tile.png", picture(30, 20))
    # What it says of itself is no reason to open it.
    bucket.put_object("page.html", b"<script>window.hacked = true</script><h1>Title</h1>")
    bucket.put_object(
        "drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>window.hacked = true</script></svg>"
    )
    bucket.put_object("table.csv", 'name,city\n"Lin, W.",杭州\n'.encode())
    bucket.put_object("data.json", b'{"deep":{"list":[1,2]}}')
    bucket.put_object("letter.txt", "你好，世界".encode("gb18030"))  # noqa: RUF001 - Chinese
    bucket.put_object("paper.pdf", b"%PDF-1.7")
    bucket.put_object("film.mp4", noise(4000))
    bucket.put_object("big.log", b"line\n" * 200_000)
    bucket.put_object("lies.txt", picture(5, 5))
    preview = console.page.locator(".preview")

    console.go_key("object", "tile.png")
    expect(preview).to_contain_text("30 × 20 pixels")  # noqa: RUF001 - as it is written
    assert preview.locator("img").get_attribute("src", timeout=1000).startswith("blob:")
    for key, text in [("page.html", "<script>window.hacked = true</script>"), ("drawing.svg", "<svg xmlns=")]:
        console.go_key("object", key)
        expect(preview.locator("pre")).to_contain_text(text)
        expect(preview).to_contain_text("shown as source text")
    assert console.page.evaluate("window.hacked") is None
    console.go_key("object", "table.csv")
    expect(preview.get_by_role("cell", name="Lin, W.")).to_be_visible()
    console.go_key("object", "data.json")
    expect(preview.locator("pre")).to_contain_text('"deep": {')
    preview.get_by_text("Source").click()
    expect(preview.locator("pre")).to_have_text('{"deep":{"list":[1,2]}}')
    console.go_key("object", "letter.txt")
    expect(preview.locator("pre")).to_have_text("你好，世界")  # noqa: RUF001 - Chinese
    expect(preview).to_contain_text("GB18030")
    console.go_key("object", "paper.pdf")
    expect(preview).to_contain_text("PDF files are not opened here")
    console.go_key("object", "film.mp4")
    expect(preview).to_contain_text("The browser cannot show this")
    console.go_key("object", "lies.txt")
    expect(preview).to_contain_text("does not look like text")
    console.go_key("object", "big.log")
    expect(preview).to_contain_text("the first 256 KiB of 977 KiB")
    read = [
        line
        for line in console.server.log_lines(bucket=console.bucket, operation="GetObject")
        if line["key"] == "big.log"
    ]
    assert [(line["status"], line["bytes_out"]) for line in read] == [(206, 256 * 1024)]


def test_sound_is_streamed_and_played(console: Console) -> None:
    console.oss.put_object("tone.wav", wave(seconds=2))
    console.go_key("object", "tone.wav")

    player = console.page.locator(".preview audio")
    expect(player).to_have_js_property("duration", 2)
    player.evaluate("one => { one.currentTime = 1.5; }")
    expect(player).to_have_js_property("currentTime", 1.5)


def wave(*, seconds: int) -> bytes:
    body = bytes(8000 * seconds)
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        36 + len(body),
        b"WAVE",
        b"fmt ",
        16,
        1,
        1,
        8000,
        8000,
        1,
        8,
        b"data",
        len(body),
    )
    return head + body


def test_everything_said_of_an_object_is_shown_and_can_be_changed(console: Console) -> None:
    bucket = console.oss
    headers = {
        "x-oss-meta-camera": "Leica",
        "x-oss-object-acl": "public-read",
        "x-oss-tagging": "project=norway",
        "Cache-Control": "no-cache",
    }
    bucket.put_object("photos/fjord.txt", b"water", headers=headers)
    before = bucket.head_object("photos/fjord.txt")
    console.go_key("object", "photos/fjord.txt")

    expect(card(console, "Object")).to_contain_text(before.etag)
    expect(card(console, "Object")).to_contain_text(str(before.server_crc))
    expect(card(console, "Access (ACL)")).to_contain_text("everybody may read")
    expect(card(console, "Tags")).to_contain_text("norway")
    expect(card(console, "Headers and metadata")).to_contain_text("Leica")

    card(console, "Headers and metadata").get_by_role("button", name="Edit").click()
    console.dialog.get_by_label("Content-Type").fill("text/markdown; charset=utf-8")
    console.dialog.get_by_label("Cache-Control").fill("")
    console.dialog.get_by_role("button", name="Add a row").click()
    console.dialog.get_by_label("Name").last.fill("place name")
    console.dialog.get_by_role("button", name="Save").click()
    expect(console.dialog).to_contain_text("letters, digits and hyphens only")
    console.dialog.get_by_label("Name").last.fill("Place")
    console.dialog.get_by_label("Value").last.fill("Geirangerfjorden ø 峡湾")
    console.dialog.get_by_role("button", name="Save").click()
    expect(card(console, "Headers and metadata")).to_contain_text("Geirangerfjorden ø 峡湾")
    card(console, "Object").get_by_role("button", name="Storage class").click()
    console.dialog.get_by_label("Storage class").select_option("IA")
    console.dialog.get_by_role("button", name="Save").click()
    expect(card(console, "Object")).to_contain_text("Infrequent Access")

    now = bucket.head_object("photos/fjord.txt")
    assert now.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert "Cache-Control" not in now.headers
    assert now.headers["x-oss-meta-camera"] == "Leica"
    assert now.headers["x-oss-meta-place"].encode("latin-1").decode() == "Geirangerfjorden ø 峡湾"
    assert now.headers["x-oss-storage-class"] == "IA"
    assert now.etag == before.etag
    assert bucket.get_object_acl("photos/fjord.txt").acl == "public-read"
    assert bucket.get_object_tagging("photos/fjord.txt").tag_set.tagging_rule == {"project": "norway"}

    card(console, "Tags").get_by_role("button", name="Edit").click()
    console.dialog.get_by_label("Value").fill("iceland & more")
    console.dialog.get_by_role("button", name="Save").click()
    expect(console.dialog).to_contain_text("Only letters, digits")
    console.dialog.get_by_label("Value").fill("iceland")
    console.dialog.get_by_role("button", name="Save").click()
    expect(card(console, "Tags")).to_contain_text("iceland")
    card(console, "Access (ACL)").get_by_role("button", name="Edit").click()
    console.dialog.get_by_label("Access (ACL)").select_option("private")
    console.dialog.get_by_role("button", name="Save").click()
    expect(card(console, "Access (ACL)")).to_contain_text("Private")
    assert bucket.get_object_tagging("photos/fjord.txt").tag_set.tagging_rule == {"project": "iceland"}
    assert bucket.get_object_acl("photos/fjord.txt").acl == "private"


def test_a_change_of_an_object_that_is_another_by_now_is_refused(console: Console) -> None:
    console.oss.put_object("shared.txt", b"mine", headers={"x-oss-meta-by": "me"})
    console.go_key("object", "shared.txt")
    card(console, "Headers and metadata").get_by_role("button", name="Edit").click()
    console.oss.put_object("shared.txt", b"theirs", headers={"x-oss-meta-by": "them"})

    console.dialog.get_by_label("Value").fill("me again")
    console.dialog.get_by_role("button", name="Save").click()
    expect(console.dialog.locator("[data-problem=changed]")).to_contain_text("Request ID")
    console.dialog.get_by_role("button", name="Cancel").click()

    assert console.oss.head_object("shared.txt").headers["x-oss-meta-by"] == "them"


def put_raw(console: Console, key: str, content: bytes) -> None:
    """Through http.client: requests takes dots out of paths, as browsers do."""
    url = console.oss.sign_url("PUT", key, 60, headers={"Content-Type": "text/plain"})
    target = url.removeprefix(console.server.endpoint)
    assert (
        console.server.request("PUT", target, headers={"Content-Type": "text/plain"}, body=content)[0] == 200
    )


ODD_KEYS = [
    "a b+c%20d#e?f=g&h.txt",
    "..",
    "x/../y.txt",
    "emoji 🌊/海.txt",
    "bell\x07.txt",
    "folder/",
    "k" * 1023,
]


def test_odd_keys_are_shown_downloaded_and_shared(console: Console) -> None:
    for key in ODD_KEYS:
        put_raw(console, key, f"content of {key!r}".encode())
        console.go_key("object", key)

        expect(console.page.locator(".preview pre")).to_contain_text("content of")
        with console.page.expect_download() as waiting:
            console.page.get_by_role("button", name="Download").click()
        assert Path(waiting.value.path()).read_bytes() == f"content of {key!r}".encode()
        console.page.get_by_role("button", name="Share").click()
        console.dialog.get_by_role("button", name="Create link").click()
        assert fetched(link_of(console))[1] == f"content of {key!r}".encode()
        console.dialog.get_by_role("button", name="Close").last.click()
    assert "/-/console/" in console.page.url


def test_a_link_downloads_uploads_and_ends(console: Console) -> None:
    console.oss.put_object("shared/报告.txt", b"for you")
    console.go_key("object", "shared/报告.txt")
    console.page.get_by_role("button", name="Share").click()
    create = console.dialog.get_by_role("button", name="Create link")

    console.dialog.get_by_label("Valid for").select_option("900")
    console.dialog.get_by_text("Download under a file name").click()
    console.dialog.get_by_label("File name", exact=True).fill("年报 2026.txt")
    create.click()
    headers, body = fetched(link_of(console))
    assert body == b"for you"
    assert headers["Content-Disposition"].startswith("attachment;")
    assert "filename*=UTF-8''%E5%B9%B4%E6%8A%A5%202026.txt" in headers["Content-Disposition"]
    assert "x-oss-expires=900" in link_of(console)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        fetched(link_of(console).replace("x-oss-expires=900", "x-oss-expires=901"))

    console.dialog.get_by_text("Replace it").click()
    create.click()
    expect(console.dialog.get_by_role("textbox", name="The link")).to_be_visible()
    target = link_of(console).removeprefix(console.server.endpoint)
    assert console.server.request("PUT", target, body=b"from you")[0] == 200
    assert console.oss.get_object("shared/报告.txt").read() == b"from you"

    console.dialog.get_by_text("Download it").click()
    console.dialog.get_by_label("Valid for").select_option(str(7 * 86_400))
    expect(console.dialog).to_contain_text("cannot live longer than the keys that sign it")
    create.click()
    expect(console.dialog.get_by_text("This is needed.").first).to_be_visible()
    console.dialog.get_by_label("AccessKey ID").fill(console.server.access_key_id)
    console.dialog.get_by_label("AccessKey secret").fill(console.server.access_key_secret)
    create.click()
    link = link_of(console)
    assert "x-oss-expires=604800" in link
    assert "security-token" not in link
    assert fetched(link)[1] == b"from you"
    assert console.dialog.get_by_label("AccessKey secret").input_value() == "", "the secret is not kept"


def test_a_link_is_copied_without_a_clipboard_interface(signed_out: Console) -> None:
    console = signed_out
    console.page.add_init_script(INSECURE)
    console.oss.put_object("plain.txt", b"http")
    console.sign_in()
    console.go_key("object", "plain.txt")
    console.page.get_by_role("button", name="Share").click()
    console.dialog.get_by_label("Valid for").select_option("900")
    console.dialog.get_by_role("button", name="Create link").click()
    link = link_of(console)

    console.dialog.get_by_role("button", name="Copy the link").click()
    expect(console.dialog.get_by_role("button", name="Copied")).to_be_visible()
    console.dialog.get_by_text("Download under a file name").click()
    field = console.dialog.get_by_label("File name", exact=True)
    field.fill("")
    field.press("Control+V")
    expect(field).to_have_value(link)


def test_a_download_to_a_file_is_paused_goes_on_and_is_whole(signed_out: Console) -> None:
    console = signed_out
    console.page.add_init_script(OWN_DISK)
    content = noise(41 * MIB)
    console.oss.put_object("film/movie.bin", content)
    console.sign_in()
    console.go_key("object", "film/movie.bin")
    held = []
    console.page.route(
        re.compile(r"/film/movie\.bin$"),
        lambda route: (
            held.append(route)
            if route.request.headers.get("range", "").startswith("bytes=2516")
            else route.continue_()
        ),
    )

    console.menu("More actions", "Download to a file, pausable…")
    panel = console.page.get_by_role("region", name="Downloads")
    expect(panel).to_contain_text("33")
    panel.get_by_role("button", name="Pause").click()
    expect(panel).to_contain_text("Paused")
    console.page.unroute_all(behavior="ignoreErrors")
    console.go("/b/BUCKET/objects/")
    panel.get_by_role("button", name="Go on").click()
    expect(panel).to_contain_text("Saved, 41 MiB, checksum verified")

    assert console.page.evaluate("window.suggestedName") == "movie.bin"
    saved = console.page.evaluate(
        """async () => {
          const file = await (await (await navigator.storage.getDirectory()).getFileHandle("saved")).getFile();
          const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
          return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
        }"""
    )
    assert saved == hashlib.sha256(content).hexdigest()
    ranges = [
        line
        for line in console.server.log_lines(bucket=console.bucket, operation="GetObject")
        if line["status"] == 206
    ]
    assert sum(line["bytes_out"] for line in ranges) <= len(content) + 8 * MIB, (
        "what was there is not read again"
    )


def test_versions_of_an_object_are_looked_at_and_brought_back(console: Console) -> None:
    bucket = console.oss
    bucket.put_bucket_versioning(BucketVersioningConfig("Enabled"))
    first = bucket.put_object("lease.txt", b"first words").versionid
    bucket.put_object("lease.txt", b"second words")
    console.go_key("object", "lease.txt")

    expect(console.page.locator(".preview pre")).to_have_text("second words")
    console.page.locator(".version").nth(1).get_by_role("link").click()
    expect(console.page.get_by_text("This is an older version")).to_be_visible()
    expect(console.page.locator(".preview pre")).to_have_text("first words")
    assert f"versionId={first}" in console.page.url
    console.page.get_by_role("button", name="Make this the current version").click()
    expect(console.page.locator(".preview pre")).to_have_text("first words")
    expect(console.page.locator(".version")).to_have_count(3)
    assert bucket.get_object("lease.txt").read() == b"first words"

    bucket.delete_object("lease.txt")
    console.page.reload()
    expect(console.page.get_by_text("This object is deleted")).to_be_visible()
    console.page.get_by_role("button", name="Undelete").first.click()
    expect(console.page.locator(".preview pre")).to_have_text("first words")


def test_what_is_not_there_and_what_is_refused_are_told_with_the_request_id(signed_out: Console) -> None:
    console = signed_out
    console.oss.put_object("open.txt", b"read me")
    key_id, secret = console.server.make_user(
        f"reader-{console.bucket}",
        {
            "Version": "1",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "oss:GetObject",
                    "Resource": f"acs:oss:*:*:{console.bucket}/open.txt",
                }
            ],
        },
    )
    console.sign_in(key_id, secret)
    console.go_key("object", "open.txt")

    expect(console.page.locator(".preview pre")).to_have_text("read me")
    expect(card(console, "Tags").locator("[data-problem=denied]")).to_contain_text("Request ID")
    expect(card(console, "Access (ACL)").locator("[data-problem=denied]")).to_be_visible()
    card(console, "Headers and metadata").get_by_role("button", name="Edit").click()
    expect(console.toast.locator("[data-problem=denied]")).to_be_visible()
    console.go_key("object", "closed.txt")
    expect(console.page.locator("main > .view > [data-problem=denied]")).to_contain_text("Request ID")
