"""Which bytes make which part. Pure: sizes in, pieces out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from mossaic.protocol.limits import MAX_PART_NUMBER, MAX_PART_SIZE, MIB, MIN_PART_SIZE

AUTO_PART_SIZE: Final = 8 * MIB
_IDEAL_PARTS: Final = 2000  # a listing of two pages, a checkpoint of some 200 KB
_PART_S: Final = 8.0  # what a lost connection may cost on a slow line, in seconds of sending
_SMALLEST_AUTO: Final = MIB
_GROWS_EVERY: Final = 1000  # parts of a stream, after which their size doubles

PartSize = int | Literal["auto"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Part `number` is the `size` bytes from `offset`."""

    number: int
    offset: int
    size: int

    @property
    def stop(self) -> int:
        return self.offset + self.size


def choose_part_size(asked: PartSize, size: int | None, *, goodput: float | None = None) -> int:
    """Bytes a part. `goodput`: bytes a second that one connection was last seen to move.

    "auto": 8 MiB, more for a file that would have over 2,000 parts, less (1 MiB at least) on a line so slow that a part took
    longer than some 8 s. A size that was asked for is raised only where 10,000 parts would not do, as ali-oss does.

    Raises ValueError: below 102,400 bytes or above 5 GiB; TypeError: not a whole number.
    """
    least = 0 if size is None else -(-size // MAX_PART_NUMBER)
    if asked != "auto":
        if isinstance(asked, bool) or not isinstance(asked, int):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without types
            raise TypeError(f"part_size must be a whole number of bytes or 'auto', not {asked!r}")
        if not MIN_PART_SIZE <= asked <= MAX_PART_SIZE:
            raise ValueError(f"part_size must be {MIN_PART_SIZE} to {MAX_PART_SIZE} bytes, not {asked}")
        return max(asked, least)
    chosen = AUTO_PART_SIZE
    if goodput is not None:
        chosen = max(_SMALLEST_AUTO, min(chosen, int(goodput * _PART_S) // MIB * MIB))
    if size is not None:
        chosen = max(
            chosen, _up_to_mib(-(-size // _IDEAL_PARTS)) if size > AUTO_PART_SIZE * _IDEAL_PARTS else 0
        )
        chosen = max(chosen, _up_to_mib(least))
    return min(chosen, MAX_PART_SIZE)


def _up_to_mib(count: int) -> int:
    return -(-count // MIB) * MIB


def piece_of(number: int, part_size: int, size: int) -> Piece:
    """Part `number` of a source of `size` bytes that is cut evenly. Raises ValueError for a part beyond its end."""
    offset = (number - 1) * part_size
    if number < 1 or (offset >= size and not (number == 1 and size == 0)):
        raise ValueError(f"part {number} lies beyond the {size} bytes of the source")
    return Piece(number=number, offset=offset, size=min(part_size, size - offset))


def part_count(part_size: int, size: int) -> int:
    """An empty source is one empty part."""
    return max(1, -(-size // part_size))


def stream_part_size(number: int, first: int) -> int:
    """Bytes of part `number` of a source whose end is not known: the size doubles every 1,000 parts, so that 10,000 reach far
    (8 TiB from 8 MiB)."""
    return min(MAX_PART_SIZE, first << ((number - 1) // _GROWS_EVERY))


def stream_offset(number: int, first: int) -> int:
    """Where part `number` of such a source begins."""
    whole, rest = divmod(number - 1, _GROWS_EVERY)
    before = sum(_GROWS_EVERY * stream_part_size(block * _GROWS_EVERY + 1, first) for block in range(whole))
    return before + rest * stream_part_size(number, first)
