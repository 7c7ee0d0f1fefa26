"""The console in Firefox, over WebDriver BiDi: sign in, upload a file, see it, delete it, sign out, without a word in its console."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import oss2
import pytest

from tests.e2e.conftest import new_bucket
from tests.e2e.harness import need_tool, noise

if TYPE_CHECKING:
    from tests.e2e.harness import Server

DRIVER = Path(__file__).parents[1] / "node" / "firefox.js"
VISIT_S = 150


def firefox() -> str:
    """Debian calls it firefox-esr, others firefox."""
    return shutil.which("firefox") or need_tool("firefox-esr")


def visit(**asked: object) -> dict[str, Any]:
    node = need_tool("node")
    done = subprocess.run(
        [node, str(DRIVER), json.dumps(asked)],
        capture_output=True,
        text=True,
        timeout=VISIT_S,
        check=False,
        env={name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_firefox_uploads_shows_and_deletes_a_file(server: Server, tmp_path: Path) -> None:
    browser = firefox()
    if not (DRIVER.parent / "node_modules" / "puppeteer-core").exists():
        pytest.fail("puppeteer-core is not installed: scripts/setup-tests.sh installs it")
    bucket = new_bucket(server)
    source = tmp_path / "from firefox ü.bin"
    source.write_bytes(noise(9 * 1024 * 1024))

    answer = visit(
        firefox=browser,
        url=f"{server.endpoint}/-/console/",
        bucket=bucket,
        accessKeyId=server.access_key_id,
        accessKeySecret=server.access_key_secret,
        file=str(source),
    )

    seen = answer["seen"]
    assert bucket in seen["buckets"]
    assert seen["objects"] == [source.name]
    assert seen["left"] == []
    assert "STS." not in seen["kept"]
    assert server.access_key_secret not in seen["kept"]
    assert answer["troubles"] == []
    assert sorted(server.parts_put(bucket)) == [1, 2]  # 9 MiB went in two parts
    auth = oss2.Auth(server.access_key_id, server.access_key_secret)
    assert not oss2.Bucket(auth, server.endpoint, bucket).object_exists(source.name)
