"""The mission table, row by row: one test for each thing the seed page says or shows, named after the row's number."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import oss2
import pytest

from mossaic.service.token import Tokens
from mossaic.stores.sql import SqliteMetadata
from tests.browser.chromium import FlowPage, chromium
from tests.browser.site import BUNDLES, PAGES, Site
from tests.e2e.ali_oss.driver import AliOss
from tests.e2e.ali_oss.relay import DROP, LOSE_ANSWER, STALL, Relay
from tests.e2e.ali_oss.support import (
    KIB,
    MIB,
    allow_browsers,
    bytes_below,
    client_options,
    given_assumer,
    logged,
    multipart_etag,
    oss2_bucket,
    parts_put,
    source_file,
    stored_md5,
)
from tests.e2e.harness import b64_json, noise, statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

    from tests.e2e.ali_oss.support import Source
    from tests.e2e.harness import CallbackReceiver, Server

KEY = "row.bin"
SMALLEST_PART = 100 * KIB
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def store(server: Server, bucket: str) -> oss2.Bucket:
    """oss2 at a fresh bucket of the shared server."""
    return oss2_bucket(server, bucket)


@pytest.fixture
def ali_oss(server: Server, bucket: str) -> AliOss:
    """The seed page's version of ali-oss at the same bucket."""
    return AliOss(version="6.18", options=client_options(server, bucket))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    return source_file(tmp_path_factory.mktemp("rows"), 3 * MIB + 7)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site().running() as running:
        yield running


def put_parts(
    store: oss2.Bucket, upload_id: str, bodies: list[bytes], *, key: str = KEY
) -> list[oss2.models.PartInfo]:
    return [
        oss2.models.PartInfo(number, store.upload_part(key, upload_id, number, body).etag)
        for number, body in enumerate(bodies, start=1)
    ]


def uploaded(
    store: oss2.Bucket, bodies: list[bytes], *, key: str = KEY, headers: dict[str, str] | None = None
) -> None:
    """A whole multipart upload with `headers` at Initiate."""
    upload_id = store.init_multipart_upload(key, headers=headers).upload_id
    store.complete_multipart_upload(key, upload_id, put_parts(store, upload_id, bodies, key=key))


def head_after(store: oss2.Bucket, headers: dict[str, str]) -> dict[str, str]:
    """Headers of HeadObject after a multipart upload that sent `headers` at Initiate only."""
    uploaded(store, [b"body"], headers=headers)
    got = store.head_object(KEY).headers
    assert {name: store.get_object(KEY).headers.get(name) for name in headers} == {
        name: got.get(name) for name in headers
    }
    return dict(got)


def refused(code: str, call: Callable[[], object]) -> oss2.exceptions.ServerError:
    with pytest.raises(oss2.exceptions.ServerError) as caught:
        call()
    assert caught.value.code == code
    return caught.value


def eventually(holds: Callable[[], bool], *, within_s: float) -> bool:
    """Poll with a deadline: a wait for the server's background work."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.02)
    return True


def test_a1_01_initiate_parts_and_complete_give_one_object(store: oss2.Bucket) -> None:
    """Initiate, UploadPart and CompleteMultipartUpload give one object with OSS's multipart ETag."""
    bodies = [noise(SMALLEST_PART, seed=1), noise(SMALLEST_PART, seed=2), b"rest"]

    uploaded(store, bodies)

    assert store.get_object(KEY).read() == b"".join(bodies)
    etags = [hashlib.md5(body).hexdigest().upper() for body in bodies]
    assert store.head_object(KEY).etag == multipart_etag(etags)
    assert [item.key for item in store.list_objects().object_list] == [KEY]


def test_a1_02_an_upload_is_resumed_after_restart_and_after_kill(make_server: Callable[..., Server]) -> None:
    """The upload id and its parts outlive a clean restart and a SIGKILL of the server."""
    server = make_server()
    oss2_bucket(server, "resumable").create_bucket()
    store = oss2_bucket(server, "resumable")
    upload_id = store.init_multipart_upload(KEY).upload_id
    bodies = [noise(SMALLEST_PART, seed=seed) for seed in (1, 2, 3)]
    parts = [oss2.models.PartInfo(1, store.upload_part(KEY, upload_id, 1, bodies[0]).etag)]

    server.restart()
    parts.append(oss2.models.PartInfo(2, store.upload_part(KEY, upload_id, 2, bodies[1]).etag))
    server.kill()
    server.start()

    listed = store.list_parts(KEY, upload_id).parts
    assert [(part.part_number, part.etag) for part in listed] == [
        (part.part_number, part.etag) for part in parts
    ]
    parts.append(oss2.models.PartInfo(3, store.upload_part(KEY, upload_id, 3, bodies[2]).etag))
    store.complete_multipart_upload(KEY, upload_id, parts)
    assert store.get_object(KEY).read() == b"".join(bodies)


def test_a1_03_a_part_put_again_replaces_the_first(make_server: Callable[..., Server]) -> None:
    """Only the failed part is sent again: the last one of a number counts and the first one's bytes are freed."""
    server = make_server()
    store = oss2_bucket(server, "replaced")
    store.create_bucket()
    upload_id = store.init_multipart_upload(KEY).upload_id
    first, second = noise(8 * MIB, seed=1), noise(MIB, seed=2)

    before = store.upload_part(KEY, upload_id, 1, first)
    after = store.upload_part(KEY, upload_id, 1, second)

    assert [part.etag for part in store.list_parts(KEY, upload_id).parts] == [after.etag]
    stale = [oss2.models.PartInfo(1, before.etag)]
    refused("InvalidPart", lambda: store.complete_multipart_upload(KEY, upload_id, stale))
    store.complete_multipart_upload(KEY, upload_id, [oss2.models.PartInfo(1, after.etag)])
    assert store.get_object(KEY).read() == second
    assert eventually(lambda: bytes_below(server.data / "blobs") == len(second), within_s=10)


