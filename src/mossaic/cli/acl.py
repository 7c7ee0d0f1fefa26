"""`mossaic acl`: who may use an object or a bucket besides its owner."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mossaic.cli.remote import Family
from mossaic.cli.urls import PLACE_URL, Remote

if TYPE_CHECKING:
    from mossaic.cli.remote import Shell


@click.group(cls=Family)
def acl() -> None:
    """Who may use an object or a bucket besides its owner."""


@acl.command("get")
@click.argument("url", type=PLACE_URL, metavar="oss://BUCKET[/KEY]")
@click.option("--version-id", metavar="ID", help="This version of the object.")
@click.pass_obj
def get_acl(shell: Shell, url: Remote, *, version_id: str | None) -> None:
    """Show it. `default`: the object goes by its bucket."""
    url = shell.at(url)
    if url.key:
        found = shell.client.get_acl(url.key, version_id=version_id, bucket=url.bucket)
    else:
        found = shell.client.get_bucket_acl(bucket=url.bucket)
    record = {"url": str(url), "acl": found.acl, "owner": found.owner.id}
    shell.output.facts(record, {"acl": ("acl", found.acl), "owner": ("owner", found.owner.id)})


@acl.command("set")
@click.argument("url", type=PLACE_URL, metavar="oss://BUCKET[/KEY]")
@click.argument(
    "value", type=click.Choice(["private", "public-read", "public-read-write", "default"]), metavar="ACL"
)
@click.option("--version-id", metavar="ID", help="This version of the object.")
@click.pass_obj
def set_acl(shell: Shell, url: Remote, value: str, *, version_id: str | None) -> None:
    """Set it: private, public-read, public-read-write; of an object also default, which is that of its bucket."""
    url = shell.at(url)
    if url.key:
        shell.client.put_acl(url.key, value, version_id=version_id, bucket=url.bucket)
    elif value == "default":
        raise click.UsageError("a bucket has no default ACL: private, public-read or public-read-write")
    else:
        shell.client.put_bucket_acl(value, bucket=url.bucket)
    shell.output.event("set", f"{url} is {value}", url=str(url), acl=value)
