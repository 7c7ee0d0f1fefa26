"""The web page and its API as a target: what it serves, who may call it, what it repeats, and objects that would be part of it.

Class: MinIO CVE-2023-28432, RustFS GHSA-v9fg: a console that keeps a login beside objects that anybody wrote.
"""

from __future__ import annotations

import base64
import json
import secrets
from pathlib import Path

import pytest

from mossaic.protocol.wire import Message
from tests.e2e.harness import CallbackReceiver, Server, b64_json, callback_fields
from tests.security.support import Asker, Reply, Stage, anonymous, exchange, send

PAGE = Path(__file__).parents[2] / "src/mossaic/page"
HTML = b"<script>parent.postMessage(sessionStorage.length, '*')</script>"
CALLS = (
    ("GET", "session"),
    ("POST", "session"),
    ("GET", "cors-test"),
    ("GET", "callbacks"),
    ("POST", "callbacks/replay"),
)
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "worker-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' blob: data:",
    "media-src": "'self' blob:",
    "connect-src": "'self'",
    "font-src": "'self'",
    "form-action": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


def api(
    asker: Asker, method: str, name: str, body: bytes = b"", query: dict[str, str] | None = None
) -> Reply:
    return asker.ask(Message(method=method, bucket="-", key=f"api/{name}", query=query or {}, body=body))


# --- the files --------------------------------------------------------------------------------------------------------


def test_every_file_comes_with_the_headers_that_keep_it_to_itself(server: Server) -> None:
    names = [
        str(path.relative_to(PAGE))
        for path in PAGE.rglob("*")
        if path.suffix in (".js", ".css", ".svg", ".txt")
    ]
    paths = ["/-/console/", "/-/console", *(f"/-/console/{name}" for name in names)]
    assert len(paths) > 20

    for path in paths:
        status, headers, _ = server.request("GET", path)
        assert status in (200, 308), path
        policy = dict(each.strip().split(" ", 1) for each in headers["content-security-policy"].split(";"))
        assert policy == POLICY, path
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "set-cookie" not in headers
        assert not any(name.startswith("access-control") for name in headers)


@pytest.mark.parametrize(
    "path",
    ["../__init__.py", "__init__.py", "..%2f__init__.py", "%2e%2e/config.py", "js/../../config.py", "js/", "js", "js/main.js/",
     "/js/main.js", "js//main.js", "js/main.js%00", "js\\main.js", "JS/main.js", "vendor/README.md", "%2fetc/passwd", "index.html/..",
     "....//config.py", "js/%6dain.js", ".", "..", "%00", "\xff"],
)  # fmt: skip
def test_a_path_is_a_name_on_a_list_and_nothing_else(server: Server, path: str) -> None:
    head = f"GET /-/console/{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode("latin-1")

    reply = exchange(server, head)

    assert reply is not None
    assert reply.status in (400, 404)
    assert reply.headers["content-type"] in ("application/xml", "text/plain")


def test_files_are_only_read(server: Server) -> None:
    for method in ("PUT", "POST", "DELETE", "PATCH"):
        assert server.request(method, "/-/console/js/main.js")[0] in (405, 501)


# --- who may call -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "name"), CALLS)
def test_a_call_takes_a_good_signature(server: Server, root: Asker, method: str, name: str) -> None:
    message = Message(method=method, bucket="-", key=f"api/{name}", body=b"{}" if method == "POST" else b"")
    forged = {
        "no signature": (anonymous(server, message), "AccessDenied"),
        "wrong secret": (root.but(secret="no").ask(message), "SignatureDoesNotMatch"),
        "unknown key": (root.but(access_key_id="nobody").ask(message), "InvalidAccessKeyId"),
        "made-up token": (root.but(access_key_id="STS.x", token="x").ask(message), "InvalidSecurityToken"),
        "old": (root.but(skew_s=-3600).ask(message), "RequestTimeTooSkewed"),
        "URL that expired": (root.but(skew_s=-3600).ask(message, "v4-url"), "AccessDenied"),
    }

    for why, (reply, code) in forged.items():
        assert (reply.status in (400, 403), reply.code) == (True, code), why


def test_a_signature_for_one_call_is_none_for_another(server: Server, root: Asker) -> None:
    message = Message(method="GET", bucket="-", key="api/session")
    target, headers = root.signed(message)

    for other in ("/-/api/callbacks?bucket=x", "/-/api/session?x-oss-process=y", "/x/api/session"):
        assert send(server, message, other, headers).status == 403
    assert send(server, message, target, headers).status == 200


