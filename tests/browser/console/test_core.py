"""The page's requests: signing in, renewing, and what becomes of lines that break. A proxy in front of the service breaks them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import oss2
import pytest

from tests.e2e.conftest import new_bucket
from tests.e2e.harness import Server, b64_json, build_server
from tests.faults.proxy import FaultProxy, Rule, Seen, error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

# Any file of the page's origin will do: it brings the page's Content-Security-Policy.
PLACE = "/-/console/vendor/LICENSE.ali-oss.txt"
WAIT_MS = 45_000
PRELUDE = """
const at = (name) => import(`/-/console/js/core/${name}.js`);
const [oss, { session }, { api }, { toProblem, explain }] = await Promise.all([at("oss"), at("session"), at("api"), at("problem")]);
const caught = async (promise) => {
  try {
    return { value: await promise };
  } catch (thrown) {
    const problem = toProblem(thrown);
    const { kind, code, status, requestId, retryable, operation, detail, message } = problem;
    return { kind, code, status, requestId, retryable, operation, detail, message, words: explain(problem) };
  }
};
"""


@dataclass
class Core:
    """A tab at the page's origin without the page: only js/core and ali-oss."""

    page: Page
    server: Server
    bucket: str
    troubles: list[str]

    @classmethod
    def open(cls, context: BrowserContext, server: Server, origin: str) -> Core:
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        core = cls(page=page, server=server, bucket=new_bucket(server), troubles=[])
        page.on("console", lambda message: core._heard(message.type, message.text))
        page.on("pageerror", lambda wrong: core.troubles.append(str(wrong)))
        core.load(origin)
        return core

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not text.startswith("Failed to load resource"):
            self.troubles.append(text)

    def load(self, origin: str) -> None:
        self.page.goto(origin + PLACE)
        self.page.add_script_tag(url="/-/console/vendor/aliyun-oss-sdk.min.js")

    def run(self, body: str, **given: Any) -> Any:
        """`body` is the inside of an async function with js/core, `bucket` and what is `given` in scope."""
        names = ", ".join(["bucket", *given])
        script = f"async ({{ {names} }}) => {{ {PRELUDE} {body} }}"
        return self.page.evaluate(script, {"bucket": self.bucket, **given})

    def sign_in(self, **changes: str) -> Any:
        pair = {"accessKeyId": self.server.access_key_id, "accessKeySecret": self.server.access_key_secret}
        return self.run("return caught(session.signIn(pair));", pair=pair | changes)

    def sessions_made(self) -> int:
        lines = self.server.log_lines(operation="ConsoleApi")
        asked = [(line["path"], line["method"], line["status"]) for line in lines]
        return asked.count(("/-/api/session", "POST", 200))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`localhost` is another origin than 127.0.0.1, and one that the page may talk to."""
    started = build_server(tmp_path_factory.mktemp("core"), CONSOLE_CONNECT="http://localhost:*").start()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def only_proxy(server: Server) -> Iterator[FaultProxy]:
    made = FaultProxy(server.port)
    yield made
    made.close()


@pytest.fixture(scope="module")
def only_core(browser: Browser, server: Server, only_proxy: FaultProxy) -> Iterator[Core]:
    context = browser.new_context(locale="en-GB")
    yield Core.open(context, server, only_proxy.endpoint)
    context.close()


@pytest.fixture
def proxy(only_proxy: FaultProxy) -> FaultProxy:
    only_proxy.clear()
    only_proxy.seen.clear()
    only_proxy.received = 0
    return only_proxy


@pytest.fixture
def core(only_core: Core, proxy: FaultProxy) -> Iterator[Core]:
    """One tab for all tests, nobody signed in, a fresh bucket."""
    only_core.run("session.signOut();")
    only_core.bucket = new_bucket(only_core.server)
    yield only_core
    troubles, only_core.troubles = only_core.troubles, []
    assert troubles == []


@pytest.fixture
def other_clock(browser: Browser, server: Server) -> Iterator[Core]:
    """A tab of its own, whose clock a test may move."""
    context = browser.new_context(locale="en-GB")
    made = Core.open(context, server, server.endpoint)
    made.page.clock.install()
    yield made
    context.close()
    assert made.troubles == []


@pytest.fixture
def signed_in(core: Core) -> Core:
    assert core.sign_in() == {"value": None}
    return core


def _until(found: Callable[[], list[Any]]) -> list[Any]:
    """What comes into the log by itself: nobody waits for the answer of an aborted request."""
    end = time.monotonic() + WAIT_MS / 1000
    while not (lines := found()) and time.monotonic() < end:
        time.sleep(0.02)
    return lines


# --- the session ------------------------------------------------------------------------------------------------------


def test_signing_in_forgets_the_pair_and_survives_a_reload(core: Core, proxy: FaultProxy) -> None:
    core.sign_in()
    state = core.run("return session.live.value;")
    kept = core.page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])")
    core.load(proxy.endpoint)
    again = core.run("return [session.restore(), session.live.value, (await api.get('session')).principal];")
    core.run("session.signOut();")
    after = core.run("return [session.live.value, session.restore(), await caught(api.get('session'))];")

    assert state["credentials"]["accessKeyId"].startswith("STS.")
    assert (state["renewable"], state["region"], state["principal"]["kind"]) == (
        True,
        "cn-hangzhou",
        "account",
    )
    assert core.server.access_key_secret not in kept
    assert again == [True, state, state["principal"]]
    assert (after[0], after[1], after[2]["kind"]) == (None, False, "expired")


def test_a_wrong_secret_and_an_unknown_key_are_told_apart(core: Core) -> None:
    wrong, unknown = core.sign_in(accessKeySecret="no"), core.sign_in(accessKeyId="nobody")

    assert (wrong["kind"], wrong["code"]) == ("signature", "SignatureDoesNotMatch")
    assert (unknown["kind"], unknown["code"]) == ("signature", "InvalidAccessKeyId")
    assert wrong["words"]["title"] != unknown["words"]["title"]
    assert wrong["words"]["copy"] == wrong["requestId"] != ""
    assert core.run("return session.live.value;") is None


def test_a_temporary_triple_signs_in_as_it_is(signed_in: Core) -> None:
    told = signed_in.run("""
      const { accessKeyId, accessKeySecret, stsToken } = session.live.value.credentials;
      session.signOut();
      await session.signIn({ accessKeyId, accessKeySecret, securityToken: stsToken });
      return [session.live.value.credentials.accessKeyId === accessKeyId, session.live.value.expiresAt !== null];
    """)

    assert told == [True, True]


def test_many_ask_and_one_renews(other_clock: Core) -> None:
    """In the last fifth of the keys' life; the clock of the page is put forward, that of the service is not."""
    core = other_clock
    core.sign_in()
    before, made = core.run("return session.live.value.credentials.accessKeyId;"), core.sessions_made()
    core.page.clock.set_system_time(datetime.now(UTC) + timedelta(minutes=50))

    found = core.run("""
      const all = await Promise.all(Array.from({ length: 12 }, () => oss.call({ method: "GET", query: { "max-keys": "1" } }, { bucket })));
      return [all.map((answer) => answer.status), session.live.value.credentials.accessKeyId];
    """)

    assert found[0] == [200] * 12
    assert found[1] != before
    assert core.sessions_made() == made + 1


