"""Downloads: an object into a file, in parallel ranges, continued over broken lines and ended runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict, Unpack

from mossaic.client.calls.base import Calls
from mossaic.client.download.handle import Download
from mossaic.client.download.task import DownloadOptions, DownloadTask
from mossaic.client.http import Scope
from mossaic.client.http.scope import current_scope
from mossaic.client.store import Null
from mossaic.client.upload.throttle import Throttle

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from mossaic.client.calls.multipart import Transfers
    from mossaic.client.download.target import Writable
    from mossaic.client.download.task import DownloadResult
    from mossaic.client.options import Checksum
    from mossaic.client.transfer.events import Event
    from mossaic.client.transfer.task import Parallel
    from mossaic.client.upload.plan import PartSize
    from mossaic.client.upload.progress import Progress


class DownloadKeywords(TypedDict, total=False):
    """The options of `download` and `start_download`; `Client.download` tells what they mean."""

    version_id: str | None
    part_size: PartSize | None
    parallel: Parallel | None
    resume: Literal["auto", "verify", "never"]
    progress: Callable[[Progress], None] | None
    on_event: Callable[[Event], None] | None
    if_match: str | None
    bandwidth: float | None
    checksum: Checksum | None
    overwrite: bool
    deadline: float | None
    bucket: str | None


class Downloading(Calls):
    """Download, whole."""

    _transfers: Transfers
    _incoming: Throttle | None = None  # a limit for several downloads together

    def download(  # noqa: PLR0913  # a download's options are keywords
        self,
        name: str,
        target: str | os.PathLike[str] | Writable,
        *,
        version_id: str | None = None,
        part_size: PartSize | None = None,
        parallel: Parallel | None = None,
        resume: Literal["auto", "verify", "never"] = "auto",
        progress: Callable[[Progress], None] | None = None,
        on_event: Callable[[Event], None] | None = None,
        if_match: str | None = None,
        bandwidth: float | None = None,
        checksum: Checksum | None = None,
        overwrite: bool = True,
        deadline: float | None = None,
        bucket: str | None = None,
    ) -> DownloadResult:
        """Bring the object `name` into the file `target`, in parallel ranges, going on where an earlier attempt ended.

        `target`: a path, or a binary file object, which gets the bytes in order over one connection. A file appears under its name
        only when it is whole, checked and on the disk; until then what comes is in `TARGET.….part` beside it, and a file that was there
        stays as it was. A symbolic link is followed. An object of at most one part comes with one GetObject.

        Every request wants the object as the first one found it (If-Match on its ETag, and its version where there are versions), so
        that two objects are never mixed. A range whose connection breaks goes on behind the last byte that came.

        `version_id`: a version, else the current one. `if_match`: the ETag that the object must have. `part_size`: bytes of a range,
        102,400 … 5 GiB, or "auto" (8 MiB, more for objects above 16 GiB, less on a slow line). `parallel`: ranges at the same time,
        or "auto" (4 to 16). `bandwidth`: bytes a second for this download. `overwrite`: False refuses a target that is there.

        `resume`: "auto" goes on with what is beside the target when the object has the same ETag, CRC-64 and size; ranges are read again
        and compared by CRC-64 unless the file was closed in order and is untouched since. "verify" compares every range. "never" begins
        anew, and keeps nothing when it fails. `checksum`: anything but "none" compares the CRC-64 of the whole with the object's, where
        the service knows it. `progress`, `on_event`, `deadline`: as in `multipart_upload`.

        Raises ObjectChanged (replaced while it was read; nothing is kept), ChecksumMismatch (nothing is kept), NoSuchKey, NoSuchVersion,
        PreconditionFailed (`if_match`), InvalidObjectState (archived), AccessDenied, DeadlineExceeded, ConnectionTimeoutError and
        NetworkError after all retries, DownloadCancelled and what every call raises; FileExistsError (`overwrite` False),
        IsADirectoryError and further OSError; ValueError and TypeError for an option that cannot be.
        """
        return self._new_download(
            name,
            target,
            {
                "version_id": version_id,
                "part_size": part_size,
                "parallel": parallel,
                "resume": resume,
                "progress": progress,
                "on_event": on_event,
                "if_match": if_match,
                "bandwidth": bandwidth,
                "checksum": checksum,
                "overwrite": overwrite,
                "deadline": deadline,
                "bucket": bucket,
            },
        ).run()

    def start_download(
        self,
        name: str,
        target: str | os.PathLike[str] | Writable,
        **options: Unpack[DownloadKeywords],
    ) -> Download:
        """Begin a download in a thread of its own and return at once. Options as in `download`.

        The Download can be paused, resumed, cancelled, aborted, slowed down and watched; `result()` waits for its end and raises what
        `download` raises. Raises ValueError for an option that cannot be.
        """
        return self._new_download(name, target, options).start()

    def _new_download(
        self,
        name: str,
        target: str | os.PathLike[str] | Writable,
        options: DownloadKeywords,
        *,
        sync_folder: bool = True,
    ) -> Download:
        resume = options.get("resume", "auto")
        if resume not in ("auto", "verify", "never"):
            raise ValueError(f"resume is 'auto', 'verify' or 'never', not {resume!r}")
        if not isinstance(target, str) and not hasattr(target, "__fspath__") and not hasattr(target, "write"):
            raise TypeError(f"a target is a path or a writable binary file, not {type(target).__name__}")
        mine, part_size, parallel = self._transfers, options.get("part_size"), options.get("parallel")
        place = self._at(name, options.get("bucket"))
        task = DownloadTask(
            session=self._session,
            bucket=place["bucket"],
            name=name,
            options=DownloadOptions(
                version_id=options.get("version_id"),
                if_match=options.get("if_match"),
                resume=resume,
                overwrite=options.get("overwrite", True),
                sync_folder=sync_folder,
                part_size=mine.part_size if part_size is None else part_size,
                parallel=mine.parallel if parallel is None else parallel,
                checksum=options.get("checksum") or self._checksum,
                deadline=options.get("deadline") or self._ask.deadline,
                progress=options.get("progress"),
                on_event=options.get("on_event"),
            ),
            store=Null() if resume == "never" else mine.journals(),
            throttle=Throttle(options.get("bandwidth"), parent=self._incoming),
            scope=Scope(parent=self._ask.scope or current_scope.get()),
        )
        return Download(task, target, line=mine.incoming)
