"""The server's own worker threads: short work runs at once, long transfers need a lease first."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from mossaic.protocol.errors import SERVICE_UNAVAILABLE, OssError
from mossaic.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Callable

    from mossaic.gateway.http.limits import HttpLimits

T = TypeVar("T")
# Steps of `nice` behind the event loops: where both want a core, a thread with a long body lets the small requests go first (ADR 29).
_BEHIND: Final = 3


class _Job(Generic[T]):
    """Work for a thread, whose outcome goes to a future of the loop; `finish` is called before that, whatever happens."""

    __slots__ = ("_finish", "_future", "_work")

    def __init__(
        self, work: Callable[[], T], finish: Callable[[], None] | None, future: asyncio.Future[T]
    ) -> None:
        self._work = work
        self._finish = finish
        self._future = future

    def __call__(self) -> None:
        future = self._future
        if future.cancelled():  # nobody waits, and nothing was begun
            self.give_up()
            return
        try:
            result = self._work()
        except BaseException as error:  # noqa: BLE001  # whatever it is belongs to whoever waits
            self.give_up()
            self._tell(future.set_exception, error)
        else:
            self.give_up()
            self._tell(future.set_result, result)

    def give_up(self) -> None:
        if self._finish is not None:
            self._finish()

    def _tell(self, settle: Callable[..., None], outcome: object) -> None:
        def if_awaited() -> None:
            if not future.done():  # a cancelled waiter has its answer
                settle(outcome)

        future = self._future
        with suppress(RuntimeError):  # that loop is closed: nobody waits any more
            future.get_loop().call_soon_threadsafe(if_awaited)


class Workers:
    """`leases` counts the uploads that hold a thread now, `busy` everything that runs or waits for a thread."""

    def __init__(self, limits: HttpLimits, lent: Callable[[int], None]) -> None:
        """`lent` is told `leases` when they change."""
        self._threads = Threads(limits.max_threads, name="mossaic-http", behind=_BEHIND)
        self._free = asyncio.Semaphore(limits.max_leases)
        self._wait_s = limits.lease_wait_s
        self._lent = lent
        self.leases = 0
        self.busy = 0

    async def run(self, work: Callable[[], T], *, finish: Callable[[], None] | None = None) -> T:
        """Run `work` in a thread. `finish` is called when it ended or will never start, even if the caller of `run`
        was cancelled meanwhile: a thread cannot be stopped, so what it uses must outlive the caller."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        job = _Job(work, finish, future)
        if not self._threads.take(job):  # the server goes down
            job.give_up()
            raise OssError(SERVICE_UNAVAILABLE)
        self.busy += 1
        try:
            return await future
        finally:
            self.busy -= 1

    async def borrow(self) -> None:
        """Take a lease: the right to hold a thread for as long as a client sends. Raises OssError SERVICE_UNAVAILABLE."""
        if self._free.locked():
            try:
                await asyncio.wait_for(self._free.acquire(), self._wait_s)
            except TimeoutError:
                raise OssError(SERVICE_UNAVAILABLE, headers={"Retry-After": "1"}) from None
        else:
            await self._free.acquire()  # one is free: this does not wait
        self.leases += 1
        self._lent(self.leases)

    def give_back(self) -> None:
        """End a lease that `borrow` gave."""
        self.leases -= 1
        self._lent(self.leases)
        self._free.release()

    def release(self, work: Callable[[], None]) -> None:
        """Run `work` in a thread, soon, without waiting for it: it ends what another thread may still be doing. When
        the threads are closed it runs here, because it must."""
        if not self._threads.take(work):
            work()

    def close(self) -> None:
        """Take no more work; what is queued still runs: some of it returns descriptors."""
        self._threads.close()
