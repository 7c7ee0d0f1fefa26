"""Readings of rounds become one figure a row, and the figures a table."""

from __future__ import annotations

import pytest

from bench.server.figure import Figure, Reading, figures, reached
from bench.server.rows import GROWTH_WORKS, ROWS, Goal, Row, among, growth_rows
from bench.server.table import number, table
from bench.server.works import WORKS, growing

FAST = Row(name="fast", title="Fast", unit="MB/s", limits=("disk", "nginx"), goals=(Goal(0.9, "disk"),))
SHORT = Row(name="short", title="Short", unit="ms", lower=True, goals=(Goal(2.0),))


def a_figure(row: Row, *readings: Reading) -> Figure:
    return figures([row], readings)[row.name]


def test_a_ratio_is_the_median_of_the_rounds_ratios_not_of_the_medians() -> None:
    figure = a_figure(
        FAST,
        Reading(row="fast", value=100, limits={"disk": 200}),
        Reading(row="fast", value=300, limits={"disk": 400}),
        Reading(row="fast", value=90, limits={"disk": 100}),
    )

    assert (figure.value, figure.least, figure.most) == (100, 90, 300)
    assert figure.ratios == {"disk": 0.75}
    assert figure.best_ratios == {"disk": 0.9}


def test_the_best_round_of_a_time_is_the_shortest() -> None:
    row = Row(name="short", title="Short", unit="ms", lower=True, limits=("commit",))

    figure = a_figure(
        row,
        Reading(row="short", value=4, limits={"commit": 1}),
        Reading(row="short", value=3, limits={"commit": 1}),
    )

    assert figure.best_ratios == {"commit": 3}


def test_a_round_that_failed_spoils_no_figure_and_is_not_forgotten() -> None:
    figure = a_figure(FAST, Reading(row="fast", value=5), Reading(row="fast", error="no answer"))

    assert (figure.value, figure.rounds, figure.errors) == (5, 1, ("no answer",))


def test_a_limit_that_is_not_there_gives_no_ratio() -> None:
    figure = a_figure(FAST, Reading(row="fast", value=5, limits={"disk": 0.0, "nginx": 10.0}))

    assert figure.ratios == {"nginx": 0.5}
    assert reached(FAST, figure, Goal(0.9, "disk")) is None


@pytest.mark.parametrize(
    ("row", "value", "limits", "verdict"),
    [
        (FAST, 90.0, {"disk": 100.0}, True),
        (FAST, 89.0, {"disk": 100.0}, False),
        (SHORT, 2.0, {}, True),
        (SHORT, 2.1, {}, False),
    ],
)
def test_goals_are_reached_from_the_right_side(
    row: Row, value: float, limits: dict[str, float], verdict: bool
) -> None:
    figure = a_figure(row, Reading(row=row.name, value=value, limits=limits))

    assert reached(row, figure, row.goals[0]) is verdict


def test_growth_is_flat_within_a_fifth_of_the_smallest_bucket() -> None:
    by_name = {row.name: row for row in growth_rows((10_000, 100_000))}

    for name, value, verdict in (
        ("growth-put-100000", 80.0, True),
        ("growth-put-100000", 79.0, False),
        ("growth-complete-100000", 120.0, True),
        ("growth-complete-100000", 121.0, False),
        ("growth-get8-100000", 80.0, True),
        ("growth-get8-100000", 79.0, False),
        ("growth-start-100000", 120.0, True),
        ("growth-start-100000", 121.0, False),
    ):
        row = by_name[name]
        figure = a_figure(row, Reading(row=name, value=value, limits={among(10_000): 100.0}))
        assert reached(row, figure, row.goals[0]) is verdict
    assert len(by_name) == 2 * len(GROWTH_WORKS)
    assert not by_name["growth-put-10000"].goals


def test_the_table_shows_figure_limit_ratio_goal_and_noise() -> None:
    reading = Reading(
        row="fast", value=50, limits={"disk": 100}, more={"p99 ms": 3.0}, server_cpu=2.0, noise=0.5
    )

    line = table([FAST, SHORT], figures([FAST, SHORT], [reading])).splitlines()[-1]

    for text in ("50.0~ MB/s", "p99 ms 3.00", "disk 100 = **0.50**", ">= 0.9 x disk", "NOT reached", "50%"):
        assert text in line


def test_the_table_tells_of_a_row_that_failed() -> None:
    made = figures([FAST], [Reading(row="fast", error="503 | SlowDown\nlater")])

    line = table([FAST], made).splitlines()[-1]

    assert "failed: 503 / SlowDown later" in line
    assert "not measured" in line


@pytest.mark.parametrize(
    ("value", "text"), [(12_345.6, "12,346"), (99.96, "100.0"), (12.34, "12.3"), (0.126, "0.13")]
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_every_row_has_a_work_and_every_work_a_row() -> None:
    filled = [name for names in WORKS for name in names]

    assert filled == [row.name for row in ROWS]


def test_every_growth_row_has_a_work_and_start_needs_a_folder_that_no_server_has() -> None:
    assert set(GROWTH_WORKS) - set(growing.WORKS) == {"start"}
    assert set(growing.WORKS) < set(GROWTH_WORKS)


def test_what_grows_is_told_as_in_the_table_above() -> None:
    above = {row.name: row for row in ROWS}
    grown = {row.name: row for row in growth_rows((10_000, 100_000))}

    for name in set(GROWTH_WORKS) & set(above):
        row, same = grown[f"growth-{name}-100000"], above[name]
        assert (row.unit, row.lower) == (same.unit, same.lower)
        assert [goal.limit for goal in row.goals] == [among(10_000)]
