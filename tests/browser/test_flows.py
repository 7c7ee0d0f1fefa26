"""ali-oss's browser bundles (the seed page's version and the newest) in Chromium, from another origin."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import FlowPage
from tests.e2e.ali_oss.driver import VARIANTS, AliOss
from tests.e2e.ali_oss.support import (
    KIB,
    MIB,
    allow_browsers,
    client_options,
    given_assumer,
    logged,
    parts_put,
    source_file,
    stored_md5,
)

if TYPE_CHECKING:
    from pathlib import Path

    import oss2
    from playwright.sync_api import Browser, BrowserContext

    from tests.browser.site import Site
    from tests.e2e.ali_oss.support import Source
    from tests.e2e.harness import CallbackReceiver, Server

KEY = "from a browser/ü.bin"


@pytest.fixture(params=VARIANTS, ids=["-".join(variant) for variant in VARIANTS])
def variant(request: pytest.FixtureRequest) -> tuple[str, str]:
    chosen: tuple[str, str] = request.param
    return chosen


@pytest.fixture
def options(server: Server, bucket: oss2.Bucket, variant: tuple[str, str]) -> dict[str, object]:
    return client_options(server, bucket.bucket_name, signature=variant[1])


@pytest.fixture
def url(site: Site, variant: tuple[str, str]) -> str:
    return f"{site.origin}/flows-{variant[0]}.html"


@pytest.fixture
def tab(
    context: BrowserContext, url: str, options: dict[str, object], bucket: oss2.Bucket, source: Source
) -> FlowPage:
    """A tab at a bucket whose CORS rule fits browsers, with the source file picked."""
    allow_browsers(bucket)
    opened = FlowPage.open(context, url, options)
    opened.pick(source.path)
    return opened


def test_an_upload_from_another_origin(
    server: Server, bucket: oss2.Bucket, site: Site, tab: FlowPage, source: Source
) -> None:
    done = tab.run("upload", key=KEY, options={"partSize": MIB, "parallel": 4})

    assert [step["fraction"] for step in done["progress"]] == [0, 0.25, 0.5, 0.75, 1]
    assert stored_md5(bucket, KEY) == source.md5
    assert done["etag"] == f'"{bucket.head_object(KEY).etag}"'
    assert tab.options["endpoint"] != site.origin
    # Preflights are answered without credentials.
    assert logged(server, "OptionObject", bucket=bucket.bucket_name, status=200)


def test_without_cors_rules_the_browser_rejects_the_request(
    server: Server,
    context: BrowserContext,
    url: str,
    options: dict[str, object],
    bucket: oss2.Bucket,
    source: Source,
) -> None:
    tab = FlowPage.open(context, url, options)
    tab.pick(source.path)

    error = tab.fails("upload", key=KEY, options={"partSize": MIB})

    assert (error["name"], error["status"]) == ("RequestError", -1)
    assert logged(server, "OptionObject", bucket=bucket.bucket_name, status=403)
    assert logged(server, "InitiateMultipartUpload", bucket=bucket.bucket_name) == []


def test_an_etag_that_is_not_exposed_is_the_first_question_of_the_faq(
    context: BrowserContext, url: str, options: dict[str, object], bucket: oss2.Bucket, source: Source
) -> None:
    allow_browsers(bucket, expose=["x-oss-request-id"])
    tab = FlowPage.open(context, url, options)
    tab.pick(source.path)

    error = tab.fails("upload", key=KEY, options={"partSize": MIB})

    assert "set the etag of expose-headers in OSS" in error["message"]
    assert not bucket.object_exists(KEY)


def test_cancel_then_reload_then_resume_sends_the_missing_parts_only(
    server: Server, bucket: oss2.Bucket, tab: FlowPage, url: str, source: Source
) -> None:
    options = {"partSize": 256 * KIB, "parallel": 2}

    stopped = tab.run("cancelled", key=KEY, options=options, after=4)
    checkpoint = stopped["checkpoint"]
    before = {part["number"] for part in checkpoint["doneParts"]}
    seen = len(parts_put(server, checkpoint["uploadId"]))
    tab.page.goto(url)
    tab.pick(source.path)
    tab.run("upload", key=KEY, options=options, checkpoint=checkpoint)

    assert stopped["error"]["name"] == "cancel"
    # A part in flight at cancel() may land later: it is not in the checkpoint and is sent again.
    after = parts_put(server, checkpoint["uploadId"])[seen:]
    assert set(range(1, 13)) - before <= set(after)
    assert not before & set(after)
    assert len(logged(server, "InitiateMultipartUpload", bucket=bucket.bucket_name)) == 1
    assert stored_md5(bucket, KEY) == source.md5


def test_a_closed_tab_resumes_in_a_new_one_with_the_missing_parts_only(
    server: Server, bucket: oss2.Bucket, browser: Browser, tab: FlowPage, url: str, source: Source
) -> None:
    options = {"partSize": 256 * KIB}

    tab.start("stalled", key=KEY, options=options, after=5)
    checkpoint = tab.until("stalled")["checkpoint"]
    tab.page.close()
    other = FlowPage.open(browser.new_context(), url, tab.options)
    other.pick(source.path)
    done = other.run("upload", key=KEY, options=options, checkpoint=checkpoint)

    assert done["progress"][0]["done"] > 5
    resumed = parts_put(server, checkpoint["uploadId"])
    first = {part["number"] for part in checkpoint["doneParts"]}
    assert sorted(resumed) == list(range(1, 13))
    assert len(first) == 5
    assert stored_md5(bucket, KEY) == source.md5


def test_parts_and_uploads_are_listed_during_the_upload(tab: FlowPage) -> None:
    done = tab.run("listing", key=KEY, options={"partSize": MIB}, after=1)

    seen = done["seen"]
    sent = {part["number"]: part["etag"] for part in seen["checkpoint"]["doneParts"]}
    listed = {int(part["PartNumber"]): part["ETag"] for part in seen["parts"]}
    assert sent.items() <= listed.items()
    assert [task["uploadId"] for task in seen["uploads"]] == [seen["checkpoint"]["uploadId"]]
    assert done["left"] == []


def test_an_aborted_upload_is_gone_for_every_call(bucket: oss2.Bucket, tab: FlowPage) -> None:
    told = tab.run("aborted", key=KEY, options={"partSize": 128 * KIB}, after=2)

    assert told["abortStatus"] == 204
    assert told["error"]["name"] == "abort"
    for call in ("again", "list", "part", "complete"):
        assert (call, told[call]["code"], told[call]["status"]) == (call, "NoSuchUpload", 404)
    assert told["uploads"] == []
    assert not bucket.object_exists(KEY)


def test_callback_with_custom_variables_answers_through(
    tab: FlowPage, bucket: oss2.Bucket, receiver: CallbackReceiver
) -> None:
    callback = {
        "url": receiver.url,
        "body": "object=${object}&var1=${x:var1}",
        "contentType": "application/x-www-form-urlencoded",
        "customValue": {"var1": "value1"},
    }
    done = tab.run("upload", key=KEY, options={"partSize": MIB, "callback": callback})

    assert receiver.calls[-1].form() == {"object": KEY, "var1": "value1"}
    assert done["data"] == json.loads(receiver.answer)


def test_a_failed_callback_is_readable_in_the_browser(tab: FlowPage, bucket: oss2.Bucket) -> None:
    callback = {"url": "http://127.0.0.1:1/", "body": "a=b"}

    error = tab.fails("upload", key=KEY, options={"partSize": MIB, "callback": callback})

    assert (error["status"], error["code"]) == (203, "CallbackFailed")
    assert bucket.object_exists(KEY)


def test_a_temporary_token_uploads(
    server: Server, bucket: oss2.Bucket, tab: FlowPage, source: Source
) -> None:
    triple = temporary_triple(server)

    FlowPage(page=tab.page, options={**tab.options, **triple}).run(
        "upload", key=KEY, options={"partSize": MIB}
    )

    assert stored_md5(bucket, KEY) == source.md5


def temporary_triple(server: Server) -> dict[str, str]:
    """What a page gets from its own server, which asked STS through ali-oss in Node."""
    assumer = given_assumer(server)
    requester = AliOss(
        version="latest",
        options={"accessKeyId": assumer.access_key_id, "accessKeySecret": assumer.access_key_secret},
    )
    credentials = requester.run(
        "assumeRole",
        endpoint=f"http://127.0.0.1:{server.port}",
        role=assumer.role_arn,
        policy=None,
        session="page",
    )
    return {
        "accessKeyId": credentials["AccessKeyId"],
        "accessKeySecret": credentials["AccessKeySecret"],
        "stsToken": credentials["SecurityToken"],
    }


def test_headers_meta_and_tags_come_back(tab: FlowPage, bucket: oss2.Bucket) -> None:
    headers = {
        "Cache-Control": "no-cache",
        "Content-Disposition": "example.txt",
        "Content-Encoding": "utf-8",
        "Expires": "1000",
        "x-oss-storage-class": "Standard",
        "x-oss-tagging": "Tag1=1&Tag2=2",
        "x-oss-forbid-overwrite": "true",
    }
    options = {
        "partSize": MIB,
        "headers": headers,
        "meta": {"year": 2020, "people": "test"},
        "mime": "text/plain",
    }

    tab.run("upload", key=KEY, options=options)

    told = tab.run("head", key=KEY)["headers"]
    # Only what the rule exposes, and the safelisted headers, are readable here.
    assert (told["x-oss-meta-year"], told["x-oss-meta-people"]) == ("2020", "test")
    assert (told["content-type"], told["cache-control"], told["expires"]) == (
        "text/plain",
        "no-cache",
        "1000",
    )
    assert tab.run("tags", key=KEY) == {"Tag1": "1", "Tag2": "2"}
    head = bucket.head_object(KEY)
    assert (head.headers["Content-Disposition"], head.headers["Content-Encoding"]) == ("example.txt", "utf-8")
    error = tab.fails("upload", key=KEY, options=options)
    assert (error["status"], error["code"]) == (409, "FileAlreadyExists")


def test_a_range_across_parts_is_read(tab: FlowPage, source: Source) -> None:
    tab.run("upload", key=KEY, options={"partSize": MIB})
    start, stop = MIB - 10, MIB + 10

    told = tab.run("get", key=KEY, headers={"Range": f"bytes={start}-{stop - 1}"})

    assert told["status"] == 206
    assert base64.b64decode(told["base64"]) == source.path.read_bytes()[start:stop]


def test_a_storage_class_on_complete_is_the_second_question_of_the_faq(tab: FlowPage, source: Source) -> None:
    options = {"headers": {"X-Oss-Storage-Class": "IA"}}

    error = tab.fails("steps", key=KEY, partSize=MIB, size=source.size, completeOptions=options)

    assert (error["status"], error["code"]) == (400, "OperationNotSupported")
    assert error["message"] == "The operation is not supported for this resource."


def test_errors_are_readable_across_origins(tab: FlowPage) -> None:
    stranger = FlowPage(page=tab.page, options={**tab.options, "accessKeySecret": "wrong"})

    refused = stranger.fails("upload", key=KEY, options={"partSize": MIB})
    missing = tab.fails("head", key="nothing here")

    assert (refused["status"], refused["code"]) == (403, "SignatureDoesNotMatch")
    assert (missing["status"], missing["code"]) == (404, "NoSuchKey")


def test_a_clock_an_hour_wrong_is_corrected_from_server_time(
    server: Server, bucket: oss2.Bucket, tab: FlowPage, source: Source
) -> None:
    # ali-oss reads ServerTime of RequestTimeTooSkewed, and repeats without end when it is missing.
    tab.page.evaluate(
        """() => {
          const Real = Date;
          const skew = 3600 * 1000;
          window.Date = class extends Real {
            constructor(...words) { super(...(words.length ? words : [Real.now() + skew])); }
            static now() { return Real.now() + skew; }
          };
        }"""
    )

    tab.run("put", key=KEY, options={})

    codes = [line["code"] for line in server.log_lines() if line["bucket"] == bucket.bucket_name]
    assert codes.count("RequestTimeTooSkewed") == 1
    assert stored_md5(bucket, KEY) == source.md5


def test_a_bigger_upload_keeps_its_bytes(
    server: Server, tab: FlowPage, bucket: oss2.Bucket, tmp_path: Path
) -> None:
    source = source_file(tmp_path, 20 * MIB + 1, seed=2)
    tab.pick(source.path)

    tab.run("upload", key=KEY, options={"parallel": 8})

    assert sorted(server.parts_put(bucket.bucket_name)) == list(range(1, 22))
    assert stored_md5(bucket, KEY) == source.md5
