"""The last upload callbacks, for those who look for what went wrong: in memory, bounded in number and bytes."""

from __future__ import annotations

import secrets
from collections import deque
from dataclasses import field
from typing import TYPE_CHECKING, Final, Protocol

from mossaic.model import callback as rules
from mossaic.protocol.limits import KIB, MIB
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from mossaic.model.callback import CallbackSpec, Target

MAX_KEPT_ANSWER: Final = 64 * KIB  # bytes of each answer
MAX_KEPT: Final = 16 * MIB  # bytes of all bodies and answers together
_OVERHEAD: Final = 4 * KIB  # bytes that a record takes besides


def new_record_id() -> str:
    return secrets.token_hex(12)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackTry:
    """One request to one receiver. `status` None: no answer came, `error` says why; it also says what was wrong with one that did.
    `headers` are those that were sent. `answer` has at most `MAX_KEPT_ANSWER` bytes."""

    target: Target
    address: str
    headers: tuple[tuple[str, str], ...]
    status: int | None
    answer: bytes
    truncated: bool
    ms: float
    error: str | None

    @property
    def signature(self) -> str:
        return dict(self.headers)["Authorization"]

    def signed_text(self, body: bytes) -> bytes:
        return rules.signed_text(self.target, body)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackRecord:
    """One callback: what it was for, what was sent, and every try in order. `ok`: the last try's answer went to the client."""

    id: str = field(default_factory=new_record_id)
    at: datetime
    bucket: str
    key: str
    upload_id: str | None
    operation: str
    spec: CallbackSpec
    body: bytes
    public_key_url: str
    tries: tuple[CallbackTry, ...]
    ok: bool
    replay_of: str | None = None

    @property
    def bytes_kept(self) -> int:
        return _OVERHEAD + len(self.body) + sum(len(each.answer) for each in self.tries)


class Journal(Protocol):
    """Memory that all processes of the service share; it keeps what a `CallbackLog` keeps, by number and bytes."""

    def append(self, record: bytes) -> None: ...

    def records(self) -> Sequence[bytes]:
        """The oldest first."""
        ...


class CallbackLog:
    """At most `capacity` records; the oldest make room. With a `journal` it is the log of all processes."""

    def __init__(self, capacity: int, journal: Journal | None = None) -> None:
        self._capacity = capacity
        self._journal = journal
        self._records: deque[CallbackRecord] = deque()
        self._bytes = 0

    def add(self, record: CallbackRecord) -> None:
        if self._journal is not None:
            import pickle  # noqa: PLC0415  # only where several processes share the log

            self._journal.append(pickle.dumps(record))
            return
        self._records.append(record)
        self._bytes += record.bytes_kept
        while self._records and (len(self._records) > self._capacity or self._bytes > MAX_KEPT):
            self._bytes -= self._records.popleft().bytes_kept

    def of(self, bucket: str) -> Iterator[CallbackRecord]:
        """Those of a bucket, the newest first."""
        return (record for record in reversed(self._all()) if record.bucket == bucket)

    def find(self, record_id: str) -> CallbackRecord | None:
        return next((record for record in self._all() if record.id == record_id), None)

    def _all(self) -> Sequence[CallbackRecord]:
        if self._journal is None:
            return self._records
        import pickle  # noqa: PLC0415  # as above

        return [pickle.loads(record) for record in self._journal.records()]  # noqa: S301  # our own processes wrote them
