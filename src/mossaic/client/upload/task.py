"""What the rooms of the engine share about one upload: where it goes, what it is made of, how it is to be done, what happened."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from mossaic.client.errors import DeadlineExceeded, ServerError
from mossaic.client.exchange import Ask
from mossaic.client.object_options import ObjectOptions
from mossaic.client.upload.progress import Meter
from mossaic.client.upload.wire import UploadRef

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mossaic.client.checkpoint import Checkpoint
    from mossaic.client.exchange import Session
    from mossaic.client.http import Body, Scope
    from mossaic.client.options import Checksum, Retrying
    from mossaic.client.store import Store
    from mossaic.client.upload.finish import Expected
    from mossaic.client.upload.plan import PartSize
    from mossaic.client.upload.progress import Progress
    from mossaic.client.upload.throttle import Throttle

Parallel = int | Literal["auto"]
EventKind = Literal[
    "begun",  # an upload id was given (upload_id)
    "resumed",  # an earlier attempt goes on (upload_id, parts, bytes)
    "discarded",  # an earlier attempt could not be used and was aborted or is gone (upload_id, reason)
    "leftover",  # upload ids that may be left on the server and are not aborted, because they may be somebody's (upload_ids, reason)
    "unverified",  # a kept part did not match the source and is sent again (part_number)
    "part",  # a part is stored (part_number, size)
    "retry",  # a request is made again (operation, part_number, attempt, wait_s, error)
    "parallel",  # the number of parts under way changed (parallel)
    "unsaved",  # the journal cannot be written: a crash would lose what was sent (error)
    "paused",
    "continued",
    "resolved",  # the answer to Complete was lost; the object is there and is ours (upload_id)
    "completed",  # (upload_id, etag)
    "aborted",  # (upload_id)
]

_MAX_EVENTS: Final = 10_000
_THROTTLED: Final = frozenset({429, 503})


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened in an upload; `about` has the values that its kind names."""

    kind: EventKind
    at: float
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])  # Any: numbers, texts and errors


class Events:
    """The events of one upload: a callback hears each at once; iterators get those since the beginning (the last 10,000)."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadOptions:
    """How an upload is done; the defaults are the client's. See `Client.multipart_upload` for their meaning."""

    object: ObjectOptions = field(default_factory=ObjectOptions)
    part_size: PartSize = "auto"
    parallel: Parallel = "auto"
    resume: Literal["auto", "verify", "never"] | Checkpoint = "auto"
    checksum: Checksum = "crc64"
    deadline: float | None = None
    on_failure: Literal["keep", "abort"] = "keep"
    progress: Callable[[Progress], None] | None = None
    on_event: Callable[[Event], None] | None = None
    progress_every_s: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadResult:
    """A stored object. `upload_id` is None when it was small enough for one PutObject; `parts` counts parts. `size` and `parts` are
    None where a single Complete does not know them.

    `resumed_bytes` were stored by an earlier attempt and not sent again. `callback` is the JSON text (or whatever it was) that the
    callback's receiver answered. `etag` is bare, `crc64` an int.
    """

    bucket: str
    name: str
    etag: str
    crc64: int | None
    size: int | None
    version_id: str | None = None
    upload_id: str | None = None
    parts: int | None = 1
    resumed_bytes: int = 0
    retries: int = 0
    callback: bytes | None = None
    request_id: str = ""


class Task:
    """One upload under way."""

    def __init__(  # noqa: PLR0913  # what an upload is made of
        self,
        *,
        session: Session,
        bucket: str,
        name: str,
        options: UploadOptions,
        store: Store,
        throttle: Throttle,
        scope: Scope,
    ) -> None:
        self.session = session
        self.bucket = bucket
        self.name = name
        self.options = options
        self.store = store
        self.throttle = throttle
        self.scope = scope
        self.meter = Meter()
        self.events = Events(options.on_event)
        self.until = None if options.deadline is None else time.monotonic() + options.deadline
        self.expected: Expected | None = None  # once Complete is asked for
        self.on_throttled: Callable[[], None] | None = None  # the server asks for less
        self._next_tick = 0.0

    def ref(self, upload_id: str) -> UploadRef:
        return UploadRef(bucket=self.bucket, name=self.name, upload_id=upload_id)

    def tick(self, *, now: bool = False) -> None:
        """Report progress, at most every `progress_every_s`. Only the thread that runs the upload calls this."""
        if self.options.progress is None:
            return
        moment = time.monotonic()
        if now or moment >= self._next_tick:
            self._next_tick = moment + self.options.progress_every_s
            self.options.progress(self.meter.snapshot())

    def ask(
        self,
        *,
        body: Callable[[], Body] | None = None,
        headers: Mapping[str, str] | None = None,
        scope: Scope | None = None,
        part_number: int | None = None,
    ) -> Ask:
        """How the requests of this upload are made: cancelled with it, within its deadline, retries told. Raises DeadlineExceeded."""

        def tell(retrying: Retrying) -> None:
            self.meter.retried()
            if (
                isinstance(retrying.error, ServerError)
                and retrying.error.status in _THROTTLED
                and self.on_throttled
            ):
                self.on_throttled()
            self.events.say(
                "retry",
                operation=retrying.operation,
                part_number=part_number,
                attempt=retrying.attempt,
                wait_s=retrying.wait_s,
                error=retrying.error,
            )

        return Ask(
            body=body,
            headers=headers or {},
            deadline=self.time_left(),
            scope=scope or self.scope,
            on_retry=tell,
        )

    def time_left(self) -> float | None:
        """Seconds. Raises DeadlineExceeded."""
        if self.until is None:
            return None
        left = self.until - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded(f"the upload of {self.name} took longer than {self.options.deadline} s")
        return left

    def outlives_cancel(self, seconds: float = 30.0) -> Ask:
        """For what has to be done after a cancel or a failure: its own time, the upload's scope does not stop it."""
        return replace(Ask(), deadline=seconds)
