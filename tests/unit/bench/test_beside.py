"""Two servers side by side: what pairs of bursts say of them."""

from __future__ import annotations

import math

import pytest

from bench.server.beside import compared, table


def test_the_ratio_is_of_pairs_so_a_mood_that_falls_on_both_is_none() -> None:
    found = compared("put4k, /s", [(100.0, 110.0), (1_000.0, 1_100.0), (10.0, 11.0)])

    assert found.ratio == pytest.approx(1.1)
    assert found.error == pytest.approx(0.0)
    assert (found.higher, found.pairs) == (3, 3)
    assert (found.first, found.other) == (100.0, 110.0)


def test_half_as_much_and_twice_as_much_are_the_same_together() -> None:
    found = compared("put4k, /s", [(100.0, 50.0), (100.0, 200.0)])

    assert found.ratio == pytest.approx(1.0)
    assert found.error == pytest.approx(math.log(2.0))
    assert found.higher == 1


def test_one_pair_says_nothing_of_its_error() -> None:
    assert compared("get4k, /s", [(2.0, 3.0)]).error == 0.0


def test_the_table_has_a_line_for_each_figure() -> None:
    text = table([compared("put4k, /s", [(100.0, 110.0), (100.0, 90.0)])])

    assert "| put4k, /s | 100.00 | 100.00 | **0.995** ± 10.0% | 1 of 2 |" in text.splitlines()
