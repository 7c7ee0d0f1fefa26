"""The four pages of the product's seed in Chromium: only endpoint, credentials and script URL are replaced."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.chromium import chromium, logged, watched_page
from tests.browser.site import PAGES
from tests.browser.test_flows import temporary_triple
from tests.e2e.ali_oss.support import MIB, allow_browsers, oss2_bucket, parts_put, source_file, stored_md5
from tests.e2e.ali_oss.support import logged as access_logged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import oss2
    from playwright.sync_api import Browser, BrowserContext, Page

    from tests.browser.site import Site
    from tests.e2e.harness import CallbackReceiver, Server

BUCKET, KEY = "examplebucket", "exampleobject.txt"
SCRIPT = "https://gosspublic.alicdn.com/aliyun-oss-sdk-6.18.0.min.js"
CALLBACK = "http://examplebucket.aliyuncs.com:23450"
VERSIONS = ["6.18", "latest"]
# ali-oss hands bytes to the browser, which costs half a minute for a file of the pages' own size: not each way with each version.
UPLOADS = [
    ("6.18", 3, False),
    ("6.18", 3, True),
    ("6.18", 120, False),
    ("latest", 3, False),
    ("latest", 3, True),
    ("latest", 120, True),
]
FILE_MIB = {"6.18": 100, "latest": 20}  # of the pages that make their file themselves; theirs is of 100 MiB
FILE_SIZE = "1024 * 1024 * 100"
LOGGED_MS = 120_000


@pytest.fixture(scope="module")
def browser(server: Server) -> Iterator[Browser]:
    """Chromium behind a DNS that sends Alibaba Cloud's names of one region to the server under test."""
    rule = f"--host-resolver-rules=MAP *.oss-cn-hangzhou.aliyuncs.com 127.0.0.1:{server.port}"
    with chromium(rule) as running:
        yield running


@pytest.fixture
def bucket(server: Server) -> Iterator[oss2.Bucket]:
    """The pages' own bucket, with the CORS rule of the page's prerequisites, emptied afterwards."""
    made = oss2_bucket(server, BUCKET)
    made.create_bucket()
    allow_browsers(made)
    yield made
    for upload in made.list_multipart_uploads().upload_list:
        made.abort_multipart_upload(upload.key, upload.upload_id)
    for item in made.list_objects().object_list:
        made.delete_object(item.key)
    made.delete_bucket()


@pytest.fixture
def triple(server: Server) -> dict[str, str]:
    return temporary_triple(server)


def replaced(name: str, triple: dict[str, str], *, address: str, script: str, more: dict[str, str]) -> bytes:
    """The page `name` with these texts exchanged; each of them must be there exactly once."""
    text = (PAGES / f"{name}.html").read_text()
    quote = "'" if name.startswith("list") else '"'
    changes = {
        SCRIPT: script,
        f"region: {quote}yourRegion{quote}": address,
        "yourAccessKeyId": triple["accessKeyId"],
        "yourAccessKeySecret": triple["accessKeySecret"],
        "yourSecurityToken": triple["stsToken"],
        **more,
    }
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text.encode()


def opened(context: BrowserContext, site: Site, name: str, content: bytes) -> Page:
    page = watched_page(context)
    page.goto(site.put(f"/seed/{name}.html", content))
    return page


def wait_until_logged(page: Page, test: str) -> Any:
    """The first console line for which the JavaScript `test` of `line` (an array) holds."""
    found = page.wait_for_function(f"() => window.logged.find((line) => {test})", timeout=LOGGED_MS)
    return found.json_value()


def click_once_logged(page: Page, button: str, test: str) -> None:
    """Let the page itself click as soon as it logs such a `line`: no upload is so fast that the click comes after its end."""
    page.evaluate(
        f"""button => {{
        const push = window.logged.push.bind(window.logged);
        let clicked = false;
        window.logged.push = (line) => {{
            if (!clicked && ({test})) {{
                clicked = true;
                setTimeout(() => document.querySelector(button).click());
            }}
            return push(line);
        }};
    }}""",
        button,
    )


