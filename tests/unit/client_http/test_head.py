"""Heads are written without a way to smuggle, and read without guessing."""

from __future__ import annotations

import pytest

from mossaic.client.http.head import Malformed, parse_head, write_head

HOST = ("Host", "example.com")


def test_a_head_is_a_line_the_fields_and_an_empty_line() -> None:
    head = write_head("GET", "/a%20b?c", [HOST, ("X-Oss-Meta", "caf\xe9")], 0)

    assert head == b"GET /a%20b?c HTTP/1.1\r\nHost: example.com\r\nX-Oss-Meta: caf\xe9\r\n\r\n"


@pytest.mark.parametrize(
    ("method", "length", "framing"),
    [
        ("PUT", 5, b"Content-Length: 5"),
        ("PUT", 0, b"Content-Length: 0"),
        ("POST", 0, b"Content-Length: 0"),
        ("DELETE", 5, b"Content-Length: 5"),
        ("PUT", None, b"Transfer-Encoding: chunked"),
    ],
)
def test_the_framing_follows_the_body(method: str, length: int | None, framing: bytes) -> None:
    assert write_head(method, "/", [HOST], length).split(b"\r\n")[2] == framing


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_without_a_body_nothing_is_said_of_one(method: str) -> None:
    assert b"ontent" not in write_head(method, "/", [HOST], 0)


def test_a_length_of_the_caller_stands_when_it_is_right() -> None:
    head = write_head("PUT", "/", [HOST, ("content-length", "5")], 5)

    assert head.lower().count(b"content-length") == 1


@pytest.mark.parametrize(
    "fields",
    [
        [("content-length", "6")],
        [("content-length", "5"), ("Content-Length", "5")],
        [("transfer-encoding", "chunked")],
        [("Transfer-Encoding", "identity")],
    ],
)
def test_a_caller_cannot_contradict_the_framing(fields: list[tuple[str, str]]) -> None:
    with pytest.raises(ValueError, match=r"Content-Length|Transfer-Encoding"):
        write_head("PUT", "/", [HOST, *fields], 5)


BAD_VALUES = ["a\r\nX: y", "a\rb", "a\nb", "a\0b", "a\x1bb", "a\x7fb", "\r\n", "a\r\n b"]
BAD_NAMES = ["", "A B", "A:", "A\r\n", "A\r\nB", "A\0", "\u00e4", "A\n"]
BAD_TARGETS = ["", "/a b", "/a\r\nX: y", "/a\nb", "/a\0b", "/\u00e4", "/\u4e2d", "/a HTTP/1.1\r\nX: y"]


@pytest.mark.parametrize("value", BAD_VALUES)
def test_a_control_character_in_a_value_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="control character"):
        write_head("GET", "/", [HOST, ("X-A", value)], 0)


def test_a_value_beyond_latin_1_is_refused() -> None:
    with pytest.raises(ValueError, match="latin-1"):
        write_head("GET", "/", [HOST, ("X-A", "\u4e2d")], 0)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_is_no_token_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a header name"):
        write_head("GET", "/", [HOST, (name, "a")], 0)


@pytest.mark.parametrize("target", BAD_TARGETS)
def test_a_target_that_would_end_early_is_refused(target: str) -> None:
    with pytest.raises(ValueError, match="target"):
        write_head("GET", target, [HOST], 0)


@pytest.mark.parametrize("method", ["", "GET /", "GET\r\n", "G\0T"])
def test_a_method_that_is_no_token_is_refused(method: str) -> None:
    with pytest.raises(ValueError, match="not a method"):
        write_head(method, "/", [HOST], 0)


def test_an_answer_is_read() -> None:
    answer = parse_head(
        b"HTTP/1.1 206 Partial Content\r\nContent-Length: 12\r\nX-Oss-Meta-A:  caf\xe9\t\r\nVary: a\r\nvary: b\r\nEmpty:",
        method="GET",
    )

    assert (answer.status, answer.reason, answer.length, answer.keep_alive) == (
        206,
        "Partial Content",
        12,
        True,
    )
    assert answer.headers == {
        "content-length": "12",
        "x-oss-meta-a": "caf\xe9",
        "vary": "a, b",
        "empty": "",
    }


@pytest.mark.parametrize("line", [b"HTTP/1.1 200", b"HTTP/1.1 200 "])
def test_a_reason_is_not_needed(line: bytes) -> None:
    answer = parse_head(line, method="GET")

    assert (answer.status, answer.reason) == (200, "")


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/2 200 OK",
        b"HTTP/1.1 2000 OK",
        b"HTTP/1.1 600 OK",
        b"HTTP/1.1  200 OK",
        b"http/1.1 200 OK",
        b"HTTP/1.1 200 OK\r\nno colon",
        b"HTTP/1.1 200 OK\r\nA : b",
        b"HTTP/1.1 200 OK\r\nA: b\r\n folded",
        b"HTTP/1.1 200 OK\r\n: b",
        b"HTTP/1.1 200 OK\nA: b",
        b"HTTP/1.1 200 OK\r\nA: b\rc",
        b"HTTP/1.1 200 OK\r\nA: b\0c",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0x1",
        b"HTTP/1.1 200 OK\r\nContent-Length: +1",
        b"HTTP/1.1 200 OK\r\nContent-Length: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"HTTP/1.1 101 Switching Protocols",
        b"HTTP/1.1 200 OK" + b"\r\nA: b" * 201,
    ],
)
def test_an_answer_that_could_be_read_two_ways_is_refused(head: bytes) -> None:
    with pytest.raises(Malformed):
        parse_head(head, method="GET")


def test_two_hundred_fields_are_fine() -> None:
    assert parse_head(b"HTTP/1.1 200 OK" + b"\r\nA: b" * 200, method="GET").status == 200


@pytest.mark.parametrize(
    ("method", "status"),
    [("HEAD", 200), ("HEAD", 404), ("GET", 204), ("GET", 304), ("GET", 100), ("CONNECT", 200)],
)
def test_some_answers_have_no_body_whatever_they_say(method: str, status: int) -> None:
    answer = parse_head(b"HTTP/1.1 %d X\r\nContent-Length: 5" % status, method=method)

    assert (answer.length, answer.chunked, answer.headers["content-length"]) == (0, False, "5")


@pytest.mark.parametrize(
    ("head", "length", "chunked", "keep_alive"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5", 5, False, True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked", None, True, True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5", None, True, False),
        (b"HTTP/1.1 200 OK", None, False, False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: Close", 5, False, False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: x, close", 5, False, False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 5", 5, False, False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive", 5, False, True),
    ],
)
def test_the_end_of_the_body_and_of_the_connection(
    head: bytes, length: int | None, chunked: bool, keep_alive: bool
) -> None:
    answer = parse_head(head, method="GET")

    assert (answer.length, answer.chunked, answer.keep_alive) == (length, chunked, keep_alive)
