"""The files below a folder in the order of their keys, as they are found: names are held of one folder a level, never of all."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mossaic.client.folder.entry import Found
from mossaic.client.folder.names import UnsafeName, check_key, is_unfinished

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mossaic.client.folder.entry import Symlinks
    from mossaic.client.folder.patterns import Filter


@dataclass(frozen=True, slots=True, kw_only=True)
class _Level:
    """A folder that is being gone through."""

    path: str
    relative: str  # ends with "/", but for the top
    names: Iterator[str]
    identity: tuple[int, int]


def walk(folder: str, wanted: Filter, *, symlinks: Symlinks, empty_folders: bool = False) -> Iterator[Found]:
    """Ascending by key. Folders appear only when they are empty (`empty_folders`), or with a `problem`.

    Raises OSError when the folder itself cannot be read.
    """
    levels = [_opened(folder, "", symlinks)[0]]
    while levels:
        level = levels[-1]
        name = next(level.names, None)
        if name is None:
            levels.pop()
            continue
        path, relative = os.path.join(level.path, name.removesuffix("/")), level.relative + name  # noqa: PTH118  # called for every file
        if not name.endswith("/"):
            if wanted.takes(relative):
                yield _file(path, relative, symlinks)
            continue
        if not wanted.enters(relative):
            continue
        try:
            check_key(relative)
            below, is_empty = _opened(path, relative, symlinks)
            _check_loop(below, levels)
        except (OSError, UnsafeName) as error:
            yield Found(relative=relative, path=path, problem=error)
            continue
        if is_empty and empty_folders and wanted.takes(relative):
            yield Found(relative=relative, path=path)
        levels.append(below)


def _opened(path: str, relative: str, symlinks: Symlinks) -> tuple[_Level, bool]:
    """And whether there is nothing in it. Raises OSError."""
    follow = symlinks == "follow"
    found = os.stat(path)  # noqa: PTH116  # called for every folder
    with os.scandir(path) as entries:
        names = [
            entry.name + "/" if entry.is_dir(follow_symlinks=follow) else entry.name for entry in entries
        ]
    names.sort()  # with the slash, as keys are sorted
    level = _Level(path=path, relative=relative, names=iter(names), identity=(found.st_dev, found.st_ino))
    return level, not names


def _check_loop(below: _Level, levels: list[_Level]) -> None:
    """Raises OSError when a symbolic link leads back up."""
    if any(level.identity == below.identity for level in levels):
        raise OSError(errno.ELOOP, "a symbolic link leads back to a folder above", below.path)


def _file(path: str, relative: str, symlinks: Symlinks) -> Found:
    try:
        check_key(relative)
        found = os.stat(path, follow_symlinks=symlinks == "follow")  # noqa: PTH116  # called for every file
    except (OSError, UnsafeName) as error:
        return Found(relative=relative, path=path, problem=error)
    reason = _left_alone(relative, found.st_mode)
    return Found(relative=relative, path=path, size=found.st_size, mtime_ns=found.st_mtime_ns, reason=reason)


def _left_alone(relative: str, mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "a symbolic link"
    if not stat.S_ISREG(mode):
        return "not a regular file"
    return "an unfinished download" if is_unfinished(relative) else ""
