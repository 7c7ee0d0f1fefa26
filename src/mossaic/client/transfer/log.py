"""The writing side of a transfer's journal. One that cannot be written never stops a transfer: it goes on without, and says so once."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final, Self

from mossaic.client.store import Held, Null, StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mossaic.client.store import Journal, Store
    from mossaic.client.transfer.task import TransferTask

_SLOTS: Final = 16  # transfers between the same two ends at the same time that can each be resumed


class TransferLog:
    """The journal of one transfer. What was found in it is read when it is made."""

    def __init__(self, task: TransferTask[Any], journal: Journal) -> None:  # Any: either way
        self._task: TransferTask[Any] = task
        self._journal = journal
        self.broken = False
        self._read(journal.records())

    @classmethod
    def open(cls, task: TransferTask[Any], name: str) -> Self:  # Any: either way
        """The first journal of that name that nobody holds. Another process may be at the same work: it keeps its own."""
        try:
            for slot in _slots(task.store, name):
                try:
                    return cls(task, task.store.open(slot))
                except Held:
                    continue
        except StoreError as error:
            task.events.say("unsaved", error=error)
        return cls.none(task, name)

    @classmethod
    def none(cls, task: TransferTask[Any], name: str) -> Self:  # Any: either way
        """One that keeps nothing."""
        log = cls(task, Null().open(name))
        log.broken = True
        return log

    def _read(self, records: list[dict[str, object]]) -> None:
        """Take what an earlier run wrote."""

    def done(self) -> None:
        """Nothing is left to resume."""
        try:
            self._journal.discard()
        except (StoreError, OSError) as error:
            self._fail(error)

    def close(self) -> None:
        try:
            self._journal.close()
        except (StoreError, OSError) as error:
            self._fail(error)

    def _append(self, record: Mapping[str, object], *, durable: bool = False) -> None:
        if self.broken:
            return
        try:
            self._journal.append(record, durable=durable)
        except (StoreError, OSError) as error:
            self._fail(error)

    def _replace(self, records: Sequence[Mapping[str, object]]) -> None:
        try:
            self._journal.replace(records)
        except (StoreError, OSError) as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        if not self.broken:
            self.broken = True
            self._task.events.say("unsaved", error=error)


def is_written(task: TransferTask[Any], name: str) -> bool:  # Any: either way
    """Whether an earlier attempt may have left something; much cheaper than to open its journal."""
    try:
        return bool(task.store.peek(name))
    except StoreError:
        return True  # opening it will tell what is wrong with it


def _slots(store: Store, name: str) -> list[str]:
    """The names a transfer may have. Those that runs at the same time have left something in come first, so that it is gone on with."""
    further = [f"{name}\n{slot}" for slot in range(1, _SLOTS)]
    left = list(takewhile(store.peek, further))
    if left and not store.peek(name):
        return [*left, name, *further[len(left) :]]
    return [name, *further]


def crc64_text(crc64: int | None) -> str | None:
    """JSON readers elsewhere hold numbers of 53 bits."""
    return None if crc64 is None else str(crc64)
