"""Numbers and texts beyond their bounds are refused by name, never clamped, never a fault of ours.

Class: Ceph CVE-2018-16846 (max-keys, max-uploads, max-parts), CVE-2019-10222 (crash), CVE-2022-3854.
"""

from __future__ import annotations

import pytest

from mossaic.protocol.codec.plan import plan_of
from mossaic.protocol.operations import TABLE
from mossaic.protocol.wire import Query
from tests.security.support import CONTENT, KEY, Stage

NO_NUMBERS = ["abc", "", "-1", "1.5", "1e3", "0x10", "+5", " 5", "5 ", "\u0661", "1_000", "9" * 19, "9223372036854775808", "18446744073709551616", "9" * 400, "NaN", "1,2", "\udcff", "5\0"]  # fmt: skip
PAGES = {
    "max-keys": [{"": ""}, {"list-type": "2"}, {"versions": ""}, None],
    "max-uploads": [{"uploads": ""}],
}
TEXTS = [
    "",
    "\udcff",
    "é" * 600,
    "a" * 5000,
    "\0",
    "\x01",
    "' OR 1=1--",
    "%",
    "_",
    "*",
    "\U0010ffff",
    "\ufffe",
]


@pytest.mark.parametrize("value", ["0", "1001", "-0", *(text for text in NO_NUMBERS if text)])
def test_a_page_has_1_to_1000_entries(stage: Stage, value: str) -> None:
    for name, places in PAGES.items():
        for place in places:
            bucket = None if place is None else stage.bucket
            query = {key: text for key, text in (place or {}).items() if key} | {name: value}
            reply = stage.root("GET", bucket, query=query)
            assert (reply.status, reply.code) == (400, "InvalidArgument"), (query, reply.status, reply.body)
    reply = stage.root("GET", stage.bucket, "big", query={"uploadId": stage.upload_id, "max-parts": value})
    assert (reply.status, reply.code) == (400, "InvalidArgument"), reply.body


@pytest.mark.parametrize("value", ["0", "10001", *NO_NUMBERS])
def test_a_part_has_a_number_from_1_to_10000(stage: Stage, value: str) -> None:
    query = {"uploadId": stage.upload_id, "partNumber": value}
    source = {"x-oss-copy-source": f"/{stage.bucket}/{KEY}"}

    for headers in ({}, source):
        reply = stage.root(
            "PUT", stage.bucket, "big", query=query, headers=headers, body=b"x" * (not headers)
        )
        assert (reply.status, reply.code) == (400, "InvalidArgument"), (headers, reply.status, reply.body)


@pytest.mark.parametrize("value", [text for text in NO_NUMBERS if text])
def test_markers_and_positions_are_numbers(stage: Stage, value: str) -> None:
    marker = stage.root(
        "GET", stage.bucket, "big", query={"uploadId": stage.upload_id, "part-number-marker": value}
    )
    append = stage.root("POST", stage.bucket, "log", query={"append": "", "position": value}, body=b"x")

    assert marker.status == 400, marker.body
    assert append.status in (400, 409), append.body
    assert stage.root("HEAD", stage.bucket, "log").status == 404


@pytest.mark.parametrize("value", [text for text in NO_NUMBERS if text.isascii() and "\0" not in text])
def test_numbers_in_headers(stage: Stage, value: str) -> None:
    for name in ("x-oss-traffic-limit", "x-oss-hash-crc64ecma", "Content-MD5"):
        reply = stage.root("PUT", stage.bucket, "n", headers={name: value}, body=b"x")
        assert reply.status == 400 or (reply.status == 200 and not value.strip()), (
            name,
            reply.status,
            reply.body,
        )


@pytest.mark.parametrize(
    "value",
    ["bytes=", "bytes=-", "bytes=a-b", "bytes=5-1", "bytes=-0", f"bytes={'9' * 400}-", "bytes=0-" + "9" * 400, "bytes=-" + "9" * 400, "bytes=0-1,3-4", "items=0-1", "bytes=--1", "bytes=1-2-3", "bytes=0-0" + ",0-0" * 2000],
)  # fmt: skip
def test_ranges(stage: Stage, value: str) -> None:
    for behavior in ({}, {"x-oss-range-behavior": "standard"}):
        reply = stage.root("GET", stage.bucket, KEY, headers={"Range": value, **behavior})
        assert reply.status in (200, 206, 400, 416), (value, reply.status)
        assert len(reply.body) <= len(CONTENT) or reply.status >= 400
    copied = stage.root(
        "PUT",
        stage.bucket,
        "big",
        query={"uploadId": stage.upload_id, "partNumber": "3"},
        headers={"x-oss-copy-source": f"/{stage.bucket}/{KEY}", "x-oss-copy-source-range": value},
    )
    assert copied.status in (200, 400, 416), (value, copied.status)


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("lifecycle", "<LifecycleConfiguration><Rule><Prefix/><Status>Enabled</Status><Expiration><Days>{}</Days></Expiration></Rule></LifecycleConfiguration>"),
        ("lifecycle", "<LifecycleConfiguration><Rule><Prefix/><Status>Enabled</Status><AbortMultipartUpload><Days>{}</Days></AbortMultipartUpload></Rule></LifecycleConfiguration>"),
        ("cors", "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod><MaxAgeSeconds>{}</MaxAgeSeconds></CORSRule></CORSConfiguration>"),
    ],
)  # fmt: skip
def test_numbers_in_documents(stage: Stage, query: str, body: str) -> None:
    for value in ["-1", "abc", "1.5", "9" * 19, "9" * 400, "9223372036854775808"]:
        reply = stage.root("PUT", stage.bucket, query={query: ""}, body=body.format(value).encode())
        assert reply.status == 400, (value, reply.status, reply.body)


def test_numbers_in_lists_of_parts_and_restores(stage: Stage) -> None:
    for value in NO_NUMBERS:
        if "\udcff" in value or "\0" in value:
            continue
        part = f"<Part><PartNumber>{value}</PartNumber><ETag>x</ETag></Part>"
        body = f"<CompleteMultipartUpload>{part}</CompleteMultipartUpload>".encode()
        listed = stage.root("POST", stage.bucket, "big", query={"uploadId": stage.upload_id}, body=body)
        days = f"<RestoreRequest><Days>{value}</Days></RestoreRequest>".encode()
        restored = stage.root("POST", stage.bucket, KEY, query={"restore": ""}, body=days)
        assert listed.status == 400, (value, listed.status, listed.body)
        assert 400 <= restored.status < 500, (value, restored.status, restored.body)


def test_no_parameter_of_any_operation_breaks_it(stage: Stage) -> None:
    """Every query parameter of the table with every odd text: an answer of the 2xx or 4xx kind, always."""
    tried = 0
    for row in TABLE:
        message = stage.message(row)
        for slot in plan_of(row.takes).query:
            assert isinstance(slot.marker, Query)
            for text in [*NO_NUMBERS, *TEXTS]:
                query = {**message.query, slot.marker.name: text}
                reply = stage.root(
                    message.method, message.bucket, message.key, query=query, headers=dict(message.headers)
                )
                assert reply.status < 500 or reply.code == "NotImplemented", (row.name, query, reply.body)
                tried += 1
    assert tried > 1000
