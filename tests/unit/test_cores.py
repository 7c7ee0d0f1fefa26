"""How many workers `auto` is: cores that may be used, as control groups of both versions limit them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mossaic.config import MAX_AUTO, Settings
from mossaic.cores import usable_cores

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def sixteen_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(16)), raising=False)


def limited(folder: Path, mine: str, files: dict[str, str]) -> int:
    (folder / "mine").write_text(mine)
    for name, text in files.items():
        (folder / "groups" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "groups" / name).write_text(text)
    return usable_cores(folder / "groups", folder / "mine")


def test_without_groups_it_is_where_the_process_may_run(tmp_path: Path) -> None:
    assert usable_cores(tmp_path, tmp_path / "missing") == 16


@pytest.mark.parametrize(
    ("own", "above", "cores"),
    [
        ("max 100000", "max 100000", 16),
        ("200000 100000", "max 100000", 2),
        ("max 100000", "300000 100000", 3),
        ("150000 100000", "900000 100000", 2),
        ("10000 100000", "max 100000", 1),
        ("6400000 100000", "max 100000", 16),
    ],
)
def test_quotas_of_the_group_and_of_those_above_hold(
    tmp_path: Path, own: str, above: str, cores: int
) -> None:
    files = {"a/b/cpu.max": own, "a/cpu.max": above}

    assert limited(tmp_path, "0::/a/b\n", files) == cores


def test_version_1_has_a_tree_of_its_own_for_cores(tmp_path: Path) -> None:
    mine = "5:cpu,cpuacct:/a\n4:cpuset:/\n0::/\n"
    files = {"cpu/a/cpu.cfs_quota_us": "250000", "cpu/a/cpu.cfs_period_us": "100000"}

    assert limited(tmp_path, mine, files | {"cpu/cpu.cfs_quota_us": "-1"}) == 3


def test_a_container_sees_its_own_group_as_the_root(tmp_path: Path) -> None:
    assert limited(tmp_path, "0::/docker/1a2b\n", {"cpu.max": "200000 100000"}) == 2


def test_auto_has_a_bound_that_a_number_does_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mossaic.config.usable_cores", lambda: 16)

    assert Settings().worker_count == MAX_AUTO
    assert Settings(workers=16).worker_count == 16
    assert Settings(workers=1).worker_count == 1
