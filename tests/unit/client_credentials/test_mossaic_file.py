"""Mossaic's own configuration file."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from mossaic.client.credentials import AssumeRole, Missing, Profile
from mossaic.client.credentials.mossaic_file import config_file, read_mossaic
from mossaic.client.errors import CredentialsError
from tests.unit.client_credentials.leaks import SECRET, TOKEN, assert_keeps_secrets

TWO = f"""
default_profile = "work"

[profiles.work]
endpoint = "https://oss.example.com"
region = "eu-central-1"
bucket = "photos"
access_key_id = "work-id"
access_key_secret = "{SECRET}"
security_token = "{TOKEN}"
signature = "v1"
addressing = "path"

[profiles.home]
access_key_id = "home-id"
access_key_secret = "{SECRET}"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path, TWO)


def written(directory: Path, text: str) -> Path:
    path = directory / "config.toml"
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_the_default_profile_is_read_whole(file: Path) -> None:
    entry = read_mossaic(None, file, {})

    assert entry.place == f"profile 'work' in {file}"
    assert (entry.endpoint, entry.region, entry.bucket) == (
        "https://oss.example.com",
        "eu-central-1",
        "photos",
    )
    assert (entry.signature, entry.addressing) == ("v1", "path")
    pair = Profile(None, file, environ={}).get()
    assert (pair.access_key_id, pair.access_key_secret, pair.security_token) == ("work-id", SECRET, TOKEN)
    assert SECRET not in repr(entry)
    assert TOKEN not in repr(entry)


def test_a_name_goes_before_the_variable_and_that_before_the_files_default(file: Path) -> None:
    assert Profile("work", file, environ={"MOSSAIC_PROFILE": "home"}).get().access_key_id == "work-id"
    assert Profile(None, file, environ={"MOSSAIC_PROFILE": "home"}).get().access_key_id == "home-id"


def test_without_any_name_the_profile_is_called_default(tmp_path: Path) -> None:
    file = written(tmp_path, '[profiles.default]\naccess_key_id = "d"\naccess_key_secret = "s"\n')

    assert Profile(None, file, environ={}).get().access_key_id == "d"


def test_the_file_is_where_the_variables_say(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}

    assert config_file(home) == tmp_path / ".config/mossaic/config.toml"
    assert config_file(home | {"XDG_CONFIG_HOME": "/xdg"}) == Path("/xdg/mossaic/config.toml")
    assert config_file(home | {"MOSSAIC_CONFIG_FILE": "/f.toml", "XDG_CONFIG_HOME": "/x"}) == Path("/f.toml")
    assert config_file(home | {"MOSSAIC_CONFIG_FILE": "~/f.toml"}) == tmp_path / "f.toml"


def test_no_file_is_missing_and_named(tmp_path: Path) -> None:
    with pytest.raises(Missing, match=r"nothing\.toml: no such file"):
        Profile(None, tmp_path / "nothing.toml", environ={}).get()


def test_a_profile_that_was_asked_for_has_to_be_there(file: Path) -> None:
    for provider in (
        Profile("wrok", file, environ={}),
        Profile(None, file, environ={"MOSSAIC_PROFILE": "wrok"}),
    ):
        with pytest.raises(CredentialsError, match="no profile 'wrok'; there are home, work") as refused:
            provider.get()
        assert not isinstance(refused.value, Missing)


def test_a_default_profile_that_nobody_asked_for_may_be_missing(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="no profile 'default'; there are none"):
        Profile(None, written(tmp_path, ""), environ={}).get()


def test_a_profile_without_keys_is_missing_them(tmp_path: Path) -> None:
    file = written(tmp_path, '[profiles.default]\nendpoint = "http://127.0.0.1:9000"\n')

    with pytest.raises(Missing, match=r"profile 'default' in .*: no access_key_id"):
        Profile(None, file, environ={}).get()


