"""A stream's parts in a temporary file, so that a part can be sent again and memory stays flat whatever its size."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, Final

from mossaic.client.errors import SourceChanged
from mossaic.client.upload.source import CHUNK, FileSource
from mossaic.protocol.checksum import crc64

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mossaic.client.http import Scope
    from mossaic.client.upload.source import Stream

_NAME: Final = "mossaic-spool-"


class Spool:
    """One worker's place for the part it is sending. The file has no name: it goes with the process."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix=_NAME, buffering=0)  # noqa: SIM115  # open as long as its worker
        self.size = 0
        self.crc64 = 0

    def fill(self, stream: Stream, size: int, scope: Scope) -> bool:
        """Take up to `size` bytes; False when the stream has ended (there may be none). Raises OSError: no room."""
        self.size, self.crc64 = 0, 0
        descriptor = self._file.fileno()
        while self.size < size:
            scope.check()
            chunk = stream.next(min(CHUNK, size - self.size))
            if not chunk:
                return False
            self.crc64 = crc64(chunk, self.crc64)
            _write(descriptor, chunk, self.size)
            self.size += len(chunk)
        return True

    def chunks(self, offset: int, size: int, most: Callable[[int], int]) -> Iterator[memoryview]:
        """The bytes of the part; `offset` is that of the part in the stream and does not matter here."""
        if size != self.size:
            raise SourceChanged(f"the part has {self.size} bytes, not {size} (from {offset})")
        return FileSource(self._file.fileno(), owned=False).chunks(0, size, most)

    def close(self) -> None:
        self._file.close()


def _write(descriptor: int, chunk: memoryview, offset: int) -> None:
    while chunk:
        written = os.pwrite(descriptor, chunk, offset)
        chunk, offset = chunk[written:], offset + written
