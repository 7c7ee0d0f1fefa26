"""`mossaic du`: how much is where."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import click

from mossaic.cli.output import Column
from mossaic.cli.reach import objects_in, versions_in
from mossaic.cli.remote import RemoteCommand
from mossaic.cli.units import human_size
from mossaic.cli.urls import PLACE_URL, Remote

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mossaic.cli.remote import Shell
    from mossaic.protocol.operations.listing import MarkerEntry, ObjectEntry, VersionEntry

_COLUMNS: Final = (
    Column(key="size", width=10, right=True, show=human_size),
    Column(key="objects", width=9, right=True),
    Column(key="url"),
)


@click.command(cls=RemoteCommand)
@click.argument("url", type=PLACE_URL, metavar="oss://BUCKET[/FOLDER]")
@click.option(
    "-r",
    "--depth",
    metavar="DEPTH",
    type=click.IntRange(min=0),
    default=0,
    help="Folders down to this depth, too.",
)
@click.option("--versions", is_flag=True, help="Count older versions, too.")
@click.option(
    "--prefix", "beginning", is_flag=True, help="Everything whose name begins so, not only a folder."
)
@click.pass_obj
def du(shell: Shell, url: Remote, *, depth: int, versions: bool, beginning: bool) -> None:
    """Add up sizes and numbers of objects: of a folder, and of the folders in it with -r.

    Parts of unfinished uploads are not in it: see `mossaic uploads ls --bytes`.
    """
    url = shell.at(url)
    client = shell.client
    found: Iterable[ObjectEntry | VersionEntry | MarkerEntry]
    if versions:
        found = versions_in(client, url, beginning=beginning)
    else:
        found = objects_in(client, url, beginning=beginning)
    base = url.key if not url.key or url.is_folder else url.key[: url.key.rfind("/") + 1]
    sizes: dict[str, int] = defaultdict(int)
    counts: dict[str, int] = defaultdict(int)
    for entry in found:
        size = getattr(entry, "size", None)
        if size is None:  # a delete marker
            continue
        for folder in ["", *_folders(entry.key[len(base) :], depth)]:
            sizes[folder] += size
            counts[folder] += 1
    table = shell.output.table(_COLUMNS)
    for folder in sorted(sizes, key=lambda name: (name == "", name)):
        name = Remote(url.bucket, base + folder) if folder else url
        table.row({"kind": "usage", "url": str(name), "size": sizes[folder], "objects": counts[folder]})
    if not sizes:
        table.row({"kind": "usage", "url": str(url), "size": 0, "objects": 0})


def _folders(key: str, depth: int) -> list[str]:
    """`a/b/c.txt`, 2 → `a/`, `a/b/`."""
    pieces = key.split("/")[:-1][:depth]
    return ["".join(f"{piece}/" for piece in pieces[: count + 1]) for count in range(len(pieces))]
