"""`@shape`: a frozen, slotted, keyword-only dataclass that is quick to define.

`dataclass` compiles six methods for each class; for the hundred shapes of the table that was a quarter of the service's
start (0.7 ms each, here 0.2 ms). A shape gets one compiled method, `__init__`; the others are shared by all shapes.
`fields()` and `is_dataclass()` know shapes.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Final, NoReturn, TypeVar, cast, dataclass_transform

T = TypeVar("T")

_fielded: Final = dataclass(init=False, repr=False, eq=False, slots=True, kw_only=True)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
def shape(cls: type[T]) -> type[T]:
    """Class decorator. Fields are declared as for `dataclass`; there is no `__post_init__`."""
    cls.__doc__ = cls.__doc__ or cls.__name__  # else dataclass writes one from the signature, which is slow
    made = cast("Any", _fielded(cls))  # Any: methods are put on the class
    made.__init__ = _init_of(made)
    made.__setattr__ = made.__delattr__ = _refuse
    made.__reduce__ = _taken_apart
    made.__eq__, made.__hash__, made.__repr__ = _equal, _hash, _shown
    return cast("type[T]", made)


def _init_of(made: Any) -> Any:  # Any: a dataclass and its method
    """`def __init__(self, *, a, b=…)`, compiled from the fields. Names come from class bodies, never from input."""
    scope: dict[str, Any] = {"_set": object.__setattr__}  # Any: defaults of fields of any type
    parameters: list[str] = []
    lines: list[str] = []
    for each in fields(made):
        name, value = each.name, each.name
        scope[f"_{name}"] = each.default if each.default is not MISSING else each.default_factory
        if each.default is not MISSING:
            parameters.append(f"{name}=_{name}")
        elif each.default_factory is not MISSING:
            parameters.append(f"{name}=_{name}")
            value = f"_{name}() if {name} is _{name} else {name}"
        else:
            parameters.append(name)
        lines.append(f" _set(self, {name!r}, {value})")
    head = ", ".join(("self", "*", *parameters) if parameters else ("self",))
    exec("\n".join((f"def __init__({head}):", *lines, " pass")), scope)  # noqa: S102  # as dataclass does
    return scope["__init__"]


def _values(one: Any) -> tuple[Any, ...]:  # Any: the fields of any shape
    return tuple(getattr(one, each.name) for each in fields(one))


def _equal(self: object, other: object) -> bool:
    return _values(self) == _values(other) if other.__class__ is self.__class__ else NotImplemented


def _hash(self: object) -> int:
    return hash(_values(self))


def _shown(self: object) -> str:
    values = zip(fields(cast("Any", self)), _values(self), strict=True)
    return f"{type(self).__qualname__}({', '.join(f'{each.name}={value!r}' for each, value in values)})"


def _taken_apart(self: object) -> tuple[Any, ...]:  # Any: as pickle and copy want it
    return _put_together, (
        type(self),
        {each.name: getattr(self, each.name) for each in fields(cast("Any", self))},
    )


def _put_together(kind: type[T], values: dict[str, Any]) -> T:  # Any: the fields of any shape
    return kind(**values)


def _refuse(self: object, name: str, _value: object = None) -> NoReturn:
    raise AttributeError(f"a {type(self).__name__} does not change: {name}")
