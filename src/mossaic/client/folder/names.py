"""Keys and file names: which key may become a file below a folder, and which file name may become a key."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_DRIVE: Final = re.compile(r"[A-Za-z]:(?:[/\\]|$)")
# What an interrupted download leaves; see download/target.py.
_UNFINISHED: Final = re.compile(r"(?:.*/)?[^/]*\.[0-9a-f]{12}\.part", re.DOTALL)


class UnsafeName(ValueError):
    """A key that cannot be a file below the target folder, or a file name that cannot be a key."""


def is_unfinished(relative: str) -> bool:
    """Whether the name is that of a download that has not ended."""
    return _UNFINISHED.fullmatch(relative) is not None


def check_key(relative: str) -> None:
    """Of a file's path below the folder, as it will stand in the key. Raises UnsafeName."""
    try:
        relative.encode()
    except UnicodeEncodeError:
        raise UnsafeName(f"{os.fsencode(relative)!r} is not UTF-8, which keys are") from None


def relative_path(relative: str) -> str:
    """The path below the target folder for a key below the prefix; that of a folder ends with a slash. Raises UnsafeName."""
    check_key(relative)
    names = relative.removesuffix("/").split("/")
    if "\0" in relative:
        raise UnsafeName(f"the key {relative!r} has a NUL, which no file name may have")
    if relative.startswith("/") or _DRIVE.match(relative):
        raise UnsafeName(f"the key {relative!r} would be an absolute path")
    if any(name in ("", ".", "..") for name in names):
        raise UnsafeName(f"the key {relative!r} has an empty name, '.' or '..' in its path")
    if os.sep != "/" and (os.sep in relative or ":" in relative):
        raise UnsafeName(f"the key {relative!r} has a character that no file name may have here")
    return relative


class Inside:
    """Paths below a folder that do not leave it over symbolic links. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._folder = os.path.realpath(folder)
        self._last = ""

    def check(self, path: str) -> None:
        """Raises UnsafeName."""
        parent = os.path.dirname(path)  # noqa: PTH120  # called for every file
        if parent != self._last:
            self._below(parent, path)
            self._last = parent
        if os.path.islink(path):  # noqa: PTH114  # as above
            self._below(path, path)

    def _below(self, place: str, path: str) -> None:
        real = os.path.realpath(place)
        if real != self._folder and not real.startswith(self._folder.rstrip("/") + "/"):
            raise UnsafeName(f"{path} leads out of the target folder over a symbolic link")
