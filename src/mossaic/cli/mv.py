"""`mossaic mv`: move objects inside the service, and files into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mossaic.cli.copying import copy_object
from mossaic.cli.outcome import DONE, FAILED, report
from mossaic.cli.reach import folder_of, objects_in
from mossaic.cli.remote import RemoteCommand
from mossaic.cli.urls import LOCATION, Local, Location, Remote

if TYPE_CHECKING:
    from mossaic.cli.remote import Shell


@click.command(cls=RemoteCommand)
@click.argument("source", type=LOCATION, metavar="SOURCE")
@click.argument("target", type=LOCATION, metavar="TARGET")
@click.option("-r", "--recursive", is_flag=True, help="Everything in a folder.")
@click.option("-n", "--no-clobber", is_flag=True, help="Leave alone what is there already, and fail.")
@click.option("--dry-run", is_flag=True, help="Say what would be moved.")
@click.pass_obj
def mv(
    shell: Shell, source: Location, target: Location, *, recursive: bool, no_clobber: bool, dry_run: bool
) -> int:
    """Move oss:// to oss://, without a byte coming here, or a file to oss://.

    It is a copy and then a delete: not atomic, and the ACL of an object is not taken along. A target that ends with a slash is a folder.
    """
    if not isinstance(target, Remote):
        raise click.UsageError("mv moves to oss:// only: use `mossaic cp` and then `mossaic rm`")
    target = shell.at(target)
    if isinstance(source, Local) and not recursive:
        goal = target.join(source.path.name) if target.is_folder else target
        if dry_run:
            _would(shell, source, goal)
            return DONE
        return upload_then_unlink(shell, source, goal, no_clobber=no_clobber)
    if not isinstance(source, Remote):
        raise click.UsageError("mv moves files one by one: for a folder use `mossaic cp -r`")
    source = shell.at(source)
    if recursive:
        return _folder(shell, source, target, no_clobber=no_clobber, dry_run=dry_run)
    if source.is_folder:
        raise click.UsageError(f"{source} is a folder: say -r to move everything in it")
    goal = target.join(source.name) if target.is_folder else target
    return _object(shell, source, goal, no_clobber=no_clobber, dry_run=dry_run)


def upload_then_unlink(shell: Shell, source: Local, target: Remote, *, no_clobber: bool) -> int:
    """Upload a file and remove it here once the object is complete. `cp` has the options of an upload; this has none."""
    from mossaic.cli.moving import send  # noqa: PLC0415  # only for uploads

    again = f"mossaic mv {source} {target}"
    result = send(shell, source.text, target, again=again, forbid_overwrite=no_clobber or None)
    source.path.unlink()
    shell.output.event(
        "moved", f"moved {source} to {target}", source=str(source), target=str(target), size=result.size
    )
    return DONE


def _folder(shell: Shell, source: Remote, target: Remote, *, no_clobber: bool, dry_run: bool) -> int:
    source, target = folder_of(source), folder_of(target)
    if source.bucket == target.bucket and target.key.startswith(source.key):
        raise click.UsageError(f"{target} is in {source}: a folder cannot be moved into itself")
    code, count = DONE, 0
    for entry in objects_in(shell.client, source):
        count += 1
        goal = Remote(target.bucket, target.key + entry.key[len(source.key) :])
        try:
            _object(shell, Remote(source.bucket, entry.key), goal, no_clobber=no_clobber, dry_run=dry_run)
        except _failures() as error:
            report(error, shell.output, shell.where(), url=str(Remote(source.bucket, entry.key)))
            code = FAILED
    if not count:
        shell.output.note(f"nothing in {source}")
    return code


def _object(shell: Shell, source: Remote, target: Remote, *, no_clobber: bool, dry_run: bool) -> int:
    if source == target:
        raise click.UsageError(f"{source} is there already")
    if dry_run:
        _would(shell, source, target)
        return DONE
    info = copy_object(shell.client, source, target, forbid_overwrite=no_clobber)
    shell.client.delete(source.key, bucket=source.bucket)
    shell.output.event(
        "moved", f"moved {source} to {target}", source=str(source), target=str(target), size=info.size
    )
    return DONE


def _would(shell: Shell, source: Location, target: Remote) -> None:
    shell.output.event(
        "would-move", f"would move {source} to {target}", source=str(source), target=str(target)
    )


def _failures() -> type[Exception]:
    """What ends one object's move and not that of the others."""
    from mossaic.client.errors import ServerError  # noqa: PLC0415  # `--help` has no need of the client

    return ServerError
