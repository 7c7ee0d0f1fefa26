"""The settings of a bucket in the console; what they did is checked with oss2, and by a page of another origin."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import oss2
import pytest
from playwright.sync_api import expect

from mossaic.client.client import Client
from mossaic.client.credentials import Static
from tests.browser.chromium import FlowFailedError, FlowPage
from tests.e2e.ali_oss.support import client_options
from tests.e2e.harness import PART, noise, statement

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page

    from tests.browser.console.driver import Console
    from tests.browser.site import Site

EXPOSED = ("ETag", "x-oss-request-id", "x-oss-version-id", "x-oss-hash-crc64ecma")


def section(console: Console, name: str = "") -> Page:
    """Open a section of the settings and wait until it shows what the server has."""
    console.go(f"/b/BUCKET/settings{f'/{name}' if name else ''}")
    expect(console.page.locator("main .skeleton")).to_have_count(0)
    return console.page


def save(console: Console, words: str) -> None:
    console.page.get_by_role("button", name="Save", exact=True).click()
    expect_saved(console, words)


def expect_saved(console: Console, words: str) -> None:
    """The words say that it was done, and the bar is gone: the words alone may still be those of the last time."""
    expect(console.toast).to_contain_text(words)
    expect(console.page.locator(".save-bar")).to_be_hidden()


def refusal(page: Page) -> Locator:
    return page.locator(".save-trouble .settings-said")


def rule_of(console: Console, number: int = 1) -> oss2.models.CorsRule:
    rules: list[oss2.models.CorsRule] = console.oss.get_bucket_cors().rules
    return rules[number - 1]


def figure(page: Page, label: str) -> Locator:
    return page.locator(".figure", has_text=label).locator(".figure-value")


# --- overview --------------------------------------------------------------------------------------------


def test_the_overview_counts_objects_and_the_bytes_of_unfinished_parts(shared_console: Console) -> None:
    shared_console.oss.put_object("a.bin", noise(3 * PART))
    upload_id = shared_console.oss.init_multipart_upload("b.bin").upload_id
    shared_console.oss.upload_part("b.bin", upload_id, 1, noise(PART))
    shared_console.oss.upload_part("b.bin", upload_id, 7, noise(2 * PART))

    page = section(shared_console)

    expect(figure(page, "Stored objects")).to_have_text("300\u00a0KiB")
    expect(figure(page, "Objects and versions")).to_have_text("1")
    expect(figure(page, "Unfinished uploads")).to_have_text("1")
    expect(figure(page, "Bytes in unfinished parts")).to_have_text("300\u00a0KiB")
    expect(page.locator(".health", has_text="Lifecycle")).to_contain_text("keep their parts for ever")
    expect(page.locator(".fact", has_text="Region")).to_contain_text("oss-cn-hangzhou")
    page.locator(".health").get_by_role("link", name="Lifecycle").click()
    expect(page.get_by_role("button", name="Abort after 7 days")).to_be_visible()


def test_who_may_not_read_a_setting_still_sees_the_others(signed_out: Console) -> None:
    reads = ["oss:GetBucketInfo", "oss:GetBucketStat", "oss:ListBuckets", "oss:GetBucketLifecycle"]
    key = signed_out.server.make_user(f"reader-{signed_out.bucket}", statement("Allow", reads, "*"))
    signed_out.sign_in(*key)

    page = section(signed_out)

    expect(page.locator(".health", has_text="Lifecycle")).to_contain_text("No rules.")
    expect(page.locator(".health", has_text="CORS")).to_have_count(0)
    section(signed_out, "policy")
    expect(page.locator(".problem")).to_contain_text("AccessDenied")


def test_a_bucket_is_deleted_only_when_it_is_empty_and_its_name_was_typed(shared_console: Console) -> None:
    shared_console.oss.put_object("in the way", b"x")
    page = section(shared_console)
    expect(page.locator(".danger-zone")).to_contain_text("1 object or version")

    page.get_by_role("button", name="Delete bucket").click()
    shared_console.dialog.get_by_role("button", name="Delete bucket").click()
    expect(shared_console.dialog.locator(".field-error")).to_be_visible()  # nothing was typed
    shared_console.dialog.get_by_role("textbox").fill(shared_console.bucket)
    shared_console.dialog.get_by_role("button", name="Delete bucket").click()
    expect(page.locator(".danger-zone [role=alert]")).to_contain_text("BucketNotEmpty")
    shared_console.oss.delete_object("in the way")
    page.get_by_role("button", name="Delete bucket").click()
    shared_console.dialog.get_by_role("textbox").fill(shared_console.bucket)
    shared_console.dialog.get_by_role("button", name="Delete bucket").click()

    expect(shared_console.toast).to_contain_text(f"{shared_console.bucket} is deleted")
    expect(shared_console.heading).to_have_text("Buckets")
    with pytest.raises(oss2.exceptions.NoSuchBucket):
        shared_console.oss.get_bucket_info()


# --- CORS ------------------------------------------------------------------------------------------------


def put_from(site: Site, context: BrowserContext, console: Console) -> str:
    """A page of another origin puts an object with ali-oss; what became of it."""
    options = client_options(console.server, console.bucket, signature="V4")
    tab = FlowPage.open(context, f"{site.origin}/flows-latest.html", options)
    tab.page.set_input_files("#file", {"name": "p.bin", "mimeType": "text/plain", "buffer": noise(2 * PART)})
    try:
        tab.run("upload", key="page.bin", options={"partSize": PART})
    except FlowFailedError as failed:
        return f"{failed.error['name']} {failed.error['message']}"
    finally:
        tab.page.close()
    return "stored"


def test_a_page_of_another_origin_is_let_in_by_one_press_on_the_tests_fix(
    shared_console: Console, site: Site, context: BrowserContext
) -> None:
    assert "RequestError" in put_from(site, context, shared_console)
    page = section(shared_console, "cors")
    page.get_by_label("Origin of the page").fill(site.origin)

    page.get_by_role("button", name="Test", exact=True).click()
    verdict = page.locator(".cors-verdict")
    expect(verdict).to_have_text(f"A page of {site.origin} may not PUT: no rule fits.")
    expect(page.locator(".step")).to_have_count(3)
    expect(page.locator(".step").nth(0)).to_contain_text("The bucket has no rules.")
    page.get_by_role("button", name="Fix and save").click()

    expect(verdict).to_contain_text("can read what it needs. Rule 1 fits.")
    assert rule_of(shared_console).allowed_origins == [site.origin]
    assert put_from(site, context, shared_console) == "stored"
    assert shared_console.oss.object_exists("page.bin")


def test_the_test_tells_that_etag_is_hidden_and_mends_it(
    shared_console: Console, site: Site, context: BrowserContext
) -> None:
    hidden = oss2.models.CorsRule(
        allowed_origins=["*"], allowed_methods=["PUT", "POST"], allowed_headers=["*"]
    )
    shared_console.oss.put_bucket_cors(oss2.models.BucketCors([hidden]))
    assert "set the etag of expose-headers" in put_from(site, context, shared_console)
    page = section(shared_console, "cors")
    expect(page.locator(".remark", has_text="ETag is not exposed")).to_be_visible()
    page.get_by_label("Origin of the page").fill(site.origin)

    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.locator(".step").nth(2)).to_contain_text("but not ETag, x-oss-request-id")
    page.get_by_role("button", name="Fix and save").click()

    expect(page.locator(".cors-verdict")).to_contain_text("can read what it needs")
    assert rule_of(shared_console).expose_headers == ["ETag", "x-oss-request-id"]
    assert put_from(site, context, shared_console) == "stored"


def test_cors_rules_are_made_from_presets_warned_about_and_ordered(shared_console: Console) -> None:
    page = section(shared_console, "cors")

    page.get_by_role("button", name=re.compile("^Browser uploads from one origin")).click()
    page.get_by_role("button", name="Save", exact=True).click()  # no origin yet: not sent
    expect(page.locator(".remark.is-error")).to_contain_text("It names no origin")
    page.get_by_role("textbox", name="Origins").fill("https://app.example.com/")
    path_remark = page.locator(".remark", has_text="a browser sends an origin without a path")
    path_remark.get_by_role("button", name="Fix").click()
    shared_console.menu("Add rule", "Public reads")
    page.get_by_role("spinbutton", name="Remembered for").fill("77")
    page.get_by_role("button", name="Move rule 2 up").focus()
    page.keyboard.press("Enter")  # what is being typed goes with it, and so does the focus
    expect(page.get_by_role("button", name="Move rule 1 down")).to_be_enabled()
    expect(page.get_by_role("spinbutton", name="Remembered for")).to_have_value("77")
    assert page.evaluate("() => document.activeElement.closest('.rule') !== null")
    page.get_by_text("As a document").click()
    page.locator(".settings-details").get_by_text("JSON", exact=True).click()
    copied = json.loads(page.locator(".settings-details pre").inner_text())
    save(shared_console, "CORS rules saved")

    assert [rule["allowedOrigin"] for rule in copied] == [["*"], ["https://app.example.com"]]
    first, second = shared_console.oss.get_bucket_cors().rules
    assert (first.allowed_origins, first.allowed_methods, first.max_age_seconds) == (
        ["*"],
        ["GET", "HEAD"],
        77,
    )
    assert second.allowed_origins == ["https://app.example.com"]
    assert sorted(second.allowed_methods) == ["DELETE", "GET", "HEAD", "POST", "PUT"]
    assert set(EXPOSED) <= set(second.expose_headers)


def test_a_refusal_is_shown_word_for_word_and_nothing_typed_is_lost(shared_console: Console) -> None:
    page = section(shared_console, "cors")
    page.get_by_role("button", name=re.compile("^ali-oss in any page")).click()
    fields = page.get_by_role("textbox", name="Headers a page may read")
    fields.fill("ETag\nno(token")

    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.locator(".save-trouble")).to_contain_text("InvalidArgument")
    expect(page.locator(".save-trouble")).to_contain_text("ExposeHeader: no(token")
    expect(fields).to_have_value("ETag\nno(token")
    fields.fill("ETag\nx-oss-request-id")
    save(shared_console, "CORS rules saved")
    assert rule_of(shared_console).expose_headers == ["ETag", "x-oss-request-id"]
    page.get_by_role("button", name="Remove rule 1").click()
    save(shared_console, "CORS rules saved")
    with pytest.raises(oss2.exceptions.NoSuchCors):
        shared_console.oss.get_bucket_cors()


def test_what_somebody_else_saved_meanwhile_is_not_written_over_unasked(shared_console: Console) -> None:
    page = section(shared_console, "cors")
    page.get_by_role("button", name=re.compile("^Public reads")).click()
    theirs = oss2.models.CorsRule(allowed_origins=["https://theirs.example"], allowed_methods=["GET"])
    shared_console.oss.put_bucket_cors(oss2.models.BucketCors([theirs]))

    page.get_by_role("button", name="Save", exact=True).click()
    expect(shared_console.dialog).to_contain_text("Somebody else saved meanwhile")
    shared_console.dialog.get_by_role("button", name="Back to my changes").click()
    assert rule_of(shared_console).allowed_origins == ["https://theirs.example"]
    page.get_by_role("button", name="Save", exact=True).click()
    shared_console.dialog.get_by_role("button", name="Drop mine, take theirs").click()
    expect(page.locator(".rule .chip").first).to_have_text("https://theirs.example")
    page.get_by_role("button", name="Edit rule 1").click()
    page.get_by_role("textbox", name="Origins").fill("https://mine.example")
    shared_console.oss.put_bucket_cors(oss2.models.BucketCors([theirs, theirs]))
    page.get_by_role("button", name="Save", exact=True).click()
    shared_console.dialog.get_by_role("button", name="Save mine over it").click()

    expect_saved(shared_console, "CORS rules saved")
    assert [rule.allowed_origins for rule in shared_console.oss.get_bucket_cors().rules] == [
        ["https://mine.example"]
    ]


# --- lifecycle -------------------------------------------------------------------------------------------


def test_stale_uploads_are_cleared_away_by_one_press_and_rules_say_what_they_do(
    shared_console: Console,
) -> None:
    page = section(shared_console, "lifecycle")

    page.get_by_role("button", name="Abort after 7 days").click()
    expect(page.locator(".rule-sentences")).to_have_text(
        "Unfinished uploads are aborted and their parts freed 7 days after they were begun."
    )
    expect(page.locator(".settings-banner .notice")).to_have_count(0)
    stale = shared_console.oss.get_bucket_lifecycle().rules[0]
    assert (stale.id, stale.prefix, stale.abort_multipart_upload.days) == ("abort-stale-uploads", "", 7)

    page.get_by_role("button", name="Add rule").click()
    rule = page.locator(".rule").nth(1)
    rule.get_by_label("Keys that begin with").fill("logs/")
    rule.get_by_role("button", name="Add step").click()
    rule.get_by_text("Delete objects", exact=True).click()
    expect(rule.locator(".rule-told")).to_contain_text(
        "Objects become Infrequent Access 30 days after the last change."
    )
    expect(rule.locator(".rule-told")).to_contain_text("deleted for good 365 days after the last change")
    rule.get_by_label("Days").last.fill("20")
    expect(rule.locator(".remark.is-error")).to_contain_text("must come later")
    rule.get_by_label("Days").last.fill("90")
    save(shared_console, "Lifecycle rules saved")

    logs = next(one for one in shared_console.oss.get_bucket_lifecycle().rules if one.prefix == "logs/")
    assert (logs.expiration.days, logs.storage_transitions[0].days) == (90, 30)
    assert logs.storage_transitions[0].storage_class == "IA"
    page.get_by_role("button", name=re.compile("^Switch abort-stale-uploads off")).click()
    save(shared_console, "Lifecycle rules saved")
    expect(page.locator(".settings-banner")).to_contain_text("keep their parts for ever")
    assert [one.status for one in shared_console.oss.get_bucket_lifecycle().rules] == ["Disabled", "Enabled"]


WHOLE_RULE = """<LifecycleConfiguration><Rule><ID>all &amp; more</ID><Prefix>a/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag>
<Filter><ObjectSizeGreaterThan>10</ObjectSizeGreaterThan><ObjectSizeLessThan>2000</ObjectSizeLessThan><Not><Prefix>a/keep</Prefix>
<Tag><Key>n</Key><Value>1</Value></Tag></Not></Filter><Status>Enabled</Status>
<Expiration><CreatedBeforeDate>2026-05-01T00:00:00.000Z</CreatedBeforeDate></Expiration>
<Transition><CreatedBeforeDate>2026-04-01T00:00:00.000Z</CreatedBeforeDate><StorageClass>IA</StorageClass>
<AllowSmallFile>true</AllowSmallFile></Transition>
<AbortMultipartUpload><CreatedBeforeDate>2026-03-01T00:00:00.000Z</CreatedBeforeDate></AbortMultipartUpload>
<NoncurrentVersionExpiration><NoncurrentDays>60</NoncurrentDays></NoncurrentVersionExpiration>
<NoncurrentVersionTransition><NoncurrentDays>20</NoncurrentDays><StorageClass>Archive</StorageClass></NoncurrentVersionTransition>
</Rule></LifecycleConfiguration>"""


def test_saving_a_lifecycle_rule_loses_nothing_that_others_put_into_it(shared_console: Console) -> None:
    shared_console.oss.put_bucket_lifecycle(WHOLE_RULE)
    server = shared_console.server
    static = Static(server.access_key_id, server.access_key_secret)
    client = Client(server.endpoint, credentials=static, region=server.region)
    (before,) = client.get_lifecycle(bucket=shared_console.bucket).rules
    page = section(shared_console, "lifecycle")
    expect(page.locator(".rule-scope")).to_contain_text("but not below “a/keep” with the tag “n=1”")

    page.get_by_role("button", name="Edit all & more").click()
    page.get_by_label("Name of the rule").fill("renamed")
    save(shared_console, "Lifecycle rules saved")

    (after,) = client.get_lifecycle(bucket=shared_console.bucket).rules
    assert before.transitions[0].allow_small_file is True
    assert after == replace(before, rule_id="renamed")


# --- versioning, ACL, tags -------------------------------------------------------------------------------


def test_versioning_is_switched_on_and_suspended_with_its_consequences_told(shared_console: Console) -> None:
    page = section(shared_console, "versioning")
    expect(page.locator(".notice")).to_contain_text("never switched on")

    page.get_by_role("button", name="Switch on").click()
    expect(shared_console.dialog).to_contain_text("never goes back")
    shared_console.dialog.get_by_role("button", name="Switch on").click()
    expect(page.locator(".notice")).to_contain_text("Versioning is on")
    assert shared_console.oss.get_bucket_versioning().status == "Enabled"
    page.get_by_role("button", name="Suspend").click()
    shared_console.dialog.get_by_role("button", name="Suspend").click()
    expect(page.locator(".notice")).to_contain_text("Versioning is suspended")

    assert shared_console.oss.get_bucket_versioning().status == "Suspended"


def test_the_acl_opens_the_bucket_and_writing_by_everybody_is_typed(shared_console: Console) -> None:
    shared_console.oss.put_object("a.txt", b"open")
    target = f"/{shared_console.bucket}/a.txt"
    assert shared_console.server.request("GET", target)[0] == 403
    page = section(shared_console, "acl")

    page.get_by_role("radio", name="Everybody may read", exact=False).first.check()
    save(shared_console, "ACL saved")
    assert shared_console.server.request("GET", target)[0] == 200
    page.locator(".acl-choice.is-bad").click()
    page.get_by_role("button", name="Save", exact=True).click()
    shared_console.dialog.get_by_role("textbox").fill(shared_console.bucket)
    shared_console.dialog.get_by_role("button", name="Cancel").click()
    assert shared_console.oss.get_bucket_acl().acl == "public-read"
    page.get_by_role("button", name="Save", exact=True).click()
    shared_console.dialog.get_by_role("textbox").fill(shared_console.bucket)
    shared_console.dialog.get_by_role("button", name="Let everybody write").click()
    expect(page.locator(".save-bar")).to_be_hidden()

    assert shared_console.oss.get_bucket_acl().acl == "public-read-write"


def test_drafts_outlive_other_sections_and_the_language_and_the_browser_asks_before_it_closes(
    shared_console: Console,
) -> None:
    page = section(shared_console, "tags")
    page.get_by_role("button", name="Add").click()
    page.get_by_label("Name", exact=True).fill("部门")
    page.get_by_label("Value", exact=True).fill("研发")

    section(shared_console, "versioning")
    expect(page.locator(".tab .settings-mark")).to_have_count(1)
    shared_console.go("/b/BUCKET/callbacks")
    expect(page.locator("nav.nav .settings-mark")).to_have_count(1)
    section(shared_console, "tags")
    expect(page.get_by_label("Value", exact=True)).to_have_value("研发")
    asks = page.evaluate(
        "() => { const e = new Event('beforeunload', {cancelable: true}); dispatchEvent(e); return e.defaultPrevented; }"
    )
    page.get_by_role("button", name="Language").click()
    page.get_by_role("menuitemradio", name="简体中文").click()
    expect(page.get_by_label("键", exact=True)).to_have_value("部门")
    page.get_by_role("button", name="保存", exact=True).click()
    expect(shared_console.toast).to_contain_text("标签已保存")
    page.get_by_role("button", name="语言").click()
    page.get_by_role("menuitemradio", name="English").click()

    assert asks is True
    assert shared_console.oss.get_bucket_tagging().tag_set.tagging_rule == {"部门": "研发"}


# --- policy ----------------------------------------------------------------------------------------------


def test_a_policy_is_checked_while_typed_judged_by_the_server_and_told_when_public(
    shared_console: Console,
) -> None:
    page = section(shared_console, "policy")
    editor = page.get_by_label("Bucket policy (JSON)")

    editor.fill('{\n  "Version": "1",\n  "Statement": [],\n}')
    issue = page.locator(".issue")
    expect(issue).to_contain_text("3:18")
    expect(issue).to_contain_text("No comma after the last one.")
    editor.fill('{"Version": "2", "Statement": [{"Effect": "Allow", "Action": "GetObject"}]}')
    expect(page.locator(".issues")).to_contain_text("“GetObject” is not an action, like oss:GetObject.")
    expect(page.locator(".issues")).to_contain_text("Principal is missing.")
    editor.fill("")
    shared_console.menu("Insert template", "Reading from certain networks only")
    expect(page.locator(".policy-verdict")).to_contain_text("The document is in order")
    editor.fill(editor.input_value().replace("10.0.0.0/8", "nowhere"))
    page.get_by_role("button", name="Save", exact=True).click()
    expect(refusal(page)).to_have_text("Invalid policy document: 'nowhere' is not a value for IpAddress.")
    editor.fill("")
    shared_console.menu("Insert template", "Forbid plain http")
    expect(page.locator(".policy-verdict")).to_contain_text("it would lock you out of this bucket here")
    editor.fill("")
    shared_console.menu("Insert template", "Everybody may read one folder")
    expect(page.locator(".policy-verdict")).to_contain_text("This lets everybody in")
    page.get_by_role("button", name="Save", exact=True).click()
    shared_console.dialog.get_by_role("button", name="Open it").click()

    expect(page.locator(".policy-status")).to_contain_text("This bucket is public by its policy")
    stored = json.loads(shared_console.oss.get_bucket_policy().policy)
    assert stored["Statement"][0]["Resource"] == [f"acs:oss:*:*:{shared_console.bucket}/public/*"]
    shared_console.oss.put_object("public/a.txt", b"all")
    assert shared_console.server.request("GET", f"/{shared_console.bucket}/public/a.txt")[2] == b"all"
    page.get_by_role("button", name="Remove policy").click()
    shared_console.dialog.get_by_role("button", name="Remove policy").click()
    expect(shared_console.toast).to_contain_text("Policy removed")
    with pytest.raises(oss2.exceptions.NoSuchBucketPolicy):
        shared_console.oss.get_bucket_policy()
