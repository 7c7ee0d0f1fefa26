"""Completion: in a real bash on a pseudo-terminal, and what the scripts of the shells ask for."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mossaic.client.client import Client
    from tests.e2e.cli.command import Command


def completed(mossaic: Command, line: str, shell: str = "bash") -> list[str]:
    """The words that are offered for `line`."""
    asks = {"COMP_LINE": line} if shell == "bash" else {}
    if shell != "bash":
        words = line.split(" ")
        asks = {"COMP_WORDS": line, "COMP_CWORD": words[-1] if shell == "fish" else str(len(words) - 1)}
    done = subprocess.run(
        [sys.executable, "-m", "mossaic"],
        env=mossaic.env() | asks | {"_MOSSAIC_COMPLETE": f"{shell}_complete", "COMP_WORDBREAKS": ":= "},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    return lines[1::3] if shell == "zsh" else [each.partition(",")[2] for each in lines if each]


@pytest.fixture
def tree(client: Client, place: str) -> str:
    client.put("in/a", b"", bucket=place)
    client.put("note.txt", b"", bucket=place)
    return place


def test_commands_options_and_values_are_offered(mossaic: Command) -> None:
    assert completed(mossaic, "mossaic upl") == ["uploads"]
    assert completed(mossaic, "mossaic uploads ") == ["abort", "export", "import", "ls", "resume", "show"]
    assert completed(mossaic, "mossaic ls --js") == ["--json"]
    assert completed(mossaic, "mossaic ls --signature ") == ["v4", "v1"]
    assert completed(mossaic, "mossaic ls o") == ["oss://"]


def test_bash_gets_what_stands_behind_its_colon(mossaic: Command, tree: str) -> None:
    assert completed(mossaic, f"mossaic ls oss://{tree[:-1]}") == [f"//{tree}/"]
    assert completed(mossaic, f"mossaic cat oss://{tree}/") == [f"//{tree}/in/", f"//{tree}/note.txt"]
    assert completed(mossaic, f"mossaic cat oss://{tree}/in/") == [f"//{tree}/in/a"]
    assert completed(mossaic, f"mossaic mb oss://{tree}/") == []


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_whole_words(mossaic: Command, tree: str, shell: str) -> None:
    assert completed(mossaic, f"mossaic cat oss://{tree}/n", shell) == [f"oss://{tree}/note.txt"]


def test_a_service_that_does_not_answer_offers_nothing(mossaic: Command) -> None:
    mossaic.more["OSS_ENDPOINT"] = "http://127.0.0.1:1"

    assert completed(mossaic, "mossaic ls oss://b") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_that_the_shell_can_read(mossaic: Command, shell: str, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(mossaic.ok("completion", shell).out)

    assert "_MOSSAIC_COMPLETE" in script.read_text()
    if shutil.which(shell):
        subprocess.run([shell, "-n", str(script)], check=True, timeout=60)
    mossaic.fails(2, "completion", "tcsh")


def test_tab_completes_in_bash(mossaic: Command, tree: str, tmp_path: Path) -> None:
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "mossaic").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mossaic "$@"\n')
    (bin_folder / "mossaic").chmod(0o755)
    env = mossaic.env() | {"PATH": f"{bin_folder}:{os.environ['PATH']}", "PS1": "ready> "}
    master, slave = pty.openpty()
    shell = subprocess.Popen(
        ["bash", "--norc", "--noprofile", "-i"],
        env=env,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    try:
        _until(master, b"ready> ")
        os.write(master, b'eval "$(mossaic completion bash)"; echo set-up-$((1+1))\n')
        _until(master, b"set-up-2")
        os.write(master, f"echo mine; mossaic cat oss://{tree[:-2]}\t".encode())
        _until(master, f"oss://{tree}/".encode())
        os.write(master, b"no\t")
        _until(master, b"note.txt")
    finally:
        shell.kill()
        shell.wait()
        os.close(master)


def _until(terminal: int, text: bytes) -> None:
    seen, limit = b"", time.monotonic() + 60
    while text not in seen.replace(b"\r", b""):
        assert time.monotonic() < limit, seen
        if select.select([terminal], [], [], 1)[0]:
            seen += os.read(terminal, 4096)
