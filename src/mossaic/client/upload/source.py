"""What is uploaded: a file, bytes, a file object, or a stream that can be read only once; told apart once, read in pieces."""

from __future__ import annotations

import io
import mmap
import os
import stat
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol, TypeAlias, cast

from mossaic.client.checkpoint import SourceIdentity
from mossaic.client.errors import SourceChanged
from mossaic.protocol.checksum import crc64
from mossaic.protocol.limits import KIB

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable
    from typing import Literal

CHUNK: Final = (
    384 * KIB
)  # bytes read and sent at once; one such buffer a worker is all the memory a file takes
_EDGE: Final = 64 * KIB
_RACY_NS: Final = 50_000_000  # a change within a tick of the file system's clock leaves the time as it was
_COARSE_RACY_NS: Final = 2_000_000_000  # file systems that keep whole seconds, FAT two

Chunk = bytes | bytearray | memoryview


class Reader(Protocol):
    """Anything with `read`."""

    def read(self, size: int = -1, /) -> bytes | None: ...


# What callers may give; AsyncClient takes asynchronous iterators, too.
SourceLike: TypeAlias = "str | os.PathLike[str] | bytes | bytearray | memoryview | Reader | Iterable[Chunk] | AsyncIterable[Chunk]"


class Source(Protocol):
    """Bytes that can be read again, in any order, from several threads. `name` is the absolute path of a file, else empty."""

    kind: Literal["file", "bytes"]
    name: str
    size: int

    def identity(self) -> SourceIdentity: ...

    def changed_since(self, before: SourceIdentity) -> str | None:
        """What is different, in words; None when nothing is. Cheap: asked before each part."""
        ...

    def is_racy(self, before: SourceIdentity) -> bool:
        """Whether a change right after `before` was taken might not show in the times of the file."""
        ...

    def chunks(self, offset: int, size: int, most: Callable[[int], int]) -> Iterator[memoryview]:
        """The bytes in order, at most `most(CHUNK)` at once. A chunk is valid until the next. Raises SourceChanged: too short."""
        ...

    def close(self) -> None: ...


class BytesSource:
    """Bytes in memory; they are not copied."""

    kind: Literal["file", "bytes"] = "bytes"
    name = ""

    def __init__(self, data: Chunk) -> None:
        self._view = memoryview(data).cast("B")
        self.size = len(self._view)

    def identity(self) -> SourceIdentity:
        edges = crc64(self._view[-_EDGE:], crc64(self._view[:_EDGE]))
        return SourceIdentity(kind="bytes", size=self.size, edges_crc64=edges)

    def changed_since(self, before: SourceIdentity) -> str | None:
        return None if before.size == self.size else f"it has {self.size} bytes, not {before.size}"

    def is_racy(self, before: SourceIdentity) -> bool:  # noqa: ARG002  # the interface's
        return False

    def chunks(self, offset: int, size: int, most: Callable[[int], int]) -> Iterator[memoryview]:
        at, stop = offset, offset + size
        while at < stop:
            step = min(most(CHUNK), stop - at)
            yield self._view[at : at + step]
            at += step

    def close(self) -> None:
        """The bytes are the caller's."""


class FileSource:
    """A regular file, read by position so that threads do not meet. `start`: where the object's bytes begin in it."""

    kind: Literal["file", "bytes"] = "file"

    def __init__(self, descriptor: int, *, name: str = "", start: int = 0, owned: bool = True) -> None:
        self._descriptor = descriptor
        self._owned = owned
        self._start = start
        self.name = name
        self.size = os.fstat(descriptor).st_size - start

    def identity(self) -> SourceIdentity:
        found = os.fstat(self._descriptor)
        edges = crc64(self._edge(0))
        edges = crc64(self._edge(max(0, self.size - _EDGE)), edges)
        return SourceIdentity(
            kind="file",
            size=found.st_size - self._start,
            mtime_ns=found.st_mtime_ns,
            ctime_ns=found.st_ctime_ns,
            inode=found.st_ino,
            device=found.st_dev,
            edges_crc64=edges,
        )

    def _edge(self, offset: int) -> bytes:
        return os.pread(self._descriptor, _EDGE, self._start + offset)

    def changed_since(self, before: SourceIdentity) -> str | None:
        found = os.fstat(self._descriptor)
        size = found.st_size - self._start
        if size != before.size:
            return f"it has {size} bytes, not {before.size}"
        if (found.st_ino, found.st_dev) != (before.inode, before.device):
            return "it is another file"
        if found.st_mtime_ns != before.mtime_ns:
            return "it was written to"
        # Nobody can set this time back: it tells of a change whose author restored the modification time.
        return "its inode was changed" if found.st_ctime_ns != before.ctime_ns else None

    def is_racy(self, before: SourceIdentity) -> bool:
        changed = max(before.mtime_ns or 0, before.ctime_ns or 0)
        window = _RACY_NS if changed % 1_000_000_000 else _COARSE_RACY_NS
        return time.time_ns() - changed < window

    def chunks(self, offset: int, size: int, most: Callable[[int], int]) -> Iterator[memoryview]:
        buffer = _borrow()
        try:
            at, stop = self._start + offset, self._start + offset + size
            while at < stop:
                count = os.preadv(self._descriptor, [buffer[: min(most(CHUNK), stop - at)]], at)
                if count == 0:
                    raise SourceChanged(f"{self.name or 'the source'} ended {stop - at} bytes too soon")
                yield buffer[:count]
                at += count
        finally:
            _give_back(buffer)

    def close(self) -> None:
        if self._owned:
            os.close(self._descriptor)


