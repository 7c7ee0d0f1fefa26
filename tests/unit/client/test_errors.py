"""What the SDK raises: classes by OSS code, whole in every copy, in words."""

from __future__ import annotations

import pickle

import pytest

from mossaic.client import errors
from mossaic.client.refusal import read_refusal
from mossaic.protocol.errors import ERRORS

BY_CODE = [
    kind for kind in vars(errors).values() if isinstance(kind, type) and errors.ServerError in kind.__bases__
]


@pytest.mark.parametrize("kind", BY_CODE, ids=lambda kind: kind.__name__)
def test_a_class_says_what_the_table_says_of_its_code(kind: type[errors.ServerError]) -> None:
    assert kind.__doc__ == ERRORS[kind.__name__].message
    assert errors.class_of(kind.__name__) is kind


def test_a_code_without_a_class_is_a_plain_server_error() -> None:
    error = read_refusal(
        "GetObject", 418, {}, b"<Error><Code>Teapot</Code><Message>short and stout</Message></Error>"
    )

    assert type(error) is errors.ServerError
    assert (error.code, error.status, error.message) == ("Teapot", 418, "short and stout")


def test_a_document_becomes_fields_and_further_elements_become_extras() -> None:
    body = (
        b"<Error><Code>NoSuchUpload</Code><Message>gone</Message><RequestId>R</RequestId><HostId>h</HostId>"
        b"<EC>0042-00000002</EC><UploadId>U</UploadId></Error>"
    )

    error = read_refusal("ListParts", 404, {}, body)

    assert isinstance(error, errors.NoSuchUpload)
    assert (error.request_id, error.host_id, error.ec, error.operation) == (
        "R",
        "h",
        "0042-00000002",
        "ListParts",
    )
    assert error.extras == {"UploadId": "U"}
    assert str(error) == "NoSuchUpload: gone [status 404, ListParts, request id R, EC 0042-00000002]"


def test_the_error_of_a_head_travels_in_a_header() -> None:
    coded = (
        "PEVycm9yPjxDb2RlPk5vU3VjaEJ1Y2tldDwvQ29kZT48L0Vycm9yPg=="  # <Error><Code>NoSuchBucket</Code></Error>
    )

    assert isinstance(read_refusal("HeadObject", 404, {"x-oss-err": coded}, b""), errors.NoSuchBucket)


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (404, b"", "NoSuchKey"),
        (502, b"<html><h1>Bad gateway</h1>", "Http502"),
        (503, b"try later", "Http503"),
    ],
)
def test_an_answer_without_a_document_is_told_by_its_status(status: int, body: bytes, code: str) -> None:
    error = read_refusal("HeadObject", status, {"x-oss-request-id": "R"}, body)

    assert (error.code, error.status, error.request_id) == (code, status, "R")
    assert "html" not in error.message


def test_an_error_survives_pickling_with_all_it_knows() -> None:
    error = errors.SecurityTokenExpired(
        code="SecurityTokenExpired", status=403, message="m", request_id="R", extras={"A": "b"}
    )
    error.part_number, error.attempts = 7, 3

    back = pickle.loads(pickle.dumps(error))

    assert type(back) is errors.SecurityTokenExpired
    assert (back.code, back.request_id, back.extras, back.part_number, back.attempts) == (
        error.code,
        "R",
        {"A": "b"},
        7,
        3,
    )


def test_a_timeout_is_a_timeout_a_connection_error_and_says_what_to_do() -> None:
    error = errors.ConnectionTimeoutError("no byte in 60 s", sent=True)

    assert isinstance(error, TimeoutError)
    assert isinstance(error, ConnectionError)
    assert str(error).endswith("reduce the part size, extend the timeout, or send the request again")
