"""Open uploads by what a client says of them."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final

from mossaic.model.names import ObjectKey, UploadId

if TYPE_CHECKING:
    from collections.abc import Callable

    from mossaic.model.bucket import Bucket
    from mossaic.model.upload import Upload
    from mossaic.ports import Uploads

_ID: Final = re.compile(r"[0-9A-F]{32}")
_OF_LATE_S: Final = 1.0
_MOST: Final = 256  # uploads of late; with more all are forgotten


def is_upload_id(text: str) -> bool:
    """Of the form that `model.upload.new_upload_id` gives."""
    return _ID.fullmatch(text) is not None


class OpenUploads:
    """Looks them up, and keeps those that parts were sent to of late, for more parts and their Complete: each part is a commit, after which
    SQLite reads every page anew."""

    def __init__(self, metadata: Uploads, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._metadata = metadata
        self._monotonic = monotonic
        self._of_late: dict[str, tuple[Upload, float]] = {}  # and when it was read

    async def find(self, bucket: Bucket, key: str, upload_id: str) -> Upload | None:
        """None also when the upload is one of another key."""
        if not is_upload_id(upload_id):
            return None
        return await self._metadata.upload(bucket.name, ObjectKey(key), UploadId(upload_id))

    async def find_of_late(self, bucket: Bucket, key: str, upload_id: str) -> Upload | None:
        """As `find`, but one that another process has closed may be found for a second more. For who ends with a step that sees for
        itself whether the upload is open; nothing else of an upload ever changes."""
        now = self._monotonic()
        known, read_at = self._of_late.get(upload_id, (None, now))
        if (
            known is not None
            and now - read_at < _OF_LATE_S
            and (known.bucket, known.key) == (bucket.name, key)
        ):
            return known
        found = await self.find(bucket, key, upload_id)
        if found is not None:
            if len(self._of_late) >= _MOST:
                self._of_late.clear()
            self._of_late[upload_id] = (found, now)
        return found

    def forget(self, upload_id: str) -> None:
        """It was closed, or turned out to be."""
        self._of_late.pop(upload_id, None)
