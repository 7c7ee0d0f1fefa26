"""Upload-request links against a real server, by a visitor who does not keep to what the page would do."""

from __future__ import annotations

import base64
import http.client
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from mossaic.protocol.signing import post, rpc
from tests.e2e.conftest import new_bucket
from tests.e2e.console.caller import Answer, Caller
from tests.e2e.harness import ACCOUNT_ID, PART, noise, statement

if TYPE_CHECKING:
    from tests.e2e.harness import Server


class Link:
    """A link on a bucket, and visits of it."""

    def __init__(self, root: Caller, bucket: str, **wish: Any) -> None:
        self.root, self.bucket = root, bucket
        answer = root.api("POST", "requests", {"bucket": bucket, "prefix": "in", **wish})
        assert answer.status == 200, answer.body
        self.made: dict[str, Any] = answer.json["request"]
        self.url: str = answer.json["url"]
        self.id, self.secret = self.url.partition("#")[2].split(".")

    def open(self, **more: Any) -> Answer:
        return Caller(server=self.root.server).api(
            "POST", "requests/open", {"id": self.id, "secret": self.secret, **more}
        )

    def visit(self, **more: Any) -> Visit:
        answer = self.open(**more)
        assert answer.status == 200, answer.body
        return Visit(self, answer.json)

    def now(self) -> dict[str, Any]:
        found = self.root.api("GET", "requests", bucket=self.bucket).json["requests"]
        one: dict[str, Any] = next(each for each in found if each["id"] == self.id)
        return one

    def revoke(self) -> Answer:
        return self.root.api("DELETE", "requests", id=self.id)


class Visit:
    """Somebody who has opened the link."""

    def __init__(self, link: Link, opened: dict[str, Any]) -> None:
        self.link, self.opened = link, opened
        self.folder: str = opened["folder"]
        self.caller = link.root.by(opened)

    def send(self, method: str, name: str, body: bytes = b"", **more: Any) -> Answer:
        return self.caller.send(method, self.link.bucket, self.folder + name, body=body, **more)

    def put(self, name: str, body: bytes = b"hello", **more: Any) -> Answer:
        return self.send("PUT", name, body, **more)

    def begin(self, name: str) -> str:
        answer = self.send("POST", name, query={"uploads": ""})
        assert answer.status == 200, answer.body
        return answer.element("UploadId")

    def part(self, name: str, upload_id: str, number: int, body: bytes, **more: Any) -> Answer:
        query = {"uploadId": upload_id, "partNumber": str(number)}
        return self.send("PUT", name, body, query=query, **more)

    def complete(self, name: str, upload_id: str) -> Answer:
        return self.send("POST", name, query={"uploadId": upload_id}, headers={"x-oss-complete-all": "yes"})

    def abort(self, name: str, upload_id: str) -> Answer:
        return self.send("DELETE", name, query={"uploadId": upload_id})


@pytest.fixture
def root(server: Server) -> Caller:
    return Caller.root(server)


def refused(answer: Answer, code: str, ec: str = "") -> None:
    assert answer.code == code, (answer.status, answer.body)
    assert ec in answer.ec, answer.body


BEYOND, ENDED = "0099-00000002", "0099-00000001"


# --- making, listing ---------------------------------------------------------------------------------------------------


def test_a_link_is_made_with_sensible_limits_and_its_url_is_told_once(root: Caller, bucket: str) -> None:
    link = Link(root, bucket, title="Photos of the day")

    assert link.url.startswith(f"{root.server.endpoint}/-/drop/#")
    assert link.made["prefix"] == "in/"
    assert (link.made["max_objects"], link.made["state"]) == (100, "open")
    shown = json.dumps(root.api("GET", "requests", bucket=bucket).json)
    assert link.id in shown
    assert link.secret not in shown


@pytest.mark.parametrize(
    "wish",
    [
        {"max_objects": 0},
        {"max_total_bytes": -1},
        {"expires_s": 1},
        {"expires_s": 10**9},
        {"prefix": "/in"},
        {"prefix": "x" * 600},
        {"title": "x" * 300},
        {"max_objects": "many"},
    ],
)
def test_a_wish_that_cannot_be_is_refused(root: Caller, bucket: str, wish: dict[str, Any]) -> None:
    assert root.api("POST", "requests", {"bucket": bucket, **wish}).status == 400


