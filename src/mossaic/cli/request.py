"""`mossaic request`: links with which somebody without an account uploads files into one folder, within limits."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import click

from mossaic.cli.output import Column
from mossaic.cli.remote import Family
from mossaic.cli.units import SIZE, SPAN, human_size, human_time
from mossaic.cli.urls import BUCKET_URL, PLACE_URL

if TYPE_CHECKING:
    from mossaic.cli.remote import Shell
    from mossaic.cli.urls import Remote

_WEEK: Final = timedelta(days=7)
_COLUMNS: Final = (
    Column(key="id", title="link"),
    Column(key="state", title="state"),
    Column(key="files", title="files", right=True),
    Column(key="bytes", title="size", right=True),
    Column(key="ends_at", title="ends", show=human_time),
    Column(key="folder", title="folder"),
    Column(key="title", title="title"),
)


@click.group(cls=Family)
def request() -> None:
    """Links with which others upload files to you."""


@request.command("new")
@click.argument("url", type=PLACE_URL, metavar="oss://BUCKET[/FOLDER]")
@click.option("--title", metavar="TEXT", default="", help="What visitors read above.")
@click.option("--note", metavar="TEXT", default="", help="A message to the visitor.")
@click.option(
    "--max-files", type=click.IntRange(min=1), metavar="COUNT", default=100, show_default=True, help="In all."
)
@click.option("--max-size", type=SIZE, metavar="SIZE", default="5G", show_default=True, help="Of one file.")
@click.option(
    "--max-total", type=SIZE, metavar="SIZE", default="10G", show_default=True, help="Of all files."
)
@click.option(
    "--ttl",
    type=SPAN,
    metavar="TIME",
    default=_WEEK,
    show_default="7d",
    help="How long it works; 1m to 365d.",
)
@click.pass_obj
def new(
    shell: Shell,
    /,
    url: Remote,
    **wish: Any,  # Any: the options above
) -> None:
    """Make a link and print its URL, which nobody can ask for again. Every visit gets a folder of its own in FOLDER."""
    from mossaic.cli.request_calls import create  # noqa: PLC0415  # `--help` has no need of the client

    place = shell.at(url)
    made = create(
        shell.client,
        {
            "bucket": place.bucket,
            "prefix": place.key,
            "title": wish["title"],
            "note": wish["note"],
            "max_objects": wish["max_files"],
            "max_object_bytes": wish["max_size"],
            "max_total_bytes": wish["max_total"],
            "expires_s": int(wish["ttl"].total_seconds()),
        },
    )
    output, link = shell.output, made["request"]
    if output.face == "json":
        output.facts({"url": made["url"], **link}, {})
        return
    output.write(made["url"])
    output.note(
        f"takes up to {link['max_objects']} files, {human_size(link['max_total_bytes'])} in all, until"
        f" {human_time(_moment(link['expires_at']))}; the URL is told only now"
    )
    output.note(f"to end it: mossaic request rm {link['id']}")


@request.command("ls")
@click.argument("url", type=BUCKET_URL, metavar="oss://BUCKET")
@click.pass_obj
def ls(shell: Shell, url: Remote) -> None:
    """List the links of a bucket, newest first, and what came through them. Ended ones stay for 30 days."""
    from mossaic.cli.request_calls import links  # noqa: PLC0415  # as above

    output = shell.output
    table = output.table(_COLUMNS, header=True)
    for link in links(shell.client, shell.at(url).bucket):
        if output.face == "json":
            output.facts(link, {})
        else:
            table.row(_row(link))


@request.command("rm")
@click.argument("request_ids", nargs=-1, required=True, metavar="LINK...")
@click.pass_obj
def rm(shell: Shell, request_ids: tuple[str, ...]) -> None:
    """End links at once, by the ids that `ls` shows, or their URLs. What has arrived stays; unfinished uploads are freed."""
    from mossaic.cli.request_calls import revoke  # noqa: PLC0415  # as above

    for given in request_ids:
        request_id = given.rpartition("#")[2].partition(".")[0]
        revoke(shell.client, request_id)
        shell.output.event("revoked", f"{request_id} has ended", id=request_id)


def _row(link: dict[str, Any]) -> dict[str, object]:  # Any: JSON
    return {
        "id": link["id"],
        "state": link["state"],
        "files": f"{link['used_objects']}/{link['max_objects']}",
        "bytes": f"{human_size(link['used_bytes'])}/{human_size(link['max_total_bytes'])}",
        "ends_at": _moment(link["revoked_at"] or link["expires_at"]),
        "folder": f"oss://{link['bucket']}/{link['prefix']}",
        "title": link["title"],
    }


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
