"""MD5 and CRC-64 of bodies that nobody reads: every body is one block repeated, so its length says all."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from mossaic.protocol.checksum import crc64, crc64_join


class Sum(NamedTuple):
    """`etag`: MD5 as upper-case hex, bare."""

    etag: str
    crc64: int


class Sums:
    """Holds for bodies that begin where a block of the file begins: parts must be whole blocks, the last one excepted."""

    def __init__(self, block: bytes, *, wrong: bool = False) -> None:
        self._block = block
        self._lie = int(wrong)
        self._known: dict[int, Sum] = {}

    def of(self, length: int) -> Sum:
        """Computed once a length, at some 700 MB/s; `of` all expected lengths before the clock starts."""
        if length not in self._known:
            self._known[length] = self._computed(length)
        return self._known[length]

    def _computed(self, length: int) -> Sum:
        digest, value = hashlib.md5(usedforsecurity=False), 0
        whole, rest = divmod(length, len(self._block))
        for piece in (*(self._block for _ in range(whole)), self._block[:rest]):
            digest.update(piece)
            value = crc64(piece, value)
        return Sum(digest.hexdigest().upper(), value ^ self._lie)

    def joined(self, lengths: list[int]) -> int:
        """CRC-64 of bodies of these lengths, one after the other."""
        return crc64_join([(self.of(length).crc64, length) for length in lengths])
