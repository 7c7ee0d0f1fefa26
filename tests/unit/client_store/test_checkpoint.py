"""Checkpoints: ours, ali-oss's, and ours after ali-oss went on with it."""

from __future__ import annotations

import json
import os
import pickle
import stat
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mossaic.client.checkpoint import Checkpoint, CheckpointError, PartRecord, SourceIdentity
from mossaic.client.errors import MossaicError

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1024 * 1024
ETAGS = st.text("0123456789ABCDEF", min_size=32, max_size=32)
UINT64 = st.integers(0, 2**64 - 1)
TEXTS = st.text(min_size=1, max_size=20)

# What ali-oss 6.18 and 6.23 tell in `progress`, after JSON.stringify in Node: the parts in the order in which they were done.
ALI_OSS: dict[str, Any] = {
    "file": "/home/me/a.bin",
    "name": "photos/a.bin",
    "fileSize": 3 * MIB + 5,
    "partSize": MIB,
    "uploadId": "0004B9894A22E5B1888A1E29F823",
    "doneParts": [
        {"number": 4, "etag": '"D41D8CD98F00B204E9800998ECF8427E"'},
        {"number": 1, "etag": '"0CC175B9C0F1B6A831C399E269772661"'},
    ],
}
FROM_ALI_OSS = Checkpoint(
    endpoint="",
    bucket="",
    name="photos/a.bin",
    upload_id="0004B9894A22E5B1888A1E29F823",
    part_size=MIB,
    file="/home/me/a.bin",
    file_size=3 * MIB + 5,
    parts=(
        PartRecord(number=1, offset=0, size=MIB, etag="0CC175B9C0F1B6A831C399E269772661"),
        PartRecord(number=4, offset=3 * MIB, size=5, etag="D41D8CD98F00B204E9800998ECF8427E"),
    ),
)


def a_part(number: int, *, offset: int | None = None, size: int = MIB, etag: str = "") -> PartRecord:
    at = (number - 1) * MIB if offset is None else offset
    return PartRecord(
        number=number, offset=at, size=size, etag=etag or f"{number:032X}", crc64=2**64 - number
    )


def ours(*parts: PartRecord, file_size: int | None = 10 * MIB, **more: Any) -> Checkpoint:
    return Checkpoint(
        endpoint="https://oss.example",
        bucket="bucket",
        name="photos/a.bin",
        upload_id="ID",
        part_size=MIB,
        file="/home/me/a.bin",
        file_size=file_size,
        parts=parts,
        **more,
    )


@st.composite
def checkpoints(draw: st.DrawFn) -> Checkpoint:
    part_size = draw(st.integers(1, 2**33))
    parts: list[PartRecord] = []
    end = number = 0
    for _ in range(draw(st.integers(0, 6))):
        number += draw(st.integers(1, 3))
        on_grid = draw(st.booleans()) and (number - 1) * part_size >= end
        offset = (number - 1) * part_size if on_grid else end + draw(st.integers(0, 3 * part_size))
        size = part_size if on_grid else draw(st.integers(0, 2 * part_size))
        end = offset + size
        parts.append(
            PartRecord(
                number=number, offset=offset, size=size, etag=draw(ETAGS), crc64=draw(st.none() | UINT64)
            )
        )
    source = st.builds(
        SourceIdentity,
        kind=st.sampled_from(["file", "bytes", "stream"]),
        size=st.none() | st.integers(0, 2**53 - 1),
        mtime_ns=st.none() | st.integers(-(2**63), 2**63 - 1),
        ctime_ns=st.none() | st.integers(-(2**63), 2**63 - 1),
        inode=st.none() | UINT64,
        device=st.none() | UINT64,
        edges_crc64=st.none() | UINT64,
    )
    return Checkpoint(
        endpoint=draw(st.text(max_size=20)),
        bucket=draw(st.text(max_size=20)),
        name=draw(TEXTS),
        upload_id=draw(TEXTS),
        part_size=part_size,
        file=draw(st.none() | TEXTS),
        file_size=draw(st.none() | st.integers(end, end + 2**40)),
        parts=tuple(parts),
        source=draw(st.none() | source),
    )


@given(checkpoint=checkpoints())
def test_json_gives_the_same_checkpoint(checkpoint: Checkpoint) -> None:
    assert Checkpoint.from_json(checkpoint.to_json()) == checkpoint
    assert Checkpoint.loads(checkpoint.dumps()) == checkpoint
    assert Checkpoint.loads(checkpoint.dumps().encode()) == checkpoint