def test_a_token_that_is_refused_is_renewed_once_and_the_requests_repeated(
    signed_in: Core, proxy: FaultProxy
) -> None:
    made = signed_in.sessions_made()
    old = signed_in.run("return session.live.value.credentials.stsToken;")

    def with_the_old_one(seen: Seen) -> bool:
        return seen.headers["x-oss-security-token"] == old

    refused = error(403, "SecurityTokenExpired")
    proxy.add(Rule(pattern=r"^PUT /e2e-", times=99, when=with_the_old_one, answer=refused))

    found = signed_in.run("""
      const puts = Array.from({ length: 5 }, (_, n) => oss.put({ bucket, key: `k${n}`, body: new Blob(["x"]) }));
      return (await Promise.all(puts)).length;
    """)

    assert found == 5
    assert signed_in.sessions_made() == made + 1


def test_a_key_that_is_gone_ends_the_session(signed_in: Core, proxy: FaultProxy) -> None:
    proxy.add(Rule(pattern=r"^PUT /e2e-", times=9, answer=error(403, "InvalidSecurityToken")))
    proxy.add(Rule(pattern=r"^POST /-/api/session", times=9, answer=error(403, "InvalidAccessKeyId")))

    found = signed_in.run('return caught(oss.put({ bucket, key: "k", body: new Blob(["x"]) }));')

    assert (found["kind"], found["code"], found["retryable"]) == ("expired", "InvalidAccessKeyId", False)
    assert [seen.method for seen in proxy.seen[-2:]] == ["PUT", "POST"]


