"""`mossaic ls`: buckets, one level of a bucket, or all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from mossaic.cli.entries import entry_record
from mossaic.cli.output import Column
from mossaic.cli.remote import RemoteCommand
from mossaic.cli.units import human_size
from mossaic.cli.urls import ANY_URL, Remote

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mossaic.cli.entries import Entry
    from mossaic.cli.remote import Shell

_TIME: Final = Column(key="modified_at", width=19)
_SIZE: Final = Column(key="size", width=10, right=True, show=human_size)
_NAME: Final = Column(key="url")
_BUCKETS: Final = (Column(key="created_at", width=19), Column(key="region", width=16), _NAME)
_SHORT: Final = (_TIME, _SIZE, _NAME)
_LONG: Final = (
    _TIME,
    _SIZE,
    Column(key="storage_class", width=11),
    Column(key="type", width=10),
    Column(key="etag", width=35),
    _NAME,
)
_VERSIONS: Final = (
    _TIME,
    _SIZE,
    Column(key="state", width=8),
    Column(key="version_id", width=64),
    _NAME,
)


@click.command(cls=RemoteCommand)
@click.argument("url", type=ANY_URL, default=Remote(""), metavar="[oss://BUCKET[/PREFIX]]")
@click.option("-r", "--recursive", is_flag=True, help="Everything that begins so, not only one level.")
@click.option("-l", "--long", "detailed", is_flag=True, help="Storage class, type and ETag, too.")
@click.option("--versions", is_flag=True, help="All versions and delete markers.")
@click.option("-n", "--limit", metavar="COUNT", type=click.IntRange(min=1), help="At most so many lines.")
@click.pass_obj
def ls(
    shell: Shell, url: Remote, *, recursive: bool, detailed: bool, versions: bool, limit: int | None
) -> None:
    """List buckets, or what is in one: the folders and objects of one level, or with -r all objects.

    A prefix is a beginning, as in OSS: `oss://b/2026` lists `2026-07.log` and `2026/`, `oss://b/2026/` what is in that folder.
    """
    if not url.bucket and not url.key:
        if recursive or versions:
            raise click.UsageError("-r and --versions need a bucket: mossaic ls -r oss://BUCKET")
        _buckets(shell, limit)
        return
    url = shell.at(url)
    delimiter = "" if recursive else "/"
    client, output = shell.client, shell.output
    entries: Iterable[Entry]
    if versions:
        entries = client.list_versions(url.key, delimiter=delimiter, max_items=limit, bucket=url.bucket)
        table = output.table(_VERSIONS)
    else:
        entries = client.list_objects(url.key, delimiter=delimiter, max_items=limit, bucket=url.bucket)
        table = output.table(_LONG if detailed else _SHORT)
    count = size = 0
    for entry in entries:
        table.row(entry_record(entry, url.bucket))
        count += 1
        size += getattr(entry, "size", 0)
    if output.live:
        output.note(f"{count} entries, {human_size(size)}" if count else "nothing there")


def _buckets(shell: Shell, limit: int | None) -> None:
    table = shell.output.table(_BUCKETS)
    for entry in shell.client.list_buckets(max_items=limit):
        table.row(
            {
                "kind": "bucket",
                "url": str(Remote(entry.name)),
                "name": entry.name,
                "created_at": entry.created_at,
                "region": entry.region,
                "storage_class": entry.storage_class,
            }
        )
