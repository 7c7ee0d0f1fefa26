"""What a client is made of when nothing, or a profile, is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mossaic.client.errors import CredentialsError
from mossaic.client.profile import load_profile
from tests.unit.client_credentials.leaks import SECRET, assert_keeps_secrets

WORK = f"""
default_profile = "work"
[profiles.work]
endpoint = "https://oss.example.com"
region = "eu-central-1"
access_key_id = "work-id"
access_key_secret = "{SECRET}"
signature = "V1"
addressing = "path"
[profiles.bare]
region = "nowhere-1"
"""
OSSUTIL = f"[default]\naccessKeyId=ossutil-id\naccessKeySecret={SECRET}\nregion=cn-shanghai\n"
ALIYUN = {
    "current": "default",
    "profiles": [
        {
            "name": "default",
            "mode": "AK",
            "access_key_id": "aliyun-id",
            "access_key_secret": SECRET,
            "region_id": "cn-beijing",
        }
    ],
}


class Home:
    """A home directory with the files that a test puts there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.environ = {"HOME": str(path)}

    def mossaic(self, text: str = WORK) -> str:
        file = self.path / ".config/mossaic/config.toml"
        file.parent.mkdir(parents=True)
        file.write_text(text)
        file.chmod(0o600)
        return str(file)

    def ossutil(self, text: str = OSSUTIL) -> str:
        (self.path / ".ossutilconfig").write_text(text)
        return f"{self.path}/.ossutilconfig"

    def aliyun(self) -> str:
        (self.path / ".aliyun").mkdir()
        (self.path / ".aliyun/config.json").write_text(json.dumps(ALIYUN))
        return f"{self.path}/.aliyun/config.json"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_a_profile_gives_everything_and_says_where_it_stands(home: Home) -> None:
    place = f"profile 'work' in {home.mossaic()}"

    found = load_profile(environ=home.environ)

    assert (found.endpoint, found.region, found.bucket) == ("https://oss.example.com", "eu-central-1", None)
    assert (found.signature, found.addressing) == ("v1", "path")
    assert found.credentials.get().access_key_id == "work-id"
    assert found.origins == dict.fromkeys(
        ("endpoint", "region", "signature", "addressing", "credentials"), place
    )
    assert SECRET not in repr(found)


def test_the_environment_goes_before_the_profile_value_by_value(home: Home) -> None:
    home.mossaic()
    environ = home.environ | {"OSS_ENDPOINT": "http://127.0.0.1:9000", "MOSSAIC_BUCKET": "photos"}

    found = load_profile(environ=environ)

    assert (found.endpoint, found.region, found.bucket) == ("http://127.0.0.1:9000", "eu-central-1", "photos")
    assert (found.origins["endpoint"], found.origins["bucket"]) == ("$OSS_ENDPOINT", "$MOSSAIC_BUCKET")
    assert found.origins["region"].startswith("profile 'work'")


def test_mossaics_variables_go_before_those_of_oss(home: Home) -> None:
    environ = home.environ | {
        "OSS_ENDPOINT": "http://oss",
        "MOSSAIC_ENDPOINT": "http://mossaic",
        "MOSSAIC_REGION": " ",
        "OSS_REGION": "cn-hangzhou",
        "OSS_BUCKET": "photos",
    }

    found = load_profile(environ=environ)

    assert (found.endpoint, found.region, found.bucket) == ("http://mossaic", "cn-hangzhou", "photos")
    assert found.origins == {
        "endpoint": "$MOSSAIC_ENDPOINT",
        "region": "$OSS_REGION",
        "bucket": "$OSS_BUCKET",
    }


def test_a_profile_asked_for_goes_before_the_environment(home: Home) -> None:
    home.mossaic()
    environ = home.environ | {
        "OSS_ENDPOINT": "http://other",
        "OSS_BUCKET": "photos",
        "OSS_ACCESS_KEY_ID": "other-id",
        "OSS_ACCESS_KEY_SECRET": SECRET,
    }

    found = load_profile("work", environ=environ)

    assert (found.endpoint, found.bucket) == ("https://oss.example.com", "photos")
    assert found.credentials.get().access_key_id == "work-id"


