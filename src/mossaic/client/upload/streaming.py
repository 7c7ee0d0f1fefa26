"""The parts of a stream: whoever is free reads the next one into its spool; what an earlier attempt stored is proven and not sent."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from mossaic.client.checkpoint import PartRecord
from mossaic.client.upload.plan import Piece, stream_offset, stream_part_size
from mossaic.client.upload.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mossaic.client.upload.body import Readable
    from mossaic.client.upload.log import Log
    from mossaic.client.upload.resume import Begun
    from mossaic.client.upload.source import Stream
    from mossaic.client.upload.task import Task
    from mossaic.client.upload.wire import Part

_LOOK_S: Final = 0.1


def read_first(task: Task, stream: Stream, spool: Spool, size: int) -> bool:
    """Fill `spool` with part 1; whether more may follow. The source is read in a thread of its own, because nothing can end a read that
    hangs, and a cancel or a deadline must not wait for it. Raises what the source raises."""
    told: list[bool] = []
    failed: list[BaseException] = []
    over = threading.Event()

    def fill() -> None:
        try:
            told.append(spool.fill(stream, size, task.scope))
        except BaseException as error:  # noqa: BLE001  # raised again below
            failed.append(error)
        finally:
            over.set()

    threading.Thread(target=fill, name="mossaic-source", daemon=True).start()
    while not over.wait(_LOOK_S):
        task.tick()
        task.scope.check()
        task.time_left()
    if failed:
        raise failed[0]
    return told[0]


class StreamParts:
    """`first` holds part 1 already, `ended` says that nothing follows it; `stored` are the parts of an earlier attempt."""

    def __init__(  # noqa: PLR0913  # what a stream's parts depend on
        self,
        task: Task,
        stream: Stream,
        begun: Begun,
        log: Log,
        *,
        first: Spool,
        ended: bool,
        stored: dict[int, Part],
    ) -> None:
        self._task = task
        self._stream = stream
        self._begun = begun
        self._log = log
        self._stored = stored
        self._lock = threading.Lock()
        self._first: Spool | None = first
        self._ended = ended
        self._next = 2

    def open(self) -> Iterator[tuple[Piece, Readable]]:
        spool = self._take_first()
        piece = None
        if spool is None:
            spool = Spool()
        else:
            piece = Piece(number=1, offset=0, size=spool.size)
            if self._ended:
                self._task.meter.ends(total=piece.stop, parts_total=1)
        try:
            while piece is not None or (piece := self._read(spool)) is not None:
                if not self._is_stored(piece, spool):
                    yield piece, spool
                piece = None
        finally:
            spool.close()

    def _take_first(self) -> Spool | None:
        with self._lock:
            first, self._first = self._first, None
            return first

    def _read(self, spool: Spool) -> Piece | None:
        """The next part, read into `spool`; None at the end."""
        with self._lock:
            if self._ended:
                return None
            number, first_size = self._next, self._begun.part_size
            self._ended = not spool.fill(self._stream, stream_part_size(number, first_size), self._task.scope)
            piece = Piece(number=number, offset=stream_offset(number, first_size), size=spool.size)
            self._next += 1
            if self._ended:
                last = number if piece.size else number - 1
                self._task.meter.ends(total=piece.stop, parts_total=last)
            return piece if piece.size else None

    def _is_stored(self, piece: Piece, spool: Spool) -> bool:
        part = self._stored.get(piece.number)
        if part is None or part.size != piece.size:
            return False
        if part.crc64 is None or part.crc64 != spool.crc64:
            self._task.events.say("unverified", part_number=piece.number)
            return False
        record = PartRecord(
            number=piece.number, offset=piece.offset, size=piece.size, etag=part.etag, crc64=part.crc64
        )
        self._begun.parts[piece.number] = record
        self._log.part(record)
        self._task.meter.kept([(piece.number, piece.size)])
        return True
