"""`mossaic sign`: a link that works without credentials for a while."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import click

from mossaic.cli.pairs import read_headers, read_pairs
from mossaic.cli.remote import RemoteCommand
from mossaic.cli.units import SPAN
from mossaic.cli.urls import OBJECT_URL, Remote

if TYPE_CHECKING:
    from mossaic.cli.remote import Shell

_HOUR: Final = timedelta(hours=1)


@click.command(cls=RemoteCommand)
@click.argument("url", type=OBJECT_URL, metavar="oss://BUCKET/KEY")
@click.option(
    "--expires",
    metavar="TIME",
    type=SPAN,
    default=_HOUR,
    show_default="1h",
    help="How long it works; V4 at most 7d.",
)
@click.option(
    "--method",
    type=click.Choice(["GET", "PUT", "HEAD", "DELETE", "POST"], case_sensitive=False),
    default="GET",
    show_default=True,
    help="What it does.",
)
@click.option(
    "-H",
    "--header",
    multiple=True,
    metavar="'NAME: VALUE'",
    help="Who uses the link has to send this header.",
)
@click.option(
    "--query",
    multiple=True,
    metavar="NAME=VALUE",
    help="Further parameter, signed as well, such as x-oss-process=…",
)
@click.option("--version-id", metavar="ID", help="This version.")
@click.option("--v1", is_flag=True, help="Signature V1: for older services, or for more than 7d.")
@click.pass_obj
def sign(
    shell: Shell,
    url: Remote,
    *,
    expires: timedelta,
    method: str,
    header: tuple[str, ...],
    query: tuple[str, ...],
    version_id: str | None,
    v1: bool,
) -> None:
    """Print a link to an object that works without credentials for a while. Nothing is asked of the service: the object need not exist.

    The link ends with temporary credentials, if those do first.
    """
    if v1:
        shell.configure(signature="v1")
    url = shell.at(url)
    headers = read_headers(header)
    link = shell.client.sign_url(
        url.key,
        method=method.upper(),
        expires=expires,
        headers=headers,
        query=read_pairs(query),
        version_id=version_id,
        bucket=url.bucket,
    )
    output = shell.output
    if output.face == "json":
        until = datetime.now(UTC) + expires
        output.facts(
            {
                "link": link,
                "method": method.upper(),
                "expires_at": until,
                "headers": headers,
                "url": str(url),
            },
            {},
        )
    else:
        output.write(link)
