"""Where a download's bytes go: a file beside the target that takes its name at the end, or a file object, in order."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import secrets
import stat
from typing import TYPE_CHECKING, Final, Protocol

from mossaic.client.store.disk import sync_directory, sync_file
from mossaic.protocol.checksum import crc64
from mossaic.protocol.limits import KIB

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mossaic.client.download.span import Span

_CHUNK: Final = 256 * KIB
_MAX_NAME: Final = 255  # bytes of a file's name, on every file system in use
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_FLAGS: Final = os.O_RDWR | _NO_FOLLOW | getattr(os, "O_CLOEXEC", 0)


class Writable(Protocol):
    """Anything with `write`: a binary file, a socket's file, a BytesIO."""

    def write(self, data: memoryview, /) -> int | None: ...


class Sink(Protocol):
    """Takes bytes at their offset in the object. Raises OSError."""

    def write(self, offset: int, data: memoryview) -> None: ...


class InOrder:
    """A file object that gets the bytes one after the other."""

    def __init__(self, file: Writable) -> None:
        self._file = file

    def write(self, offset: int, data: memoryview) -> None:  # noqa: ARG002  # they come in order
        while data:
            count = self._file.write(data)
            if count is None and isinstance(self._file, io.RawIOBase):
                raise BlockingIOError(errno.EAGAIN, "the target takes no bytes now; give one that blocks")
            data = data[len(data) if count is None else count :]


class PartFile:
    """The file beside the target, under a name of its own, until all is there. Writes may come from any thread."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def create(cls, path: Path, size: int) -> PartFile:
        """A new file of `size` empty bytes. Raises OSError."""
        descriptor = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            os.ftruncate(descriptor, size)
        except BaseException:
            os.close(descriptor)
            path.unlink(missing_ok=True)
            raise
        return cls(path, descriptor)

    @classmethod
    def reopen(cls, path: Path, size: int) -> PartFile | None:
        """The one of an earlier attempt; None when it is gone, or is no plain file of that size any more."""
        try:
            descriptor = os.open(path, _FLAGS)
        except OSError:
            return None
        found = os.fstat(descriptor)
        if stat.S_ISREG(found.st_mode) and found.st_size == size:
            return cls(path, descriptor)
        os.close(descriptor)
        return None

    def write(self, offset: int, data: memoryview) -> None:
        while data:
            count = os.pwrite(self._descriptor, data, offset)
            data, offset = data[count:], offset + count

    def mark(self) -> dict[str, int]:
        """What shows whether anybody has written to it since. Nobody can set the change time back."""
        found = os.fstat(self._descriptor)
        return {"inode": found.st_ino, "device": found.st_dev, "ctime_ns": found.st_ctime_ns}

    def matches(self, span: Span, between: Callable[[], None]) -> bool:
        """Whether the first `done` bytes of the span are those of its CRC-64. `between` is called now and then and may raise."""
        buffer = memoryview(bytearray(_CHUNK))
        at, stop, value = span.offset, span.offset + span.done, 0
        while at < stop:
            between()
            count = os.preadv(self._descriptor, [buffer[: min(_CHUNK, stop - at)]], at)
            if not count:
                return False
            value = crc64(buffer[:count], value)
            at += count
        return value == span.crc64

    def sync(self) -> None:
        sync_file(self._descriptor)

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def discard(self) -> None:
        """Nothing of it is wanted. Never raises."""
        self.close()
        with contextlib.suppress(OSError):
            self.path.unlink()

    def publish(self, target: Path, *, overwrite: bool, sync_folder: bool = True) -> None:
        """Bring it to the disk and give it the target's name: after a crash there is what was there before, or all of this; for sure all
        of it when the folder was synced, too.

        Raises FileExistsError (`overwrite` False), OSError.
        """
        if overwrite:
            with contextlib.suppress(FileNotFoundError):
                os.fchmod(self._descriptor, target.stat().st_mode & 0o777)
        self.sync()
        if overwrite:
            self.path.replace(target)
        else:
            _name_once(self.path, target)
        self.close()
        if sync_folder:
            sync_directory(target.parent)


def _name_once(path: Path, target: Path) -> None:
    """Rename unless there is something. Raises FileExistsError."""
    try:
        target.hardlink_to(path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: a look before the rename has to do
        if target.exists() or target.is_symlink():
            raise FileExistsError(errno.EEXIST, "there is a file already", str(target)) from None
        path.replace(target)
        return
    path.unlink()


def part_name(target: str) -> str:
    """A name beside the target that nobody else has: `NAME.RANDOM.part`."""
    end = f".{secrets.token_hex(6)}.part"
    kept = os.fsencode(target)[: _MAX_NAME - len(end)]
    # A cut in the middle of a character would make a name that file systems of characters refuse.
    return kept.decode("utf-8", "ignore" if len(kept) < len(os.fsencode(target)) else "surrogateescape") + end


def is_written_in_place(target: Path) -> bool:
    """A device, a pipe: its name must not go to a file."""
    return target.exists() and not target.is_file()
