"""One upload as its owner holds it, and the steps it is made of."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mossaic.client.checkpoint import Checkpoint, SourceIdentity
from mossaic.client.errors import (
    CallbackFailed,
    Cancelled,
    MossaicError,
    NetworkError,
    NoSuchUpload,
    ServerError,
    SourceChanged,
    UploadAborted,
    UploadCancelled,
)
from mossaic.client.object_options import fingerprint
from mossaic.client.transfer.crew import Crew
from mossaic.client.transfer.handle import Transfer
from mossaic.client.transfer.log import is_written
from mossaic.client.upload import wire
from mossaic.client.upload.body import crc64_of
from mossaic.client.upload.engine import Pieces, Sender
from mossaic.client.upload.finish import complete, published
from mossaic.client.upload.log import Log, journal_name
from mossaic.client.upload.plan import Piece, choose_part_size, part_count, piece_of
from mossaic.client.upload.put import put
from mossaic.client.upload.resume import Begun, earlier, resume, tell_leftovers
from mossaic.client.upload.source import Stream, open_source
from mossaic.client.upload.spool import Spool
from mossaic.client.upload.streaming import StreamParts, read_first
from mossaic.client.upload.task import UploadResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from mossaic.client.transfer.crew import Feed
    from mossaic.client.upload.body import Readable
    from mossaic.client.upload.line import Line
    from mossaic.client.upload.source import Source
    from mossaic.client.upload.task import Task
    from mossaic.client.upload.wire import Part


class Upload(Transfer[UploadResult]):
    """An upload of one source to one key, made and started by `Client.start_upload`."""

    def __init__(self, task: Task, source: Any, *, line: Line) -> None:  # Any: SourceLike
        super().__init__(task)
        self._task = task
        self._given = source
        self._line = line
        self._log: Log | None = None
        self._begun: Begun | None = None
        self._identity: SourceIdentity | None = None
        self._path = ""
        self._aborting = False

    # --- what its owner sees ------------------------------------------------------------------------------------------

    @property
    def upload_id(self) -> str | None:
        """None before there is one, and for a source small enough for one PutObject."""
        return self._begun.upload_id if self._begun is not None else None

    @property
    def checkpoint(self) -> Checkpoint | None:
        """Where it stands, for another process, machine or ali-oss to go on from; None while there is no upload id."""
        begun = self._begun
        if begun is None:
            return None
        identity = self._identity
        return Checkpoint(
            endpoint=str(self._task.session.endpoint),
            bucket=self._task.bucket,
            name=self._task.name,
            upload_id=begun.upload_id,
            part_size=begun.part_size,
            file=self._path or None,
            file_size=identity.size if identity is not None else None,
            parts=tuple(begun.parts[number] for number in sorted(begun.parts.copy())),
            source=identity,
        )

    # --- orders -------------------------------------------------------------------------------------------------------

    def cancel(self) -> None:
        """Stop at once; what is stored stays and can be resumed. `result()` raises UploadCancelled with the checkpoint."""
        self._task.scope.cancel()

    def abort(self) -> None:
        """Stop at once and free what was stored. `result()` raises UploadAborted when the upload id is gone."""
        self._aborting = True
        self._task.scope.cancel()

    # --- the run ------------------------------------------------------------------------------------------------------

    def _close(self) -> None:
        if self._log is not None:
            self._log.close()

    def _do(self) -> UploadResult:
        task = self._task
        source = open_source(self._given)
        try:
            if isinstance(source, Stream):
                task.tick(now=True)
                return self._upload_stream(source)
            task.meter.begin(total=source.size, parts_total=None)
            task.tick(now=True)
            return self._upload_source(source)
        finally:
            source.close()

    def _upload_source(self, source: Source) -> UploadResult:
        task, options = self._task, self._task.options
        identity = self._identity = source.identity()
        racy, self._path = source.is_racy(identity), source.name
        if racy:  # the times would not tell of a change in this moment: a later run has to look at the bytes
            self._identity = replace(identity, ctime_ns=None)
        part_size = choose_part_size(options.part_size, source.size, goodput=self._line.goodput)
        log = self._open_log(identity, source.name, small=source.size <= part_size)
        begun = resume(task, source, identity, log) if self._resumes() else None
        if isinstance(begun, UploadResult):
            log.done()
            return begun
        if begun is None and source.size <= part_size:
            piece = Piece(number=1, offset=0, size=source.size)

            def unchanged(crc64: int) -> None:
                why = source.changed_since(identity)
                if why is None and racy and crc64 and crc64_of(source, piece) != crc64:
                    why = "it has other bytes now"
                if why is not None:
                    raise SourceChanged(
                        f"the source changed while it was sent: {why}; the object was not made"
                    )

            return self._put(source, piece, unchanged)
        if begun is None:
            begun = self._initiate(log, part_size)
        else:
            self._go_on(begun, log)
        count = part_count(begun.part_size, source.size)
        task.meter.begin(total=source.size, parts_total=count)
        task.meter.kept((part.number, part.size) for part in begun.parts.values())
        missing = (
            piece_of(number, begun.part_size, source.size)
            for number in range(1, count + 1)
            if number not in begun.parts
        )

        def guard() -> None:
            if (why := source.changed_since(identity)) is not None:
                raise SourceChanged(
                    f"the source changed while it was sent: {why}; run it again to send what differs"
                )

        self._send(begun, log, Pieces(source, missing, guard))
        self._still_the_same(source, identity, begun, racy=racy)
        return self._complete(begun, log)

    def _upload_stream(self, stream: Stream) -> UploadResult:
        task, options = self._task, self._task.options
        identity = SourceIdentity(kind="stream", size=None)
        log = self._open_log(identity, "")
        found = earlier(task, log) if self._resumes() else None
        part_size = (
            found.part_size
            if found
            else choose_part_size(options.part_size, None, goodput=self._line.goodput)
        )
        spool = Spool()
        task.meter.phase = "sending"
        more = read_first(task, stream, spool, part_size)
        stored = self._stored(found) if found else None
        if stored is None and not more:
            with_spool = Piece(number=1, offset=0, size=spool.size)
            try:
                return self._put(spool, with_spool)
            finally:
                spool.close()
        if found is None or stored is None:
            begun = self._initiate(log, part_size)
        else:
            begun = Begun(upload_id=found.upload_id, part_size=part_size, parts={})
            self._go_on(begun, log)
        self._send(
            begun,
            log,
            StreamParts(task, stream, begun, log, first=spool, ended=not more, stored=stored or {}),
        )
        return self._complete(begun, log)

    def _stored(self, found: Checkpoint) -> dict[int, Part] | None:
        """What the server holds of an earlier stream; None when that upload is gone."""
        task = self._task
        try:
            listed = wire.stored_parts(task.session, task.ref(found.upload_id), task.ask())
            stored = {part.number: part for part in listed}
        except NoSuchUpload:
            if isinstance(task.options.resume, Checkpoint):
                raise
            task.events.say(
                "discarded", upload_id=found.upload_id, reason="the upload is gone from the server"
            )
            return None
        task.events.say(
            "resumed",
            upload_id=found.upload_id,
            parts=len(stored),
            bytes=sum(p.size for p in stored.values()),
        )
        return stored

    # --- steps --------------------------------------------------------------------------------------------------------

    def _resumes(self) -> bool:
        return bool(self._task.options.resume != "never")

    def _open_log(self, identity: SourceIdentity, path: str, *, small: bool = False) -> Log:
        """A `small` source needs no journal, unless there is one."""
        task = self._task
        name = journal_name(task, identity, path)
        needless = small and not isinstance(task.options.resume, Checkpoint) and not is_written(task, name)
        self._log = Log.open(task, name) if self._resumes() and not needless else Log.none(task, name)
        return self._log

    def _initiate(self, log: Log, part_size: int) -> Begun:
        task = self._task
        begins = time.time()
        log.intent()
        try:
            reply = wire.initiate(task.session, task.bucket, task.name, task.options.object, task.ask())
        except (NetworkError, Cancelled):
            if log.broken or self._aborting:  # no later run will ask what became of it
                reason = "no answer with an upload id came"
                tell_leftovers(task, begins, reason, ask=task.outlives_cancel())
            raise
        begun = Begun(upload_id=reply.value.upload_id, part_size=part_size, parts={})
        self._go_on(begun, log)
        task.events.say("begun", upload_id=begun.upload_id)
        if reply.attempts > 1:
            tell_leftovers(task, begins, "an answer with an upload id was lost", ours=begun.upload_id)
        return begun

    def _go_on(self, begun: Begun, log: Log) -> None:
        """Write it down before anything else can go wrong."""
        self._begun = begun
        checkpoint = self.checkpoint
        assert checkpoint is not None
        log.begun(checkpoint, said=fingerprint(self._task.options.object, self._task.name))

    def _put(
        self, source: Readable, piece: Piece, before_last: Callable[[int], None] | None = None
    ) -> UploadResult:
        task = self._task
        task.meter.phase = "sending"
        task.meter.begin(total=piece.size, parts_total=1)
        task.tick(now=True)
        result = put(task, self._gate, source, piece, before_last=before_last)
        assert self._log is not None
        self._log.done()
        return replace(result, retries=task.meter.snapshot().retries)

    def _send(self, begun: Begun, log: Log, feed: Feed[tuple[Piece, Readable]]) -> None:
        task = self._task
        task.meter.phase = "sending"
        crew = Crew(task, self._gate, feed, Sender(task, self._gate, begun, log).send)
        begins, before = time.monotonic(), task.meter.wire_bytes()
        crew.run()
        self._line.saw(task.meter.wire_bytes() - before, time.monotonic() - begins, crew.parallel)

    def _still_the_same(self, source: Source, identity: SourceIdentity, begun: Begun, *, racy: bool) -> None:
        """Raises SourceChanged. A change right after the beginning may not show in the times: then the bytes are compared."""
        why = source.changed_since(identity)
        if why is None and racy and identity.kind == "file":
            for part in begun.parts.values():
                piece = Piece(number=part.number, offset=part.offset, size=part.size)
                if part.crc64 is not None and crc64_of(source, piece) != part.crc64:
                    why = f"part {part.number} has other bytes now"
                    break
        if why is not None:
            raise SourceChanged(
                f"the source changed while it was sent: {why}; run it again to send what differs"
            )

    def _complete(self, begun: Begun, log: Log) -> UploadResult:
        task = self._task
        task.scope.check()
        task.meter.phase = "completing"
        task.tick(now=True)
        result = complete(task, begun, log)
        log.done()
        seen = task.meter.snapshot()
        return replace(result, resumed_bytes=seen.resumed, retries=seen.retries)

    # --- failures -----------------------------------------------------------------------------------------------------

    def _made_after_all(self) -> UploadResult | None:
        """An abort that came after Complete had been asked for may have come too late: then the object is there, and is the result."""
        task, begun = self._task, self._begun
        if not self._aborting or task.expected is None or begun is None:
            return None
        try:
            wire.abort_for_good(task.session, task.ref(begun.upload_id), task.outlives_cancel())
            made = published(task, begun.upload_id, task.expected, task.outlives_cancel())
        except MossaicError:
            return None
        if made is not None and self._log is not None:
            self._log.done()
        return made

    def _judged(self, error: BaseException) -> BaseException:
        """What the owner is told; aborts where that was ordered."""
        gone = isinstance(error, UploadAborted | CallbackFailed)
        if gone and self._log is not None:
            self._log.done()
        cancelled = self._task.scope.cancelled and isinstance(error, Cancelled) and not gone
        if (self._aborting or (self._task.options.on_failure == "abort" and not cancelled)) and not gone:
            self._abort_on_server()
            if self._aborting:
                return UploadAborted(f"the upload of {self.name} was aborted")
        elif cancelled:
            return UploadCancelled(
                f"the upload of {self.name} was cancelled and can be resumed", self.checkpoint
            )
        if isinstance(error, MossaicError) and not gone:
            error.checkpoint = self.checkpoint
        return error

    def _abort_on_server(self) -> None:
        """Until the upload is gone: a part in flight when the first abort arrives may still be taken."""
        begun = self._begun
        if begun is None:
            return
        task = self._task
        try:
            wire.abort_for_good(task.session, task.ref(begun.upload_id), task.outlives_cancel())
        except (ServerError, NetworkError) as error:
            task.events.say(
                "leftover", upload_ids=(begun.upload_id,), reason=f"it could not be aborted: {error}"
            )
            return
        if self._log is not None:
            self._log.done()
        task.events.say("aborted", upload_id=begun.upload_id)
