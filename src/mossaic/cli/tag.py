"""`mossaic tag`: tags of an object or of a bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mossaic.cli.output import Column
from mossaic.cli.pairs import read_pairs
from mossaic.cli.remote import Family
from mossaic.cli.units import counted
from mossaic.cli.urls import PLACE_URL, Remote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mossaic.cli.remote import Shell


@click.group(cls=Family)
def tag() -> None:
    """Tags of an object or of a bucket."""


@tag.command("get")
@click.argument("url", type=PLACE_URL, metavar="oss://BUCKET[/KEY]")
@click.option("--version-id", metavar="ID", help="This version of the object.")
@click.pass_obj
def get_tags(shell: Shell, url: Remote, *, version_id: str | None) -> None:
    """Show the tags, one a line."""
    url = shell.at(url)
    tags = _get(shell, url, version_id)
    if shell.output.face == "json":
        shell.output.facts({"url": str(url), "tags": tags}, {})
        return
    width = max((len(name) for name in tags), default=0)
    table = shell.output.table((Column(key="name", width=width), Column(key="value")))
    for name, value in tags.items():
        table.row({"name": name, "value": value})


@tag.command("set")
@click.argument("url", type=PLACE_URL, metavar="oss://BUCKET[/KEY]")
@click.argument("pairs", nargs=-1, required=True, metavar="NAME=VALUE...")
@click.option("--merge", is_flag=True, help="Keep the other tags.")
@click.option("--version-id", metavar="ID", help="This version of the object.")
@click.pass_obj
def set_tags(
    shell: Shell, url: Remote, pairs: tuple[str, ...], *, merge: bool, version_id: str | None
) -> None:
    """Set the tags: these and no others, or with --merge these beside the others. An object has at most 10, a bucket 20."""
    given = read_pairs(pairs)
    url = shell.at(url)
    tags = {**(_get(shell, url, version_id) if merge else {}), **given}
    _put(shell, url, tags, version_id)
    shell.output.event("set", f"{url} has {counted(len(tags), 'tag')}", url=str(url), tags=tags)


@tag.command("rm")
@click.argument("url", type=PLACE_URL, metavar="oss://BUCKET[/KEY]")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--version-id", metavar="ID", help="This version of the object.")
@click.pass_obj
def remove_tags(shell: Shell, url: Remote, names: tuple[str, ...], *, version_id: str | None) -> None:
    """Take away the tags of these names, or all."""
    url = shell.at(url)
    kept = {name: text for name, text in _get(shell, url, version_id).items() if names and name not in names}
    if kept:
        _put(shell, url, kept, version_id)
    elif url.key:
        shell.client.delete_tags(url.key, version_id=version_id, bucket=url.bucket)
    else:
        shell.client.delete_bucket_tags(bucket=url.bucket)
    shell.output.event("set", f"{url} has {counted(len(kept), 'tag')}", url=str(url), tags=kept)


def _get(shell: Shell, url: Remote, version_id: str | None) -> dict[str, str]:
    if url.key:
        return shell.client.get_tags(url.key, version_id=version_id, bucket=url.bucket)
    return shell.client.get_bucket_tags(bucket=url.bucket)


def _put(shell: Shell, url: Remote, tags: Mapping[str, str], version_id: str | None) -> None:
    if url.key:
        shell.client.put_tags(url.key, tags, version_id=version_id, bucket=url.bucket)
    else:
        shell.client.put_bucket_tags(tags, bucket=url.bucket)
