"""Documents on a bucket as files: OSS's XML, or JSON with our names or OSS's."""

from __future__ import annotations

import json
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from mossaic.protocol.codec.document import read_document, write_document
from mossaic.protocol.codec.plan import Group, Leaf, plan_of
from mossaic.protocol.codec.values import Kind
from mossaic.protocol.errors import OssError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

S = TypeVar("S")

_NAMES = {Kind.TEXT: "text", Kind.INTEGER: "a whole number", Kind.BOOLEAN: "true or false"}


def read_file(name: str) -> str:
    """The text of a file, of standard input for `-`. Raises click.UsageError."""
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise click.UsageError(f"{name} is not UTF-8 text") from None
    except OSError as error:
        raise click.UsageError(f"{name}: {error.strerror}") from None


def parse_document(text: str, shape: type[S], name: str) -> S:
    """XML or JSON. A JSON list is the document's rules. Raises click.UsageError, which says where it is wrong."""
    try:
        if text.lstrip().startswith("<"):
            return shape(**read_document(text.encode(), plan_of(shape)))
        value: Any = json.loads(text)  # Any: JSON
        return _record({"rules": value} if isinstance(value, list) else value, shape, "")
    except OssError as error:
        raise click.UsageError(f"{name}: {dict(error.extras).get('ErrorDetail') or error.message}") from None
    except (ValueError, TypeError) as error:
        raise click.UsageError(f"{name}: {error}") from None


def to_xml(document: object) -> str:
    """As OSS writes it."""
    return write_document(document, plan_of(type(document))).decode()


def to_json(document: object) -> dict[str, object]:
    """With our names; what says nothing is left out."""
    found: dict[str, object] = {}
    for leaf in _leaves(plan_of(type(document)).entries):
        value = getattr(document, leaf.slot.name)
        if value is None or value == ():
            continue
        found[leaf.slot.name] = [_plain(each) for each in value] if leaf.slot.many else _plain(value)
    return found


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | bool) else to_json(value)


def _leaves(entries: Iterable[Group | Leaf]) -> Iterator[Leaf]:
    for entry in entries:
        if isinstance(entry, Leaf):
            yield entry
        else:
            yield from _leaves(entry.entries)


def _simple(name: str) -> str:
    """`allowed_origins`, `AllowedOrigin` and `AllowedOrigins` are one name."""
    return name.lower().replace("_", "").replace("-", "").rstrip("s")


def _record(value: Any, shape: type[S], at: str) -> S:  # Any: JSON
    if not isinstance(value, dict):
        raise TypeError(f"{at or 'the document'}: expected an object")
    leaves = list(_leaves(plan_of(shape).entries))
    named = {_simple(name): leaf for leaf in leaves for name in (leaf.tag, leaf.slot.name)}
    read: dict[str, object] = {}
    for key, inner in cast("dict[str, Any]", value).items():  # Any: as above
        place = f"{at}.{key}" if at else key
        leaf = named.get(_simple(key))
        if leaf is None:
            near = get_close_matches(key, [leaf.slot.name for leaf in leaves], n=1)
            raise ValueError(f"{place} is not known" + (f"; did you mean {near[0]}?" if near else ""))
        read[leaf.slot.name] = _field(inner, leaf, place)
    return shape(**read)


def _field(value: Any, leaf: Leaf, at: str) -> object:  # Any: as above
    slot = leaf.slot
    if slot.many:
        items: list[Any] = value if isinstance(value, list) else [value]  # pyright: ignore[reportUnknownVariableType]  # JSON
        return tuple(_single(item, leaf, f"{at}[{index}]") for index, item in enumerate(items))
    return _single(value, leaf, at)


def _single(value: Any, leaf: Leaf, at: str) -> object:  # Any: as above
    slot = leaf.slot
    if slot.record is not None:
        return _record(value, slot.record, at)
    wanted = {Kind.TEXT: str, Kind.INTEGER: int, Kind.BOOLEAN: bool}[slot.kind]
    if type(value) is not wanted:
        raise TypeError(f"{at}: expected {_NAMES[slot.kind]}, got {json.dumps(value)}")
    return value
