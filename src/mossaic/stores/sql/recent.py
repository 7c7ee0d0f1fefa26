"""Whether an object in the database has changed, and versions that were read a moment ago, for as long as none has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mossaic.model.names import BucketName, ObjectKey
    from mossaic.model.object import ObjectVersion
    from mossaic.stores.sql.changes import Changes, State
    from mossaic.stores.sql.statements import Reader

_TIMES: Final = "SELECT times FROM object_changes"
_MOST: Final = 4096  # versions
MOST_BYTES: Final = 24 * 1024 * 1024  # of their rows; with more than either all are forgotten
_OWN_BYTES: Final = 1024  # what a version costs besides its row's texts and blobs, about


class ObjectChanges:
    """How many commits have changed an object. `Changes` tells of every commit, whichever process made it, and the database then, how
    many of them those were: not one statement as long as nothing was committed."""

    __slots__ = ("_changes", "_read", "_state", "_times")

    def __init__(self, read: Reader, changes: Changes) -> None:
        self._read = read
        self._changes = changes
        self._state: State = -1
        self._times = -1

    def times(self) -> int:
        state = self._changes.state()
        if state != self._state:
            # Asked after that: of a commit between the two the next call hears again.
            self._times = self._read.all(_TIMES)[0][0]
            self._state = state
        return self._times


class Recent:
    """Current versions by name. A hot object costs one look instead of a row and its conversion. What is kept is what a read would find,
    and stays when nothing but parts was committed."""

    __slots__ = ("_changes", "_kept", "_most_bytes", "_times", "size")

    def __init__(self, changes: ObjectChanges, *, most_bytes: int = MOST_BYTES) -> None:
        self._changes = changes
        self._most_bytes = most_bytes
        self._kept: dict[tuple[BucketName, ObjectKey], ObjectVersion] = {}
        self.size = 0  # bytes, about
        self._times = -1

    def find(self, bucket: BucketName, key: ObjectKey) -> ObjectVersion | None:
        times = self._changes.times()
        if times != self._times:
            self._forget()
            self._times = times
        return self._kept.get((bucket, key))

    def keep(self, version: ObjectVersion, *, contents: int) -> None:
        """Which `find` did not have, and which was read since, in the same turn of the event loop. `contents`: bytes of its row."""
        size = _OWN_BYTES + contents
        if size > self._most_bytes:
            return
        if len(self._kept) >= _MOST or self.size + size > self._most_bytes:
            self._forget()
        self._kept[version.bucket, version.key] = version
        self.size += size

    def _forget(self) -> None:
        self._kept.clear()
        self.size = 0