def test_a_user_needs_the_right_to_make_links_and_to_write_there(
    server: Server, root: Caller, bucket: str
) -> None:
    everything = statement(
        "Allow", ["oss:PutObject", "mossaic:PutUploadRequest"], f"acs:oss:*:*:{bucket}/in/*"
    )
    writer = statement("Allow", "oss:PutObject", f"acs:oss:*:*:{bucket}/*")
    maker_key = server.make_user(f"maker-{bucket}", everything)
    writer_key = server.make_user(f"writer-{bucket}", writer)
    maker, other = (
        Caller(server=server, access_key_id=key_id, secret=secret)
        for key_id, secret in (maker_key, writer_key)
    )

    refused(other.api("POST", "requests", {"bucket": bucket, "prefix": "in"}), "AccessDenied")
    refused(maker.api("POST", "requests", {"bucket": bucket, "prefix": "elsewhere"}), "AccessDenied")
    refused(maker.api("GET", "requests", bucket=bucket), "AccessDenied")
    link = Link(maker, bucket)
    assert link.made["created_by"] == f"maker-{bucket}"
    visit = link.visit()
    assert visit.put("a").status == 200

    server.cli("user", "detach", f"maker-{bucket}", f"maker-{bucket}-policy")
    until = time.monotonic() + 10
    count = 0
    while (answer := visit.put(f"b{count}")).status == 200:  # credentials are kept for a second
        assert time.monotonic() < until
        count += 1
    refused(answer, "AccessDenied")


# --- what a visit may do -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shared(server: Server) -> Link:
    """One link for tests that leave it as it is."""
    return Link(Caller.root(server), new_bucket(server))


def test_a_visitor_drops_files_whole_and_in_parts(root: Caller, bucket: str) -> None:
    link = Link(root, bucket, max_objects=3)
    visit = link.visit()
    body = noise(PART + 10)

    assert visit.put("small.txt").status == 200
    assert visit.send("HEAD", "small.txt").status == 200, "to learn whether it arrived"
    assert visit.send("HEAD", "other.txt").status == 404
    upload_id = visit.begin("big.bin")
    assert visit.part("big.bin", upload_id, 1, body[:PART]).status == 200
    assert visit.part("big.bin", upload_id, 2, body[PART:]).status == 200
    assert visit.send("GET", "big.bin", query={"uploadId": upload_id}).status == 200
    assert visit.complete("big.bin", upload_id).status == 200

    assert visit.complete("big.bin", upload_id).status == 200, "a repeated Complete has the first answer"
    assert root.send("GET", bucket, visit.folder + "big.bin").body == body
    now = link.now()
    assert (now["used_objects"], now["used_bytes"], now["held_bytes"]) == (2, len(body) + 5, 0)
    log = [line for line in root.server.log_lines(bucket=bucket) if line["key"] == visit.folder + "small.txt"]
    assert f"upload-request/{link.id}/" in log[0]["principal"]


@pytest.mark.parametrize(
    ("method", "name", "more"),
    [
        ("GET", "a", {}),
        ("DELETE", "a", {}),
        ("POST", "a", {"query": {"append": "", "position": "0"}}),
        ("PUT", "a", {"headers": {"x-oss-copy-source": "/b/k"}}),
        ("PUT", "a", {"query": {"symlink": ""}, "headers": {"x-oss-symlink-target": "b"}}),
        ("PUT", "a", {"query": {"acl": ""}, "headers": {"x-oss-object-acl": "public-read"}}),
        ("PUT", "a", {"query": {"tagging": ""}}),
        ("PUT", "a", {"headers": {"x-oss-object-acl": "public-read"}}),
        ("PUT", "a", {"headers": {"x-oss-tagging": "a=b"}}),
        ("PUT", "a", {"headers": {"x-oss-storage-class": "Archive"}}),
        ("PUT", "a", {"headers": {"x-oss-callback": "e30="}}),
        ("PUT", "a", {"query": {"callback": "e30="}}),
        ("PUT", "a", {"headers": {"x-oss-persistent-headers": "a:Yg=="}}),
        ("POST", "a", {"query": {"uploads": ""}, "headers": {"x-oss-object-acl": "public-read"}}),
    ],
)
def test_a_visitor_may_only_write_new_files(
    shared: Link, method: str, name: str, more: dict[str, Any]
) -> None:
    answer = shared.visit().send(method, name, **more)

    assert answer.status == 403, (answer.status, answer.body)
    refused(answer, "AccessDenied", BEYOND)


