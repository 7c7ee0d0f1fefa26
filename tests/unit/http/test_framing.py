"""Where a body ends: the two framings, fed in any pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mossaic.gateway.http.framing import MAX_LINE, ChunkedFraming, Framing, LengthFraming
from mossaic.protocol.errors import OssError


def decode(framing: Framing, raw: bytes, sizes: list[int]) -> tuple[bytes, bytes]:
    """Payload, and what stays behind the body, when `raw` arrives in pieces of those sizes (then the rest at once)."""
    inbox, out = bytearray(), bytearray()
    pieces, at = [], 0
    for size in sizes:
        pieces.append(raw[at : at + size])
        at += size
    for piece in [*pieces, raw[at:]]:
        inbox += piece
        while count := min(framing.advance(inbox), len(inbox)):
            out += inbox[:count]
            del inbox[:count]
            framing.took(count)
    return bytes(out), bytes(inbox)


def chunked(chunks: list[bytes], *, extension: bytes = b"", trailer: bytes = b"") -> bytes:
    lines = [b"%x%s\r\n%s\r\n" % (len(chunk), extension, chunk) for chunk in chunks]
    return b"".join([*lines, b"0\r\n", trailer, b"\r\n"])


PIECES = st.lists(st.integers(1, 9), max_size=60)


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=8), PIECES, st.binary(max_size=9))
def test_a_chunked_body_in_any_pieces(chunks: list[bytes], sizes: list[int], behind: bytes) -> None:
    framing = ChunkedFraming()

    payload, rest = decode(framing, chunked(chunks, extension=b";a=b", trailer=b"X: y\r\n") + behind, sizes)

    assert (payload, rest, framing.done) == (b"".join(chunks), behind, True)


@given(st.binary(max_size=50), PIECES, st.binary(max_size=9))
def test_a_body_of_a_length_in_any_pieces(body: bytes, sizes: list[int], behind: bytes) -> None:
    framing = LengthFraming(len(body))

    payload, rest = decode(framing, body + behind, sizes)

    assert (payload, rest, framing.done) == (body, behind, True)


BAD = {
    "no size": b"\r\n",
    "not hexadecimal": b"g\r\n",
    "signed": b"+5\r\nhello\r\n",
    "negative": b"-1\r\n",
    "0x": b"0x5\r\nhello\r\n",
    "blank before": b" 5\r\nhello\r\n",
    "blank after": b"5 \r\nhello\r\n",
    "underscore": b"1_0\r\n",
    "too large": b"10000000000000000\r\n",
    "bare LF": b"5\nhello\r\n",
    "bare LF in the extension": b"5;a\nhello\r\n",
    "CR in the extension": b"5;a\rb\r\nhello\r\n",
    "no CRLF after the data": b"5\r\nhelloX\r\n",
    "LF after the data": b"5\r\nhello\n0\r\n\r\n",
    "more data than said": b"3\r\nhello\r\n",
    "endless extension": b"5;" + b"a" * MAX_LINE,
    "endless size": b"0" * (MAX_LINE + 2),
    "trailer without colon": b"0\r\nabc\r\n\r\n",
    "folded trailer": b"0\r\nA: b\r\n c\r\n\r\n",
    "trailer with blank": b"0\r\nA : b\r\n\r\n",
    "endless trailer": b"0\r\n" + b"A: b\r\n" * 20_000,
    "extensions without end": b"1;aaaaaaaaaaaaaaaa\r\nx\r\n" * 5_000,
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("pieces", [[], [1] * 300], ids=["at once", "bytes"])
def test_a_malformed_chunk_is_refused(name: str, pieces: list[int]) -> None:
    with pytest.raises(OssError) as caught:
        decode(ChunkedFraming(), BAD[name], pieces)

    assert caught.value.status == 400


@pytest.mark.parametrize("name", BAD)
def test_a_malformed_body_stays_malformed(name: str) -> None:
    framing = ChunkedFraming()
    with pytest.raises(OssError):
        decode(framing, BAD[name], [])

    with pytest.raises(OssError):
        decode(framing, b"0\r\n\r\n", [])

    assert not framing.done


@given(st.binary(max_size=100), PIECES)
def test_pieces_never_change_what_is_decoded(raw: bytes, sizes: list[int]) -> None:
    def outcome(pieces: list[int]) -> object:
        framing = ChunkedFraming()
        try:
            payload, rest = decode(framing, raw, pieces)
        except OssError as error:
            return error.code
        return payload, rest, framing.done

    assert outcome(sizes) == outcome([])
