"""What is known of a file on either side, what is to be done about it, and how it all ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from mossaic.client.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from mossaic.client.transfer.handle import Transfer
    from mossaic.client.transfer.task import Parallel
    from mossaic.client.upload.progress import Progress

Skip = Literal["same", "newer", "never"]
Symlinks = Literal["follow", "skip"]
Action = Literal["upload", "download", "skip", "delete", "refuse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Something in the local folder. `relative`: its path below the folder, with "/"; that of a folder ends with one.

    A file has `size` bytes and `mtime_ns`. `problem`: it cannot be read; of a folder: nothing below it is known. `reason`: why it
    is left alone though it is there.
    """

    relative: str
    path: str
    size: int = 0
    mtime_ns: int = 0
    problem: Exception | None = None
    reason: str = ""

    @property
    def is_folder(self) -> bool:
        return self.relative.endswith("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An object below the prefix, as the listing has it."""

    relative: str
    key: str
    size: int
    etag: str
    modified_at: datetime
    is_symlink: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is to be done about one file.

    `path` is local, `key` the object's; `reason` says why: new, another size, other bytes.
    `delete` concerns the side that is copied to. `refuse`: it cannot be done, `problem` says why not.
    """

    action: Action
    key: str
    path: str
    size: int = 0
    reason: str = ""
    problem: Exception | None = None


FolderEventKind = Literal[
    "planned",  # of a dry run: this would be done
    "begun",  # its transfer runs (`transfer`)
    "done",  # (`result`: UploadResult or DownloadResult)
    "skipped",
    "deleted",
    "failed",  # (`error`)
]


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderEvent:
    """Something happened to one file."""

    kind: FolderEventKind
    entry: Entry
    transfer: Transfer[Any] | None = None  # Any: of either way
    result: Any = None  # Any: UploadResult, DownloadResult, None where a folder was made
    error: Exception | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchProgress:
    """A moment of a folder's transfer. Sizes in bytes; the counts are of files.

    `sent` and `done` never fall. Files that are skipped count as done and their bytes as sent. `files` and `total` are what was found
    so far, and all there is once `counted`. `speed` is bytes a second over the last five seconds. `active`: the files under way.
    """

    done: int
    failed: int
    skipped: int
    deleted: int
    files: int
    sent: int
    total: int
    counted: bool
    speed: float | None
    eta_s: float | None
    retries: int
    active: Mapping[str, Progress]

    @property
    def fraction(self) -> float | None:
        """0 … 1; None while it is not known how much there is."""
        if not self.counted:
            return None
        return min(1.0, self.sent / self.total) if self.total else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """How a folder's transfer ended. Counts are of files; of a dry run, what would be.

    `moved`: uploaded or downloaded, `size` their bytes; `resumed_bytes` of them were there from an earlier attempt. `failures`: local
    path (or key, where there is no path for it) → why; the first 10,000 of `failed`.
    """

    moved: int
    skipped: int
    deleted: int
    failed: int
    size: int
    resumed_bytes: int
    seconds: float
    failures: Mapping[str, Exception]
    dry_run: bool = False

    @property
    def ok(self) -> bool:
        """Nothing failed."""
        return not self.failed


class BatchCancelled(Cancelled):
    """A folder's transfer was cancelled; the same call goes on with what is missing. `result` says how far it came."""

    def __init__(self, message: str, result: BatchResult) -> None:
        super().__init__(message)
        self.result = result


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderOptions:
    """How a folder is moved. See `Client.upload_folder` for their meaning."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    jobs: Parallel = "auto"
    skip: Skip = "same"
    delete: bool = False
    dry_run: bool = False
    symlinks: Symlinks = "follow"
    empty_folders: bool = False
    deadline: float | None = None
    progress: Callable[[BatchProgress], None] | None = None
    on_event: Callable[[FolderEvent], None] | None = None
    progress_every_s: float = 0.1


@dataclass(slots=True, kw_only=True)
class Counts:
    """What was done so far; whoever changes it holds the batch's lock."""

    moved: int = 0
    skipped: int = 0
    deleted: int = 0
    failed: int = 0
    size: int = 0
    resumed_bytes: int = 0
    sent: int = 0  # bytes of files that are over and done with, skipped and failed ones too
    wire: int = 0
    retries: int = 0
    files: int = 0  # found
    total: int = 0
    counted: bool = False
    failures: dict[str, Exception] = field(default_factory=dict[str, Exception])
