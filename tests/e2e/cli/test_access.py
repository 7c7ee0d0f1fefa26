"""`mossaic acl|tag|sign|sts`, and the credentials that commands find."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from tests.e2e.harness import ACCOUNT_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mossaic.client.client import Client
    from tests.e2e.cli.command import Command

ROLE = "cli-uploader"
ARN = f"acs:ram::{ACCOUNT_ID}:role/{ROLE}"


# --- acl, tag ---------------------------------------------------------------------------------------------------------


def test_acl_of_a_bucket_and_of_an_object(mossaic: Command, client: Client, place: str) -> None:
    client.put("k", b"", bucket=place)

    mossaic.ok("acl", "set", f"oss://{place}", "public-read")
    mossaic.ok("acl", "set", f"oss://{place}/k", "private")

    assert client.get_bucket_acl(bucket=place).acl == "public-read"
    (record,) = mossaic.ok("acl", "get", "--json", f"oss://{place}/k").records()
    assert (record["acl"], record["owner"]) == ("private", ACCOUNT_ID)
    assert "no default ACL" in mossaic.fails(2, "acl", "set", f"oss://{place}", "default").err
    mossaic.fails(2, "acl", "set", f"oss://{place}", "everybody")


@pytest.mark.parametrize("key", ["", "k"])
def test_tags_are_set_merged_and_removed(mossaic: Command, client: Client, place: str, key: str) -> None:
    client.put("k", b"", bucket=place)
    url = f"oss://{place}/{key}" if key else f"oss://{place}"

    mossaic.ok("tag", "set", url, "a=1", "b=x=y")
    mossaic.ok("tag", "set", "--merge", url, "c=3")
    assert mossaic.ok("tag", "get", "--plain", url).rows() == [["a", "1"], ["b", "x=y"], ["c", "3"]]
    mossaic.ok("tag", "rm", url, "a")
    assert mossaic.ok("tag", "get", "--json", url).records()[0]["tags"] == {"b": "x=y", "c": "3"}
    mossaic.ok("tag", "set", url, "d=4")
    assert mossaic.ok("tag", "get", "--plain", url).rows() == [["d", "4"]]
    mossaic.ok("tag", "rm", url)
    assert mossaic.ok("tag", "get", "--plain", url).out == ""


@pytest.mark.parametrize("pairs", [["a"], ["=1"], ["a=1", "a=2"], []])
def test_a_tag_is_a_name_and_a_value(mossaic: Command, pairs: list[str]) -> None:
    mossaic.fails(2, "tag", "set", "oss://bucket/k", *pairs)


# --- sign -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [[], ["--v1"]])
def test_a_link_works_without_credentials(
    mossaic: Command, client: Client, place: str, version: list[str]
) -> None:
    client.put("k \u00fc", b"hello", bucket=place)

    link = mossaic.ok("sign", f"oss://{place}/k \u00fc", *version).out

    assert link.endswith("\n")
    with urllib.request.urlopen(link.strip(), timeout=10) as answer:
        assert answer.read() == b"hello"


def test_a_link_may_be_for_a_put_with_headers(mossaic: Command, client: Client, place: str) -> None:
    done = mossaic.ok(
        "sign",
        "--json",
        "--method",
        "put",
        "--expires",
        "10m",
        "-H",
        "Content-Type: text/x-odd",
        f"oss://{place}/new",
    )
    (record,) = done.records()

    request = urllib.request.Request(
        record["link"], data=b"x", method=record["method"], headers=record["headers"]
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200
    assert client.head("new", bucket=place).content_type == "text/x-odd"
    with pytest.raises(urllib.error.HTTPError):  # another type is not what was signed
        urllib.request.urlopen(urllib.request.Request(record["link"], data=b"x", method="PUT"), timeout=10)


def test_a_v4_link_of_more_than_a_week_is_wrong_usage(mossaic: Command) -> None:
    assert "604800" in mossaic.fails(2, "sign", "--expires", "8d", "oss://bucket/k").err
    mossaic.ok("sign", "--expires", "8d", "--v1", "oss://bucket/k")
    mossaic.fails(2, "sign", "--expires", "soon", "oss://bucket/k")


# --- sts --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def bob(mossaic: Command) -> Iterator[dict[str, str]]:
    """The environment of a user who may assume ROLE and nothing else."""
    server = mossaic.server
    everybody = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"RAM": [f"acs:ram::{ACCOUNT_ID}:root"]},
    }
    anything = {"Effect": "Allow", "Action": "oss:*", "Resource": "*"}
    assume = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    if ROLE not in server.cli("role", "list"):
        server.cli("role", "create", ROLE, "--trust", json.dumps({"Version": "1", "Statement": [everybody]}))
        server.cli("user", "create", "cli-bob")
        for name, statement in (("cli-all", anything), ("cli-assume", assume)):
            server.cli(
                "policy", "create", name, "--document", json.dumps({"Version": "1", "Statement": [statement]})
            )
        server.cli("role", "attach", ROLE, "cli-all")
        server.cli("user", "attach", "cli-bob", "cli-assume")
    key = json.loads(server.cli("key", "create", "--user", "cli-bob"))
    yield {"OSS_ACCESS_KEY_ID": key["access_key_id"], "OSS_ACCESS_KEY_SECRET": key["access_key_secret"]}
    server.cli("key", "delete", key["access_key_id"])


def exported(text: str) -> dict[str, str]:
    """What a shell would take from the lines."""
    pairs = [line.removeprefix("export ").split("=", 1) for line in text.splitlines()]
    return {name: value.strip("'") for name, value in pairs}


def test_minted_credentials_may_do_what_was_said_and_no_more(
    mossaic: Command, client: Client, place: str, bob: dict[str, str]
) -> None:
    client.put("out/k", b"secret", bucket=place)
    assert "AccessDenied" in mossaic.fails(1, "ls", f"oss://{place}/in/", **bob).err

    done = mossaic.ok(
        "sts",
        "mint",
        "--role",
        ARN,
        "--prefix",
        f"oss://{place}/in/",
        "--ops",
        "write,list",
        "--ttl",
        "15m",
        **bob,
    )
    pair = exported(done.out)

    assert set(pair) == {"OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET", "OSS_SESSION_TOKEN"}
    (mossaic.home / "f").write_bytes(b"hello")
    mossaic.ok("mv", "f", f"oss://{place}/in/f", **pair)
    assert mossaic.ok("ls", "--plain", f"oss://{place}/in/", **pair).rows()[0][2] == f"oss://{place}/in/f"
    for refused in (
        ["ls", f"oss://{place}"],
        ["cat", f"oss://{place}/out/k"],
        ["rm", "-f", f"oss://{place}/in/f"],
    ):
        assert mossaic.fails(1, *refused, "--json", **pair).error()["code"] == "AccessDenied"


def test_minted_credentials_as_json_tell_their_end(mossaic: Command, bob: dict[str, str]) -> None:
    (record,) = mossaic.ok("sts", "mint", "--role", ARN, "--json", **bob).records()

    assert record["access_key_id"].startswith("STS.")
    pair = {
        "OSS_ACCESS_KEY_ID": record["access_key_id"],
        "OSS_ACCESS_KEY_SECRET": record["access_key_secret"],
    }
    error = mossaic.fails(1, "ls", "--json", **pair, OSS_SESSION_TOKEN="bad").error()
    assert error["code"] == "InvalidSecurityToken"
    assert "all three values" in error["advice"][0]
    assert record["expires_at"].endswith("Z")


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--role", f"{ARN}-none"], 1, "EntityNotExist.Role"),
        (["--role", ARN, "--ttl", "1m"], 1, "DurationSeconds"),
        (["--role", ARN, "--ops", "read"], 2, "--prefix"),
        ([], 2, "--role"),
    ],
)
def test_a_role_that_cannot_be_assumed_says_why(
    mossaic: Command, bob: dict[str, str], options: list[str], code: int, words: str
) -> None:
    assert words in mossaic.fails(code, "sts", "mint", *options, **bob).err


# --- where credentials and endpoints come from ------------------------------------------------------------------------

UNSET = {"OSS_ACCESS_KEY_ID": "UNSET", "OSS_ACCESS_KEY_SECRET": "UNSET", "OSS_ENDPOINT": "UNSET"}


def test_a_profile_of_the_configuration_file_is_enough(mossaic: Command, place: str) -> None:
    server = mossaic.server
    folder = mossaic.home / ".config" / "mossaic"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(
        f'[profiles.work]\nendpoint = "{server.endpoint}"\nbucket = "{place}"\n'
        f'access_key_id = "{server.access_key_id}"\naccess_key_secret = "{server.access_key_secret}"\n'
    )

    done = mossaic.ok("stat", "oss:///", "--plain", "--profile", "work", **UNSET)

    assert ["url", f"oss://{place}"] in done.rows()
    assert "can be read by others" in done.err
    assert "no profile" in mossaic.fails(1, "ls", "--profile", "play", **UNSET).err


def test_ossutil_s_configuration_is_understood(mossaic: Command, place: str) -> None:
    server = mossaic.server
    file = mossaic.home / ".ossutilconfig"
    file.write_text(
        f"[Credentials]\nlanguage=EN\nendpoint={server.endpoint}\naccessKeyID={server.access_key_id}\n"
        f"accessKeySecret={server.access_key_secret}\n"
    )
    file.chmod(0o600)

    assert f"oss://{place}" in mossaic.ok("ls", **UNSET).out


def test_options_go_before_everything(mossaic: Command, place: str) -> None:
    server = mossaic.server

    done = mossaic.ok(
        "ls", "-e", server.endpoint, "--access-key-id", server.access_key_id, "--access-key-secret",
        server.access_key_secret, OSS_ENDPOINT="http://127.0.0.1:1", OSS_ACCESS_KEY_ID="x", OSS_ACCESS_KEY_SECRET="x",
    )  # fmt: skip

    assert f"oss://{place}" in done.out
    assert "can be seen by everybody" in done.err
    assert server.access_key_secret not in done.err


def test_anonymous_sees_what_everybody_may(mossaic: Command, client: Client, place: str) -> None:
    client.put("open", b"hello", bucket=place, acl="public-read")
    client.put("shut", b"hello", bucket=place)

    assert (
        mossaic.ok(
            "cat", "--anonymous", f"oss://{place}/open", **UNSET | {"OSS_ENDPOINT": mossaic.server.endpoint}
        ).out
        == "hello"
    )
    assert "AccessDenied" in mossaic.fails(1, "cat", "--anonymous", f"oss://{place}/shut").err


def test_signature_v1_works_too(mossaic: Command, place: str) -> None:
    assert f"oss://{place}" in mossaic.ok("ls", "--signature", "v1").out


def test_the_client_s_variables_do_not_disturb_the_server(mossaic: Command) -> None:
    done = mossaic.ok(
        "check",
        "--data",
        "data",
        MOSSAIC_ENDPOINT="http://127.0.0.1:1",
        MOSSAIC_PROFILE="x",
        MOSSAIC_DEBUG="",
    )

    assert "metadata: ok" in done.out
