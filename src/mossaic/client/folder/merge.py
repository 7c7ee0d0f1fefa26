"""Two sides that are both in the order of keys, brought together without holding either."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mossaic.client.errors import MossaicError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mossaic.client.folder.entry import Found, Stored


def merged(local: Iterable[Found], remote: Iterable[Stored]) -> Iterator[tuple[Found | None, Stored | None]]:
    """Each file once, with what is known of it on both sides. Objects below a local folder that cannot be read do not appear: it is
    not known whether they have a file.

    Raises MossaicError for a listing that is not in order, and what the sides raise.
    """
    here, there = iter(local), in_order(remote)
    mine, theirs = next(here, None), next(there, None)
    while mine is not None or theirs is not None:
        if theirs is None or (mine is not None and mine.relative < theirs.relative):
            assert mine is not None
            yield mine, None
            if mine.problem is not None and mine.is_folder:
                while theirs is not None and theirs.relative.startswith(mine.relative):
                    theirs = next(there, None)
            mine = next(here, None)
        elif mine is None or theirs.relative < mine.relative:
            yield None, theirs
            theirs = next(there, None)
        else:
            yield mine, theirs
            mine, theirs = next(here, None), next(there, None)


def in_order(remote: Iterable[Stored]) -> Iterator[Stored]:
    """Nobody may conclude from a disordered listing that an object, or a file, is not there. Raises MossaicError."""
    last: str | None = None
    for one in remote:
        if last is not None and one.relative <= last:
            raise MossaicError(f"the listing is not in order: {one.key} comes after {last}")
        last = one.relative
        yield one
