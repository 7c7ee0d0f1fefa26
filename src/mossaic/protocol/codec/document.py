"""XML bodies: a shape's elements written in order, and read by name with unknown ones ignored."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final, cast

from mossaic.protocol.codec.columns import write_records
from mossaic.protocol.codec.plan import Group, Leaf, Plan, Slot, plan_of
from mossaic.protocol.codec.values import Kind, decode_url, encode_url, read_value, writer_of
from mossaic.protocol.errors import MALFORMED_XML, OssError
from mossaic.protocol.records import Records
from mossaic.protocol.xml import DECLARATION, Node, XmlError, escape, parse

_BLOCK: Final = "\0"  # stands for the next block of bytes; `escape` writes no NUL
_PLAIN: Final = frozenset({Kind.INTEGER, Kind.BOOLEAN, Kind.TIME})  # their text needs no escaping


def write_document(shape: object, plan: Plan) -> bytes:
    """The XML body of a shape that has a root."""
    assert plan.root is not None
    writing = _Writing(url=getattr(shape, "encoding_type", None) == "url")
    text = f"{DECLARATION}<{plan.root}>{_content_of(plan.shape)(shape, writing)}</{plan.root}>".encode()
    if not writing.blocks:
        return text
    before, *after = text.split(_BLOCK.encode())
    pieces = [before]
    for block, text_after in zip(writing.blocks, after, strict=True):
        pieces += block
        pieces.append(text_after)
    return b"".join(pieces)


class _Writing:
    """What holds for one document: `url` for `encoding-type=url`; `blocks`: the pieces of bytes for each `_BLOCK` in the text;
    `known`: texts of nested records by tag and id, because a thousand entries of a listing have one and the same owner."""

    __slots__ = ("blocks", "known", "url")

    def __init__(self, *, url: bool) -> None:
        self.url = url
        self.blocks: list[list[bytes]] = []
        self.known: dict[tuple[str, int], str] = {}


_Write = Callable[[Any, _Writing], str]  # Any: a record, or a field, of any shape; None is written as nothing
_CONTENTS: dict[type[Any], _Write] = {}  # Any: as above


def _content_of(shape: type[Any]) -> _Write:  # Any: as above
    """The writer of what is inside a record's element, made of closures once a shape: a page of 1,000 entries should
    not look at markers 10,000 times."""
    write = _CONTENTS.get(shape)
    if write is None:
        plan = plan_of(shape)
        text = () if plan.text is None else (_text(plan.text),)
        write = _CONTENTS[shape] = _joined((*text, *map(_entry, plan.entries)))
    return write


def _joined(pieces: tuple[_Write, ...]) -> _Write:
    return lambda record, writing: "".join([piece(record, writing) for piece in pieces])


def _text(slot: Slot) -> _Write:
    get, write = attrgetter(slot.name), writer_of(slot.kind)
    return lambda record, _: escape(write(get(record)))


def _entry(entry: Group | Leaf) -> _Write:
    if isinstance(entry, Leaf):
        return _leaf(entry)
    before, after = f"<{entry.tag}>", f"</{entry.tag}>"
    inside = _joined(tuple(map(_entry, entry.entries)))
    return lambda record, writing: f"{before}{inside(record, writing)}{after}"


def _leaf(leaf: Leaf) -> _Write:
    get, element = attrgetter(leaf.slot.name), _element(leaf)
    if leaf.slot.many:
        return lambda record, writing: _many(leaf, get(record), element, writing)
    return lambda record, writing: element(get(record), writing)


def _many(leaf: Leaf, values: Any, element: _Write, writing: _Writing) -> str:  # Any: as above
    if not values:
        return ""
    if isinstance(values, Records):
        records = cast("Records[Any]", values)  # type: ignore[redundant-cast]  # pyright needs it; Any: as above
        single: Callable[[Leaf, object], str] = lambda of, value: _element(of)(value, writing)  # noqa: E731
        writing.blocks.append(write_records(leaf.tag, records, single, url=writing.url))
        return _BLOCK
    return "".join([element(value, writing) for value in values])


def _element(leaf: Leaf) -> _Write:
    before, after = f"<{leaf.tag}>", f"</{leaf.tag}>"
    if leaf.slot.record is not None:
        return _nested(leaf, before, after)
    if leaf.quoted:
        before, after = f'{before}"', f'"{after}'
    write = writer_of(leaf.slot.kind)
    if leaf.encoded:
        return lambda value, writing: (
            ""
            if value is None
            else f"{before}{encode_url(write(value)) if writing.url else escape(write(value))}{after}"
        )
    if leaf.slot.kind in _PLAIN:
        return lambda value, _: "" if value is None else f"{before}{write(value)}{after}"
    return lambda value, _: "" if value is None else f"{before}{escape(write(value))}{after}"


def _nested(leaf: Leaf, before: str, after: str) -> _Write:
    assert leaf.slot.record is not None
    content = _content_of(leaf.slot.record)
    if leaf.slot.many:
        return lambda value, writing: f"{before}{content(value, writing)}{after}"

    def shared(value: Any, writing: _Writing) -> str:  # Any: as above
        if value is None:
            return ""
        key = (before, id(value))
        text = writing.known.get(key)
        if text is None:
            text = writing.known[key] = f"{before}{content(value, writing)}{after}"
        return text

    return shared


def read_document(body: bytes, plan: Plan) -> dict[str, Any]:  # Any: fields of any shape
    """The fields of a shape from its XML body. Raises OssError MALFORMED_XML with the shape's EC and an ErrorDetail."""
    try:
        root = parse(body)
        if root.tag != plan.root:
            detail = f"the root element is {root.tag}, not {plan.root}"
            raise OssError(MALFORMED_XML, ec=plan.wrong_root_ec, ErrorDetail=detail)
        url = _text_of(root, "EncodingType") == "url"
        return _read_record(root, plan, url=url)
    except ValueError as error:  # XmlError is one
        raise OssError(MALFORMED_XML, ec=plan.malformed_ec, ErrorDetail=str(error)) from None


