"""ossutil as a person runs it: upload by parts, resume after a broken network, list, presign, abort, remove."""

from __future__ import annotations

import subprocess
import urllib.request
from typing import TYPE_CHECKING

import oss2
import pytest

from tests.e2e.harness import PART, Server, need_tool, noise
from tests.e2e.ossutil.breaking_relay import BreakingRelay

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 7 * PART + 1234


class Tool:
    """ossutil with the server's keys; both major versions take these options."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.program = need_tool("ossutil")
        self.server = server
        self.folder = folder

    def run(self, *arguments: str, endpoint: str | None = None) -> subprocess.CompletedProcess[str]:
        connection = ["-e", endpoint or self.server.endpoint, "-i", self.server.access_key_id]
        connection += ["-k", self.server.access_key_secret, "--region", self.server.region]
        return subprocess.run(
            [self.program, *arguments, *connection],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def copy(self, source: str, target: str, **options: str) -> subprocess.CompletedProcess[str]:
        small = ["-f", "--bigfile-threshold", str(PART), "--part-size", str(PART), "--parallel", "1"]
        checkpoint = ["--checkpoint-dir", str(self.folder / "checkpoint")]
        return self.run("cp", source, target, *small, *checkpoint, **options)


@pytest.fixture
def tool(server: Server, tmp_path: Path) -> Tool:
    (tmp_path / "big.bin").write_bytes(noise(SIZE))
    return Tool(server, tmp_path)


@pytest.fixture
def client(server: Server, bucket: str) -> oss2.Bucket:
    return oss2.Bucket(
        oss2.AuthV4(server.access_key_id, server.access_key_secret),
        server.endpoint,
        bucket,
        region=server.region,
    )


def test_a_file_goes_up_by_parts_and_comes_back(tool: Tool, bucket: str, server: Server) -> None:
    up = tool.copy("big.bin", f"oss://{bucket}/dir/big.bin")
    assert up.returncode == 0, up.stdout + up.stderr

    down = tool.copy(f"oss://{bucket}/dir/big.bin", "back.bin")

    assert down.returncode == 0, down.stdout + down.stderr
    assert (tool.folder / "back.bin").read_bytes() == noise(SIZE)
    assert sorted(server.parts_put(bucket)) == [1, 2, 3, 4, 5, 6, 7, 8]
    listed = tool.run("ls", f"oss://{bucket}/")
    assert f"oss://{bucket}/dir/big.bin" in listed.stdout


def test_a_resume_sends_only_the_missing_parts(tool: Tool, bucket: str, server: Server) -> None:
    relay = BreakingRelay(server.port, allow_parts=3)
    try:
        broken = tool.copy("big.bin", f"oss://{bucket}/big.bin", endpoint=relay.endpoint)
    finally:
        relay.close()
    assert broken.returncode != 0

    again = tool.copy("big.bin", f"oss://{bucket}/big.bin")

    assert again.returncode == 0, again.stdout + again.stderr
    assert sorted(server.parts_put(bucket)) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_open_uploads_are_listed_and_aborted(tool: Tool, client: oss2.Bucket, bucket: str) -> None:
    upload_id = client.init_multipart_upload("open.bin").upload_id

    listed = tool.run("ls", "-m", f"oss://{bucket}/")
    gone = tool.run("rm", "-m", "-r", "-f", f"oss://{bucket}/")

    assert upload_id in listed.stdout
    assert gone.returncode == 0, gone.stdout + gone.stderr
    with pytest.raises(oss2.exceptions.NoSuchUpload):
        client.list_parts("open.bin", upload_id)


def test_a_presigned_url_works(tool: Tool, client: oss2.Bucket, bucket: str) -> None:
    client.put_object("a b.txt", b"hello")

    signed = tool.run("presign" if "v2" in tool.run("version").stdout else "sign", f"oss://{bucket}/a b.txt")

    url = next(word for word in signed.stdout.split() if word.startswith("http"))
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.read() == b"hello"
