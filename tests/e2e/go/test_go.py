"""The Go SDKs, v2 and v1: runs each of the Go tests beside this file against a bucket of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.broker import make_broker
from tests.e2e.conftest import new_bucket

if TYPE_CHECKING:
    from tests.e2e.harness import CallbackReceiver, Server

EIGHT = [1, 2, 3, 4, 5, 6, 7, 8]

NAMES = (
    "TestV1CallbackMetaAndTags",
    "TestV1CopiesAndAppends",
    "TestV1ForbidOverwriteAndPresigned",
    "TestV1ListsAndAborts",
    "TestV1ResumeSendsOnlyMissingParts",
    "TestV2AbortEndsTheUpload",
    "TestV2Callback",
    "TestV2Downloader",
    "TestV2FailedCallbackIsAnError",
    "TestV2ForbidOverwriteAndStorageClassAtComplete",
    "TestV2HeadersTagsAndMetaComeBack",
    "TestV2ListsWhileUploading",
    "TestV2Presigned",
    "TestV2RangesCopiesAppendSymlinkDelete",
    "TestV2ResumeSendsOnlyMissingParts",
    "TestV2UploaderReportsProgress",
)


def run(
    go_binary: Path,
    name: str,
    server: Server,
    receiver: CallbackReceiver,
    extra: dict[str, str] | None = None,
) -> dict[str, str]:
    """Run one Go test for both signature versions; the buckets it used, by version."""
    buckets = {version: new_bucket(server) for version in ("V1", "V4")}
    env = {
        **os.environ,
        "E2E_ENDPOINT": server.endpoint,
        "E2E_KEY_ID": server.access_key_id,
        "E2E_KEY_SECRET": server.access_key_secret,
        "E2E_CALLBACK": receiver.url,
        **{f"E2E_BUCKET_{version}": bucket for version, bucket in buckets.items()},
        **(extra or {}),
    }
    done = subprocess.run(
        [go_binary, "-test.run", f"^{name}$", "-test.v"],
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"--- PASS: {name} " in done.stdout, done.stdout
    return buckets


def test_every_go_test_is_run(go_binary: Path) -> None:
    listed = subprocess.run(
        [go_binary, "-test.list", "."], capture_output=True, text=True, timeout=30, check=True
    )

    assert sorted(listed.stdout.split()) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_go(name: str, go_binary: Path, server: Server, receiver: CallbackReceiver) -> None:
    buckets = run(go_binary, name, server, receiver)

    if "Resume" in name:
        for bucket in buckets.values():
            assert server.parts_put(bucket) == EIGHT
            assert len(server.log_lines(bucket=bucket, operation="InitiateMultipartUpload")) == 1
    if "Callback" in name and "Failed" not in name:
        assert sorted(call.form()["bucket"] for call in receiver.calls) == sorted(buckets.values())
        assert all(call.form()["order"] == "42 & more" for call in receiver.calls)
        assert all(call.signature_holds() for call in receiver.calls)


@pytest.mark.parametrize("name", ["TestV1ListsAndAborts", "TestV2RangesCopiesAppendSymlinkDelete"])
def test_go_with_a_token(name: str, go_binary: Path, server: Server, receiver: CallbackReceiver) -> None:
    broker = make_broker(server)
    token = broker.assume()["Credentials"]

    run(
        go_binary,
        name,
        server,
        receiver,
        {
            "E2E_KEY_ID": token["AccessKeyId"],
            "E2E_KEY_SECRET": token["AccessKeySecret"],
            "E2E_TOKEN": token["SecurityToken"],
            "E2E_BUCKET_V1": broker.bucket,
            "E2E_BUCKET_V4": broker.bucket,
        },
    )

    principals = {
        line["principal"] for line in server.log_lines(bucket=broker.bucket, operation="UploadPart")
    }
    assert len(principals) == 1
    assert broker.role_arn.rpartition("/")[2] in principals.pop()
