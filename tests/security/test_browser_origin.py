"""What browsers make of the answers: nothing here gives a page more than its own credentials.

Class: RustFS GHSA-v9fg, -7gcx, -x5xv. There is no cookie and no `Allow-Credentials`, and what the web page keeps is out of reach of
objects (test_console.py). They keep the type and disposition that their writers gave them, as with OSS behind a domain of one's
own; docs/security.md says when to serve strangers' objects from a host of their own.
"""

from __future__ import annotations

import pytest

from mossaic.protocol.wire import Message
from tests.e2e.harness import Server
from tests.security.support import Asker, Stage, anonymous

HTML = b"<script>alert(document.domain)</script>"
XSS = "<script>alert(1)</script>"


def cors(root: Asker, bucket: str, *origins: str) -> None:
    listed = "".join(f"<AllowedOrigin>{origin}</AllowedOrigin>" for origin in origins)
    rule = (
        f"<CORSRule>{listed}<AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod></CORSRule>"
    )
    body = f"<CORSConfiguration>{rule}</CORSConfiguration>".encode()
    assert root("PUT", bucket, query={"cors": ""}, body=body).status == 200


def test_no_answer_sets_a_cookie_or_allows_credentials(stage: Stage) -> None:
    cors(stage.root, stage.bucket, "*")
    for origin in ("http://evil.example", "null", "file://"):
        for method, key, query in (
            ("GET", "secret/plan.txt", {}),
            ("GET", None, {}),
            ("GET", "none", {}),
            ("PUT", "k", {}),
        ):
            reply = stage.root(method, stage.bucket, key, query=query, headers={"Origin": origin})
            assert "set-cookie" not in reply.headers
            assert "access-control-allow-credentials" not in reply.headers
            assert reply.headers.get("access-control-allow-origin") in ("*", None)


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "http://a.example.evil.example", "http://evila.example", "http://a.example:81", "https://a.example",
     "null", "http://a.example/", "http://a.example\x20http://evil.example", "http://x.a.example", "a.example", "HTTP://", ""],
)  # fmt: skip
def test_only_the_origin_of_the_rule_is_allowed(stage: Stage, origin: str) -> None:
    cors(stage.root, stage.bucket, "http://a.example")

    reply = stage.root("GET", stage.bucket, "secret/plan.txt", headers={"Origin": origin})
    wanted = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    preflight = anonymous(
        stage.root.server, Message(method="OPTIONS", bucket=stage.bucket, key="k", headers=wanted)
    )

    assert "access-control-allow-origin" not in reply.headers
    assert preflight.status in (400, 403)
    assert "access-control-allow-origin" not in preflight.headers


def test_an_allowed_origin_is_answered_with_vary(stage: Stage) -> None:
    """Or else a cache would hand one origin's permission to another."""
    cors(stage.root, stage.bucket, "http://a.example", "http://b.example")

    reply = stage.root("GET", stage.bucket, "secret/plan.txt", headers={"Origin": "http://b.example"})

    assert reply.headers["access-control-allow-origin"] == "http://b.example"
    assert "Origin" in reply.headers["vary"]


def test_errors_are_documents_without_markup_of_the_asker(server: Server, stage: Stage) -> None:
    """Whatever is repeated is escaped, and the type is XML, never HTML."""
    asked = (
        Message(method="GET", bucket=stage.bucket, key=XSS),
        Message(method="GET", bucket=stage.bucket, query={"max-keys": XSS}),
        Message(method="GET", bucket=stage.bucket, query={"uploads": "", "encoding-type": XSS}),
        Message(method="GET", bucket=XSS),
        Message(method="PUT", bucket=stage.bucket, key="k", headers={"x-oss-storage-class": XSS}),
        Message(method="GET", bucket=stage.bucket, query={XSS: ""}),
        Message(method="PUT", bucket=stage.bucket, query={"cors": ""}, body=f"<{XSS}".encode()),
        Message(method="GET", bucket=stage.bucket, query={"prefix": XSS}),
        Message(method="GET", bucket=stage.bucket, query={"prefix": "]]><script>"}),
    )
    for message in asked:
        for reply in (stage.root.ask(message), anonymous(server, message)):
            assert b"<script" not in reply.body, message
            assert reply.headers["content-type"] == "application/xml"
    status, headers, body = server.request(
        "GET", "/-/<script>alert(1)</script>".replace("<", "%3C").replace(">", "%3E")
    )
    assert (status, headers["content-type"], b"<script" in body) == (404, "application/xml", False)


def test_our_own_pages_cannot_be_taken_for_others(server: Server) -> None:
    for path in ("/-/livez", "/-/readyz", "/-/metrics", "/-/callback-key.pem"):
        status, headers, _ = server.request("GET", path)
        assert status == 200
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert not headers["content-type"].startswith("text/html")


def test_an_object_can_be_stored_as_a_download_and_stays_one(
    server: Server, root: Asker, bucket: str
) -> None:
    """Anonymous readers cannot turn it into a page of our origin: overriding headers takes a signature."""
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": "attachment",
        "x-oss-object-acl": "public-read",
    }
    assert root("PUT", bucket, "page", headers=headers, body=HTML).status == 200

    plain = anonymous(server, Message(method="GET", bucket=bucket, key="page"))
    turned = [
        anonymous(server, Message(method="GET", bucket=bucket, key="page", query=query))
        for query in ({"response-content-type": "text/html"}, {"response-content-disposition": "inline"})
    ]

    assert (plain.headers["content-type"], plain.headers["content-disposition"]) == (
        "application/octet-stream",
        "attachment",
    )
    assert [reply.status for reply in turned] == [400, 400]


def test_a_signature_in_a_url_is_no_ambient_authority(stage: Stage) -> None:
    """A page of another origin that makes a browser ask without a signature gets what anybody gets."""
    cors(stage.root, stage.bucket, "*")
    cookies = {"Origin": "http://evil.example", "Cookie": "session=1; Authorization=OSS a:b"}

    assert (
        anonymous(
            stage.root.server,
            Message(method="GET", bucket=stage.bucket, key="secret/plan.txt", headers=cookies),
        ).status
        == 403
    )
