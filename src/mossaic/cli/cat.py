"""`mossaic cat`: objects, or ranges of them, to standard output."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from mossaic.cli.remote import RemoteCommand
from mossaic.cli.urls import OBJECT_URL, Remote

if TYPE_CHECKING:
    from mossaic.cli.remote import Shell

_CHUNK: Final = 256 * 1024
_RANGE: Final = re.compile(r"([0-9]*)-([0-9]*)")


def _range(
    ctx: click.Context, param: click.Parameter, value: Any
) -> tuple[int, int | None] | None:  # Any: click's
    """HTTP's closed range as a half-open one."""
    if value is None:
        return None
    found = _RANGE.fullmatch(value.removeprefix("bytes="))
    if found is None or not any(found.groups()):
        raise click.BadParameter(
            "write 0-99 (the first 100 bytes), 100- (the rest), or -100 (the last 100)", ctx, param
        )
    first, last = found.groups()
    if not first:
        if int(last) == 0:
            raise click.BadParameter("the last 0 bytes are none", ctx, param)
        return -int(last), None
    stop = int(last) + 1 if last else None
    if stop is not None and stop <= int(first):
        raise click.BadParameter("it ends before it begins", ctx, param)
    return int(first), stop


@click.command(cls=RemoteCommand)
@click.argument("urls", type=OBJECT_URL, nargs=-1, required=True, metavar="oss://BUCKET/KEY...")
@click.option(
    "--range",
    "span",
    metavar="FIRST-LAST",
    callback=_range,
    help="Bytes, both ends included: 0-99, 100-, -100.",
)
@click.option("--version-id", metavar="ID", help="This version.")
@click.pass_obj
def cat(
    shell: Shell, urls: tuple[Remote, ...], *, span: tuple[int, int | None] | None, version_id: str | None
) -> None:
    """Write objects to standard output, one after the other. A broken connection is continued, and the CRC-64 of whole objects is checked:
    after a mismatch the exit code is 1.
    """
    shell.output.flush()
    raw = sys.stdout.buffer
    buffer = memoryview(bytearray(_CHUNK))
    for given in urls:
        url = shell.at(given)
        with shell.client.get(url.key, range=span, version_id=version_id, bucket=url.bucket) as opened:
            while count := opened.readinto(buffer):
                raw.write(buffer[:count])
    raw.flush()