class SeekableSource:
    """A file object that can seek but is no file of the system (BytesIO, a zip member): one thread reads at a time."""

    kind: Literal["file", "bytes"] = "bytes"
    name = ""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._start = file.tell()
        self.size = file.seek(0, os.SEEK_END) - self._start
        file.seek(self._start)

    def identity(self) -> SourceIdentity:
        edges = crc64(self._read(max(0, self.size - _EDGE), _EDGE), crc64(self._read(0, _EDGE)))
        return SourceIdentity(kind="bytes", size=self.size, edges_crc64=edges)

    def _read(self, offset: int, count: int) -> bytes:
        with self._lock:
            self._file.seek(self._start + offset)
            return self._file.read(count)

    def changed_since(self, before: SourceIdentity) -> str | None:
        with self._lock:
            size = self._file.seek(0, os.SEEK_END) - self._start
        return None if before.size == size else f"it has {size} bytes, not {before.size}"

    def is_racy(self, before: SourceIdentity) -> bool:  # noqa: ARG002  # the interface's
        return False

    def chunks(self, offset: int, size: int, most: Callable[[int], int]) -> Iterator[memoryview]:
        at, stop = offset, offset + size
        while at < stop:
            data = self._read(at, min(most(CHUNK), stop - at))
            if not data:
                raise SourceChanged(f"the source ended {stop - at} bytes too soon")
            yield memoryview(data)
            at += len(data)

    def close(self) -> None:
        """The file object is the caller's."""


class Stream:
    """Bytes that can be read once, from the beginning on: a pipe, a socket, an iterator. Not thread-safe."""

    def __init__(self, source: Reader | Iterable[Chunk], *, close: Callable[[], None] | None = None) -> None:
        self._close = close
        chunks: Iterable[Chunk] = (
            _read_on(cast("Reader", source)) if hasattr(source, "read") else cast("Any", source)
        )
        self._chunks = iter(chunks)
        self._rest: memoryview = memoryview(b"")
        self.ended = False

    def next(self, most: int) -> memoryview:
        """Up to `most` bytes, as they come; none at the end."""
        while not self._rest and not self.ended:
            try:
                self._rest = memoryview(next(self._chunks)).cast("B")
            except StopIteration:
                self.ended = True
        taken, self._rest = self._rest[:most], self._rest[most:]
        return taken

    def close(self) -> None:
        if self._close is not None:
            self._close()


def _read_on(reader: Reader) -> Iterator[bytes]:
    while data := reader.read(CHUNK):
        if not isinstance(data, bytes | bytearray | memoryview):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without types
            raise TypeError(f"the source gives {type(data).__name__}, not bytes: open it in binary mode")
        yield data


_threads: Final = threading.local()


def _borrow() -> memoryview:
    """A buffer of this thread's, so that each worker has one for all its parts; another while that one is lent: a part may be read again
    while it is being sent.

    It begins on a page: into a bytearray, which begins 16 bytes behind one, some processors (AMD, fast short `rep movsb`) copy a
    file's pages four times slower, and that was half of what an upload costs.
    """
    idle: list[memoryview] = _idle_buffers()
    return idle.pop() if idle else memoryview(mmap.mmap(-1, CHUNK))


def _give_back(buffer: memoryview) -> None:
    idle = _idle_buffers()
    if not idle:
        idle.append(buffer)


def _idle_buffers() -> list[memoryview]:
    idle: list[memoryview] | None = getattr(_threads, "idle", None)
    if idle is None:
        idle = _threads.idle = []
    return idle


def open_source(source: Any) -> Source | Stream:  # Any: told apart here
    """Raises OSError (no such file), TypeError for what cannot be a source, ValueError for a folder."""
    if isinstance(source, str | os.PathLike):
        return _open_path(Path(cast("str", source)))
    if isinstance(source, bytes | bytearray | memoryview):
        return BytesSource(cast("Chunk", source))
    if hasattr(source, "read"):
        if isinstance(source, io.TextIOBase):
            raise TypeError("the source is open in text mode; open it in binary mode")
        return _from_file_object(source)
    if isinstance(source, Iterable):
        return Stream(cast("Iterable[Chunk]", source))
    if hasattr(source, "__aiter__"):
        raise TypeError("an asynchronous iterator is a source for AsyncClient; Client takes synchronous ones")
    raise TypeError(
        f"a source is a path, bytes, a binary file object or an iterable of bytes, not {type(source).__name__}"
    )


def _open_path(path: Path) -> Source | Stream:
    kind = path.stat().st_mode
    if stat.S_ISDIR(kind):
        raise ValueError(f"{path} is a folder; use upload_folder")
    if not stat.S_ISREG(kind):
        file = path.open("rb", buffering=0)
        return Stream(cast("Reader", file), close=file.close)
    return FileSource(os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0)), name=str(path.resolve()))


def _from_file_object(file: Any) -> Source | Stream:  # Any: whatever has `read`
    if not _seekable(file):
        return Stream(file)
    try:
        descriptor = file.fileno()
    except (OSError, AttributeError, ValueError):
        return SeekableSource(file)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode) or not hasattr(file, "readinto"):
        return SeekableSource(file)  # a decompressing file has a descriptor of other bytes
    name = file.name if isinstance(getattr(file, "name", None), str) else ""
    if type(file).__module__ not in ("_io", "io"):
        return SeekableSource(file)
    return FileSource(
        descriptor, name=str(Path(name).resolve()) if name else "", start=file.tell(), owned=False
    )


def _seekable(file: Any) -> bool:  # Any: as above
    try:
        return bool(file.seekable())
    except AttributeError:
        return hasattr(file, "seek") and hasattr(file, "tell")
