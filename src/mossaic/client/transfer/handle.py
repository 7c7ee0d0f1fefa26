"""A transfer as its owner holds it: start it, watch it, pause, go on, cancel, and take its result."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from mossaic.client.transfer.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mossaic.client.transfer.events import Event
    from mossaic.client.transfer.task import TransferTask
    from mossaic.client.upload.progress import Progress

Result = TypeVar("Result")


class Transfer(ABC, Generic[Result]):
    """An upload or a download of one object. Methods may be called from any thread.

    `result()` waits for the end; the other methods do not wait for more than a moment. What happens to one transfer never touches
    another.
    """

    def __init__(self, task: TransferTask[Any]) -> None:  # Any: its subclasses know which
        self._transfer = task
        self._gate = Gate()
        self._ended = threading.Event()
        self._result: Result | None = None
        self._error: BaseException | None = None

    # --- what its owner sees ------------------------------------------------------------------------------------------

    @property
    def bucket(self) -> str:
        return self._transfer.bucket

    @property
    def name(self) -> str:
        """The object's key."""
        return self._transfer.name

    @property
    def progress(self) -> Progress:
        """As it is now."""
        return self._transfer.meter.snapshot()

    @property
    def part_map(self) -> dict[int, float]:
        """Part number → bytes moved so far of parts under way, -1 for those that are done. Parts that were not begun are not in it."""
        return self._transfer.meter.part_map()

    def events(self) -> Iterator[Event]:
        """What happened and happens, from the beginning; ends when the transfer does."""
        return iter(self._transfer.events)

    def done(self) -> bool:
        return self._ended.is_set()

    def result(self, timeout: float | None = None) -> Result:
        """Wait for the end, `timeout` seconds at most.

        Raises TimeoutError (it is still running), and what the call that does the same and waits raises.
        """
        if not self._ended.wait(timeout):
            task = self._transfer
            raise TimeoutError(f"the {task.what} of {task.name} is still running after {timeout} s")
        if self._error is not None:
            raise self._error
        assert self._result is not None
        return self._result

    # --- orders -------------------------------------------------------------------------------------------------------

    def pause(self) -> None:
        """Stop moving bytes until `resume()`. Parts under way are cut; those that are done stay."""
        if not self.done() and self._gate.pause():
            self._transfer.events.say("paused")

    def resume(self) -> None:
        """Go on after `pause()`."""
        if self._gate.go_on():
            self._transfer.events.say("continued")

    def cancel(self) -> None:
        """Stop at once; what is done stays and can be resumed. `result()` raises a Cancelled."""
        self._transfer.scope.cancel()

    def set_bandwidth(self, limit: float | None) -> None:
        """Bytes a second from now on, None for no limit. Raises ValueError for a limit that is not above zero."""
        self._transfer.throttle.set(limit)

    def when_throttled(self, tell: Callable[[], None]) -> None:
        """`tell` is called whenever the service asks for less. To be set before it runs."""
        self._transfer.on_throttled = tell

    def check(self) -> None:
        """For what the transfer waits for. Raises Cancelled, DeadlineExceeded."""
        self._transfer.scope.check()
        self._transfer.time_left()

    # --- the run ------------------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Run in a thread of its own."""

        def run() -> None:
            try:
                self.run()
            except BaseException as error:  # noqa: BLE001  # result() raises it
                if self._error is None:
                    self._error = error
            finally:
                self._ended.set()

        name = f"mossaic-{self._transfer.what}-{self.name[:40]}"
        threading.Thread(target=run, name=name, daemon=True).start()
        return self

    def run(self) -> Result:
        """Do it in this thread. Raises as the call that does the same and waits."""
        try:
            self._result = result = self._do()
            self._transfer.meter.phase = "done"
            self._transfer.tick(now=True)
        except BaseException as error:
            made = self._made_after_all()
            if made is not None:
                self._result = made
                return made
            self._error = self._judged(error)
            if self._error is error:
                raise
            raise self._error from error
        else:
            return result
        finally:
            self._close()
            self._transfer.events.close()
            self._ended.set()

    @abstractmethod
    def _do(self) -> Result:
        """The work."""

    def _made_after_all(self) -> Result | None:
        """The result, where an order to stop came too late."""
        return None

    @abstractmethod
    def _judged(self, error: BaseException) -> BaseException:
        """What the owner is told instead; cleans up where that was ordered."""

    @abstractmethod
    def _close(self) -> None:
        """Let go of what is held, at the end in any case."""