def test_a_profile_asked_for_takes_keys_from_the_environment_when_it_has_none(home: Home) -> None:
    home.mossaic()
    home.ossutil()
    keys = {"OSS_ACCESS_KEY_ID": "env-id", "OSS_ACCESS_KEY_SECRET": SECRET}

    found = load_profile("bare", environ=home.environ | keys)

    assert found.credentials.get().access_key_id == "env-id"
    assert (found.endpoint, found.region) == (None, "nowhere-1")
    assert found.origins["credentials"] == "$OSS_ACCESS_KEY_ID"


def test_a_profile_asked_for_has_to_be_there(home: Home) -> None:
    home.mossaic()

    with pytest.raises(CredentialsError, match="no profile 'wrok'; there are bare, work"):
        load_profile("wrok", environ=home.environ)
    with pytest.raises(CredentialsError, match="no profile 'wrok'"):
        load_profile(environ=home.environ | {"MOSSAIC_PROFILE": "wrok"})


def test_ossutils_region_stands_for_alibaba_clouds_endpoint(home: Home) -> None:
    place = f"profile 'default' in {home.ossutil()}"

    found = load_profile(environ=home.environ)

    assert (found.endpoint, found.region) == ("https://oss-cn-shanghai.aliyuncs.com", "cn-shanghai")
    assert found.credentials.get().access_key_id == "ossutil-id"
    assert found.origins == {"endpoint": f"the region in {place}", "region": place, "credentials": place}


def test_ossutil_goes_before_the_aliyun_command_line(home: Home) -> None:
    place = f"profile 'default' in {home.aliyun()}"

    found = load_profile(environ=home.environ)
    assert found.endpoint == "https://oss-cn-beijing.aliyuncs.com"
    assert found.origins["credentials"] == place

    home.ossutil()
    found = load_profile(environ=home.environ)
    assert found.endpoint == "https://oss-cn-shanghai.aliyuncs.com"
    assert found.credentials.get().access_key_id == "ossutil-id"


def test_another_programs_region_is_not_taken_for_an_endpoint_of_ours(home: Home) -> None:
    home.ossutil()

    found = load_profile(environ=home.environ | {"MOSSAIC_ENDPOINT": "http://127.0.0.1:9000"})

    assert (found.endpoint, found.region) == ("http://127.0.0.1:9000", None)
    assert found.credentials.get().access_key_id == "ossutil-id"


def test_an_endpoint_that_the_caller_has_goes_before_everything(home: Home) -> None:
    home.mossaic('[profiles.default]\nbucket = "photos"\n')
    home.ossutil()

    found = load_profile(endpoint="http://mine", environ=home.environ | {"OSS_ENDPOINT": "http://other"})

    assert (found.endpoint, found.region, found.bucket) == ("http://mine", None, "photos")
    assert found.origins["endpoint"] == "given"
    assert load_profile(endpoint="http://mine", environ=home.environ).region is None  # not ossutil's


def test_nothing_anywhere_is_no_error_until_credentials_are_needed(home: Home) -> None:
    found = load_profile(environ=home.environ)

    assert (found.endpoint, found.region, found.bucket, found.signature) == (None, None, None, None)
    assert found.origins == {}
    with pytest.raises(CredentialsError, match=r"no credentials found\. Looked at"):
        found.credentials.get()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('signature = "v2"', "signature 'v2' is none of v4, v1"),
        ('addressing = "paht"', "addressing 'paht' is none of auto, virtual, path, cname"),
    ],
)
def test_a_word_that_is_not_known_is_named_with_its_place(home: Home, line: str, words: str) -> None:
    file = home.mossaic(f'[profiles.default]\n{line}\naccess_key_secret = "{SECRET}"\naccess_key_id = "i"')

    with pytest.raises(CredentialsError, match=words) as refused:
        load_profile(environ=home.environ)

    assert file in str(refused.value)
    assert_keeps_secrets(refused.value)


def test_a_broken_file_is_an_error_at_once(home: Home) -> None:
    home.mossaic(f"access_key_secret = {SECRET}")

    with pytest.raises(CredentialsError, match="is not TOML") as refused:
        load_profile(environ=home.environ)

    assert_keeps_secrets(refused.value)


def test_the_file_may_be_given(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(WORK)
    file.chmod(0o600)

    found = load_profile(file=file, environ={"HOME": "/nowhere"})

    assert found.credentials.get().access_key_id == "work-id"