def test_an_empty_part_at_the_end_of_a_file_is_not_told_as_one_of_ali_oss() -> None:
    checkpoint = ours(a_part(1), a_part(2, size=0), file_size=MIB)

    told = checkpoint.to_json()

    assert [done["number"] for done in cast("list[dict[str, int]]", told["doneParts"])] == [1]
    assert Checkpoint.from_json(told) == checkpoint


@given(checkpoint=checkpoints())
def test_json_survives_a_program_that_counts_in_doubles(checkpoint: Checkpoint) -> None:
    through_javascript = json.loads(checkpoint.dumps(), parse_int=lambda digits: int(float(digits)))

    assert Checkpoint.from_json(through_javascript) == checkpoint


@given(checkpoint=checkpoints())
def test_ali_oss_is_told_only_of_parts_that_lie_where_it_looks_for_them(checkpoint: Checkpoint) -> None:
    told: Any = checkpoint.to_json()

    places = {part.number: (part.offset, part.size) for part in checkpoint.parts}
    for done in told["doneParts"] or ():
        start = told["partSize"] * (done["number"] - 1)
        end = min(start + told["partSize"], told["fileSize"])
        assert places[done["number"]] == (start, end - start)


def test_the_json_is_this() -> None:
    source = SourceIdentity(
        kind="file", size=10 * MIB, mtime_ns=1_700_000_000_123_456_789, inode=7, edges_crc64=2**63
    )

    assert ours(a_part(2), a_part(1), source=source).to_json() == {
        "v": 1,
        "file": "/home/me/a.bin",
        "name": "photos/a.bin",
        "fileSize": 10 * MIB,
        "partSize": MIB,
        "uploadId": "ID",
        "doneParts": [{"number": 1, "etag": f'"{1:032X}"'}, {"number": 2, "etag": f'"{2:032X}"'}],
        "bucket": "bucket",
        "endpoint": "https://oss.example",
        "parts": [
            {"number": 1, "offset": 0, "size": MIB, "etag": f"{1:032X}", "crc64": "18446744073709551615"},
            {"number": 2, "offset": MIB, "size": MIB, "etag": f"{2:032X}", "crc64": "18446744073709551614"},
        ],
        "source": {
            "kind": "file",
            "size": 10 * MIB,
            "mtime_ns": "1700000000123456789",
            "ctime_ns": None,
            "inode": "7",
            "device": None,
            "edges_crc64": "9223372036854775808",
        },
    }


def test_ali_osss_own_is_read_with_places_from_numbers() -> None:
    assert Checkpoint.from_json(ALI_OSS) == FROM_ALI_OSS


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"file": {}}, {"file": None}),
        ({"file": None}, {"file": None}),
        ({"file": {"name": "a.bin", "size": 5, "type": "", "lastModified": 1}}, {"file": None}),
        ({"file": {"path": "/home/me/a.bin"}}, {}),
        ({"file": {"type": "Buffer", "data": [1, 2]}}, {"file": None}),
        ({"fileSize": str(3 * MIB + 5), "partSize": str(MIB)}, {}),
        ({"more": {"of": ["anything"]}}, {}),
        ({"doneParts": []}, {"parts": ()}),
        ({"name": "//photos/a.bin"}, {}),
    ],
)
def test_ali_osss_own_comes_in_many_forms(change: dict[str, Any], expected: dict[str, Any]) -> None:
    assert Checkpoint.from_json(ALI_OSS | change) == replace(FROM_ALI_OSS, **expected)


@pytest.mark.parametrize("etag", ["abc", "ABC", '"abc"', '"ABC"'])
def test_an_etag_is_read_quoted_or_bare_in_any_case(etag: str) -> None:
    read = Checkpoint.from_json(ALI_OSS | {"doneParts": [{"number": "2", "etag": etag}]})

    assert read.parts == (PartRecord(number=2, offset=MIB, size=MIB, etag="ABC"),)


def test_a_part_that_ali_oss_has_twice_is_one() -> None:
    read = Checkpoint.from_json(ALI_OSS | {"doneParts": [*ALI_OSS["doneParts"], *ALI_OSS["doneParts"]]})

    assert read == FROM_ALI_OSS


def test_what_ali_oss_did_after_us_counts() -> None:
    """It adds to doneParts and knows nothing of parts."""
    told: Any = ours(a_part(1), a_part(2)).to_json()
    told["doneParts"].append({"number": 10, "etag": '"FF"'})

    read = Checkpoint.from_json(told)

    last = PartRecord(number=10, offset=9 * MIB, size=MIB, etag="FF")
    assert read.parts == (a_part(1), a_part(2), last)


