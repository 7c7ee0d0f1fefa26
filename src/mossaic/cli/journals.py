"""What the journals of this machine know of unfinished uploads: the file, its size, which bytes each part holds.

The records are those that `mossaic.client.upload.log` writes; a journal is read without holding it, so a running upload is not
disturbed.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from mossaic.client.checkpoint import Checkpoint, CheckpointError, PartRecord
from mossaic.client.store import File, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mossaic.client.store import Store


def known_uploads(store: Store | None = None) -> Iterator[Checkpoint]:
    """The unfinished uploads that were begun on this machine. A journal that cannot be read is passed over."""
    with suppress(StoreError):
        store = store or File()
        for name in store.names():
            if name.startswith("upload\n"):
                checkpoint = _read(store.peek(name))
                if checkpoint is not None:
                    yield checkpoint


def known_upload(upload_id: str) -> Checkpoint | None:
    """The one of this id."""
    return next((found for found in known_uploads() if found.upload_id == upload_id), None)


def _read(records: list[dict[str, object]]) -> Checkpoint | None:
    checkpoint: Checkpoint | None = None
    parts: dict[int, PartRecord] = {}
    for record in records:
        kind = record.get("kind")
        if kind == "intent":
            checkpoint = None
            parts.clear()
        elif kind == "upload":
            with suppress(CheckpointError):
                checkpoint = Checkpoint.from_json(record.get("checkpoint"))
        elif kind == "part":
            part = _part(record)
            parts[part.number] = part
    return None if checkpoint is None else replace(checkpoint, parts=tuple(parts.values()))


def _part(record: Mapping[str, Any]) -> PartRecord:  # Any: JSON
    crc64 = cast("str | None", record.get("crc64"))
    return PartRecord(
        number=int(record["number"]),
        offset=int(record["offset"]),
        size=int(record["size"]),
        etag=str(record["etag"]),
        crc64=None if crc64 is None else int(crc64),
    )
