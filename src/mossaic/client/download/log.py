"""What a download writes down so that a later run can go on: the records of its journal, and how they are read back.

| kind | when | durable |
| --- | --- | --- |
| `download` | before the file beside the target is made: its name, and which object it is to become | yes |
| `range` | a range has come, whole or, at a stop, its first bytes | within a second |
| `closed` | at a stop, after the file was synced: its inode and change time; without it every range is read again before it is trusted | yes |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mossaic.client.transfer.log import TransferLog, crc64_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from mossaic.client.download.span import Span
    from mossaic.client.download.task import DownloadTask
    from mossaic.client.results import ObjectInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """Which object an earlier attempt was for, and the file it left."""

    part_file: str
    etag: str
    size: int
    crc64: int | None
    part_size: int

    def is_of(self, info: ObjectInfo) -> bool:
        return (self.etag, self.size, self.crc64) == (info.etag, info.size, info.crc64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """The first `done` bytes of range `number` and their CRC-64, None with checks off."""

    number: int
    done: int
    crc64: int | None


def journal_name(task: DownloadTask, target: Path) -> str:
    """The same object to the same target has the same journal."""
    version = task.options.version_id or ""
    return f"download\n{task.session.endpoint}\n{task.bucket}\n{task.name}\n{version}\n{target}"


class DownloadLog(TransferLog):
    """The journal of one download, and what was found in it."""

    earlier: Earlier | None = None
    closed: Mapping[str, object] | None = None

    def _read(self, records: list[dict[str, object]]) -> None:
        self.ranges: dict[int, Received] = {}
        try:
            for record in records:
                self._take(record)
        except (KeyError, TypeError, ValueError):  # written by another version
            self.earlier, self.closed = None, None

    def _take(self, record: Mapping[str, Any]) -> None:  # Any: JSON
        kind = record.get("kind")
        self.closed = record if kind == "closed" else None
        if kind == "download":
            self.earlier = Earlier(
                part_file=str(record["part_file"]),
                etag=str(record["etag"]),
                size=int(record["size"]),
                crc64=_number(record["crc64"]),
                part_size=int(record["part_size"]),
            )
            self.ranges.clear()
        elif kind == "range":
            number = int(record["number"])
            self.ranges[number] = Received(
                number=number, done=int(record["done"]), crc64=_number(record["crc64"])
            )

    def begun(self, earlier: Earlier, kept: Iterable[Span]) -> None:
        """Forgets everything else."""
        head: dict[str, object] = {
            "kind": "download",
            "part_file": earlier.part_file,
            "etag": earlier.etag,
            "size": earlier.size,
            "crc64": crc64_text(earlier.crc64),
            "part_size": earlier.part_size,
        }
        self._replace([head, *(_range(span) for span in kept)])

    def received(self, span: Span) -> None:
        self._append(_range(span))

    def closing(self, mark: Mapping[str, int]) -> None:
        self._append({"kind": "closed", **mark}, durable=True)


def _range(span: Span) -> dict[str, object]:
    return {"kind": "range", "number": span.number, "done": span.done, "crc64": crc64_text(span.crc64)}


def _number(text: Any) -> int | None:  # Any: JSON
    return None if text is None else int(text)
