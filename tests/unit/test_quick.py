"""Our `dataclass` beside the standard library's: the same class but for when its methods are made."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import field, fields, is_dataclass, replace
from typing import Any, ClassVar, Generic, TypeVar

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
    seen: list[int] = field(default_factory=list[int], init=False, compare=False)


@quick.dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class Watched:
    KIND: ClassVar[str] = "watched"

    value: int


@quick.dataclass(frozen=True)
class Open:
    value: int


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


def test_what_is_not_frozen_changes_and_has_no_hash() -> None:
    changing: Any = Changing()
    changing.count += 1
    changing.seen.append(1)

    assert changing == Changing(count=1)
    assert Changing.__hash__ is None
    assert not hasattr(changing, "__dict__")
    with pytest.raises(TypeError):
        Changing(seen=[1])  # type: ignore[call-arg]  # not a parameter
    for same in (copy.copy(changing), pickle.loads(pickle.dumps(changing))):
        assert (same.count, same.seen) == (1, [1])


def test_what_a_field_says_of_itself_holds() -> None:
    assert "secret" not in repr(Hidden(secret="x"))
    assert weakref.ref(watched := Watched(value=1))() is watched
    assert [each.name for each in fields(Watched)] == ["value"]
    assert Watched.KIND == "watched"


def test_values_can_be_matched_by_place() -> None:
    given: object = Pair(1, 3)

    match given:
        case Pair(first, second):
            found = (first, second)

    assert found == (1, 3)


def test_the_standard_library_takes_it_for_one_of_its_own() -> None:
    @dataclasses.dataclass(frozen=True)
    class Wide(Pair):
        third: int = 4

    assert [each.name for each in fields(Wide)] == ["first", "second", "third"]
    assert list(inspect.signature(Point).parameters) == ["x", "y", "tags", "name"]
    with pytest.raises(TypeError, match="frozen"):
        dataclasses.dataclass(type("Loose", (Pair,), {}))


def test_what_it_does_not_know_is_left_to_the_standard_library() -> None:
    assert hasattr(Open(1), "__dict__")
    assert Open(1) == Open(1)


def test_methods_are_made_once_and_only_when_they_are_used() -> None:
    @quick.dataclass(frozen=True, slots=True)
    class Fresh:
        value: int

    parts = ("__init__", "__eq__", "__hash__", "__repr__", "__dataclass_fields__")
    before = [type(vars(Fresh)[name]).__name__ for name in parts]
    made = Fresh(1)
    after = [type(vars(Fresh)[name]).__name__ for name in parts]

    assert before == ["_Later"] * 5
    assert after == ["function", "_Later", "_Later", "_Later", "_Later"]
    assert Fresh.__init__ is vars(Fresh)["__init__"]
    assert made == Fresh(1)


def test_the_first_use_may_be_in_several_threads() -> None:
    for _ in range(20):

        @quick.dataclass(frozen=True, slots=True)
        class Fresh:
            first: int
            second: int = 2

        start = threading.Barrier(4)

        def make(kind: type[Any] = Fresh, start: threading.Barrier = start) -> str:
            start.wait(60)
            return repr(kind(1))

        with ThreadPoolExecutor(4) as pool:
            found = [job.result() for job in [pool.submit(make) for _ in range(4)]]

        assert {text.rpartition(".")[2] for text in found} == {"Fresh(first=1, second=2)"}
