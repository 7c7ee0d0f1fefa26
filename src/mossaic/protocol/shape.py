"""`@shape`: a frozen, slotted, keyword-only dataclass: what an operation takes or gives, or a record inside it."""

from __future__ import annotations

from dataclasses import field
from typing import TypeVar, cast, dataclass_transform

from mossaic.quick import quick

T = TypeVar("T")


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
def shape(cls: type[T]) -> type[T]:
    """Class decorator. Fields are declared as for `dataclass`; there is no `__post_init__`."""
    return cast("type[T]", quick(cls, frozen=True, kw_only=True))