def test_a_visitor_reaches_nothing_else(shared: Link) -> None:
    visit, other = shared.visit(), shared.visit()
    assert other.put("theirs").status == 200

    for bucket, key in (
        (shared.bucket, "a"),
        (shared.bucket, "in/a"),
        (shared.bucket, other.folder + "a"),
        (shared.bucket, visit.folder.rstrip("/")),
        (shared.bucket, visit.folder),
        ("another-bucket", visit.folder + "a"),
    ):
        assert visit.caller.send("PUT", bucket, key, body=b"x").status in (403, 404), (bucket, key)
    refused(visit.caller.send("GET", shared.bucket, ""), "AccessDenied")
    refused(visit.caller.send("GET", shared.bucket, "", query={"uploads": ""}), "AccessDenied")
    refused(visit.caller.api("GET", "session"), "AccessDenied", BEYOND)
    refused(visit.caller.api("POST", "session", {}), "AccessDenied", BEYOND)
    refused(visit.caller.api("POST", "requests", {"bucket": shared.bucket}), "AccessDenied", BEYOND)
    refused(visit.caller.api("GET", "requests", bucket=shared.bucket), "AccessDenied", BEYOND)


def test_a_visitor_cannot_post_a_form(shared: Link) -> None:
    visit = shared.visit()
    fields = {"key": visit.folder + "form", "x-oss-security-token": visit.opened["securityToken"]}
    fields |= {"OSSAccessKeyId": visit.opened["accessKeyId"]}
    rules = {"expiration": "2099-01-01T00:00:00Z", "conditions": [{"bucket": shared.bucket}]}
    policy = base64.b64encode(json.dumps(rules).encode()).decode()
    fields |= {"policy": policy, "Signature": post.signature_v1(visit.opened["accessKeySecret"], policy)}
    parts = [f'--b\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
    parts.append('--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nx\r\n--b--\r\n')

    status, _, body = shared.root.server.request(
        "POST",
        f"/{shared.bucket}/",
        headers={"Content-Type": "multipart/form-data; boundary=b"},
        body="".join(parts).encode(),
    )

    assert status == 403, body
    assert BEYOND.encode() in body


def test_a_visitor_does_not_learn_from_sts_who_made_the_link(shared: Link) -> None:
    opened = shared.visit().opened
    asked = {
        "Action": "GetCallerIdentity",
        "Version": "2015-04-01",
        "Format": "JSON",
        "AccessKeyId": opened["accessKeyId"],
        "SecurityToken": opened["securityToken"],
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        "SignatureNonce": opened["accessKeyId"],
        "Timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    signed = rpc.string_to_sign("POST", tuple(asked.items()))
    asked["Signature"] = rpc.signature(opened["accessKeySecret"], signed)

    status, _, body = shared.root.server.request(
        "POST",
        "/",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        body=urlencode(asked).encode(),
    )

    assert (status, json.loads(body)["Code"]) == (403, "NoPermission")
    assert ACCOUNT_ID.encode() not in body


def test_another_visit_does_not_see_the_uploads_of_this_one(shared: Link) -> None:
    """Also where the address would let it: the owner begins an upload in the visit's folder."""
    visit = shared.visit()
    owners = shared.root.send("POST", shared.bucket, visit.folder + "o", query={"uploads": ""})
    upload_id = owners.element("UploadId")

    refused(visit.part("o", upload_id, 1, b"x"), "NoSuchUpload")
    refused(visit.send("GET", "o", query={"uploadId": upload_id}), "NoSuchUpload")
    refused(visit.complete("o", upload_id), "NoSuchUpload")
    refused(visit.abort("o", upload_id), "NoSuchUpload")


def test_a_visit_goes_on_with_its_token_and_a_new_one_has_another_folder(shared: Link) -> None:
    visit = shared.visit()
    upload_id = visit.begin("a")

    again = shared.visit(session=visit.opened["securityToken"])

    assert again.folder == visit.folder
    assert again.opened["accessKeyId"] != visit.opened["accessKeyId"]
    assert again.part("a", upload_id, 1, b"x").status == 200
    assert shared.visit().folder != visit.folder
    assert shared.visit(session="nonsense").folder != visit.folder


def test_nothing_is_overwritten_whatever_the_visitor_says(root: Caller, bucket: str) -> None:
    link = Link(root, bucket)
    visit = link.visit()
    assert visit.put("a", b"first").status == 200

    for number in range(2):
        refused(visit.put("a", b"second", headers={"x-oss-forbid-overwrite": "false"}), "FileAlreadyExists")
        refused(visit.send("POST", "a", query={"uploads": ""}), "FileAlreadyExists")
        if number == 0:
            body = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
            assert root.send("PUT", bucket, "", query={"versioning": ""}, body=body).status == 200
    assert root.send("GET", bucket, visit.folder + "a").body == b"first"


# --- limits ------------------------------------------------------------------------------------------------------------


def test_a_file_that_is_too_large_is_refused_before_its_body(root: Caller, bucket: str) -> None:
    link = Link(root, bucket, max_object_bytes=PART, max_total_bytes=3 * PART)
    visit = link.visit()

    refused(visit.put("a", b"", declared=PART + 1), "EntityTooLarge", "0099-00000003")
    upload_id = visit.begin("b")
    refused(visit.part("b", upload_id, 1, b"", declared=PART + 1), "EntityTooLarge", "0099-00000003")
    assert visit.part("b", upload_id, 1, noise(PART)).status == 200
    refused(visit.part("b", upload_id, 2, b"x"), "EntityTooLarge", "0099-00000003")
    assert visit.complete("b", upload_id).status == 200


def test_a_body_of_unknown_length_is_stopped_at_the_limit(root: Caller, bucket: str) -> None:
    link = Link(root, bucket, max_object_bytes=PART)
    visit = link.visit()

    for query in ({}, {"uploadId": visit.begin("c"), "partNumber": "1"}):
        target, headers = visit.caller.signed("PUT", bucket, visit.folder + "c", query=query, headers={})
        connection = http.client.HTTPConnection("127.0.0.1", root.server.port, timeout=20)
        body = iter([noise(PART), noise(PART)])
        connection.request("PUT", target, body=body, headers=headers, encode_chunked=True)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        assert (answer.status, b"0099-00000003" in text) == (400, True), text
    assert link.now()["held_bytes"] == 0


def test_the_total_counts_open_parts_and_an_abort_gives_them_back(root: Caller, bucket: str) -> None:
    link = Link(root, bucket, max_total_bytes=2 * PART)
    visit = link.visit()
    upload_id = visit.begin("a")
    assert visit.part("a", upload_id, 1, noise(PART)).status == 200
    assert visit.part("a", upload_id, 1, noise(PART)).status == 200, "sent again, counted once"
    assert visit.put("b", noise(PART)).status == 200

    refused(visit.put("c", b"x"), "EntityTooLarge", "0099-00000004")
    refused(visit.part("a", upload_id, 2, b"x"), "EntityTooLarge", "0099-00000004")
    assert (link.now()["used_bytes"], link.now()["held_bytes"]) == (PART, PART)
    assert visit.abort("a", upload_id).status == 204
    assert link.now()["held_bytes"] == 0
    assert visit.put("c", noise(PART)).status == 200
    assert link.now()["state"] == "full"


def test_of_many_completes_for_the_last_places_as_many_win_as_there_are(root: Caller, bucket: str) -> None:
    link = Link(root, bucket, max_objects=3)
    visits = [link.visit() for _ in range(8)]
    uploads = [visit.begin("a") for visit in visits]
    for visit, upload_id in zip(visits, uploads, strict=True):
        assert visit.part("a", upload_id, 1, b"x").status == 200

    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda pair: pair[0].complete("a", pair[1]), zip(visits, uploads, strict=True))
        )

    lost = [answer for answer in answers if answer.status != 200]
    assert len(lost) == 5
    for answer in lost:
        refused(answer, "AccessDenied", "0099-00000005")
    now = link.now()
    assert (now["used_objects"], now["used_bytes"], now["held_bytes"]) == (3, 3, 5)
    refused(visits[0].send("POST", "b", query={"uploads": ""}), "AccessDenied", "0099-00000005")
    refused(visits[0].put("b"), "AccessDenied", "0099-00000005")


