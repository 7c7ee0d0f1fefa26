"""Many records of one shape, kept column by column: an answer of a thousand entries is written without making a thousand objects."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic, Self, TypeVar, cast, overload

T = TypeVar("T")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
GAP: Final = b"\xff"  # between the texts of a column: no UTF-8 has this byte
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
    def of(cls, values: Iterable[object]) -> Self:
        return cls.cut([str(value).encode() for value in values])

    @classmethod
    def cut(cls, pieces: list[bytes]) -> Self:
        """Of texts that are single already."""
        column = cls(GAP.join(pieces), len(pieces))
        column._pieces = pieces
        return column

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
    __slots__ = ()

    def _at(self, place: int) -> int:
        return int(self.pieces[place])


class Moments(Column[datetime]):
    """Times, given as microseconds since 1970, not before."""

    __slots__ = ()

    def _at(self, place: int) -> datetime:
        return _EPOCH + timedelta(0, 0, int(self.pieces[place]))


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
