"""Range headers, by both of OSS's sets of rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mossaic.model.manifest import Extent, Manifest
from mossaic.model.names import BlobId
from mossaic.model.ranges import ByteRange, chosen_range, copied_range
from mossaic.protocol.errors import INVALID_RANGE, OssError

WHOLE = None
REFUSED = "416"


@pytest.mark.parametrize(
    ("text", "lenient", "standard"),
    [
        (None, WHOLE, WHOLE),
        ("bytes=0-9", (0, 10), (0, 10)),
        ("bytes=0-0", (0, 1), (0, 1)),
        ("bytes=9-9", (9, 10), (9, 10)),
        ("bytes=3-", (3, 10), (3, 10)),
        ("bytes=-4", (6, 10), (6, 10)),
        ("bytes=-10", (0, 10), (0, 10)),
        ("bytes=-0", REFUSED, REFUSED),
        ("bytes=5-10", WHOLE, (5, 10)),
        ("bytes=10-", WHOLE, REFUSED),
        ("bytes=10-12", WHOLE, REFUSED),
        ("bytes=-11", WHOLE, (0, 10)),
        ("bytes=7-3", WHOLE, WHOLE),
        ("byte=0-3", WHOLE, WHOLE),
        ("bytes=", WHOLE, WHOLE),
        ("bytes=-", WHOLE, WHOLE),
        ("bytes=a-b", WHOLE, WHOLE),
        ("bytes=1-2,5-6", (1, 3), (1, 3)),
        ("bytes=" + "9" * 30 + "-", WHOLE, WHOLE),
    ],
)
def test_each_row_of_the_range_table_for_ten_bytes(
    text: str | None, lenient: object, standard: object
) -> None:
    for wanted, is_standard in ((lenient, False), (standard, True)):
        if wanted == REFUSED:
            with pytest.raises(OssError) as caught:
                chosen_range(text, 10, standard=is_standard)
            assert caught.value.row is INVALID_RANGE
            assert caught.value.headers["Content-Range"] == "bytes */10"
        else:
            assert chosen_range(text, 10, standard=is_standard) == wanted


def test_an_empty_object_is_answered_whole_unless_standard_refuses() -> None:
    assert chosen_range("bytes=0-", 0) is None
    assert chosen_range("bytes=-5", 0) is None
    assert chosen_range("bytes=-5", 0, standard=True) is None
    with pytest.raises(OssError):
        chosen_range("bytes=0-", 0, standard=True)


def test_a_content_range_is_closed() -> None:
    assert ByteRange(2, 5).content_range(10) == "bytes 2-4/10"


@given(first=st.integers(0, 40), last=st.integers(0, 40), size=st.integers(0, 30))
def test_a_standard_range_is_what_slicing_gives(first: int, last: int, size: int) -> None:
    content = bytes(range(size))
    try:
        chosen = chosen_range(f"bytes={first}-{last}", size, standard=True)
    except OssError:
        assert first >= size
        return
    if chosen is None:
        assert last < first
    else:
        assert content[chosen.start : chosen.stop] == content[first : last + 1]
        assert chosen.start < chosen.stop <= size


@given(text=st.text(max_size=20), size=st.integers(0, 100), standard=st.booleans())
def test_no_text_gives_bytes_outside_the_object(text: str, size: int, standard: bool) -> None:
    try:
        chosen = chosen_range("bytes=" + text, size, standard=standard)
    except OssError as error:
        assert error.row is INVALID_RANGE  # noqa: PT017  # most inputs do not raise
        return
    assert chosen is None or 0 <= chosen.start < chosen.stop <= size


@given(lengths=st.lists(st.integers(1, 20), min_size=1, max_size=8), data=st.data())
def test_cutting_a_manifest_equals_slicing_its_bytes(lengths: list[int], data: st.DataObject) -> None:
    blobs = {
        BlobId(f"{n:032x}"): bytes([n]) * 3 + bytes(range(n, n + length)) for n, length in enumerate(lengths)
    }
    extents = [Extent(blob_id, 3, len(content) - 3) for blob_id, content in blobs.items()]
    manifest = Manifest(tuple(extents))
    whole = b"".join(content[3:] for content in blobs.values())
    start = data.draw(st.integers(0, len(whole)))
    stop = data.draw(st.integers(start, len(whole)))

    cut = [blobs[e.blob_id][e.offset : e.offset + e.length] for e in manifest.cut(start, stop)]

    assert b"".join(cut) == whole[start:stop]
    assert all(cut)


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        (None, None),
        ("bytes=0-9", (0, 10)),
        ("bytes=4-6", (4, 7)),
        ("bytes=4-10", None),
        ("bytes=4-", None),
        ("bytes=-4", None),
        ("bytes=6-4", None),
        ("nonsense", None),
    ],
)
def test_a_copied_range_that_does_not_fit_copies_everything(text: str | None, chosen: object) -> None:
    assert copied_range(text, 10) == chosen
