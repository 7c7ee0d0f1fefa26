"""`dataclass` as the standard library has it, for slotted classes whose methods are made when they are first used.

The standard one compiles up to six methods for each class, which takes 0.7 ms; the service and the SDK have 300 such classes, and
most of them are not used before the first answer. Here a class costs 20 us, and then 0.1 ms once it is used. `fields()`, `replace()`,
`is_dataclass()`, `inspect.signature` and type checkers know no difference, except that a mistake in a class (a default before none,
a list as a default) is found with its first use.

`msgspec.Struct` is made as fast, and a third faster in a request; but the shapes are the SDK's as well, which has no such dependency
and whose users may ask for `fields()` and `replace()`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import MISSING, Field, field, fields
from inspect import get_annotations
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from dataclasses import dataclass as dataclass  # noqa: PLC0414  # what type checkers take it for

T = TypeVar("T")

_KNOWN: Final = frozenset({"frozen", "slots", "kw_only", "eq", "weakref_slot"})
_NO_FIELD: Final = ("ClassVar", "typing.ClassVar")
_DECLARED: Final = (
    "__declared__"  # where a class keeps the names of its own fields, their defaults, its options
)
_SPECIAL: Final = ("InitVar", "KW_ONLY", "dataclasses.")

if not TYPE_CHECKING:

    def dataclass(**options: bool) -> Callable[[type[T]], type[T]]:
        """Class decorator with the options of `dataclasses.dataclass`, which makes what is not slotted or has a `__post_init__`."""

        def decorate(cls: type[T]) -> type[T]:
            plain = options.get("slots") and _KNOWN.issuperset(options) and not hasattr(cls, "__post_init__")
            if plain and all(
                isinstance(kind, str) and not kind.startswith(_SPECIAL)
                for kind in get_annotations(cls).values()
            ):
                return quick(cls, **options)
            return dataclasses.dataclass(cls, **options)

        return decorate


def quick(cls: Any, **options: bool) -> Any:  # Any: a class before and after
    """`cls` made anew with slots and the methods of a dataclass. Its annotations are texts, none of them an InitVar."""
    space: dict[str, Any] = dict(cls.__dict__)  # Any: all that a class can have
    space.pop("__dict__", None)  # the descriptors of what slots replace
    space.pop("__weakref__", None)
    names = [name for name, kind in get_annotations(cls).items() if not kind.startswith(_NO_FIELD)]
    defaults = {name: space.pop(name) for name in names if name in space}
    taken = {name for base in cls.__mro__[1:-1] for name in base.__dict__.get("__slots__", ())}
    slots = [name for name in names if name not in taken]
    if options.get("weakref_slot"):
        slots.append("__weakref__")
    space |= {
        "__slots__": tuple(slots),
        "__qualname__": cls.__qualname__,
        _DECLARED: (names, defaults, options),
    }
    for name, later in _LATER.items():
        space.setdefault(name, later)
    if options.get("eq", True):
        space.setdefault("__eq__", _EQ)
        space["__hash__"] = space.get("__hash__") or (_HASH if options.get("frozen") else None)
    if options.get("frozen"):
        space |= {"__setattr__": _refuse, "__delattr__": _refuse, "__reduce__": _taken_apart}
    return type(cls)(cls.__name__, cls.__bases__, space)


class _Later:
    """What a class has once somebody asks for it: made of the class then, and from then on in this one's place."""

    __slots__ = ("_make", "_name")

    def __init__(self, name: str, make: Callable[[Any], object]) -> None:  # Any: one of our dataclasses
        self._name = name
        self._make = make

    def __get__(self, instance: object, owner: type[Any]) -> Any:  # Any: of any class, what was made
        for home in owner.__mro__:
            if home.__dict__.get(self._name) is self:  # else another thread was faster
                setattr(home, self._name, self._make(home))
        return getattr(owner if instance is None else instance, self._name)


def _declared(made: type[Any]) -> dict[str, Field[Any]]:  # Any: of any dataclass
    """What is said of the fields of the bases and of its own: all that methods are made of."""
    found: dict[str, Field[Any]] = {}  # Any: of any type
    for base in reversed(made.__mro__):
        if _DECLARED not in base.__dict__:
            found |= base.__dict__.get("__dataclass_fields__", {})
            continue
        names, defaults, options = base.__dict__[_DECLARED]
        for name in names:
            value: Any = defaults.get(name, MISSING)  # Any: of any type
            found[name] = value if isinstance(value, Field) else field(default=value)
            found[name].kw_only = options.get("kw_only", False)
    return found