def endpoint(server: Server) -> str:
    return f'endpoint: "http://localhost:{server.port}"'


@pytest.mark.parametrize(
    ("version", "mib", "headers"),
    UPLOADS,
    ids=[f"{version}, {mib} MiB, {'with headers' if said else 'as it is'}" for version, mib, said in UPLOADS],
)
def test_page_one_uploads_the_chosen_file(
    server: Server,
    bucket: oss2.Bucket,
    triple: dict[str, str],
    site: Site,
    context: BrowserContext,
    receiver: CallbackReceiver,
    tmp_path: Path,
    version: str,
    mib: int,
    headers: bool,
) -> None:
    source = source_file(tmp_path, mib * MIB)
    more = {CALLBACK: receiver.url}
    if headers:
        more["// headers,"] = "headers,"
    content = replaced("upload", triple, address=endpoint(server), script=f"/sdk/{version}.js", more=more)
    page = opened(context, site, "upload", content)

    page.set_input_files("#file", str(source.path))
    page.click("#submit")
    line = wait_until_logged(page, "line[0] && typeof line[0] === 'object'")

    assert line[0].get("name") == KEY, line
    assert line[0]["data"] == json.loads(receiver.answer)
    progress = [entry[0] for entry in logged(page) if isinstance(entry[0], int | float)]
    assert len(progress) == mib + 2
    assert progress == sorted(progress)
    assert (progress[0], progress[-1]) == (0, 1)
    assert stored_md5(bucket, KEY) == source.md5
    head = bucket.head_object(KEY).headers
    assert (head["x-oss-meta-year"], head["x-oss-meta-people"]) == ("2020", "test")
    assert head["Content-Type"] == "text/plain"
    request = receiver.calls[-1]
    assert request.form() == {"bucket": BUCKET, "object": KEY, "var1": "value1"}
    assert request.headers["host"] == "yourHost"
    if headers:
        names = ("Cache-Control", "Content-Disposition", "Content-Encoding", "Expires", "x-oss-storage-class")
        assert [head[name] for name in names] == ["no-cache", "example.txt", "utf-8", "1000", "Standard"]
        assert bucket.get_object_tagging(KEY).tag_set.tagging_rule == {"Tag1": "1", "Tag2": "2"}


def test_page_one_with_headers_does_not_overwrite(
    server: Server,
    bucket: oss2.Bucket,
    triple: dict[str, str],
    site: Site,
    context: BrowserContext,
    receiver: CallbackReceiver,
    tmp_path: Path,
) -> None:
    bucket.put_object(KEY, b"first")
    more = {CALLBACK: receiver.url, "// headers,": "headers,"}
    content = replaced("upload", triple, address=endpoint(server), script="/sdk/6.18.js", more=more)
    page = opened(context, site, "upload", content)

    page.set_input_files("#file", str(source_file(tmp_path, 3 * MIB).path))
    page.click("#submit")
    line = wait_until_logged(page, "line[0] && typeof line[0] === 'object'")

    assert (line[0]["code"], line[0]["status"]) == ("FileAlreadyExists", 409)
    assert bucket.get_object(KEY).read() == b"first"


@pytest.mark.parametrize("version", VERSIONS)
def test_page_two_cancels_its_upload(
    server: Server,
    bucket: oss2.Bucket,
    triple: dict[str, str],
    site: Site,
    context: BrowserContext,
    version: str,
) -> None:
    more = {FILE_SIZE: f"1024 * 1024 * {FILE_MIB[version]}"}
    content = replaced("cancel", triple, address=endpoint(server), script=f"/sdk/{version}.js", more=more)
    page = opened(context, site, "cancel", content)

    click_once_logged(page, "#abort", "line[0] > 0")
    page.click("#submit")
    line = wait_until_logged(page, "line[0] && typeof line[0] === 'object'")

    # cancel: its own flag was seen first; abort: a part was answered 404 first.
    assert line[0]["name"] in {"cancel", "abort"}
    aborted = access_logged(server, "AbortMultipartUpload", bucket=BUCKET, status=204)
    assert len(aborted) >= 1
    assert bucket.list_multipart_uploads().upload_list == []
    assert not bucket.object_exists(KEY)


