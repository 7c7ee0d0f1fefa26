"""How a command ends: exit codes, and failures in words that say what to do."""

from __future__ import annotations

import errno
import json
import re

import click
import pytest
from click.testing import CliRunner, Result

from mossaic.cli.advice import BY_CODE, Where, advice
from mossaic.cli.outcome import Interrupted
from mossaic.cli.remote import RemoteCommand, Shell
from mossaic.client import errors
from mossaic.client.store import Held
from mossaic.protocol import errors as protocol

WHERE = Where(endpoint="http://127.0.0.1:9280", bucket="b", key="dir/k")


def refusal(code: str, status: int = 403) -> errors.ServerError:
    return errors.class_of(code)(
        code=code, status=status, message="no", request_id="REQ", ec="0003-1", operation="GetObject"
    )


def ends(error: BaseException | None = None, *options: str, code: int | None = None) -> Result:
    """A command that raises `error`, or returns `code`."""

    @click.command(cls=RemoteCommand)
    @click.pass_obj
    def command(shell: Shell) -> int | None:
        if error is not None:
            raise error
        return code

    return CliRunner().invoke(
        command, ["--endpoint", "http://127.0.0.1:1", *options], env={"MOSSAIC_DEBUG": ""}
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (refusal("AccessDenied"), 1),
        (errors.NetworkError("no connection: Connection refused"), 1),
        (errors.ConnectionTimeoutError("no byte within 60 s"), 1),
        (errors.CredentialsError("none found"), 1),
        (errors.UploadAborted("gone"), 1),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "x"), 1),
        (RuntimeError("what"), 1),
        (click.ClickException("no"), 1),
        (ValueError("expires must be 1 ... 604800"), 2),
        (click.UsageError("which?"), 2),
        (errors.UploadCancelled("stopped", None), 130),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (Interrupted("stopped", "go on so"), 130),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 141),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)  # fmt: skip
def test_each_kind_of_failure_has_its_exit_code(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mossaic.cli.outcome._close_output", lambda: None)

    done = ends(error)

    assert done.exit_code == code, done.output
    assert "Traceback" not in done.output


def test_what_a_command_returns_is_its_exit_code() -> None:
    assert [ends(code=code).exit_code for code in (None, 0, 1)] == [0, 0, 1]


def test_a_refusal_tells_code_request_id_and_ec() -> None:
    said = ends(refusal("AccessDenied")).stderr

    assert said.startswith(
        "Error: AccessDenied: no\n  (request id REQ, EC 0003-1, status 403, in GetObject)\n  -> "
    )


def test_a_refusal_is_an_object_in_json() -> None:
    record = json.loads(ends(refusal("AccessDenied"), "--json").stderr)

    assert record["event"] == "error"
    assert (record["code"], record["request_id"], record["ec"], record["status"]) == (
        "AccessDenied",
        "REQ",
        "0003-1",
        403,
    )
    assert record["advice"]


def test_wrong_usage_is_an_object_in_json_too() -> None:
    done = ends(click.UsageError("which?"), "--json")

    assert (done.exit_code, json.loads(done.stderr)["message"]) == (2, "which?")


def test_debug_shows_where_it_came_from() -> None:
    said = ends(RuntimeError("what"), "--debug").stderr

    assert "Traceback" in said
    assert "RuntimeError: what" in said
    assert "fault of mossaic" in said


def test_a_file_error_names_the_file() -> None:
    done = ends(PermissionError(errno.EACCES, "Permission denied", "/etc/x"))

    assert "Error: /etc/x: Permission denied" in done.stderr
    assert "does not belong to this user" in done.stderr


def test_two_faces_are_wrong_usage() -> None:
    assert ends(None, "--json", "--plain").exit_code == 2


def test_a_secret_on_the_command_line_is_warned_of() -> None:
    assert "Warning" in ends(None, "--access-key-id", "i", "--access-key-secret", "s").stderr
    assert "Warning" not in ends(None, "--access-key-id", "i").stderr


# --- advice -----------------------------------------------------------------------------------------------------------

KNOWN = {row.code for row in vars(protocol).values() if hasattr(row, "code") and hasattr(row, "status")}


def test_every_code_with_advice_is_one_that_a_service_may_answer() -> None:
    assert set(BY_CODE) - KNOWN == {"UnreadableAnswer"}  # the client's own


@pytest.mark.parametrize("code", BY_CODE)
def test_advice_names_the_place_and_leaves_no_gap(code: str) -> None:
    lines = advice(refusal(code), WHERE)

    assert lines
    assert not any("{" in line or "BUCKET" in line for line in lines)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errors.NetworkError("no connection to 127.0.0.1:9280: Connection refused"), "make run"),
        (errors.NetworkError("the host x is not found: Name or service not known"), "spelled right"),
        (errors.NetworkError("the certificate of x is not trusted: self-signed"), "--ca-file"),
        (errors.NetworkError("TLS with x failed: wrong version number"), "http://"),
        (errors.NetworkError("the connection broke"), "run the same command again"),
        (errors.ConnectionTimeoutError("no byte within 60 s"), "--timeout"),
        (errors.CredentialsError("no credentials found"), "OSS_ACCESS_KEY_ID"),
        (errors.CredentialsError("AssumeRole of r was refused: NoPermission: no"), "trust policy"),
        (errors.SourceChanged("it changed"), "at rest"),
        (errors.ChecksumMismatch("other bytes"), "damaged"),
        (Held("upload", 7), "another process"),
        (OSError(errno.ENOSPC, "No space left on device"), "make room"),
    ],
)
def test_each_kind_of_failure_has_its_advice(error: Exception, words: str) -> None:
    assert re.search(re.escape(words), "\n".join(advice(error, WHERE)))


def test_a_far_service_is_not_said_to_be_startable_here() -> None:
    far = Where(endpoint="https://oss-cn-hangzhou.aliyuncs.com")

    lines = advice(errors.NetworkError("no connection: Connection refused"), far)

    assert not any("make run" in line for line in lines)
    assert "https://oss-cn-hangzhou.aliyuncs.com" in lines[0]
