"""What a process of the service is told while it runs: by signals, and by the end of its parent."""

from __future__ import annotations

import asyncio
import signal
from enum import Enum, auto

from mossaic.supervisor import RETIRE, STOP
from mossaic.terminal import Terminal


class Order(Enum):
    STOP = auto()  # finish what has begun within `http.shutdown_s`; again: now
    RETIRE = auto()  # somebody else goes on: finish what has begun
    REFRESH = auto()  # read files anew
    FAIL = auto()  # let somebody else take the place, soon


class Orders:
    """In the order they came. Made on the event loop; from then on signals do not end the process by themselves."""

    def __init__(self, lifeline: int | None = None) -> None:
        """`lifeline`: of a worker, see `mossaic.supervisor.Post`; None for a process of its own."""
        self._loop = asyncio.get_running_loop()
        self._orders: asyncio.Queue[Order] = asyncio.Queue()
        self._lifeline = lifeline
        self._terminal = Terminal()
        if lifeline is None:
            for number in (signal.SIGTERM, signal.SIGINT):
                self._loop.add_signal_handler(number, self.give, Order.STOP)
            self._loop.add_signal_handler(signal.SIGHUP, self._hang_up)
        else:
            self._loop.add_signal_handler(STOP, self.give, Order.STOP)
            self._loop.add_signal_handler(RETIRE, self.give, Order.RETIRE)
            self._loop.add_reader(lifeline, self._orphaned)

    async def next(self) -> Order:
        return await self._orders.get()

    def give(self, order: Order) -> None:
        self._orders.put_nowait(order)

    def _hang_up(self) -> None:
        self.give(Order.STOP if self._terminal.went_away() else Order.REFRESH)

    def _orphaned(self) -> None:
        assert self._lifeline is not None
        self._loop.remove_reader(self._lifeline)
        self.give(Order.STOP)
