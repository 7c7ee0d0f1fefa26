"""Shapes to messages and back, with a made-up operation that uses every marker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime
from typing import Annotated, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mossaic.protocol.codec import needs_body, read_answer, read_request, write_answer, write_request
from mossaic.protocol.errors import OssError
from mossaic.protocol.operation import Level, Operation
from mossaic.protocol.shape import shape
from mossaic.protocol.shapes import OnObject, WritesObject
from mossaic.protocol.wire import Element, Header, Message, Payload, Query, Status, Text, UserMeta


@shape
class Entry:
    key: Annotated[str, Element("Key", encoded=True)]
    size: Annotated[int, Element("Size")]
    etag: Annotated[str, Element("ETag", quoted=True)]
    modified: Annotated[datetime, Element("LastModified")]


@shape
class Asked(OnObject):
    XML_ROOT: ClassVar[str] = "Asked"
    MALFORMED_EC: ClassVar[str] = "0042-00000205"

    limit: Annotated[int | None, Query("max")] = None
    wanted: Annotated[str, Query("wanted")]
    etag: Annotated[str | None, Header("If-Match", quoted=True)] = None
    since: Annotated[datetime | None, Header("If-Modified-Since")] = None
    meta: Annotated[Mapping[str, str], UserMeta()] = field(default_factory=dict[str, str])
    encoding_type: Annotated[str | None, Element("EncodingType")] = None
    quiet: Annotated[bool, Element("Quiet")] = False
    entries: Annotated[tuple[Entry, ...], Element("Entries/Entry")] = ()


@shape
class Given:
    XML_ROOT: ClassVar[str] = "Given"

    status: Annotated[int | None, Status()] = None
    etag: Annotated[str, Header("ETag", quoted=True)]
    encoding_type: Annotated[str | None, Element("EncodingType")] = None
    owner_id: Annotated[str, Element("Owner/ID")]
    owner_name: Annotated[str, Element("Owner/DisplayName")]
    entries: Annotated[tuple[Entry, ...], Element("Entry")] = ()
    answer: Annotated[bytes | None, Payload("application/json")] = None


@shape
class Place:
    XML_ROOT: ClassVar[str] = "LocationConstraint"
    name: Annotated[str, Text()]


OPERATION = Operation(
    name="Probe",
    method="POST",
    level=Level.OBJECT,
    takes=Asked,
    gives=Given,
    action="oss:Probe",
    marks=frozenset({"probe"}),
)
LOCATE = Operation(
    name="Locate", method="GET", level=Level.BUCKET, takes=Asked, gives=Place, action="oss:Locate"
)
MOMENT = datetime(2024, 3, 5, 6, 7, 8, tzinfo=UTC)

texts = st.text(st.characters(exclude_categories=("Cs", "Co"), exclude_characters="\0"), max_size=20)
entries = st.builds(
    Entry,
    key=texts,
    size=st.integers(0, 2**63),
    etag=st.text("0123456789ABCDEF", max_size=32),
    modified=st.just(MOMENT),
)


@given(st.lists(entries, max_size=3), st.sampled_from([None, "url"]), st.booleans())
def test_a_request_survives_the_way_to_the_server(
    listed: list[Entry], encoding: str | None, quiet: bool
) -> None:
    asked = Asked(
        bucket="b", key="k", limit=7, wanted="x", etag="ABC", since=MOMENT, meta={"year": "2020"},
        encoding_type=encoding, quiet=quiet, entries=tuple(listed),
    )  # fmt: skip

    sent = write_request(OPERATION, asked)
    received = Message(
        method=sent.method, bucket=sent.bucket, key=sent.key, query=sent.query, body=sent.body,
        headers={name.lower(): value for name, value in sent.headers.items()},
    )  # fmt: skip

    assert read_request(Asked, received) == asked
    assert "probe" in sent.query


@given(st.lists(entries, max_size=3), st.sampled_from([None, "url"]))
def test_an_answer_survives_the_way_to_the_client(listed: list[Entry], encoding: str | None) -> None:
    given_ = Given(
        status=200, etag="AA", encoding_type=encoding, owner_id="1", owner_name="<&>", entries=tuple(listed)
    )

    assert read_answer(OPERATION, write_answer(OPERATION, given_)) == given_


def test_the_document_on_the_wire() -> None:
    entry = Entry(key="a b+ü", size=5, etag="AB", modified=MOMENT)

    answer = write_answer(
        OPERATION, Given(etag="F", encoding_type="url", owner_id="1", owner_name="me", entries=(entry,))
    )

    assert answer.body == (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<Given><EncodingType>url</EncodingType>'
        b"<Owner><ID>1</ID><DisplayName>me</DisplayName></Owner>"
        b'<Entry><Key>a%20b%2B%C3%BC</Key><Size>5</Size><ETag>"AB"</ETag>'
        b"<LastModified>2024-03-05T06:07:08.000Z</LastModified></Entry></Given>"
    )
    assert dict(answer.headers) == {"ETag": '"F"', "Content-Type": "application/xml"}
    assert answer.status == 200


def test_a_payload_replaces_the_document() -> None:
    answer = write_answer(OPERATION, Given(status=203, etag="F", owner_id="", owner_name="", answer=b"{}"))

    assert (answer.status, answer.body) == (203, b"{}")
    assert ("Content-Type", "application/json") in answer.headers


def test_text_in_the_root_itself() -> None:
    answer = write_answer(LOCATE, Place(name="oss-cn-hangzhou"))

    assert answer.body.endswith(b"<LocationConstraint>oss-cn-hangzhou</LocationConstraint>")
    assert read_answer(LOCATE, answer) == Place(name="oss-cn-hangzhou")


@pytest.mark.parametrize(
    ("query", "body", "code"),
    [
        ({}, b"<Asked/>", "MissingArgument"),
        ({"wanted": "1", "max": "ten"}, b"<Asked/>", "InvalidArgument"),
        ({"wanted": "1", "max": "1_0"}, b"<Asked/>", "InvalidArgument"),
        ({"wanted": "1", "max": "+1"}, b"<Asked/>", "InvalidArgument"),
        ({"wanted": "1", "max": "٣"}, b"<Asked/>", "InvalidArgument"),
        ({"wanted": "1"}, b"", "MalformedXML"),
        ({"wanted": "1"}, b"<Wrong/>", "MalformedXML"),
        ({"wanted": "1"}, b"<Asked><Quiet>perhaps</Quiet></Asked>", "MalformedXML"),
        ({"wanted": "1"}, b"<Asked><Quiet>true</Quiet><Quiet>true</Quiet></Asked>", "MalformedXML"),
        ({"wanted": "1"}, b"<Asked><Entries><Entry><Key>k</Key></Entry></Entries></Asked>", "MalformedXML"),
    ],
)
def test_what_does_not_fit_the_shape_is_named(query: dict[str, str], body: bytes, code: str) -> None:
    with pytest.raises(OssError) as caught:
        read_request(Asked, Message(method="POST", bucket="b", key="k", query=query, body=body))

    assert caught.value.code == code
    if code == "MalformedXML":
        assert caught.value.ec == "0042-00000205"
        assert caught.value.extras["ErrorDetail"]


def test_only_shapes_with_a_document_or_payload_need_the_body() -> None:
    assert needs_body(Asked)
    assert not needs_body(OnObject)


def test_a_shape_is_a_value() -> None:
    one, same = Place(name="x"), Place(name="x")

    assert one == same
    assert hash(one) == hash(same)
    assert one != Place(name="y")
    assert repr(one) == "Place(name='x')"
    with pytest.raises(AttributeError):
        one.name = "z"  # type: ignore[misc]  # that it is refused is what is tested
    with pytest.raises(TypeError):
        Place()  # type: ignore[call-arg]  # a field without default is required


def test_every_shape_gets_a_default_of_its_own() -> None:
    assert WritesObject(bucket="b", key="k").meta is not WritesObject(bucket="b", key="k").meta
