"""Multipart upload as one call, as a handle that can be steered, and going on with what somebody else began."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

from mossaic.client.calls.base import Calls
from mossaic.client.checkpoint import Checkpoint
from mossaic.client.http import Scope
from mossaic.client.http.scope import current_scope
from mossaic.client.object_options import ObjectOptions
from mossaic.client.store import File, Null
from mossaic.client.upload import wire
from mossaic.client.upload.handle import Upload
from mossaic.client.upload.line import Line
from mossaic.client.upload.plan import choose_part_size
from mossaic.client.upload.source import Stream, open_source
from mossaic.client.upload.task import Task, UploadOptions
from mossaic.client.upload.throttle import Throttle
from mossaic.protocol.limits import MIN_PART_SIZE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mossaic.client.callback import Callback
    from mossaic.client.object_options import Acl, StorageClass
    from mossaic.client.options import Checksum
    from mossaic.client.store import Store
    from mossaic.client.upload.plan import PartSize
    from mossaic.client.upload.progress import Progress
    from mossaic.client.upload.source import SourceLike
    from mossaic.client.upload.task import Event, Parallel, UploadResult
    from mossaic.client.upload.wire import Part, UploadRef

Resume = Literal["auto", "verify", "never"]


@dataclass(slots=True, kw_only=True)
class Transfers:
    """What the transfers of a client share: where journals rest, the defaults, and what the line was last seen to carry."""

    part_size: PartSize = "auto"
    parallel: Parallel = "auto"
    store: Store | None = None
    line: Line = field(default_factory=Line, init=False)
    incoming: Line = field(default_factory=Line, init=False)  # the other way it may be faster or slower

    def journals(self) -> Store:
        """The user's state directory, unless another place was given."""
        if self.store is None:
            self.store = File()
        return self.store


class UploadKeywords(TypedDict, total=False):
    """The options of `multipart_upload` and `start_upload`; `Client.multipart_upload` tells what they mean."""

    part_size: PartSize | None
    parallel: Parallel | None
    resume: Resume | Checkpoint | Mapping[str, Any]  # Any: JSON
    progress: Callable[[Progress], None] | None
    on_event: Callable[[Event], None] | None
    headers: Mapping[str, str] | None
    meta: Mapping[str, str] | None
    mime: str | None
    tags: Mapping[str, str] | None
    storage_class: StorageClass | str | None
    acl: Acl | str | None
    forbid_overwrite: bool | None
    callback: Callback | Mapping[str, Any] | None  # Any: as ali-oss has it
    server_side_encryption: str | None
    traffic_limit: int | None
    bandwidth: float | None
    checksum: Checksum | None
    on_failure: Literal["keep", "abort"]
    deadline: float | None
    bucket: str | None


