"""`mossaic cp`: files, folders, objects and streams from here to there, resumable whenever bytes travel."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from mossaic.cli.copying import copy_object
from mossaic.cli.moving import download_one, shown, upload_one
from mossaic.cli.outcome import DONE, FAILED, report
from mossaic.cli.reach import folder_of, objects_in
from mossaic.cli.remote import RemoteCommand
from mossaic.cli.transfer_options import object_options, transfer_options
from mossaic.cli.trees import download_tree, upload_tree
from mossaic.cli.urls import LOCATION, Local, Remote, Standard
from mossaic.client.errors import MossaicError

if TYPE_CHECKING:
    from pathlib import Path

    from mossaic.cli.remote import Shell
    from mossaic.cli.transfer_options import TransferChoice
    from mossaic.cli.urls import Location


@click.command(cls=RemoteCommand)
@click.argument("source", type=LOCATION, metavar="SOURCE")
@click.argument("target", type=LOCATION, metavar="TARGET")
@click.option("-r", "--recursive", is_flag=True, help="A folder or everything below a prefix.")
@click.option("--version-id", metavar="ID", help="Version of the object to copy from.")
@transfer_options
@object_options
@click.pass_obj
def cp(
    shell: Shell,
    source: Location,
    target: Location,
    *,
    recursive: bool,
    version_id: str | None,
    choice: TransferChoice,
) -> int | None:
    """Copy SOURCE to TARGET; each is a path, `oss://BUCKET/KEY`, or `-` for standard input or output.

    Uploads and downloads are resumable: after Ctrl-C, a crash or a lost network the same command sends only what is missing.
    A target that ends with a slash, or is a folder, gets the source's name.
    """
    choice.apply(shell)
    match source, target:
        case ((Local() | Standard()), Remote()):
            target = shell.at(target)
            if recursive:
                return upload_tree(shell, _folder(source), target, choice)
            return upload_one(shell, _readable(source), _upload_key(source, target), choice)
        case Remote(), (Local() | Standard()):
            source = shell.at(source)
            if recursive:
                return download_tree(shell, source, _folder(target), choice)
            return _bring(shell, source, target, choice, version_id)
        case Remote(), Remote():
            return _copy(shell, shell.at(source), shell.at(target), choice, version_id, recursive=recursive)
        case _:
            raise click.UsageError("one of SOURCE and TARGET has to be an oss:// URL")


def _bring(
    shell: Shell, source: Remote, target: Local | Standard, choice: TransferChoice, version_id: str | None
) -> int | None:
    if not source.key or source.is_folder:
        raise click.UsageError(f"{source} is no object; use -r for everything below it")
    if isinstance(target, Standard):
        with shell.client.get(source.key, bucket=source.bucket, version_id=version_id) as answer:
            for chunk in answer:
                sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
        return None
    path = target.path / source.name if target.path.is_dir() or target.text.endswith("/") else target.path
    return download_one(shell, source, path, choice, version_id=version_id)


def _copy(
    shell: Shell,
    source: Remote,
    target: Remote,
    choice: TransferChoice,
    version_id: str | None,
    *,
    recursive: bool,
) -> int | None:
    """Between objects nothing travels through here."""
    if not recursive:
        if source.is_folder:
            raise click.UsageError(f"{source} is no object; use -r for everything below it")
        _copy_one(shell, source, target.join(source.name) if target.is_folder else target, choice, version_id)
        return None
    source, target = folder_of(source), folder_of(target)
    code, count = DONE, 0
    for entry in objects_in(shell.client, source):
        count += 1
        one = Remote(source.bucket, entry.key)
        try:
            _copy_one(
                shell, one, Remote(target.bucket, target.key + entry.key[len(source.key) :]), choice, None
            )
        except MossaicError as error:
            report(error, shell.output, shell.where(), url=str(one))
            code = FAILED
    if not count:
        shell.output.warn(f"there is nothing in {source}")
    return code


def _copy_one(
    shell: Shell, source: Remote, target: Remote, choice: TransferChoice, version_id: str | None
) -> None:
    if choice.dry_run:
        shell.output.event(
            "would-copy", f"would copy {source} to {target}", source=str(source), target=str(target)
        )
        return
    said = choice.for_object()
    if said or version_id:
        shell.client.copy(
            source.key,
            target.key,
            source_bucket=source.bucket,
            bucket=target.bucket,
            source_version_id=version_id,
            **said,
        )
    else:
        copy_object(shell.client, source, target)
    shell.output.event("copied", f"{source} -> {target}", source=str(source), target=str(target))


def _upload_key(source: Local | Standard, target: Remote) -> Remote:
    if not target.is_folder:
        return target
    if isinstance(source, Standard):
        raise click.UsageError(
            f"{target} names no object, and standard input has no name; write oss://BUCKET/KEY"
        )
    return target.join(source.path.resolve().name)


def _readable(source: Local | Standard) -> Any:  # Any: a source of the SDK
    if isinstance(source, Standard):
        # Not through its buffer: a thread that waits in there for more would hold its lock, and abort the program at its end.
        return getattr(sys.stdin.buffer, "raw", sys.stdin.buffer)
    if source.path.is_dir():
        raise click.UsageError(f"{shown(source.path)} is a folder; use -r")
    return source.path


def _folder(place: Local | Standard) -> Path:
    if isinstance(place, Standard):
        raise click.UsageError("-r needs a folder, not a stream")
    return place.path
