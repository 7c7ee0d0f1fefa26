"""Every statement that pages or looks up uses an index, and sorts nothing: shown by SQLite's own plans."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from mossaic.model.page import ListQuery
from mossaic.stores.sql import (
    SqliteMetadata,
    buckets,
    content,
    housekeeping,
    listing,
    objects,
    requests,
    uploads,
)
from tests.contract.given import BUCKET, given_bucket

if TYPE_CHECKING:
    from pathlib import Path

STATEMENTS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": text
    for module in (buckets, content, housekeeping, listing, objects, requests, uploads)
    for name, text in vars(module).items()
    if isinstance(text, str)
    and text.startswith(("SELECT ", "UPDATE ", "DELETE ", "WITH "))
    and name.isupper()
}
NEEDLESS = {
    "objects._HEAD_HISTORY",  # completed where they are used, as the next
    "requests._SIZES",
    "requests._OF_BUCKET",  # sorts the links of one bucket: at most `MAX_LINKS`
}


@pytest.mark.parametrize("name", sorted(STATEMENTS.keys() - NEEDLESS))
async def test_no_statement_scans_a_table_or_sorts(tmp_path: Path, name: str) -> None:
    metadata = SqliteMetadata.open(tmp_path / "m.db", sync=False)
    text = STATEMENTS[name]
    numbered = [int(number) for number in re.findall(r"\?(\d)", text)]
    values = (1,) * (max(numbered) if numbered else text.count("?"))

    plan = [row[3] for row in metadata._database._writer.execute(f"EXPLAIN QUERY PLAN {text}", values)]
    await metadata.close()

    assert plan
    harmless = ("SCAN CONSTANT", "SCAN places", "SCAN page")  # a single row, and what was just found
    steps = [step for step in plan if step.startswith("SCAN ") and not step.startswith(harmless)]
    scans = [step for step in steps if "USING" not in step]
    assert scans == [], plan
    assert not [step for step in plan if "TEMP B-TREE" in step], plan


def test_the_statements_were_found() -> None:
    assert len(STATEMENTS) > 25
    assert "listing._OBJECTS" in STATEMENTS


async def test_a_page_reads_no_more_than_it_shows(tmp_path: Path) -> None:
    """Counted in steps of SQLite's machine: a page of groups costs the same with 10 and with 1,000 keys in each."""
    costs = [
        await cost_of_a_page(
            tmp_path / str(size), [f"{group:02d}/{n}" for group in range(20) for n in range(size)]
        )
        for size in (10, 1_000)
    ]

    assert costs[1] < costs[0] * 2


async def test_keys_between_groups_are_not_read_again_and_again(tmp_path: Path) -> None:
    """Counted as above: twice as many keys, each with a group behind it, cost twice as much."""
    costs = [
        await cost_of_a_page(
            tmp_path / str(count), [f"{n:03d}{end}" for n in range(count) for end in ("", "/x")]
        )
        for count in (200, 400)
    ]

    assert costs[1] < costs[0] * 2.2


async def cost_of_a_page(folder: Path, keys: list[str]) -> int:
    metadata = SqliteMetadata.open(folder / "m.db", sync=False)
    await given_bucket(metadata)
    metadata._database._writer.executemany(
        "INSERT INTO objects VALUES (1, ?, 1, 'null', 'Normal', 0, '', 0, 0, 'Standard', NULL, NULL, 'default', NULL, NULL, NULL)",
        [(name.encode(),) for name in keys],
    )
    ticks = 0

    def tick() -> int:
        nonlocal ticks
        ticks += 1
        return 0

    metadata._database.read.connection.set_progress_handler(tick, 1)
    page = await metadata.list_objects(ListQuery(bucket=BUCKET, delimiter="/", limit=1000))
    await metadata.close()
    assert len(page.prefixes) == len({name.partition("/")[0] for name in keys if "/" in name})
    return ticks
