"""The map of an upload's parts."""

from __future__ import annotations

import pytest

from mossaic.cli.unfinished import part_map
from mossaic.client.checkpoint import Checkpoint
from mossaic.client.upload.wire import Part


def stored(*numbers: int) -> list[Part]:
    return [Part(number=number, etag="E", size=10, crc64=None) for number in numbers]


def known(parts: int) -> Checkpoint:
    return Checkpoint(
        endpoint="", bucket="b", name="k", upload_id="u", part_size=10, file=None, file_size=parts * 10 - 3
    )


@pytest.mark.parametrize(
    ("numbers", "total", "drawn"),
    [
        ((), None, ""),
        ((), 3, "..."),
        ((1, 3), None, "#.#"),
        ((1, 3), 5, "#.#.."),
        ((1, 2, 3), 3, "###"),
        (range(1, 129), 128, "#" * 64),
        (range(1, 129, 2), 128, "+" * 64),
        ((), 10_000, "." * 64),
    ],
)
def test_a_character_stands_for_a_part_or_for_several(
    numbers: tuple[int, ...], total: int | None, drawn: str
) -> None:
    assert part_map(stored(*numbers), None if total is None else known(total)) == drawn
