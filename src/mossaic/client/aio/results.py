"""What calls give where that is more than a value: listings, open objects, uploads under way; each as asyncio wants it."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

from mossaic.client.download.task import DownloadResult
from mossaic.client.paging import Paged
from mossaic.client.upload.task import UploadResult

if TYPE_CHECKING:
    from types import TracebackType

    from mossaic.client.aio.work import Work
    from mossaic.client.checkpoint import Checkpoint
    from mossaic.client.download.handle import Download
    from mossaic.client.folder.batch import Batch
    from mossaic.client.folder.entry import BatchProgress, BatchResult, Entry
    from mossaic.client.reading import GetResult
    from mossaic.client.results import ObjectInfo
    from mossaic.client.transfer.events import Event
    from mossaic.client.transfer.handle import Transfer
    from mossaic.client.upload.handle import Upload
    from mossaic.client.upload.progress import Progress
    from mossaic.client.writer import ObjectWriter

R = TypeVar("R")
T = TypeVar("T")

_PIECE: Final = 1 << 20  # bytes; a change of threads for less would show
_ENTRIES: Final = 32  # as above


class AsyncPaged(AsyncIterator[T]):
    """Entries one by one; the next page is asked for, in a thread, when the last one is used up."""

    def __init__(self, work: Work, entries: Iterator[T]) -> None:
        self._work = work
        self._entries = entries
        self._ready: deque[T] = deque()

    async def __anext__(self) -> T:
        if not self._ready:
            self._ready.extend(await self._work.run(self._fetch))
        if not self._ready:
            raise StopAsyncIteration
        return self._ready.popleft()

    async def next_page(self) -> list[T]:
        """What is left of the page at hand, else the next one; nothing at the end."""
        page = list(self._ready) or await self._work.run(self._fetch)
        self._ready.clear()
        return page

    def _fetch(self) -> list[T]:
        if isinstance(self._entries, Paged):
            return self._entries.next_page()
        return [entry for _, entry in zip(range(1), self._entries, strict=False)]


class Opening(Awaitable["AsyncGetResult"]):
    """An object about to be opened: await it, or use it in an `async with`."""

    def __init__(self, work: Work, step: Callable[[], GetResult]) -> None:
        self._work = work
        self._step = step
        self._opened: AsyncGetResult | None = None

    def __await__(self) -> Generator[Any, Any, AsyncGetResult]:  # Any: of every coroutine
        return self._open().__await__()

    async def _open(self) -> AsyncGetResult:
        return AsyncGetResult(self._work, await self._work.run(self._step))

    async def __aenter__(self) -> AsyncGetResult:
        self._opened = await self._open()
        return self._opened

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._opened is not None:
            await self._opened.close()


class AsyncGetResult:
    """An open object; see `GetResult`, whose methods these are. A read that is cancelled ends it: nothing can be read afterwards."""

    def __init__(self, work: Work, opened: GetResult) -> None:
        self._work = work
        self._opened = opened

    @property
    def info(self) -> ObjectInfo:
        return self._opened.info

    @property
    def range(self) -> tuple[int, int | None]:
        return self._opened.range

    @property
    def length(self) -> int | None:
        return self._opened.length

    async def read(self, size: int = -1) -> bytes:
        """Raises as `GetResult.read`."""
        return await self._work.run(lambda: self._opened.read(size))

    async def readinto(self, buffer: bytearray | memoryview) -> int:
        """Raises as `GetResult.read`."""
        return await self._work.run(lambda: self._opened.readinto(buffer))

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Pieces of at most 1 MiB. Raises as `GetResult.read`."""
        while piece := await self.read(_PIECE):
            yield piece

    async def close(self) -> None:
        """Never raises."""
        self._opened.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class AsyncTransfer(Generic[R]):
    """An upload or a download under way; see `Transfer`, whose methods these are. Orders do not wait, so they are not awaited."""

    def __init__(self, work: Work, transfer: Transfer[R]) -> None:
        self._work = work
        self._transfer = transfer

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
        return self._transfer.progress

    @property
    def part_map(self) -> dict[int, float]:
        return self._transfer.part_map

    def pause(self) -> None:
        self._transfer.pause()

    def resume(self) -> None:
        self._transfer.resume()

    def cancel(self) -> None:
        self._transfer.cancel()
        self._work.cancel()  # a thread may be waiting for the next chunk of an asynchronous source

    def set_bandwidth(self, limit: float | None) -> None:
        """Raises ValueError for a limit that is not above zero."""
        self._transfer.set_bandwidth(limit)

    def done(self) -> bool:
        return self._transfer.done()

    async def result(self) -> R:
        """Wait for the end. The transfer goes on when the task that waits is cancelled: `cancel()` is what stops it.

        Raises what the call that does the same and waits raises.
        """
        return await _in_own_thread(self._transfer.result)

    async def events(self) -> AsyncIterator[Event]:
        """What happened and happens, from the beginning; ends when the transfer does."""
        events = self._transfer.events()
        while (event := await _in_own_thread(lambda: next(events, None))) is not None:
            yield event


