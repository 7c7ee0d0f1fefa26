"""What an earlier attempt left beside the target, and how much of it may be trusted.

Only if the object has the same ETag, CRC-64 and size as then. A range is taken as it is when the file was closed in order and
nobody has touched it since, by its change time; otherwise it is read and must have the CRC-64 that it came with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mossaic.client.download.span import Span
from mossaic.client.download.target import PartFile
from mossaic.client.upload.plan import piece_of

if TYPE_CHECKING:
    from pathlib import Path

    from mossaic.client.download.log import DownloadLog, Earlier
    from mossaic.client.download.task import DownloadTask
    from mossaic.client.results import ObjectInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The file of an earlier attempt and what of it is proven, by number."""

    earlier: Earlier
    file: PartFile
    spans: dict[int, Span]


def resume(task: DownloadTask, log: DownloadLog, info: ObjectInfo, folder: Path) -> Kept | None:
    """None to begin anew; then nothing of the earlier attempt is left. Raises Cancelled, DeadlineExceeded."""
    earlier = log.earlier
    if earlier is None:
        return None
    path = folder / earlier.part_file
    if not earlier.is_of(info):
        path.unlink(missing_ok=True)
        task.events.say("discarded", reason="the object is another one now")
        return None
    file = PartFile.reopen(path, earlier.size)
    if file is None:
        path.unlink(missing_ok=True)
        task.events.say("discarded", reason=f"{path.name} is gone or has another size")
        return None
    try:
        kept = Kept(earlier=earlier, file=file, spans=_proven(task, log, earlier, file))
    except BaseException:
        file.close()
        raise
    held = sum(span.done for span in kept.spans.values())
    task.events.say("resumed", parts=sum(span.is_done for span in kept.spans.values()), bytes=held)
    return kept


def _proven(task: DownloadTask, log: DownloadLog, earlier: Earlier, file: PartFile) -> dict[int, Span]:
    untouched = task.options.resume == "auto" and _is_untouched(log, file)
    checked = task.options.checksum != "none"

    def between() -> None:
        task.scope.check()
        task.time_left()
        task.tick()

    spans: dict[int, Span] = {}
    for received in log.ranges.values():
        try:
            piece = piece_of(received.number, earlier.part_size, earlier.size)
        except ValueError:
            continue
        span = Span.of(piece, checked=checked)
        if received.done > span.size or (checked and received.crc64 is None):
            continue
        span.done, span.crc64 = received.done, received.crc64
        if untouched or (received.crc64 is not None and file.matches(span, between)):
            spans[span.number] = span
        else:
            task.events.say("unverified", part_number=span.number)
    return spans


def _is_untouched(log: DownloadLog, file: PartFile) -> bool:
    closed = log.closed
    return closed is not None and all(closed.get(name) == value for name, value in file.mark().items())
