"""`mossaic doctor` against services that are well, and against each thing that can be wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import oss2
import pytest

from tests.e2e.harness import Server, build_server, free_port, self_signed

BUCKET = "patient"
ORIGIN = "https://app.example.com"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = build_server(tmp_path_factory.mktemp("doctor")).start()
    bucket(started).create_bucket()
    yield started
    started.stop()


def bucket(server: Server) -> oss2.Bucket:
    return oss2.Bucket(oss2.Auth(server.access_key_id, server.access_key_secret), server.endpoint, BUCKET)


def doctor(
    server: Server, *options: str, endpoint: str | None = None, **environment: str
) -> tuple[int, dict[str, Any]]:
    """(exit code, finding by check)."""
    clean = {name: text for name, text in os.environ.items() if not name.startswith(("OSS_", "MOSSAIC_"))}
    known = {"OSS_ACCESS_KEY_ID": server.access_key_id, "OSS_ACCESS_KEY_SECRET": server.access_key_secret}
    done = subprocess.run(
        [sys.executable, "-m", "mossaic", "doctor", f"oss://{BUCKET}", "--json", "--retries", "0",
         "-e", endpoint or server.endpoint, *options],
        env=clean | known | environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    findings = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, {found["check"]: found for found in findings}


def verdicts(findings: dict[str, Any]) -> dict[str, str]:
    return {check: found["verdict"] for check, found in findings.items()}


def test_a_well_service_is_told_so_with_the_part_size_and_the_rule_that_fit(server: Server) -> None:
    code, findings = doctor(server, "--origin", ORIGIN)

    assert code == 0
    assert verdicts(findings) == {
        "dns": "ok", "connection": "ok", "clock": "ok", "signature": "ok", "cors": "warning", "parts": "ok",
    }  # fmt: skip
    assert 102_400 <= findings["parts"]["facts"]["part_size"] <= 8 * 1024 * 1024
    assert f"  <AllowedOrigin>{ORIGIN}</AllowedOrigin>" in findings["cors"]["advice"]
    assert list(bucket(server).list_multipart_uploads().upload_list) == [], "the upload it tried with is gone"
    assert list(oss2.ObjectIterator(bucket(server))) == []


def test_the_rule_that_it_prints_is_the_one_that_makes_it_content(server: Server) -> None:
    _, findings = doctor(server, "--origin", ORIGIN)
    rule = "\n".join(findings["cors"]["advice"][1:])
    document = f"<CORSConfiguration>{rule}</CORSConfiguration>"
    bucket(server)._do("PUT", BUCKET, "", data=document, params={"cors": ""})

    _, again = doctor(server, "--origin", ORIGIN)

    assert again["cors"]["verdict"] == "ok"
    bucket(server).delete_bucket_cors()


def test_a_rule_that_hides_the_etag_is_told_in_the_words_of_the_faq(server: Server) -> None:
    rule = oss2.models.CorsRule(
        allowed_origins=["*"],
        allowed_methods=["PUT", "GET"],
        allowed_headers=["*"],
        expose_headers=["x-oss-request-id"],
    )
    bucket(server).put_bucket_cors(oss2.models.BucketCors([rule]))

    _, findings = doctor(server, "--origin", ORIGIN)

    assert "set the etag of expose-headers" in findings["cors"]["found"]
    bucket(server).delete_bucket_cors()


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        ({"OSS_ACCESS_KEY_SECRET": "wrong"}, "SignatureDoesNotMatch"),
        ({"OSS_ACCESS_KEY_ID": "nobody"}, "InvalidAccessKeyId"),
        ({"OSS_SESSION_TOKEN": "made-up"}, "InvalidAccessKeyId"),
    ],
)
def test_a_signature_that_is_refused_is_told_with_its_code(
    server: Server, environment: dict[str, str], code: str
) -> None:
    exit_code, findings = doctor(server, **environment)

    assert exit_code == 1
    assert findings["signature"]["facts"]["code"] == code
    assert findings["signature"]["facts"]["request_id"]
    assert findings["parts"]["verdict"] == "skipped"


def test_an_uploader_that_may_not_list_still_has_a_right_signature(server: Server) -> None:
    policy = {
        "Version": "1",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["oss:PutObject", "oss:AbortMultipartUpload"],
                "Resource": f"acs:oss:*:*:{BUCKET}/*",
            }
        ],
    }
    key, secret = server.make_user("uploader", policy)

    code, findings = doctor(server, OSS_ACCESS_KEY_ID=key, OSS_ACCESS_KEY_SECRET=secret)

    assert code == 0
    assert findings["signature"]["verdict"] == "warning"
    assert findings["parts"]["verdict"] == "ok"


def test_a_service_that_does_not_run_and_a_name_that_is_none(server: Server) -> None:
    code, closed = doctor(server, endpoint=f"http://127.0.0.1:{free_port()}")
    _, unknown = doctor(server, endpoint="http://no-such-host.invalid")

    assert code == 1
    assert verdicts(closed)["connection"] == "failed"
    assert verdicts(unknown)["dns"] == "failed"
    assert unknown["signature"]["verdict"] == "skipped"


def test_a_certificate_of_ones_own_is_refused_until_it_is_named(tmp_path: Path) -> None:
    settings = self_signed(tmp_path)
    server = build_server(tmp_path / "tls", **settings).start()
    try:
        code, refused = doctor(server)
        _, named = doctor(server, "--ca-file", settings["TLS_CERTIFICATE"])
    finally:
        server.stop()

    assert code == 1
    assert "certificate" in refused["connection"]["found"].lower()
    assert any("--ca-file" in line for line in refused["connection"]["advice"])
    assert named["connection"]["verdict"] == "ok"
    assert named["signature"]["facts"]["code"] == "NoSuchBucket"
