"""What an upload writes down so that a later run can go on: the records of its journal, in order, and how they are read back.

| kind | when | durable |
| --- | --- | --- |
| `intent` | before InitiateMultipartUpload, so that an upload id lost with its answer is noticed | yes |
| `upload` | as soon as there is an upload id: the checkpoint without its parts | yes |
| `part` | a part was acknowledged; ListParts is the truth, this says which source it was made from | within a second |
| `completing` | before CompleteMultipartUpload: the ETag and CRC-64 that the object will have | yes |

A journal that cannot be written never stops an upload: it goes on without, and says so in an event.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

from mossaic.client.checkpoint import Checkpoint, CheckpointError, PartRecord
from mossaic.client.store import Held, Null, StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mossaic.client.checkpoint import SourceIdentity
    from mossaic.client.store import Journal
    from mossaic.client.upload.task import Task

_SLOTS: Final = 16  # uploads of one source to one key at the same time that can each be resumed


def journal_name(task: Task, identity: SourceIdentity, path: str) -> str:
    """The same source to the same key has the same journal; a file is known by its path, so that a changed one is noticed."""
    source = path or (
        f"{identity.kind}:{identity.size}:{identity.edges_crc64}" if identity.size is not None else "stream"
    )
    return f"upload\n{task.session.endpoint}\n{task.bucket}\n{task.name}\n{source}"


class Log:
    """The journal of one upload, and what was found in it."""

    def __init__(self, task: Task, journal: Journal) -> None:
        self._task = task
        self._journal = journal
        self._broken = False
        self.checkpoint: Checkpoint | None = None
        self.completing: Mapping[str, object] | None = None
        self.intended_at: float | None = None
        self.said = ""
        self._read()

    @classmethod
    def open(cls, task: Task, name: str) -> Log:
        """The first journal of that name that nobody holds. Another process may be sending the same file: it keeps its own."""
        for slot in range(_SLOTS):
            try:
                return cls(task, task.store.open(name if slot == 0 else f"{name}\n{slot}"))
            except Held:
                continue
            except StoreError as error:
                task.events.say("unsaved", error=error)
                break
        return cls(task, Null().open(name))

    def _read(self) -> None:
        parts: list[PartRecord] = []
        for record in self._journal.records():
            kind = record.get("kind")
            if kind == "intent":
                self.intended_at = float(cast("float", record.get("at", 0.0)))
                self.checkpoint, self.completing = None, None
                parts.clear()
            elif kind == "upload":
                self.intended_at = None
                self.said = str(record.get("said", ""))
                self._adopt(record.get("checkpoint"))
            elif kind == "part":
                parts.append(_part(record))
            elif kind == "completing":
                self.completing = record
        if self.checkpoint is not None:
            self.checkpoint = replace(
                self.checkpoint, parts=tuple({part.number: part for part in parts}.values())
            )

    def _adopt(self, value: object) -> None:
        try:
            self.checkpoint = Checkpoint.from_json(cast("Mapping[str, Any]", value))  # Any: JSON
        except (
            CheckpointError
        ):  # written by another version: nothing to go on from, and nothing is lost on the server
            self.checkpoint = None

    # --- writing ------------------------------------------------------------------------------------------------------

    def intent(self) -> None:
        self._append({"kind": "intent", "at": time.time()}, durable=True)

    def begun(self, checkpoint: Checkpoint, *, said: str) -> None:
        """An upload id exists. Of a resumed one this forgets what is not proven any more. `said`: what Initiate said of the object."""
        kept = checkpoint.parts
        self.checkpoint, self.completing, self.intended_at = checkpoint, None, None
        records: list[Mapping[str, object]] = [
            {"kind": "upload", "said": said, "checkpoint": replace(checkpoint, parts=()).to_json()}
        ]
        records += [_record(part) for part in kept]
        try:
            self._journal.replace(records)
        except (StoreError, OSError) as error:
            self._fail(error)

    def part(self, part: PartRecord) -> None:
        self._append(_record(part))

    def will_complete(self, etag: str, crc64: int | None, size: int) -> None:
        self._append({"kind": "completing", "etag": etag, "crc64": _text(crc64), "size": size}, durable=True)

    def done(self) -> None:
        """Nothing is left to resume."""
        try:
            self._journal.discard()
        except (StoreError, OSError) as error:
            self._fail(error)

    def close(self) -> None:
        try:
            self._journal.close()
        except (StoreError, OSError) as error:
            self._fail(error)

    def _append(self, record: Mapping[str, object], *, durable: bool = False) -> None:
        if self._broken:
            return
        try:
            self._journal.append(record, durable=durable)
        except (StoreError, OSError) as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        if not self._broken:
            self._broken = True
            self._task.events.say("unsaved", error=error)


def _record(part: PartRecord) -> dict[str, object]:
    crc = _text(part.crc64)
    return {
        "kind": "part",
        "number": part.number,
        "offset": part.offset,
        "size": part.size,
        "etag": part.etag,
        "crc64": crc,
    }


def _text(crc64: int | None) -> str | None:
    """JSON readers elsewhere hold numbers of 53 bits."""
    return None if crc64 is None else str(crc64)


def _part(record: Mapping[str, Any]) -> PartRecord:  # Any: JSON
    crc = record.get("crc64")
    return PartRecord(
        number=int(record["number"]),
        offset=int(record["offset"]),
        size=int(record["size"]),
        etag=str(record["etag"]),
        crc64=None if crc is None else int(crc),
    )
