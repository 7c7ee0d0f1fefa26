"""Sizes and times as people write and read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mossaic.cli.units import counted, human_size, human_span, iso_time, parse_size, parse_span


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0), ("10", 10), ("512k", 524_288), ("8M", 8_388_608), ("8MiB", 8_388_608), ("8 mb", 8_388_608),
        ("1.5g", 1_610_612_736), ("10M/s", 10_485_760), ("1T", 1_099_511_627_776), ("7b", 7),
    ],
)  # fmt: skip
def test_a_size_is_read(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "M", "-1", "1e3", "1 X", "ten", "1,5M", "0x10"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no size"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("15m", 900), ("15min", 900), ("12h", 43_200), ("7d", 604_800), ("2w", 1_209_600), ("1d12h", 129_600), ("1 h 30 m", 5400)],
)  # fmt: skip
def test_a_length_of_time_is_read(text: str, seconds: int) -> None:
    assert parse_span(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "d", "-1d", "1y", "1d!", "soon", "9" * 400 + "w"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no length of time|too long"):
        parse_span(text)


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (1_048_575, "1.0 MiB"), (20 * 2**30, "20.0 GiB"), (3 * 2**50, "3.0 PiB")],
)  # fmt: skip
def test_a_size_is_written_short(size: int, text: str) -> None:
    assert human_size(size) == text


@given(st.integers(0, 2**60))
def test_a_size_written_short_is_read_back_near(size: int) -> None:
    assert abs(parse_size(human_size(size)) - size) <= size * 0.06 + 0.5


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (59.6, "1m"),
        (200, "3m 20s"),
        (7500, "2h 5m"),
        (3600, "1h"),
        (86_400 * 6 + 4 * 3600, "6d 4h"),
    ],
)
def test_a_length_of_time_is_written_in_two_units(seconds: float, text: str) -> None:
    assert human_span(seconds) == text


def test_programs_get_utc() -> None:
    moment = datetime(2026, 7, 1, 12, 0, 30, 999, tzinfo=timezone(timedelta(hours=8)))
    assert iso_time(moment) == "2026-07-01T04:00:30Z"
    assert iso_time(moment.astimezone(UTC)) == "2026-07-01T04:00:30Z"


def test_one_thing_has_no_s() -> None:
    assert [counted(n, "rule") for n in (0, 1, 2)] == ["no rules", "1 rule", "2 rules"]
