"""Finding an unfinished upload by what people know of it, and what is known of it here and on the server."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import click

from mossaic.cli.urls import SCHEME, Remote, parse_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import timedelta

    from mossaic.cli.remote import Shell
    from mossaic.client.calls.uploads import UploadInfo
    from mossaic.client.checkpoint import Checkpoint, PartRecord
    from mossaic.client.upload.wire import Part, UploadRef

_MAP_WIDTH: Final = 64
_SHOWN: Final = 5


def uploads_of(shell: Shell, url: Remote, older: timedelta | None = None) -> Iterator[UploadInfo]:
    """The unfinished uploads whose key begins so; of all buckets when none is named."""
    if url.bucket or url.key:
        url = shell.at(url)
        yield from shell.client.list_uploads(url.key, older_than=older, bucket=url.bucket)
        return
    for bucket in shell.client.list_buckets():
        yield from shell.client.list_uploads(older_than=older, bucket=bucket.name)


def find_upload(shell: Shell, url: Remote, upload_id: str | None) -> UploadRef:
    """The upload of that id, or the only one of that key. Raises click.UsageError (there are several), click.ClickException (none)."""
    from mossaic.client.upload.wire import UploadRef  # noqa: PLC0415  # `--help` has no need of the client

    if upload_id is not None:
        if not url.key:
            found = [each for each in uploads_of(shell, url) if each.upload_id == upload_id]
            return _only(found, url)
        return UploadRef(bucket=url.bucket, name=url.key, upload_id=upload_id)
    return _only([each for each in uploads_of(shell, url) if each.name == url.key], url)


def named_upload(shell: Shell, what: str, upload_id: str | None) -> UploadRef:
    """By `oss://BUCKET/KEY`, or by an id alone: then the journals of this machine are asked, and the buckets one by one.

    Raises click.UsageError, click.ClickException as `find_upload`.
    """
    from mossaic.cli.journals import known_upload  # noqa: PLC0415  # as above
    from mossaic.client.upload.wire import UploadRef  # noqa: PLC0415  # as above

    if what.startswith(SCHEME):
        return find_upload(shell, shell.at(parse_url(what)), upload_id)
    if upload_id is not None and upload_id != what:
        raise click.UsageError(f"{what!r} is no URL of the kind {SCHEME}BUCKET/KEY")
    known = known_upload(what)
    if known is not None and known.bucket:
        return UploadRef(bucket=known.bucket, name=known.name, upload_id=what)
    found = [each for each in uploads_of(shell, Remote("")) if each.upload_id == what]
    if not found:
        raise click.ClickException(f"there is no unfinished upload {what!r}; see `mossaic uploads ls`")
    return found[0]


def checkpoint_from(shell: Shell, upload: UploadRef, source: str | None) -> Checkpoint | None:
    """What is known of how the file is cut: from this machine's journal, else from `source` and the parts on the server.

    Raises ValueError when the stored parts cannot be those of `source`.
    """
    from mossaic.cli.journals import known_upload  # noqa: PLC0415  # as above

    known = known_upload(upload.upload_id)
    if known is not None and (source is None or _same_size(known, source)):
        return known
    return None if source is None else shell.client.checkpoint_of(upload, source)


def exported(shell: Shell, upload: UploadRef, source: str | None) -> Checkpoint:
    """The checkpoint with every part that the server holds. Raises click.UsageError when nothing is known to cut the file by."""
    stored = list(shell.client.list_parts(upload))
    known = checkpoint_from(shell, upload, source) or _guessed(shell, upload, stored)
    return replace(known, parts=tuple(_placed(part, known) for part in stored))


def part_map(stored: Sequence[Part], known: Checkpoint | None) -> str:
    """`####..##`: one character a part, or for several when there are many; `+` where only some of them are there."""
    if known is not None and known.file_size is not None:
        count = max(1, -(-known.file_size // known.part_size))
    else:
        count = 0
    there = {part.number for part in stored}
    count = max(count, *there, 0) if there else count
    step = -(-count // _MAP_WIDTH) if count else 1
    said: list[str] = []
    for start in range(1, count + 1, step):
        numbers = range(start, min(start + step, count + 1))
        have = sum(number in there for number in numbers)
        said.append("#" if have == len(numbers) else "+" if have else ".")
    return "".join(said)


def _only(found: Sequence[UploadInfo], url: Remote) -> UploadInfo:
    if len(found) == 1:
        return found[0]
    if not found:
        raise click.ClickException(f"there is no unfinished upload of {url}; see `mossaic uploads ls`")
    ids = ", ".join(f"{each.upload_id} ({each.initiated:%Y-%m-%d %H:%M})" for each in found[:_SHOWN])
    raise click.UsageError(f"there are {len(found)} uploads of {url}; say which: {ids}")


def _same_size(known: Checkpoint, source: str) -> bool:
    from pathlib import Path  # noqa: PLC0415  # as above

    return known.file_size == Path(source).stat().st_size


def _guessed(shell: Shell, upload: UploadRef, stored: Sequence[Part]) -> Checkpoint:
    """Parts of one size; a last one that is shorter ends the file."""
    from mossaic.client.checkpoint import Checkpoint  # noqa: PLC0415  # as above

    if not stored:
        raise click.UsageError("nothing is stored yet and the file is not known here: give --file FILE")
    cut = max(part.size for part in stored)
    odd = [part for part in stored if part.size != cut]
    if odd and odd != [stored[-1]]:
        raise click.UsageError("the stored parts have several sizes: give --file FILE")
    return Checkpoint(
        endpoint=shell.client.endpoint,
        bucket=upload.bucket,
        name=upload.name,
        upload_id=upload.upload_id,
        part_size=cut,
        file=None,
        file_size=(odd[0].number - 1) * cut + odd[0].size if odd else None,
    )


def _placed(part: Part, known: Checkpoint) -> PartRecord:
    from mossaic.client.checkpoint import PartRecord  # noqa: PLC0415  # as above

    mine = next((each for each in known.parts if each.number == part.number and each.etag == part.etag), None)
    if mine is not None:
        return mine
    offset = (part.number - 1) * known.part_size
    return PartRecord(number=part.number, offset=offset, size=part.size, etag=part.etag, crc64=part.crc64)