def test_parts_off_its_grid_that_ali_oss_sent_again_are_as_it_sent_them() -> None:
    checkpoint = ours(a_part(1), a_part(2, size=4 * MIB), a_part(3, offset=5 * MIB, size=5 * MIB))
    told: Any = checkpoint.to_json()
    assert [done["number"] for done in told["doneParts"]] == [1]
    told["doneParts"].append({"number": 2, "etag": '"FF"'})

    read = Checkpoint.from_json(told)

    assert read.parts == (a_part(1), PartRecord(number=2, offset=MIB, size=MIB, etag="FF"))


def test_a_part_that_was_replaced_by_ali_oss_is_the_new_one() -> None:
    told: Any = ours(a_part(1), a_part(2)).to_json()
    told["doneParts"][1]["etag"] = '"FF"'

    read = Checkpoint.from_json(told)

    assert read.parts == (a_part(1), PartRecord(number=2, offset=MIB, size=MIB, etag="FF"))


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("v", {"v": 2}),
        ("v", {"v": "one"}),
        ("name", {"name": ""}),
        ("name", {"name": None}),
        ("name", {"name": 7}),
        ("uploadId", {"uploadId": ""}),
        ("name", {"name": "//"}),
        ("uploadId", {"uploadId": ["x"]}),
        ("partSize", {"partSize": 0}),
        ("partSize", {"partSize": -1}),
        ("partSize", {"partSize": 1.5}),
        ("partSize", {"partSize": True}),
        ("partSize", {"partSize": "1e6"}),
        ("partSize", {"partSize": "٣"}),
        ("partSize", {"partSize": 2**60}),
        ("partSize", {"partSize": float("inf")}),
        ("partSize", {"partSize": "9" * 10_000}),
        ("partSize", {"partSize": 10**10_000}),
        ("fileSize", {"fileSize": -1}),
        ("fileSize", {"fileSize": None}),
        ("file", {"file": 7}),
        ("file", {"file": ["/home/me/a.bin"]}),
        ("bucket", {"bucket": 7}),
        ("endpoint", {"endpoint": {}}),
        ("doneParts", {"doneParts": None}),
        ("doneParts", {"doneParts": {}}),
        ("doneParts[0]", {"doneParts": [7]}),
        ("doneParts[0].number", {"doneParts": [{"etag": "A"}]}),
        ("doneParts[0].number", {"doneParts": [{"number": 0, "etag": "A"}]}),
        ("doneParts[0].number", {"doneParts": [{"number": 10_001, "etag": "A"}]}),
        ("doneParts[0].number", {"doneParts": [{"number": 5, "etag": "A"}]}),
        ("doneParts[1].etag", {"doneParts": [{"number": 1, "etag": "A"}, {"number": 2}]}),
        ("doneParts[0].etag", {"doneParts": [{"number": 1, "etag": '""'}]}),
        ("doneParts[0].etag", {"doneParts": [{"number": 1, "etag": 'A"</ETag>'}]}),
        ("doneParts[0].etag", {"doneParts": [{"number": 1, "etag": "A\nB"}]}),
        ("doneParts", {"doneParts": [{"number": 1, "etag": "A"}, {"number": 1, "etag": "B"}]}),
        ("parts", {"parts": "none"}),
        ("source", {"source": "file"}),
        ("source.kind", {"source": {"kind": "pipe"}}),
        ("source.kind", {"source": {}}),
        ("source.edges_crc64", {"source": {"kind": "file", "edges_crc64": str(2**64)}}),
        ("source.size", {"source": {"kind": "file", "size": "big"}}),
    ],
)
def test_what_is_odd_is_refused_and_named(field: str, change: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError) as error:
        Checkpoint.from_json(ALI_OSS | change)

    assert error.value.field == field
    assert field in str(error.value)
    assert len(str(error.value)) < 200


@pytest.mark.parametrize(
    ("field", "part"),
    [
        ("parts[0].offset", {"offset": -1}),
        ("parts[0].offset", {"offset": None}),
        ("parts[0].size", {"size": 11 * MIB}),
        ("parts[0].etag", {"etag": None}),
        ("parts[0].crc64", {"crc64": str(2**64)}),
        ("parts[0].crc64", {"crc64": "-1"}),
        ("parts[0].number", {"number": "first"}),
        ("parts", {"number": 2}),
        ("parts", {"number": 3}),
        ("parts", {"offset": MIB}),
    ],
)
def test_an_odd_part_of_ours_is_refused_and_named(field: str, part: dict[str, Any]) -> None:
    """The last three: a number twice, and parts that do not follow each other as their numbers do."""
    told: Any = ours(a_part(1), a_part(2)).to_json() | {"doneParts": []}
    told["parts"][0] |= part

    with pytest.raises(CheckpointError) as error:
        Checkpoint.from_json(told)
    assert error.value.field == field