class AsyncUpload(AsyncTransfer[UploadResult]):
    """An upload under way; see `Upload`."""

    def __init__(self, work: Work, upload: Upload) -> None:
        super().__init__(work, upload)
        self._upload = upload

    @property
    def upload_id(self) -> str | None:
        return self._upload.upload_id

    @property
    def checkpoint(self) -> Checkpoint | None:
        return self._upload.checkpoint

    def abort(self) -> None:
        self._upload.abort()
        self._work.cancel()


class AsyncDownload(AsyncTransfer[DownloadResult]):
    """A download under way; see `Download`."""

    def __init__(self, work: Work, download: Download) -> None:
        super().__init__(work, download)
        self._download = download

    def abort(self) -> None:
        self._download.abort()


class AsyncBatch:
    """The transfer of a folder; see `Batch`. `async for` goes over what would be done, `await run()` does it, once."""

    def __init__(self, work: Work, batch: Batch) -> None:
        self._work = work
        self._batch = batch

    @property
    def progress(self) -> BatchProgress:
        """As it is now."""
        return self._batch.progress

    async def __aiter__(self) -> AsyncIterator[Entry]:
        """In the order of keys, as it is found out; nothing is changed. Raises as `run`."""
        entries = iter(self._batch)
        try:
            while some := await self._work.run(lambda: list(islice(entries, _ENTRIES))):
                for entry in some:
                    yield entry
        finally:
            if isinstance(entries, Generator):
                await _in_own_thread(entries.close)

    async def run(self) -> BatchResult:
        """Do it, and wait for the end. Raises what `Batch.run` raises."""
        return await self._work.run(self._batch.run)

    def pause(self) -> None:
        self._batch.pause()

    def resume(self) -> None:
        self._batch.resume()

    def cancel(self) -> None:
        self._batch.cancel()

    def set_bandwidth(self, limit: float | None) -> None:
        """Raises ValueError for a limit that is not above zero."""
        self._batch.set_bandwidth(limit)


class AsyncWriter:
    """An object as a file to write to; see `ObjectWriter`, whose methods these are. Best in an `async with`.

    A write that is cancelled ends it: no object is made, and what was stored stays for a later run.
    """

    def __init__(self, work: Work, writer: ObjectWriter) -> None:
        self._work = work
        self._writer = writer
        self.upload = AsyncUpload(work, writer.upload)

    @property
    def name(self) -> str:
        """The object's key."""
        return self._writer.name

    @property
    def result(self) -> UploadResult | None:
        """Of the object, once it is made."""
        return self._writer.result

    def tell(self) -> int:
        """Bytes written so far."""
        return self._writer.tell()

    async def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Take all of `data`; waits while the upload is behind. Raises as `ObjectWriter.write`."""
        return await self._work.run(lambda: self._writer.write(data))

    async def flush(self) -> None:
        """Hand on what was gathered from small writes. Raises as `write`."""
        await self._work.run(self._writer.flush)

    async def close(self) -> None:
        """Make the object, and wait until it is there. Raises as `write`; the second time it does nothing."""
        await self._work.run(self._writer.close)

    async def abort(self) -> None:
        """No object is to be made, and what was stored is freed. Never raises."""
        await _in_own_thread(self._writer.abort)

    async def cancel(self) -> None:
        """No object is to be made; what was stored stays. Never raises."""
        await _in_own_thread(self._writer.cancel)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            await self.close()
        else:  # also when the work was cancelled, so not in its name
            await _in_own_thread(lambda: self._writer.__exit__(kind, error, trace))


async def _in_own_thread(wait: Callable[[], R]) -> R:
    """For waits that may be as long as an upload: they must not take a thread that calls could have."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[R] = loop.create_future()

    def told(result: R | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # no error, so there is one

    def run() -> None:
        result: R | None = None
        error: BaseException | None = None
        try:
            result = wait()
        except BaseException as raised:  # noqa: BLE001  # handed to whoever waits
            error = raised
        try:
            loop.call_soon_threadsafe(told, result, error)
        except RuntimeError:
            """The loop is closed: nobody waits any more."""

    threading.Thread(target=run, name="mossaic-wait", daemon=True).start()
    return await future
