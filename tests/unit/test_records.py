"""Records in columns are written byte for byte as the same records one by one, and read like them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mossaic.protocol.codec import write_answer
from mossaic.protocol.codec.values import iso_text, iso_texts
from mossaic.protocol.operations import listing, multipart
from mossaic.protocol.records import COMMA, Made, Moments, Numbers, Records, Texts, Words
from mossaic.protocol.shapes import Owner

if TYPE_CHECKING:
    from collections.abc import Sequence

# Whatever a key may hold, and often what needs escaping or has a meaning for the writer.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.text(
    "a/%&<>\n\0\x1f\"' é😀s", max_size=9
)
INSTANTS = st.integers(0, 253402300799)  # seconds, up to the end of the year 9999
SIZES = st.integers(0, 2**63) | st.sampled_from([0, 1, 11])
ENTRIES = st.lists(
    st.tuples(
        TEXTS,
        INSTANTS | st.sampled_from([0, 59, 86_399]),
        TEXTS,
        SIZES,
        st.sampled_from(["Standard", "IA"]),
    ),
    max_size=6,
)
PARTS = st.lists(
    st.tuples(st.integers(1, 10_000), INSTANTS, TEXTS, st.none() | TEXTS, st.integers(0, 2**40)), max_size=6
)


def columns_of(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dict[str, Sequence[Any]]:
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


@given(
    rows=ENTRIES,
    owner=st.none() | st.builds(Owner, id=TEXTS, display_name=TEXTS),
    encoding=st.sampled_from([None, "url"]),
    prefixes=st.lists(TEXTS, max_size=5),
    as_texts=st.booleans(),
)
def test_a_page_of_objects_is_written_as_one_by_one(
    rows: list[tuple[str, int, str, int, str]],
    owner: Owner | None,
    encoding: str | None,
    prefixes: list[str],
    as_texts: bool,
) -> None:
    columns = columns_of(["key", "modified_at", "etag", "size", "storage_class"], rows)
    columns["modified_at"] = Moments.of(columns["modified_at"])
    if as_texts:
        columns |= {name: Texts.of(columns[name]) for name in ("key", "etag", "storage_class")}
        columns["size"] = Numbers.of(columns["size"])
    contents = Records(listing.ObjectEntry, columns, type="Normal", owner=owner)
    groups = Records(listing.CommonPrefix, {"prefix": Texts.of(prefixes) if as_texts else prefixes})
    page = listing.ListObjectsV2Result(
        name="b",
        max_keys=1000,
        key_count=1,
        encoding_type=encoding,
        contents=contents,
        common_prefixes=groups,
    )
    singly = listing.ListObjectsV2Result(
        name="b",
        max_keys=1000,
        key_count=1,
        encoding_type=encoding,
        contents=tuple(contents),
        common_prefixes=tuple(groups),
    )

    assert len(contents) == len(rows)
    assert write_answer(listing.LIST_OBJECTS_V2, page) == write_answer(listing.LIST_OBJECTS_V2, singly)


@given(PARTS)
def test_a_field_that_is_not_always_there_is_left_out_where_it_is_not(
    rows: list[tuple[int, int, str, str | None, int]],
) -> None:
    columns = columns_of(["number", "last_modified", "etag", "crc64", "size"], rows)
    columns["last_modified"] = Moments.of(columns["last_modified"])
    parts = Records(multipart.StoredPart, columns)

    def written(entries: Sequence[multipart.StoredPart]) -> bytes:
        page = multipart.ListPartsResult(
            bucket="b", key="k", upload_id="U", is_truncated=False, parts=entries
        )
        return write_answer(multipart.LIST_PARTS, page).body

    assert written(parts) == written(tuple(parts))


def test_records_read_like_a_tuple_of_them() -> None:
    prefixes = Records(listing.CommonPrefix, {"prefix": ["a/", "b/", "c/"]})
    singly = tuple(listing.CommonPrefix(prefix=prefix) for prefix in ("a/", "b/", "c/"))

    assert (prefixes[0], prefixes[-1], prefixes[1:]) == (singly[0], singly[-1], singly[1:])
    assert prefixes == singly
    assert prefixes == Made(3, singly.__getitem__)
    assert prefixes != singly[:2]
    assert hash(prefixes) == hash(singly)
    with pytest.raises(IndexError):
        prefixes[3]


@given(st.lists(TEXTS | st.sampled_from(["", "a", "aa"]), max_size=4))
def test_a_column_knows_what_all_of_its_texts_are(texts: list[str]) -> None:
    column = Texts.of(texts)

    assert column == texts
    assert column.common() == (texts[0].encode() if len(set(texts)) == 1 else None)


def test_a_column_is_cut_at_its_own_gap() -> None:
    assert Numbers(b"1,22,3", 3, COMMA) == (1, 22, 3)
    assert Numbers(b"7,7,7", 3, COMMA).common() == b"7"
    assert Numbers(b"", 0, COMMA).common() is None


@given(INSTANTS)
def test_moments_are_exact(seconds: int) -> None:
    (moment,) = Moments.of([seconds])

    assert moment.tzinfo is UTC
    assert (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1) == seconds


@pytest.mark.parametrize("different", [1, 3, 99, 200])
def test_times_are_written_as_single_ones_however_many_share_a_second(different: int) -> None:
    seconds = [1_709_618_399 + 3_599 * (place % different) for place in range(200)]

    singly = [iso_text(datetime.fromtimestamp(each, UTC)).encode() for each in seconds]

    assert iso_texts(Moments.of(seconds)) == singly


@given(st.lists(st.integers(0, 3), max_size=8), st.sampled_from([b",", b"\xff"]))
def test_runs_are_the_values_and_how_often_each_follows_itself(values: list[int], gap: bytes) -> None:
    runs = Numbers.of(values, gap).runs()

    assert [value for value, count in runs for _ in range(count)] == values
    assert all(before != after for (before, _), (after, _) in pairwise(runs))


def test_columns_are_equal_when_their_values_are_however_these_are_written() -> None:
    assert Numbers.of([1, 2], b",") == Numbers.of([1, 2])
    assert Numbers(b"01,2", 2, b",") == Numbers.of([1, 2], b",")
    assert Numbers.of([1, 2], b",") != Numbers.of([1, 3], b",")
    assert Texts.of(["a", "b"]) == ("a", "b")
    assert hash(Numbers.of([1, 2], b",")) == hash(Numbers.of([1, 2]))


@given(st.lists(st.integers(0, 2**64 - 1)))
def test_words_keep_numbers_of_64_bits(values: list[int]) -> None:
    assert list(Words.of(values)) == values
