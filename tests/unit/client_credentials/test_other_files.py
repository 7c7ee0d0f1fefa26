"""The configuration of ossutil, versions 1 and 2, and of the aliyun command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mossaic.client.credentials import AliyunCli, AssumeRole, Missing, Ossutil
from mossaic.client.credentials.aliyun_file import read_aliyun
from mossaic.client.credentials.ossutil_file import read_ossutil
from mossaic.client.errors import CredentialsError
from tests.unit.client_credentials.leaks import SECRET, TOKEN, assert_keeps_secrets

V1 = f"""[Credentials]
language=EN
endpoint=oss-cn-hangzhou.aliyuncs.com
accessKeyID=v1-id
accessKeySecret={SECRET}
stsToken={TOKEN}

[Bucket-Endpoint]
photos=oss-cn-beijing.aliyuncs.com
"""

V2 = f"""# written by ossutil config
[default]
accessKeyId = "v2-id"
accessKeySecret = "{SECRET}"
region = cn-shanghai
sign-version = v4
addressing-style = path

[profile dev]
access_key_id = dev-id
access_key_secret = {SECRET}
sts-token = {TOKEN}
region = cn-beijing
endpoint = http://127.0.0.1:9000

[profile deployer]
source_profile = dev
mode = RamRoleArn
roleArn = acs:ram::1:role/deployer
roleSessionName = me
region = cn-chengdu
"""


def ossutil(directory: Path, text: str, environ: dict[str, str] | None = None) -> Ossutil:
    file = directory / ".ossutilconfig"
    file.write_text(text)
    return Ossutil(environ={"HOME": str(directory), **(environ or {})})


def test_version_1_of_ossutil_is_read(tmp_path: Path) -> None:
    pair = ossutil(tmp_path, V1).get()

    entry = read_ossutil(None, {"HOME": str(tmp_path)})
    assert (pair.access_key_id, pair.access_key_secret, pair.security_token) == ("v1-id", SECRET, TOKEN)
    assert (entry.endpoint, entry.region) == ("oss-cn-hangzhou.aliyuncs.com", None)
    assert entry.place == f"[Credentials] in {tmp_path}/.ossutilconfig"


@pytest.mark.parametrize(
    "names",
    [
        ("accessKeyID", "accessKeySecret", "stsToken", "endpoint"),
        ("AccessKeyId", "AccessKeySecret", "ststoken", "host"),
        ("access_key_id", "access_key_secret", "sts_token", "endpoint"),
        ("access-key-id", "access-key-secret", "sts-token", "Endpoint"),
        ("access_id", "access_key", "STSToken", "host"),
        ("accessid", "accesskey", "stsToken", "host"),
    ],
)
def test_the_names_that_ossutil_knows_are_known(tmp_path: Path, names: tuple[str, str, str, str]) -> None:
    values = zip(names, ("id", SECRET, TOKEN, "oss.example.com"), strict=True)
    text = "[Credentials]\n" + "".join(f"  {name} = {value} \n" for name, value in values)

    pair = ossutil(tmp_path, text).get()

    assert (pair.access_key_id, pair.access_key_secret, pair.security_token) == ("id", SECRET, TOKEN)
    assert read_ossutil(None, {"HOME": str(tmp_path)}).endpoint == "oss.example.com"


def test_version_2_of_ossutil_is_read(tmp_path: Path) -> None:
    pair = ossutil(tmp_path, V2).get()

    entry = read_ossutil(None, {"HOME": str(tmp_path)})
    assert (pair.access_key_id, pair.access_key_secret, pair.security_token) == ("v2-id", SECRET, None)
    assert (entry.region, entry.signature, entry.addressing) == ("cn-shanghai", "v4", "path")
    assert entry.place == f"profile 'default' in {tmp_path}/.ossutilconfig"


def test_ossutils_own_variables_choose_file_and_profile(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text(V2)
    environ = {"HOME": str(tmp_path), "OSSUTIL_CONFIG_FILE": "~/elsewhere", "OSSUTIL_PROFILE": "dev"}

    pair = Ossutil(environ=environ).get()

    assert (pair.access_key_id, pair.security_token) == ("dev-id", TOKEN)


def test_default_may_be_written_in_full_and_in_capitals(tmp_path: Path) -> None:
    text = f"[Profile Default]\naccessKeyId=full\naccessKeySecret={SECRET}\n"

    assert ossutil(tmp_path, text).get().access_key_id == "full"


def test_version_2_goes_before_version_1_in_a_file_that_has_both(tmp_path: Path) -> None:
    assert ossutil(tmp_path, V1 + V2).get().access_key_id == "v2-id"


def test_a_role_of_ossutil_is_assumed_with_the_keys_of_its_source(tmp_path: Path) -> None:
    (tmp_path / ".ossutilconfig").write_text(V2)

    entry = read_ossutil(None, {"HOME": str(tmp_path), "OSSUTIL_PROFILE": "deployer"})

    assert (entry.access_key_id, entry.role_arn, entry.session_name) == (
        "dev-id",
        "acs:ram::1:role/deployer",
        "me",
    )
    assert (entry.sts_endpoint, entry.region) == ("http://127.0.0.1:9000", "cn-chengdu")
    assert isinstance(entry.provider(), AssumeRole)


@pytest.mark.parametrize("source", ["nobody", "default"])
def test_a_source_profile_that_leads_nowhere_is_an_error(tmp_path: Path, source: str) -> None:
    text = f"[default]\nsource_profile = {source}\naccessKeySecret={SECRET}\n"

    with pytest.raises(CredentialsError, match=f"source_profile '{source}' leads nowhere") as refused:
        ossutil(tmp_path, text).get()

    assert_keeps_secrets(refused.value)


def test_a_role_arn_is_for_its_mode_only(tmp_path: Path) -> None:
    text = V2.replace("mode = RamRoleArn\n", "")

    assert ossutil(tmp_path, text, {"OSSUTIL_PROFILE": "deployer"}).get().access_key_id == "dev-id"


def test_anonymous_mode_signs_nothing(tmp_path: Path) -> None:
    assert ossutil(tmp_path, "[default]\nmode = Anonymous\n").get().anonymous


@pytest.mark.parametrize("mode", ["EcsRamRole", "Process", "oidcRoleArn"])
def test_a_mode_that_is_not_ours_is_said_and_passed_over(tmp_path: Path, mode: str) -> None:
    with pytest.raises(Missing, match=f"its mode '{mode}' is not supported here"):
        ossutil(tmp_path, f"[default]\nmode = {mode}\n").get()


def test_what_ossutil_does_not_say_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Missing, match=r"ossutilconfig: no such file"):
        Ossutil(environ={"HOME": str(tmp_path)}).get()
    with pytest.raises(Missing, match=r"no section \[default\]"):
        ossutil(tmp_path, "[Bucket-Endpoint]\n").get()
    with pytest.raises(Missing, match=r"no section \[dev\]"):
        ossutil(tmp_path, V1, {"OSSUTIL_PROFILE": "dev"}).get()
    with pytest.raises(Missing, match="no access_key_id"):
        ossutil(tmp_path, "[default]\nregion = cn-hangzhou\n").get()


def test_lines_that_are_no_values_do_not_hurt_and_do_not_show(tmp_path: Path) -> None:
    text = f"accessKeySecret={SECRET}\n[Credentials]\n{SECRET}\n; x\naccessKeyID=id\naccessKeySecret\n"

    with pytest.raises(CredentialsError, match="access_key_secret is empty") as refused:
        ossutil(tmp_path, text).get()

    assert_keeps_secrets(refused.value)


# --- aliyun -----------------------------------------------------------------------------------------------------------

AK = {
    "name": "default",
    "mode": "AK",
    "access_key_id": "ak-id",
    "access_key_secret": SECRET,
    "sts_token": "",
    "ram_role_arn": "",
    "expired_seconds": 0,
    "region_id": "cn-hangzhou",
}
TOKENS = AK | {"name": "token", "mode": "StsToken", "access_key_id": "sts-id", "sts_token": TOKEN}
ROLE = AK | {
    "name": "role",
    "mode": "RamRoleArn",
    "ram_role_arn": "acs:ram::1:role/r",
    "ram_session_name": "me",
    "expired_seconds": 900,
}


def aliyun(directory: Path, document: Any, **environ: str) -> dict[str, str]:
    folder = directory / ".aliyun"
    folder.mkdir(exist_ok=True)
    text = document if isinstance(document, str) else json.dumps(document)
    (folder / "config.json").write_text(text)
    return {"HOME": str(directory), **environ}


def test_the_current_profile_of_the_aliyun_command_line_is_read(tmp_path: Path) -> None:
    environ = aliyun(tmp_path, {"current": "token", "profiles": [AK, TOKENS]})

    pair = AliyunCli(environ=environ).get()

    entry = read_aliyun(None, None, environ)
    assert (pair.access_key_id, pair.access_key_secret, pair.security_token) == ("sts-id", SECRET, TOKEN)
    assert (entry.region, entry.place) == (
        "cn-hangzhou",
        f"profile 'token' in {tmp_path}/.aliyun/config.json",
    )
    assert AliyunCli("default", environ=environ).get().security_token is None


def test_its_own_variable_chooses_the_profile(tmp_path: Path) -> None:
    environ = aliyun(
        tmp_path, {"current": "default", "profiles": [AK, TOKENS]}, ALIBABA_CLOUD_PROFILE="token"
    )

    assert AliyunCli(environ=environ).get().access_key_id == "sts-id"
    assert AliyunCli("default", environ=environ).get().access_key_id == "ak-id"


def test_a_role_of_the_aliyun_command_line_is_assumed_at_its_sts(tmp_path: Path) -> None:
    environ = aliyun(tmp_path, {"current": "role", "profiles": [ROLE | {"sts_region": "cn-beijing"}]})

    entry = read_aliyun(None, None, environ)

    assert (entry.role_arn, entry.session_name, entry.duration_s) == ("acs:ram::1:role/r", "me", 900)
    assert entry.sts_endpoint == "https://sts.cn-beijing.aliyuncs.com"
    assert isinstance(entry.provider(), AssumeRole)


def test_a_mode_of_aliyun_that_is_not_ours_is_said_and_passed_over(tmp_path: Path) -> None:
    environ = aliyun(tmp_path, {"current": "default", "profiles": [AK | {"mode": "OAuth"}]})

    with pytest.raises(Missing, match="its mode 'OAuth' is not supported here"):
        AliyunCli(environ=environ).get()


@pytest.mark.parametrize("document", [f'{{"a": "{SECRET}', f'["{SECRET}"]', "", "[" * 10])
def test_what_is_no_configuration_of_aliyun_is_an_error_that_shows_none(
    tmp_path: Path, document: str
) -> None:
    environ = aliyun(tmp_path, document)

    with pytest.raises(CredentialsError, match="is not a JSON object") as refused:
        AliyunCli(environ=environ).get()

    assert_keeps_secrets(refused.value)


@pytest.mark.parametrize("document", [{}, {"profiles": 3}, {"profiles": [3, {}]}, {"current": "x"}])
def test_a_profile_that_is_not_there_is_missing(tmp_path: Path, document: dict[str, Any]) -> None:
    with pytest.raises(Missing, match="no profile"):
        AliyunCli(environ=aliyun(tmp_path, document)).get()
