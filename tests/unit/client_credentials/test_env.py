"""Credentials in environment variables."""

from __future__ import annotations

import pytest

from mossaic.client.credentials import Env, Missing
from mossaic.client.errors import CredentialsError
from tests.unit.client_credentials.leaks import SECRET, TOKEN, assert_keeps_secrets

MOSSAIC = {
    "MOSSAIC_ACCESS_KEY_ID": "m",
    "MOSSAIC_ACCESS_KEY_SECRET": "ms",
    "MOSSAIC_SECURITY_TOKEN": "mt",
}
OSS = {"OSS_ACCESS_KEY_ID": "o", "OSS_ACCESS_KEY_SECRET": "os", "OSS_SESSION_TOKEN": "ot"}
ALIBABA = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "a",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "as",
    "ALIBABA_CLOUD_SECURITY_TOKEN": "at",
}


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        (MOSSAIC | OSS | ALIBABA, ("m", "ms", "mt")),
        (OSS | ALIBABA, ("o", "os", "ot")),
        (ALIBABA, ("a", "as", "at")),
    ],
)
def test_the_families_are_asked_in_order(environ: dict[str, str], found: tuple[str, str, str]) -> None:
    pair = Env(environ).get()

    assert (pair.access_key_id, pair.access_key_secret, pair.security_token) == found


def test_a_pair_takes_no_token_from_another_family() -> None:
    environ = {"MOSSAIC_ACCESS_KEY_ID": "m", "MOSSAIC_ACCESS_KEY_SECRET": "ms"} | OSS

    assert Env(environ).get().security_token is None


def test_the_token_of_oss_has_two_names() -> None:
    keys = {"OSS_ACCESS_KEY_ID": "o", "OSS_ACCESS_KEY_SECRET": "os"}

    assert Env(keys | {"OSS_SECURITY_TOKEN": "second"}).get().security_token == "second"
    assert Env(keys | {"OSS_SECURITY_TOKEN": "2", "OSS_SESSION_TOKEN": "1"}).get().security_token == "1"


def test_empty_variables_are_not_set_and_blanks_around_are_cut() -> None:
    environ = {"MOSSAIC_ACCESS_KEY_ID": "", "OSS_ACCESS_KEY_ID": " o\n", "OSS_ACCESS_KEY_SECRET": "os\n"}

    pair = Env(environ).get()

    assert (pair.access_key_id, pair.access_key_secret) == ("o", "os")


def test_half_a_pair_is_an_error_that_names_the_other_half() -> None:
    with pytest.raises(
        CredentialsError, match=r"\$OSS_ACCESS_KEY_ID is set, but \$OSS_ACCESS_KEY_SECRET is not"
    ):
        Env({"OSS_ACCESS_KEY_ID": "o"} | ALIBABA).get()
    with pytest.raises(CredentialsError, match=r"_SECRET is set, but \$OSS_ACCESS_KEY_ID is not") as refused:
        Env({"OSS_ACCESS_KEY_SECRET": SECRET}).get()

    assert not isinstance(refused.value, Missing)
    assert_keeps_secrets(refused.value)


def test_nothing_set_is_missing_and_names_the_variables() -> None:
    with pytest.raises(Missing, match=r"\$MOSSAIC_ACCESS_KEY_ID, \$OSS_.*, \$ALIBABA_CLOUD_.*: not set"):
        Env({}).get()


def test_a_value_that_cannot_travel_is_named_and_not_shown() -> None:
    environ = {
        "OSS_ACCESS_KEY_ID": "o",
        "OSS_ACCESS_KEY_SECRET": SECRET,
        "OSS_SESSION_TOKEN": f"{TOKEN} {TOKEN}",
    }

    with pytest.raises(
        CredentialsError, match=r"\$OSS_ACCESS_KEY_ID .*security_token has a blank"
    ) as refused:
        Env(environ).get()

    assert_keeps_secrets(refused.value)


def test_renewing_finds_what_was_set_meanwhile() -> None:
    environ = dict(OSS)
    provider = Env(environ)
    stale = provider.get()

    with pytest.raises(CredentialsError, match=r"\$OSS_ACCESS_KEY_ID, and there are no newer ones"):
        provider.renew(stale)
    environ["OSS_SESSION_TOKEN"] = "newer"

    assert provider.renew(stale).security_token == "newer"


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in MOSSAIC.items():
        monkeypatch.setenv(name, value)

    assert Env().get().access_key_id == "m"
    assert Env().look() == "$MOSSAIC_ACCESS_KEY_ID"
