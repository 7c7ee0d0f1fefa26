"""What commands say when something is wrong: words, request id, what to do; on a terminal, in a pipe, for programs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.harness import free_port, self_signed

if TYPE_CHECKING:
    from collections.abc import Callable

    from mossaic.client.client import Client
    from tests.e2e.cli.command import Command
    from tests.e2e.harness import Server


def test_a_refusal_has_its_code_its_request_id_and_advice(mossaic: Command, place: str) -> None:
    error = mossaic.fails(1, "cat", "--json", f"oss://{place}/none").error()

    assert (error["event"], error["code"], error["status"]) == ("error", "NoSuchKey", 404)
    logged = mossaic.server.log_lines(bucket=place, operation="GetObject")[-1]
    assert error["request_id"] == logged["request_id"]
    assert error["advice"]


def test_a_refusal_in_words_carries_the_request_id_of_the_server_s_log(mossaic: Command, place: str) -> None:
    said = mossaic.fails(1, "cat", f"oss://{place}/none").err

    logged = mossaic.server.log_lines(bucket=place, operation="GetObject")[-1]
    assert f"request id {logged['request_id']}" in said
    assert said.startswith("Error: NoSuchKey: ")
    assert f"-> see what there is with `mossaic ls oss://{place}/`" in said


def test_a_slip_of_the_pen_is_guessed(mossaic: Command, client: Client, place: str) -> None:
    client.put("report.pdf", b"", bucket=place)
    client.put("folder/x", b"", bucket=place)

    assert (
        f"did you mean oss://{place}/report.pdf?" in mossaic.fails(1, "cat", f"oss://{place}/reprot.pdf").err
    )
    assert f"oss://{place}/folder/ is a folder" in mossaic.fails(1, "cat", f"oss://{place}/folder").err
    said = mossaic.fails(1, "ls", f"oss://{place}x").err
    assert f"did you mean oss://{place}?" in said
    assert f"mossaic mb oss://{place}x" in said


@pytest.mark.parametrize(
    ("wrong", "code", "words"),
    [
        ({"OSS_ACCESS_KEY_SECRET": "wrong"}, "SignatureDoesNotMatch", "--signature v1"),
        ({"OSS_ACCESS_KEY_ID": "nobody"}, "InvalidAccessKeyId", "mossaic key list"),
    ],
)
def test_wrong_credentials_are_told_apart(
    mossaic: Command, wrong: dict[str, str], code: str, words: str
) -> None:
    error = mossaic.fails(1, "ls", "--json", **wrong).error()

    assert error["code"] == code
    assert words in " ".join(error["advice"])


def test_no_credentials_says_where_was_looked(mossaic: Command) -> None:
    said = mossaic.fails(1, "ls", OSS_ACCESS_KEY_ID="UNSET", OSS_ACCESS_KEY_SECRET="UNSET").err

    assert "$OSS_ACCESS_KEY_ID" in said
    assert ".ossutilconfig" in said


def test_no_endpoint_is_wrong_usage(mossaic: Command) -> None:
    said = mossaic.fails(2, "ls", OSS_ENDPOINT="UNSET").err

    assert "--endpoint" in said
    assert "OSS_ENDPOINT" in said


def test_nobody_listening_asks_whether_it_runs(mossaic: Command) -> None:
    said = mossaic.fails(1, "ls", "--retries", "1", "-e", f"http://127.0.0.1:{free_port()}").err

    assert "Connection refused; again in" in said  # a wait is told
    assert "`make run`" in said


def test_an_unknown_host_is_named(mossaic: Command) -> None:
    said = mossaic.fails(1, "ls", "--retries", "0", "-e", "http://no-such-host.invalid").err

    assert "no-such-host.invalid" in said
    assert "spelled right" in said


def test_tls_that_is_not_trusted_can_be(mossaic: Command, make_server: Callable[..., Server]) -> None:
    settings = self_signed(mossaic.home)
    endpoint = make_server(**settings).endpoint

    said = mossaic.fails(1, "ls", "--retries", "0", "-e", endpoint).err
    assert "is not trusted" in said
    assert "--ca-file" in said
    mossaic.ok("ls", "-e", endpoint, "--ca-file", settings["TLS_CERTIFICATE"])
    mossaic.ok("ls", "-e", endpoint, "--insecure")


@pytest.mark.parametrize(
    "wrong",
    [
        ["no-such-command"], ["ls", "--no-such-option"], ["ls", "bucket"], ["cat"], ["cat", "oss://b"], ["ls", "-n", "0"],
        ["ls", "--plain", "--json"], ["ls", "--timeout", "0"], ["ls", "--signature", "v9"], ["ls", "-e", "ftp://x"],
        ["uploads", "abort", "oss://b"], ["mv", "a", "b"], ["rm", "--prefix", "oss://b/k"], ["ls", "--ca-file", "none.pem"],
        ["ls", "--access-key-id", "x"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_wrong_usage_ends_with_2(mossaic: Command, wrong: list[str]) -> None:
    assert "Error" in mossaic.fails(2, *wrong).err


# --- terminals and pipes ----------------------------------------------------------------------------------------------


def test_colours_are_on_a_terminal_and_nowhere_else(mossaic: Command) -> None:
    arguments = ("cat", "oss://no-such-bucket-here/k")

    assert "\x1b" not in mossaic.fails(1, *arguments).err
    assert "\x1b[" in mossaic.on_terminal(*arguments)[1]
    assert "\x1b" not in mossaic.on_terminal(*arguments, NO_COLOR="1")[1]
    assert "\x1b" not in mossaic.on_terminal(*arguments, TERM="dumb")[1]


def test_a_reader_that_goes_away_is_no_error(mossaic: Command, client: Client, place: str) -> None:
    client.put("big", bytes(8_000_000), bucket=place)

    done = subprocess.run(
        ["bash", "-c", f'"$0" -m mossaic cat oss://{place}/big | head -c 1 | wc -c; echo "${{PIPESTATUS[0]}}"', sys.executable],
        env=mossaic.env(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.stdout.split() == ["1", "141"]
    assert done.stderr == ""


def test_ctrl_c_is_130_in_one_line(mossaic: Command) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "mossaic", "ls", "-e", f"http://127.0.0.1:{free_port()}", "--retries", "100"],
        env=mossaic.env(), stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    process.stderr.readline()  # it waits for its next attempt
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert err.splitlines()[-1] == "Error: interrupted"


def test_output_that_cannot_be_written_fails(mossaic: Command, client: Client, place: str) -> None:
    client.put("k", b"hello", bucket=place)

    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "mossaic", "cat", f"oss://{place}/k"],
            env=mossaic.env(), stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip

    assert done.returncode == 1
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_and_version_ask_nobody(mossaic: Command) -> None:
    alone = {"OSS_ENDPOINT": "UNSET", "HOME": "/nonexistent"}

    assert mossaic.ok("--version", **alone).out.startswith("mossaic, version ")
    assert "Uploads:" in mossaic.ok("--help", **alone).out
    assert "Connection and output:" in mossaic.ok("ls", "-h", **alone).out


@pytest.mark.parametrize("command", [["ls"], ["uploads", "resume"], ["rm"], ["sts", "mint"], ["cors", "set"]])
def test_help_imports_neither_server_nor_client(mossaic: Command, command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "mossaic", *command, "--help"],
        env=mossaic.env(), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip

    loaded = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    heavy = {
        "asyncio",
        "rich",
        "msgspec",
        "ssl",
        "sqlite3",
        "mossaic.app",
        "mossaic.client.client",
        "mossaic.protocol.codec",
    }
    assert not loaded & heavy
    assert "mossaic.cli.remote" in loaded


def test_json_of_a_failure_in_the_middle_names_the_thing(
    mossaic: Command, client: Client, place: str
) -> None:
    client.put("a/1", b"", bucket=place)
    client.put("a/2", b"", bucket=place)
    client.put("b/2", b"", bucket=place)

    done = mossaic.fails(1, "mv", "-r", "--no-clobber", "--json", f"oss://{place}/a/", f"oss://{place}/b/")

    assert [each["source"] for each in done.records()] == [f"oss://{place}/a/1"]
    assert (done.error()["code"], done.error()["url"]) == ("FileAlreadyExists", f"oss://{place}/a/2")
    assert json.loads(done.err)["request_id"]