# --- the end -----------------------------------------------------------------------------------------------------------


def test_a_revoked_link_stops_at_once_and_frees_what_was_unfinished(root: Caller, bucket: str) -> None:
    link = Link(root, bucket)
    visit = link.visit()
    upload_id = visit.begin("a")
    assert visit.part("a", upload_id, 1, noise(PART)).status == 200

    answer = link.revoke()

    assert answer.json["request"]["state"] == "revoked"
    assert answer.json["request"]["held_bytes"] == 0
    uploads = root.send("GET", bucket, "", query={"uploads": ""})
    assert uploads.element("UploadId") == ""
    assert visit.put("b").status == 403
    assert visit.part("a", upload_id, 2, b"x").status in (403, 404)
    refused(link.open(), "AccessDenied", ENDED)
    assert link.revoke().status == 200, "again is no error"


def test_a_revoked_link_stops_a_body_in_flight(root: Caller, bucket: str) -> None:
    link = Link(root, bucket)
    visit = link.visit()
    size = 4_000_000
    query = {"uploadId": visit.begin("a"), "partNumber": "1"}
    target, headers = visit.caller.signed("PUT", bucket, visit.folder + "a", query=query, headers={})
    connection = http.client.HTTPConnection("127.0.0.1", root.server.port, timeout=20)
    connection.putrequest("PUT", target)
    for name, value in {**headers, "content-length": str(size)}.items():
        connection.putheader(name, value)
    connection.endheaders()
    connection.send(noise(1_000_000))

    assert link.revoke().status == 200
    done = threading.Event()

    def rest() -> None:
        try:
            connection.send(noise(size - 1_000_000))
        except OSError:  # the server hung up in the middle
            pass
        finally:
            done.set()

    threading.Thread(target=rest, daemon=True).start()
    answer = connection.getresponse()
    text = answer.read()

    assert answer.status in (403, 404), text
    assert done.wait(20)
    connection.close()
    assert root.send("GET", bucket, "", query={"uploads": ""}).element("UploadId") == ""


