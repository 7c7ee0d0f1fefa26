"""`mossaic user|key|role|policy`: what is made can be shown, used and taken away; nothing prints a secret twice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from mossaic.cli.main import main
from tests.unit.gateway.identity_support import document, trust

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT = "1234567890123456"


class Shell:
    """Runs commands on one data directory."""

    def __init__(self, data: Path) -> None:
        self.data = data

    def run(self, *arguments: str) -> Any:  # Any: JSON
        done = self._invoke(*arguments)
        assert done.exit_code == 0, done.output
        return json.loads(done.output) if done.output else None

    def fails(self, *arguments: str) -> str:
        done = self._invoke(*arguments)
        assert done.exit_code == 1
        assert "Traceback" not in done.output
        return done.output

    def _invoke(self, *arguments: str):
        return CliRunner().invoke(
            main, [*arguments, "--data", str(self.data)], env={"MOSSAIC_ACCOUNT_ID": ACCOUNT}
        )


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "data")


def test_a_user_is_made_with_an_arn_and_found_again(shell: Shell) -> None:
    made = shell.run("user", "create", "bob")

    assert made["arn"] == f"acs:ram::{ACCOUNT}:user/bob"
    assert shell.run("user", "list") == [made]
    assert shell.run("user", "show", "bob")["user_id"] == made["user_id"]


def test_a_secret_is_shown_once(shell: Shell) -> None:
    shell.run("user", "create", "bob")
    made = shell.run("key", "create", "--user", "bob")

    assert made["access_key_id"].startswith("LTAI")
    assert len(made["access_key_secret"]) == 30
    later = json.dumps(
        [
            shell.run("key", "list", "--user", "bob"),
            shell.run("key", "show", made["access_key_id"]),
            shell.run("user", "show", "bob"),
        ]
    )
    assert made["access_key_id"] in later
    assert made["access_key_secret"] not in later


def test_a_key_is_switched_off_and_on_and_deleted(shell: Shell) -> None:
    shell.run("user", "create", "bob")
    key = shell.run("key", "create", "--user", "bob")["access_key_id"]

    assert shell.run("key", "disable", key)["active"] is False
    assert shell.run("key", "enable", key)["active"] is True
    shell.run("key", "delete", key)
    assert "no access key" in shell.fails("key", "show", key)


def test_a_user_has_two_keys_at_most(shell: Shell) -> None:
    shell.run("user", "create", "bob")
    shell.run("key", "create", "--user", "bob")
    shell.run("key", "create", "--user", "bob")

    assert "at most 2" in shell.fails("key", "create", "--user", "bob")


def test_a_deleted_user_takes_its_keys_along(shell: Shell) -> None:
    shell.run("user", "create", "bob")
    key = shell.run("key", "create", "--user", "bob")["access_key_id"]

    shell.run("user", "delete", "bob")

    assert "no access key" in shell.fails("key", "show", key)
    assert "no user" in shell.fails("user", "show", "bob")


def test_policies_come_from_text_or_file_and_are_checked(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_text(document("Allow", "oss:GetObject"))

    assert shell.run("policy", "create", "read", "--document", str(file))["name"] == "read"
    assert shell.run("policy", "create", "write", "--document", document("Allow", "oss:PutObject"))
    assert "Invalid policy document" in shell.fails("policy", "create", "bad", "--document", "{}")
    assert "no-such-file" in shell.fails("policy", "create", "bad", "--document", "no-such-file")
    assert [each["name"] for each in shell.run("policy", "list")] == ["read", "write"]


@pytest.mark.parametrize("kind", ["user", "role"])
def test_a_policy_is_attached_detached_and_only_then_deleted(shell: Shell, kind: str) -> None:
    more = ["--trust", trust(f"acs:ram::{ACCOUNT}:root")] if kind == "role" else []
    shell.run(kind, "create", "it", *more)
    shell.run("policy", "create", "read", "--document", document("Allow", "oss:GetObject"))

    assert shell.run(kind, "attach", "it", "read")["policies"] == ["read"]
    assert shell.run(kind, "attach", "it", "read")["policies"] == ["read"]
    assert "still attached" in shell.fails("policy", "delete", "read")
    assert shell.run(kind, "detach", "it", "read")["policies"] == []
    assert "not attached" in shell.fails(kind, "detach", "it", "read")
    shell.run("policy", "delete", "read")
    assert shell.run("policy", "list") == []


def test_a_role_has_an_arn_a_trust_policy_and_a_longest_session(shell: Shell) -> None:
    text = trust(f"acs:ram::{ACCOUNT}:root")

    made = shell.run("role", "create", "uploader", "--trust", text, "--max-session", "7200")

    assert made["arn"] == f"acs:ram::{ACCOUNT}:role/uploader"
    assert (made["trust"], made["max_session_s"]) == (json.loads(text), 7200)
    assert shell.run("role", "show", "uploader") == made
    shell.run("role", "delete", "uploader")
    assert shell.run("role", "list") == []


@pytest.mark.parametrize(
    "command",
    [
        ["user", "create", "a b"],
        ["user", "create", ""],
        ["user", "attach", "nobody", "nothing"],
        ["user", "delete", "nobody"],
        ["key", "create", "--user", "nobody"],
        ["key", "delete", "LTAInone"],
        ["role", "create", "r", "--trust", document("Allow", "sts:AssumeRole")],
        ["role", "create", "r", "--trust", trust("x"), "--max-session", "60"],
        ["role", "delete", "nothing"],
        ["policy", "delete", "nothing"],
    ],
)
def test_a_wrong_command_says_one_line(shell: Shell, command: list[str]) -> None:
    assert shell.fails(*command).startswith("Error: ")


def test_a_name_is_taken_once(shell: Shell) -> None:
    shell.run("user", "create", "bob")

    assert "already" in shell.fails("user", "create", "bob")


def test_the_account_id_made_by_the_first_command_stays(tmp_path: Path) -> None:
    def arn(name: str) -> str:
        made = CliRunner().invoke(main, ["user", "create", name, "--data", str(tmp_path)])
        return json.loads(made.output)["arn"].removesuffix(f"user/{name}")

    assert arn("one") == arn("two")
