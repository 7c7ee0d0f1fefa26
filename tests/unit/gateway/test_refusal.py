"""Errors as answers: the whole document in the body, and in a header small enough for every client where there is no body."""

from __future__ import annotations

import base64
import errno
import xml.etree.ElementTree as ET

import pytest

from mossaic.gateway.message import HttpResponse
from mossaic.gateway.record import RequestRecord
from mossaic.gateway.refusal import refusal_of, refuse
from mossaic.ports import Busy, Full
from mossaic.protocol.errors import NO_SUCH_KEY, SIGNATURE_DOES_NOT_MATCH, OssError

NODE_HEAD_BYTES = 16 * 1024  # Node's HTTP parser gives up beyond


def refused(method: str, signed: str) -> HttpResponse:
    error = OssError(SIGNATURE_DOES_NOT_MATCH, ec="0002-00000040", OSSAccessKeyId="id", StringToSign=signed)
    return refuse(error, method=method, request_id="0" * 24, host="127.0.0.1")


def in_header(response: HttpResponse) -> ET.Element:
    return ET.fromstring(base64.b64decode(dict(response.headers)["x-oss-err"]))


def test_the_header_of_a_refused_head_holds_the_document() -> None:
    document = in_header(refused("HEAD", "HEAD\n\n/b/k"))

    assert document.findtext("StringToSign") == "HEAD\n\n/b/k"


def test_a_long_document_keeps_its_code_and_fits_a_header() -> None:
    response = refused("HEAD", "x" * 9_000)

    document = in_header(response)
    assert sum(len(name) + len(value) for name, value in response.headers) < NODE_HEAD_BYTES // 2
    assert (document.findtext("Code"), document.findtext("EC")) == ("SignatureDoesNotMatch", "0002-00000040")
    assert document.findtext("RequestId") == "0" * 24


def test_a_body_is_never_cut() -> None:
    response = refused("GET", "x" * 9_000)

    assert isinstance(response.body, bytes)
    assert ET.fromstring(response.body).findtext("StringToSign") == "x" * 9_000


def test_a_key_that_xml_cannot_hold_does_not_hide_the_code() -> None:
    response = refuse(
        OssError(NO_SUCH_KEY, Key="a\x01b\ud800c\r"), method="GET", request_id="0" * 24, host="a"
    )

    assert isinstance(response.body, bytes)
    document = ET.fromstring(response.body)
    assert (document.findtext("Code"), document.findtext("Key")) == ("NoSuchKey", "a\ufffdb\ufffdc\r")


@pytest.mark.parametrize(
    ("error", "words", "is_logged"),
    [
        (Busy("later"), "Please try again later", False),
        (Full("no room"), "no space left", True),
        (OSError(errno.ENOSPC, "no room"), "no space left", True),
        (OSError(errno.EIO, "broken"), "internal error", True),
    ],
)
def test_what_was_not_foreseen_has_words_too(
    error: Exception, words: str, is_logged: bool, caplog: pytest.LogCaptureFixture
) -> None:
    record = RequestRecord(method="PUT", request_id="ID", operation="PutObject")

    response = refusal_of(error, record)

    assert response.status == (500 if "internal" in words else 503)
    assert words.lower() in str(response.body).lower()
    assert record.code in ("ServiceUnavailable", "InternalError")
    assert ("ID" in caplog.text) == is_logged
