"""Bodies that are sent and compared: slices of one random block, with their sums known beforehand."""

from __future__ import annotations

import os
from typing import Final

from mossaic.protocol.checksum import crc64, md5_hex

KIB: Final = 1024
MIB: Final = 1024 * KIB
_BLOCK: Final = 72 * MIB
_APART: Final = 4168  # bytes from one slice to the next: no two slices are equal, none is aligned alike
DISTINCT: Final = 8  # slices in use of any size


class Contents:
    """Slice `index` modulo DISTINCT of a size up to 64 MiB."""

    def __init__(self) -> None:
        self._block = memoryview(os.urandom(_BLOCK))
        self._marks: dict[tuple[int, int], tuple[bytes, ...]] = {}

    def of(self, index: int, size: int) -> memoryview:
        start = index % DISTINCT * _APART
        return self._block[start : start + size]

    def marks(self, index: int, size: int) -> tuple[bytes, ...]:
        """What the head of an answer to an upload of it must contain, in lower case: ETag and CRC-64."""
        known = self._marks.get((index % DISTINCT, size))
        if known is None:
            body = self.of(index, size)
            known = (f'"{md5_hex(body).lower()}"'.encode(), f"crc64ecma: {crc64(body)}\r".encode())
            self._marks[index % DISTINCT, size] = known
        return known
