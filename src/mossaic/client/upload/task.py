"""What the rooms of the engine share about one upload: where it goes, what it is made of, how it is to be done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from mossaic.client.object_options import ObjectOptions
from mossaic.client.transfer.events import Event, EventKind, Events
from mossaic.client.transfer.task import Parallel, TransferOptions, TransferTask
from mossaic.client.upload.wire import UploadRef

if TYPE_CHECKING:
    from mossaic.client.checkpoint import Checkpoint
    from mossaic.client.upload.finish import Expected

__all__ = ["Event", "EventKind", "Events", "Parallel", "Task", "UploadOptions", "UploadResult"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadOptions(TransferOptions):
    """How an upload is done; the defaults are the client's. See `Client.multipart_upload` for their meaning."""

    object: ObjectOptions = field(default_factory=ObjectOptions)
    resume: Literal["auto", "verify", "never"] | Checkpoint = "auto"
    on_failure: Literal["keep", "abort"] = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadResult:
    """A stored object. `upload_id` is None when it was small enough for one PutObject; `parts` counts parts. `size` and `parts` are
    None where a single Complete does not know them.

    `resumed_bytes` were stored by an earlier attempt and not sent again. `callback` is the JSON text (or whatever it was) that the
    callback's receiver answered. `etag` is bare, `crc64` an int.
    """

    bucket: str
    name: str
    etag: str
    crc64: int | None
    size: int | None
    version_id: str | None = None
    upload_id: str | None = None
    parts: int | None = 1
    resumed_bytes: int = 0
    retries: int = 0
    callback: bytes | None = None
    request_id: str = ""


class Task(TransferTask[UploadOptions]):
    """One upload under way."""

    what = "upload"
    expected: Expected | None = None  # once Complete is asked for

    def ref(self, upload_id: str) -> UploadRef:
        return UploadRef(bucket=self.bucket, name=self.name, upload_id=upload_id)
