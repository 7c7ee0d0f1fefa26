"""Many records of one shape, kept column by column: an answer of a thousand entries is written without making a thousand objects."""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Final, Generic, Self, TypeVar, cast, overload

T = TypeVar("T")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
GAP: Final = b"\xff"  # between the texts of a column: no UTF-8 has this byte
WORD_BYTES: Final = 8
COMMA: Final = b","  # where no text has one: numbers, digests, words of ours


class Lazy(Sequence[T], ABC, Generic[T]):
    """`count` values, each made when somebody asks for it."""

    __slots__ = ("_places",)

    def __init__(self, count: int) -> None:
        self._places = range(count)

    @abstractmethod
    def _at(self, place: int) -> T: ...

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[T, ...]: ...
    def __getitem__(self, place: int | slice) -> T | tuple[T, ...]:
        if isinstance(place, slice):
            return tuple(map(self._at, self._places[place]))
        return self._at(self._places[place])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return tuple(self) == tuple(cast("Sequence[object]", other))

    def __hash__(self) -> int:
        return hash(tuple(self))


class Made(Lazy[T]):
    """Values that a function of their place makes."""

    __slots__ = ("_make",)

    def __init__(self, count: int, make: Callable[[int], T]) -> None:
        super().__init__(count)
        self._make = make

    def _at(self, place: int) -> T:
        return self._make(place)


class Column(Lazy[T]):
    """The values of a field as `whole`: one UTF-8 text, with a `gap` of one byte between two values. So a database gives a thousand
    values in one piece, and what is to be known of all of them is found by one look at it."""

    __slots__ = ("_pieces", "gap", "whole")

    def __init__(self, whole: bytes, count: int, gap: bytes = GAP) -> None:
        super().__init__(count)
        self.whole = whole
        self.gap = gap
        self._pieces: list[bytes] | None = None

    @classmethod
    def of(cls, values: Iterable[object], gap: bytes = GAP) -> Self:
        return cls.cut([str(value).encode() for value in values], gap)

    @classmethod
    def cut(cls, pieces: list[bytes], gap: bytes = GAP) -> Self:
        """Of texts that are single already."""
        column = cls(gap.join(pieces), len(pieces), gap)
        column._pieces = pieces
        return column

    def __eq__(self, other: object) -> bool:
        value = other
        if isinstance(value, Column):
            same = cast("Column[Any]", value)  # type: ignore[redundant-cast]  # pyright needs it; Any: of any values
            if (self.gap, self.whole, len(self)) == (same.gap, same.whole, len(same)):
                return True
        return super().__eq__(other)  # one number may have several texts

    def __hash__(self) -> int:
        return super().__hash__()

    @property
    def pieces(self) -> list[bytes]:
        """The text of each."""
        if self._pieces is None:
            self._pieces = self.whole.split(self.gap) if self else []
        return self._pieces

    def common(self) -> bytes | None:
        """The text that all of them are; None when they differ, or there are none."""
        if not self:
            return None
        first, _, _ = self.whole.partition(self.gap)
        period = len(first) + 1
        if len(self.whole) != period * len(self) - 1:
            return None
        # They are alike when the whole, moved on by one of them, is itself.
        return first if self.whole[period:] == self.whole[:-period] else None


class Texts(Column[str]):
    __slots__ = ()

    def _at(self, place: int) -> str:
        return self.pieces[place].decode()


class Numbers(Column[int]):
    __slots__ = ("_runs",)

    def __init__(self, whole: bytes, count: int, gap: bytes = GAP) -> None:
        super().__init__(whole, count, gap)
        self._runs: list[tuple[int, int]] | None = None

    def _at(self, place: int) -> int:
        return int(self.pieces[place])

    def runs(self) -> Sequence[tuple[int, int]]:
        """Each value, and how often it follows itself. Quick where all but the last are alike."""
        if self._runs is None:
            self._runs = self._counted()
        return self._runs

    def _counted(self) -> list[tuple[int, int]]:
        first, others = self.whole.partition(self.gap)[0], len(self) - 1
        last = self.whole.rpartition(self.gap)[2]
        if others > 0 and first != last and self.whole == (first + self.gap) * others + last:
            return [(int(first), others), (int(last), 1)]
        if (alike := self.common()) is not None:
            return [(int(alike), len(self))]
        return [(value, sum(1 for _ in run)) for value, run in groupby(map(int, self.pieces))]


class Words(Lazy[int]):
    """Numbers of 64 bits without a sign, as `whole`: 8 bytes each, the lowest first."""

    __slots__ = ("whole",)

    def __init__(self, whole: bytes = b"") -> None:
        super().__init__(len(whole) // WORD_BYTES)
        self.whole = whole

    @classmethod
    def of(cls, values: Sequence[int]) -> Self:
        return cls(struct.pack(f"<{len(values)}Q", *values))

    def _at(self, place: int) -> int:
        return int.from_bytes(self.whole[place * WORD_BYTES : (place + 1) * WORD_BYTES], "little")


class Moments(Column[datetime]):
    """Times as lists show them: whole seconds since 1970, not before."""

    __slots__ = ()

    def _at(self, place: int) -> datetime:
        return _EPOCH + timedelta(0, int(self.pieces[place]))


class Records(Lazy[T]):
    """Records of `shape`. `columns`: values of a field, one for each record; `same`: fields that are alike in all of them."""

    __slots__ = ("columns", "same", "shape")

    def __init__(self, shape: type[T], columns: Mapping[str, Sequence[object]], **same: object) -> None:
        super().__init__(min(map(len, columns.values())))
        self.shape = shape
        self.columns = columns
        self.same = same

    def _at(self, place: int) -> T:
        own: dict[str, Any] = {
            name: column[place] for name, column in self.columns.items()
        }  # Any: of any type
        return self.shape(**own, **self.same)
