"""`mossaic cp` as a person and as a script use it: bars on a terminal, Ctrl-C and again, streams, exit codes."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import oss2
import pytest

from tests.e2e.harness import PART, Server, build_server, noise

BUCKET = "copied"
PARTS = 40


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = build_server(tmp_path_factory.mktemp("cp")).start()
    bucket(started).create_bucket()
    yield started
    started.stop()


def bucket(server: Server) -> oss2.Bucket:
    return oss2.Bucket(oss2.Auth(server.access_key_id, server.access_key_secret), server.endpoint, BUCKET)


@pytest.fixture
def env(server: Server, tmp_path: Path) -> dict[str, str]:
    clean = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("OSS_", "MOSSAIC_", "NO_COLOR"))
    }
    return clean | {
        "OSS_ACCESS_KEY_ID": server.access_key_id,
        "OSS_ACCESS_KEY_SECRET": server.access_key_secret,
        "MOSSAIC_ENDPOINT": server.endpoint,
        "MOSSAIC_STATE_DIR": str(tmp_path / "state"),
        "HOME": str(tmp_path),
        "LC_ALL": "C.UTF-8",
        "TERM": "xterm",
        "COLUMNS": "120",
    }


def run(
    env: dict[str, str], *arguments: str, data: bytes | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "mossaic", "cp", *arguments],
        env=env,
        input=data,
        cwd=cwd,
        capture_output=True,
        timeout=120,
        check=False,
    )


def big_file(folder: Path, parts: int = PARTS) -> tuple[Path, bytes]:
    data = noise(parts * PART - 5)
    (folder / "big.bin").write_bytes(data)
    return folder / "big.bin", data


class Terminal:
    """A command in a pseudo-terminal; `text` is what it has written so far."""

    def __init__(self, env: dict[str, str], *arguments: str) -> None:
        self.text = ""
        self.pid, self._screen = pty.fork()
        if self.pid == 0:
            os.execvpe(sys.executable, [sys.executable, "-m", "mossaic", *arguments], env)

    def read_until(self, pattern: str, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.text):
            assert time.monotonic() < deadline, self.text
            if not self._read(deadline):
                raise AssertionError(f"it ended without {pattern!r}:\n{self.text}")

    def _read(self, deadline: float) -> bool:
        if not select.select([self._screen], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return True
        try:
            data = os.read(self._screen, 65536)
        except OSError:  # Linux: the other side is closed
            return False
        self.text += data.decode("utf-8", "replace")
        return bool(data)

    def interrupt(self) -> None:
        os.write(self._screen, b"\x03")

    def end(self, seconds: float = 60.0) -> int:
        """Its exit code."""
        deadline = time.monotonic() + seconds
        while self._read(deadline):
            assert time.monotonic() < deadline, self.text
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_bars_ctrl_c_and_the_same_command_again_sends_only_what_is_missing(
    server: Server, env: dict[str, str], tmp_path: Path
) -> None:
    path, data = big_file(tmp_path)
    command = ("cp", str(path), f"oss://{BUCKET}/bars", "--part-size", str(PART), "--parallel", "2")

    first = Terminal(env, *command, "--bwlimit", "1M")
    first.read_until(r"[1-9]\d*/40 parts")
    first.read_until(r"[KM]iB/s  .+ left")  # a speed is known a moment after the first part may be there
    first.interrupt()
    code = first.end()
    stored = set(server.parts_put(BUCKET, "bars"))
    again = Terminal(env, *command)
    assert again.end() == 0

    assert code == 130
    assert "█" in first.text
    assert re.search(r"\d+%", first.text)
    assert "run the same command again" in first.text
    assert stored
    assert f"{len(stored)} parts" in again.text
    numbers = server.parts_put(BUCKET, "bars")
    assert sorted(numbers) == list(range(1, PARTS + 1)), "no stored part was sent again"
    assert bucket(server).get_object("bars").read() == data
    assert list((tmp_path / "state").rglob("*.log")) + list((tmp_path / "state").rglob("*.jsonl")) == []


def test_ctrl_c_ends_a_folder_and_the_same_command_moves_the_rest(
    server: Server, env: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    files = {f"{number:02}.bin": noise(PART) for number in range(20)}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    command = ("cp", "-r", f"{folder}/", f"oss://{BUCKET}/many/", "--jobs", "2")

    first = Terminal(env, *command, "--bwlimit", "500K")
    first.read_until(r"[1-9]\d* of 20 files  .+B/s  .+ left")
    first.interrupt()
    code = first.end()
    stored = {each.key for each in oss2.ObjectIterator(bucket(server), prefix="many/")}
    again = run(env, *command[1:], "--json")

    assert code == 130
    assert "interrupted; what was moved stays" in first.text
    assert "run the same command again" in first.text
    assert 0 < len(stored) < 20
    assert again.returncode == 0, again.stderr
    summary = json.loads(again.stdout.splitlines()[-1])
    assert (summary["moved"], summary["skipped"]) == (20 - len(stored), len(stored))
    assert {name: bucket(server).get_object(f"many/{name}").read() for name in files} == files


def test_ctrl_c_ends_a_wait_for_standard_input(server: Server, env: dict[str, str]) -> None:
    waiting = Terminal(env, "cp", "-", f"oss://{BUCKET}/typed")
    waiting.read_until(r"checking|0 B")
    waiting.interrupt()

    assert waiting.end() == 130, waiting.text
    assert "Fatal" not in waiting.text


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_killed_and_again(
    server: Server, env: dict[str, str], tmp_path: Path, number: signal.Signals
) -> None:
    path, data = big_file(tmp_path)
    key = f"killed-{number.name}"
    command = [
        sys.executable,
        "-m",
        "mossaic",
        "cp",
        str(path),
        f"oss://{BUCKET}/{key}",
        "--part-size",
        str(PART),
        "--json",
    ]
    with subprocess.Popen(
        [*command, "--bwlimit", "1M", "--every", "0.1"], env=env, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line).get("parts_done", 0) >= 3:
                process.send_signal(number)
                break

    done = subprocess.run(command, env=env, capture_output=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    assert sorted(server.parts_put(BUCKET, key)) == list(range(1, PARTS + 1))
    assert bucket(server).get_object(key).read() == data
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["event"] == "uploaded"
    assert last["resumed_bytes"] >= 3 * PART


def test_a_stream_comes_and_goes_through_the_standard_streams(server: Server, env: dict[str, str]) -> None:
    data = noise(5 * PART + 3)

    up = run(env, "-", f"oss://{BUCKET}/stream", "--part-size", str(PART), data=data)
    down = run(env, f"oss://{BUCKET}/stream", "-")

    assert (up.returncode, down.returncode) == (0, 0)
    assert down.stdout == data
    assert bucket(server).head_object("stream").headers["x-oss-object-type"] == "Multipart"


def test_a_download_is_resumed_and_never_shows_a_half_file(
    server: Server, env: dict[str, str], tmp_path: Path
) -> None:
    data = noise(PARTS * PART)
    bucket(server).put_object("down.bin", data)
    target = tmp_path / "down.bin"
    first = Terminal(
        env, "cp", f"oss://{BUCKET}/down.bin", str(target), "--part-size", str(PART), "--bwlimit", "256K"
    )
    first.read_until(r"[1-9]\d*/40 parts")
    first.interrupt()

    assert first.end() == 130
    assert not target.exists()
    done = run(env, f"oss://{BUCKET}/down.bin", f"{tmp_path}/", "--part-size", str(PART), "--json")

    assert target.read_bytes() == data
    assert json.loads(done.stdout.splitlines()[-1])["resumed_bytes"] > 0
    assert [path.name for path in tmp_path.iterdir() if ".part" in path.name] == []


@pytest.mark.parametrize("recursive", [False, True])
def test_a_limit_holds_for_downloads_too(
    server: Server, env: dict[str, str], tmp_path: Path, recursive: bool
) -> None:
    name = f"limited-{recursive}"
    bucket(server).put_object(f"{name}/a.bin", noise(5 * PART))
    source = f"oss://{BUCKET}/{name}/" if recursive else f"oss://{BUCKET}/{name}/a.bin"
    more = ["--recursive"] if recursive else []
    began = time.monotonic()

    done = run(env, source, str(tmp_path / "to"), *more, "--bwlimit", "256K", "--part-size", str(PART))

    assert done.returncode == 0, done.stderr
    # 500 KiB at 256 KiB a second; what is read last need not wait for those before it.
    assert time.monotonic() - began > 1.0


def test_everything_an_object_carries_can_be_said(
    server: Server, env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "note.txt").write_text("hello")
    done = run(
        env, str(tmp_path / "note.txt"), f"oss://{BUCKET}/said/", "--meta", "year=2020", "--header", "Cache-Control: no-cache",
        "--tag", "Tag1=1", "--storage-class", "IA", "--mime", "text/x-note", "--no-clobber",
    )  # fmt: skip
    again = run(env, str(tmp_path / "note.txt"), f"oss://{BUCKET}/said/", "--no-clobber")

    assert done.returncode == 0, done.stderr
    head = bucket(server).head_object("said/note.txt").headers
    assert (head["x-oss-meta-year"], head["Cache-Control"], head["Content-Type"]) == (
        "2020",
        "no-cache",
        "text/x-note",
    )
    assert (head["x-oss-storage-class"], head["x-oss-tagging-count"]) == ("IA", "1")
    assert again.returncode == 1
    assert b"FileAlreadyExists" in again.stderr
    assert b"request id" in again.stderr


def test_a_folder_goes_up_again_only_where_it_changed_and_comes_down_the_same(
    server: Server, env: dict[str, str], tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    for name in ("a.txt", "b/c.txt", "b/d/e.bin", "skip.tmp"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(name.encode() * 100)
    url = f"oss://{BUCKET}/tree"

    first = run(env, "-r", str(tree), url, "--exclude", "*.tmp", "--json")
    (tree / "a.txt").write_bytes(b"changed")
    second = run(env, "-r", str(tree), url, "--exclude", "*.tmp", "--json")
    down = run(env, "-r", url, str(tmp_path / "back"))

    summary = [json.loads(done.stdout.splitlines()[-1]) for done in (first, second)]
    assert [(found["moved"], found["skipped"], found["failed"]) for found in summary] == [
        (3, 0, 0),
        (1, 2, 0),
    ]
    assert down.returncode == 0, down.stderr
    back = {
        str(path.relative_to(tmp_path / "back")): path.read_bytes()
        for path in (tmp_path / "back").rglob("*")
        if path.is_file()
    }
    assert back == {"a.txt": b"changed", "b/c.txt": b"b/c.txt" * 100, "b/d/e.bin": b"b/d/e.bin" * 100}


def test_one_bad_file_does_not_stop_a_folder_and_the_exit_code_says_so(
    env: dict[str, str], tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "good").write_text("good")
    (tree / "broken").symlink_to(tmp_path / "nowhere")

    done = run(env, "-r", str(tree), f"oss://{BUCKET}/partly/", "--json")

    assert done.returncode == 1
    summary = json.loads(done.stdout.splitlines()[-1])
    assert (summary["moved"], summary["failed"]) == (1, 1)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nothing-here", f"oss://{BUCKET}/x"), 1, "No such file"),
        (("a", "b"), 2, "oss:// URL"),
        ((".", f"oss://{BUCKET}/x"), 2, "-r"),
        ((f"oss://{BUCKET}/no-such-key", "x"), 1, "NoSuchKey"),
        (("README", "oss://no-such-bucket-here/x"), 1, "NoSuchBucket"),
        (("README", f"oss://{BUCKET}/x", "--part-size", "1k"), 2, "part_size"),
        (("README", f"oss://{BUCKET}/x", "--callback", "{"), 2, "JSON"),
    ],
)
def test_what_cannot_be_is_said_in_plain_words(
    env: dict[str, str], tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    (tmp_path / "README").write_text("x")

    done = run(env, *arguments, cwd=tmp_path)

    assert done.returncode == code, done.stderr
    assert words in done.stderr.decode()
    assert b"Traceback" not in done.stderr
