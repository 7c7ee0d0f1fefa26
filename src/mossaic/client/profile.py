"""What a client is to be made of when its user names a profile, or nothing at all: endpoint, region, bucket, credentials.

`Client.from_profile()` and every command use it, so both find the same service.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar, get_args

from mossaic.client.credentials.aliyun_file import read_aliyun
from mossaic.client.credentials.chain import Chain
from mossaic.client.credentials.entry import Entry, environment
from mossaic.client.credentials.files import AliyunCli, Ossutil, Profile
from mossaic.client.credentials.fixed import Env
from mossaic.client.credentials.mossaic_file import read_mossaic
from mossaic.client.credentials.ossutil_file import read_ossutil
from mossaic.client.credentials.pair import Missing
from mossaic.client.errors import CredentialsError
from mossaic.client.options import Addressing, SignatureVersion

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping

    from mossaic.client.credentials.pair import Provider

T = TypeVar("T", bound=str)

_VARIABLES: Final = {
    "endpoint": ("MOSSAIC_ENDPOINT", "OSS_ENDPOINT"),
    "region": ("MOSSAIC_REGION", "OSS_REGION"),
    "bucket": ("MOSSAIC_BUCKET", "OSS_BUCKET"),
}
_NAMES: Final = ("endpoint", "region", "bucket", "signature", "addressing")
_SIGNATURES: Final[tuple[SignatureVersion, ...]] = get_args(SignatureVersion)
_ADDRESSINGS: Final[tuple[Addressing, ...]] = get_args(Addressing)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileSettings:
    """None: nobody says. `origins`: of every value that somebody says, and of `credentials`, where it comes from, in words.

    `credentials` raises CredentialsError when used if there are none; `origins` has no `credentials` then.
    """

    endpoint: str | None = None
    region: str | None = None
    bucket: str | None = None
    signature: SignatureVersion | None = None
    addressing: Addressing | None = None
    credentials: Provider
    origins: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    text: str
    origin: str


def load_profile(
    name: str | None = None,
    *,
    endpoint: str | None = None,
    file: str | os.PathLike[str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> ProfileSettings:
    """Each value from the first place that has it: the environment, then Mossaic's profile (`name`, $MOSSAIC_PROFILE, the
    default one of `file` or of the usual file). A profile asked for by `name` goes before the environment, and an `endpoint` that
    the caller has already before everything.

    ossutil's configuration and the aliyun command line's are asked for the place (endpoint, region, …) only when nobody so far
    named an endpoint, and only the first of them that knows one: a region of one service is of no use to another. They are not
    asked at all when `name` is given.

    Raises CredentialsError: a file or a value in it cannot be used, or there is no profile of that name.
    """
    own = _said_by(_entry(lambda: read_mossaic(name, file, environ)))
    variables = _said_in(environment(environ))
    said = {**variables, **own} if name is not None else {**own, **variables}
    if endpoint is not None:
        said["endpoint"] = _Said(text=endpoint, origin="given")
    places: list[Provider] = [Env(environ), Profile(name, file, environ=environ)]
    if name is not None:
        places.reverse()
    else:
        places += [Ossutil(environ=environ), AliyunCli(environ=environ)]
        if "endpoint" not in said:
            said = {**_said_by_others(environ), **said}
    credentials = Chain(*places)
    origins = {key: value.origin for key, value in said.items()}
    with suppress(Missing):
        origins["credentials"] = credentials.look()
    return ProfileSettings(
        endpoint=_text(said, "endpoint"),
        region=_text(said, "region"),
        bucket=_text(said, "bucket"),
        signature=_one_of(said.get("signature"), "signature", _SIGNATURES),
        addressing=_one_of(said.get("addressing"), "addressing", _ADDRESSINGS),
        credentials=credentials,
        origins=origins,
    )


def _said_in(variables: Mapping[str, str]) -> dict[str, _Said]:
    return {
        key: _Said(text=variables[name].strip(), origin=f"${name}")
        for key, names in _VARIABLES.items()
        for name in reversed(names)  # the later one of a key wins in a dict
        if variables.get(name, "").strip()
    }


def _said_by(entry: Entry | None) -> dict[str, _Said]:
    if entry is None:
        return {}
    values: dict[str, str | None] = {name: getattr(entry, name) for name in _NAMES}
    return {key: _Said(text=text, origin=entry.place) for key, text in values.items() if text is not None}


def _said_by_others(environ: Mapping[str, str] | None) -> dict[str, _Said]:
    for read in (lambda: read_ossutil(None, environ), lambda: read_aliyun(None, None, environ)):
        entry = _entry(read)
        said = _said_by(entry)
        if entry is not None and entry.endpoint is None and entry.region is not None:
            # Both programs mean Alibaba Cloud's public endpoint when they know a region only.
            region = entry.region.removeprefix("oss-")
            said["endpoint"] = _Said(
                text=f"https://oss-{region}.aliyuncs.com", origin=f"the region in {entry.place}"
            )
        if "endpoint" in said:
            return said
    return {}


def _entry(read: Callable[[], Entry]) -> Entry | None:
    try:
        return read()
    except Missing:
        return None


def _text(said: Mapping[str, _Said], key: str) -> str | None:
    return said[key].text if key in said else None


def _one_of(said: _Said | None, key: str, known: Iterable[T]) -> T | None:
    if said is None:
        return None
    for value in known:
        if value == said.text.lower():
            return value
    raise CredentialsError(f"{said.origin}: {key} {said.text!r} is none of {', '.join(known)}")
