"""The configuration file of the `aliyun` command line: `~/.aliyun/config.json`, its modes AK, StsToken and RamRoleArn."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from mossaic.client.credentials.entry import Entry, environment, home_file, read_text, sts_endpoint
from mossaic.client.credentials.pair import Missing
from mossaic.client.errors import CredentialsError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

_PROFILE: Final = "ALIBABA_CLOUD_PROFILE"
_MODES: Final = frozenset({"ak", "ststoken", "ramrolearn", "anonymous"})


def read_aliyun(
    name: str | None = None,
    file: str | os.PathLike[str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Entry:
    """The profile `name`, else $ALIBABA_CLOUD_PROFILE, else the file's `current`.

    Raises Missing (no file, no such profile), CredentialsError (it cannot be read).
    """
    variables = environment(environ)
    path = Path(file) if file is not None else home_file(variables, ".aliyun", "config.json")
    document = _document(path)
    profile = name or variables.get(_PROFILE) or document.get("current") or "default"
    listed = document.get("profiles")
    tables = cast("list[object]", listed) if isinstance(listed, list) else []
    for table in tables:
        if isinstance(table, dict):
            values = cast("dict[str, object]", table)
            if values.get("name") == profile:
                return _entry(f"profile {profile!r} in {path}", values)
    raise Missing(f"{path}: no profile {profile!r}")


def _document(path: Path) -> Mapping[str, object]:
    text = read_text(path)
    document: object = None
    with suppress(
        json.JSONDecodeError
    ):  # it carries the whole text and is not to be anybody's cause or context
        document = json.loads(text)
    if not isinstance(document, dict):
        raise CredentialsError(f"{path} is not a JSON object")
    return cast("dict[str, object]", document)


def _entry(place: str, values: Mapping[str, object]) -> Entry:
    def text(key: str) -> str | None:
        value = values.get(key)
        return value.strip() or None if isinstance(value, str) else None

    mode = (text("mode") or "AK").lower()
    seconds = values.get("expired_seconds")
    region = text("sts_region")
    return Entry(
        place=place,
        region=text("region_id"),
        access_key_id=text("access_key_id"),
        access_key_secret=text("access_key_secret"),
        security_token=text("sts_token") if mode != "ak" else None,
        anonymous=mode == "anonymous",
        role_arn=text("ram_role_arn") if mode == "ramrolearn" else None,
        session_name=text("ram_session_name"),
        external_id=text("external_id"),
        duration_s=seconds if isinstance(seconds, int) and seconds > 0 else None,
        sts_endpoint=f"https://sts.{region}.aliyuncs.com" if region else sts_endpoint("oss.aliyuncs.com"),
        trouble=None if mode in _MODES else f"its mode {text('mode')!r} is not supported here",
    )
