"""Records given as columns, written as XML: one template for all of them, and each column looked at as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mossaic.protocol.codec.plan import Leaf, plan_of
from mossaic.protocol.codec.values import Kind, encode_urls, iso_texts, writer_of
from mossaic.protocol.records import Moments
from mossaic.protocol.xml import escape_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mossaic.protocol.records import Records

    Element = Callable[[Leaf, object], str]  # a single field's element, as it is written everywhere else


def write_records(
    tag: str, records: Records[Any], element: Element, *, url: bool
) -> str:  # Any: of any shape
    """`<tag>…</tag>` for each of them: what they would be, written one by one. `url`: encoding-type=url."""
    template: list[str] = []
    columns: list[Iterable[object]] = []
    for leaf in plan_of(records.shape).entries:
        assert isinstance(leaf, Leaf)  # no listing has entries with groups inside
        column = records.columns.get(leaf.slot.name)
        if column is None:
            template.append(element(leaf, records.same.get(leaf.slot.name)).replace("%", "%%"))
        elif not leaf.slot.required and None in column:
            template.append("%s")
            columns.append([element(leaf, value) for value in column])
        else:
            quote = '"' if leaf.quoted else ""
            template.append(f"<{leaf.tag}>{quote}%s{quote}</{leaf.tag}>")
            columns.append(_texts(leaf, column, url=url))
    whole = f"<{tag}>{''.join(template)}</{tag}>"
    return "".join([whole % values for values in zip(*columns, strict=True)])


def _texts(
    leaf: Leaf, column: Sequence[Any], *, url: bool
) -> Iterable[object]:  # Any: the values of any field
    kind = leaf.slot.kind
    if isinstance(column, Moments):
        return iso_texts(column.micros)
    if kind is Kind.INTEGER:
        return column
    if kind is Kind.TEXT:
        return encode_urls(column) if url and leaf.encoded else escape_all(column)
    return map(writer_of(kind), column)