def _fields_of(made: type[Any]) -> dict[str, Field[Any]]:  # Any: of any dataclass
    """The fields of the bases, then its own, which the standard library makes of a class that has only them."""
    found: dict[str, Field[Any]] = {}  # Any: of any type
    for base in made.__mro__[-1:0:-1]:
        found |= getattr(base, "__dataclass_fields__", {})
    _, defaults, options = made.__dict__[_DECLARED]
    said = {"__annotations__": get_annotations(made), "__module__": made.__module__, "__doc__": "-"}
    own: Any = type(made.__name__, (), said | defaults)  # Any: as above
    found |= _bare(own, kw_only=options.get("kw_only", False)).__dataclass_fields__
    return found


def _parameters_of(made: type[Any]) -> object:  # Any: one of our dataclasses
    """What the standard library looks at in a base."""
    options = made.__dict__[_DECLARED][2]
    said = {name: options[name] for name in ("frozen", "eq", "kw_only") if name in options}
    return _bare(type(made.__name__, (), {"__doc__": "-"}), **said).__dataclass_params__


def _bare(cls: Any, **options: bool) -> Any:  # Any: a class before and after
    return dataclasses.dataclass(cls, **({"init": False, "repr": False, "eq": False} | options))


def _init_of(made: Any) -> Any:  # Any: a dataclass and its method
    """`def __init__(self, *, a, b=…)`, compiled from the fields. Names come from class bodies, never from input."""
    frozen = made.__dict__[_DECLARED][2].get("frozen", False)
    scope: dict[str, Any] = {}  # Any: defaults of fields of any type
    positional: list[str] = ["self"]
    named: list[str] = []
    lines: list[str] = []
    for name, each in _declared(made).items():
        scope[f"_{name}"] = each.default if each.default is not MISSING else each.default_factory
        optional = scope[f"_{name}"] is not MISSING
        if each.init:
            (named if each.kw_only else positional).append(f"{name}=_{name}" if optional else name)
        elif not optional:
            continue
        value = name if each.init else f"_{name}"
        if each.default_factory is not MISSING:
            value = f"_{name}() if {name} is _{name} else {name}" if each.init else f"_{name}()"
        scope[f"_set_{name}"] = getattr(made, name).__set__  # of the slot: past the __setattr__ that refuses
        lines.append(f" _set_{name}(self, {value})" if frozen else f" self.{name} = {value}")
    signature = ", ".join([*positional, "*", *named] if named else positional)
    exec("\n".join((f"def __init__({signature}):", *lines, " pass")), scope)  # noqa: S102  # as dataclass does
    scope["__init__"].__qualname__ = f"{made.__qualname__}.__init__"
    return scope["__init__"]


def _match_args_of(made: type[Any]) -> tuple[str, ...]:  # Any: one of our dataclasses
    return tuple([name for name, each in _declared(made).items() if each.init and not each.kw_only])


def _reader_of(names: list[str]) -> Callable[[Any], Any]:  # Any: the fields of any class
    return attrgetter(*names) if names else lambda _: ()


def _eq_of(made: type[Any]) -> Callable[[Any, Any], bool]:  # Any: of any class
    values = _reader_of([name for name, each in _declared(made).items() if each.compare])

    def equal(self: object, other: object) -> bool:
        if other.__class__ is self.__class__:
            return bool(values(self) == values(other))
        return NotImplemented  # type: ignore[no-any-return]  # as the protocol of == has it

    return equal


def _hash_of(made: type[Any]) -> Callable[[Any], int]:  # Any: of any class
    said = _declared(made).items()
    values = _reader_of([name for name, each in said if (each.compare if each.hash is None else each.hash)])
    return lambda self: hash(values(self))


def _repr_of(made: type[Any]) -> Callable[[Any], str]:  # Any: of any class
    names = [name for name, each in _declared(made).items() if each.repr]

    def shown(self: object) -> str:
        inside = ", ".join([f"{name}={getattr(self, name)!r}" for name in names])
        return f"{type(self).__qualname__}({inside})"

    return shown


_EQ: Final = _Later("__eq__", _eq_of)
_HASH: Final = _Later("__hash__", _hash_of)
_LATER: Final = {
    "__init__": _Later("__init__", _init_of),
    "__repr__": _Later("__repr__", _repr_of),
    "__match_args__": _Later("__match_args__", _match_args_of),
    "__dataclass_fields__": _Later("__dataclass_fields__", _fields_of),
    "__dataclass_params__": _Later("__dataclass_params__", _parameters_of),
}


def _values_of(instance: object) -> Iterator[tuple[str, Any]]:  # Any: of fields of any type
    for each in fields(instance):  # type: ignore[arg-type]  # one of our dataclasses
        yield each.name, getattr(instance, each.name)


def _taken_apart(self: object) -> tuple[Any, ...]:  # Any: as pickle and copy want it
    return _put_together, (type(self), dict(_values_of(self)))


def _put_together(kind: type[T], values: dict[str, Any]) -> T:  # Any: the fields of any class
    made = object.__new__(kind)
    for name, value in values.items():
        object.__setattr__(made, name, value)
    return made


def _refuse(self: object, name: str, _value: object = None) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"a {type(self).__name__} does not change: {name}")
