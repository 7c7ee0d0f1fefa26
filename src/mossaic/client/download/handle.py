"""One download as its owner holds it, and the steps it is made of."""

from __future__ import annotations

import errno
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

from mossaic.client.download.fetch import Fetcher, Opened, head, look
from mossaic.client.download.log import DownloadLog, Earlier, journal_name
from mossaic.client.download.resume import resume
from mossaic.client.download.span import Span, whole_crc64
from mossaic.client.download.target import InOrder, PartFile, is_written_in_place, part_name
from mossaic.client.download.task import DownloadResult
from mossaic.client.errors import Cancelled, ChecksumMismatch, DownloadCancelled, MossaicError, ObjectChanged
from mossaic.client.transfer.crew import Crew
from mossaic.client.transfer.handle import Transfer
from mossaic.client.transfer.log import is_written
from mossaic.client.upload.plan import choose_part_size, part_count, piece_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mossaic.client.download.resume import Kept
    from mossaic.client.download.target import Sink, Writable
    from mossaic.client.download.task import DownloadTask
    from mossaic.client.http import Scope
    from mossaic.client.results import ObjectInfo
    from mossaic.client.upload.line import Line


class Download(Transfer[DownloadResult]):
    """A download of one object to one target, made and started by `Client.start_download`."""

    def __init__(self, task: DownloadTask, target: str | os.PathLike[str] | Writable, *, line: Line) -> None:
        super().__init__(task)
        self._task = task
        self._target = target
        self._line = line
        self._log: DownloadLog | None = None
        self._file: PartFile | None = None
        self._opened: Opened | None = None
        self._spans: list[Span] = []
        self._aborting = False

    # --- orders -------------------------------------------------------------------------------------------------------

    def cancel(self) -> None:
        """Stop at once; what has come stays and the same download goes on with it. `result()` raises DownloadCancelled."""
        self._task.scope.cancel()

    def abort(self) -> None:
        """Stop at once and remove what has come. `result()` raises DownloadCancelled."""
        self._aborting = True
        self._task.scope.cancel()

    # --- the run ------------------------------------------------------------------------------------------------------

    def _do(self) -> DownloadResult:
        self._task.tick(now=True)
        given = self._target
        if not isinstance(given, str | os.PathLike):
            return self._in_order(given)
        target = find_target(Path(given), overwrite=self._task.options.overwrite)
        if is_written_in_place(target):
            with target.open("wb", buffering=0) as file:
                return self._in_order(cast("Writable", file))
        return self._to_file(target)

    def _close(self) -> None:
        if self._opened is not None:
            self._opened.response.close()
        if self._file is not None:
            self._file.close()
        if self._log is not None:
            self._log.close()

    def _in_order(self, file: Writable) -> DownloadResult:
        """One connection, from the first byte to the last."""
        info = self._look()
        self._spans = [Span(number=1, offset=0, size=info.size, crc64=self._no_bytes())]
        self._receive_here(info, InOrder(file))
        return self._result_of(info, self._checked(info), None)

    def _to_file(self, target: Path) -> DownloadResult:
        task = self._task
        name = journal_name(task, target)
        kept = self._earlier(name, target)
        if kept is not None:
            info, file = kept[0], kept[1].file
            self._plan(info, kept[1].earlier.part_size, kept[1].spans)
        else:
            info = self._look()
            file = self._begin(name, target, info)
        if len(self._spans) == 1:
            self._receive_here(info, file)
        else:
            self._receive(info, file)
        crc64 = self._checked(info)
        task.scope.check()
        task.meter.phase = "completing"
        task.tick(now=True)
        file.publish(target, overwrite=task.options.overwrite, sync_folder=task.options.sync_folder)
        self._file = None
        if self._log is not None:
            self._log.done()
        return self._result_of(info, crc64, str(target))

    # --- steps --------------------------------------------------------------------------------------------------------

    def _earlier(self, name: str, target: Path) -> tuple[ObjectInfo, Kept] | None:
        """What an earlier attempt left; None when there is nothing to go on with."""
        task = self._task
        if task.options.resume == "never" or not is_written(task, name):
            return None
        log = self._log = DownloadLog.open(task, name)
        if log.earlier is None:
            return None
        info = head(task)
        kept = resume(task, log, info, target.parent)
        if kept is None:
            log.earlier = None
            return None
        self._file = kept.file
        log.begun(kept.earlier, kept.spans.values())
        return info, kept

    def _look(self) -> ObjectInfo:
        task = self._task
        first = choose_part_size(task.options.part_size, None, goodput=self._line.goodput)

        def attempt(_scope: Scope) -> Opened | ObjectInfo:
            return look(task, first)

        found = self._gate.through(task.scope, attempt)
        if isinstance(found, Opened):
            self._opened = found
            return found.info
        return found

    def _begin(self, name: str, target: Path, info: ObjectInfo) -> PartFile:
        """The file beside the target, written down first, so that it is found again whatever happens."""
        task, opened = self._task, self._opened
        part_size = choose_part_size(task.options.part_size, info.size, goodput=self._line.goodput)
        at_once = opened is not None and opened.response.length == info.size
        self._plan(info, max(info.size, 1) if at_once else part_size, {})
        beside = part_name(target.name)
        if not at_once and task.options.resume != "never":
            if self._log is None:
                self._log = DownloadLog.open(task, name)
            earlier = Earlier(
                part_file=beside, etag=info.etag, size=info.size, crc64=info.crc64, part_size=part_size
            )
            self._log.begun(earlier, ())
        self._file = PartFile.create(target.with_name(beside), info.size)
        return self._file

    def _plan(self, info: ObjectInfo, part_size: int, kept: dict[int, Span]) -> None:
        checked = self._task.options.checksum != "none"
        self._spans = [
            kept.get(number) or Span.of(piece_of(number, part_size, info.size), checked=checked)
            for number in range(1, part_count(part_size, info.size) + 1)
        ]
        meter = self._task.meter
        meter.begin(total=info.size, parts_total=len(self._spans))
        meter.kept((span.number, span.size) for span in kept.values() if span.is_done)
        for span in kept.values():
            if not span.is_done:
                meter.kept_some(span.number, span.done)

    def _receive_here(self, info: ObjectInfo, sink: Sink) -> None:
        """All of it in this thread."""
        task, span = self._task, self._spans[0]
        task.meter.begin(total=info.size, parts_total=1)
        task.meter.phase = "receiving"
        task.tick(now=True)
        fetcher = Fetcher(task, info, sink, opened=self._take_opened(), between=task.tick)
        if not span.is_done or not span.size:
            self._gate.through(task.scope, lambda scope: fetcher.receive(span, scope))
            self._has(span)

    def _receive(self, info: ObjectInfo, sink: Sink) -> None:
        task = self._task
        task.meter.phase = "receiving"
        task.tick(now=True)
        fetcher = Fetcher(task, info, sink, opened=self._take_opened())

        def work(span: Span) -> None:
            try:
                self._gate.through(task.scope, lambda scope: fetcher.receive(span, scope))
            except MossaicError as error:
                error.part_number = span.number
                raise
            if self._log is not None:
                self._log.received(span)
            self._has(span)

        crew = Crew(task, self._gate, _Spans([span for span in self._spans if not span.is_done]), work)
        begins, before = time.monotonic(), task.meter.wire_bytes()
        crew.run()
        self._line.saw(task.meter.wire_bytes() - before, time.monotonic() - begins, crew.parallel)

    def _take_opened(self) -> Opened | None:
        opened, self._opened = self._opened, None
        return opened

    def _has(self, span: Span) -> None:
        self._task.meter.stored(span.number, span.size)
        self._task.events.say("part", part_number=span.number, size=span.size)

    def _no_bytes(self) -> int | None:
        return None if self._task.options.checksum == "none" else 0

    def _checked(self, info: ObjectInfo) -> int | None:
        """The CRC-64 of what came. Raises ChecksumMismatch."""
        crc64 = whole_crc64(self._spans)
        if crc64 is not None and info.crc64 is not None and crc64 != info.crc64:
            raise ChecksumMismatch(
                f"the CRC-64 of the bytes received is {crc64}, that of {info.name} {info.crc64}"
                f" (request id {info.request_id})"
            )
        return crc64

    def _result_of(self, info: ObjectInfo, crc64: int | None, path: str | None) -> DownloadResult:
        self._task.events.say("completed", etag=info.etag)
        seen = self._task.meter.snapshot()
        return DownloadResult(
            bucket=info.bucket,
            name=info.name,
            path=path,
            size=info.size,
            etag=info.etag,
            crc64=crc64,
            info=info,
            version_id=info.version_id,
            parts=len(self._spans),
            resumed_bytes=seen.resumed,
            retries=seen.retries,
            request_id=info.request_id,
        )

    # --- failures -----------------------------------------------------------------------------------------------------

    def _judged(self, error: BaseException) -> BaseException:
        """What the owner is told; what is beside the target is kept where a later run can go on with it, and removed otherwise."""
        spoilt = self._aborting or isinstance(error, ObjectChanged | ChecksumMismatch | FileExistsError)
        resumable = not spoilt and self._keep()
        if not resumable:
            self._discard()
        if self._aborting:
            self._task.events.say("aborted")
        if self._task.scope.cancelled and isinstance(error, Cancelled):
            told = "can be resumed" if resumable else "nothing of it is kept"
            return DownloadCancelled(
                f"the download of {self.name} was cancelled; {told}", resumable=resumable
            )
        return error

    def _keep(self) -> bool:
        """Whether it can be resumed: bring all to the disk and write down what there is."""
        file, log = self._file, self._log
        if file is None or log is None or log.broken:
            return (
                log is not None and log.earlier is not None
            )  # it failed before it touched what was left earlier
        for span in self._spans:
            if span.done and not span.is_done:
                log.received(span)
        try:
            file.sync()
            log.closing(file.mark())
        except OSError:
            return not log.broken  # the ranges will be read again before they are trusted
        return not log.broken

    def _discard(self) -> None:
        if self._file is not None:
            self._file.discard()
        if self._log is not None:
            self._log.done()


class _Spans:
    """Those that are missing, each for one worker."""

    def __init__(self, spans: list[Span]) -> None:
        self._spans = iter(spans)
        self._lock = threading.Lock()

    def open(self) -> Iterator[Span]:
        while True:
            with self._lock:
                span = next(self._spans, None)
            if span is None:
                return
            yield span


def find_target(path: Path, *, overwrite: bool) -> Path:
    """The file that is to be written, behind symbolic links. Raises IsADirectoryError, FileExistsError, FileNotFoundError."""
    if path.is_dir():
        raise IsADirectoryError(
            errno.EISDIR, "the target is a folder; name a file, or use download_folder", str(path)
        )
    if path.exists() and not overwrite:
        raise FileExistsError(errno.EEXIST, "there is a file already", str(path))
    target = path.resolve()
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no such folder", str(target.parent))
    return target
