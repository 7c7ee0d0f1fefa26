"""The strict reader of request heads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mossaic.gateway.http.head import Refused, has_bare_lf, parse_head

TOKEN = st.text(st.sampled_from("abcXYZ019-_.!#$%&'*+^`|~"), min_size=1, max_size=20)
VALUE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=40)


def parse(*lines: str) -> object:
    return parse_head("\r\n".join(lines).encode("latin-1"), max_headers=100)


def test_a_head_is_taken_apart() -> None:
    head = parse_head(
        b"PUT /b/k%20?partNumber=1&uploadId=A HTTP/1.1\r\nHost: x:9280\r\nX-Oss-Meta-A:  \xe4\xb8\xad \t\r\n"
        b"x-oss-meta-b: 1\r\nX-OSS-META-B: 2\r\nContent-Length: 7\r\nExpect: 100-Continue",
        max_headers=100,
    )

    assert (head.method, head.target) == ("PUT", "/b/k%20?partNumber=1&uploadId=A")
    assert head.headers[1] == ("x-oss-meta-a", "\xe4\xb8\xad")
    assert head.by_name["x-oss-meta-b"] == "1,2"
    assert (head.length, head.keep_alive, head.expects_continue) == (7, True, True)


@pytest.mark.parametrize(
    ("line", "keep_alive"),
    [
        ("Connection: close", False),
        ("Connection: Keep-Alive, CLOSE", False),
        ("Connection: keep-alive", True),
    ],
)
def test_connection_close_is_heard(line: str, keep_alive: bool) -> None:
    assert parse("GET / HTTP/1.1", "Host: x", line).keep_alive is keep_alive


def test_http_1_0_needs_no_host_and_is_closed() -> None:
    assert parse("GET / HTTP/1.0").keep_alive is False


def test_chunked_wins_over_a_length_and_ends_the_connection() -> None:
    head = parse("PUT / HTTP/1.1", "Host: x", "Content-Length: 5", "Transfer-Encoding: Chunked")

    assert head.length is None
    assert head.keep_alive is False


REFUSED = {
    "no request line": ([""], 400),
    "no version": (["GET /", "Host: x"], 400),
    "two blanks": (["GET  / HTTP/1.1", "Host: x"], 400),
    "blank in the target": (["GET /a b HTTP/1.1", "Host: x"], 400),
    "tab for a blank": (["GET\t/ HTTP/1.1", "Host: x"], 400),
    "blank before the method": ([" GET / HTTP/1.1", "Host: x"], 400),
    "blank at the end": (["GET / HTTP/1.1 ", "Host: x"], 400),
    "lower-case protocol": (["GET / http/1.1", "Host: x"], 400),
    "absolute form": (["GET http://x/ HTTP/1.1", "Host: x"], 400),
    "authority form": (["CONNECT x:80 HTTP/1.1", "Host: x"], 400),
    "asterisk form": (["OPTIONS * HTTP/1.1", "Host: x"], 400),
    "HTTP/2 preface": (["PRI * HTTP/2.0"], 505),
    "HTTP/1.2": (["GET / HTTP/1.2", "Host: x"], 505),
    "NUL in the target": (["GET /\0 HTTP/1.1", "Host: x"], 400),
    "no host": (["GET / HTTP/1.1"], 400),
    "two hosts": (["GET / HTTP/1.1", "Host: x", "Host: x"], 400),
    "path in host": (["GET / HTTP/1.1", "Host: x/y"], 400),
    "user in host": (["GET / HTTP/1.1", "Host: u@x"], 400),
    "blank before the colon": (["GET / HTTP/1.1", "Host : x"], 400),
    "folded line": (["GET / HTTP/1.1", "Host: x", "A: 1", " 2"], 400),
    "folded with tab": (["GET / HTTP/1.1", "Host: x", "A: 1", "\t2"], 400),
    "folded first line": (["GET / HTTP/1.1", " Host: x"], 400),
    "no colon": (["GET / HTTP/1.1", "Host: x", "A"], 400),
    "empty name": (["GET / HTTP/1.1", "Host: x", ": 1"], 400),
    "name of Latin-1": (["GET / HTTP/1.1", "Host: x", "\xe4: 1"], 400),
    "NUL in a value": (["GET / HTTP/1.1", "Host: x", "A: 1\0"], 400),
    "CR in a value": (["GET / HTTP/1.1", "Host: x", "A: 1\rB: 2"], 400),
    "LF in a value": (["GET / HTTP/1.1", "Host: x", "A: 1\nB: 2"], 400),
    "CR CR LF": (["GET / HTTP/1.1", "Host: x\r", "A: 1"], 400),
    "CR CR LF LF": (["GET / HTTP/1.1", "Host: x\r\r\n\nA: 1"], 400),
    "signed length": (["PUT / HTTP/1.1", "Host: x", "Content-Length: +5"], 400),
    "negative length": (["PUT / HTTP/1.1", "Host: x", "Content-Length: -1"], 400),
    "hexadecimal length": (["PUT / HTTP/1.1", "Host: x", "Content-Length: 0x5"], 400),
    "length with a blank": (["PUT / HTTP/1.1", "Host: x", "Content-Length: 5 5"], 400),
    "length with an underscore": (["PUT / HTTP/1.1", "Host: x", "Content-Length: 1_0"], 400),
    "length of other digits": (["PUT / HTTP/1.1", "Host: x", "Content-Length: \xb2"], 400),
    "empty length": (["PUT / HTTP/1.1", "Host: x", "Content-Length:"], 400),
    "endless length": (["PUT / HTTP/1.1", "Host: x", "Content-Length: " + "9" * 30], 400),
    "two lengths": (["PUT / HTTP/1.1", "Host: x", "Content-Length: 5", "Content-Length: 6"], 400),
    "two equal lengths": (["PUT / HTTP/1.1", "Host: x", "Content-Length: 5", "Content-Length: 5"], 400),
    "list of lengths": (["PUT / HTTP/1.1", "Host: x", "Content-Length: 5,6"], 400),
    "bad length beside chunked": (
        ["PUT / HTTP/1.1", "Host: x", "Content-Length: +5", "Transfer-Encoding: chunked"],
        400,
    ),
    "identity": (["PUT / HTTP/1.1", "Host: x", "Transfer-Encoding: identity"], 400),
    "gzip, chunked": (["PUT / HTTP/1.1", "Host: x", "Transfer-Encoding: gzip, chunked"], 400),
    "chunked twice": (["PUT / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked, chunked"], 400),
    "chunked in two lines": (
        ["PUT / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
        400,
    ),
    "chunked with VT": (["PUT / HTTP/1.1", "Host: x", "Transfer-Encoding: \x0bchunked"], 400),
    "xchunked": (["PUT / HTTP/1.1", "Host: x", "Transfer-Encoding: xchunked"], 400),
    "chunked and a comma": (["PUT / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked,"], 400),
    "empty coding": (["PUT / HTTP/1.1", "Host: x", "Transfer-Encoding:"], 400),
    "chunked in HTTP/1.0": (["PUT / HTTP/1.0", "Transfer-Encoding: chunked"], 400),
    "other expectation": (["PUT / HTTP/1.1", "Host: x", "Expect: 200-ok"], 417),
    "too many lines": (["GET / HTTP/1.1", "Host: x", *(f"A{n}: 1" for n in range(100))], 431),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_ambiguous_head_is_refused(name: str) -> None:
    lines, status = REFUSED[name]

    with pytest.raises(Refused) as caught:
        parse(*lines)

    assert caught.value.status == status


@given(st.lists(st.tuples(TOKEN.filter(lambda name: name.lower() not in RESERVED), VALUE), max_size=10))
def test_headers_survive(pairs: list[tuple[str, str]]) -> None:
    head = parse("GET / HTTP/1.1", "Host: x", *(f"{name}:{value}" for name, value in pairs))

    assert list(head.headers[1:]) == [(name.lower(), value.strip(" \t")) for name, value in pairs]


RESERVED = {"host", "expect", "content-length", "transfer-encoding", "connection"}


@given(st.binary(max_size=200))
def test_any_bytes_are_a_head_or_refused(data: bytes) -> None:
    try:
        target, status = parse_head(data, max_headers=10).target, 0
    except Refused as refused:
        target, status = "/", refused.status

    assert target.startswith("/")
    assert status in {0, 400, 417, 431, 505}


@given(st.binary(max_size=60), st.integers(0, 60))
def test_bare_line_feeds_are_seen_wherever_the_look_begins(data: bytes, start: int) -> None:
    expected = any(
        data[at] == 0x0A and (at == 0 or data[at - 1] != 0x0D)
        for at in range(min(start, len(data)), len(data))
    )

    assert has_bare_lf(bytearray(data), start) is expected
