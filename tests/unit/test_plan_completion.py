"""What a list of parts becomes: OSS's checks in OSS's order, and the object that results."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mossaic.model.manifest import Extent, Manifest
from mossaic.model.names import BlobId, UploadId
from mossaic.model.upload import (
    Completion,
    Part,
    PartColumns,
    list_digest,
    new_upload_id,
    no_such_upload,
    part_number,
    plan_completion,
)
from mossaic.protocol.checksum import crc64, md5_hex, multipart_etag
from mossaic.protocol.errors import OssError
from mossaic.protocol.limits import MIN_PART_SIZE
from mossaic.protocol.part_list import PartList, listed_parts

NOW = datetime(2026, 3, 5, 6, 7, 8, tzinfo=UTC)
UPLOAD = UploadId("0123456789ABCDEF0123456789ABCDEF")


def a_part(number: int, size: int = MIN_PART_SIZE) -> Part:
    content = number.to_bytes(4, "big")
    return Part(
        number=number,
        size=size,
        etag=md5_hex(content),
        crc64=crc64(content),
        stored_at=NOW,
        manifest=Manifest((Extent(BlobId(f"{number:032x}"), 0, size),) if size else ()),
    )


def asking(*parts: tuple[int, str]) -> PartList:
    return PartList.of(parts)


def document_of(*parts: tuple[int, str]) -> bytes:
    inner = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>" for number, etag in parts
    )
    return f"<CompleteMultipartUpload>{inner}</CompleteMultipartUpload>".encode()


def listed(*parts: Part) -> PartList:
    return asking(*((part.number, part.etag) for part in parts))


def refusal(stored: list[Part], asked: PartList | None) -> OssError:
    with pytest.raises(OssError) as caught:
        planned(stored, asked)
    return caught.value


def planned(stored: list[Part], asked: PartList | None) -> Completion:
    return plan_completion(PartColumns.of(stored), asked, upload_id=UPLOAD)


def test_listed_parts_become_the_object_and_the_rest_is_left_out() -> None:
    first, second, last = a_part(1), a_part(7), a_part(9, 3)

    plan = planned([first, second, last], listed(first, last))

    assert plan.parts == PartColumns.of([first, last])
    assert plan.size == MIN_PART_SIZE + 3
    assert plan.etag == multipart_etag([first.etag, last.etag])
    assert [extent.blob_id for extent in plan.manifest.extents] == [f"{1:032x}", f"{9:032x}"]


def test_no_list_takes_every_part_in_order() -> None:
    plan = planned([a_part(5), a_part(2), a_part(10_000, 1)], None)

    assert plan.parts.numbers == (2, 5, 10_000)


def test_an_empty_list_makes_an_empty_object() -> None:
    plan = planned([a_part(1)], asking())

    assert (plan.size, plan.crc64, plan.manifest) == (0, 0, Manifest())
    assert plan.etag == "D41D8CD98F00B204E9800998ECF8427E-0"


def test_etags_compare_without_regard_to_case() -> None:
    part = a_part(1)

    plan = planned([part], listed_parts(document_of((1, part.etag.lower()))))

    assert plan.parts == PartColumns.of([part])


@pytest.mark.parametrize("numbers", [[2, 1], [1, 1], [0], [-1], [10_001], [1, 10_001]])
def test_numbers_out_of_order_or_out_of_range_are_refused(numbers: list[int]) -> None:
    stored = [a_part(number) for number in (1, 2)]

    error = refusal(stored, asking(*((number, "whatever") for number in numbers)))

    assert (error.code, error.ec) == ("InvalidPartOrder", "0042-00000209")


def test_a_part_that_was_never_put_is_refused_by_name() -> None:
    error = refusal([a_part(1)], listed(a_part(1), a_part(2)))

    assert error.code == "InvalidPart"
    assert error.extras == {"UploadId": UPLOAD, "PartNumber": "2", "ETag": a_part(2).etag}


def test_another_etag_is_refused_even_where_the_size_is_wrong_too() -> None:
    small, last = a_part(1, 5), a_part(2)

    error = refusal([small, last], asking((1, "0" * 32), (last.number, last.etag)))

    assert error.code == "InvalidPart"


def test_the_order_is_looked_at_before_the_parts() -> None:
    assert refusal([], listed(a_part(2), a_part(1))).code == "InvalidPartOrder"


def test_a_small_part_is_refused_unless_it_is_the_last() -> None:
    small = a_part(1, MIN_PART_SIZE - 1)

    error = refusal([small, a_part(2)], listed(small, a_part(2)))
    alone = planned([small], listed(small))

    assert (error.code, error.ec) == ("EntityTooSmall", "0042-00000213")
    assert error.extras["PartNumber"] == "1"
    assert error.extras["ProposedSize"] == "102399"
    assert alone.size == MIN_PART_SIZE - 1


def test_complete_all_checks_sizes_too() -> None:
    assert refusal([a_part(1, 5), a_part(2)], None).code == "EntityTooSmall"


@given(
    contents=st.dictionaries(st.integers(1, 10_000), st.binary(min_size=1, max_size=50), max_size=12),
    data=st.data(),
)
def test_a_plan_is_the_concatenation_of_what_was_listed(
    contents: dict[int, bytes], data: st.DataObject
) -> None:
    """Sizes are scaled so that the minimum does not matter; CRC and extents are those of the real bytes."""
    chosen = sorted(data.draw(st.sets(st.sampled_from(sorted(contents))) if contents else st.just(set())))
    blocks = {number: content * MIN_PART_SIZE for number, content in contents.items()}
    stored = [
        Part(
            number=number,
            size=len(block),
            etag=md5_hex(block),
            crc64=crc64(block),
            stored_at=NOW,
            manifest=Manifest((Extent(BlobId(f"{number:032x}"), 0, len(block)),)),
        )
        for number, block in blocks.items()
    ]

    plan = planned(stored, asking(*((number, md5_hex(blocks[number])) for number in chosen)))

    whole = b"".join(blocks[number] for number in chosen)
    assert (plan.size, plan.crc64, plan.manifest.size) == (len(whole), crc64(whole), len(whole))
    assert plan.etag.endswith(f"-{len(chosen)}")


@given(st.permutations(range(1, 8)), st.lists(st.integers(0, 9), min_size=1, max_size=9))
def test_only_strictly_ascending_lists_of_stored_parts_are_accepted(
    stored: list[int], asked: list[int]
) -> None:
    parts = {number: a_part(number) for number in stored}
    ask = asking(*((number, a_part(number).etag) for number in asked))
    ascending = asked == sorted(set(asked)) and asked[0] >= 1

    if ascending and set(asked) <= set(stored):
        assert len(planned(list(parts.values()), ask).parts) == len(asked)
    else:
        expected = "InvalidPart" if ascending else "InvalidPartOrder"
        assert refusal(list(parts.values()), ask).code == expected


def test_ten_thousand_parts_are_planned_in_linear_time() -> None:
    def seconds(count: int) -> float:
        parts = [a_part(number) for number in range(1, count + 1)]
        stored, ask = PartColumns.of(parts), listed(*parts)
        times = []
        for _ in range(5):
            started = time.process_time()
            plan_completion(stored, ask, upload_id=UPLOAD)
            times.append(time.process_time() - started)
        return min(times)

    assert seconds(10_000) < 40 * seconds(1_000)  # quadratic would be a hundredfold


@pytest.mark.parametrize("text", ["0", "10001", "-1", "1.0", "", "a", "+1", "\u0661", "1" * 40, "\udcff"])
def test_a_part_number_outside_1_to_10000_is_refused(text: str) -> None:
    with pytest.raises(OssError) as caught:
        part_number(text)

    assert (caught.value.code, caught.value.ec) == ("InvalidArgument", "0017-00000220")
    assert caught.value.extras["ArgumentName"] == "PartNumber"
    caught.value.extras["ArgumentValue"].encode()


def test_a_missing_part_number_has_a_code_of_its_own() -> None:
    with pytest.raises(OssError) as caught:
        part_number(None)

    assert (caught.value.code, caught.value.ec) == ("InvalidArgument", "0017-00000219")


def test_part_numbers_reach_from_1_to_10000() -> None:
    assert [part_number("1"), part_number("10000")] == [1, 10_000]


def test_upload_ids_sort_by_age_and_differ() -> None:
    ids = [new_upload_id(NOW + timedelta(milliseconds=step)) for step in range(50)]

    assert ids == sorted(ids)
    assert len({*ids, new_upload_id(NOW)}) == 51
    assert all(re.fullmatch(r"[0-9A-F]{32}", upload_id) for upload_id in ids)


def test_the_digest_tells_lists_apart_but_not_their_letter_case() -> None:
    one = listed_parts(document_of((1, "AB"), (2, "CD")))
    same = listed_parts(document_of((1, "ab"), (2, "cd")))
    others = [asking((1, "AB")), asking((2, "CD"), (1, "AB")), asking(), asking((12, "CD")), None]

    assert list_digest(one) == list_digest(same)
    assert len({list_digest(one), *map(list_digest, others)}) == 6


def test_no_such_upload_repeats_an_id_that_xml_can_carry() -> None:
    error = no_such_upload("\udcff" * 1000)

    assert error.extras["UploadId"].encode() == b"?" * 256