def test_a_slip_of_the_pen_is_pointed_at(tmp_path: Path) -> None:
    file = written(tmp_path, f'[profiles.default]\nacess_key_id = "i"\naccess_key_secret = "{SECRET}"\n')

    with pytest.raises(Missing, match="no access_key_id; unknown keys: acess_key_id") as refused:
        Profile(None, file, environ={}).get()

    assert_keeps_secrets(refused.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f'[profiles.default]\naccess_key_secret = "{SECRET}\n', "is not TOML: .*line 2"),
        (f"access_key_secret = {SECRET}", "is not TOML: .*line 1"),
        (f'[profiles]\ndefault = "{SECRET}"', "profile 'default' in .* is not a table"),
        ("profiles = 3", r"profiles are tables \[profiles.NAME\]"),
        ("default_profile = 3", "default_profile is text"),
        (
            f'[profiles.default]\naccess_key_id = 5\naccess_key_secret = "{SECRET}"',
            "access_key_id is int where str",
        ),
        ('[profiles.default]\nduration_s = "long"', "duration_s is str where int"),
        ("[profiles.default]\nduration_s = true", "duration_s is bool where int"),
        (f'[profiles.default]\naccess_key_secret = "{SECRET}"', "access_key_id is empty"),
        ('[profiles.default]\naccess_key_id = "i"', "access_key_secret is empty"),
        (
            f'[profiles.default]\naccess_key_id = "i"\naccess_key_secret = "{SECRET} x"',
            "access_key_secret has a blank",
        ),
        ('[profiles.default]\nrole_arn = "acs:ram::1:role/r"', "a role needs an access_key_id"),
        (
            '[profiles.default]\nrole_arn = "r"\naccess_key_id = "i"\naccess_key_secret = "s"',
            "role_arn needs an endpoint or an sts_endpoint",
        ),
        (
            '[profiles.default]\nendpoint = "ftp://x"\nrole_arn = "r"\naccess_key_id = "i"\naccess_key_secret = "s"',
            "scheme of an endpoint is http or https",
        ),
    ],
)
def test_a_broken_file_is_an_error_that_shows_no_secret(tmp_path: Path, text: str, words: str) -> None:
    file = written(tmp_path, text)

    with pytest.raises(CredentialsError, match=words) as refused:
        Profile(None, file, environ={}).get()

    assert str(file) in str(refused.value)
    assert not isinstance(refused.value, Missing)
    assert_keeps_secrets(refused.value)


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b'[profiles.default]\naccess_key_id = "\xe9"\n')

    with pytest.raises(CredentialsError, match=r"config\.toml is not UTF-8 text"):
        Profile(None, file, environ={}).get()


def test_what_is_not_a_file_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="cannot be read: Is a directory"):
        Profile(None, tmp_path, environ={}).get()


def test_a_role_is_assumed_at_the_endpoint_of_the_profile(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        '[profiles.default]\nendpoint = "http://127.0.0.1:1"\naccess_key_id = "i"\n'
        'access_key_secret = "s"\nrole_arn = "acs:ram::1:role/r"\n',
    )

    provider = read_mossaic(None, file, {}).provider()

    assert isinstance(provider, AssumeRole)
    assert repr(provider) == "AssumeRole('acs:ram::1:role/r')"


def test_an_anonymous_profile_signs_nothing(tmp_path: Path) -> None:
    file = written(tmp_path, "[profiles.default]\nanonymous = true\n")

    assert Profile(None, file, environ={}).get().anonymous


def test_secrets_that_others_can_read_are_warned_of(file: Path) -> None:
    file.chmod(0o640)

    with pytest.warns(UserWarning, match="can be read by others; chmod 600"):
        assert Profile("home", file, environ={}).get().access_key_id == "home-id"


@pytest.mark.parametrize(
    ("mode", "text"),
    [(0o600, TWO), (0o644, '[profiles.default]\nendpoint = "http://127.0.0.1:9000"\n')],
)
def test_nothing_is_warned_of_where_there_is_nothing_to_see(tmp_path: Path, mode: int, text: str) -> None:
    file = written(tmp_path, text)
    file.chmod(mode)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_mossaic(None, file, {})


def test_renewing_reads_the_file_again(file: Path) -> None:
    provider = Profile(None, file, environ={})
    stale = provider.get()

    with pytest.raises(CredentialsError, match=r"profile 'work' in .*there are no newer ones") as refused:
        provider.renew(stale)
    assert_keeps_secrets(refused.value)
    file.write_text(TWO.replace(TOKEN, "newer"))

    assert provider.get().security_token == TOKEN  # the file is not read for every request
    assert provider.renew(stale).security_token == "newer"
    assert provider.get().security_token == "newer"
