"""The server's own worker threads: short work runs at once, long transfers need a lease first."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from mossaic.protocol.errors import SERVICE_UNAVAILABLE, OssError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from mossaic.gateway.http.limits import HttpLimits

T = TypeVar("T")


class Workers:
    """`leases` counts the uploads that hold a thread now, `busy` everything that runs or waits for a thread."""

    def __init__(self, limits: HttpLimits) -> None:
        self._pool = ThreadPoolExecutor(limits.max_threads, thread_name_prefix="mossaic-http")
        self._free = asyncio.Semaphore(limits.max_leases)
        self._wait_s = limits.lease_wait_s
        self.leases = 0
        self.busy = 0

    async def run(self, work: Callable[[], T], *, finish: Callable[[], None] | None = None) -> T:
        """Run `work` in a thread. `finish` is called when it ended or will never start, even if the caller of `run`
        was cancelled meanwhile: a thread cannot be stopped, so what it uses must outlive the caller."""
        try:
            future = self._pool.submit(work)
        except RuntimeError:  # the pool is closed: the server goes down
            if finish is not None:
                finish()
            raise OssError(SERVICE_UNAVAILABLE) from None
        if finish is not None:
            future.add_done_callback(lambda _: finish())
        self.busy += 1
        try:
            return await asyncio.wrap_future(future)
        finally:
            self.busy -= 1

    @asynccontextmanager
    async def lease(self) -> AsyncGenerator[None]:
        """The right to hold a thread for as long as a client sends. Raises OssError SERVICE_UNAVAILABLE."""
        try:
            await asyncio.wait_for(self._free.acquire(), self._wait_s if self._free.locked() else None)
        except TimeoutError:
            raise OssError(SERVICE_UNAVAILABLE, headers={"Retry-After": "1"}) from None
        self.leases += 1
        try:
            yield
        finally:
            self.leases -= 1
            self._free.release()

    def release(self, work: Callable[[], None]) -> None:
        """Run `work` in a thread, soon, without waiting for it: it ends what another thread may still be doing. When
        the pool is closed it runs here, because it must."""
        try:
            self._pool.submit(work)
        except RuntimeError:
            work()

    def close(self) -> None:
        """Take no more work; what is queued still runs: some of it returns descriptors."""
        self._pool.shutdown(wait=False)
