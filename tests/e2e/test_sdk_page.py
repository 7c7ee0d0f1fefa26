"""The code of docs/sdk.md, run in order as one reader would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import oss2
import pytest

from tests.e2e.harness import CallbackReceiver, Server, build_server, noise

PAGE = Path(__file__).parents[2] / "docs/sdk.md"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = build_server(tmp_path_factory.mktemp("sdk-page")).start()
    auth = oss2.Auth(started.access_key_id, started.access_key_secret)
    oss2.Bucket(auth, started.endpoint, "examplebucket").create_bucket()
    yield started
    started.stop()


def test_the_code_of_the_page_runs(server: Server, tmp_path: Path) -> None:
    (tmp_path / "big.bin").write_bytes(noise(3_000_000))
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    receiver = CallbackReceiver()
    script = "\n".join([*blocks, f'uploaded("{receiver.url}")', 'print("all of it")'])
    environment = {
        name: text for name, text in os.environ.items() if not name.startswith(("OSS_", "MOSSAIC_"))
    }

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script.replace("127.0.0.1:9280", server.host)],
        cwd=tmp_path,
        env=environment
        | {
            "OSS_ACCESS_KEY_ID": server.access_key_id,
            "OSS_ACCESS_KEY_SECRET": server.access_key_secret,
            "MOSSAIC_STATE_DIR": str(tmp_path / "state"),
            "HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    receiver.close()

    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert done.stdout.splitlines()[-1] == "all of it"
    assert receiver.calls[0].form()["var1"] == "value1"
    client = oss2.Bucket(
        oss2.Auth(server.access_key_id, server.access_key_secret), server.endpoint, "examplebucket"
    )
    assert client.get_object("moved.bin").read() == (tmp_path / "big.bin").read_bytes()
    assert client.head_object("exampleobject.txt").headers["Content-Disposition"] == "example.txt"
    assert client.list_multipart_uploads().upload_list == []
