"""Holding a name against all other threads and processes, by a lock file that tells who holds it.

The kernel's flock, where the file system has it: it ends with the process, however that ends. Otherwise the file's existence is
the lock, and one whose process is gone is taken over.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from mossaic.client.store.disk import open_private, write_all

if sys.platform != "win32":  # where the rest of the SDK can still be imported
    import fcntl

if TYPE_CHECKING:
    from pathlib import Path

Locking = Literal["auto", "flock", "file"]

_TRIES: Final = 100
_STALE_S: Final = 10.0  # nobody takes that long between two lines of code
_NO_FLOCK: Final = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}

_own: set[str] = set()  # lock files of the second kind that this process holds
_own_lock: Final = threading.Lock()


class Busy(Exception):
    """Somebody else holds it; `pid` where that is known."""

    def __init__(self, pid: int | None) -> None:
        super().__init__(pid)
        self.pid = pid


class _Holder(NamedTuple):
    pid: int
    host: str


class Hold:
    """A held lock file. Made by `take`."""

    def __init__(self, path: Path, descriptor: int | None) -> None:
        self._path = path
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go; the file is removed."""
        if self._descriptor is None:
            with _own_lock:  # in one step: the next holder may be a thread of ours
                self._remove()
                _own.discard(str(self._path))
            return
        self._remove()
        with contextlib.suppress(OSError):
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)  # also for copies that a fork has
        os.close(self._descriptor)

    def _remove(self) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink()


def take(path: Path, locking: Locking = "auto") -> Hold:
    """Hold `path`, at once or not at all. Raises Busy, OSError."""
    if locking == "flock" or (locking == "auto" and sys.platform != "win32"):
        try:
            return _take_flock(path)
        except OSError as error:
            if locking == "flock" or error.errno not in _NO_FLOCK:
                raise
    return _take_file(path)


def _take_flock(path: Path) -> Hold:
    for _ in range(_TRIES):
        descriptor, is_new = _opened(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_named(descriptor, path):
                with contextlib.suppress(OSError):  # a full disk: then it is not known who holds it
                    _tell(descriptor)
                return Hold(path, descriptor)
        except BlockingIOError:
            os.close(descriptor)
            raise Busy(_known(_told(path))) from None
        except BaseException as error:
            os.close(descriptor)
            if is_new and isinstance(error, OSError):
                path.unlink(missing_ok=True)  # without flock its existence would be taken for a lock
            raise
        os.close(descriptor)  # its holder removed it between our two calls
    raise Busy(None)


def _opened(path: Path) -> tuple[int, bool]:
    """The lock file, and whether it was made for this."""
    for _ in range(_TRIES):
        with contextlib.suppress(FileNotFoundError):
            return open_private(path, os.O_RDWR), False
        with contextlib.suppress(FileExistsError):
            return open_private(path, os.O_RDWR | os.O_CREAT | os.O_EXCL), True
    raise Busy(None)


def _is_named(descriptor: int, path: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.stat(follow_symlinks=False))
    return False


def _take_file(path: Path) -> Hold:
    for _ in range(_TRIES):
        with _own_lock:
            try:
                descriptor = open_private(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
            except FileExistsError:
                pass
            else:
                _sign(descriptor, path)
                _own.add(str(path))
                return Hold(path, None)
        holder = _told(path)
        if _is_stale(path, holder):
            _clear(path, holder)
        elif holder is not None or path.exists():  # else it was let go between our two calls
            raise Busy(_known(holder))
    raise Busy(None)


def _sign(descriptor: int, path: Path) -> None:
    """Write who holds it: without that others would take it for a stale one."""
    try:
        _tell(descriptor)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def _clear(path: Path, seen: _Holder | None) -> None:
    """Remove a lock file whose process is gone; one process at a time, so that nobody removes the next holder's."""
    guard = path.with_name(path.name + ".clearing")
    try:
        os.close(open_private(guard, os.O_RDWR | os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        if _age_s(guard) < _STALE_S:
            raise Busy(None) from None
    try:
        if _told(path) == seen and _is_stale(path, seen):
            path.unlink(missing_ok=True)
    finally:
        guard.unlink(missing_ok=True)


def _is_stale(path: Path, holder: _Holder | None) -> bool:
    if holder is None:  # made, but not yet written to
        return _age_s(path) > _STALE_S
    if holder.host != socket.gethostname():
        return False
    if holder.pid == os.getpid():  # numbers come again, in containers always the same
        with _own_lock:
            return str(path) not in _own
    return not _is_alive(holder.pid)


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat(follow_symlinks=False).st_mtime
    except FileNotFoundError:
        return 0.0  # whoever makes it next has only just made it


def _tell(descriptor: int) -> None:
    os.ftruncate(descriptor, 0)
    write_all(descriptor, f"{os.getpid()} {socket.gethostname()}\n".encode(errors="replace"), 0)


def _told(path: Path) -> _Holder | None:
    try:
        pid, host = path.read_text("utf-8", "replace").split()
        return _Holder(int(pid), host)
    except (OSError, ValueError):
        return None


def _known(holder: _Holder | None) -> int | None:
    """The number to tell: of a process that lives, and here."""
    if holder is None or holder.host != socket.gethostname() or not _is_alive(holder.pid):
        return None
    return holder.pid


def _is_alive(pid: int) -> bool:
    if os.name == "nt":  # signal 0 means something else there
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
