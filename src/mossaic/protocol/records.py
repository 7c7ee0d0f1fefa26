"""Many records of one shape, kept column by column: an answer of a thousand entries is written without making a thousand objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic, TypeVar, cast, overload

T = TypeVar("T")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Lazy(Sequence[T], Generic[T]):
    """`count` values, each made by `at(place)` when somebody asks for it."""

    __slots__ = ("_at", "_places")

    def __init__(self, count: int, at: Callable[[int], T]) -> None:
        self._places = range(count)
        self._at = at

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


class Moments(Lazy[datetime]):
    """Times, given as microseconds since 1970."""

    __slots__ = ("micros",)

    def __init__(self, micros: Sequence[int]) -> None:
        super().__init__(len(micros), lambda place: _EPOCH + timedelta(0, 0, micros[place]))
        self.micros = micros


class Records(Lazy[T]):
    """Records of `shape`. `columns`: values of a field, one for each record; `same`: fields that are alike in all of them."""

    __slots__ = ("columns", "same", "shape")

    def __init__(self, shape: type[T], columns: Mapping[str, Sequence[object]], **same: object) -> None:
        self.shape = shape
        self.columns = columns
        self.same = same
        super().__init__(min(map(len, columns.values())), self._record)

    def _record(self, place: int) -> T:
        own: dict[str, Any] = {
            name: column[place] for name, column in self.columns.items()
        }  # Any: of any type
        return self.shape(**own, **self.same)
