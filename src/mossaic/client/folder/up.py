"""A local folder to objects below a prefix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mossaic.client.errors import NetworkError
from mossaic.client.folder.batch import Batch
from mossaic.client.folder.compare import why_differs
from mossaic.client.folder.entry import Entry
from mossaic.client.folder.merge import merged
from mossaic.client.folder.patterns import Filter
from mossaic.client.folder.walk import walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mossaic.client.folder.batch import Pair
    from mossaic.client.folder.entry import Action, FolderOptions, Found, Stored
    from mossaic.client.folder.service import Service
    from mossaic.client.http import Scope
    from mossaic.client.transfer.handle import Transfer
    from mossaic.client.upload.throttle import Throttle

_DELETED_AT_ONCE: Final = 1000


class FolderUpload(Batch):
    """Made by `Client.plan_upload_folder`."""

    way = "upload"

    def __init__(
        self, folder: str, service: Service, options: FolderOptions, *, scope: Scope, throttle: Throttle
    ) -> None:
        super().__init__(options, scope=scope, throttle=throttle)
        self._folder = folder
        self._service = service
        self._wanted = Filter(options.include, options.exclude)
        self._unwanted: list[Entry] = []  # objects to be deleted, until there are enough for a request

    def _walk(self) -> Iterator[Found]:
        options = self.options
        return walk(
            self._folder, self._wanted, symlinks=options.symlinks, empty_folders=options.empty_folders
        )

    def _pairs(self) -> Iterator[Pair]:
        if self.options.skip == "never" and not self.options.delete:
            return ((found, None) for found in self._walk())
        both = merged(self._walk(), filter(self._counts_for, self._service.objects()))
        return (pair for pair in both if pair[0] is not None or self.options.delete)

    def _counts_for(self, stored: Stored) -> bool:
        """Objects that stand for folders are nobody's business unless empty folders are."""
        if stored.relative.endswith("/") and not self.options.empty_folders:
            return False
        return bool(stored.relative) and self._wanted.takes(stored.relative)

    def _sizes(self) -> Iterable[int]:
        return (found.size for found in self._walk() if found.problem is None and not found.is_folder)

    def _decide(self, mine: Found | None, theirs: Stored | None) -> Entry:
        if mine is None:
            assert theirs is not None
            return Entry(action="delete", key=theirs.key, path="", reason="not in the folder")
        key = self._service.prefix + mine.relative
        if mine.problem is not None:
            return Entry(
                action="refuse", key=key, path=mine.path, reason="cannot be read", problem=mine.problem
            )
        if mine.reason:
            return Entry(action="skip", key=key, path=mine.path, size=mine.size, reason=mine.reason)
        try:
            why = why_differs(mine, theirs, self.options.skip, upload=True, service=self._service)
        except OSError as error:
            return Entry(action="refuse", key=key, path=mine.path, reason="cannot be read", problem=error)
        action: Action = "upload" if why else "skip"
        reason = why or self.options.skip
        return Entry(action=action, key=key, path=mine.path, size=mine.size, reason=reason)

    def _transfer(self, entry: Entry, left_s: float | None) -> Transfer[Any] | None:  # Any: an Upload
        if entry.key.endswith("/"):
            self._service.put_folder(entry.key)
            return None
        return self._service.transfer(entry.key, entry.path, left_s)

    def _delete(self, entry: Entry) -> None:
        with self._lock:
            self._unwanted.append(entry)
            if len(self._unwanted) < _DELETED_AT_ONCE:
                return
            ready, self._unwanted = self._unwanted, []
        self._delete_now(ready)

    def _finish(self, *, clean: bool) -> None:
        ready, self._unwanted = self._unwanted, []
        if clean and ready:
            self._delete_now(ready)

    def _delete_now(self, entries: list[Entry]) -> None:
        failed: dict[str, Exception]
        try:
            result = self._service.delete([entry.key for entry in entries])
            failed = {each.name: each.error for each in result.failures}
        except NetworkError as broken:
            failed = dict.fromkeys((entry.key for entry in entries), broken)
        for entry in entries:
            error = failed.get(entry.key)
            if error is None:
                self._deleted(entry)
            else:
                self._failed(entry, error)