def test_somebody_else_sees_and_sends_nothing(
    server: Server, root: Asker, stage: Stage, receiver: CallbackReceiver
) -> None:
    """A user with every right on another bucket."""
    headers = {"x-oss-callback": b64_json(callback_fields(receiver.url))}
    assert root("PUT", stage.bucket, "k", headers=headers).status == 200
    [record] = json.loads(api(root, "GET", "callbacks", query={"bucket": stage.bucket}).body)["callbacks"]
    policy = {
        "Version": "1",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "acs:oss:*:*:elsewhere*"}],
    }
    key, secret = server.make_user(f"other-{secrets.token_hex(4)}", policy)
    other = root.but(access_key_id=key, secret=secret)

    replies = [
        api(other, "GET", "callbacks", query={"bucket": stage.bucket}),
        api(other, "POST", "callbacks/replay", json.dumps({"id": record["id"]}).encode()),
        api(other, "GET", "cors-test", query={"bucket": stage.bucket, "origin": "http://a", "method": "GET"}),
    ]

    assert [(reply.status, reply.code) for reply in replies] == [(403, "AccessDenied")] * 3
    assert len(receiver.calls) == 1


def test_the_api_is_no_bucket_and_no_bucket_is_the_api(server: Server, root: Asker) -> None:
    message = Message(method="PUT", bucket="-")
    assert send(server, message, "/-", root.signed(message)[1]).code == "InvalidBucketName"
    for path in ("/%2D/api/session", "/-%2Fapi/session", "//-/api/session"):
        assert server.request("GET", path)[0] in (400, 403, 404)
    hosted = server.request("GET", "/-/api/service", headers={"Host": "some-bucket.localhost"})
    assert (hosted[0], b"NoSuchBucket" in hosted[2]) == (404, True)


def test_no_page_of_another_origin_is_let_in(server: Server, root: Asker) -> None:
    asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    for path in ("/-/api/session", "/-/console/"):
        status, headers, _ = server.request("OPTIONS", path, headers=asked)
        assert status == 405
        assert not any(name.startswith("access-control") for name in headers)
    reply = root.ask(
        Message(method="GET", bucket="-", key="api/session", headers={"Origin": "http://evil.example"})
    )
    assert not any(name.startswith("access-control") for name in reply.headers)


# --- secrets ----------------------------------------------------------------------------------------------------------


def test_no_secret_of_a_session_or_a_callback_is_logged(
    server: Server, root: Asker, stage: Stage, receiver: CallbackReceiver
) -> None:
    triple = json.loads(api(root, "POST", "session", b"{}").body)
    signed_in = root.but(
        access_key_id=triple["accessKeyId"], secret=triple["accessKeySecret"], token=triple["securityToken"]
    )
    word = f"body-{secrets.token_hex(8)}"
    headers = {"x-oss-callback": b64_json(callback_fields(receiver.url) | {"callbackBody": word})}
    assert signed_in("PUT", stage.bucket, "k", headers=headers).status == 200
    shown = api(signed_in, "GET", "callbacks", query={"bucket": stage.bucket})
    record = json.loads(shown.body)["callbacks"][0]
    assert api(signed_in, "POST", "callbacks/replay", json.dumps({"id": record["id"]}).encode()).status == 200
    api(signed_in, "POST", "callbacks/replay", b'{"id": "' + word.encode())

    server.log_lines()
    told = server.log.read_text() + server.output + server.request("GET", "/-/metrics")[2].decode()

    assert word in shown.body.decode()
    for secret in (triple["accessKeySecret"], triple["securityToken"], word, server.access_key_secret):
        assert secret not in told
        assert base64.b64encode(secret.encode()).decode() not in told
    for secret in (triple["accessKeySecret"], triple["securityToken"]):
        assert secret not in shown.body.decode()


