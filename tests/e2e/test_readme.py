"""What the README and `mossaic serve --demo` tell a newcomer to paste, pasted."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.harness import free_port, need_tool, noise

ROOT = Path(__file__).parents[2]
NODE_MODULES = ROOT / "tests/e2e/node/node_modules"


@dataclass(frozen=True)
class Demo:
    """A running demo: what it printed, by client, and where it listens."""

    text: str
    port: int
    folder: Path

    def line(self, name: str) -> str:
        found = re.search(rf"^  {name} +(.+)$", self.text, re.MULTILINE)
        assert found, self.text
        return found[1]

    def run(self, command: list[str], text: str | None = None) -> str:
        env = os.environ | {
            "ID": self.line("access key id"),
            "SECRET": self.line("access key secret"),
            "NODE_PATH": str(NODE_MODULES),
            "MOSSAIC_STATE_DIR": str(self.folder / "state"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        done = subprocess.run(
            command,
            input=text,
            env=env,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    (folder / "big.bin").write_bytes(noise(5_000_000))
    (folder / "hello.txt").write_bytes(b"hello")
    port = free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("MOSSAIC_")}
    out = folder / "out"
    with out.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "mossaic", "serve", "--demo", "--listen", f"127.0.0.1:{port}", "--data", "data"],
            cwd=folder, env=env, stdout=stream, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    deadline = time.monotonic() + 60
    while "Stop with Ctrl-C" not in out.read_text() and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.05)
    yield Demo(text=out.read_text(), port=port, folder=folder)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0


def block(title: str, language: str, demo: Demo) -> str:
    """A code block of the README, moved to the demo's port."""
    text = (ROOT / "README.md").read_text()
    found = re.search(rf"\*\*{title}\*\*.*?```{language}\n(.*?)```", text, re.DOTALL)
    assert found
    return found[1].replace("127.0.0.1:9280", f"127.0.0.1:{demo.port}")


def section(title: str, language: str, demo: Demo) -> str:
    """The first code block below a heading of the README, moved to the demo's port and key."""
    text = (ROOT / "README.md").read_text()
    found = re.search(rf"## {title}\n\n```{language}\n(.*?)```", text, re.DOTALL)
    assert found
    return (
        found[1]
        .replace("127.0.0.1:9280", f"127.0.0.1:{demo.port}")
        .replace('"ID", "SECRET"', f'"{demo.line("access key id")}", "{demo.line("access key secret")}"')
    )


def test_the_demo_shows_its_key_once_and_keeps_it_private(demo: Demo) -> None:
    kept = demo.folder / "data" / "root-key.json"

    assert demo.line("access key id") in kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert demo.line("access key secret") not in (demo.folder / "data" / "access.log").read_text()


def test_the_printed_address_is_the_web_page(demo: Demo) -> None:
    url = demo.line("web page").split()[0]

    assert url == f"http://127.0.0.1:{demo.port}/-/console/"
    assert url.replace(str(demo.port), "9280") in (ROOT / "README.md").read_text()
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert b"<title>Mossaic</title>" in answer.read()


@pytest.mark.parametrize("name", ["oss2", "oss-v2"])
def test_the_printed_python_lines(demo: Demo, name: str) -> None:
    assert "5D41402ABC4B2A76B9719D911017C592" in demo.run(["bash", "-c", demo.line(name)])


def test_the_printed_ali_oss_line(demo: Demo) -> None:
    need_tool("node")
    script = (
        f'const OSS = require("ali-oss-latest"); {demo.line("ali-oss")}.then(r => console.log(r.res.status))'
    )

    assert demo.run(["node", "-e", script]).strip() == "200"


def test_the_printed_curl_line(demo: Demo) -> None:
    need_tool("curl")
    demo.run(["bash", "-o", "pipefail", "-c", demo.line("curl")])

    assert (demo.folder / "data" / "access.log").read_text().splitlines()[-1].count(
        '"bucket":"examplebucket","key":"hello.txt"'
    ) == 1


def test_the_printed_mossaic_line(demo: Demo) -> None:
    assert "-> oss://examplebucket/hello.txt" in demo.run(
        ["bash", "-o", "pipefail", "-c", demo.line("mossaic")]
    )


@pytest.mark.parametrize("title", ["oss2", "alibabacloud-oss-v2"])
def test_the_readmes_python(demo: Demo, title: str) -> None:
    assert demo.run([sys.executable, "-c", block(title, "python", demo)]).strip()


def test_the_readmes_ali_oss(demo: Demo) -> None:
    need_tool("node")
    script = block("ali-oss", "js", demo).replace('"ali-oss"', '"ali-oss-latest"')

    assert re.search(r'-5"?$', demo.run(["node", "-e", script]).strip()), "five parts of 1 MiB"


def test_the_readmes_curl(demo: Demo) -> None:
    need_tool("curl")

    demo.run(["bash", "-ec", block("curl", "", demo).replace("curl -T", "curl -f -T")])


def test_the_readmes_sdk(demo: Demo) -> None:
    said = demo.run([sys.executable, "-c", section("Upload from Python", "python", demo)])

    assert "done 5000000" in said


def test_the_readmes_shell(demo: Demo) -> None:
    (demo.folder / "tree").mkdir()
    (demo.folder / "tree/note.txt").write_text("note")
    script = f"cd tree; cp ../big.bin .; {section('Upload from a shell', '', demo)}"

    said = demo.run(["bash", "-o", "pipefail", "-ec", script])

    assert "oss://examplebucket/big.bin" in said
    assert "would upload" in said
    assert "backup.tar" in said
    assert re.search(r"ok +signature", said)
