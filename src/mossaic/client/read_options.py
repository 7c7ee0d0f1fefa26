"""How an object is asked for: conditions, ranges, headers to answer with; turned into the fields of the shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypedDict

from mossaic.protocol.codec.values import http_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

Range = tuple[int, int | None]
_RESPONSE: Final = frozenset(
    "cache-control content-disposition content-encoding content-language content-type expires".split()
)


class Conditions(TypedDict, total=False):
    """Conditions on the object as it is: ETags bare or quoted or `*`, times aware."""

    if_match: str | None
    if_none_match: str | None
    if_modified_since: datetime | None
    if_unmodified_since: datetime | None


class ReadOptions(Conditions, total=False):
    """`response`: headers that the answer is to have instead of the stored ones (`{"content-type": …}`). `process`: what the
    service is to make of the object (`image/resize,w_100`). `traffic_limit`: bit/s."""

    response: Mapping[str, str]
    process: str | None
    traffic_limit: int | None


class ConditionFields(TypedDict):
    """The fields of every shape that has conditions."""

    if_match: str | None
    if_none_match: str | None
    if_modified_since: str | None
    if_unmodified_since: str | None


def condition_fields(given: Conditions) -> ConditionFields:
    """Raises ValueError for a time without a zone."""
    return ConditionFields(
        if_match=_etag(given.get("if_match")),
        if_none_match=_etag(given.get("if_none_match")),
        if_modified_since=_time(given.get("if_modified_since")),
        if_unmodified_since=_time(given.get("if_unmodified_since")),
    )


def range_text(wanted: Range) -> str:
    """The header of a half-open range: `(0, 100)` the first hundred bytes, `(100, None)` all from there, `(-100, None)` the last hundred.

    Raises ValueError for a range without bytes.
    """
    start, stop = wanted
    if start < 0 and stop is None:
        return f"bytes={start}"
    if start < 0 or (stop is not None and stop <= start):
        raise ValueError(f"a range is (start, stop) with 0 <= start < stop, not {wanted}")
    return f"bytes={start}-{'' if stop is None else stop - 1}"


def response_query(given: Mapping[str, str]) -> dict[str, str]:
    """`response-*` parameters. Raises ValueError for a header that cannot be replaced."""
    named = {name.lower(): text for name, text in given.items()}
    wrong = sorted(named.keys() - _RESPONSE)
    if wrong:
        raise ValueError(
            f"the answer's {', '.join(wrong)} cannot be set; only {', '.join(sorted(_RESPONSE))}"
        )
    return {f"response-{name}": text for name, text in named.items()}


def _etag(text: str | None) -> str | None:
    if text is None or text == "*" or '"' in text:
        return text
    return ", ".join(f'"{one.strip()}"' for one in text.split(","))


def _time(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return http_text(moment)