class Multipart(Calls):
    """Multipart upload, whole."""

    _transfers: Transfers

    def multipart_upload(  # noqa: PLR0913  # an upload's options are keywords
        self,
        name: str,
        source: SourceLike,
        *,
        part_size: PartSize | None = None,
        parallel: Parallel | None = None,
        resume: Resume | Checkpoint | Mapping[str, Any] = "auto",  # Any: JSON
        progress: Callable[[Progress], None] | None = None,
        on_event: Callable[[Event], None] | None = None,
        headers: Mapping[str, str] | None = None,
        meta: Mapping[str, str] | None = None,
        mime: str | None = None,
        tags: Mapping[str, str] | None = None,
        storage_class: StorageClass | str | None = None,
        acl: Acl | str | None = None,
        forbid_overwrite: bool | None = None,
        callback: Callback | Mapping[str, Any] | None = None,  # Any: as ali-oss has it
        server_side_encryption: str | None = None,
        traffic_limit: int | None = None,
        bandwidth: float | None = None,
        checksum: Checksum | None = None,
        on_failure: Literal["keep", "abort"] = "keep",
        deadline: float | None = None,
        bucket: str | None = None,
    ) -> UploadResult:
        """Upload `source` to the key `name` in parts, in parallel, going on where an earlier attempt ended.

        `source`: a path, bytes, a binary file object (from where it stands), or any iterable of bytes; what cannot seek is spooled part by
        part to a temporary file, so that memory stays flat. A source of at most one part is sent with one PutObject.

        `part_size`: bytes, 102,400 … 5 GiB, or "auto" (8 MiB, more for files above 16 GiB, less on a slow line). `parallel`: parts at
        the same time, or "auto" (4 to 16). `bandwidth`: bytes a second for this upload. `traffic_limit`: bit/s that the server
        keeps each part to, 819,200 … 838,860,800.

        `resume`: "auto" goes on with what the journal knows of this source and key; stored parts are kept when the file is unchanged to
        the inode's change time, and are compared with it by CRC-64 otherwise. "verify" compares every one. "never" begins anew and
        writes no journal. A Checkpoint (or its JSON, or ali-oss's checkpoint) goes on with that upload; every kept part is compared.

        `progress` hears a `Progress` some ten times a second, in this thread; `on_event` hears an `Event` at once, in any thread.
        `headers`, `meta`, `mime`, `tags`, `storage_class`, `acl`, `forbid_overwrite`, `callback`, `server_side_encryption`: as in
        `ObjectOptions`. `checksum`: "crc64" compares the CRC-64 of every part and of the object with the server's, "crc64+md5" sends
        Content-MD5 too, "none" compares nothing. `on_failure`: "abort" frees what was stored when the upload fails. `deadline`: seconds for
        all of it.

        Raises SourceChanged (the object was not made), ChecksumMismatch, UploadAborted (the upload id is gone), DeadlineExceeded,
        ConnectionTimeoutError and NetworkError after all retries, CredentialsError, ServerError by its OSS code; OSError, TypeError and
        ValueError for a source or an option that cannot be. What the SDK raises has the `checkpoint` to go on from.
        """
        return self._new_upload(
            name,
            source,
            {
                "part_size": part_size,
                "parallel": parallel,
                "resume": resume,
                "progress": progress,
                "on_event": on_event,
                "headers": headers,
                "meta": meta,
                "mime": mime,
                "tags": tags,
                "storage_class": storage_class,
                "acl": acl,
                "forbid_overwrite": forbid_overwrite,
                "callback": callback,
                "server_side_encryption": server_side_encryption,
                "traffic_limit": traffic_limit,
                "bandwidth": bandwidth,
                "checksum": checksum,
                "on_failure": on_failure,
                "deadline": deadline,
                "bucket": bucket,
            },
        ).run()

    def start_upload(self, name: str, source: SourceLike, **options: Unpack[UploadKeywords]) -> Upload:
        """Begin an upload in a thread of its own and return at once. Options as in `multipart_upload`.

        The Upload can be paused, resumed, cancelled, aborted, slowed down and watched; `result()` waits for its end and raises what
        `multipart_upload` raises. Raises ValueError for an option that cannot be.
        """
        return self._new_upload(name, source, options).start()

    def resume_upload(
        self,
        upload: UploadRef,
        source: SourceLike,
        **options: Unpack[UploadKeywords],
    ) -> UploadResult:
        """Finish an upload of which only the id is known, whoever began it: the part size follows from what is stored, and every stored
        part is compared with `source`, a path, bytes or a seekable file. Options as in `multipart_upload`.

        Raises NoSuchUpload, ValueError (parts of sizes that no even cut gives), and what `multipart_upload` raises.
        """
        options["resume"] = self.checkpoint_of(upload, source)
        options["bucket"] = upload.bucket
        return self._new_upload(upload.name, source, options).run()

    def checkpoint_of(self, upload: UploadRef, source: SourceLike) -> Checkpoint:
        """The checkpoint of an upload whose id is known, from what the server holds and the size of `source`.

        Raises NoSuchUpload; ValueError for parts of sizes that no even cut of the source gives; TypeError for a source that cannot seek.
        """
        opened = open_source(source)
        try:
            if isinstance(opened, Stream):
                raise TypeError(
                    "the size of the source has to be known: give a path, bytes or a seekable file"
                )
            size = opened.size
            path = opened.name or None
        finally:
            opened.close()
        parts = list(wire.stored_parts(self._session, upload, self._ask))
        return Checkpoint(
            endpoint=str(self._session.endpoint),
            bucket=upload.bucket,
            name=upload.name,
            upload_id=upload.upload_id,
            part_size=_part_size_of(parts, size, self._transfers.part_size),
            file=path,
            file_size=size,
            parts=(),
        )

    def _new_upload(self, name: str, source: SourceLike, options: UploadKeywords) -> Upload:
        resume = options.get("resume", "auto")
        if isinstance(resume, Mapping):
            resume = Checkpoint.from_json(resume)
        if not isinstance(resume, Checkpoint) and resume not in ("auto", "verify", "never"):
            raise ValueError(f"resume is 'auto', 'verify', 'never' or a checkpoint, not {resume!r}")
        if isinstance(resume, Checkpoint) and resume.name != name:
            raise ValueError(f"the checkpoint is for the key {resume.name!r}, not {name!r}")
        mine, part_size, parallel = self._transfers, options.get("part_size"), options.get("parallel")
        task = Task(
            session=self._session,
            bucket=self._in(options.get("bucket")),
            name=name,
            options=UploadOptions(
                object=_object_options(options),
                part_size=mine.part_size if part_size is None else part_size,
                parallel=mine.parallel if parallel is None else parallel,
                resume=resume,
                checksum=options.get("checksum") or self._checksum,
                deadline=options.get("deadline") or self._ask.deadline,
                on_failure=options.get("on_failure", "keep"),
                progress=options.get("progress"),
                on_event=options.get("on_event"),
            ),
            store=Null() if resume == "never" else mine.journals(),
            throttle=Throttle(options.get("bandwidth"), parent=self._throttle),
            scope=Scope(parent=self._ask.scope or current_scope.get()),
        )
        return Upload(task, source, line=mine.line)


def _object_options(options: UploadKeywords) -> ObjectOptions:
    return ObjectOptions(
        headers=options.get("headers") or {},
        meta=options.get("meta") or {},
        mime=options.get("mime"),
        tags=options.get("tags") or {},
        storage_class=options.get("storage_class"),
        acl=options.get("acl"),
        forbid_overwrite=options.get("forbid_overwrite"),
        callback=options.get("callback"),
        server_side_encryption=options.get("server_side_encryption"),
        traffic_limit=options.get("traffic_limit"),
    )


def _part_size_of(parts: Sequence[Part], size: int, usual: PartSize) -> int:
    """The even part size that `parts` of a source of `size` bytes were cut with; `usual` if it may have been that. Raises ValueError
    when there is none."""
    if not parts:
        return choose_part_size(usual, size)
    last = parts[-1]
    cuts = [usual] if isinstance(usual, int) else []
    cuts.append(max(part.size for part in parts))
    if last.number > 1:  # it may be the short one at the end, and the only one there
        cuts.append((size - last.size) // (last.number - 1))
    for cut in cuts:
        if all(_fits(part, cut, size) for part in parts):
            return cut
    told = ", ".join(f"{part.number}: {part.size}" for part in parts[:5])
    raise ValueError(f"no even cut of {size} bytes gives parts like those that are stored ({told} bytes)")


def _fits(part: Part, cut: int, size: int) -> bool:
    begins = (part.number - 1) * cut
    return part.size == min(cut, size - begins) and (cut >= MIN_PART_SIZE or cut >= size)
