"""Records given as columns, written as XML: what is alike in all of them is written once, and each column looked at as a whole."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any

from mossaic.protocol.codec.plan import Leaf, plan_of
from mossaic.protocol.codec.values import Kind, encode_urls, iso_texts, writer_of
from mossaic.protocol.records import Column, Moments, Texts
from mossaic.protocol.xml import escape_all

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mossaic.protocol.records import Records

    Element = Callable[[Leaf, object], str]  # a single field's element, as it is written everywhere else


def write_records(
    tag: str, records: Records[Any], element: Element, *, url: bool
) -> list[bytes]:  # Any: of any shape
    """`<tag>…</tag>` for each of them, in pieces: what they would be, written one by one. `url`: encoding-type=url."""
    fixed = [f"<{tag}>".encode()]  # what stands before, between and after the values that differ
    values: list[Sequence[bytes]] = []
    for leaf in plan_of(records.shape).entries:
        assert isinstance(leaf, Leaf)  # no listing has entries with groups inside
        column = records.columns.get(leaf.slot.name)
        if column is None:
            fixed[-1] += element(leaf, records.same.get(leaf.slot.name)).encode()
        elif not isinstance(column, Column) and not leaf.slot.required and None in column:
            values.append([element(leaf, value).encode() for value in column])
            fixed.append(b"")
        else:
            quote = '"' if leaf.quoted else ""
            texts = _texts(leaf, column, url=url)
            fixed[-1] += f"<{leaf.tag}>{quote}".encode()
            if isinstance(texts, bytes):
                fixed[-1] += texts
            else:
                values.append(texts)
                fixed.append(b"")
            fixed[-1] += f"{quote}</{leaf.tag}>".encode()
    fixed[-1] += f"</{tag}>".encode()
    return _woven(fixed, values, len(records))


def _woven(fixed: list[bytes], values: list[Sequence[bytes]], count: int) -> list[bytes]:
    """For each record the values of its place, between the fixed pieces; the end of a record and the beginning of the next are
    one piece."""
    first, *between, last = fixed if values else (*fixed, b"")
    if not values or not count:
        return [first * count]
    step = 2 * len(values)
    pieces = [last + first] * (step * count)
    for place, (column, after) in enumerate(zip(values, (*between, None), strict=True)):
        pieces[2 * place :: step] = column
        if after is not None:
            pieces[2 * place + 1 :: step] = repeat(after, count)
    pieces[-1] = last
    pieces[0] = first + pieces[0]
    return pieces


def _texts(
    leaf: Leaf, column: Sequence[Any], *, url: bool
) -> bytes | list[bytes]:  # Any: the values of any field
    """The column as it is printed; one text when it is the same in all records."""
    kind = leaf.slot.kind
    texts = column if isinstance(column, Column) else Texts.of(map(writer_of(kind), column))
    common = texts.common()
    if common is not None:
        texts = type(texts)(common, 1)
    if isinstance(texts, Moments):
        times = iso_texts(texts)
        return times if common is None else times[0]
    if kind is Kind.TEXT:
        texts = encode_urls(texts) if url and leaf.encoded else escape_all(texts)
    return texts.pieces if common is None else texts.whole
