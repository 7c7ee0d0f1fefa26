"""Secrets stay where they are used: never in a log, an answer, a metric, a printout or a file that others may read.

Class: Ceph CVE-2018-16889, RustFS GHSA-r54g, -8cm2, -333v, -3495; MinIO CVE-2023-28432.
"""

from __future__ import annotations

import base64
import json
import secrets
import stat
import subprocess
import sys
from pathlib import Path

from mossaic.protocol.wire import Message
from tests.e2e.broker import make_broker
from tests.e2e.conftest import new_bucket
from tests.e2e.form.test_post_object import policy, signed
from tests.e2e.harness import Server, b64_json, statement
from tests.security.support import SCHEMES, Asker, Stage, exchange, send
from tests.security.test_post_policy import post


def command(server: Server, *arguments: str) -> str:
    """All that a command prints, whether it succeeds or not."""
    done = subprocess.run(
        [sys.executable, "-m", "mossaic", *arguments, "--data", str(server.data)],
        env=server.env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


def test_no_secret_is_told_anywhere(make_server) -> None:
    """Canaries in every place where a client or an operator puts a secret; then everything is searched for them."""
    root_secret, tag = f"ROOTcanary{secrets.token_hex(12)}", secrets.token_hex(4)
    server: Server = make_server(ACCESS_KEY_SECRET=root_secret, LOG_LEVEL="debug")
    server.access_key_secret = root_secret
    key_id, user_secret = server.make_user(f"u-{tag}", statement("Allow", "oss:GetObject", "*"))
    token = make_broker(server).assume()["Credentials"]
    root = Asker.root(server)
    stage = Stage.build(root, new_bucket(server))
    session = Asker(
        server=server,
        access_key_id=token["AccessKeyId"],
        secret=token["AccessKeySecret"],
        token=token["SecurityToken"],
    )
    hidden = [root_secret, user_secret, token["AccessKeySecret"], token["SecurityToken"]]
    answers: list[bytes] = []

    message = Message(method="GET", bucket=stage.bucket, key="secret/plan.txt")
    for asker in (root, Asker(server=server, access_key_id=key_id, secret=user_secret), session):
        for scheme in SCHEMES:
            target, headers = asker.signed(message, scheme)
            answers.append(send(server, message, target, headers).document)
            signature = (
                headers.get("Authorization", target).rpartition("ignature")[2].partition("&")[0].lstrip("=:")
            )
            hidden.append(signature if len(signature) > 20 else signature.rpartition(":")[2])
            answers.append(
                send(server, message, f"{target}x", headers).document
            )  # 403, with the string to sign
    canaries = {name: f"{name}-canary-{secrets.token_hex(8)}" for name in ("cookie", "meta", "callback", "query", "body", "ssec", "proxy")}  # fmt: skip
    headers = {
        "Cookie": canaries["cookie"],
        "Proxy-Authorization": f"Basic {canaries['proxy']}",
        "x-oss-meta-secret": canaries["meta"],
        "x-oss-server-side-encryption-customer-key": canaries["ssec"],
        "x-oss-callback": b64_json(
            {"callbackUrl": "http://169.254.169.254/", "callbackBody": canaries["callback"]}
        ),
    }
    for method in ("PUT", "GET", "POST", "DELETE"):
        root(
            method,
            stage.bucket,
            "k",
            query={"q": canaries["query"]},
            headers=headers,
            body=canaries["body"].encode(),
        )
    post(
        server,
        stage.bucket,
        [("key", "f"), *signed(server, policy()).items(), ("x-oss-security-token", canaries["query"])],
    )
    exchange(server, f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: {canaries['query']}\n\r\n\r\n".encode())
    exchange(
        server,
        f"GET /?Action=AssumeRole&Version=2015-04-01&Signature={canaries['query']} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode(),
    )
    answers += [
        server.request("GET", path)[2] for path in ("/-/metrics", "/-/readyz", "/-/livez", "/-/nothing")
    ]

    server.log_lines()
    told = {
        "access log": server.log.read_text(),
        "output": server.output,
        "answers": b"\n".join(answers).decode("latin-1"),
        "check": command(server, "check"),
        "fsck": command(server, "fsck"),
        "key list": command(server, "key", "list"),
        "user show": command(server, "user", "show", f"u-{tag}"),
        "key show": command(server, "key", "show", key_id),
        "user list": command(server, "user", "list"),
        "role list": command(server, "role", "list"),
    }
    assert "access_key_secret" in told["check"]
    assert key_id in told["key show"]
    for place, text in told.items():
        assert text, place
        for secret in hidden:
            forms = {secret, base64.b64encode(secret.encode()).decode()}
            if place == "answers":
                forms = forms if secret in hidden[:3] else set()  # what a client sent is repeated to it
            assert not any(form in text for form in forms), (place, secret)
        for name, canary in canaries.items():
            assert place == "answers" or canary not in text, (place, name)


def test_files_with_secrets_are_the_owners_alone(make_server, tmp_path: Path) -> None:
    """Users' secrets, the sealing keys of tokens and the callback key lie in the database; the root pair in its file."""
    server: Server = make_server()
    server.make_user("somebody")
    server.stop()
    del server.env["MOSSAIC_ACCESS_KEY_ID"], server.env["MOSSAIC_ACCESS_KEY_SECRET"]
    server.start()
    root_key = server.data / "root-key.json"
    kept = json.loads(root_key.read_text())

    for path in (root_key, *server.data.glob("metadata.db*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert kept["access_key_secret"] not in server.log.read_text()
    assert kept["access_key_secret"] not in command(server, "check")


def test_objects_are_the_owners_alone_on_disk(server: Server, root: Asker, bucket: str) -> None:
    assert root("PUT", bucket, "big", body=b"x" * 100_000).status == 200
    blobs = [path for path in (server.data / "blobs").rglob("*") if path.is_file() and path.stat().st_size]

    assert blobs
    assert all(stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 for path in blobs)


def test_the_environment_is_not_told(server: Server) -> None:
    """No path under /-/ or elsewhere shows settings, environment or stack traces (MinIO CVE-2023-28432)."""
    for path in (
        "/-/env", "/-/config", "/-/settings", "/-/debug", "/-/pprof", "/-/vars", "/-/", "/-/../metadata.db", "/debug/pprof/",
        "/minio/bootstrap/v1/verify", "/minio/health/cluster", "/metrics", "/admin", "/.env", "/server-status", "/-/%2e%2e/x",
    ):  # fmt: skip
        for method in ("GET", "POST", "OPTIONS"):
            status, _, body = server.request(method, path)
            assert 400 <= status < 500 or status == 501, (method, path, status)
            for word in (
                server.access_key_secret,
                server.access_key_id,
                str(server.data),
                "Traceback",
                "site-packages",
            ):
                assert word.encode() not in body, (path, word)
