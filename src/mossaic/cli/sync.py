"""`mossaic sync`: make a folder there like the one here, or the one here like that there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mossaic.cli.remote import RemoteCommand
from mossaic.cli.transfer_options import object_options, transfer_options
from mossaic.cli.trees import Mirror, download_tree, upload_tree
from mossaic.cli.urls import LOCATION, Local, Remote

if TYPE_CHECKING:
    from mossaic.cli.remote import Shell
    from mossaic.cli.transfer_options import TransferChoice
    from mossaic.cli.urls import Location


@click.command(cls=RemoteCommand)
@click.argument("source", type=LOCATION, metavar="SOURCE")
@click.argument("target", type=LOCATION, metavar="TARGET")
@click.option("--delete", is_flag=True, help="Delete what TARGET has and SOURCE has not.")
@transfer_options
@object_options
@click.pass_obj
def sync(shell: Shell, source: Location, target: Location, *, delete: bool, choice: TransferChoice) -> int:
    """Bring to TARGET what is new or different in SOURCE; one is a folder, the other oss://BUCKET/PREFIX.

    Files of the same size are compared by MD5 or CRC-64, or, with --skip newer, by their times. Files that --include and --exclude leave out are
    never deleted. Look first: --dry-run.
    """
    choice.apply(shell)
    mirror = Mirror(skip=choice.skip, delete=delete)
    match source, target:
        case Local(), Remote():
            return upload_tree(shell, source.path, shell.at(target), choice, mirror)
        case Remote(), Local():
            return download_tree(shell, shell.at(source), target.path, choice, mirror)
        case _:
            raise click.UsageError("sync is between a folder and an oss:// URL")