@pytest.mark.parametrize("missing", ["name", "uploadId", "partSize", "fileSize", "doneParts"])
def test_a_missing_field_is_named(missing: str) -> None:
    with pytest.raises(CheckpointError) as error:
        Checkpoint.from_json({name: value for name, value in ALI_OSS.items() if name != missing})
    assert error.value.field == missing


@pytest.mark.parametrize(
    "text", ["", "{", "null", "[]", "7", '"x"', "[" * 100_000, b"\xff\xfe\x00", '{"name":NaN}', "{}"]
)
def test_text_that_is_no_checkpoint_is_refused(text: str | bytes) -> None:
    with pytest.raises(CheckpointError):
        Checkpoint.loads(text)


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    [*ALI_OSS, "v", "parts", "source", "number", "etag", "offset", "size", "kind"]
                ),
                inner,
            )
        ),
    )
)
def test_any_json_is_a_checkpoint_or_a_checkpoint_error(value: object) -> None:
    whole = ALI_OSS | (value if isinstance(value, dict) else {"parts": value})
    try:
        read = Checkpoint.from_json(whole)
    except CheckpointError:
        return
    assert Checkpoint.from_json(read.to_json()) == read


def test_an_error_is_a_mossaic_error_and_a_value_error_that_travels_between_processes() -> None:
    error = pickle.loads(pickle.dumps(CheckpointError("parts[3].offset", "is missing")))

    assert isinstance(error, MossaicError)
    assert isinstance(error, ValueError)
    assert (error.field, str(error)) == ("parts[3].offset", "not a checkpoint: parts[3].offset: is missing")


def test_a_stream_has_no_size_and_ali_oss_is_told_nothing_that_it_would_complete() -> None:
    checkpoint = ours(a_part(1), a_part(2, size=5), file_size=None)
    told: Any = checkpoint.to_json()

    assert told["fileSize"] is None
    assert told["doneParts"] is None
    assert Checkpoint.from_json(told) == checkpoint


def test_a_part_is_added_in_its_place_or_replaces_its_number() -> None:
    checkpoint = ours()
    for number in (3, 1, 2):
        checkpoint = checkpoint.with_part(a_part(number))
    again = checkpoint.with_part(a_part(2, etag="FF"))

    assert checkpoint.parts == (a_part(1), a_part(2), a_part(3))
    assert again.parts == (a_part(1), a_part(2, etag="FF"), a_part(3))
    assert checkpoint == ours(a_part(3), a_part(2), a_part(1))


def test_it_is_dumped_for_its_owner_only_and_loads_again(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.json"
    before = os.umask(0)
    try:
        ours(a_part(1)).dump(path)
    finally:
        os.umask(before)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Checkpoint.load(path) == Checkpoint.load(str(path)) == ours(a_part(1))
    ours(a_part(1), a_part(2)).dump(str(path))
    assert Checkpoint.load(path) == ours(a_part(1), a_part(2))
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.json"]


def test_a_dump_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "taken"
    (path / "inside").mkdir(parents=True)

    with pytest.raises(OSError, match="directory"):
        ours().dump(path)

    assert [file.name for file in tmp_path.iterdir()] == ["taken"]
    with pytest.raises(FileNotFoundError):
        Checkpoint.load(tmp_path / "absent")


def test_a_dump_goes_behind_a_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to("real.json")

    ours().dump(tmp_path / "link.json")

    assert (tmp_path / "link.json").is_symlink()
    assert Checkpoint.load(tmp_path / "real.json") == ours()


def test_a_path_that_is_not_utf8_survives() -> None:
    checkpoint = replace(ours(), file=os.fsdecode(b"/home/me/\xff.bin"))

    assert Checkpoint.loads(checkpoint.dumps()) == checkpoint
    assert checkpoint.dumps().isascii()


def test_the_fields_of_a_checkpoint_hold_no_secret() -> None:
    """Whoever adds a field here thinks of where this JSON goes: logs, links, other people's hands."""
    told: Any = ours(a_part(1), source=SourceIdentity(kind="file")).to_json()

    assert set(told) == set(
        "v file name fileSize partSize uploadId doneParts bucket endpoint parts source".split()
    )
    assert set(told["parts"][0]) == set("number offset size etag crc64".split())
    assert set(told["source"]) == set("kind size mtime_ns ctime_ns inode device edges_crc64".split())
