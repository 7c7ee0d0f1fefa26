"""Listings: what is asked for, and a page of what is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mossaic.model.names import BucketName

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """A page of at most `limit` entries (items and common prefixes together) after a marker, in UTF-8 byte order.

    `after_key` is exclusive and need not exist; when it equals a common prefix of the listing, that whole group is
    skipped. `after_id` (an upload id or version id) continues inside `after_key` and means nothing without it.
    """

    bucket: BucketName
    prefix: str = ""
    delimiter: str = ""
    after_key: str = ""
    after_id: str = ""
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What a page has beside its items: `prefixes` in order; the next markers are set when `truncated`: the last entry given out."""

    prefixes: Sequence[str] = ()
    truncated: bool = False
    next_key: str = ""
    next_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Cut, Generic[T]):
    """`items` in order."""

    items: Sequence[T]
