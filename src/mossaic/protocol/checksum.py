"""CRC-64, MD5 and ETags: what clients compare, and how the CRC of a whole follows from the CRCs of its parts.

OSS API: `x-oss-hash-crc64ecma` is CRC-64/XZ (ECMA-182 polynomial, reflected, all ones in and out); here an int in
0 … 2**64 - 1. MD5 values are upper-case hex, as ETags carry them. Where no MD5 is made, the ETag of a part or object is its
CRC-64 and size in the form of an ETag that no client takes for an MD5.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections import Counter
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final, Literal

from fastcrc import crc64 as _fastcrc

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Bytes = bytes | bytearray | memoryview
    Tables = tuple[tuple[int, ...], ...]

EtagKind = Literal["md5", "crc64"]

_MD5: Final = re.compile(r"[0-9A-F]{32}")
_REFLECTED_POLYNOMIAL: Final = 0xC96C5795D7870F42  # 0x42F0E1EBA9EA3693 with its bits in reverse
_ONE: Final = 1 << 63  # the polynomial 1, reflected
_WORTH_TABLES: Final = 8  # pieces of one length from which tables for just that length pay
_WORTH_PLANES: Final = 128  # neighbours of one length from which it pays to fold them all at once
_EVERY: Final = tuple(
    sum(1 << 64 * place for place in range(1 << bit)) for bit in range(8)
)  # 1, in 2**bit numbers of 64 bits


def crc64(data: Bytes, value: int = 0) -> int:
    """CRC-64 of `data`, going on from `value`, the CRC of what came before it. Releases the GIL."""
    return _fastcrc.xz(data, value)


class Sums:
    """Size (bytes), CRC-64 and, where it is wanted, MD5 of bytes that come piece by piece."""

    __slots__ = ("_md5", "crc64", "size")

    def __init__(self, *, md5: bool) -> None:
        self.size = 0
        self.crc64 = 0
        self._md5 = hashlib.md5(usedforsecurity=False) if md5 else None

    def add(self, piece: Bytes) -> None:
        """Releases the GIL while it works."""
        self.size += len(piece)
        self.crc64 = crc64(piece, self.crc64)
        if self._md5 is not None:
            self._md5.update(piece)

    @property
    def md5(self) -> str | None:
        """None: was not wanted."""
        return None if self._md5 is None else self._md5.hexdigest().upper()


def md5_hex(data: Bytes) -> str:
    """MD5 of `data`: the usual ETag of a part and of an object that was put in one piece."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest().upper()


def crc64_etag(crc: int, size: int) -> str:
    """The ETag of a part or object whose MD5 is not made: CRC-64 and size, 16 hex digits each, and `-0`.

    It looks like the ETag of an upload of no parts. Clients take such ETags for what they are, opaque; 32 hex digits alone
    they may compare with an MD5 of their own.
    """
    return f"{crc:016X}{size:016X}-0"


def md5_of_part(etag: str) -> str | None:
    """The MD5 that a part's ETag is; None for one that is made of a CRC-64."""
    return etag if _MD5.fullmatch(etag) else None


def multipart_etag(etags: Iterable[str]) -> str:
    """The ETag of a completed upload: MD5 over its parts' bare ETags as upper-case text, a hyphen, their number.

    Not S3's formula, which hashes the binary digests (recorded in oss2's tests/test_mock_multipart.py).
    """
    listed = list(etags)
    return joined_etag("".join(listed).encode("ascii"), len(listed))


def joined_etag(etags: bytes, count: int) -> str:
    """As `multipart_etag`, of so many ETags as one text."""
    return f"{md5_hex(etags.upper())}-{count}"


def crc64_combine(crc_a: int, crc_b: int, length_b: int) -> int:
    """CRC-64 of A followed by B, from that of each and the length of B in bytes; no byte is read."""
    return _shift(crc_a, length_b) ^ crc_b


def crc64_join(pieces: Sequence[tuple[int, int]]) -> int:
    """CRC-64 of pieces in order, each given by its CRC and its length in bytes.

    10,000 equal pieces take some 4 ms, 10,000 whose lengths change all the time some 20 ms.
    """
    crcs = struct.pack(f"<{len(pieces)}Q", *map(itemgetter(0), pieces))
    lengths = groupby(map(itemgetter(1), pieces))
    return crc64_join_runs(crcs, [(length, sum(1 for _ in run)) for length, run in lengths])


def crc64_join_runs(crcs: bytes, runs: Sequence[tuple[int, int]]) -> int:
    """As `crc64_join`. `crcs`: 8 bytes each, the lowest first; `runs`: a length in bytes, and how many pieces in a row have it."""
    shared = Counter[int]()
    for length, count in runs:
        shared[length] += count
    tables = {length: _tables(length) for length, count in shared.items() if count >= _WORTH_TABLES}
    whole = start = 0
    for length, count in runs:
        stop = start + 8 * count
        if count >= _WORTH_PLANES:
            before = _product(whole, _shift_of_one(length * count)) if whole else 0
            whole = before ^ _fold(crcs[start:stop], length)
        else:
            own = tables.get(length)
            for crc in struct.unpack(f"<{count}Q", crcs[start:stop]):
                whole = (_look_up(own, whole) if own else _shift(whole, length)) ^ crc
        start = stop
    return whole


