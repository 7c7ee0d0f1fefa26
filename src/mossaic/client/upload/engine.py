"""Sending parts: what a worker does with each, and where the parts of a source that can be read anywhere come from."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from mossaic.client.errors import ChecksumMismatch, MossaicError, NoSuchUpload, UploadAborted
from mossaic.client.exchange import pause
from mossaic.client.upload.part import send_part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mossaic.client.checkpoint import PartRecord
    from mossaic.client.http import Scope
    from mossaic.client.transfer.gate import Gate
    from mossaic.client.upload.body import PartBody, Readable
    from mossaic.client.upload.log import Log
    from mossaic.client.upload.plan import Piece
    from mossaic.client.upload.resume import Begun
    from mossaic.client.upload.task import Task


class Sender:
    """Sends parts to the upload `begun` and notes them down. Any number of threads."""

    def __init__(self, task: Task, gate: Gate, begun: Begun, log: Log) -> None:
        self._task = task
        self._gate = gate
        self._begun = begun
        self._log = log

    def send(self, taken: tuple[Piece, Readable]) -> None:
        """Until it is stored, through pauses and bytes that were damaged on the way. An error has `part_number`.

        Raises UploadAborted, ChecksumMismatch and what `Session.do` raises.
        """
        piece, source = taken
        try:
            record = self._sent(piece, source)
        except NoSuchUpload as error:
            raise UploadAborted(
                f"the upload {self._begun.upload_id} was aborted or completed elsewhere"
            ) from error
        except MossaicError as error:
            error.part_number = piece.number
            raise
        self._begun.parts[piece.number] = record
        self._log.part(record)
        self._task.meter.stored(piece.number, piece.size)
        self._task.events.say("part", part_number=piece.number, size=piece.size)

    def _sent(self, piece: Piece, source: Readable) -> PartRecord:
        task, damaged = self._task, 0
        tried: list[PartBody] = []

        def attempt(scope: Scope) -> PartRecord:
            return send_part(task, self._begun.upload_id, piece, source, scope, tried=tried)

        while True:
            try:
                return self._gate.through(task.scope, attempt)
            except ChecksumMismatch:
                tried.clear()
                damaged += 1
                if damaged >= task.session.retry.attempts:
                    raise
                task.meter.retried()
                pause(task.session.retry.base, task.scope)


class Pieces:
    """The parts of a source that can be read anywhere: those that are missing, in order. `guard` raises when the source changed."""

    def __init__(self, source: Readable, pieces: Iterator[Piece], guard: Callable[[], Any]) -> None:
        self._source = source
        self._pieces = pieces
        self._guard = guard
        self._lock = threading.Lock()

    def open(self) -> Iterator[tuple[Piece, Readable]]:
        while True:
            with self._lock:
                piece = next(self._pieces, None)
            if piece is None:
                return
            self._guard()
            yield piece, self._source
