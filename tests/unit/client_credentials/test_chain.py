"""Several places, one after the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from mossaic.client.credentials import Chain, Credentials, Env, Missing, Static, Sts, default
from mossaic.client.errors import CredentialsError
from tests.unit.client_credentials.leaks import SECRET, assert_keeps_secrets

KEYS = {"OSS_ACCESS_KEY_ID": "env-id", "OSS_ACCESS_KEY_SECRET": SECRET}


def profile(home: Path, name: str = "default") -> None:
    file = home / ".config/mossaic/config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f'[profiles.{name}]\naccess_key_id = "{name}-id"\naccess_key_secret = "{SECRET}"\n')
    file.chmod(0o600)


def test_the_first_that_has_something_is_taken() -> None:
    assert Chain(Env({}), Static("a", "s"), Static("b", "s")).get().access_key_id == "a"


def test_what_was_found_once_stays() -> None:
    environ: dict[str, str] = {}
    chain = Chain(Env(environ), Static("fixed", "s"))
    chain.get()

    environ.update(KEYS)

    assert chain.get().access_key_id == "fixed"


def test_nothing_anywhere_lists_every_place(tmp_path: Path) -> None:
    chain = default(environ={"HOME": str(tmp_path)})

    for look in (chain.get, chain.look):
        with pytest.raises(Missing) as missing:
            look()
        text = str(missing.value)
        assert text.startswith("no credentials found. Looked at: ")
        for place in (
            "$OSS_ACCESS_KEY_ID",
            f"{tmp_path}/.config/mossaic/config.toml: no such file",
            f"{tmp_path}/.ossutilconfig: no such file",
            f"{tmp_path}/.aliyun/config.json: no such file",
        ):
            assert place in text


def test_what_comes_later_is_found_later(tmp_path: Path) -> None:
    chain = default(environ={"HOME": str(tmp_path)})
    with pytest.raises(Missing):
        chain.get()

    profile(tmp_path)

    assert chain.get().access_key_id == "default-id"
    assert chain.look() == f"profile 'default' in {tmp_path}/.config/mossaic/config.toml"


def test_a_broken_place_ends_the_search_for_another_identity(tmp_path: Path) -> None:
    profile(tmp_path)

    chain = default(environ={"HOME": str(tmp_path), "OSS_ACCESS_KEY_SECRET": SECRET})

    with pytest.raises(CredentialsError, match=r"\$OSS_ACCESS_KEY_ID is not") as refused:
        chain.get()
    assert not isinstance(refused.value, Missing)
    assert_keeps_secrets(refused.value)


def test_a_failing_token_service_ends_the_search(tmp_path: Path) -> None:
    def fetch() -> Credentials:
        raise OSError("down")

    with pytest.raises(CredentialsError, match="down"):
        Chain(Sts(fetch), Static("other", "s")).get()


def test_renewing_is_up_to_the_one_that_was_taken() -> None:
    numbers = iter(range(1, 9))
    chain = Chain(Env({}), Sts(lambda: {"AccessKeyId": f"sts-{next(numbers)}", "AccessKeySecret": SECRET}))

    stale = chain.get()

    assert chain.renew(stale).access_key_id == "sts-2"
    assert chain.get().access_key_id == "sts-2"


def test_the_environment_goes_before_the_profile_unless_that_was_asked_for(tmp_path: Path) -> None:
    profile(tmp_path, "work")
    environ = {"HOME": str(tmp_path), "MOSSAIC_PROFILE": "work", **KEYS}

    assert default(environ=environ).get().access_key_id == "env-id"
    assert default("work", environ=environ).get().access_key_id == "work-id"


def test_a_chain_has_members() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Chain()


def test_a_chain_shows_its_members_and_no_secret() -> None:
    assert repr(Chain(Env({}), Static("a", SECRET))) == "Chain(Env(), Static('a'))"
