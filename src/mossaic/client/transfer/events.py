"""What happens in a transfer, told as it happens."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

EventKind = Literal[
    "begun",  # an upload id was given (upload_id)
    "resumed",  # an earlier attempt goes on (parts, bytes; upload_id of an upload)
    "discarded",  # an earlier attempt could not be used and was aborted or is gone (reason; upload_id of an upload)
    "leftover",  # upload ids that may be left on the server and are not aborted, because they may be somebody's (upload_ids, reason)
    "unverified",  # a kept part is not what it should be and is moved again (part_number)
    "part",  # a part is stored, or a range received (part_number, size)
    "retry",  # a request is made again (operation, part_number, attempt, wait_s, error)
    "parallel",  # the number of parts under way changed (parallel)
    "unsaved",  # the journal cannot be written: a crash would lose what was done (error)
    "paused",
    "continued",
    "resolved",  # the answer to Complete was lost; the object is there and is ours (upload_id)
    "completed",  # (etag; upload_id of an upload)
    "aborted",  # (upload_id of an upload)
]

_MAX_EVENTS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened in a transfer; `about` has the values that its kind names."""

    kind: EventKind
    at: float
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])  # Any: numbers, texts and errors


class Events:
    """The events of one transfer: a callback hears each at once; iterators get those since the beginning (the last 10,000)."""

    def __init__(self, hear: Callable[[Event], None] | None) -> None:
        self._hear = hear
        self._news = threading.Condition()
        self._kept: deque[Event] = deque(maxlen=_MAX_EVENTS)
        self._count = 0
        self._closed = False

    def say(self, kind: EventKind, **about: Any) -> None:  # Any: as in Event
        event = Event(kind=kind, at=time.time(), about=about)
        with self._news:
            self._kept.append(event)
            self._count += 1
            self._news.notify_all()
        if self._hear is not None:
            self._hear(event)

    def close(self) -> None:
        with self._news:
            self._closed = True
            self._news.notify_all()

    def __iter__(self) -> Iterator[Event]:
        seen = 0
        while True:
            with self._news:
                while self._count == seen:
                    if self._closed:
                        return
                    self._news.wait()
                fresh = list(self._kept)[-(self._count - seen) :]
                seen = self._count
            yield from fresh
