"""A shape's annotations, compiled once: which field travels where, and as what."""

from __future__ import annotations

import types
from collections.abc import Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any, Union, cast, get_args, get_origin, get_type_hints

from mossaic.protocol.codec.values import Kind, writer_of
from mossaic.protocol.wire import Element, Header, Payload, Query, Status, Stream, Target, Text, UserMeta
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

Marker = Query | Header | UserMeta | Element | Text | Payload | Stream | Status | Target
_KINDS: dict[object, Kind] = {str: Kind.TEXT, int: Kind.INTEGER, bool: Kind.BOOLEAN, datetime: Kind.TIME}


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One field: `many` for tuples and sequences, `required` when it has neither default nor None. `record` is the nested dataclass."""

    name: str
    marker: Marker
    kind: Kind
    many: bool
    required: bool
    record: type[Any] | None = None  # Any: any dataclass


@dataclass(frozen=True, slots=True)
class Group:
    """An element that only holds others (`Buckets` of `Buckets/Bucket`); written even when it is empty."""

    tag: str
    entries: tuple[Group | Leaf, ...]


@dataclass(frozen=True, slots=True)
class Leaf:
    """An element that stands for a field."""

    tag: str
    slot: Slot
    encoded: bool
    quoted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The fields of one shape, by marker."""

    shape: type[Any]  # Any: any dataclass
    root: str | None
    malformed_ec: str | None
    wrong_root_ec: str | None
    query: tuple[Slot, ...]
    query_names: tuple[tuple[str, Slot], ...]
    headers: tuple[Slot, ...]
    header_names: tuple[tuple[str, Slot], ...]  # lower case
    header_writers: tuple[tuple[str, Callable[[Any], str]], ...]  # the header's name, value to text
    header_values: Callable[[Any], tuple[Any, ...]]  # the fields of the headers, in the order of the writers
    meta: Slot | None
    metas: tuple[Slot, ...]  # all of them; `meta` is the first
    entries: tuple[Group | Leaf, ...]
    text: Slot | None
    payload: Slot | None
    stream: Slot | None
    status: Slot | None
    targets: tuple[Slot, ...]


def _unwrap(hint: Any) -> tuple[Any, bool]:  # Any: type expressions have no type
    """The type without None, and whether None was there."""
    if get_origin(hint) in (Union, types.UnionType):
        rest = [arg for arg in get_args(hint) if arg is not type(None)]
        return (rest[0] if len(rest) == 1 else hint), len(rest) < len(get_args(hint))
    return hint, False


def _slot(field: Field[Any], hint: Any) -> Slot | None:  # Any: as in _unwrap
    if get_origin(hint) is not Annotated:
        return None
    inner, *notes = get_args(hint)
    marker = next((note for note in notes if isinstance(note, Marker)), None)
    if marker is None:
        return None
    base, optional = _unwrap(inner)
    many = get_origin(base) in (tuple, Sequence)
    if many:
        base = get_args(base)[0]
    record = base if isinstance(base, type) and is_dataclass(base) else None
    kind = Kind.RECORD if record is not None else _KINDS.get(cast("object", base), Kind.OTHER)
    has_default = field.default is not MISSING or field.default_factory is not MISSING
    return Slot(
        name=field.name,
        marker=marker,
        kind=kind,
        many=many,
        required=not optional and not has_default,
        record=record,
    )


def _entries(slots: list[Slot], depth: int = 0) -> tuple[Group | Leaf, ...]:
    """Element paths as a tree; fields that share a parent stand in one group, at the place of the first."""
    found: list[Group | Leaf] = []
    grouped: dict[str, list[Slot]] = {}
    for slot in slots:
        marker = slot.marker
        assert isinstance(marker, Element)
        tag, *rest = marker.path.split("/")[depth:]
        if not rest:
            found.append(Leaf(tag, slot, marker.encoded, marker.quoted))
        elif tag in grouped:
            grouped[tag].append(slot)
        else:
            grouped[tag] = [slot]
            found.append(Group(tag, ()))
    return tuple(
        Group(entry.tag, _entries(grouped[entry.tag], depth + 1)) if isinstance(entry, Group) else entry
        for entry in found
    )


_PLANS: dict[type[Any], Plan] = {}  # Any: any dataclass


def plan_of(shape: type[Any]) -> Plan:  # Any: any dataclass
    """The plan of a shape, compiled on first use."""
    plan = _PLANS.get(shape)
    if plan is None:
        plan = _PLANS[shape] = _compile(shape)
    return plan


def _compile(shape: type[Any]) -> Plan:  # Any: any dataclass
    hints = get_type_hints(shape, include_extras=True)
    slots = [slot for field in fields(shape) if (slot := _slot(field, hints[field.name])) is not None]

    def only(marker: type[Marker]) -> Slot | None:
        return next((slot for slot in slots if isinstance(slot.marker, marker)), None)

    def every(marker: type[Marker]) -> tuple[Slot, ...]:
        return tuple(slot for slot in slots if isinstance(slot.marker, marker))

    headers = [(slot, slot.marker) for slot in slots if isinstance(slot.marker, Header)]
    return Plan(
        shape=shape,
        root=getattr(shape, "XML_ROOT", None),
        malformed_ec=getattr(shape, "MALFORMED_EC", None),
        wrong_root_ec=getattr(shape, "WRONG_ROOT_EC", getattr(shape, "MALFORMED_EC", None)),
        query=every(Query),
        query_names=tuple((slot.marker.name, slot) for slot in slots if isinstance(slot.marker, Query)),
        headers=every(Header),
        header_names=tuple((marker.name.lower(), slot) for slot, marker in headers),
        header_writers=tuple((marker.name, _header_writer(slot, marker)) for slot, marker in headers),
        header_values=_values_of([slot.name for slot, _ in headers]),
        meta=only(UserMeta),
        metas=every(UserMeta),
        entries=_entries(list(every(Element))),
        text=only(Text),
        payload=only(Payload),
        stream=only(Stream),
        status=only(Status),
        targets=every(Target),
    )


def _values_of(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:  # Any: fields of any shape
    """Reads all of them in one call."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda shape: tuple([getattr(shape, name) for name in names])


def _header_writer(slot: Slot, marker: Header) -> Callable[[Any], str]:  # Any: the field of any shape
    write = writer_of(slot.kind, header=True)
    return (lambda value: f'"{write(value)}"') if marker.quoted else write
