"""What the rooms of an engine share about one transfer: where it goes, how it is to be done, what happened so far."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Final, Generic, Literal, TypeVar

from mossaic.client.errors import DeadlineExceeded, ServerError
from mossaic.client.exchange import Ask
from mossaic.client.transfer.events import Events
from mossaic.client.upload.progress import Meter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mossaic.client.exchange import Session
    from mossaic.client.http import Body, Scope
    from mossaic.client.options import Checksum, Retrying
    from mossaic.client.store import Store
    from mossaic.client.transfer.events import Event
    from mossaic.client.upload.plan import PartSize
    from mossaic.client.upload.progress import Progress
    from mossaic.client.upload.throttle import Throttle

Parallel = int | Literal["auto"]

_THROTTLED: Final = frozenset({429, 503})


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferOptions:
    """How a transfer is done, either way."""

    part_size: PartSize = "auto"
    parallel: Parallel = "auto"
    checksum: Checksum = "crc64"
    deadline: float | None = None
    progress: Callable[[Progress], None] | None = None
    on_event: Callable[[Event], None] | None = None
    progress_every_s: float = 0.1


Options = TypeVar("Options", bound=TransferOptions)


class TransferTask(Generic[Options]):
    """One transfer under way."""

    what: ClassVar = "transfer"

    def __init__(  # noqa: PLR0913  # what a transfer is made of
        self,
        *,
        session: Session,
        bucket: str,
        name: str,
        options: Options,
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
        self.on_throttled: Callable[[], None] | None = None  # the server asks for less
        self._next_tick = 0.0

    @property
    def parallel(self) -> Parallel:
        return self.options.parallel

    def wire_bytes(self) -> int:
        return self.meter.wire_bytes()

    def adapted(self, parallel: int) -> None:
        self.events.say("parallel", parallel=parallel)

    def tick(self, *, now: bool = False) -> None:
        """Report progress, at most every `progress_every_s`. Only the thread that runs the transfer calls this."""
        if self.options.progress is None:
            return
        moment = time.monotonic()
        if now or moment >= self._next_tick:
            self._next_tick = moment + self.options.progress_every_s
            self.options.progress(self.meter.snapshot())

    def ask(  # noqa: PLR0913  # what a request of a transfer may have
        self,
        *,
        body: Callable[[], Body] | None = None,
        headers: Mapping[str, str] | None = None,
        scope: Scope | None = None,
        part_number: int | None = None,
        settled: Callable[[], object | None] | None = None,
        in_doubt: bool = False,
    ) -> Ask:
        """How the requests of this transfer are made: cancelled with it, within its deadline, retries told. Raises DeadlineExceeded."""

        def tell(retrying: Retrying) -> None:
            error = retrying.error
            if isinstance(error, ServerError) and error.status in _THROTTLED and self.on_throttled:
                self.on_throttled()
            self.retried(retrying, part_number)

        return Ask(
            body=body,
            headers=headers or {},
            deadline=self.time_left(),
            scope=scope or self.scope,
            on_retry=tell,
            settled=settled,
            in_doubt=in_doubt,
        )

    def retried(self, retrying: Retrying, part_number: int | None) -> None:
        """Count a request that is made again, and tell of it."""
        self.meter.retried()
        self.events.say(
            "retry",
            operation=retrying.operation,
            part_number=part_number,
            attempt=retrying.attempt,
            wait_s=retrying.wait_s,
            error=retrying.error,
        )

    def time_left(self) -> float | None:
        """Seconds. Raises DeadlineExceeded."""
        if self.until is None:
            return None
        left = self.until - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded(
                f"the {self.what} of {self.name} took longer than {self.options.deadline} s"
            )
        return left

    def outlives_cancel(self, seconds: float = 30.0) -> Ask:
        """For what has to be done after a cancel or a failure: its own time, the transfer's scope does not stop it."""
        return replace(Ask(), deadline=seconds)
