"""An upload begun in a page that runs ali-oss is finished by the shell, and one of the shell's in the page."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import FlowPage
from tests.e2e.ali_oss.driver import VERSIONS
from tests.e2e.ali_oss.support import allow_browsers, client_options, source_file, stored_md5
from tests.e2e.harness import PART
from tests.e2e.interop.shell import KEY, SAVED, SIZE, Sent, Shell

if TYPE_CHECKING:
    from pathlib import Path

    import oss2
    from playwright.sync_api import BrowserContext

    from tests.browser.site import Site
    from tests.e2e.ali_oss.support import Source
    from tests.e2e.harness import Server

OPTIONS = {"partSize": PART, "parallel": 3}


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return source_file(tmp_path, SIZE)


@pytest.fixture
def shell(server: Server, tmp_path: Path) -> Shell:
    return Shell(server=server, home=tmp_path / "home")


@pytest.fixture(params=VERSIONS)
def tab(
    request: pytest.FixtureRequest,
    server: Server,
    context: BrowserContext,
    site: Site,
    bucket: oss2.Bucket,
    source: Source,
) -> FlowPage:
    """A tab with the source file picked, at a bucket whose CORS rule fits browsers."""
    version: str = request.param
    allow_browsers(bucket)
    signature = "V1" if version == "6.18" else "V4"
    options = client_options(server, bucket.bucket_name, signature=signature)
    opened = FlowPage.open(context, f"{site.origin}/flows-{version}.html", options)
    opened.page.add_script_tag(path=SAVED)
    opened.pick(source.path)
    return opened


def test_cancelled_in_the_page_and_finished_by_import(
    server: Server, bucket: oss2.Bucket, tab: FlowPage, source: Source, shell: Shell, tmp_path: Path
) -> None:
    text = tab.run("saved", key=KEY, options=OPTIONS, after=4)["text"]
    (tmp_path / "cp.json").write_text(text)
    place = f"oss://{bucket.bucket_name}"
    sent = Sent.so_far(server, json.loads(text)["uploadId"])

    nameless = shell.run("uploads", "import", str(tmp_path / "cp.json"), "--to", place)
    done = shell.ok("uploads", "import", str(tmp_path / "cp.json"), str(source.path), "--to", place, "--json")

    assert json.loads(text)["file"] == {}  # what becomes of a File
    assert (nameless.code, "give FILE" in nameless.err) == (2, True)
    assert SIZE > done.last()["resumed_bytes"] >= 4 * PART
    sent.assert_only_missing_parts_follow()
    assert stored_md5(bucket, KEY) == source.md5


def test_a_closed_tab_is_finished_by_resume_with_the_upload_id(
    server: Server, bucket: oss2.Bucket, tab: FlowPage, source: Source, shell: Shell
) -> None:
    tab.start("saved", key=KEY, options=OPTIONS, after=4, stand=True)
    upload_id = json.loads(tab.until("saved")["text"])["uploadId"]
    tab.page.close()
    sent = Sent.so_far(server, upload_id)

    done = shell.ok("uploads", "resume", upload_id, str(source.path), "--json")

    assert SIZE > done.last()["resumed_bytes"] >= 4 * PART
    sent.assert_only_missing_parts_follow()
    assert stored_md5(bucket, KEY) == source.md5


def test_begun_by_cp_and_finished_in_the_page(
    server: Server, bucket: oss2.Bucket, tab: FlowPage, source: Source, shell: Shell
) -> None:
    upload_id = shell.cp_stopped(source.path, bucket, by=signal.SIGKILL)
    sent = Sent.so_far(server, upload_id)

    checkpoint = json.loads(shell.ok("uploads", "export", upload_id).out)
    done = tab.run("upload", key=KEY, options={}, checkpoint=checkpoint)

    assert done["progress"][0]["done"] == len(checkpoint["doneParts"]) + 1 > 3
    sent.assert_only_missing_parts_follow()
    assert stored_md5(bucket, KEY) == source.md5
