"""`mossaic uploads`: what is unfinished, how far it is, and how it ends: resumed, aborted, or handed over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from mossaic.cli.asking import sure
from mossaic.cli.outcome import DONE, FAILED, report
from mossaic.cli.output import Column
from mossaic.cli.remote import Family
from mossaic.cli.unfinished import (
    checkpoint_from,
    exported,
    find_upload,
    named_upload,
    part_map,
    refuse_other_size,
    uploads_of,
)
from mossaic.cli.units import SIZE, SPAN, counted, human_size, human_span
from mossaic.cli.urls import ANY_URL, PLACE_URL, UPLOAD, Remote

if TYPE_CHECKING:
    from datetime import timedelta

    from mossaic.cli.remote import Shell
    from mossaic.client.checkpoint import Checkpoint
    from mossaic.client.upload.task import UploadResult
    from mossaic.client.upload.wire import Part

_SHORT: Final = (
    Column(key="initiated", title="BEGUN", width=19),
    Column(key="age_s", title="AGE", width=8, right=True, show=lambda age: human_span(float(age))),
    Column(key="upload_id", title="UPLOAD ID", width=32),
    Column(key="url", title="URL"),
)
_LONG: Final = (
    *_SHORT[:2],
    Column(key="parts", title="PARTS", width=6, right=True),
    Column(key="bytes", title="BYTES", width=10, right=True, show=human_size),
    *_SHORT[2:],
)
_PARTS: Final = (
    Column(key="number", title="PART", width=6, right=True),
    Column(key="size", title="SIZE", width=10, right=True, show=human_size),
    Column(key="modified_at", title="STORED", width=19),
    Column(key="crc64", title="CRC-64", width=20, right=True),
    Column(key="etag", title="ETAG"),
)


@click.group(cls=Family)
def uploads() -> None:
    """Unfinished multipart uploads."""


@uploads.command("ls")
@click.argument("url", type=ANY_URL, default=Remote(""), metavar="[oss://BUCKET[/PREFIX]]")
@click.option("--older", type=SPAN, metavar="TIME", help="Only those begun longer ago, such as 1d.")
@click.option(
    "--bytes", "detailed", is_flag=True, help="Parts and bytes of each; asks once more for each upload."
)
@click.option("-n", "--limit", metavar="COUNT", type=click.IntRange(min=1), help="At most so many.")
@click.pass_obj
def list_uploads(
    shell: Shell, url: Remote, *, older: timedelta | None, detailed: bool, limit: int | None
) -> None:
    """List unfinished uploads: of one bucket, or of all."""
    table = shell.output.table(_LONG if detailed else _SHORT, header=True)
    count = size = 0
    for upload in uploads_of(shell, url, older):
        if limit is not None and count == limit:
            break
        record: dict[str, object] = {
            "kind": "upload",
            "url": str(Remote(upload.bucket, upload.name)),
            "upload_id": upload.upload_id,
            "initiated": upload.initiated,
            "age_s": round(upload.age.total_seconds()),
            "storage_class": upload.storage_class,
        }
        if detailed:
            sizes = [part.size for part in shell.client.list_parts(upload)]
            record |= {"parts": len(sizes), "bytes": sum(sizes)}
            size += sum(sizes)
        table.row(record)
        count += 1
    if shell.output.live:
        shell.output.note(counted(count, "upload") + (f", {human_size(size)}" if detailed else ""))


@uploads.command("show")
@click.argument("what", type=UPLOAD, metavar="oss://BUCKET/KEY|UPLOAD_ID")
@click.argument("upload_id", required=False, metavar="[UPLOAD_ID]")
@click.option(
    "--file",
    "source",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="The file that is uploaded: tells what is missing.",
)
@click.option("--parts", "detailed", is_flag=True, help="A line for each stored part.")
@click.pass_obj
def show_upload(
    shell: Shell, what: str, upload_id: str | None, *, source: str | None, detailed: bool
) -> None:
    """Show an upload: its parts, and a map of what is there (#) and what is not (.).

    Where the upload was begun on this machine, its file and size are known; else --file tells them. Of a key with one upload no id is needed.
    """
    upload = named_upload(shell, what, upload_id)
    url = shell.at(Remote(upload.bucket, upload.name))
    stored = list(shell.client.list_parts(upload))
    known = checkpoint_from(shell, upload, source)
    done = sum(part.size for part in stored)
    total = None if known is None else known.file_size
    record: dict[str, object] = {
        "kind": "upload",
        "url": str(url),
        "upload_id": upload.upload_id,
        "parts": len(stored),
        "bytes": done,
        "part_size": None if known is None else known.part_size,
        "file": None if known is None else known.file,
        "size": total,
        "map": part_map(stored, known),
    }
    record = {key: value for key, value in record.items() if value is not None}
    words = {
        "url": ("url", str(url)),
        "upload_id": ("upload id", upload.upload_id),
        "parts": (
            "stored",
            f"{counted(len(stored), 'part')}, {human_size(done)}"
            + (f" of {human_size(total)} ({done / total:.1%})" if total else ""),
        ),
        "map": ("map", str(record["map"]) or "nothing stored yet"),
    }
    if known is not None and known.file:
        words["file"] = ("file", known.file)
    if shell.output.face == "json":
        record["stored"] = [_part_record(part) for part in stored]
    shell.output.facts(record, words)
    if detailed and shell.output.face != "json":
        table = shell.output.table(_PARTS, header=True)
        for part in stored:
            table.row(_part_record(part))


@uploads.command("resume")
@click.argument("what", type=UPLOAD, metavar="oss://BUCKET/KEY|UPLOAD_ID")
@click.argument("file", required=False, metavar="[FILE]")
@click.option("--upload-id", metavar="ID", help="Which upload of the key, if there are several.")
@click.option(
    "--parallel", type=click.IntRange(1, 100), metavar="COUNT", help="Parts at the same time [default: auto]."
)
@click.option("--bwlimit", type=SIZE, metavar="SIZE", help="Bytes a second, such as 10M.")
@click.pass_obj
def resume_upload(
    shell: Shell,
    what: str,
    file: str | None,
    *,
    upload_id: str | None,
    parallel: int | None,
    bwlimit: int | None,
) -> int:
    """Finish an upload, whoever began it. Every stored part is compared with FILE by its CRC-64; only what is missing is sent.

    FILE may be left out when the upload was begun on this machine.
    """
    shell.configure(parallel=parallel, bandwidth=bwlimit)
    upload = named_upload(shell, what, upload_id)
    url = shell.at(Remote(upload.bucket, upload.name))
    checkpoint = checkpoint_from(shell, upload, file)
    if checkpoint is None or (file is None and checkpoint.file is None):
        raise click.UsageError("which file is it? the upload was not begun on this machine, so name the FILE")
    return _finish(
        shell,
        file or str(checkpoint.file),
        url,
        checkpoint,
        again=f"mossaic uploads resume {what} {file or ''}".rstrip(),
    )


@uploads.command("abort")
@click.argument("url", type=PLACE_URL, metavar="oss://BUCKET[/PREFIX]")
@click.argument("upload_id", required=False, metavar="[UPLOAD_ID]")
@click.option(
    "--older",
    type=SPAN,
    metavar="TIME",
    help="All that begin with the prefix and were begun longer ago, such as 1d.",
)
@click.option("--all", "every", is_flag=True, help="All that begin with the prefix.")
@click.option("--dry-run", is_flag=True, help="Say what would be aborted.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def abort_uploads(
    shell: Shell,
    url: Remote,
    upload_id: str | None,
    *,
    older: timedelta | None,
    every: bool,
    dry_run: bool,
    yes: bool,
) -> int:
    """Abort uploads: their parts are freed, and they cannot be resumed. One by its id, or many by --older or --all; many are asked about."""
    if (upload_id is not None) + (older is not None) + every != 1:
        raise click.UsageError("which? give an UPLOAD_ID, --older TIME or --all")
    url = shell.at(url)
    if upload_id is not None:
        found = [find_upload(shell, url, upload_id)]
    else:
        found = list(uploads_of(shell, url, older))
    if not found:
        shell.output.note(f"no such uploads in {url}")
        return DONE
    one = upload_id is not None
    if (
        not dry_run
        and not one
        and not sure(f"Abort {counted(len(found), 'upload')} of {url}?", yes=yes, command="uploads abort")
    ):
        return FAILED
    code = DONE
    for upload in found:
        name = str(Remote(upload.bucket, upload.name))
        kind = "would-abort" if dry_run else "aborted"
        try:
            if not dry_run:
                shell.client.abort_multipart_upload(upload, until_gone=not one)
        except _refusals() as error:
            report(error, shell.output, shell.where(), url=name, upload_id=upload.upload_id)
            code = FAILED
            continue
        words = f"{kind.replace('-', ' ')} {upload.upload_id} of {name}"
        shell.output.event(kind, words, url=name, upload_id=upload.upload_id)
    return code


@uploads.command("export")
@click.argument("what", type=UPLOAD, metavar="oss://BUCKET/KEY|UPLOAD_ID")
@click.option("--upload-id", metavar="ID", help="Which upload of the key, if there are several.")
@click.option(
    "--file",
    "source",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="The file that is uploaded: tells its size, and which parts are its own.",
)
@click.option(
    "-o",
    "--output",
    "target",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write it there [default: standard output].",
)
@click.pass_obj
def export_upload(
    shell: Shell, what: str, *, upload_id: str | None, source: str | None, target: str | None
) -> None:
    """Print the checkpoint of an upload as JSON, to go on elsewhere: `mossaic uploads import`, ali-oss (`multipartUpload(…, {checkpoint})`), or
    the page. No secret is in it; whoever goes on needs credentials of their own and the same file.

    Where the file is here, every stored part is compared with it, since ali-oss does not: one that differs is left out.
    """
    upload = named_upload(shell, what, upload_id)
    shell.at(Remote(upload.bucket, upload.name))
    checkpoint = exported(shell, upload, source)
    if checkpoint.file_size is None:
        shell.output.warn(
            "the size of the file is not known here: ali-oss cannot go on without it, so give --file FILE"
        )
    if target is None:
        shell.output.write(checkpoint.dumps())
        return
    checkpoint.dump(target)
    shell.output.event(
        "exported",
        f"wrote {target}: {len(checkpoint.parts)} parts are stored",
        file=target,
        parts=len(checkpoint.parts),
    )


@uploads.command("import")
@click.argument("checkpoint_file", metavar="CHECKPOINT")
@click.argument("file", required=False, metavar="[FILE]")
@click.option(
    "--to",
    type=PLACE_URL,
    metavar="oss://BUCKET",
    help="Its bucket, where the checkpoint does not say (ali-oss).",
)
@click.option(
    "--parallel", type=click.IntRange(1, 100), metavar="COUNT", help="Parts at the same time [default: auto]."
)
@click.option("--bwlimit", type=SIZE, metavar="SIZE", help="Bytes a second, such as 10M.")
@click.pass_obj
def import_upload(
    shell: Shell,
    checkpoint_file: str,
    file: str | None,
    *,
    to: Remote | None,
    parallel: int | None,
    bwlimit: int | None,
) -> int:
    """Finish an upload from a checkpoint that ali-oss, the page, the SDK or another machine made (- for standard input).

    FILE may be left out when the path in the checkpoint is right here. Every stored part is compared with it.
    """
    from mossaic.cli.documents import read_file  # noqa: PLC0415  # `--help` needs no codec
    from mossaic.client.checkpoint import Checkpoint  # noqa: PLC0415  # as above

    shell.configure(parallel=parallel, bandwidth=bwlimit)
    checkpoint = Checkpoint.loads(read_file(checkpoint_file))
    bucket = to.bucket if to is not None else checkpoint.bucket
    url = shell.at(Remote(bucket, checkpoint.name))
    source = file or checkpoint.file
    if source is None:
        raise click.UsageError("the checkpoint names no file: give FILE")
    if checkpoint.endpoint and checkpoint.endpoint != shell.client.endpoint:
        shell.output.warn(
            f"the checkpoint was made at {checkpoint.endpoint}; it is used at {shell.client.endpoint}"
        )
    again = f"mossaic uploads import {checkpoint_file} {source}"
    return _finish(shell, source, url, checkpoint, again=again)


def _finish(shell: Shell, source: str, url: Remote, checkpoint: Checkpoint, *, again: str) -> int:
    from mossaic.cli.moving import send  # noqa: PLC0415  # only for uploads

    refuse_other_size(checkpoint, source)
    result: UploadResult = send(shell, source, url, again=again, resume=checkpoint)
    size = result.size or 0
    shell.output.event(
        "uploaded",
        f"uploaded {source} to {url}: {human_size(size)}, of which {human_size(result.resumed_bytes)} were stored already",
        source=source,
        url=str(url),
        size=size,
        resumed_bytes=result.resumed_bytes,
        parts=result.parts,
        etag=result.etag,
        crc64=None if result.crc64 is None else str(result.crc64),
        retries=result.retries,
        request_id=result.request_id,
    )
    return DONE


def _part_record(part: Part) -> dict[str, Any]:  # Any: facts
    return {
        "number": part.number,
        "size": part.size,
        "modified_at": part.modified_at,
        "crc64": None if part.crc64 is None else str(part.crc64),
        "etag": part.etag,
    }


def _refusals() -> type[Exception]:
    from mossaic.client.errors import ServerError  # noqa: PLC0415  # as above

    return ServerError