@pytest.mark.parametrize("version", list(BUNDLES))
def test_a1_04_the_script_tag_sdk_uploads(
    server: Server, store: oss2.Bucket, browser: Browser, site: Site, source: Source, version: str
) -> None:
    """The SDK as a script tag, 6.18.0 and the newest, served without a CDN."""
    allow_browsers(store)
    tab = FlowPage.open(
        browser.new_context(),
        f"{site.origin}/flows-{version}.html",
        client_options(server, store.bucket_name),
    )
    tab.pick(source.path)

    tab.run("upload", key=KEY, options={})

    assert tab.page.evaluate("OSS.version").startswith("6.18" if version == "6.18" else "6.2")
    assert stored_md5(store, KEY) == source.md5


def test_a1_05_cors_is_off_until_rules_are_set(
    server: Server, store: oss2.Bucket, browser: Browser, site: Site, source: Source
) -> None:
    """A browser on another origin is rejected before, and served after, PutBucketCors."""
    tab = FlowPage.open(
        browser.new_context(), f"{site.origin}/flows-6.18.html", client_options(server, store.bucket_name)
    )
    tab.pick(source.path)

    error = tab.fails("upload", key=KEY, options={})
    allow_browsers(store)
    tab.run("upload", key=KEY, options={})

    assert (error["name"], error["status"]) == ("RequestError", -1)
    assert stored_md5(store, KEY) == source.md5


def test_a1_06_the_first_matching_cors_rule_wins(server: Server, store: oss2.Bucket) -> None:
    """Put, Get, DeleteBucketCors; rules in order; ResponseVary sends Vary even without Origin."""
    rules = [
        oss2.models.CorsRule(["http://a.example"], ["GET"], ["*"], ["x-oss-first"], 10),
        oss2.models.CorsRule(["http://*.example"], ["GET", "PUT"], ["x-oss-*"], ["x-oss-second"], 20),
    ]
    document = oss2.models.BucketCors(rules)
    document.response_vary = True
    store.put_bucket_cors(document)

    def preflight(origin: str, method: str, headers: str) -> tuple[int, dict[str, str]]:
        asked = {
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": headers,
        }
        return server.request("OPTIONS", f"/{store.bucket_name}/{KEY}", headers=asked)[:2]

    status, first = preflight("http://a.example", "GET", "authorization")
    assert (status, first["access-control-max-age"]) == (200, "10")
    status, second = preflight("http://a.example", "PUT", "x-oss-date")
    assert (status, second["access-control-max-age"]) == (200, "20")
    assert second["access-control-allow-origin"] == "http://a.example"
    assert preflight("http://b.example", "PUT", "authorization")[0] == 403
    assert preflight("http://elsewhere", "GET", "")[0] == 403
    _, actual, _ = server.request(
        "GET", f"/{store.bucket_name}/{KEY}", headers={"Origin": "http://a.example"}
    )
    assert actual["access-control-expose-headers"] == "x-oss-first"
    assert "origin" in server.request("GET", f"/{store.bucket_name}/{KEY}")[1]["vary"].lower()
    assert len(store.get_bucket_cors().rules) == 2
    store.delete_bucket_cors()
    refused("NoSuchCORSConfiguration", store.get_bucket_cors)


def assumed(server: Server, ali_oss: AliOss, *, policy: dict[str, Any] | None = None) -> dict[str, str]:
    """A temporary triple by ali-oss's STS class, as oss2.StsAuth takes it."""
    assumer = given_assumer(server)
    requester = ali_oss.with_options(
        accessKeyId=assumer.access_key_id, accessKeySecret=assumer.access_key_secret
    )
    credentials: dict[str, str] = requester.run(
        "assumeRole", endpoint=server.endpoint, role=assumer.role_arn, policy=policy, session="rows"
    )
    return credentials


def with_token(server: Server, bucket: str, credentials: dict[str, str]) -> oss2.Bucket:
    auth = oss2.StsAuth(
        credentials["AccessKeyId"],
        credentials["AccessKeySecret"],
        credentials["SecurityToken"],
        auth_version="v4",
    )
    return oss2.Bucket(auth, server.endpoint, bucket, region=server.region, is_path_style=True)