def test_unknown_wrong_and_ended_links_look_alike(root: Caller, bucket: str) -> None:
    link, gone = Link(root, bucket), Link(root, bucket)
    gone.revoke()
    anybody = Caller(server=root.server)

    answers = [
        anybody.api("POST", "requests/open", given)
        for given in (
            {"id": link.id, "secret": "wrong"},
            {"id": "unknown", "secret": link.secret},
            {"id": gone.id, "secret": gone.secret},
            {"id": link.id},
            {},
        )
    ]

    said = {(each.status, each.code, each.ec, each.element("Message")) for each in answers}
    assert said == {(403, "AccessDenied", ENDED, "The upload-request link is not valid, or it has ended.")}


def test_whoever_guesses_has_to_wait(make_server: Any) -> None:
    server = make_server()
    anybody = Caller(server=server)

    answers = [anybody.api("POST", "requests/open", {"id": "x", "secret": "y"}) for _ in range(31)]

    assert {each.status for each in answers[:30]} == {403}
    assert (answers[30].status, answers[30].headers["retry-after"]) == (503, "60")


def test_the_secret_is_in_no_log_and_not_in_the_database(root: Caller, bucket: str) -> None:
    link = Link(root, bucket)
    visit = link.visit()
    visit.put("a")

    log = json.dumps(root.server.log_lines())
    stored = b"".join(file.read_bytes() for file in root.server.data.glob("metadata.db*"))
    assert link.secret not in log
    assert visit.opened["accessKeySecret"] not in log
    assert link.secret.encode() not in stored


def test_links_and_counts_survive_a_crash(make_server: Any) -> None:
    """Killed right after an answer: what was answered is counted, and the visit goes on."""
    server = make_server()
    root = Caller.root(server)
    assert root.send("PUT", "crash-bucket", "").status == 200
    link = Link(root, "crash-bucket", max_objects=2)
    visit = link.visit()
    upload_id = visit.begin("b")
    assert visit.part("b", upload_id, 1, b"xyz").status == 200
    assert visit.put("a").status == 200

    server.kill()
    server.start()

    now = link.now()
    assert (now["used_objects"], now["used_bytes"], now["held_bytes"]) == (1, 5, 3)
    assert visit.complete("b", upload_id).status == 200
    refused(visit.put("c"), "AccessDenied", "0099-00000005")
