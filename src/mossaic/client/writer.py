"""An object as a file to write to: what is written goes up in parts while more is written, and the object appears at the end."""

from __future__ import annotations

import contextlib
import io
import threading
import warnings
from collections import deque
from typing import TYPE_CHECKING, Final

from mossaic.client.errors import Cancelled
from mossaic.protocol.limits import KIB, MIB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Self

    from mossaic.client.upload.handle import Upload
    from mossaic.client.upload.task import UploadResult

_BUFFERED: Final = 256 * KIB  # small writes are gathered up to this
_AHEAD: Final = MIB  # bytes that a writer may be ahead of the upload
_LOOK_S: Final = 0.1  # how soon a waiting side hears of a cancel or a deadline


class Pipe:
    """Bytes from the thread that writes to the thread that uploads, a little ahead. Ends once: by `end`, or by `leave`."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._chunks: deque[bytes | memoryview] = deque()
        self._held = 0
        self._ended = False
        self._left = False

    def put(self, chunk: bytes | memoryview) -> bool:
        """Wait until there is room; False when nobody takes it any more."""
        with self._news:
            self._news.wait_for(lambda: self._held < _AHEAD or self._left)
            if self._left:
                return False
            self._chunks.append(chunk)
            self._held += len(chunk)
            self._news.notify_all()
            return True

    def end(self) -> None:
        """Nothing more will come."""
        with self._news:
            self._ended = True
            self._news.notify_all()

    def leave(self) -> None:
        """Nobody takes anything any more: the writing side need not wait, and the reading side gets Cancelled."""
        with self._news:
            self._left = True
            self._chunks.clear()
            self._news.notify_all()

    def chunks(self, check: Callable[[], object]) -> Iterator[bytes | memoryview]:
        """What was put, until the end. `check` is called while nothing comes, and may raise. Raises Cancelled."""
        while True:
            with self._news:
                while not (self._chunks or self._ended or self._left):
                    self._news.wait(_LOOK_S)
                    check()
                if self._left:
                    raise Cancelled("the writer was left before its end")
                if not self._chunks:
                    return
                chunk = self._chunks.popleft()
                self._held -= len(chunk)
                self._news.notify_all()
            yield chunk


class ObjectWriter(io.RawIOBase):
    """A binary file that can only be written to, from the beginning to the end, by one thread at a time.

    The object appears, whole and checked, when it is closed; until then what was there stays. Leaving a `with` by an exception, or
    forgetting the writer, makes no object: what was stored is freed (`on_failure="abort"`), or kept for a later run that
    writes the same bytes again ("keep").
    """

    def __init__(self, pipe: Pipe, upload: Upload, *, abort: bool) -> None:
        super().__init__()
        self._pipe = pipe
        self._abort_on_failure = abort
        self._gathered = bytearray()
        self._size = 0
        self._over = False
        self.upload = upload
        self.result: UploadResult | None = None
        self.name = upload.name
        # The thread must not hold the writer: one that is forgotten could never be noticed.
        threading.Thread(
            target=_run, args=(upload, pipe), name=f"mossaic-writer-{self.name[:40]}", daemon=True
        ).start()

    # --- a file -------------------------------------------------------------------------------------------------------

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        """Bytes written so far."""
        return self._size

    def write(self, data: bytes | bytearray | memoryview, /) -> int:  # type: ignore[override]  # what bytes-like data is here
        """Take all of `data`; waits while the upload is a MiB behind.

        Raises what `Client.multipart_upload` raises, as soon as the upload has failed; ValueError when it is closed.
        """
        self._check_open()
        view = memoryview(data).cast("B")
        size = len(view)
        if len(self._gathered) + size <= _BUFFERED:
            self._gathered += view
            self._check_upload()
        else:
            self._push()
            # Only bytes are sure not to change while they wait.
            for at in range(0, size, _BUFFERED):
                piece = view[at : at + _BUFFERED]
                self._put(piece if isinstance(data, bytes) else bytes(piece))
        self._size += size
        return size

    def flush(self) -> None:
        """Hand on what was gathered from small writes. What is stored is seen in `upload.progress`. Raises as `write`."""
        if not self._over:
            self._push()

    def close(self) -> None:
        """Make the object, and wait until it is there; `result` tells of it. Raises as `write`; the second time it does nothing."""
        if self._over:
            super().close()
            return
        try:
            self._push()
            self._over = True
            self._pipe.end()
            self.result = self.upload.result()
        except BaseException:
            self._leave(abort=self._abort_on_failure)
            raise
        finally:
            super().close()

    def abort(self) -> None:
        """No object is to be made, and what was stored is freed. Waits for that, and never raises."""
        self._leave(abort=True)
        super().close()

    def cancel(self) -> None:
        """No object is to be made; what was stored stays, for a writer to the same key that is given the same bytes. Never raises."""
        self._leave(abort=False)
        super().close()

    def __enter__(self) -> Self:
        self._check_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        elif self._abort_on_failure:
            self.abort()
        else:
            self.cancel()

    def __del__(self) -> None:
        if not getattr(self, "_over", True):
            warnings.warn(
                f"the writer of {self.name} was not closed; no object was made", ResourceWarning, stacklevel=2
            )
            self._over = True
            self.upload.cancel()
            self._pipe.leave()

    # --- steps --------------------------------------------------------------------------------------------------------

    def _push(self) -> None:
        if self._gathered:
            gathered, self._gathered = bytes(self._gathered), bytearray()
            self._put(gathered)

    def _put(self, chunk: bytes | memoryview) -> None:
        if not self._pipe.put(chunk):
            self.upload.result()
            raise AssertionError("the upload ended before its data")

    def _check_upload(self) -> None:
        if self.upload.done():
            self.upload.result()

    def _check_open(self) -> None:
        if self._over or self.closed:
            raise ValueError("the writer is closed")

    def _leave(self, *, abort: bool) -> None:
        if self._over and self.upload.done():
            return
        self._over = True
        self._gathered.clear()
        if abort:
            self.upload.abort()
        else:
            self.upload.cancel()
        self._pipe.leave()
        with contextlib.suppress(Exception):
            self.upload.result()


def _run(upload: Upload, pipe: Pipe) -> None:
    try:
        with contextlib.suppress(BaseException):  # upload.result() raises it, in the thread that writes
            upload.run()
    finally:
        pipe.leave()