def _fold(crcs: bytes, length: int) -> int:
    """CRC-64 of many pieces of one length: pairs of neighbours are joined, all at once, until few are left.

    The CRCs lie as eight planes, one for each of their bytes; multiplying all of them is 64 calls of `translate`.
    """
    planes = [crcs[byte::8] for byte in range(8)]
    while len(planes[0]) >= _WORTH_PLANES:
        if len(planes[0]) % 2:
            planes = [b"\0" + plane for plane in planes]  # a CRC of 0 in front changes nothing
        count = len(planes[0]) // 2
        maps = _plane_maps(length)
        joined = [int.from_bytes(plane[1::2], "little") for plane in planes]
        for plane, row in zip(planes, maps, strict=True):
            firsts = plane[::2]
            for byte, table in enumerate(row):
                joined[byte] ^= int.from_bytes(firsts.translate(table), "little")
        planes = [number.to_bytes(count, "little") for number in joined]
        length *= 2
    tables, whole = _tables(length), 0
    for values in zip(*planes, strict=True):
        whole = _look_up(tables, whole) ^ int.from_bytes(values, "little")
    return whole


@lru_cache(maxsize=64)
def _plane_maps(length: int) -> tuple[tuple[bytes, ...], ...]:
    """The tables of `length` for `bytes.translate`: which byte of a CRC adds what to which byte of the product."""
    packed = _packed_tables(_columns(_shift_of_one(length)))
    return tuple(tuple(table[byte::8] for byte in range(8)) for table in packed)


def _shift(crc: int, length: int) -> int:
    """What `crc` becomes when `length` bytes follow: one step for each 1 in the binary length."""
    exponent = 0
    while length:
        if length & 1:
            crc = _look_up(_doubling(exponent), crc)
        length >>= 1
        exponent += 1
    return crc


def _look_up(tables: Tables, crc: int) -> int:
    """A linear map of 64 bits, as eight tables of 256: one for each byte of `crc`, lowest first."""
    t0, t1, t2, t3, t4, t5, t6, t7 = tables
    b0, b1, b2, b3, b4, b5, b6, b7 = crc.to_bytes(8, "little")
    return t0[b0] ^ t1[b1] ^ t2[b2] ^ t3[b3] ^ t4[b4] ^ t5[b5] ^ t6[b6] ^ t7[b7]


@lru_cache(maxsize=64)
def _doubling(exponent: int) -> Tables:
    """Tables for 2**exponent bytes."""
    return _times(_power(exponent))


@lru_cache(maxsize=32)
def _tables(length: int) -> Tables:
    return _times(_shift_of_one(length))


def _shift_of_one(length: int) -> int:
    """What `length` zero bytes multiply a CRC by. No tables are made for it: most of them would be used once."""
    factor, exponent = _ONE, 0
    while length:
        if length & 1:
            factor = _product(factor, _power(exponent))
        length >>= 1
        exponent += 1
    return factor


@lru_cache(maxsize=64)
def _power(exponent: int) -> int:
    """What 2**exponent zero bytes multiply a CRC by: x to the power of eight times that."""
    if exponent == 0:
        return _ONE >> 8
    half = _power(exponent - 1)
    return _product(half, half)


def _product(first: int, second: int) -> int:
    product = 0
    for bit in range(63, -1, -1):
        if first >> bit & 1:
            product ^= second
        second = _times_x(second)
    return product


def _times(factor: int) -> Tables:
    """Tables of the product with `factor`."""
    return tuple(struct.unpack("<256Q", table) for table in _packed_tables(_columns(factor)))


def _columns(factor: int) -> list[int]:
    """The product of `factor` with each single bit; a reflected polynomial has x**0 in its highest bit."""
    columns = [0] * 64
    for bit in range(63, -1, -1):
        columns[bit] = factor
        factor = _times_x(factor)
    return columns


def _times_x(value: int) -> int:
    return (value >> 1) ^ (_REFLECTED_POLYNOMIAL if value & 1 else 0)


def _packed_tables(columns: Sequence[int]) -> list[bytes]:
    """The tables of a linear map, from its value for each single bit: 256 values of 8 bytes for each byte of a CRC.

    A table is one number of 2,048 bytes, made in eight steps: the values so far, and behind them the same with one more bit.
    """
    tables: list[bytes] = []
    for byte in range(8):
        values, size = 0, 64  # bits
        for bit, every in enumerate(_EVERY):
            values |= (values ^ columns[8 * byte + bit] * every) << size
            size *= 2
        tables.append(values.to_bytes(2048, "little"))
    return tables
