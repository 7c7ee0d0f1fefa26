"""Listings without pages: an iterator that asks for the next page when the last one is used up."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from mossaic.protocol.limits import MAX_PAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")


class Paged(Iterator[T]):
    """Entries one by one; pages are asked for as they are needed, so a listing may be left at any entry.

    `next_page` gives what is left of the page at hand, else the next one. `max_items`: the most entries there will be.
    """

    def __init__(self, pages: Iterator[Sequence[T]], *, max_items: int | None = None) -> None:
        """Raises ValueError for a negative `max_items`."""
        if max_items is not None and max_items < 0:
            raise ValueError(f"max_items must not be negative: {max_items}")
        self._pages = pages
        self._left = max_items
        self._ready: deque[T] = deque()

    def __next__(self) -> T:
        if not self._ready:
            self._ready.extend(self._fetch())
        if not self._ready:
            raise StopIteration
        return self._ready.popleft()

    def next_page(self) -> list[T]:
        """Some entries more; none at the end."""
        page = list(self._ready) or list(self._fetch())
        self._ready.clear()
        return page

    def _fetch(self) -> Sequence[T]:
        """The next page that has something in it (a service may answer empty pages in between)."""
        while self._left is None or self._left > 0:
            page = next(self._pages, None)
            if page is None:
                break
            if self._left is not None:
                page = list(islice(page, self._left))
                self._left -= len(page)
            if page:
                return page
        return ()


def page_limit(page_size: int, max_items: int | None) -> str:
    """How many entries to ask for at once: no more than are wanted. Raises ValueError for a page of other than 1 … 1000."""
    if not 1 <= page_size <= MAX_PAGE:
        raise ValueError(f"a page has 1 to {MAX_PAGE} entries, not {page_size}")
    return str(page_size if max_items is None else max(1, min(page_size, max_items)))
