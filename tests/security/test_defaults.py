"""Out of the box nothing is open: a private address, a pair of keys nobody knows, private buckets, no rules for browsers.

Class: RustFS GHSA-j59h and others, moto#9941, SeaweedFS CVE-2026-72920.
"""

from __future__ import annotations

import json

import pytest

from mossaic.config import Settings
from mossaic.protocol.wire import Message
from tests.e2e.conftest import new_bucket
from tests.e2e.harness import Server, build_server
from tests.security.support import Asker, anonymous


def test_the_default_address_is_this_machine() -> None:
    settings = Settings()

    assert settings.host_port[0] == "127.0.0.1"
    assert (settings.access_key_id, settings.access_key_secret) == ("", "")
    assert not settings.callback.allow_loopback
    assert not settings.callback.allow_private
    assert settings.demo_bucket == ""


def test_every_installation_has_its_own_keys(tmp_path) -> None:
    pairs = []
    for name in ("one", "two"):
        server = build_server(tmp_path / name)
        del server.env["MOSSAIC_ACCESS_KEY_ID"], server.env["MOSSAIC_ACCESS_KEY_SECRET"]
        server.start()
        try:
            kept = json.loads((server.data / "root-key.json").read_text())
            pairs.append((kept["access_key_id"], kept["access_key_secret"]))
            asker = Asker(server=server, access_key_id=pairs[-1][0], secret=pairs[-1][1])
            assert asker("GET").status == 200
            for guess in (
                ("", ""),
                ("admin", "admin"),
                ("minioadmin", "minioadmin"),
                ("root", ""),
                ("test", "test"),
            ):
                assert (
                    Asker(server=server, access_key_id=guess[0] or "x", secret=guess[1])("GET").status == 403
                )
        finally:
            server.kill()

    assert pairs[0] != pairs[1]
    assert all(len(secret) >= 30 for _, secret in pairs)


def test_half_a_pair_does_not_start(tmp_path) -> None:
    server = build_server(tmp_path / "half")
    del server.env["MOSSAIC_ACCESS_KEY_SECRET"]

    with pytest.raises(RuntimeError, match="belong together"):
        server.start()


def test_a_new_bucket_is_private_and_closed_to_browsers(server: Server, root: Asker) -> None:
    bucket = new_bucket(server)
    assert root("PUT", bucket, "k", body=b"x").status == 200
    origin = {"Origin": "http://evil.example"}

    for method in ("GET", "HEAD", "PUT", "DELETE", "POST"):
        for key in (None, "k"):
            reply = anonymous(server, Message(method=method, bucket=bucket, key=key, headers=origin))
            assert reply.status in (400, 403, 405), (method, key, reply.status)
            assert not any(name.startswith("access-control-") for name in reply.headers)
    preflight = {**origin, "Access-Control-Request-Method": "PUT"}
    assert (
        anonymous(server, Message(method="OPTIONS", bucket=bucket, key="k", headers=preflight)).status == 403
    )


def test_methods_that_nobody_needs_are_not_there(server: Server, root: Asker, bucket: str) -> None:
    for method in ("TRACE", "TRACK", "CONNECT", "PROPFIND", "MKCOL", "DEBUG", "PATCH", "LINK", "FOO"):
        for path in ("/", f"/{bucket}/", f"/{bucket}/k"):
            status, headers, body = server.request(method, path, headers={"X-Echo": "canary"})
            assert status in (400, 403, 405), (method, path, status)
            assert b"canary" not in body
            assert "canary" not in repr(headers)
        assert root(method, bucket, "k").status in (400, 403, 405)


def test_administration_is_not_on_the_wire(server: Server) -> None:
    """Users, keys, roles and policies are the command line's; STS answers two actions."""
    for action in (
        "CreateUser",
        "CreateAccessKey",
        "ListUsers",
        "AttachPolicyToUser",
        "CreateRole",
        "GetSessionToken",
    ):
        status, _, body = server.request("GET", f"/?Action={action}&Version=2015-05-01&AccessKeyId=x")
        assert status in (400, 403, 404), action
        assert b"Success" not in body
        status, _, _ = server.request("GET", f"/?Action={action}&Version=2015-04-01&AccessKeyId=x")
        assert status in (400, 404), action


def test_metrics_name_no_bucket_no_key_and_nobody(server: Server, root: Asker) -> None:
    bucket = new_bucket(server)
    assert root("PUT", bucket, "very-secret-name", body=b"x").status == 200
    server.request("GET", "/never-seen-before/x")

    page = server.request("GET", "/-/metrics")[2].decode()

    for word in (bucket, "very-secret-name", "never-seen-before", server.access_key_id, server.account_id):
        assert word not in page