def _text_of(node: Node, tag: str) -> str | None:
    child = node.find(tag)
    return None if child is None else child.text


def _read_record(node: Node, plan: Plan, *, url: bool) -> dict[str, Any]:  # Any: as above
    read: dict[str, Any] = {}  # Any: as above
    if plan.text is not None:
        read[plan.text.name] = read_value(node.text, plan.text.kind)
    _read_entries(read, node, plan.entries, url=url)
    return read


def _read_entries(
    read: dict[str, Any],  # Any: as above
    node: Node | None,
    entries: tuple[Group | Leaf, ...],
    *,
    url: bool,
) -> None:
    for entry in entries:
        if isinstance(entry, Group):
            _read_entries(read, None if node is None else node.find(entry.tag), entry.entries, url=url)
            continue
        slot = entry.slot
        found = [] if node is None else list(node.find_all(entry.tag))
        if slot.many:
            read[slot.name] = tuple(_read_leaf(child, entry, url=url) for child in found)
        elif found:
            if len(found) > 1:
                raise XmlError(f"{entry.tag} stands there more than once")
            read[slot.name] = _read_leaf(found[0], entry, url=url)
        elif slot.required:
            raise XmlError(f"{entry.tag} is missing")


def _read_leaf(node: Node, leaf: Leaf, *, url: bool) -> Any:  # Any: a field of any shape
    slot: Slot = leaf.slot
    if slot.record is not None:
        return slot.record(**_read_record(node, plan_of(slot.record), url=url))
    text = node.text
    if leaf.quoted:
        text = text.strip().strip('"')
    if url and leaf.encoded:
        text = decode_url(text)
    return text if slot.kind is Kind.TEXT else read_value(text, slot.kind)