def test_keys_that_cannot_be_renewed_wait_for_new_ones(signed_in: Core) -> None:
    found = signed_in.run("""
      const { credentials } = session.live.value;
      const triple = { accessKeyId: credentials.accessKeyId, accessKeySecret: credentials.accessKeySecret, securityToken: credentials.stsToken };
      session.adopt({ ...triple, expiration: new Date(Date.now() - 1000).toISOString() });
      const ended = await caught(oss.head({ bucket, key: "k" }));
      await session.provide(triple);
      return [ended.kind, await oss.head({ bucket, key: "k" })];
    """)

    assert found == ["expired", None]


def test_the_drop_page_brings_its_own_renewal(signed_in: Core) -> None:
    found = signed_in.run("""
      const { credentials } = session.live.value;
      const triple = { accessKeyId: credentials.accessKeyId, accessKeySecret: credentials.accessKeySecret, securityToken: credentials.stsToken };
      let asked = 0;
      const renew = async () => (asked += 1, { ...triple, expiration: new Date(Date.now() + 9e5).toISOString() });
      session.adopt({ ...triple, expiration: new Date(Date.now() - 1000).toISOString(), renew });
      await Promise.all([oss.head({ bucket, key: "k" }), oss.head({ bucket, key: "l" })]);
      return asked;
    """)

    assert found == 1


def test_a_clock_that_is_hours_off_is_no_hindrance(other_clock: Core) -> None:
    """Signing in, requests and signed URLs use the service's time once it was told."""
    core = other_clock
    core.page.clock.set_system_time(datetime.now(UTC) + timedelta(hours=3))

    assert core.sign_in() == {"value": None}
    found = core.run("""
      await oss.put({ bucket, key: "k", body: new Blob(["hello"]) });
      const client = oss.clientFor({ bucket });
      return [await (await fetch(await oss.presign({ bucket, key: "k" }))).text(), (await client.listV2({})).objects.map((object) => object.name)];
    """)

    assert found == ["hello", ["k"]]


# --- requests ---------------------------------------------------------------------------------------------------------


def test_any_key_goes_and_comes(signed_in: Core) -> None:
    keys = ["../x", "a/./b/..", "..", "a//b", "ü 中+%20?#&'()*!", "x/%2E%2E/y", "📷.png"]

    found = signed_in.run(
        """
      const told = [];
      for (const key of keys) {
        await oss.put({ bucket, key, body: new Blob(["hello"], { type: "text/html" }), headers: { "x-oss-meta-who": "张三" } });
        const { size, headers } = await oss.head({ bucket, key });
        told.push([size, headers.get("x-oss-meta-who"), await (await fetch(await oss.presign({ bucket, key }))).text()]);
      }
      return told;
    """,
        keys=keys,
    )

    assert found == [[5, "张三", "hello"]] * len(keys)
    auth = oss2.Auth(signed_in.server.access_key_id, signed_in.server.access_key_secret)
    listed = oss2.Bucket(auth, signed_in.server.endpoint, signed_in.bucket).list_objects_v2().object_list
    assert {each.key for each in listed} == set(keys)


def test_an_upload_in_parts(signed_in: Core) -> None:
    found = signed_in.run("""
      const { uploadId } = await oss.initiate({ bucket, key: "big", mime: "text/plain", headers: { "x-oss-meta-a": "1" } });
      const open = await oss.listUploads({ bucket });
      const sent = [];
      const bodies = [new Blob(["x".repeat(102400)]), new Blob(["y"])];
      for (const [at, body] of bodies.entries()) {
        const onUpload = (bytes) => sent.push(bytes);
        await oss.uploadPart({ bucket, key: "big", uploadId, partNumber: at + 1, body, onUpload });
      }
      const parts = await oss.listParts({ bucket, key: "big", uploadId });
      const done = await oss.complete({ bucket, key: "big", uploadId, parts });
      const told = await oss.head({ bucket, key: "big" });
      await oss.abort({ bucket, key: "big", uploadId });
      return { open: open.uploads.map((upload) => upload.key), parts: parts.map(({ size }) => size), last: sent.at(-1), done, told, type: told.headers.get("content-type") };
    """)

    assert (found["open"], found["parts"], found["last"]) == (["big"], [102_400, 1], 1)
    assert found["done"]["etag"] == found["told"]["etag"] != ""
    assert found["done"]["crc64"] == found["told"]["crc64"] != ""
    assert (found["told"]["size"], found["type"]) == (102_401, "text/plain")


def test_bytes_come_as_a_blob_and_an_error_as_words(signed_in: Core) -> None:
    found = signed_in.run("""
      await oss.put({ bucket, key: "k", body: new Blob(["0123456789"]) });
      const part = await oss.call({ method: "GET", object: "k", headers: { Range: "bytes=2-4" } }, { bucket, responseType: "blob" });
      const none = await caught(oss.call({ method: "GET", object: "none" }, { bucket, responseType: "blob" }));
      return [await part.data.text(), part.status, part.headers.get("content-range"), none.kind, none.code, none.operation];
    """)

    assert found == ["234", 206, "bytes 2-4/10", "missing", "NoSuchKey", "GET object"]


