"""Conditional requests."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mossaic.model.conditions import COPY, Conditions, range_still_applies, refuse_on_write
from mossaic.protocol.codec.values import http_text
from mossaic.protocol.errors import NOT_IMPLEMENTED, NOT_MODIFIED, PRECONDITION_FAILED, OssError

ETAG = "5D41402ABC4B2A76B9719D911017C592"
OTHER = "7D793037A0760186574B0282F2F435E7"
AT = datetime(2026, 3, 5, 6, 7, 8, 900_000, tzinfo=UTC)
BEFORE, SAME, AFTER = (f"Thu, 05 Mar 2026 06:07:{second:02d} GMT" for second in (7, 8, 9))


def check(**given: str) -> None:
    Conditions(**given).check(etag=ETAG, modified_at=AT)  # type: ignore[arg-type]  # a test's shorthand


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"if_match": ETAG},
        {"if_match": f'"{ETAG.lower()}"'},
        {"if_match": f'"{OTHER}", "{ETAG}"'},
        {"if_match": "*"},
        {"if_none_match": OTHER},
        {"if_unmodified_since": SAME},
        {"if_unmodified_since": AFTER},
        {"if_modified_since": BEFORE},
        {"if_modified_since": "no date"},
        {"if_unmodified_since": "1000"},
        {"if_none_match": OTHER, "if_modified_since": AFTER},
    ],
)
def test_a_condition_that_holds_lets_the_object_through(given: dict[str, str]) -> None:
    check(**given)


@pytest.mark.parametrize(
    ("given", "condition"),
    [
        ({"if_match": OTHER}, "If-Match"),
        ({"if_unmodified_since": BEFORE}, "If-Unmodified-Since"),
        ({"if_match": OTHER, "if_none_match": ETAG}, "If-Match"),
        ({"if_match": ETAG, "if_unmodified_since": BEFORE}, "If-Unmodified-Since"),
    ],
)
def test_412_names_its_condition(given: dict[str, str], condition: str) -> None:
    with pytest.raises(OssError) as caught:
        check(**given)
    assert caught.value.row is PRECONDITION_FAILED
    assert caught.value.extras == {"Condition": condition}


@pytest.mark.parametrize(
    "given",
    [
        {"if_none_match": ETAG},
        {"if_none_match": f'"{ETAG}"'},
        {"if_none_match": "*"},
        {"if_modified_since": SAME},
        {"if_modified_since": AFTER},
        {"if_match": ETAG, "if_none_match": ETAG},
    ],
)
def test_304_carries_etag_and_last_modified(given: dict[str, str]) -> None:
    with pytest.raises(OssError) as caught:
        check(**given)
    assert caught.value.row is NOT_MODIFIED
    assert caught.value.headers == {"ETag": f'"{ETAG}"', "Last-Modified": SAME}


def test_a_part_copy_knows_only_412() -> None:
    conditions = Conditions(if_none_match=ETAG, prefix=COPY, always_412=True)
    with pytest.raises(OssError) as caught:
        conditions.check(etag=ETAG, modified_at=AT)
    assert caught.value.row is PRECONDITION_FAILED
    assert caught.value.extras == {"Condition": "x-oss-copy-source-if-none-match"}


def test_a_write_with_a_condition_is_refused_by_the_header_s_name() -> None:
    refuse_on_write(Conditions())
    with pytest.raises(OssError) as caught:
        refuse_on_write(Conditions(if_modified_since=SAME))
    assert caught.value.row is NOT_IMPLEMENTED
    assert caught.value.extras == {"Header": "If-Modified-Since"}


def test_if_range_wants_the_same_object() -> None:
    for if_range, applies in (
        (None, True),
        (f'"{ETAG}"', True),
        (f'"{OTHER}"', False),
        (f'W/"{ETAG}"', False),
        (http_text(AT), True),
        (BEFORE, False),
    ):
        assert range_still_applies(if_range, etag=ETAG, modified_at=AT) is applies
