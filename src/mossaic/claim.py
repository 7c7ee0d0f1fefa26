"""One service at a time works in a data directory: it holds a lock on a file there, as long as it takes connections."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final

from mossaic.stores.lock import FileLock

if TYPE_CHECKING:
    from pathlib import Path

_FILE: Final = "service-lock"
_PATIENCE_S: Final = 2.0  # for workers whose parent was killed just now
_TRY_S: Final = 0.02


class Taken(Exception):
    """Another service works there; the text says so."""


def claim(folder: Path) -> FileLock | None:
    """The lock of a data directory, which is made when it is not there. Forked processes hold it, too, until each has closed it.

    None where nothing can be locked, or nothing can be written: opening the stores tells why. Raises Taken.
    """
    if sys.platform == "win32":
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / _FILE)
        until = time.monotonic() + _PATIENCE_S
        while not lock.take_at_once():
            if time.monotonic() >= until:
                lock.close()
                raise Taken(
                    f"another mossaic serve uses the data directory {folder}: "
                    "stop it, or name another directory with --data"
                )
            time.sleep(_TRY_S)
    except OSError:
        return None
    return lock