def test_a_replay_goes_where_the_callback_went(
    server: Server, root: Asker, bucket: str, receiver: CallbackReceiver
) -> None:
    """And nowhere that the caller names; test_ssrf.py has the checks of the receiver."""
    headers = {"x-oss-callback": b64_json(callback_fields(receiver.url))}
    assert root("PUT", bucket, "k", headers=headers).status == 200
    [record] = json.loads(api(root, "GET", "callbacks", query={"bucket": bucket}).body)["callbacks"]
    again = json.dumps({"id": record["id"], "url": "http://169.254.169.254/", "body": "x"}).encode()

    reply = api(root, "POST", "callbacks/replay", again)

    assert json.loads(reply.body)["url"] == receiver.url
    assert [called.body for called in receiver.calls] == [record["body"].encode()] * 2


# --- objects at the page's origin -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type", ["text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "text/plain", ""]
)
def test_an_object_opened_by_a_link_has_no_part_in_the_pages_origin(
    root: Asker, bucket: str, content_type: str
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    assert root("PUT", bucket, "page.html", headers=headers, body=HTML).status == 200
    for method in ("GET", "HEAD"):
        message = Message(method=method, bucket=bucket, key="page.html")
        turned = Message(
            method=method, bucket=bucket, key="page.html", query={"response-content-type": "text/html"}
        )
        for reply in (root.ask(message, "v4-url"), root.ask(message, "v1-url"), root.ask(turned, "v4-url")):
            assert reply.status == 200
            assert reply.headers["content-security-policy"] == "sandbox"
            assert reply.headers["x-content-type-options"] == "nosniff"
            assert "content-disposition" not in reply.headers


def test_public_objects_are_fenced_as_well(server: Server, root: Asker, bucket: str) -> None:
    headers = {"Content-Type": "text/html", "x-oss-object-acl": "public-read"}
    assert root("PUT", bucket, "page.html", headers=headers, body=HTML).status == 200

    here = anonymous(server, Message(method="GET", bucket=bucket, key="page.html"))
    _, elsewhere, body = server.request("GET", "/page.html", headers={"Host": f"{bucket}.localhost"})

    assert (here.body, here.headers["content-security-policy"]) == (HTML, "sandbox")
    assert body == HTML
    assert "content-security-policy" not in elsewhere, "that is another origin, where a site may live"


def test_clients_that_sign_in_headers_see_no_difference(root: Asker, bucket: str) -> None:
    root("PUT", bucket, "k", headers={"Content-Type": "text/html"}, body=HTML)

    reply = root("GET", bucket, "k")

    assert "content-security-policy" not in reply.headers
    assert "x-content-type-options" not in reply.headers


def test_without_the_page_there_is_nothing_to_keep_objects_from(make_server) -> None:
    """A proxy may then make bucket and site one origin."""
    server: Server = make_server(CONSOLE_ENABLED="false")
    root = Asker.root(server)
    assert root("PUT", "site-bucket").status == 200
    headers = {"Content-Type": "text/javascript", "x-oss-object-acl": "public-read"}
    assert root("PUT", "site-bucket", "app.js", headers=headers, body=b"1").status == 200

    asked = {"Sec-Fetch-Dest": "script", "Sec-Fetch-Site": "same-origin"}
    reply = anonymous(server, Message(method="GET", bucket="site-bucket", key="app.js", headers=asked))

    assert (reply.status, reply.body) == (200, b"1")
    assert "content-security-policy" not in reply.headers
    assert "x-content-type-options" not in reply.headers


def test_a_document_for_a_viewer_is_not_kept_from_it(root: Asker, bucket: str) -> None:
    root("PUT", bucket, "a.pdf", headers={"Content-Type": "application/pdf"}, body=b"%PDF-")

    reply = root.ask(Message(method="GET", bucket=bucket, key="a.pdf"), "v4-url")

    assert "content-security-policy" not in reply.headers
    assert reply.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("kind", ["script", "worker", "serviceworker", "style"])
def test_an_object_is_no_script_of_the_page(server: Server, root: Asker, bucket: str, kind: str) -> None:
    headers = {"Content-Type": "text/javascript", "x-oss-object-acl": "public-read"}
    root("PUT", bucket, "evil.js", headers=headers, body=b"alert(1)")
    same = {"Sec-Fetch-Dest": kind, "Sec-Fetch-Site": "same-origin"}

    def status(**changes: str) -> int:
        asked = same | {name.replace("_", "-"): value for name, value in changes.items()}
        return anonymous(server, Message(method="GET", bucket=bucket, key="evil.js", headers=asked)).status

    assert status() == 403
    assert status(Sec_Fetch_Site="cross-site") == 200
    assert status(Sec_Fetch_Dest="image") == 200
