"""ossutil's configuration file `~/.ossutilconfig`, as versions 1 and 2 write it.

Version 1 has one section `[Credentials]`; version 2 has `[default]` and `[profile NAME]`. In both, names are compared without
case, "-" and "_".
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mossaic.client.credentials.entry import (
    Entry,
    environment,
    given_file,
    home_file,
    read_text,
    sts_endpoint,
)
from mossaic.client.credentials.pair import Missing
from mossaic.client.errors import CredentialsError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

_DEFAULT: Final = "default"
_V1: Final = "credentials"
# The spellings of both versions, made plain (ossutil lib/config_helper.go; "Configure ossutil 2.0").
_NAMES: Final = {
    "endpoint": ("endpoint", "host"),
    "region": ("region",),
    "signature": ("signversion",),
    "addressing": ("addressingstyle",),
    "access_key_id": ("accesskeyid", "accessid"),
    "access_key_secret": ("accesskeysecret", "accesskey"),
    "security_token": ("ststoken",),
    "role_arn": ("rolearn", "ramrolearn"),
    "session_name": ("rolesessionname", "ramsessionname"),
}
_MODES: Final = frozenset({"", "ak", "ststoken", "ramrolearn", "anonymous"})


def read_ossutil(
    file: str | os.PathLike[str] | None = None, environ: Mapping[str, str] | None = None
) -> Entry:
    """`file`, else $OSSUTIL_CONFIG_FILE, else ~/.ossutilconfig; the section that $OSSUTIL_PROFILE names, else [default], else
    [Credentials].

    Raises Missing (no file, no such section), CredentialsError (it cannot be read).
    """
    variables = environment(environ)
    if file is not None:
        path = Path(file)
    elif named := variables.get("OSSUTIL_CONFIG_FILE"):
        path = given_file(named, variables)
    else:
        path = home_file(variables, ".ossutilconfig")
    sections = _sections(read_text(path))
    profile = variables.get("OSSUTIL_PROFILE") or _DEFAULT
    names = (profile.lower(), _V1) if profile == _DEFAULT else (profile.lower(),)
    chosen = next((name for name in names if name in sections), None)
    if chosen is None:
        raise Missing(f"{path}: no section [{profile}]")
    place = f"[Credentials] in {path}" if chosen == _V1 else f"profile {profile!r} in {path}"
    return _entry(place, _inherited(place, sections, chosen))


def _entry(place: str, values: Mapping[str, str]) -> Entry:
    found: dict[str, Any] = {  # Any: every one is text or None
        ours: next((values[name] for name in theirs if values.get(name)), None)
        for ours, theirs in _NAMES.items()
    }
    mode = values.get("mode", "").lower()
    if mode != "ramrolearn":
        found["role_arn"] = None  # ossutil, too, uses it in this mode only
    return Entry(
        place=place,
        anonymous=mode == "anonymous",
        sts_endpoint=sts_endpoint(found["endpoint"] or "oss.aliyuncs.com"),
        trouble=None if mode in _MODES else f"its mode {values['mode']!r} is not supported here",
        **found,
    )


def _inherited(place: str, sections: Mapping[str, dict[str, str]], name: str) -> dict[str, str]:
    """A section over the one that its `source_profile` names, and so on."""
    values: dict[str, str] = {}
    seen: set[str] = set()
    while name:
        if name in seen or name not in sections:
            raise CredentialsError(f"{place}: source_profile {name!r} leads nowhere")
        seen.add(name)
        values = {**sections[name], **values}
        name = sections[name].get("sourceprofile", "").lower()
    return values


def _sections(text: str) -> dict[str, dict[str, str]]:
    """Section names in lower case without `profile `; lines that are not `name = value` are passed over, as ossutil does."""
    sections: dict[str, dict[str, str]] = {}
    current: dict[str, str] = {}
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("[") and line.endswith("]"):
            name = line[1:-1].strip().lower()
            current = sections.setdefault(name.removeprefix("profile ").strip(), {})
        elif line[:1] not in ("", "#", ";") and "=" in line:
            key, _, value = line.partition("=")
            current[key.strip().lower().replace("-", "").replace("_", "")] = _unquoted(value.strip())
    return sections


def _unquoted(value: str) -> str:
    quoted = len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value
