"""The works: each measures its limits and then itself, and gives a reading for every row that it fills."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.server.works import completing, downloads, idle, listing, mixed, small, uploads

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.server.figure import Reading
    from bench.server.stage import Stage

    Work = Callable[[Stage], list[Reading]]

# By the rows that they fill.
WORKS: Final[dict[tuple[str, ...], Work]] = {
    ("parts8",): uploads.parts8,
    ("parts1",): uploads.parts1,
    ("put4k",): small.put4k,
    ("get4k",): small.get4k,
    ("get8",): downloads.get8,
    ("get64",): downloads.get64,
    ("mixed", "mixed-p99"): mixed.mixed,
    **completing.WORKS,
    ("list",): listing.keys,
    ("prefixes",): listing.prefixes,
    ("prefixes-again",): listing.prefixes_again,
    ("listparts",): listing.parts,
    ("listuploads",): listing.uploads,
    ("start",): idle.start,
    ("memory",): idle.memory,
    ("connection",): idle.connection,
}
