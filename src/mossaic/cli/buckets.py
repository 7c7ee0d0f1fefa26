"""`mossaic mb` and `mossaic rb`: making and removing buckets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mossaic.cli.asking import sure
from mossaic.cli.outcome import DONE, FAILED, report
from mossaic.cli.reach import versions_in
from mossaic.cli.remote import RemoteCommand
from mossaic.cli.units import counted
from mossaic.cli.urls import BUCKET_URL, Remote

if TYPE_CHECKING:
    from mossaic.cli.remote import Shell


@click.command(cls=RemoteCommand)
@click.argument("url", type=BUCKET_URL, metavar="oss://BUCKET")
@click.option(
    "--acl",
    type=click.Choice(["private", "public-read", "public-read-write"]),
    help="Who may use it [default: private].",
)
@click.option(
    "--storage-class", metavar="CLASS", help="Standard, IA, Archive, ColdArchive or DeepColdArchive."
)
@click.option("--redundancy", type=click.Choice(["LRS", "ZRS"]), help="Kept in one zone or in several.")
@click.option("--versioning", is_flag=True, help="Keep the versions of its objects.")
@click.pass_obj
def mb(
    shell: Shell,
    url: Remote,
    *,
    acl: str | None,
    storage_class: str | None,
    redundancy: str | None,
    versioning: bool,
) -> None:
    """Make a bucket. One of your own that is there already stays as it is."""
    url = shell.at(url)
    shell.client.put_bucket(url.bucket, acl=acl, storage_class=storage_class, redundancy=redundancy)
    if versioning:
        shell.client.put_versioning("Enabled", bucket=url.bucket)
    shell.output.event("made", f"made {url}", url=str(url))


@click.command(cls=RemoteCommand)
@click.argument("url", type=BUCKET_URL, metavar="oss://BUCKET")
@click.option(
    "--force", is_flag=True, help="Delete all its objects, versions and unfinished uploads first; asks."
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def rb(shell: Shell, url: Remote, *, force: bool, yes: bool) -> int:
    """Remove a bucket. It has to be empty, or --force empties it."""
    url = shell.at(url)
    if force:
        if not sure(f"Delete {url} and everything in it?", yes=yes, command="rb --force"):
            return FAILED
        if _empty(shell, url) != DONE:
            return FAILED
    shell.client.delete_bucket(url.bucket)
    shell.output.event("removed", f"removed {url}", url=str(url))
    return DONE


def _empty(shell: Shell, url: Remote) -> int:
    client, output = shell.client, shell.output
    uploads = list(client.list_uploads(bucket=url.bucket))
    for upload in uploads:
        client.abort_multipart_upload(upload)
    result = client.delete_many(versions_in(client, url), bucket=url.bucket)
    for each in result.failures:
        report(each.error, output, shell.where(), url=str(Remote(url.bucket, each.name)))
    words = f"deleted {counted(len(result.deleted), 'version')}, aborted {counted(len(uploads), 'upload')}"
    output.event("emptied", words, url=str(url), deleted=len(result.deleted), aborted=len(uploads))
    return FAILED if result.failures else DONE
