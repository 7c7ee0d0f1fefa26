"""Table, handlers and documents say the same."""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

import pytest

import mossaic.gateway.pipeline  # noqa: F401  # binds the handlers
from mossaic import config
from mossaic.gateway.call import handlers
from mossaic.protocol.operation import AnyOperation, NotProvided
from mossaic.protocol.operations import NOT_PROVIDED, TABLE

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import generate_docs  # noqa: E402


def test_every_row_has_a_handler_and_every_handler_a_row() -> None:
    assert handlers.names == {row.name for row in TABLE}


def test_no_two_rows_fit_the_same_request() -> None:
    def fits(row: AnyOperation | NotProvided) -> tuple[object, ...]:
        return row.method, row.level, row.marks, tuple(sorted(row.values.items())), row.header

    rows = Counter(map(fits, TABLE))
    missing = {fits(row) for row in NOT_PROVIDED}

    assert [row for row, count in rows.items() if count > 1] == []
    assert [row.name for row in TABLE if fits(row) in missing] == []


def test_what_is_not_provided_says_why() -> None:
    assert [row.name for row in NOT_PROVIDED if not row.reason] == []
    assert not {row.name for row in NOT_PROVIDED} & {row.name for row in TABLE}
    assert [row.name for row in NOT_PROVIDED if row.priority == "A"] == []


@pytest.mark.parametrize("name", generate_docs.PAGES)
def test_generated_pages_are_current(name: str) -> None:
    assert (ROOT / name).read_text() == generate_docs.rendered(name), "run `make docs`"


def test_every_setting_is_described() -> None:
    text = (ROOT / "docs/settings.md").read_text()

    documented = set(re.findall(r"^\| `([a-z_.]+)` \|", text, re.MULTILINE))
    assert documented == set(config.keys())
    for key in config.keys():  # noqa: SIM118  # a function, not a mapping
        assert config.environment_name(key) in text


def test_every_path_in_the_architecture_exists() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    named = set(re.findall(r"`((?:src|tests|docs|bench|scripts)/[A-Za-z0-9_/.*-]*)`", text))

    assert named
    assert [path for path in sorted(named) if not list(ROOT.glob(path.rstrip("/")))] == []


def test_every_metric_is_described() -> None:
    source = "".join(path.read_text() for path in (ROOT / "src/mossaic").rglob("*.py"))
    named = set(re.findall(r'"(mossaic_[a-z_]+)"', source))
    text = (ROOT / "docs/operate.md").read_text()

    assert named
    assert sorted(name for name in named if name not in text) == []
