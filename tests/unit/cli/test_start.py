"""What `mossaic` says when it cannot do its work: one line that names the cause, no traceback."""

from __future__ import annotations

import importlib
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from mossaic.cli.main import main
from tests.e2e.harness import free_port


def run(tmp_path: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("MOSSAIC_")}
    return subprocess.run(
        [sys.executable, "-m", "mossaic", *arguments], env=env | settings, cwd=tmp_path, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip


def refused(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()[-1]


SERVE = ("serve", "--listen", "127.0.0.1:0", "--data", "data")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"MOSSAIC_LOG_ACCESS": "/no/such/folder/log"}, "cannot write the access log"),
        ({"MOSSAIC_DEMO_BUCKET": "Bad_Name"}, "cannot make the demo bucket 'Bad_Name'"),
        ({"MOSSAIC_LISTN": "x"}, "did you mean 'MOSSAIC_LISTEN'?"),
        ({"MOSSAIC_HTTP_THREADS": "many"}, "http.threads"),
        ({"MOSSAIC_ACCESS_KEY_ID": "alone"}, "Error: access_key_id and access_key_secret belong together"),
        ({"MOSSAIC_TLS_CERTIFICATE": "none.pem"}, "cannot use the certificate"),
    ],
)
def test_a_bad_setting_is_named(tmp_path: Path, settings: dict[str, str], words: str) -> None:
    assert words in refused(run(tmp_path, *SERVE, **settings))


def test_an_unknown_key_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("[sweep]\ninterval = 5\n")

    assert "did you mean 'sweep.interval_s'?" in refused(run(tmp_path, *SERVE, "--config", "c.toml"))


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert f"cannot listen on {address}" in refused(
            run(tmp_path, "serve", "--listen", address, "--data", "data")
        )


@pytest.mark.parametrize(("name", "words"), [("metadata.db", "damaged"), ("root-key.json", "cannot be read")])
def test_a_damaged_file_is_named(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / name).write_text("not what it should be " * 10)

    assert words in refused(run(tmp_path, *SERVE))


def test_fsck_makes_no_data_directory(tmp_path: Path) -> None:
    assert "is no data directory" in refused(run(tmp_path, "fsck", "--data", "nowhere"))
    assert not (tmp_path / "nowhere").exists()


def test_check_shows_settings_with_their_origin_and_no_secret(tmp_path: Path) -> None:
    done = run(
        tmp_path, "check", "--data", "data",
        MOSSAIC_ACCESS_KEY_ID="id", MOSSAIC_ACCESS_KEY_SECRET="canary", MOSSAIC_REGION="cn-beijing",
    )  # fmt: skip

    assert done.returncode == 0
    assert "canary" not in done.stdout + done.stderr
    assert any("cn-beijing" in line and "[environment]" in line for line in done.stdout.splitlines())
    assert "metadata: ok" in done.stdout
    assert "blobs: ok" in done.stdout


@pytest.mark.parametrize("workers", ["1", "2"])
def test_sigterm_in_the_first_moment_is_a_clean_stop(tmp_path: Path, workers: str) -> None:
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "mossaic",
        "serve",
        "--listen",
        f"127.0.0.1:{port}",
        "--data",
        "data",
        "--demo",
    ]
    command += ["--workers", workers]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
            except OSError:
                time.sleep(0.0002)
            else:
                break
        process.terminate()
        said = process.communicate(timeout=60)[1]

    assert process.returncode == 0, said
    assert "stopping" in said


def test_ctrl_c_while_a_command_is_loaded_is_an_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(importlib, "import_module", pressed)
    done = CliRunner().invoke(main, ["ls"])

    assert (done.exit_code, done.output) == (130, "")


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        ("cp - oss://bucket/key <&-", 1, "Error: Bad file descriptor"),
        ("cors set oss://bucket - <&-", 2, "-: Bad file descriptor"),
        ("--version >&-", 0, ""),
        ("nothing 2>&-", 2, ""),
        ("--version <&- >&- 2>&-", 0, ""),
    ],
)
def test_closed_standard_streams(tmp_path: Path, command: str, code: int, words: str) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MOSSAIC_", "OSS_"))}
    env |= {
        "OSS_ACCESS_KEY_ID": "id",
        "OSS_ACCESS_KEY_SECRET": "secret",
        "MOSSAIC_ENDPOINT": "http://127.0.0.1:1",
    }
    done = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -m mossaic {command}"], env=env, cwd=tmp_path, capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip

    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    assert words in done.stderr
