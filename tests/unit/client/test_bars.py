"""tqdm's and rich's own bars, fed by our progress."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console
from rich.progress import Progress as RichProgress
from tqdm import tqdm

import mossaic

MIB = 1024 * 1024
BEGUN = mossaic.Progress(
    phase="checking",
    sent=0,
    stored=0,
    resumed=0,
    total=None,
    speed=None,
    eta_s=None,
    parts_done=0,
    parts_total=None,
    retries=0,
)
RESUMED = replace(
    BEGUN,
    phase="sending",
    sent=4 * MIB,
    stored=4 * MIB,
    resumed=4 * MIB,
    total=10 * MIB,
    parts_done=4,
    parts_total=10,
)
MIDDLE = replace(RESUMED, sent=7 * MIB, stored=6 * MIB, parts_done=6, retries=1, speed=2.0 * MIB)
DONE = replace(MIDDLE, phase="done", sent=10 * MIB, stored=10 * MIB, parts_done=10)


def test_a_tqdm_bar_ends_where_the_upload_does_and_says_what_it_is_at() -> None:
    screen = io.StringIO()
    with tqdm(unit="B", unit_scale=True, unit_divisor=1024, file=screen, mininterval=0, ncols=120) as bar:
        tell = mossaic.bars.for_tqdm(bar)
        for seen in (BEGUN, RESUMED, MIDDLE):
            tell(seen)
        at = bar.n
        tell(DONE)

        assert at == 7 * MIB
        assert (bar.n, bar.total, bar.initial) == (10 * MIB, 10 * MIB, 4 * MIB)
    assert "parts=10/10" in screen.getvalue()
    assert "retries=1" in screen.getvalue()


def test_a_rich_task_is_moved_by_bytes_and_has_our_facts_as_fields() -> None:
    with RichProgress(
        "{task.description} {task.fields[phase]} {task.fields[parts]}", console=Console(file=io.StringIO())
    ) as bars:
        tell = mossaic.bars.for_rich(bars, "big.bin")
        for seen in (BEGUN, RESUMED, MIDDLE):
            tell(seen)
        task = bars.tasks[0]
        at = (task.completed, task.total, task.fields["parts"])
        tell(DONE)

    assert at == (7 * MIB, 10 * MIB, "6/10")
    assert task.finished
    assert task.fields["phase"] == "done"
