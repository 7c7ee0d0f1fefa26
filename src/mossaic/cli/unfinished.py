"""Finding an unfinished upload by what people know of it, and what is known of it here and on the server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
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


class OtherFile(click.ClickException):
    """FILE cannot be the one that the upload is of."""


def checkpoint_from(shell: Shell, upload: UploadRef, source: str | None) -> Checkpoint | None:
    """What is known of how the file is cut: from this machine's journal, else from `source` and the parts on the server.

    Raises ValueError when the stored parts cannot be those of `source`.
    """
    from mossaic.cli.journals import known_upload  # noqa: PLC0415  # as above

    known = known_upload(upload.upload_id)
    if known is not None and (source is None or known.file_size is not None):
        return known
    return None if source is None else shell.client.checkpoint_of(upload, source)


def refuse_other_size(checkpoint: Checkpoint, source: str) -> None:
    """Before anything is sent. Raises OtherFile, OSError."""
    size, told = Path(source).stat().st_size, checkpoint.file_size
    if told is not None and size != told:
        raise OtherFile(
            f"the upload {checkpoint.upload_id} is for {told} bytes, {source} has {size}: it is another file, or was changed since; "
            "nothing was sent. `mossaic cp` uploads it anew"
        )


def exported(shell: Shell, upload: UploadRef, source: str | None) -> Checkpoint:
    """The checkpoint with every part that the server holds; where the file is at hand, only with those that it still has.

    ali-oss believes every part it is told of, so that a part of another file would end up in its object.
    Raises OtherFile; click.UsageError when nothing is known to cut the file by.
    """
    stored = list(shell.client.list_parts(upload))
    known = checkpoint_from(shell, upload, source) or _guessed(shell, upload, stored)
    if source is not None:
        refuse_other_size(known, source)
        known = replace(known, file=str(Path(source).absolute()))
    parts = [_placed(part, known) for part in stored]
    at_hand = known.file is not None and Path(known.file).is_file()
    if at_hand and Path(str(known.file)).stat().st_size != known.file_size:
        shell.output.warn(f"{known.file} has another size now: go on with the file as it was, or begin anew")
    elif at_hand:
        same = _same_as(str(known.file), parts)
        if len(same) < len(parts):
            left_out = len(parts) - len(same)
            shell.output.warn(
                f"{known.file} has other bytes than {left_out} of the stored parts: they are left out"
            )
        parts = same
    return replace(known, parts=tuple(parts))


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


def _same_as(path: str, parts: Sequence[PartRecord]) -> list[PartRecord]:
    """The parts whose bytes are those of the file."""
    from mossaic.client.upload.body import crc64_of, md5_of  # noqa: PLC0415  # as above
    from mossaic.client.upload.plan import Piece  # noqa: PLC0415  # as above
    from mossaic.client.upload.source import Stream, open_source  # noqa: PLC0415  # as above

    source = open_source(path)
    assert not isinstance(source, Stream)  # the caller saw that it is a file
    try:
        same: list[PartRecord] = []
        for part in parts:
            piece = Piece(number=part.number, offset=part.offset, size=part.size)
            if piece.stop > source.size:
                continue
            if part.crc64 is None:
                proven = md5_of(source, piece).hex().upper() == part.etag
            else:
                proven = crc64_of(source, piece) == part.crc64
            if proven:
                same.append(part)
        return same
    finally:
        source.close()


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
