"""Ctrl-C while something is watched: written down, and heeded where a transfer can be told to end."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType, TracebackType
    from typing import Self


class Interrupts:
    """Inside, the first Ctrl-C is not raised but `came`; the second is raised, for those who do not want to wait.

    A KeyboardInterrupt is lost where Python happens to be in a finalizer, and leaves a lock taken for good where it comes
    between the two halves of `with condition:`. Whoever sees that one came ends what is watched and raises; one that nobody
    has seen is raised at the exit.
    """

    def __init__(self) -> None:
        self.came = False
        self._catches = False

    def __enter__(self) -> Self:
        # Only the main thread may; and where interrupts are ignored (a background job) or somebody else's, they stay so.
        self._catches = (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        )
        if self._catches:
            signal.signal(signal.SIGINT, self._press)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._catches:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if self.came and kind is None:
            raise KeyboardInterrupt

    def _press(self, number: int, frame: FrameType | None) -> None:
        if self.came:
            signal.default_int_handler(number, frame)
        self.came = True
