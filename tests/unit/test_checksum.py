"""Checksums against published values and against the plain way of computing them."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from mossaic.protocol.checksum import crc64, crc64_combine, crc64_join, md5_hex, multipart_etag


def test_crc64_has_the_values_of_crc_64_xz() -> None:
    assert crc64(b"") == 0
    assert crc64(b"123456789") == 11051210869376104954
    assert crc64(b"hello") == 11177612005948864433
    assert crc64(b"a" * 102_400) == 12696911168479852064


def test_crc64_goes_on_from_an_earlier_value() -> None:
    assert crc64(b"6789", crc64(b"12345")) == crc64(b"123456789")


@given(st.binary(max_size=2000), st.binary(max_size=2000))
def test_combining_gives_the_crc_of_the_whole(first: bytes, second: bytes) -> None:
    assert crc64_combine(crc64(first), crc64(second), len(second)) == crc64(first + second)


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_joining_gives_the_crc_of_the_whole(pieces: list[bytes]) -> None:
    assert crc64_join([(crc64(piece), len(piece)) for piece in pieces]) == crc64(b"".join(pieces))


@given(st.binary(min_size=1, max_size=70), st.integers(32, 80), st.binary(max_size=70))
def test_many_pieces_of_one_length_take_the_short_way_to_the_same_crc(
    piece: bytes, count: int, last: bytes
) -> None:
    pieces = [piece] * count + [last]

    assert crc64_join([(crc64(one), len(one)) for one in pieces]) == crc64(b"".join(pieces))


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(2**30, 2**50), st.integers(0, 2**30))
def test_combining_lengths_beyond_memory_is_associative(a: int, b: int, long: int, short: int) -> None:
    zeros_then_b = crc64_combine(0, b, short)

    assert crc64_combine(crc64_combine(a, 0, long), b, short) == crc64_combine(a, zeros_then_b, long + short)


def test_the_multipart_etag_is_the_one_recorded_from_oss() -> None:
    # oss2 tests/test_mock_multipart.py, and a sample of the API reference
    two = ["4DE8075FB607DF4D13FBC480EA488EFA", "AF947EC157726CEA88ED83B3C989063B"]
    three = [
        "3349DC700140D7F86A078484278075A9",
        "8EFDA8BE206636A695359836FE0A0E0A",
        "8C315065167132444177411FDA149B92",
    ]

    assert multipart_etag(two) == "1C787C506EABFB9B45EAAA8DB039F4B2-2"
    assert multipart_etag(three) == "B864DB6A936D376F9F8D3ED3BBE540DD-3"


def test_the_multipart_etag_of_nothing_counts_zero_parts() -> None:
    assert multipart_etag([]) == hashlib.md5(b"").hexdigest().upper() + "-0"


def test_md5_hex_is_upper_case() -> None:
    assert md5_hex(b"") == "D41D8CD98F00B204E9800998ECF8427E"
