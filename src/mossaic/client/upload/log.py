"""What an upload writes down so that a later run can go on: the records of its journal, in order, and how they are read back.

| kind | when | durable |
| --- | --- | --- |
| `intent` | before InitiateMultipartUpload, so that an upload id lost with its answer is noticed | yes |
| `upload` | as soon as there is an upload id: the checkpoint without its parts | yes |
| `part` | a part was acknowledged; ListParts is the truth, this says which source it was made from | within a second |
| `completing` | before CompleteMultipartUpload: the ETag and CRC-64 that the object will have | yes |
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from mossaic.client.checkpoint import Checkpoint, CheckpointError, PartRecord
from mossaic.client.transfer.log import TransferLog, crc64_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mossaic.client.checkpoint import SourceIdentity
    from mossaic.client.upload.task import Task


def journal_name(task: Task, identity: SourceIdentity, path: str) -> str:
    """The same source to the same key has the same journal; a file is known by its path, so that a changed one is noticed."""
    source = path or (
        f"{identity.kind}:{identity.size}:{identity.edges_crc64}" if identity.size is not None else "stream"
    )
    return f"upload\n{task.session.endpoint}\n{task.bucket}\n{task.name}\n{source}"


class Log(TransferLog):
    """The journal of one upload, and what was found in it."""

    checkpoint: Checkpoint | None = None
    completing: Mapping[str, object] | None = None
    intended_at: float | None = None
    said: str = ""

    def _read(self, records: list[dict[str, object]]) -> None:
        parts: list[PartRecord] = []
        for record in records:
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
        self.completing = None
        self._append({"kind": "intent", "at": time.time()}, durable=True)

    def begun(self, checkpoint: Checkpoint, *, said: str) -> None:
        """An upload id exists. Of a resumed one this forgets what is not proven any more. `said`: what Initiate said of the object."""
        kept = checkpoint.parts
        self.checkpoint, self.intended_at = checkpoint, None
        records: list[Mapping[str, object]] = [
            {"kind": "upload", "said": said, "checkpoint": replace(checkpoint, parts=()).to_json()}
        ]
        records += [_record(part) for part in kept]
        if self.completing is not None:
            records.append(self.completing)
        self._replace(records)

    def part(self, part: PartRecord) -> None:
        self._append(_record(part))

    def will_complete(self, etag: str, crc64: int | None, size: int) -> None:
        self._append(
            {"kind": "completing", "etag": etag, "crc64": crc64_text(crc64), "size": size}, durable=True
        )


def _record(part: PartRecord) -> dict[str, object]:
    crc = crc64_text(part.crc64)
    return {
        "kind": "part",
        "number": part.number,
        "offset": part.offset,
        "size": part.size,
        "etag": part.etag,
        "crc64": crc,
    }


def _part(record: Mapping[str, Any]) -> PartRecord:  # Any: JSON
    crc = record.get("crc64")
    return PartRecord(
        number=int(record["number"]),
        offset=int(record["offset"]),
        size=int(record["size"]),
        etag=str(record["etag"]),
        crc64=None if crc is None else int(crc),
    )
