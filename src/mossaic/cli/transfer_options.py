"""The options of commands that move bytes, and the choice that they make."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from mossaic.cli.pairs import read_headers, read_pairs
from mossaic.cli.units import SIZE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mossaic.cli.remote import Shell

F = TypeVar("F", bound="Callable[..., Any]")  # Any: click commands have any shape

_PAIR = "NAME=VALUE"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferChoice:
    """What was chosen; None: not chosen. Sizes in bytes, `bwlimit` bytes a second."""

    part_size: int | None = None
    parallel: int | None = None
    jobs: int | None = None
    bwlimit: int | None = None
    resume: str = "auto"
    checksum: str | None = None
    every: float = 5.0
    dry_run: bool = False
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    skip: str = "same"
    no_clobber: bool = False
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    meta: Mapping[str, str] = field(default_factory=dict[str, str])
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    mime: str | None = None
    storage_class: str | None = None
    acl: str | None = None
    callback: Mapping[str, Any] | None = None  # Any: as ali-oss has it
    traffic_limit: int | None = None
    server_side_encryption: str | None = None

    def apply(self, shell: Shell) -> None:
        """What belongs to the client as a whole; the bandwidth is that of all it sends (`for_download`: of what it gets)."""
        shell.configure(bandwidth=self.bwlimit, checksum=self.checksum)

    def for_transfer(self) -> dict[str, Any]:  # Any: options of an upload and of a download
        chosen = {"part_size": self.part_size, "parallel": self.parallel, "resume": self.resume}
        return {name: value for name, value in chosen.items() if value is not None}

    def for_download(self) -> dict[str, Any]:  # Any: options of a download, or of a folder's
        limit = {} if self.bwlimit is None else {"bandwidth": self.bwlimit}
        return self.for_transfer() | limit

    def for_object(self) -> dict[str, Any]:  # Any: options of a write
        names = ("headers", "meta", "tags", "mime", "storage_class", "acl", "server_side_encryption")
        chosen: dict[str, Any] = {name: value for name in names if (value := getattr(self, name))}
        if self.no_clobber:
            chosen["forbid_overwrite"] = True
        return chosen

    def for_upload(self) -> dict[str, Any]:  # Any: as above
        more = {"callback": self.callback, "traffic_limit": self.traffic_limit}
        return (
            self.for_transfer()
            | self.for_object()
            | {n: value for n, value in more.items() if value is not None}
        )


def _pairs(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    return read_pairs(values)


def _headers(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    return read_headers(values)


def _callback(
    _ctx: click.Context, param: click.Parameter, value: str | None
) -> Mapping[str, Any] | None:  # Any: JSON
    if value is None:
        return None
    try:
        text = Path(value[1:]).read_text("utf-8") if value.startswith("@") else value
        read = json.loads(text)
    except OSError as error:
        raise click.BadParameter(f"{error.filename}: {error.strerror}", param=param) from None
    except ValueError as error:
        raise click.BadParameter(f"not JSON: {error}", param=param) from None
    if not isinstance(read, dict):
        raise click.BadParameter('an object is needed: {"url": …, "body": …}', param=param)
    return cast("Mapping[str, Any]", read)


_TRANSFER = (
    click.option("--part-size", type=SIZE, help="Bytes of a part: 100k to 5g [default: fits the file]."),
    click.option(
        "--parallel",
        type=click.IntRange(1, 256),
        metavar="N",
        help="Parts at the same time [default: 4 to 16].",
    ),
    click.option(
        "-j", "--jobs", type=click.IntRange(1, 64), metavar="N", help="Files at the same time [default: 4]."
    ),
    click.option("--bwlimit", type=SIZE, metavar="SIZE", help="Bytes a second, all files together: 10M."),
    click.option(
        "--resume",
        type=click.Choice(["auto", "verify", "never"]),
        default="auto",
        help="auto: go on where an earlier run ended; verify: and compare every stored part; never: begin anew.",
    ),
    click.option(
        "--checksum",
        type=click.Choice(["crc64", "crc64+md5", "none"]),
        help="What is compared [default: crc64].",
    ),
    click.option(
        "--every",
        type=click.FloatRange(min=0.1),
        default=5.0,
        metavar="SECONDS",
        help="Between lines of progress in a log.",
    ),
    click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing."),
    click.option(
        "--include", multiple=True, metavar="PATTERN", help="With -r: only names like this (*.jpg, a/**)."
    ),
    click.option(
        "--exclude",
        multiple=True,
        metavar="PATTERN",
        help="With -r: no names like this; wins over --include.",
    ),
    click.option(
        "--skip",
        type=click.Choice(["same", "newer", "never"]),
        default="same",
        help="With -r: leave out files that are there already: the same by size and bytes, or not older [default: same].",
    ),
    click.option("-n", "--no-clobber", is_flag=True, help="Never replace what is there."),
)

_OBJECT = (
    click.option(
        "--header",
        "headers",
        multiple=True,
        metavar="'NAME: VALUE'",
        callback=_headers,
        help="Cache-Control, Content-Disposition, Expires, …",
    ),
    click.option(
        "--meta", multiple=True, metavar=_PAIR, callback=_pairs, help="User metadata (x-oss-meta-NAME)."
    ),
    click.option("--tag", "tags", multiple=True, metavar=_PAIR, callback=_pairs, help="A tag, at most ten."),
    click.option("--mime", metavar="TYPE", help="Content type [default: from the name]."),
    click.option(
        "--storage-class", metavar="CLASS", help="Standard, IA, Archive, ColdArchive, DeepColdArchive."
    ),
    click.option(
        "--acl",
        type=click.Choice(["default", "private", "public-read", "public-read-write"]),
        help="Who may read.",
    ),
    click.option(
        "--sse", "server_side_encryption", metavar="METHOD", help="Server-side encryption: AES256, KMS."
    ),
    click.option(
        "--callback",
        metavar="JSON|@FILE",
        callback=_callback,
        help='What the service calls afterwards: {"url": …, "body": …}.',
    ),
    click.option(
        "--traffic-limit", type=click.IntRange(min=1), metavar="BIT/S", help="OSS's own limit for each part."
    ),
)

_CHOSEN = frozenset(each.name for each in fields(TransferChoice))


def transfer_options(command: F) -> F:
    """The options of a transfer; the command gets them as `choice`. Stands above `object_options`, when both are there."""

    @functools.wraps(command)
    def chosen(*args: Any, **named: Any) -> Any:  # Any: click's
        choice = TransferChoice(**{name: named.pop(name) for name in _CHOSEN & named.keys()})
        return command(*args, choice=choice, **named)

    return cast("F", _with(chosen, _TRANSFER))


def object_options(command: F) -> F:
    """What an object is to carry."""
    return cast("F", _with(command, _OBJECT))


def _with(command: Any, options: tuple[Callable[[Any], Any], ...]) -> Any:  # Any: as above
    for option in reversed(options):
        command = option(command)
    return command
