"""Our `dataclass` beside the standard library's: the same class but for the time it takes to make."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from dataclasses import field, fields, is_dataclass, replace
from typing import Any, Generic, TypeVar

import pytest

from mossaic import quick

T = TypeVar("T")


@quick.dataclass(frozen=True, slots=True, kw_only=True)
class Point(Generic[T]):
    """A value with defaults of both kinds."""

    x: int
    y: T
    tags: list[str] = field(default_factory=list[str])
    name: str = "p"


@quick.dataclass(frozen=True, slots=True)
class Pair:
    first: int
    second: int = 2


@quick.dataclass(frozen=True, slots=True, kw_only=True)
class Further(Point[int]):
    z: int = 3

    def __repr__(self) -> str:
        return "further"


@quick.dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """No field."""


@quick.dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    secret: str = field(repr=False)


@quick.dataclass(slots=True, kw_only=True)
class Changing:
    count: int = 0


def test_it_is_a_dataclass() -> None:
    point = Point(x=1, y="b")

    assert is_dataclass(point)
    assert [each.name for each in fields(point)] == ["x", "y", "tags", "name"]
    assert repr(point) == "Point(x=1, y='b', tags=[], name='p')"
    assert replace(point, x=2) == Point(x=2, y="b")
    assert dataclasses.asdict(point) == {"x": 1, "y": "b", "tags": [], "name": "p"}
    assert point.tags is not Point(x=1, y="b").tags


def test_values_are_equal_and_hash_by_their_fields() -> None:
    assert Pair(1) == Pair(1, 2)
    assert hash(Pair(1)) == hash(Pair(1, 2))
    assert Pair(1) != Pair(2)
    assert Pair(1) != (1, 2)
    assert Nothing() == Nothing()
    assert len({Nothing(), Nothing()}) == 1
    with pytest.raises(TypeError):
        hash(Point(x=1, y=1))  # a list inside


def test_nothing_changes() -> None:
    pair: Any = Pair(1)

    for name in ("first", "third"):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(pair, name, 2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        del pair.first
    assert not hasattr(pair, "__dict__")


def test_keyword_only_means_it() -> None:
    make: Any = Point

    with pytest.raises(TypeError):
        make(1, 2)
    with pytest.raises(TypeError):
        make(x=1)


def test_it_can_be_inherited_copied_and_pickled() -> None:
    further = Further(x=1, y=2)

    assert repr(further) == "further"
    assert further != Point(x=1, y=2)
    for same in (copy.copy(further), copy.deepcopy(further), pickle.loads(pickle.dumps(further))):
        assert same == further
        assert same is not further


def test_what_it_does_not_know_is_left_to_the_standard_library() -> None:
    changing = Changing()
    changing.count += 1

    assert changing == Changing(count=1)
    assert "secret" not in repr(Hidden(secret="x"))
    assert Hidden.__dataclass_params__.frozen  # type: ignore[attr-defined]  # what the standard library keeps
