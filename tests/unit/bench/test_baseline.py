"""The regression check compares ratios, and blames nothing on a busy machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.server import baseline
from bench.server.baseline import Verdict
from bench.server.figure import Reading, figures
from bench.server.rows import Row

if TYPE_CHECKING:
    from pathlib import Path

RATE = Row(name="rate", title="Rate", unit="/s", limits=("disk", "nginx"))
TIME = Row(name="time", title="Time", unit="ms", lower=True, absolute=True)
BARE = Row(name="bare", title="A rate without a limit", unit="/s")


def verdict(row: Row, stored: dict[str, dict[str, float]], *readings: Reading) -> Verdict:
    (found,) = baseline.compare([row], figures([row], readings), stored)
    return found.verdict


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (80.0, Verdict.SAME),
        (65.0, Verdict.SAME),
        (63.0, Verdict.WORSE),
        (99.0, Verdict.SAME),
        (101.0, Verdict.BETTER),
    ],
)
def test_a_ratio_may_be_a_quarter_worse(now: float, said: Verdict) -> None:
    reading = Reading(row="rate", value=now, limits={"disk": 100.0})

    assert verdict(RATE, {"rate": {"disk": 0.8}}, reading) is said


@pytest.mark.parametrize(
    ("now", "said"),
    [(10.0, Verdict.SAME), (12.5, Verdict.SAME), (12.6, Verdict.WORSE), (7.9, Verdict.BETTER)],
)
def test_a_time_may_be_a_quarter_longer(now: float, said: Verdict) -> None:
    assert verdict(TIME, {"time": {"": 10.0}}, Reading(row="time", value=now)) is said


def test_the_best_round_speaks_for_the_rest() -> None:
    slow = [Reading(row="rate", value=10, limits={"disk": 100.0}) for _ in range(2)]
    good = Reading(row="rate", value=79, limits={"disk": 100.0})

    assert verdict(RATE, {"rate": {"disk": 0.8}}, *slow, good) is Verdict.SAME
    assert verdict(RATE, {"rate": {"disk": 0.8}}, *slow) is Verdict.WORSE


def test_a_busy_machine_is_no_regression() -> None:
    reading = Reading(row="rate", value=10, limits={"disk": 100.0}, noise=0.4)

    assert verdict(RATE, {"rate": {"disk": 0.8}}, reading) is Verdict.NOISY
    assert not Verdict.NOISY.is_bad


def test_a_wrong_answer_is_bad_whatever_the_speed() -> None:
    good = Reading(row="rate", value=100, limits={"disk": 100.0})

    said = verdict(RATE, {"rate": {"disk": 0.8}}, good, Reading(row="rate", error="another ETag"))

    assert said is Verdict.FAILED
    assert said.is_bad


def test_a_row_that_nobody_stored_is_not_judged() -> None:
    assert verdict(RATE, {}, Reading(row="rate", value=1, limits={"disk": 2.0})) is Verdict.UNKNOWN


def test_a_ratio_is_only_compared_with_one_to_the_same_limit() -> None:
    reading = Reading(row="rate", value=1, limits={"nginx": 100.0})

    assert verdict(RATE, {"rate": {"disk": 0.8}}, reading) is Verdict.UNKNOWN


def test_a_figure_that_depends_on_the_machine_alone_is_neither_stored_nor_compared() -> None:
    made = figures([BARE], [Reading(row="bare", value=100)])

    assert baseline.stored([BARE], made) == {}
    assert baseline.compare([BARE], made, {}) == []


def test_what_is_stored_is_read_back_and_other_rows_stay(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    made = figures(
        [RATE, TIME],
        [Reading(row="rate", value=1, limits={"nginx": 2.0, "disk": 3.0}), Reading(row="time", value=7)],
    )

    baseline.write(path, {"rate": {"disk": 9.0}, "other": {"": 1.0}}, {})
    baseline.write(path, baseline.stored([RATE, TIME], made), {"cores": "2"})

    assert baseline.read(path) == {"rate": {"disk": 0.3333}, "time": {"": 7.0}, "other": {"": 1.0}}


@pytest.mark.parametrize("text", ["[]", "{}", '{"ratios": {"rate": 1}}', "not JSON"])
def test_another_file_is_no_baseline(text: str, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(text)

    with pytest.raises(ValueError, match=r"baseline|Expecting"):
        baseline.read(path)


def test_the_report_names_the_regression() -> None:
    made = figures([RATE], [Reading(row="rate", value=1, limits={"disk": 10.0})])

    text = baseline.report(baseline.compare([RATE], made, {"rate": {"disk": 0.8}}))

    assert "| rate | disk | 0.800 | 0.100 | REGRESSION |" in text
