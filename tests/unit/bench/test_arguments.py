"""The command line of the benchmark, and what becomes of its results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.server.arguments import BASELINE, parse
from bench.server.beside import BURSTS
from bench.server.figure import Reading, figures
from bench.server.report import Run, store, with_section
from bench.server.rows import ROWS, Goal, Row


def test_a_full_run_has_all_rows_and_growth_at_two_sizes() -> None:
    plan = parse([], "2026-01-02").plan

    names = [row.name for row in plan.rows]
    assert names[: len(ROWS)] == [row.name for row in ROWS]
    assert plan.growth == (10_000, 100_000)
    assert {"growth-put-100000", "growth-start-100000"} < set(names)


def test_a_quick_run_leaves_growth_out_unless_it_is_asked_for() -> None:
    assert parse(["--quick"], "2026-01-02").plan.growth == ()
    assert parse(["--quick", "--growth"], "2026-01-02").plan.growth == (10_000, 100_000, 1_000_000)


def test_rows_are_chosen_by_name_and_growth_by_work() -> None:
    plan = parse(["--rows", "put4k,growth-list"], "2026-01-02").plan

    assert [row.name for row in plan.rows] == ["put4k", "growth-list-10000", "growth-list-100000"]
    assert plan.growth_works == ["list"]


@pytest.mark.parametrize("words", [["--rows", "put5k"], ["--keys", "1000"], ["--no-such"]])
def test_what_cannot_be_is_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit):
        parse(words, "2026-01-02")


def test_a_check_takes_the_stored_baseline_or_another_and_leaves_no_results() -> None:
    assert parse(["--check"], "2026-01-02").check == BASELINE
    assert parse(["--check", "x.json"], "2026-01-02").check == Path("x.json")
    assert parse(["--check"], "2026-01-02").out is None
    assert parse([], "2026-01-02").out == BASELINE.with_name("2026-01-02-server")


def test_results_are_kept_as_markdown_and_json(tmp_path: Path) -> None:
    row = Row(name="rate", title="Rate", unit="/s", limits=("disk",), goals=(Goal(0.5, "disk"),))
    readings = [Reading(row="rate", value=100.123456, limits={"disk": 200.0})]
    run = Run(
        rows=[row],
        readings=readings,
        figures=figures([row], readings),
        surroundings={"python": "3.11"},
        rounds=1,
        mode="quick",
        date="2026-01-02 03:04 UTC",
    )

    store(run, tmp_path / "here" / "run")

    assert "| Rate | 100 /s [100-100] |" in (tmp_path / "here/run.md").read_text()
    record = json.loads((tmp_path / "here/run.json").read_text())
    assert record["readings"] == [{"row": "rate", "value": 100.1, "limits": {"disk": 200.0}, "noise": 0.0}]
    assert record["goals"] == [{"row": "rate", "limit": "disk", "wanted": 0.5, "reached": True}]


def test_a_section_of_a_page_is_replaced_and_the_rest_stays() -> None:
    page = "before\n<!-- table: written by bench -->\nold\n<!-- /table -->\nafter\n"

    once = with_section(page, "table", "new\n")

    assert once == "before\n<!-- table: written by bench -->\n\nnew\n\n<!-- /table -->\nafter\n"
    assert with_section(once, "table", "new") == once


def test_a_page_without_the_section_is_not_touched() -> None:
    with pytest.raises(ValueError, match="no section"):
        with_section("nothing here", "table", "new")


def test_two_servers_side_by_side_have_bursts_instead_of_rows() -> None:
    wish = parse(
        ["--server", "one serve", "--beside", "two serve", "--rows", "put4k,parts100k"], "2026-01-02"
    )

    assert (wish.beside, wish.plan.command, wish.out) == ("two serve", "one serve", None)
    assert wish.plan.wanted == {"put4k", "parts100k"}
    assert wish.plan.scale.seconds < 1 < wish.plan.rounds
    assert parse(["--beside", "two serve"], "2026-01-02").plan.wanted == set(BURSTS)
    with pytest.raises(SystemExit):
        parse(["--beside", "two serve", "--rows", "list"], "2026-01-02")
