"""The system calls that Python does not have, and what stands in for them on other systems."""

from __future__ import annotations

import errno
import os
import struct
import sys
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import ctypes
    from pathlib import Path

_SYNC_FILE_RANGE_WRITE: Final = 2
_GET_FLAGS: Final = (
    0x8008_6601 if sys.maxsize > 1 << 32 else 0x8004_6601
)  # FS_IOC_GETFLAGS and FS_IOC_SETFLAGS (linux/fs.h)
_SET_FLAGS: Final = 0x4008_6602 if sys.maxsize > 1 << 32 else 0x4004_6602
_FLAGS: Final = struct.Struct("i4x")  # the kernel says long, and means int
_TOP: Final = 0x2_0000  # FS_TOPDIR_FL
_UNSUPPORTED: Final = frozenset({errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})


def allocate(descriptor: int, offset: int, length: int) -> bool:
    """Reserve bytes of a file, which grows; False where the file system cannot. Raises OSError (ENOSPC).

    Not posix_fallocate: glibc writes every block itself where the file system has no such call.
    """
    import ctypes  # noqa: PLC0415  # as in _libc

    library = _libc()
    if library is None:
        return False
    while library.fallocate(descriptor, 0, ctypes.c_int64(offset), ctypes.c_int64(length)) != 0:
        code = ctypes.get_errno()
        if code == errno.EINTR:
            continue
        if code in _UNSUPPORTED:
            return False
        raise OSError(code, os.strerror(code))
    return True


def start_writeback(descriptor: int, offset: int, length: int) -> None:
    """Ask for the bytes to go to the disk now. Only a hint: the promise rests on `sync_data`."""
    import ctypes  # noqa: PLC0415  # as in _libc

    library = _libc()
    if library is not None:
        start, size = ctypes.c_int64(offset), ctypes.c_int64(length)
        library.sync_file_range(descriptor, start, size, _SYNC_FILE_RANGE_WRITE)


def sync_data(descriptor: int) -> None:
    """Content and size of the file are on the disk. Raises OSError."""
    if sys.platform == "darwin":
        import fcntl  # noqa: PLC0415  # not on every system

        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # fsync there stops at the drive's cache
    else:
        os.fdatasync(descriptor)


def forget(path: str, offset: int, length: int) -> None:
    """Give up what the system's cache has of a range of a file (`length` 0: up to its end), as far as it is on the disk.
    Only a hint. Raises OSError (no such file)."""
    if sys.platform.startswith("linux"):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.posix_fadvise(descriptor, offset, length, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def spread(folder: Path | str) -> None:
    """Have the folders that will be made in this one lie far from each other on the disk, each with room of its own. Only a hint, which
    ext2 to ext4 take: they put a file near its folder, and folders near the one that holds them."""
    if not sys.platform.startswith("linux"):
        return
    import fcntl  # noqa: PLC0415  # not on every system

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        (flags,) = _FLAGS.unpack(fcntl.ioctl(descriptor, _GET_FLAGS, bytes(_FLAGS.size)))
        if not flags & _TOP:
            fcntl.ioctl(descriptor, _SET_FLAGS, _FLAGS.pack(flags | _TOP))
    except OSError:  # another file system
        pass
    finally:
        os.close(descriptor)


def sync_folder(path: Path | str) -> None:
    """The names in the folder are on the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@cache
def _libc() -> ctypes.CDLL | None:
    """The C library on Linux. Calls through it release the GIL."""
    import ctypes  # noqa: PLC0415  # only when bytes come that do not lie in the database

    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None, use_errno=True)
    names = ("fallocate", "sync_file_range")
    return library if all(hasattr(library, name) for name in names) else None