def test_a_failed_callback_is_no_failed_upload(signed_in: Core) -> None:
    found = signed_in.run("""
      const callback = { url: "http://127.0.0.1:9/none", body: "k=${object}" };
      return [await caught(oss.put({ bucket, key: "k", body: new Blob(["x"]), callback })), (await oss.head({ bucket, key: "k" })).size];
    """)

    assert (found[0]["kind"], found[0]["status"], found[0]["retryable"], found[1]) == (
        "callback",
        203,
        False,
        1,
    )


# --- lines that break -------------------------------------------------------------------------------------------------


def test_a_busy_service_and_a_broken_line_are_tried_again(signed_in: Core, proxy: FaultProxy) -> None:
    proxy.add(Rule(pattern="^GET /e2e-", times=2, answer=error(503, "ServiceUnavailable")))
    proxy.add(Rule(pattern="^GET /e2e-", times=1, cut_answer=-1))

    found = signed_in.run("""
      const seen = [];
      const onRetry = (problem) => seen.push(problem.kind);
      return [(await oss.call({ method: "GET" }, { bucket, onRetry })).status, seen];
    """)

    assert found == [200, ["server", "server", "network"]]


@pytest.mark.parametrize(
    ("rule", "call", "kind"),
    [
        (
            error(503, "ServiceUnavailable"),
            '{ method: "PUT", object: "k" }, { bucket, retry: false }',
            "server",
        ),
        (error(501, "NotImplemented"), '{ method: "PUT", object: "k" }, { bucket }', "server"),
        (error(403, "AccessDenied"), '{ method: "PUT", object: "k" }, { bucket }', "denied"),
        (
            error(503, "ServiceUnavailable"),
            '{ method: "POST", object: "k", subres: "uploads" }, { bucket }',
            "server",
        ),
    ],
)
def test_what_must_not_be_repeated_is_not(
    signed_in: Core, proxy: FaultProxy, rule: tuple[int, dict[str, str], bytes], call: str, kind: str
) -> None:
    proxy.add(Rule(pattern="^(PUT|POST) /e2e-", times=9, answer=rule))

    found = signed_in.run(f"return caught(oss.call({call}));")

    assert found["kind"] == kind
    assert found["message"] == "made by the proxy"
    assert sum(seen.target.startswith("/e2e-") for seen in proxy.seen) == 1


def test_an_aborted_request_really_ends(signed_in: Core, proxy: FaultProxy) -> None:
    size = 8 * 1024 * 1024
    session = signed_in.page.context.new_cdp_session(signed_in.page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 1024 * 1024}
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", slow)

    found = signed_in.run(
        """
      const stop = new AbortController();
      const body = new Blob([new Uint8Array(size)]);
      return caught(oss.put({ bucket, key: "big", body, signal: stop.signal, onUpload: () => stop.abort() }));
    """,
        size=size,
    )

    session.send("Network.emulateNetworkConditions", slow | {"uploadThroughput": -1})
    assert (found["kind"], found["retryable"]) == ("aborted", False)
    [line] = _until(lambda: signed_in.server.log_lines(bucket=signed_in.bucket, operation="PutObject"))
    assert (line["status"], line["code"]) == (400, "IncompleteBody")
    assert line["bytes_in"] < size
    assert sum(seen.target.endswith("/big") for seen in proxy.seen) == 1


def test_silence_is_given_up(signed_in: Core, proxy: FaultProxy) -> None:
    proxy.add(Rule(pattern="^HEAD /e2e-", delay_s=2))

    found = signed_in.run(
        'return caught(oss.call({ method: "HEAD", object: "k" }, { bucket, idleMs: 200, retry: false }));'
    )

    assert (found["kind"], found["retryable"]) == ("timeout", True)


def test_offline_is_told_or_waited_for(signed_in: Core) -> None:
    context = signed_in.page.context
    context.set_offline(True)
    refused = signed_in.run("return caught(oss.call({ method: 'GET' }, { bucket, retry: false }));")
    signed_in.page.evaluate(
        f"async (bucket) => {{ {PRELUDE} window.waiting = caught(oss.call({{ method: 'GET' }}, {{ bucket, waitOnline: true, onRetry() {{}} }})); }}",
        signed_in.bucket,
    )
    context.set_offline(False)

    assert (refused["kind"], refused["words"]["title"]) == ("offline", "You are offline")
    assert signed_in.page.evaluate("window.waiting.then((found) => found.value.status)") == 200


