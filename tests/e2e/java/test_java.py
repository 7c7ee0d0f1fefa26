"""The Java SDK: runs each flow of the Maven project beside this file in a JVM, against a bucket of its own."""

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

RUN_S = 60

FLOWS = (
    "uploadWithProgress",
    "listWhileUploading",
    "abort",
    "headersTagsAndMeta",
    "forbidOverwriteAndStorageClass",
    "rangesAndCopies",
    "appendSymlinkListDelete",
    "failedCallback",
    "presigned",
)


@pytest.fixture
def environment(server: Server, receiver: CallbackReceiver, tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "E2E_ENDPOINT": server.endpoint,
        "E2E_KEY_ID": server.access_key_id,
        "E2E_KEY_SECRET": server.access_key_secret,
        "E2E_CALLBACK": receiver.url,
        "E2E_BUCKET": new_bucket(server),
        "E2E_FOLDER": str(tmp_path),
    }


def java(
    java_classpath: str, environment: dict[str, str], flow: str, version: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            "java",
            "-XX:TieredStopAtLevel=1",
            "-Dfile.encoding=UTF-8",
            "-cp",
            java_classpath,
            "mossaic.e2e.Flows",
            flow,
            version,
        ],
        env=environment,
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )


def passes(java_classpath: str, environment: dict[str, str], flow: str, version: str) -> None:
    done = java(java_classpath, environment, flow, version)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"passed {flow}" in done.stdout


@pytest.mark.parametrize("version", ["V1", "V4"])
@pytest.mark.parametrize("flow", FLOWS)
def test_java(flow: str, version: str, java_classpath: str, environment: dict[str, str]) -> None:
    passes(java_classpath, environment, flow, version)


@pytest.mark.parametrize("version", ["V1", "V4"])
def test_java_resume_after_a_halt_sends_only_the_missing_parts(
    version: str, server: Server, java_classpath: str, environment: dict[str, str]
) -> None:
    bucket = environment["E2E_BUCKET"]
    assert java(java_classpath, environment, "uploadAndDie", version).returncode == 9
    assert server.parts_put(bucket) == [1, 2, 3]

    passes(java_classpath, environment, "resume", version)

    assert server.parts_put(bucket) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert len(server.log_lines(bucket=bucket, operation="InitiateMultipartUpload")) == 1


@pytest.mark.parametrize("version", ["V1", "V4"])
def test_java_callback(
    version: str, receiver: CallbackReceiver, java_classpath: str, environment: dict[str, str]
) -> None:
    passes(java_classpath, environment, "callback", version)

    called = receiver.calls[0]
    assert called.form()["order"] == "42 & more"
    assert called.form()["bucket"] == environment["E2E_BUCKET"]
    assert called.signature_holds()


@pytest.mark.parametrize("version", ["V1", "V4"])
def test_java_with_a_token(
    version: str, server: Server, java_classpath: str, environment: dict[str, str]
) -> None:
    broker = make_broker(server)
    token = broker.assume()["Credentials"]
    temporary = {
        "E2E_KEY_ID": token["AccessKeyId"],
        "E2E_KEY_SECRET": token["AccessKeySecret"],
        "E2E_TOKEN": token["SecurityToken"],
        "E2E_BUCKET": broker.bucket,
    }

    passes(java_classpath, {**environment, **temporary}, "uploadWithProgress", version)

    assert sorted(server.parts_put(broker.bucket)) == [1, 2, 3, 4, 5, 6, 7, 8]
