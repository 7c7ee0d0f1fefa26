"""What the doctor concludes from what it saw."""

from __future__ import annotations

from email.utils import formatdate

import pytest

from mossaic.client.diagnosis.line import _clock
from mossaic.client.diagnosis.parts import advised_part_size

NOW = 1_800_000_000.0
KIB, MIB = 1024, 1024 * 1024


@pytest.mark.parametrize(
    ("offset", "verdict", "word"),
    [
        (0, "ok", "apart"),
        (120, "warning", "behind"),
        (-120, "warning", "ahead"),
        (3600, "failed", "RequestTimeTooSkewed"),
    ],
)
def test_a_clock_that_is_off_is_told_by_how_much_and_to_which_side(
    offset: float, verdict: str, word: str
) -> None:
    found = _clock(formatdate(NOW + offset, usegmt=True), NOW)

    assert found.verdict == verdict
    assert word in found.words


def test_a_service_without_a_date_says_nothing_about_the_clock() -> None:
    assert _clock("", NOW).verdict == "skipped"


@pytest.mark.parametrize(
    ("rate", "size"),
    [
        (1000, 100 * KIB),
        (50 * KIB, 400 * KIB),
        (200 * KIB, MIB),
        (600 * KIB, 4 * MIB),
        (2 * MIB, 8 * MIB),
        (900 * MIB, 8 * MIB),
    ],
)
def test_a_part_takes_some_eight_seconds_at_most(rate: float, size: int) -> None:
    assert advised_part_size(rate) == size
