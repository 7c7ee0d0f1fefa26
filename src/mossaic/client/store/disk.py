"""Private files that survive a power failure, and the place where a user's state belongs."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import sys
from pathlib import Path
from typing import Final

_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)  # not on Windows


def user_state_dir() -> Path:
    """`$MOSSAIC_STATE_DIR`, else `$XDG_STATE_HOME/mossaic`, else `~/.local/state/mossaic`, on macOS
    `~/Library/Application Support/mossaic`. It need not exist.

    Raises RuntimeError when there is no home directory.
    """
    own = os.environ.get("MOSSAIC_STATE_DIR")
    if own:
        return Path(own).expanduser()
    state = os.environ.get("XDG_STATE_HOME", "")
    if Path(state).is_absolute():  # the XDG specification: ignore one that is not
        return Path(state) / "mossaic"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "mossaic"
    return Path.home() / ".local" / "state" / "mossaic"


def make_private(directory: Path) -> None:
    """Make a directory and what is missing above it, durably, for this user only. One that is there stays as it is."""
    missing = [folder for folder in (directory, *directory.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_directory(folder.parent)


def open_private(path: Path, flags: int) -> int:
    """A descriptor; a new file is for this user only. A symbolic link is refused."""
    return os.open(path, flags | _NO_FOLLOW, 0o600)


def write_all(descriptor: int, data: bytes, offset: int) -> None:
    """Write at an offset: one system call, unless the disk is about to be full."""
    view = memoryview(data)
    while view:
        count = os.pwrite(descriptor, view, offset)
        view = view[count:]
        offset += count


def sync_file(descriptor: int) -> None:
    """Bring a file's bytes and size to the disk."""
    if sys.platform == "darwin":
        import fcntl  # noqa: PLC0415  # not everywhere

        with contextlib.suppress(OSError):  # not on every file system
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # fsync there stops at the drive's cache
            return
        os.fsync(descriptor)
    else:
        os.fdatasync(descriptor)


def sync_directory(directory: Path) -> None:
    """Bring the names in a directory to the disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some file systems have nothing to sync there
            raise
    finally:
        os.close(descriptor)


def replace_file(path: Path, data: bytes) -> None:
    """Put a private file at `path`: after a crash there is the old one or the new one, whole. Raises OSError."""
    path = path.resolve()  # behind a symbolic link, which stays
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(6)}")
    descriptor = open_private(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        try:
            write_all(descriptor, data, 0)
            sync_file(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)
