"""Objects below a prefix to a local folder."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mossaic.client.folder.batch import Batch
from mossaic.client.folder.compare import why_differs
from mossaic.client.folder.entry import Entry, Found
from mossaic.client.folder.merge import in_order, merged
from mossaic.client.folder.names import Inside, UnsafeName, relative_path
from mossaic.client.folder.patterns import Filter
from mossaic.client.folder.walk import walk
from mossaic.client.store.disk import sync_directory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mossaic.client.folder.batch import Pair
    from mossaic.client.folder.entry import Action, FolderOptions, Stored
    from mossaic.client.folder.service import Service
    from mossaic.client.http import Scope
    from mossaic.client.transfer.handle import Transfer
    from mossaic.client.upload.throttle import Throttle

_UNSYNCED: Final = 256


class FolderDownload(Batch):
    """Made by `Client.plan_download_folder`."""

    way = "download"

    def __init__(
        self, folder: str, service: Service, options: FolderOptions, *, scope: Scope, throttle: Throttle
    ) -> None:
        super().__init__(options, scope=scope, throttle=throttle)
        self._folder = folder
        self._service = service
        self._wanted = Filter(options.include, options.exclude)
        self._inside = Inside(Path(folder))
        self._unsynced: set[str] = set()  # folders with names that a power failure would lose

    def _objects(self) -> Iterator[Stored]:
        return (
            stored
            for stored in self._service.objects()
            if stored.relative and self._wanted.takes(stored.relative)
        )

    def _pairs(self) -> Iterator[Pair]:
        if not self.options.delete or not Path(self._folder).is_dir():
            return ((None, stored) for stored in in_order(self._objects()))
        # Links are not followed: what is behind them is not of this folder, and must not be deleted.
        both = merged(walk(self._folder, self._wanted, symlinks="skip"), self._objects())
        return (pair for pair in both if pair[1] is not None or pair[0] is None or not pair[0].reason)

    def _sizes(self) -> Iterable[int]:
        return (stored.size for stored in self._objects())

    def _decide(self, mine: Found | None, theirs: Stored | None) -> Entry:
        if theirs is None:
            assert mine is not None
            return self._only_here(mine)
        path = os.path.join(self._folder, theirs.relative)  # noqa: PTH118  # of a key not trusted yet; text only
        try:
            path = os.path.join(self._folder, relative_path(theirs.relative))  # noqa: PTH118  # called for every file
            self._inside.check(path.removesuffix("/"))
            if theirs.relative.endswith("/"):
                return self._folder_entry(theirs, path)
            why = self._why(path, theirs)
        except UnsafeName as error:
            return Entry(action="refuse", key=theirs.key, path="", reason="unsafe name", problem=error)
        except OSError as error:
            return Entry(action="refuse", key=theirs.key, path=path, reason="cannot be read", problem=error)
        action: Action = "download" if why else "skip"
        reason = why or self.options.skip
        return Entry(action=action, key=theirs.key, path=path, size=theirs.size, reason=reason)

    def _only_here(self, mine: Found) -> Entry:
        if mine.problem is not None:
            return Entry(
                action="refuse", key="", path=mine.path, reason="cannot be read", problem=mine.problem
            )
        return Entry(action="delete", key="", path=mine.path, reason="no such object")

    def _folder_entry(self, theirs: Stored, path: str) -> Entry:
        """An object that stands for a folder."""
        if theirs.size:
            raise UnsafeName(f"the key {theirs.key!r} names a folder, and has {theirs.size} bytes")
        there = os.path.isdir(path)  # noqa: PTH112  # called for every folder
        return Entry(
            action="skip" if there else "download",
            key=theirs.key,
            path=path,
            reason="there" if there else "new",
        )

    def _why(self, path: str, theirs: Stored) -> str:
        try:
            found = os.stat(path)  # noqa: PTH116  # called for every file
        except (FileNotFoundError, NotADirectoryError):
            return "new"
        mine = Found(relative=theirs.relative, path=path, size=found.st_size, mtime_ns=found.st_mtime_ns)
        return why_differs(mine, theirs, self.options.skip, upload=False, service=self._service)

    def _transfer(self, entry: Entry, left_s: float | None) -> Transfer[Any] | None:  # Any: a Download
        if entry.path.endswith("/"):
            os.makedirs(entry.path, exist_ok=True)  # noqa: PTH103  # called for every folder
            return None
        os.makedirs(os.path.dirname(entry.path), exist_ok=True)  # noqa: PTH103, PTH120  # as above
        return self._service.transfer(entry.key, entry.path, left_s)

    def _moved(self, entry: Entry) -> None:
        """One sync brings the names of many files to the disk."""
        with self._lock:
            self._unsynced.add(os.path.dirname(entry.path))  # noqa: PTH120  # called for every file
            if len(self._unsynced) <= _UNSYNCED:
                return
            ready, self._unsynced = self._unsynced, set()
        _sync(ready)

    def _finish(self, *, clean: bool) -> None:  # noqa: ARG002  # names are brought to the disk in any case
        ready, self._unsynced = self._unsynced, set()
        _sync(ready)

    def _delete(self, entry: Entry) -> None:
        os.unlink(entry.path)  # noqa: PTH108  # called for every file
        self._deleted(entry)


def _sync(folders: set[str]) -> None:
    for folder in folders:
        with contextlib.suppress(FileNotFoundError):  # it was deleted since
            sync_directory(Path(folder))