def test_a1_07_a_temporary_triple_is_needed_and_enough(
    server: Server, store: oss2.Bucket, ali_oss: AliOss
) -> None:
    """AssumeRole gives key id, secret, token and expiration; the key pair without its token is refused."""
    credentials = assumed(server, ali_oss)

    with_token(server, store.bucket_name, credentials).put_object(KEY, b"by token")

    assert store.get_object(KEY).read() == b"by token"
    until = datetime.strptime(credentials["Expiration"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert timedelta(seconds=850) < until - datetime.now(UTC) < timedelta(seconds=910)
    bare = oss2.Auth(credentials["AccessKeyId"], credentials["AccessKeySecret"])
    without = oss2.Bucket(bare, server.endpoint, store.bucket_name, is_path_style=True)
    refused("InvalidAccessKeyId", lambda: without.put_object(KEY, b"x"))


def test_a1_08_a_session_policy_narrows_the_token(
    server: Server, store: oss2.Bucket, ali_oss: AliOss
) -> None:
    """A token has what its role and its session policy both allow."""
    policy = statement("Allow", "oss:PutObject", f"acs:oss:*:*:{store.bucket_name}/in/*")
    narrow = with_token(server, store.bucket_name, assumed(server, ali_oss, policy=policy))

    narrow.put_object("in/a", b"a")

    refused("AccessDenied", lambda: narrow.put_object("out/a", b"a"))
    refused("AccessDenied", lambda: narrow.get_object("in/a"))


def test_a1_09_another_token_goes_on_with_the_same_upload(
    server: Server, store: oss2.Bucket, ali_oss: AliOss
) -> None:
    """A token refreshed in mid-upload goes on with the same upload id; a token that is not ours is named so."""
    first = assumed(server, ali_oss)
    begun = with_token(server, store.bucket_name, first)
    upload_id = begun.init_multipart_upload(KEY).upload_id
    parts = [oss2.models.PartInfo(1, begun.upload_part(KEY, upload_id, 1, noise(SMALLEST_PART)).etag)]

    second = with_token(server, store.bucket_name, assumed(server, ali_oss))
    parts.append(oss2.models.PartInfo(2, second.upload_part(KEY, upload_id, 2, b"rest").etag))
    second.complete_multipart_upload(KEY, upload_id, parts)

    assert store.get_object(KEY).read() == noise(SMALLEST_PART) + b"rest"
    token = first["SecurityToken"]
    tampered = {**first, "SecurityToken": token[:-8] + ("A" if token[-8] != "A" else "B") + token[-7:]}
    refused(
        "InvalidSecurityToken", lambda: with_token(server, store.bucket_name, tampered).put_object(KEY, b"x")
    )
    late = {**first, "SecurityToken": expired(server, token)}
    error = refused(
        "SecurityTokenExpired", lambda: with_token(server, store.bucket_name, late).put_object(KEY, b"x")
    )
    assert (error.status, error.details["EC"]) == (403, "0002-00000007")


def expired(server: Server, token: str) -> str:
    """The same token sealed once more by the same installation's key, its end a minute ago: 900 s are the shortest
    life that AssumeRole gives."""

    async def seal() -> str:
        metadata = SqliteMetadata.open(server.data / "metadata.db")
        tokens = Tokens(metadata)
        session = await tokens.open(token)
        assert session is not None
        over = replace(session, expires_at=datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=60))
        sealed = await tokens.seal(over)
        await metadata.close()
        return sealed

    # A thread of its own: Playwright's loop belongs to this one.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, seal()).result(30)


def test_a1_10_small_files_by_put_and_large_ones_by_parts(
    server: Server, store: oss2.Bucket, ali_oss: AliOss, tmp_path: Path
) -> None:
    """A file below 100 KB is one PutObject, one above 100 MB goes by parts; both read back."""
    small, large = source_file(tmp_path, 99 * KIB), source_file(tmp_path, 101 * MIB, seed=2)

    ali_oss.run("upload", key="small", file=str(small.path), options={})
    ali_oss.run("upload", key="large", file=str(large.path), options={"partSize": 10 * MIB})

    assert (stored_md5(store, "small"), stored_md5(store, "large")) == (small.md5, large.md5)
    assert store.head_object("small").object_type == "Normal"
    assert store.head_object("large").object_type == "Multipart"
    assert [line["key"] for line in logged(server, "PutObject", bucket=store.bucket_name)] == ["small"]


def test_a1_11_a_large_part_size_makes_progress_coarse(ali_oss: AliOss, source: Source) -> None:
    """Progress moves once a part: with one part there is nothing between begin and end but one half."""
    done = ali_oss.run("upload", key=KEY, file=str(source.path), options={"partSize": 100 * MIB})

    assert [step["fraction"] for step in done["progress"]] == [0, 0.5, 1]


def test_a1_12_the_page_uploads_the_chosen_file(
    server: Server, store: oss2.Bucket, browser: Browser, site: Site, source: Source
) -> None:
    """A file input and a button, as in the seed: page one with this listener's address and keys."""
    allow_browsers(store)
    text = (PAGES / "upload.html").read_text()
    for old, new in {
        "https://gosspublic.alicdn.com/aliyun-oss-sdk-6.18.0.min.js": "/sdk/6.18.js",
        'region: "yourRegion"': f'endpoint: "http://localhost:{server.port}"',
        "yourAccessKeyId": server.access_key_id,
        "yourAccessKeySecret": server.access_key_secret,
        'stsToken: "yourSecurityToken"': "stsToken: undefined",
        'bucket: "examplebucket"': f'bucket: "{store.bucket_name}"',
        "http://examplebucket.aliyuncs.com:23450": "http://127.0.0.1:1/",
    }.items():
        text = text.replace(old, new)
    page = browser.new_context().new_page()
    page.goto(site.put("/row-12.html", text.encode()))

    with page.expect_console_message(lambda message: "CallbackFailed" in message.text, timeout=60_000):
        page.set_input_files("#file", str(source.path))
        page.click("#submit")

    assert stored_md5(store, "exampleobject.txt") == source.md5


@pytest.mark.parametrize(
    "more",
    [
        {"endpoint": "http://localhost:PORT"},
        {"endpoint": "http://localhost:PORT", "sldEnable": True},
        {"endpoint": "http://BUCKET.localhost:PORT", "cname": True},
        {"endpoint": "http://127.0.0.1:PORT"},
    ],
    ids=["virtual host", "path", "cname", "address"],
)
def test_a1_13_client_options_name_the_bucket_in_every_style(
    server: Server, store: oss2.Bucket, ali_oss: AliOss, source: Source, more: dict[str, object]
) -> None:
    """region, accessKeyId, accessKeySecret, stsToken and bucket, with each form of endpoint."""
    endpoint = str(more["endpoint"]).replace("PORT", str(server.port)).replace("BUCKET", store.bucket_name)
    triple = assumed(server, ali_oss)
    client = ali_oss.with_options(
        **{**more, "endpoint": endpoint},
        accessKeyId=triple["AccessKeyId"],
        accessKeySecret=triple["AccessKeySecret"],
        stsToken=triple["SecurityToken"],
    )

    client.run("upload", key=KEY, file=str(source.path), options={})

    assert stored_md5(store, KEY) == source.md5


def test_a1_14_cache_control_comes_back(store: oss2.Bucket) -> None:
    """Cache-Control of Initiate is answered by GetObject and HeadObject."""
    assert head_after(store, {"Cache-Control": "no-cache"})["Cache-Control"] == "no-cache"


def test_a1_15_content_disposition_comes_back(store: oss2.Bucket) -> None:
    """Content-Disposition of Initiate, here without the type that HTTP wants."""
    assert head_after(store, {"Content-Disposition": "example.txt"})["Content-Disposition"] == "example.txt"


def test_a1_16_content_encoding_is_opaque(store: oss2.Bucket) -> None:
    """Content-Encoding "utf-8" is not an HTTP coding and comes back all the same."""
    assert head_after(store, {"Content-Encoding": "utf-8"})["Content-Encoding"] == "utf-8"


def test_a1_17_expires_is_an_opaque_string(store: oss2.Bucket) -> None:
    """Expires "1000" is not a date and is never parsed."""
    assert head_after(store, {"Expires": "1000"})["Expires"] == "1000"


def test_a1_18_the_storage_class_is_recorded_at_initiate(store: oss2.Bucket) -> None:
    """x-oss-storage-class at Initiate is shown by Head and by both listings; an unknown class is refused."""
    upload_id = store.init_multipart_upload("listed", headers={"x-oss-storage-class": "IA"}).upload_id
    assert store.list_multipart_uploads().upload_list[0].upload_id == upload_id

    assert head_after(store, {"x-oss-storage-class": "IA"})["x-oss-storage-class"] == "IA"

    assert [item.storage_class for item in store.list_objects().object_list] == ["IA"]
    wrong = {"x-oss-storage-class": "Marble"}
    refused("InvalidArgument", lambda: store.init_multipart_upload(KEY, headers=wrong))


def test_a1_19_tags_of_initiate_are_the_objects_tags(store: oss2.Bucket) -> None:
    """x-oss-tagging at Initiate, up to ten tags."""
    uploaded(store, [b"body"], headers={"x-oss-tagging": "Tag1=1&Tag2=2"})

    assert store.get_object_tagging(KEY).tag_set.tagging_rule == {"Tag1": "1", "Tag2": "2"}
    assert store.head_object(KEY).headers["x-oss-tagging-count"] == "2"
    eleven = {"x-oss-tagging": "&".join(f"k{number}=v" for number in range(11))}
    assert refused("InvalidArgument", lambda: store.init_multipart_upload(KEY, headers=eleven)).status == 400


def test_a1_20_forbid_overwrite_is_checked_at_initiate_and_at_complete(store: oss2.Bucket) -> None:
    """Initiate and Complete both refuse to replace an object; of racing uploads exactly one wins."""
    forbid = {"x-oss-forbid-overwrite": "true"}
    racing = [store.init_multipart_upload(KEY, headers=forbid).upload_id for _ in range(8)]
    parts = {upload_id: put_parts(store, upload_id, [upload_id.encode()]) for upload_id in racing}

    def complete(upload_id: str) -> str:
        try:
            store.complete_multipart_upload(KEY, upload_id, parts[upload_id], headers=forbid)
        except oss2.exceptions.ServerError as error:
            return str(error.code)
        return "won"

    with ThreadPoolExecutor(8) as pool:
        ends = dict(zip(racing, pool.map(complete, racing), strict=True))

    winners = [upload_id for upload_id, end in ends.items() if end == "won"]
    assert sorted(ends.values()) == ["FileAlreadyExists"] * 7 + ["won"]
    assert store.get_object(KEY).read() == winners[0].encode()
    refused("FileAlreadyExists", lambda: store.init_multipart_upload(KEY, headers=forbid))


def test_a1_21_progress_is_told_also_when_the_first_part_fails(
    server: Server, store: oss2.Bucket, ali_oss: AliOss, source: Source
) -> None:
    """progress(p, checkpoint, res) begins at Initiate, so that an upload whose first part failed resumes."""
    with Relay(server.port).running() as relay:
        client = ali_oss.with_options(endpoint=f"http://localhost:{relay.port}")
        relay.break_once(DROP, "PUT", "partNumber=1&")
        with client.start("upload", key=KEY, file=str(source.path), options={"parallel": 1}) as running:
            failed, begun = running.error(), running.seen[0]
        resumed = client.run(
            "upload", key=KEY, file=str(source.path), options={"parallel": 1}, checkpoint=begun["checkpoint"]
        )

    assert failed["status"] == -1
    assert begun["fraction"] == 0
    assert begun["checkpoint"]["doneParts"] == []
    assert parts_put(server, begun["checkpoint"]["uploadId"]) == [1, 2, 3, 4]
    assert resumed["progress"][-1]["fraction"] == 1
    assert stored_md5(store, KEY) == source.md5


def test_a1_22_a_checkpoint_is_json_and_enough_for_another_process(
    server: Server, store: oss2.Bucket, ali_oss: AliOss, source: Source
) -> None:
    """name, fileSize, partSize, uploadId and doneParts, through a file, resume the upload."""
    with ali_oss.start(
        "stalled", key=KEY, file=str(source.path), options={"partSize": MIB}, after=2
    ) as running:
        text = json.dumps(running.event("stalled")["checkpoint"])
    checkpoint = json.loads(text)

    ali_oss.run("upload", key=KEY, file=str(source.path), options={}, checkpoint=checkpoint)

    assert set(checkpoint) == {"name", "fileSize", "partSize", "uploadId", "doneParts"}
    assert (checkpoint["fileSize"], checkpoint["partSize"]) == (source.size, MIB)
    assert sorted(parts_put(server, checkpoint["uploadId"])) == [1, 2, 3, 4]
    assert stored_md5(store, KEY) == source.md5


def test_a1_23_parts_in_parallel_and_out_of_order(store: oss2.Bucket) -> None:
    """Sixty-four parts at once, the last one begun first."""
    upload_id = store.init_multipart_upload(KEY).upload_id
    bodies = {number: noise(SMALLEST_PART, seed=number) for number in range(1, 65)}

    def put(number: int) -> oss2.models.PartInfo:
        return oss2.models.PartInfo(number, store.upload_part(KEY, upload_id, number, bodies[number]).etag)

    with ThreadPoolExecutor(64) as pool:
        parts = list(pool.map(put, reversed(bodies)))
    store.complete_multipart_upload(KEY, upload_id, sorted(parts, key=lambda part: part.part_number))

    assert store.get_object(KEY).read() == b"".join(bodies.values())


def test_a1_24_a_part_may_be_100_kb_and_not_less(
    server: Server, store: oss2.Bucket, ali_oss: AliOss, source: Source
) -> None:
    """Parts are 1 MB unless told otherwise; 102,400 bytes are enough, one byte less is refused at Complete."""
    done = ali_oss.run("upload", key=KEY, file=str(source.path), options={})
    assert len(done["progress"]) == 6
    uploaded(store, [noise(SMALLEST_PART), b"last"])
    upload_id = store.init_multipart_upload(KEY).upload_id
    parts = put_parts(store, upload_id, [noise(SMALLEST_PART - 1), b"last"])

    error = refused("EntityTooSmall", lambda: store.complete_multipart_upload(KEY, upload_id, parts))

    assert (error.status, error.details["EC"]) == (400, "0042-00000213")
    client = ali_oss.fails("upload", key=KEY, file=str(source.path), options={"partSize": SMALLEST_PART - 1})
    assert "partSize must not be smaller than 102400" in client["message"]


def test_a1_25_part_numbers_from_1_to_10000_with_gaps_ascending(store: oss2.Bucket) -> None:
    """Numbers 1 and 10,000 with a gap are fine; 0 and 10,001 are not; descending order is refused."""
    upload_id = store.init_multipart_upload(KEY).upload_id
    parts = [
        oss2.models.PartInfo(
            number, store.upload_part(KEY, upload_id, number, noise(SMALLEST_PART, seed=number)).etag
        )
        for number in (1, 10_000)
    ]

    for number in (0, 10_001):
        error = refused("InvalidArgument", partial(store.upload_part, KEY, upload_id, number, b"x"))
        assert error.details["EC"] == "0017-00000220"
    # oss2 sorts the list by itself.
    xml = "".join(
        f"<Part><PartNumber>{part.part_number}</PartNumber><ETag>{part.etag}</ETag></Part>"
        for part in reversed(parts)
    )
    error = refused(
        "InvalidPartOrder",
        lambda: store._do(
            "POST",
            store.bucket_name,
            KEY,
            params={"uploadId": upload_id},
            data=f"<CompleteMultipartUpload>{xml}</CompleteMultipartUpload>",
        ),
    )
    assert error.details["EC"] == "0042-00000209"
    store.complete_multipart_upload(KEY, upload_id, parts)
    assert store.get_object(KEY).read() == noise(SMALLEST_PART, seed=1) + noise(SMALLEST_PART, seed=10_000)


def test_a1_26_meta_becomes_headers_of_the_object(
    store: oss2.Bucket, ali_oss: AliOss, source: Source
) -> None:
    """meta {year: 2020, people: "test"} is x-oss-meta-* from Initiate on."""
    ali_oss.run("upload", key=KEY, file=str(source.path), options={"meta": {"year": 2020, "people": "test"}})

    headers = store.get_object(KEY).headers
    assert (headers["x-oss-meta-year"], headers["x-oss-meta-people"]) == ("2020", "test")


def test_a1_27_head_object_tells_meta_type_and_crc(store: oss2.Bucket) -> None:
    """HeadObject answers user metadata, object type Multipart and the CRC-64 of the whole."""
    bodies = [noise(SMALLEST_PART, seed=1), noise(5, seed=2)]
    uploaded(store, bodies, headers={"x-oss-meta-people": "test"})

    head = store.head_object(KEY)

    crc = oss2.utils.Crc64()
    crc.update(b"".join(bodies))
    assert head.headers["x-oss-meta-people"] == "test"
    assert head.object_type == "Multipart"
    assert head.headers["x-oss-hash-crc64ecma"] == str(crc.crc)
    assert head.content_length == SMALLEST_PART + 5


def test_a1_28_mime_is_the_content_type(store: oss2.Bucket, ali_oss: AliOss, source: Source) -> None:
    """mime "text/plain" wins over the key's extension."""
    ali_oss.run("upload", key=KEY, file=str(source.path), options={"mime": "text/plain"})

    assert store.get_object(KEY).headers["Content-Type"] == "text/plain"


def called_back(store: oss2.Bucket, callback: dict[str, Any], variables: dict[str, str] | None = None) -> Any:
    """A one-part upload whose Complete carries the callback; oss2's raw answer."""
    upload_id = store.init_multipart_upload(KEY, headers={"Content-Type": "text/plain"}).upload_id
    parts = put_parts(store, upload_id, [b"callback body"])
    headers = {"x-oss-callback": b64_json(callback)}
    if variables is not None:
        headers["x-oss-callback-var"] = b64_json(variables)
    return store.complete_multipart_upload(KEY, upload_id, parts, headers=headers)


def test_a1_29_the_callback_is_posted_after_complete(store: oss2.Bucket, receiver: CallbackReceiver) -> None:
    """Of several URLs the first that answers is used, and the object is there when it is asked."""
    called_back(
        store, {"callbackUrl": f"http://127.0.0.1:1/;{receiver.url}?a=b", "callbackBody": "o=${object}"}
    )

    assert [(call.target, call.form()) for call in receiver.calls] == [("/hook?a=b", {"o": KEY})]
    assert store.object_exists(KEY)


def test_a1_30_the_callback_host_is_sent(store: oss2.Bucket, receiver: CallbackReceiver) -> None:
    """callback.host is the Host header, whatever the URL says."""
    called_back(store, {"callbackUrl": receiver.url, "callbackHost": "yourHost", "callbackBody": "a=b"})

    assert receiver.calls[0].headers["host"] == "yourHost"


def test_a1_31_the_callback_body_knows_the_system_variables(
    store: oss2.Bucket, receiver: CallbackReceiver
) -> None:
    """Each variable is percent-encoded in a form body."""
    names = ("bucket", "object", "etag", "size", "mimeType", "operation", "crc64", "reqId", "clientIp")
    body = "&".join(f"{name}=${{{name}}}" for name in names)

    done = called_back(store, {"callbackUrl": receiver.url, "callbackBody": body})

    form = receiver.calls[0].form()
    assert {name: form[name] for name in names[:7]} == {
        "bucket": store.bucket_name,
        "object": KEY,
        "etag": done.etag,
        "size": "13",
        "mimeType": "text/plain",
        "operation": "CompleteMultipartUpload",
        "crc64": str(done.crc),
    }
    assert (form["reqId"], form["clientIp"]) == (done.request_id, "127.0.0.1")
    assert b"mimeType=text%2Fplain" in receiver.calls[0].body


def test_a1_32_the_callback_content_type_chooses_the_encoding(
    store: oss2.Bucket, receiver: CallbackReceiver
) -> None:
    """application/json substitutes JSON values: strings with quotes, numbers bare."""
    body = '{"object":${object},"size":${size},"mine":${x:mine}}'
    callback = {"callbackUrl": receiver.url, "callbackBody": body, "callbackBodyType": "application/json"}

    called_back(store, callback, {"x:mine": 'a "quoted" \\ value'})

    assert receiver.calls[0].headers["content-type"] == "application/json"
    assert receiver.calls[0].json() == {"object": KEY, "size": 13, "mine": 'a "quoted" \\ value'}


def test_a1_33_custom_variables_are_filled_in(store: oss2.Bucket, receiver: CallbackReceiver) -> None:
    """x-oss-callback-var fills ${x:var1}; a variable not used is not sent, one not given is empty."""
    callback = {"callbackUrl": receiver.url, "callbackBody": "var1=${x:var1}&none=${x:none}"}

    called_back(store, callback, {"x:var1": "value1", "x:var2": "value2"})

    assert receiver.calls[0].form() == {"var1": "value1", "none": ""}


def test_a1_34_the_callback_answer_replaces_the_xml(store: oss2.Bucket, receiver: CallbackReceiver) -> None:
    """JSON passes through; anything else is 203 CallbackFailed with the object kept; no retry; signed with RSA."""
    done = called_back(store, {"callbackUrl": receiver.url, "callbackBody": "a=b"})
    assert json.loads(done.resp.response.content) == {"Status": "OK"}
    assert receiver.calls[0].signature_holds()
    store.delete_object(KEY)
    receiver.status = 500

    failed = called_back(store, {"callbackUrl": receiver.url, "callbackBody": "a=b"})

    root = ET.fromstring(failed.resp.response.content)
    assert (failed.status, root.findtext("Code")) == (203, "CallbackFailed")
    assert "500" in str(root.findtext("Message"))
    assert len(receiver.calls) == 2
    assert store.get_object(KEY).read() == b"callback body"


def test_a1_35_a_lost_request_is_repeated_without_harm(
    server: Server, store: oss2.Bucket, ali_oss: AliOss, source: Source
) -> None:
    """A timeout is named so by the client; resending a part, and a Complete whose answer was lost, changes nothing."""
    task = {"key": KEY, "file": str(source.path), "options": {"parallel": 1}}
    with Relay(server.port).running() as relay:
        client = ali_oss.with_options(endpoint=f"http://localhost:{relay.port}", timeout=1500)
        relay.break_once(STALL, "PUT", "partNumber=2&")
        with client.start("upload", **task) as running:
            timed_out, checkpoint = running.error(), running.checkpoint()
        relay.break_once(LOSE_ANSWER, "PUT", "partNumber=3&")
        with client.start("upload", **task, checkpoint=checkpoint) as running:
            part_lost, checkpoint = running.error(), running.checkpoint()
        relay.break_once(LOSE_ANSWER, "POST", "uploadId=")
        with client.start("upload", **task, checkpoint=checkpoint) as running:
            complete_lost, checkpoint = running.error(), running.checkpoint()
        done = client.run("upload", **task, checkpoint=checkpoint)

    assert timed_out["name"] in {"ConnectionTimeoutError", "ResponseTimeoutError"}
    assert (part_lost["status"], complete_lost["status"]) == (-1, -1)
    # The part whose answer was lost is put twice, and only that one.
    assert sorted(parts_put(server, checkpoint["uploadId"])) == [1, 2, 3, 3, 4]
    assert done["etag"] == f'"{store.head_object(KEY).etag}"'
    assert stored_md5(store, KEY) == source.md5


def test_a1_36_abort_answers_204(server: Server, store: oss2.Bucket, ali_oss: AliOss, source: Source) -> None:
    """abortMultipartUpload(name, uploadId)."""
    told = ali_oss.run("aborted", key=KEY, file=str(source.path), options={"partSize": MIB}, after=1)

    assert told["abortStatus"] == 204
    assert len(logged(server, "AbortMultipartUpload", bucket=store.bucket_name, status=204)) == 1


def test_a1_37_after_abort_the_upload_id_is_unusable(server: Server, store: oss2.Bucket) -> None:
    """Every call with the id is NoSuchUpload, also for a part whose body was on its way."""
    upload_id = store.init_multipart_upload(KEY).upload_id
    begun, aborted = threading.Event(), threading.Event()

    def slow_body() -> Iterator[bytes]:
        yield noise(SMALLEST_PART)
        begun.set()
        aborted.wait(30)
        yield noise(SMALLEST_PART)

    with ThreadPoolExecutor(1) as pool:
        part = pool.submit(refused, "NoSuchUpload", lambda: store.upload_part(KEY, upload_id, 1, slow_body()))
        assert begun.wait(30)
        store.abort_multipart_upload(KEY, upload_id)
        aborted.set()
        in_flight = part.result(60)

    assert (in_flight.status, in_flight.details["EC"]) == (404, "0017-00000244")
    assert in_flight.details["UploadId"] == upload_id
    refused("NoSuchUpload", lambda: store.list_parts(KEY, upload_id))
    refused("NoSuchUpload", lambda: store.abort_multipart_upload(KEY, upload_id))
    refused("NoSuchUpload", lambda: store.complete_multipart_upload(KEY, upload_id, []))
    assert server.parts_put(store.bucket_name) == []


def test_a1_38_after_abort_the_bytes_are_gone(make_server: Callable[..., Server]) -> None:
    """The parts' bytes leave the disk within a second."""
    server = make_server()
    store = oss2_bucket(server, "aborted")
    store.create_bucket()
    upload_id = store.init_multipart_upload(KEY).upload_id
    blobs = server.data / "blobs"
    put_parts(store, upload_id, [noise(4 * MIB, seed=1), noise(4 * MIB, seed=2)])
    assert bytes_below(blobs) == 8 * MIB

    store.abort_multipart_upload(KEY, upload_id)

    assert eventually(lambda: bytes_below(blobs) == 0, within_s=1)


def test_a1_39_abort_and_complete_have_one_order(store: oss2.Bucket) -> None:
    """Of an abort and a Complete at the same time exactly one succeeds, and the object agrees with it."""
    for turn in range(10):
        key = f"{KEY}-{turn}"
        upload_id = store.init_multipart_upload(key).upload_id
        parts = put_parts(store, upload_id, [b"part"], key=key)
        barrier = threading.Barrier(2)

        def attempt(call: Callable[[], object], barrier: threading.Barrier = barrier) -> str:
            barrier.wait(30)
            try:
                call()
            except oss2.exceptions.ServerError as error:
                return str(error.code)
            return "done"

        with ThreadPoolExecutor(2) as pool:
            complete = pool.submit(attempt, partial(store.complete_multipart_upload, key, upload_id, parts))
            abort = pool.submit(attempt, partial(store.abort_multipart_upload, key, upload_id))
            ends = {"complete": complete.result(60), "abort": abort.result(60)}

        assert sorted(ends.values()) == ["NoSuchUpload", "done"], ends
        assert store.object_exists(key) == (ends["complete"] == "done")
    assert store.list_multipart_uploads().upload_list == []


def test_a1_40_parts_are_listed_in_pages(store: oss2.Bucket) -> None:
    """listParts(name, uploadId): max-parts, part-number-marker and encoding-type while the upload is open."""
    key = "a key &.bin"
    upload_id = store.init_multipart_upload(key).upload_id
    for number in (5, 1, 9):
        store.upload_part(key, upload_id, number, b"x" * number)

    first = store.list_parts(key, upload_id, max_parts=2)
    rest = store.list_parts(key, upload_id, marker=first.next_marker, max_parts=2)

    assert [(part.part_number, part.size) for part in first.parts] == [(1, 1), (5, 5)]
    assert (first.is_truncated, first.next_marker) == (True, "5")
    assert [part.part_number for part in rest.parts] == [9]
    assert not rest.is_truncated
    assert first.parts[0].etag == hashlib.md5(b"x").hexdigest().upper()
    refused("InvalidArgument", lambda: store.list_parts(key, upload_id, max_parts=1001))
    answer = store._do(
        "GET", store.bucket_name, key, params={"uploadId": upload_id, "encoding-type": "url"}
    ).response.content
    assert ET.fromstring(answer).findtext("Key") == "a%20key%20%26.bin"


def test_a1_41_uploads_are_listed(ali_oss: AliOss, source: Source) -> None:
    """listUploads({"max-uploads": 100}) names the key, the id and when it was initiated."""
    done = ali_oss.run("listing", key=KEY, file=str(source.path), options={"partSize": MIB}, after=1)

    (task,) = done["seen"]["uploads"]
    initiated = datetime.strptime(task["initiated"], "%Y-%m-%dT%H:%M:%S.000Z").replace(tzinfo=UTC)
    assert (task["name"], task["uploadId"]) == (KEY, done["seen"]["checkpoint"]["uploadId"])
    assert abs(datetime.now(UTC) - initiated) < timedelta(seconds=60)


def test_a1_42_uploads_are_listed_with_every_parameter_and_after_restart(
    make_server: Callable[..., Server],
) -> None:
    """prefix, delimiter, both markers and pages over a stable order, the same after a restart."""
    server = make_server()
    store = oss2_bucket(server, "listing")
    store.create_bucket()
    keys = ["a", "b/1", "b/2", "c", "c", "c", "ü&"]
    begun = {store.init_multipart_upload(key).upload_id for key in keys}

    def pages(**asked: Any) -> tuple[list[str], list[str], list[str]]:
        found: list[Any] = []
        prefixes: list[str] = []
        markers = ("", "")
        while True:
            page = store.list_multipart_uploads(
                key_marker=markers[0], upload_id_marker=markers[1], max_uploads=2, **asked
            )
            found += page.upload_list
            prefixes += page.prefix_list
            if not page.is_truncated:
                return [item.key for item in found], prefixes, [item.upload_id for item in found]
            markers = (page.next_key_marker, page.next_upload_id_marker)

    before = pages()
    server.restart()

    assert pages() == before
    assert before[0] == keys
    assert set(before[2]) == begun
    assert pages(prefix="c")[0] == ["c", "c", "c"]
    assert pages(delimiter="/")[:2] == (["a", "c", "c", "c", "ü&"], ["b/"])
    assert pages(prefix="b/", delimiter="/")[0] == ["b/1", "b/2"]


def test_a1_43_completed_and_aborted_uploads_are_not_listed(store: oss2.Bucket) -> None:
    """They are absent at once."""
    completed, aborted, left = (store.init_multipart_upload(KEY).upload_id for _ in range(3))

    store.complete_multipart_upload(KEY, completed, put_parts(store, completed, [b"x"]))
    after_complete = [item.upload_id for item in store.list_multipart_uploads().upload_list]
    store.abort_multipart_upload(KEY, aborted)
    after_abort = [item.upload_id for item in store.list_multipart_uploads().upload_list]

    assert set(after_complete) == {aborted, left}
    assert after_abort == [left]


def test_a1_44_a_part_is_copied_from_an_object(make_server: Callable[..., Server]) -> None:
    """UploadPartCopy of a whole object and of a range; whole parts move no data."""
    server = make_server()
    store = oss2_bucket(server, "copying")
    store.create_bucket()
    body = noise(8 * MIB)
    uploaded(store, [body], key="origin")
    before = bytes_below(server.data / "blobs")
    upload_id = store.init_multipart_upload(KEY).upload_id

    whole = store.upload_part_copy("copying", "origin", None, KEY, upload_id, 1)
    after_whole = bytes_below(server.data / "blobs")
    ranged = store.upload_part_copy("copying", "origin", (10, 19), KEY, upload_id, 2)
    parts = [oss2.models.PartInfo(1, whole.etag), oss2.models.PartInfo(2, ranged.etag)]
    store.complete_multipart_upload(KEY, upload_id, parts)

    assert store.get_object(KEY).read() == body + body[10:20]
    assert after_whole == before
    store.delete_object("origin")
    assert store.get_object(KEY).read() == body + body[10:20]


def test_a1_45_the_etag_must_be_exposed_to_the_browser(
    server: Server, store: oss2.Bucket, browser: Browser, site: Site, source: Source
) -> None:
    """FAQ 1: without ETag in ExposeHeader the SDK says so; with ETag and x-oss-request-id it works."""
    tab = FlowPage.open(
        browser.new_context(), f"{site.origin}/flows-6.18.html", client_options(server, store.bucket_name)
    )
    tab.pick(source.path)

    allow_browsers(store, expose=["x-oss-request-id"])
    error = tab.fails("upload", key=KEY, options={})
    allow_browsers(store, expose=["ETag", "x-oss-request-id"])
    done = tab.run("upload", key=KEY, options={})

    assert "set the etag of expose-headers in OSS" in error["message"]
    assert done["headers"]["x-oss-request-id"]
    assert done["etag"] == f'"{store.head_object(KEY).etag}"'


def test_a1_46_a_storage_class_on_complete_is_not_supported(store: oss2.Bucket) -> None:
    """FAQ 2: the exact message and its EC."""
    upload_id = store.init_multipart_upload(KEY).upload_id
    parts = put_parts(store, upload_id, [b"x"])
    headers = {"x-oss-storage-class": "IA"}

    error = refused(
        "OperationNotSupported",
        lambda: store.complete_multipart_upload(KEY, upload_id, parts, headers=headers),
    )

    assert (error.status, error.message) == (400, "The operation is not supported for this resource.")
    assert error.details["EC"] == "0042-00000202"
    store.complete_multipart_upload(KEY, upload_id, parts)


def test_a1_47_every_answer_can_be_traced(server: Server, store: oss2.Bucket) -> None:
    """x-oss-request-id and x-oss-server-time on every answer; RequestId and HostId in every error."""
    done = store.put_object(KEY, b"x")
    assert done.resp.headers["x-oss-server-time"].isdigit()
    status, headers, body = server.request("GET", f"/{store.bucket_name}/{KEY}")
    error = ET.fromstring(body)

    assert status == 403
    for request_id in (done.request_id, headers["x-oss-request-id"]):
        assert len(request_id) == 24
        assert set(request_id) <= set("0123456789ABCDEF")
    assert error.findtext("RequestId") == headers["x-oss-request-id"]
    assert error.findtext("HostId") == server.host
    assert [line["request_id"] for line in logged(server, "PutObject", bucket=store.bucket_name)] == [
        done.request_id
    ]


def test_a1_48_every_kind_of_signature_is_checked(server: Server, store: oss2.Bucket) -> None:
    """V1 and V4 in header and URL, and a PostObject policy: each works, and each is refused with a wrong secret."""
    name = store.bucket_name
    for secret, good in ((server.access_key_secret, True), ("wrong", False)):
        for auth in (oss2.Auth(server.access_key_id, secret), oss2.AuthV4(server.access_key_id, secret)):
            client = oss2.Bucket(auth, server.endpoint, name, region=server.region, is_path_style=True)
            url = client.sign_url("PUT", KEY, 60, slash_safe=True)
            status = server.request("PUT", url.removeprefix(server.endpoint), body=b"by url")[0]
            assert status == (200 if good else 403)
            if good:
                client.put_object(KEY, b"by header")
            else:
                refused("SignatureDoesNotMatch", partial(client.put_object, KEY, b"x"))
        assert post_object(server, name, secret) == (204 if good else 403)
    assert store.get_object("posted").read() == b"by form"


def post_object(server: Server, bucket: str, secret: str) -> int:
    """PostObject with a V1 policy signature; the status."""
    expiration = (datetime.now(UTC) + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    policy = base64.b64encode(
        json.dumps({"expiration": expiration, "conditions": [["eq", "$key", "posted"]]}).encode()
    ).decode()
    signature = base64.b64encode(hmac.new(secret.encode(), policy.encode(), hashlib.sha1).digest()).decode()
    fields = {
        "key": "posted",
        "OSSAccessKeyId": server.access_key_id,
        "policy": policy,
        "Signature": signature,
    }
    form = "".join(
        f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    form += (
        '--edge\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nby form\r\n--edge--\r\n'
    )
    content_type = {"Content-Type": "multipart/form-data; boundary=edge"}
    return server.request("POST", f"/{bucket}/", headers=content_type, body=form.encode())[0]


def test_a1_49_the_demo_of_100_mb_lists_and_aborts(
    server: Server, store: oss2.Bucket, browser: Browser, site: Site, tmp_path: Path
) -> None:
    """A `File` of 100 MB in the browser: parts and task are listed while it goes up, then it is aborted."""
    allow_browsers(store)
    source = source_file(tmp_path, 100 * MIB)
    tab = FlowPage.open(
        browser.new_context(), f"{site.origin}/flows-latest.html", client_options(server, store.bucket_name)
    )
    tab.pick(source.path)

    told = tab.run("aborted", key=KEY, options={}, after=10)

    assert told["abortStatus"] == 204
    assert told["error"]["name"] == "abort"
    assert parts_put(server, told["uploadId"]) == list(range(1, 11))
    assert told["uploads"] == []


@pytest.mark.parametrize("page", ["multipart-upload.md", "multipart-upload.zh.md"])
def test_a1_50_the_documentation_has_each_topic_of_the_seed(page: str) -> None:
    """Every topic has a section with the call that does it, and the FAQ has the two messages as clients show them."""
    text = (ROOT / "docs" / page).read_text()

    sections = re.split(r"^#{2,3} ", text, flags=re.MULTILINE)[1:]
    topics = (
        "client.multipartUpload(",
        "checkpoint",
        "client.abortMultipartUpload(",
        "client.listParts(",
        "client.listUploads(",
        "customValue",
        "stsToken",
        "ExposeHeader|expose_headers|expose-headers",
        "ConnectionTimeoutError",
    )
    for topic in topics:
        words = topic.split("|")
        assert any(word in section for word in words for section in sections), topic
    faq = sections[-1]
    for message in (
        "Please set the etag of expose-headers in OSS",
        "The operation is not supported for this resource",
    ):
        assert message in faq
