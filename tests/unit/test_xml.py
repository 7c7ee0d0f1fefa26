"""Reading XML safely: what must be refused, what must be tolerated, and that writing and reading agree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mossaic.protocol.xml import MAX_DEPTH, MAX_ELEMENTS, XmlError, escape, parse

ENTITY = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e "boom">]><a>&e;</a>'


@pytest.mark.parametrize(
    "body",
    [
        ENTITY.encode(),
        ENTITY.encode("utf-16"),
        ENTITY.encode("utf-16-le"),
        ENTITY.encode("utf-32"),
        b'<?xml version="1.0" encoding="utf-16"?><a/>'.replace(b"utf-16", b"utf-7") + b"+ADwAIQ-DOCTYPE",
        b"<a>\0</a>",
        b"<a>\xff</a>",
        b"<a><b></a>",
        b"<a/><b/>",
        b"",
        b"not xml",
        b"<a>&undefined;</a>",
    ],
)
def test_what_is_no_plain_utf8_document_is_refused(body: bytes) -> None:
    with pytest.raises(XmlError):
        parse(body)


def test_depth_is_bounded() -> None:
    parse(b"<a>" * MAX_DEPTH + b"</a>" * MAX_DEPTH)

    with pytest.raises(XmlError):
        parse(b"<a>" * 100_000 + b"</a>" * 100_000)


def test_the_number_of_elements_is_bounded_but_takes_ten_thousand_parts() -> None:
    parts = b"<Part><PartNumber>1</PartNumber><ETag>x</ETag></Part>" * 10_000
    assert len(parse(b"<C>" + parts + b"</C>").children) == 10_000

    with pytest.raises(XmlError):
        parse(b"<C>" + b"<a/>" * (MAX_ELEMENTS + 1) + b"</C>")


def test_namespaces_and_prefixes_of_requests_are_ignored() -> None:
    root = parse(
        b'<o:Delete xmlns:o="http://doc.oss-cn-hangzhou.aliyuncs.com"><o:Quiet>true</o:Quiet></o:Delete>'
    )

    assert root.tag == "Delete"
    assert root.children[0].tag == "Quiet"


def test_references_to_control_characters_are_read_as_v2_for_python_writes_them() -> None:
    assert parse(b"<Key>a&#12;b&#x1;c&#10;&#65;</Key>").text == "a\x0cb\x01c\nA"


def test_a_byte_order_mark_is_no_harm() -> None:
    assert parse(b"\xef\xbb\xbf<a>x</a>").text == "x"


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")))
def test_any_text_survives_writing_and_reading(text: str) -> None:
    # characters of the private range that shields control characters are the only ones given up
    if any(0xF8E0 <= ord(character) < 0xF900 for character in text):
        return
    assert parse(f"<a>{escape(text)}</a>".encode()).text == text
