"""Versions that were read a moment ago, for as long as nothing in the database has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mossaic.model.names import BucketName, ObjectKey
    from mossaic.model.object import ObjectVersion
    from mossaic.stores.sql.changes import State

_MOST: Final = 4096  # versions
MOST_BYTES: Final = 24 * 1024 * 1024  # of contents and manifests; with more than either all are forgotten
_OWN_BYTES: Final = 1024  # what a version costs besides them, about


class Recent:
    """Current versions by name. `Changes` tells of every commit, whichever process made it, so what is kept is what a read
    would find; a hot object costs one look instead of a row and its conversion."""

    __slots__ = ("_kept", "_most_bytes", "_state", "size")

    def __init__(self, *, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: dict[tuple[BucketName, ObjectKey], ObjectVersion] = {}
        self.size = 0  # bytes, about
        self._state: State = -1

    def find(self, bucket: BucketName, key: ObjectKey, state: State) -> ObjectVersion | None:
        """`state`: of the database now."""
        if state != self._state:
            self._forget()
            self._state = state
        return self._kept.get((bucket, key))

    def keep(self, version: ObjectVersion, state: State) -> None:
        """`state`: of the database before `version` was read."""
        size = _OWN_BYTES + len(version.inline or b"") + len(version.manifest.packed)
        if state != self._state or size > self._most_bytes:
            return
        if len(self._kept) >= _MOST or self.size + size > self._most_bytes:
            self._forget()
        self._kept[version.bucket, version.key] = version
        self.size += size

    def _forget(self) -> None:
        self._kept.clear()
        self.size = 0