# --- other origins ----------------------------------------------------------------------------------------------------


def test_an_answer_that_cors_hides_is_recognised(signed_in: Core, proxy: FaultProxy) -> None:
    """`localhost` is another origin; first there is no rule, then one that hides the ETag, then a good one."""
    body = """
      const { credentials } = session.live.value;
      session.adopt({ endpoint, accessKeyId: credentials.accessKeyId, accessKeySecret: credentials.accessKeySecret, securityToken: credentials.stsToken });
      return caught(oss.put({ bucket, key: "k", body: new Blob(["x"]) }).then(() => oss.initiate({ bucket, key: "k" }))
        .then(({ uploadId }) => oss.uploadPart({ bucket, key: "k", uploadId, partNumber: 1, body: new Blob(["x"]) })));
    """
    elsewhere = f"http://localhost:{signed_in.server.port}"
    auth = oss2.Auth(signed_in.server.access_key_id, signed_in.server.access_key_secret)
    bucket = oss2.Bucket(auth, signed_in.server.endpoint, signed_in.bucket)

    def rule(*exposed: str) -> None:
        methods, origins = ["GET", "PUT", "POST"], [proxy.endpoint]
        made = oss2.models.CorsRule(origins, methods, ["*"], [*exposed], 0)
        bucket.put_bucket_cors(oss2.models.BucketCors([made]))

    without = signed_in.run(body, endpoint=elsewhere)
    rule("x-oss-request-id")
    hidden = signed_in.run(body, endpoint=elsewhere)
    rule("ETag")
    good = signed_in.run(body, endpoint=elsewhere)
    gone = signed_in.run(
        body.replace('["x"]) }).then', '["x"]), retry: false }).then'), endpoint="http://localhost:9"
    )

    assert (without["kind"], without["retryable"]) == ("cors", False)
    assert proxy.endpoint in without["words"]["todo"][1]["code"]
    assert (hidden["kind"], hidden["detail"]["expose"], hidden["operation"]) == ("cors", "ETag", "UploadPart")
    assert good["value"]["etag"]
    assert gone["kind"] == "network"
    signed_in.troubles[:] = [text for text in signed_in.troubles if "CORS policy" not in text]


def test_every_problem_has_words_in_both_languages(core: Core) -> None:
    """A missing word is a console error, and that fails any test here."""
    found = core.run("""
      const { Problem } = await at("problem");
      const { setLang } = await import("/-/console/js/ui/i18n.js");
      const kinds = ["offline", "network", "cors", "timeout", "expired", "denied", "signature", "clock", "missing", "conflict", "exists", "quota",
        "invalid", "server", "aborted", "callback", "changed", "unknown"];
      const codes = { InvalidAccessKeyId: "signature", NoSuchBucket: "missing", NoSuchUpload: "missing", EntityTooLarge: "quota", BucketNotEmpty: "conflict",
        BucketAlreadyExists: "exists", TooManyBuckets: "quota", InvalidPart: "changed", NotImplemented: "server" };
      const problems = [...kinds.map((kind) => new Problem(kind)), ...Object.entries(codes).map(([code, kind]) => new Problem(kind, "m", { code })),
        new Problem("cors", "m", { detail: { expose: "ETag" } })];
      const titles = {};
      for (const tongue of ["en", "zh"]) {
        setLang(tongue);
        titles[tongue] = problems.map((problem) => explain(problem)).map((words) => words.title + words.what + words.todo.map((item) => item.text ?? item).join(""));
      }
      return titles;
    """)

    assert len(set(found["en"])) == len(found["en"]) == 28
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in text) for text in found["zh"])
    assert not any("core." in text or "{" in text for text in (*found["en"], *found["zh"]))


def test_a_callback_travels_as_ali_oss_sends_it(signed_in: Core) -> None:
    found = signed_in.run("""
      const callback = { url: "http://app.example/h", host: "h", body: "a=${x:n}", contentType: "application/json", customValue: { n: "中" } };
      return oss.callbackHeaders(callback);
    """)

    asked = {
        "callbackUrl": "http://app.example/h",
        "callbackBody": "a=${x:n}",
        "callbackHost": "h",
        "callbackBodyType": "application/json",
    }
    assert found["x-oss-callback"].rstrip("=")[:20] == b64_json(asked).replace(" ", "").rstrip("=")[:20]
    assert set(found) == {"x-oss-callback", "x-oss-callback-var"}
