"""Where things are: `oss://BUCKET/KEY`, a path of this machine, or `-` for the standard streams."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEME: Final = "oss://"

# (context of the unfinished command, what is typed so far) → names that begin so; RemoteCommand has one that asks the service.
Names: TypeAlias = "Callable[[click.Context, str], list[str]]"


@dataclass(frozen=True, slots=True)
class Remote:
    """A bucket, a prefix or an object. `bucket` "" is the profile's own (`oss:///key`), or all of them (`oss://`). `key` as it is: no
    escapes."""

    bucket: str
    key: str = ""

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.key}" if self.key else f"{SCHEME}{self.bucket}"

    @property
    def is_folder(self) -> bool:
        """Whether it names a place for objects: a bucket, or a key that ends with a slash."""
        return not self.key or self.key.endswith("/")

    @property
    def name(self) -> str:
        """What stands behind the last slash of the key."""
        return self.key.rpartition("/")[2]

    def join(self, name: str) -> Remote:
        """`name` in this folder."""
        return Remote(self.bucket, self.key + name if self.is_folder else f"{self.key}/{name}")


@dataclass(frozen=True, slots=True)
class Local:
    """A path of this machine. `text` is what was written: a slash at its end says that a folder is meant."""

    text: str

    def __str__(self) -> str:
        return self.text

    @property
    def path(self) -> Path:
        return Path(self.text)


@dataclass(frozen=True, slots=True)
class Standard:
    """Standard input, or standard output."""

    def __str__(self) -> str:
        return "-"


Location = Remote | Local | Standard

if TYPE_CHECKING:
    _Url = click.ParamType[Remote]
    _Location = click.ParamType[Location]
    _Text = click.ParamType[str]
else:  # before click 8.4 it is no generic class
    _Url = _Location = _Text = click.ParamType


def parse_url(text: str) -> Remote:
    """Raises ValueError."""
    if not text.startswith(SCHEME):
        hint = f"; did you mean {SCHEME}{text.removeprefix('/')}?" if "://" not in text else ""
        raise ValueError(f"{text!r} is no URL of the kind {SCHEME}BUCKET/KEY{hint}")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{text!r} is not UTF-8, which the names of objects are") from None
    bucket, _, key = text.removeprefix(SCHEME).partition("/")
    return Remote(bucket, key)


def parse_location(text: str) -> Location:
    """Raises ValueError. A file called `-` is `./-`, one that begins with `oss://` is `./oss:/…`."""
    if text == "-":
        return Standard()
    if text.startswith(SCHEME):
        return parse_url(text)
    if not text:
        raise ValueError("an empty path")
    return Local(text)


class UrlType(_Url):
    """An argument that is an `oss://` URL. `bucket`: one has to be named. `key`: a key has to be named; False: none may be."""

    name = "url"

    def __init__(self, *, bucket: bool = True, key: bool | None = None) -> None:
        self._needs_bucket = bucket
        self._key = key

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Remote:  # Any: click's
        if isinstance(value, Remote):
            return value
        try:
            url = parse_url(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if self._needs_bucket and not url.bucket and not url.key and value != f"{SCHEME}/":
            self.fail(f"{value!r} names no bucket; write {SCHEME}BUCKET", param, ctx)
        if self._key is True and not url.key:
            self.fail(f"{value!r} names no object; write {SCHEME}BUCKET/KEY", param, ctx)
        if self._key is False and url.key:
            self.fail(f"{value!r} names an object; only a bucket is meant here", param, ctx)
        return url

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002  # click's signature
        incomplete: str,
    ) -> list[CompletionItem[str]]:
        return complete_url(ctx, incomplete, keys=self._key is not False)


class UploadType(_Text):
    """An argument that is a URL or the id of an upload."""

    name = "upload"

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002  # click's signature
        incomplete: str,
    ) -> list[CompletionItem[str]]:
        return complete_url(ctx, incomplete)


class LocationType(_Location):
    """An argument that is a URL, a path or `-`."""

    name = "location"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Location:  # Any: click's
        if isinstance(value, Remote | Local | Standard):
            return value
        try:
            return parse_location(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002  # click's signature
        incomplete: str,
    ) -> list[CompletionItem[str]]:
        if incomplete.startswith(SCHEME):
            return complete_url(ctx, incomplete)
        return [CompletionItem(incomplete, type="file")]


def complete_url(ctx: click.Context, incomplete: str, *, keys: bool = True) -> list[CompletionItem[str]]:
    """Buckets, then folders and objects. The command knows how to ask the service for names."""
    if not incomplete.startswith(SCHEME):
        return [CompletionItem(SCHEME)] if SCHEME.startswith(incomplete) else []
    names: Names | None = getattr(ctx.command, "names", None)
    if names is None or (not keys and "/" in incomplete.removeprefix(SCHEME)):
        return []
    return [CompletionItem(text) for text in names(ctx, incomplete) if text.startswith(incomplete)]


ANY_URL: Final = UrlType(bucket=False)
BUCKET_URL: Final = UrlType(key=False)
OBJECT_URL: Final = UrlType(key=True)
PLACE_URL: Final = UrlType()
LOCATION: Final = LocationType()
UPLOAD: Final = UploadType()
