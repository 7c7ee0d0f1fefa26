"""Journals as files: one append-only file of JSON lines a name."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mossaic.client.store import lines
from mossaic.client.store.disk import (
    make_private,
    open_private,
    sync_directory,
    sync_file,
    user_state_dir,
    write_all,
)
from mossaic.client.store.hold import Busy, take
from mossaic.client.store.journal import SYNC_EVERY_S, Held, Journal, Log, StoreError, decode

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from mossaic.client.store.hold import Hold, Locking

_SUFFIX: Final = ".journal"
_SLUG: Final = 40  # characters


class File:
    """Journals in a directory, by default `user_state_dir()`; it is made when it is needed, for this user only.

    `locking`: "flock", or "file" (a lock file that exists) for file systems without it; "auto" takes what works.
    `sync_every_s`: the longest time between two syncs while records are appended.

    Crash: the end of this process loses nothing that `append` returned from; a power failure loses at most what was appended
    since the last sync. A torn end is cut off by the next `open`.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str] | None = None,
        *,
        locking: Locking = "auto",
        sync_every_s: float = SYNC_EVERY_S,
    ) -> None:
        try:
            chosen = user_state_dir() if directory is None else Path(directory)
        except RuntimeError as error:
            raise StoreError(f"no place for journals: {error}") from error
        self.directory: Path = Path(os.path.abspath(chosen))  # noqa: PTH100  # keeps symbolic links
        self._locking: Locking = locking
        self._sync_every_s = sync_every_s

    def open(self, name: str) -> Journal:
        path = self._path(name)
        with _failing("open", path):
            make_private(self.directory)
            try:
                hold = take(path.with_name(path.name + ".held"), self._locking)
            except Busy as busy:
                raise Held(name, busy.pid) from None
            try:
                return _FileJournal(name, path, hold, self._sync_every_s)
            except BaseException:
                hold.release()
                raise

    def names(self) -> Iterator[str]:
        with _failing("list", self.directory):
            found = os.listdir(self.directory) if self.directory.exists() else []  # noqa: PTH208  # paths are not needed
        for path in (self.directory / file for file in found if file.endswith(_SUFFIX)):
            name = _name_if_used(path)
            if name is not None and self._path(name) == path:
                yield name

    def peek(self, name: str) -> list[dict[str, object]]:
        path = self._path(name)
        with _failing("read", path):
            try:
                with path.open("rb") as file:
                    content = lines.read(file)
            except FileNotFoundError:
                return []
        return [decode(body) for body in content.bodies] if content.name == name else []

    def _path(self, name: str) -> Path:
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
        slug = re.sub(r"[^A-Za-z0-9._]+", "-", name).strip("-.")[-_SLUG:].strip("-.")
        return self.directory / f"{digest}{'-' if slug else ''}{slug}{_SUFFIX}"


class _FileJournal(Log):
    def __init__(self, name: str, path: Path, hold: Hold, sync_every_s: float) -> None:
        super().__init__(name, sync_every_s=sync_every_s)
        self._path = path
        self._new = path.with_name(path.name + ".new")
        self._hold = hold
        self._named = False  # whether the file's name is sure to be on the disk
        self._doubtful = False  # after a failed sync nobody knows what is on the disk, and the next one succeeds nevertheless
        self._start = lines.first_line(name)[1]
        self._descriptor = open_private(path, os.O_RDWR | os.O_CREAT)
        try:
            self._end = self._cut()
        except BaseException:
            os.close(self._descriptor)
            raise

    def _cut(self) -> lines.End:
        """Remove what a crash left; the end of what counts."""
        self._new.unlink(missing_ok=True)
        content = self._content()
        if content.name is not None and content.name != self.name:
            raise StoreError(f"the journal {self._path} was moved there: it is that of {content.name!r}")
        if os.fstat(self._descriptor).st_size > content.end.size:
            os.ftruncate(self._descriptor, content.end.size)
        if content.name is not None:
            return content.end
        line, end = lines.first_line(self.name)
        try:
            write_all(self._descriptor, line, 0)
        except OSError:
            with contextlib.suppress(OSError):
                self._path.unlink()
            raise
        return end

    def _content(self) -> lines.Content:
        with os.fdopen(os.dup(self._descriptor), "rb") as file:
            file.seek(0)
            return lines.read(file)

    def _read(self) -> list[bytes]:
        with _failing("read", self._path):
            return self._content().bodies

    def _write(self, body: bytes) -> None:
        line, end = lines.framed(body, self._end)
        with _failing("append to", self._path):
            try:
                write_all(self._descriptor, line, self._end.size)
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(self._descriptor, self._end.size)
                raise
        self._end = end  # in one step: an interrupt here leaves a line that the next one overwrites

    def _sync(self) -> None:
        with _failing("sync", self._path):
            if self._doubtful:
                with self._writing:
                    self._rewrite(self._read())
                return
            try:
                sync_file(self._descriptor)
            except OSError:
                self._doubtful = True
                raise
            self._sync_name()

    def _sync_name(self) -> None:
        if not self._named:
            sync_directory(self._path.parent)
            self._named = True

    def _rewrite(self, bodies: Sequence[bytes]) -> None:
        data, end = lines.written(self.name, bodies)
        with _failing("rewrite", self._path):
            descriptor = open_private(self._new, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
            try:
                write_all(descriptor, data, 0)
                sync_file(descriptor)
                self._new.replace(self._path)
            except BaseException:
                os.close(descriptor)
                with contextlib.suppress(OSError):
                    self._new.unlink()
                raise
            old, self._descriptor, self._end = self._descriptor, descriptor, end
            self._named = self._doubtful = False
            os.close(old)
            self._sync_name()

    def _remove(self) -> None:
        with _failing("remove", self._path):
            self._path.unlink(missing_ok=True)
            sync_directory(self._path.parent)

    def _release(self) -> None:
        try:
            if self._end == self._start:  # a name without records leaves nothing
                with contextlib.suppress(OSError):
                    self._path.unlink()
            os.close(self._descriptor)
        finally:
            self._hold.release()


def _name_if_used(path: Path) -> str | None:
    """The name in a file that has a record; None for anything else."""
    try:
        with path.open("rb") as file:
            good = lines.good_lines(file)
            name = lines.name_in(next(good, (b"",))[0])
            return name if next(good, None) else None
    except (OSError, StoreError):
        return None


@contextlib.contextmanager
def _failing(verb: str, path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"could not {verb} {path}: {error.strerror or error}") from error
