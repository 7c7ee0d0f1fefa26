"""What the rooms of the engine share about one download: what is fetched, where to, how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mossaic.client.transfer.task import TransferOptions, TransferTask

if TYPE_CHECKING:
    from mossaic.client.results import ObjectInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadOptions(TransferOptions):
    """How a download is done. See `Client.download` for their meaning.

    `sync_folder`: bring the new name to the disk, too; False when somebody else will.
    """

    version_id: str | None = None
    if_match: str | None = None
    resume: Literal["auto", "verify", "never"] = "auto"
    overwrite: bool = True
    sync_folder: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadResult:
    """An object that was received whole and checked.

    `path`: the file, absolute; None for a file object. `size` bytes, `crc64` that of the bytes received, None with checks off; `etag`
    bare. `parts`: ranges it came in; `resumed_bytes` were there from an earlier attempt. `info`: all that is known of the object.
    """

    bucket: str
    name: str
    path: str | None
    size: int
    etag: str
    crc64: int | None
    info: ObjectInfo
    version_id: str | None = None
    parts: int = 1
    resumed_bytes: int = 0
    retries: int = 0
    request_id: str = ""


class DownloadTask(TransferTask[DownloadOptions]):
    """One download under way."""

    what = "download"
