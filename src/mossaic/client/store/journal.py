"""What a journal and a store promise, and what all journals have in common: who writes when, and who waits for the disk."""

from __future__ import annotations

import json
import os
import threading
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final, Protocol

from mossaic.client.errors import MossaicError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SYNC_EVERY_S: Final = 1.0


class StoreError(MossaicError):
    """A journal could not be read or written: a full disk, a read-only directory, a damaged database, a closed journal.

    After it the journal still holds what was written durably before; the refused record may or may not be kept.
    """


class Held(MossaicError):
    """Somebody else has this journal open. `pid` is the process, None when that is not known or it runs on another host.

    No StoreError on purpose: who falls back to memory on a broken disk must not do so beside a running upload.
    """

    def __init__(self, name: str, pid: int | None = None) -> None:
        who = f"process {pid}" if pid is not None else "another process"
        super().__init__(f"the journal {name!r} is in use by {who}")
        self.name = name
        self.pid = pid

    def __reduce__(self) -> tuple[type[Held], tuple[str, int | None]]:
        return type(self), (self.name, self.pid)


class Journal(Protocol):
    """The log of one transfer, held exclusively while open. All methods are thread-safe."""

    def records(self) -> list[dict[str, object]]:
        """What was written so far, in order; what a crash tore is left out."""
        ...

    def append(self, record: Mapping[str, object], *, durable: bool = False) -> None:
        """Write one JSON object. `durable`: it is on the disk on return; otherwise it survives the end of this process from now
        on, and is brought to the disk at most a second after the last time, by whoever appends then, or by `close`.

        Raises StoreError, and TypeError or ValueError for what JSON cannot hold.
        """
        ...

    def replace(self, records: Sequence[Mapping[str, object]]) -> None:
        """Put these records in the place of all others, atomically and durably. Raises StoreError: the old ones stay."""
        ...

    def discard(self) -> None:
        """The work is done: remove everything and close."""
        ...

    def close(self) -> None:
        """Bring what is written to the disk, and let go. May be called again. Raises StoreError, but is closed then, too."""
        ...


class Store(Protocol):
    """Journals by name. A name is any text."""

    def open(self, name: str) -> Journal:
        """Hold the journal of that name, made if it is new. Never waits for who holds it. Raises Held, StoreError."""
        ...

    def names(self) -> Iterator[str]:
        """The names that have records, in no order; those that are in use as well. Raises StoreError."""
        ...

    def peek(self, name: str) -> list[dict[str, object]]:
        """Read without holding; [] when there is nothing. Raises StoreError."""
        ...


def encode(record: Mapping[str, object]) -> bytes:
    """A record as ASCII JSON on one line. Raises TypeError, ValueError."""
    return json.dumps(dict(record), separators=(",", ":"), allow_nan=False).encode("ascii")


def decode(body: bytes) -> dict[str, object]:
    """What `encode` made. Raises ValueError for anything but a JSON object."""
    record: Any = json.loads(body)  # Any: as JSON is
    if not isinstance(record, dict):
        raise ValueError("a record is a JSON object")  # noqa: TRY004  # the value of a text is wrong
    return record  # pyright: ignore[reportUnknownVariableType]  # keys of JSON objects are texts


class Log(ABC):
    """A journal over something that can write and sync.

    Two locks, always taken in this order: `_syncing` is held for as long as the disk takes, `_writing` only for moments, so that
    a sync does not keep other threads from appending. One sync settles all records that were written before it began.
    """

    def __init__(self, name: str, *, sync_every_s: float = SYNC_EVERY_S) -> None:
        self.name = name
        self._syncing = threading.RLock()
        self._writing = threading.RLock()
        self._sync_every_s = sync_every_s
        self._sync_at = time.monotonic() + sync_every_s
        self._written = 0
        self._settled = 0
        self._closed = False
        self._process = os.getpid()

    def records(self) -> list[dict[str, object]]:
        self._check_process()
        with self._writing:
            self._check_open()
            bodies = self._read()
        return [decode(body) for body in bodies]

    def append(self, record: Mapping[str, object], *, durable: bool = False) -> None:
        body = encode(record)
        self._check_process()
        with self._writing:
            self._check_open()
            self._write(body)
            self._written += 1
            mine = self._written
        if durable:
            with self._syncing:
                self._settle(mine)
        elif time.monotonic() >= self._sync_at and self._syncing.acquire(blocking=False):
            try:
                self._settle(mine)
            finally:
                self._syncing.release()

    def replace(self, records: Sequence[Mapping[str, object]]) -> None:
        bodies = [encode(record) for record in records]
        self._check_process()
        with self._syncing, self._writing:
            self._check_open()
            self._rewrite(bodies)
            self._settled = self._written

    def discard(self) -> None:
        self._check_process()
        with self._syncing, self._writing:
            self._check_open()
            self._closed = True
            try:
                self._remove()
            finally:
                self._release()

    def close(self) -> None:
        if self._process != os.getpid():
            return  # a fork's copy must neither write nor let go of what its parent holds
        with self._syncing, self._writing:
            if self._closed:
                return
            self._closed = True
            try:
                if self._settled < self._written:
                    self._sync()
                    self._settled = self._written
            finally:
                self._release()

    def _settle(self, mine: int) -> None:
        """Sync unless somebody has done so since record `mine`. `_syncing` is held."""
        if self._settled >= mine:
            return
        with self._writing:
            self._check_open()
            written = self._written
        self._sync_at = (
            time.monotonic() + self._sync_every_s
        )  # first, so that a broken disk is asked once a second, too
        self._sync()
        self._settled = written

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError(f"the journal {self.name!r} is closed")

    def _check_process(self) -> None:
        """Before any lock: in a fork's copy it may be held by a thread that is not there."""
        if self._process != os.getpid():
            raise StoreError(f"the journal {self.name!r} was opened before this process was forked")

    @abstractmethod
    def _read(self) -> list[bytes]:
        """All bodies. `_writing` is held, as in the next three."""

    @abstractmethod
    def _write(self, body: bytes) -> None: ...

    @abstractmethod
    def _rewrite(self, bodies: Sequence[bytes]) -> None: ...

    @abstractmethod
    def _remove(self) -> None: ...

    @abstractmethod
    def _sync(self) -> None:
        """Bring everything written to the disk. Only `_syncing` is sure to be held."""

    @abstractmethod
    def _release(self) -> None:
        """Let go, whatever state things are in."""
