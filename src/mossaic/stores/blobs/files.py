"""Blobs as local files: a fresh name each, written once, never renamed over, two folders deep by id."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mossaic.model.names import BlobId, new_blob_id
from mossaic.ports import Damaged
from mossaic.stores.blobs.ahead import Ahead, OnItsWay
from mossaic.stores.blobs.disk import allocate, spread, sync_folder
from mossaic.stores.blobs.folder import Folder
from mossaic.stores.blobs.warm import Warm

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from datetime import datetime

_ID: Final = re.compile(r"[0-9a-f]{32}")
# Reserved ahead of the writer: a client's promise of 5 GiB costs no disk.
_RESERVE_BYTES: Final = 64 * 1024 * 1024
_LONG_BYTES: Final = 8 * 1024 * 1024  # as much of an unfinished blob counts as warm at a time
_NEW: Final = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)
# 256 folders: ten million blobs are 40,000 names in each, which file systems with indexed folders find at once.
_FOLDERS: Final = tuple(f"{first:x}/{second:x}" for first in range(16) for second in range(16))


class FileBlobs:
    """`ports.BlobStore` under `root`: blob 1a2b… lies in 1/a/1a2b….

    `sync`: a committed blob, its name included, is on the disk. An unfinished blob already has its final name; only
    metadata says which blobs count.

    A commit syncs one folder and no chain of parents: that the folder is there, and durably, is seen to before. `prepare` makes
    all of them once and for all; until it has, each is made when the first blob of this process comes to it. Blobs of the same
    time lie in the same folder (see `new_blob_id`), so that one sync of it does for several; of long ones it begins while their bytes still come.

    `warm_bytes`: how much of what was written last stays in the system's cache (with `sync`: else it may not be on the disk yet).
    """

    def __init__(self, root: Path | str, *, sync: bool = True, warm_bytes: int = 0) -> None:
        self._root = Path(root)
        self._sync = sync
        self._root.mkdir(parents=True, exist_ok=True)
        self._marker = self._root / "folders-made"  # made last
        self._has_all = self._marker.exists()
        self._durable: set[str] = set()  # folders that this process saw to
        self._folders: dict[str, Folder] = {}  # of which a blob was made
        self._ahead = Ahead()
        self._warm = Warm(warm_bytes)

    @property
    def is_prepared(self) -> bool:
        return self._has_all

    def prepare(self) -> None:
        """Make all folders; blocks for some tenths of a second, once in the life of a store. Any process may, at any time."""
        if self._all_made():
            return
        for folder in _FOLDERS:
            self._make(folder)
        for first in range(16):
            sync_folder(self._root / f"{first:x}")
        sync_folder(self._root)  # before the marker: whoever sees it relies on all of them
        sync_folder(self._root.parent)
        self._marker.touch()
        self._has_all = True

    def create(self, blob_id: BlobId, length: int | None) -> FileSink:
        """Raises FileExistsError (an id is used once), OSError (no room)."""
        path = self._path(blob_id)
        folder = f"{blob_id[0]}/{blob_id[1]}"
        if not self._has_all:
            self._make_folder(folder)
        return FileSink(
            path,
            length,
            folder=self._folder(folder),
            ahead=self._ahead if self._sync else None,
            warm=self._warm,
        )

    @contextmanager
    def open(self, blob_id: BlobId) -> Generator[FileSource]:
        try:
            descriptor = os.open(self._path(blob_id), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise Damaged(f"blob {blob_id} is missing") from None
        try:
            yield FileSource(blob_id, descriptor)
        finally:
            os.close(descriptor)

    def delete(self, blob_ids: Sequence[BlobId]) -> None:
        for blob_id in blob_ids:
            with suppress(FileNotFoundError):
                os.unlink(self._path(blob_id))  # noqa: PTH108  # a plain text is made in a fraction of a Path's time

    def list(self, *, before: datetime) -> Iterator[tuple[BlobId, int]]:
        limit = before.timestamp()
        for folder in _FOLDERS:
            with suppress(FileNotFoundError), os.scandir(self._root / folder) as entries:
                for entry in entries:
                    if not _ID.fullmatch(entry.name):
                        continue
                    with suppress(FileNotFoundError):  # deleted meanwhile
                        status = entry.stat(follow_symlinks=False)
                        if status.st_mtime < limit:
                            yield BlobId(entry.name), status.st_size

    def probe(self) -> None:
        blob_id, content = new_blob_id(), b"probe"
        try:
            sink = self.create(blob_id, len(content))
            sink.write(memoryview(content))
            sink.commit()
            with self.open(blob_id) as source:
                if source.read(0, len(content)) != content:
                    raise Damaged("a blob did not read back as it was written")
        finally:
            self.delete([blob_id])

    def _path(self, blob_id: BlobId) -> str:
        if _ID.fullmatch(blob_id) is None:
            raise ValueError("a blob id is 32 lower-case hex digits")
        return f"{self._root}/{blob_id[0]}/{blob_id[1]}/{blob_id}"

    def _folder(self, name: str) -> Folder:
        """Several threads that ask at once get the same."""
        known = self._folders.get(name)
        return known or self._folders.setdefault(name, Folder(self._root / name))

    def _all_made(self) -> bool:
        """Another process may have done it meanwhile."""
        self._has_all = self._has_all or self._marker.exists()
        return self._has_all

    def _make_folder(self, folder: str) -> None:
        """Also one that is there already: whoever made it may not have synced it yet."""
        if folder in self._durable or self._all_made():
            return
        made = self._make(folder)
        for holder in (made.parent, self._root, self._root.parent):
            sync_folder(holder)
        self._durable.add(folder)

    def _make(self, folder: str) -> Path:
        """The folders lie apart: making a file may cost as much as many were deleted near it (ADR 27)."""
        made = self._root / folder
        spread(self._root)
        made.parent.mkdir(exist_ok=True)
        spread(made.parent)
        made.mkdir(exist_ok=True)
        return made


class FileSink:
    """`ports.BlobSink`: reserves room ahead, and has what was written go to the disk while the next arrives; without `ahead` it may go there
    whenever the system likes."""

    def __init__(
        self, path: str, length: int | None, *, folder: Folder, ahead: Ahead | None, warm: Warm
    ) -> None:
        self._path = path
        self._warm = warm
        self._length = self._to_reserve = length or 0
        self._written = 0
        self._warmed = 0
        self._reserved = 0
        self._descriptor: int | None = os.open(path, _NEW, 0o600)
        self._on_its_way = None if ahead is None else OnItsWay(self._descriptor, folder, ahead)

    def write(self, data: memoryview) -> None:
        descriptor = self._open_descriptor()
        self._reserve(descriptor, self._written + len(data))
        while data:
            count = os.write(descriptor, data)
            self._written += count
            data = data[count:]
        if self._on_its_way is None:
            return
        is_last = self._written == self._length
        self._on_its_way.wrote(self._written, is_last=is_last)
        if not is_last and self._written - self._warmed >= _LONG_BYTES:
            self._tell_warm(self._written)

    def commit(self) -> None:
        descriptor = self._open_descriptor()
        try:
            if self._reserved > self._written:
                os.ftruncate(descriptor, self._written)
            if self._on_its_way is not None:
                self._on_its_way.finish(self._written)
            self._descriptor = None
            os.close(descriptor)
            if self._on_its_way is not None:
                self._tell_warm(self._written)
                if self._written > _LONG_BYTES:
                    self._warm.add(self._path, 0, 0)  # some of it may not have been on the disk in time
        except OSError:
            # After a failed sync the kernel may have dropped the pages: nothing of this file can be trusted.
            self.discard()
            raise

    def discard(self) -> None:
        if self._descriptor is not None:
            if self._on_its_way is not None:
                self._on_its_way.stop()
            with suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None
        with suppress(OSError):
            os.unlink(self._path)  # noqa: PTH108  # as above

    def _tell_warm(self, end: int) -> None:
        self._warm.add(self._path, self._warmed, end - self._warmed)
        self._warmed = end

    def _open_descriptor(self) -> int:
        assert self._descriptor is not None, "the blob was committed or discarded"
        return self._descriptor

    def _reserve(self, descriptor: int, needed: int) -> None:
        if needed <= self._reserved or self._reserved >= self._to_reserve:
            return
        if needed >= self._to_reserve and not self._reserved:
            return  # all of it is here: the write itself finds the room
        target = min(self._to_reserve, self._reserved + _RESERVE_BYTES)
        if allocate(descriptor, self._reserved, target - self._reserved):
            self._reserved = target
        else:
            self._to_reserve = 0  # not supported here: do not ask again


class FileSource:
    """`ports.BlobSource`; valid inside `with blobs.open(...)`."""

    def __init__(self, blob_id: BlobId, descriptor: int) -> None:
        self._blob_id = blob_id
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def read(self, offset: int, length: int) -> bytes:
        pieces: list[bytes] = []
        while length > 0:
            piece = os.pread(self._descriptor, length, offset)
            if not piece:
                raise Damaged(f"blob {self._blob_id} ends before byte {offset + length}")
            pieces.append(piece)
            offset += len(piece)
            length -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
