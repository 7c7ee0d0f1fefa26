"""XML bodies: a shape's elements written in order, and read by name with unknown ones ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mossaic.protocol.codec.plan import Group, Leaf, Plan, Slot, plan_of
from mossaic.protocol.codec.values import Kind, decode_url, encode_url, read_value, write_value
from mossaic.protocol.errors import MALFORMED_XML, OssError
from mossaic.protocol.xml import DECLARATION, Node, XmlError, escape, parse

if TYPE_CHECKING:
    from collections.abc import Iterable


def write_document(shape: object, plan: Plan) -> bytes:
    """The XML body of a shape that has a root."""
    assert plan.root is not None
    url = getattr(shape, "encoding_type", None) == "url"
    out = [DECLARATION]
    _write_record(out, plan.root, shape, plan, url=url)
    return "".join(out).encode()


def _write_record(out: list[str], tag: str, record: object, plan: Plan, *, url: bool) -> None:
    out.append(f"<{tag}>")
    if plan.text is not None:
        value = getattr(record, plan.text.name)
        out.append(escape(write_value(value, plan.text.kind)))
    _write_entries(out, record, plan.entries, url=url)
    out.append(f"</{tag}>")


def _write_entries(out: list[str], record: object, entries: tuple[Group | Leaf, ...], *, url: bool) -> None:
    for entry in entries:
        if isinstance(entry, Group):
            out.append(f"<{entry.tag}>")
            _write_entries(out, record, entry.entries, url=url)
            out.append(f"</{entry.tag}>")
        else:
            _write_leaf(out, entry, getattr(record, entry.slot.name), url=url)


def _write_leaf(out: list[str], leaf: Leaf, value: Any, *, url: bool) -> None:  # Any: a field of any shape
    if value is None:
        return
    values: Iterable[Any] = value if leaf.slot.many else (value,)  # Any: as above
    if leaf.slot.record is not None:
        plan = plan_of(leaf.slot.record)
        for item in values:
            _write_record(out, leaf.tag, item, plan, url=url)
        return
    for item in values:
        text = write_value(item, leaf.slot.kind)
        if url and leaf.encoded:
            text = encode_url(text)
        out.append(
            f'<{leaf.tag}>"{escape(text)}"</{leaf.tag}>'
            if leaf.quoted
            else f"<{leaf.tag}>{escape(text)}</{leaf.tag}>"
        )


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
