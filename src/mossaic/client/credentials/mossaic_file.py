"""Mossaic's own configuration file: `~/.config/mossaic/config.toml` with `[profiles.NAME]` tables."""

from __future__ import annotations

import os
import tomllib
import warnings
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from mossaic.client.credentials.entry import Entry, environment, given_file, home_file, read_text
from mossaic.client.credentials.pair import Missing
from mossaic.client.errors import CredentialsError

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIG_FILE: Final = "MOSSAIC_CONFIG_FILE"
PROFILE: Final = "MOSSAIC_PROFILE"
_FALLBACK: Final = "default"
_KEYS: Final = frozenset(each.name for each in fields(Entry)) - {"place", "trouble"}
_SECRETS: Final = frozenset({"access_key_secret", "security_token"})
_NUMBERS: Final = frozenset({"duration_s"})
_SWITCHES: Final = frozenset({"anonymous"})


def config_file(environ: Mapping[str, str] | None = None) -> Path:
    """$MOSSAIC_CONFIG_FILE, else $XDG_CONFIG_HOME/mossaic/config.toml, else ~/.config/mossaic/config.toml."""
    variables = environment(environ)
    if named := variables.get(CONFIG_FILE):
        return given_file(named, variables)
    if base := variables.get("XDG_CONFIG_HOME"):
        return Path(base, "mossaic", "config.toml")
    return home_file(variables, ".config", "mossaic", "config.toml")


def read_mossaic(
    name: str | None = None,
    file: str | os.PathLike[str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Entry:
    """The profile `name`, else $MOSSAIC_PROFILE, else the file's `default_profile`, else `default`.

    Warns when others can read a file with secrets in it. Raises Missing (no file; no profile, unless one was asked for by
    name), CredentialsError (not TOML, a wrong value, no profile of that name).
    """
    path = Path(file) if file is not None else config_file(environ)
    document = _document(path)
    chosen = name or environment(environ).get(PROFILE) or None
    profile = chosen or document.get("default_profile", _FALLBACK)
    profiles = document.get("profiles", {})
    if not isinstance(profile, str) or not isinstance(profiles, dict):
        raise CredentialsError(f"{path}: default_profile is text, and profiles are tables [profiles.NAME]")
    named = cast("dict[str, object]", profiles)
    if profile not in named:
        there = f"there are {', '.join(sorted(named))}" if named else "there are none"
        kind = CredentialsError if chosen else Missing
        raise kind(f"{path}: no profile {profile!r}; {there}")
    _warn_if_readable_by_others(path, named)
    return _entry(f"profile {profile!r} in {path}", named[profile])


def _document(path: Path) -> dict[str, object]:
    text = read_text(path)
    problem = None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problem = str(error)
    # Outside the handler: the decoder's error may carry the whole text.
    raise CredentialsError(f"{path} is not TOML: {problem}")


def _entry(place: str, table: object) -> Entry:
    if not isinstance(table, dict):
        raise CredentialsError(f"{place} is not a table")
    values = cast("dict[str, object]", table)
    for key, value in values.items():
        kind = int if key in _NUMBERS else bool if key in _SWITCHES else str
        if key in _KEYS and type(value) is not kind:
            raise CredentialsError(
                f"{place}: {key} is {type(value).__name__} where {kind.__name__} is expected"
            )
    known: dict[str, Any] = {  # Any: their types were just checked
        key: value for key, value in values.items() if key in _KEYS and value != ""
    }
    strange = sorted(values.keys() - _KEYS)
    if strange and "access_key_id" not in known and not known.get("anonymous"):
        # Most likely a slip of the pen, which would be hard to find otherwise.
        known["trouble"] = f"no access_key_id; unknown keys: {', '.join(strange)}"
    return Entry(place=place, **known)


def _warn_if_readable_by_others(path: Path, profiles: Mapping[str, object]) -> None:
    secret = any(
        isinstance(table, dict) and not _SECRETS.isdisjoint(cast("dict[str, object]", table))
        for table in profiles.values()
    )
    if secret and os.name == "posix" and path.stat().st_mode & 0o077:
        warnings.warn(
            f"{path} holds secrets and can be read by others; chmod 600 {path}", UserWarning, stacklevel=2
        )
