"""`mossaic rm`: objects, versions, folders."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

import click

from mossaic.cli.asking import sure
from mossaic.cli.outcome import DONE, FAILED, report
from mossaic.cli.reach import folder_of, objects_in, versions_in
from mossaic.cli.remote import RemoteCommand
from mossaic.cli.units import counted, human_size
from mossaic.cli.urls import PLACE_URL, Remote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mossaic.cli.remote import Shell
    from mossaic.protocol.operations.listing import MarkerEntry, ObjectEntry, VersionEntry

    Found = ObjectEntry | VersionEntry | MarkerEntry

_PAGE: Final = 1000
_COUNTED: Final = 10_000  # objects; beyond it a question says "more than"


@click.command(cls=RemoteCommand)
@click.argument("urls", type=PLACE_URL, nargs=-1, required=True, metavar="oss://BUCKET/KEY...")
@click.option("-r", "--recursive", is_flag=True, help="Everything in a folder; asks first.")
@click.option("--prefix", "beginning", is_flag=True, help="With -r: everything whose name begins so.")
@click.option("--versions", is_flag=True, help="All versions and delete markers, for good.")
@click.option("--version-id", metavar="ID", help="This version, for good.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("-f", "--force", is_flag=True, help="Do not ask, and take what is not there as deleted.")
@click.option("--dry-run", is_flag=True, help="Say what would be deleted.")
@click.pass_obj
def rm(
    shell: Shell,
    urls: tuple[Remote, ...],
    *,
    recursive: bool,
    beginning: bool,
    versions: bool,
    version_id: str | None,
    yes: bool,
    force: bool,
    dry_run: bool,
) -> int:
    """Delete objects. In a bucket that keeps versions a delete marker is made, unless --versions or --version-id is given.

    With -r, `oss://b/logs` is the folder `logs/` (and the object `logs`): `logs2/` stays. A running upload is not touched; see
    `mossaic uploads abort`.
    """
    if version_id is not None and (recursive or versions or len(urls) > 1):
        raise click.UsageError("--version-id is for one object, without -r and --versions")
    if beginning and not recursive:
        raise click.UsageError("--prefix goes with -r")
    code = DONE
    for given in urls:
        url = shell.at(given)
        if not recursive and url.is_folder:
            raise click.UsageError(f"{url} is a folder: say -r to delete everything in it")
        if not recursive and not versions:
            code |= _one(shell, url, version_id, must_exist=not force, dry_run=dry_run)
            continue
        if recursive:
            reach = url if beginning else folder_of(url) if not url.key else url
            found = _found(shell, reach, versions=versions, beginning=beginning)
        else:
            found = (entry for entry in versions_in(shell.client, url) if entry.key == url.key)
        if not dry_run and not (yes or force):
            again = list(islice(found, _COUNTED + 1))
            if again and not sure(_question(url, again), yes=False, command="rm -r"):
                return FAILED
            found = _chained(again, found)
        code |= _many(shell, url, found, dry_run=dry_run)
    return code


def _found(shell: Shell, url: Remote, *, versions: bool, beginning: bool) -> Iterator[Found]:
    if versions:
        yield from versions_in(shell.client, url, beginning=beginning)
    else:
        yield from objects_in(shell.client, url, beginning=beginning)


def _chained(first: Iterable[Found], rest: Iterable[Found]) -> Iterator[Found]:
    yield from first
    yield from rest


def _question(url: Remote, found: list[Found]) -> str:
    size = human_size(sum(getattr(entry, "size", 0) for entry in found))
    many = f"more than {_COUNTED} objects" if len(found) > _COUNTED else counted(len(found), "object")
    return f"Delete {many} of {url} ({size})?"


def _one(shell: Shell, url: Remote, version_id: str | None, *, must_exist: bool, dry_run: bool) -> int:
    client, output = shell.client, shell.output
    if must_exist or dry_run:
        client.get_meta(url.key, version_id=version_id, bucket=url.bucket)
    about: dict[str, object] = {"url": str(url)}
    if version_id is not None:
        about["version_id"] = version_id
    if dry_run:
        output.event("would-delete", f"would delete {url}", **about)
        return DONE
    done = client.delete(url.key, version_id=version_id, bucket=url.bucket)
    if done.delete_marker and version_id is None:
        about["delete_marker"] = done.version_id
    output.event("deleted", f"deleted {url}", **about)
    return DONE


def _many(shell: Shell, url: Remote, found: Iterable[Found], *, dry_run: bool) -> int:
    output, code, count = shell.output, DONE, 0
    pages = iter(found)
    while page := list(islice(pages, _PAGE)):
        count += len(page)
        failed: dict[tuple[str, str | None], Exception] = {}
        if not dry_run:
            result = shell.client.delete_many(page, bucket=url.bucket)
            failed = {(each.name, each.version_id): each.error for each in result.failures}
        for entry in page:
            version: str | None = getattr(entry, "version_id", None)
            name = Remote(url.bucket, entry.key)
            error = failed.get((entry.key, version))
            if error is not None:
                report(error, output, shell.where(), url=str(name))
                code = FAILED
                continue
            about = {"url": str(name)} | ({} if version is None else {"version_id": version})
            words = f"{name}" + ("" if version is None else f" (version {version})")
            kind = "would-delete" if dry_run else "deleted"
            output.event(kind, f"{kind.replace('-', ' ')} {words}", **about)
    if not count:
        output.note(f"nothing in {url}")
    return code