@pytest.mark.parametrize("version", VERSIONS)
def test_page_three_lists_parts_during_its_upload(
    server: Server,
    bucket: oss2.Bucket,
    triple: dict[str, str],
    site: Site,
    context: BrowserContext,
    version: str,
) -> None:
    mib = FILE_MIB[version]
    more = {FILE_SIZE: f"1024 * 1024 * {mib}"}
    content = replaced("list_parts", triple, address=endpoint(server), script=f"/sdk/{version}.js", more=more)
    page = opened(context, site, "list_parts", content)

    click_once_logged(page, "#check", "line[0] === 'progress=====' && line[1] > 0")
    page.click("#submit")
    listed = wait_until_logged(page, "line[0] && line[0].parts")[0]
    wait_until_logged(page, "line[0] === 'progress=====' && line[1] === 1")

    assert (listed["name"], listed["bucket"], listed["isTruncated"]) == (KEY, BUCKET, "false")
    sizes = {part["Size"] for part in listed["parts"]}
    assert sizes == {str(MIB)}
    assert 1 <= len(listed["parts"]) < mib
    assert sorted(set(parts_put(server, listed["uploadId"]))) == list(range(1, mib + 1))
    assert bucket.head_object(KEY).content_length == mib * MIB


@pytest.mark.parametrize("version", VERSIONS)
def test_page_four_lists_the_tasks_that_go_on(
    server: Server,
    bucket: oss2.Bucket,
    triple: dict[str, str],
    site: Site,
    context: BrowserContext,
    version: str,
) -> None:
    begun = [bucket.init_multipart_upload(key).upload_id for key in ("a.bin", "b.bin", "b.bin")]
    aborted = bucket.init_multipart_upload("c.bin").upload_id
    bucket.abort_multipart_upload("c.bin", aborted)
    content = replaced("list_tasks", triple, address=endpoint(server), script=f"/sdk/{version}.js", more={})
    page = opened(context, site, "list_tasks", content)

    page.click("#check")
    line = wait_until_logged(page, "line[0] === 'uploads'")

    assert [task["name"] for task in line[1]] == ["a.bin", "b.bin", "b.bin"]
    assert {task["uploadId"] for task in line[1]} == set(begun)


def test_a_page_that_is_only_redirected_by_dns(
    server: Server,
    bucket: oss2.Bucket,
    triple: dict[str, str],
    site: Site,
    context: BrowserContext,
    tmp_path: Path,
) -> None:
    source = source_file(tmp_path, 3 * MIB)
    # The page keeps `region`: the name is Alibaba Cloud's, the address is ours.
    content = replaced(
        "upload",
        triple,
        address='region: "oss-cn-hangzhou"',
        script="/sdk/6.18.js",
        more={CALLBACK: "http://127.0.0.1:1/"},
    )
    page = opened(context, site, "upload", content)
    page.set_input_files("#file", str(source.path))
    page.click("#submit")
    line = wait_until_logged(page, "line[0] && typeof line[0] === 'object'")

    # Nobody listens on port 1: the upload is complete, the callback is not.
    assert (line[0]["code"], line[0]["status"]) == ("CallbackFailed", 203)
    assert stored_md5(bucket, KEY) == source.md5
    last = access_logged(server, "UploadPart", bucket=BUCKET)[-1]
    assert last["host"] == "examplebucket.oss-cn-hangzhou.aliyuncs.com"
