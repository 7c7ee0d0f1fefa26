"""What every operation answers where ETags are made of CRC-64 and size, header by header, and with what was stored before."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from mossaic.protocol.checksum import crc64, crc64_etag, multipart_etag
from tests.e2e.callback.test_callback import asking
from tests.e2e.conftest import new_bucket
from tests.e2e.form.test_post_object import PNG, policy, post, signed
from tests.e2e.harness import PART, noise
from tests.e2e.raw.test_object_wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.harness import CallbackReceiver, Server

DATA = noise(PART)


def etag_of(content: bytes) -> str:
    return crc64_etag(crc64(content), len(content))


def md5_of(content: bytes) -> str:
    """As Content-MD5 has it."""
    return base64.b64encode(hashlib.md5(content).digest()).decode()


@pytest.fixture
def wire(server: Server, bucket: str) -> Wire:
    return Wire(server, bucket)


def begin(wire: Wire, key: str) -> str:
    upload_id = wire("POST", key, {"uploads": ""}).element("UploadId")
    assert upload_id
    return upload_id


def complete(wire: Wire, key: str, upload_id: str, etags: list[str]) -> str:
    """The ETag of the object."""
    listed = "".join(
        f'<Part><PartNumber>{number}</PartNumber><ETag>"{etag}"</ETag></Part>'
        for number, etag in enumerate(etags, 1)
    )
    body = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
    done = wire("POST", key, {"uploadId": upload_id}, body=body)
    assert done.status == 200, done.body
    return done.headers["etag"].strip('"')


def test_put_get_head_and_lists_tell_one_etag_and_no_md5(wire: Wire) -> None:
    put = wire("PUT", "a", body=DATA)
    answers = [put, wire("GET", "a"), wire("HEAD", "a"), wire("HEAD", "a", {"objectMeta": ""})]

    assert {answer.headers["etag"] for answer in answers} == {f'"{etag_of(DATA)}"'}
    assert not any("content-md5" in answer.headers for answer in answers)
    for query in ({}, {"list-type": "2"}, {"versions": ""}):
        listed = wire("GET", query=query).body.decode()
        assert f'<ETag>"{etag_of(DATA)}"</ETag>' in listed.replace("&quot;", '"')


def test_a_content_md5_is_checked_told_and_kept(wire: Wire) -> None:
    refused = wire("PUT", "a", body=DATA, content_md5=md5_of(b"another"))
    broken = wire("PUT", "a", body=DATA, content_md5="not an md5")
    stored = wire("PUT", "a", body=DATA, content_md5=md5_of(DATA))

    assert [answer.error[1] for answer in (refused, broken)] == ["InvalidDigest", "InvalidDigest"]
    assert stored.headers["etag"] == f'"{etag_of(DATA)}"'
    assert stored.headers["content-md5"] == wire("GET", "a").headers["content-md5"] == md5_of(DATA)


def test_conditions_take_the_etag(wire: Wire) -> None:
    wire("PUT", "a", body=DATA)
    right, wrong = f'"{etag_of(DATA)}"', f'"{etag_of(b"another")}"'

    assert wire("GET", "a", if_match=right).status == 200
    assert wire("GET", "a", if_match=etag_of(DATA).lower()).status == 200
    assert wire("GET", "a", if_match=wrong).status == 412
    assert wire("GET", "a", if_none_match=right).status == 304
    assert wire("GET", "a", if_none_match=wrong).status == 200
    assert wire("GET", "a", range="bytes=0-1", if_range=right).status == 206
    assert wire("GET", "a", range="bytes=0-1", if_range=wrong).status == 200
    copied = wire("PUT", "b", x_oss_copy_source=f"/{wire.bucket}/a", x_oss_copy_source_if_match=right)
    assert copied.element("ETag") == right
    assert wire("HEAD", "b").headers["etag"] == right


def test_parts_are_listed_completed_and_completed_again_by_their_etags(wire: Wire) -> None:
    wire("PUT", "source", body=DATA)
    upload_id = begin(wire, "a")
    first = wire("PUT", "a", {"partNumber": "1", "uploadId": upload_id}, body=DATA)
    second = wire(
        "PUT", "a", {"partNumber": "2", "uploadId": upload_id}, body=DATA[:9], content_md5=md5_of(DATA[:9])
    )
    third = wire(
        "PUT",
        "a",
        {"partNumber": "2", "uploadId": upload_id},
        x_oss_copy_source=f"/{wire.bucket}/source",
        x_oss_copy_source_range="bytes=0-8",
    )
    listed = wire("GET", "a", {"uploadId": upload_id}).body.decode().replace("&quot;", '"')
    etags = [etag_of(DATA), etag_of(DATA[:9])]

    done = complete(wire, "a", upload_id, etags)

    assert "content-md5" not in first.headers
    assert second.headers["content-md5"] == md5_of(DATA[:9])
    assert first.headers["etag"] == f'"{etags[0]}"'
    assert second.headers["etag"] == third.element("ETag") == f'"{etags[1]}"'
    assert all(f'<ETag>"{etag}"</ETag>' in listed for etag in etags)
    assert done == multipart_etag(etags)
    assert complete(wire, "a", upload_id, etags) == done
    assert wire("GET", "a").body == DATA + DATA[:9]


def test_a_part_listed_with_another_etag_is_refused(wire: Wire) -> None:
    upload_id = begin(wire, "a")
    wire("PUT", "a", {"partNumber": "1", "uploadId": upload_id}, body=DATA)
    md5 = hashlib.md5(DATA).hexdigest().upper()
    listed = f"<Part><PartNumber>1</PartNumber><ETag>{md5}</ETag></Part>"

    refused = wire(
        "POST",
        "a",
        {"uploadId": upload_id},
        body=f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode(),
    )

    assert refused.error[:2] == (400, "InvalidPart")


def test_an_append_has_a_random_etag_as_ever(wire: Wire) -> None:
    etags = [
        wire("POST", "log", {"append": "", "position": str(4 * n)}, body=b"0123").headers["etag"]
        for n in range(2)
    ]

    assert etags[0] != etags[1]
    assert wire("HEAD", "log").headers["etag"] == etags[1]
    assert wire("GET", "log").body == b"01230123"


def test_a_form_answers_with_the_etag(server: Server, wire: Wire) -> None:
    fields = {"key": "a", "success_action_status": "201", **signed(server, policy())}

    plain = post(server, wire.bucket, fields)
    checked = post(server, wire.bucket, {**fields, "Content-MD5": md5_of(PNG)})
    refused = post(server, wire.bucket, {**fields, "Content-MD5": md5_of(b"another")})

    assert plain.headers["ETag"] == checked.headers["ETag"] == f'"{etag_of(PNG)}"'
    assert etag_of(PNG) in plain.text
    assert (plain.headers.get("Content-MD5"), checked.headers["Content-MD5"]) == (None, md5_of(PNG))
    assert (refused.status_code, "InvalidDigest" in refused.text) == (400, True)


def test_a_callback_tells_the_etag_and_the_md5_where_there_is_one(
    wire: Wire, receiver: CallbackReceiver
) -> None:
    body = "${etag}/${contentMd5}"

    for digest in ({}, {"content_md5": md5_of(DATA)}):
        named = {name.replace("-", "_"): value for name, value in asking(receiver.url, body).items()}
        assert wire("PUT", "a", body=DATA, **named, **digest).status == 200

    told = [unquote(call.body.decode()) for call in receiver.calls]
    assert told == [f"{etag_of(DATA)}/", f"{etag_of(DATA)}/{md5_of(DATA)}"]


def test_what_was_stored_under_one_setting_goes_on_under_the_other(
    make_server: Callable[..., Server],
) -> None:
    server = make_server(STORE_ETAG="md5")
    wire = Wire(server, new_bucket(server))
    wire("PUT", "old", body=DATA)
    upload_id = begin(wire, "a")
    etags = [wire("PUT", "a", {"partNumber": "1", "uploadId": upload_id}, body=DATA).headers["etag"]]
    server.stop()

    server.env["MOSSAIC_STORE_ETAG"] = "crc64"
    server.start()
    old = wire("GET", "old")
    wire("PUT", "new", body=DATA)
    etags += [wire("PUT", "a", {"partNumber": "2", "uploadId": upload_id}, body=DATA).headers["etag"]]
    server.stop()
    server.env["MOSSAIC_STORE_ETAG"] = "md5"
    server.start()
    bare = [etag.strip('"') for etag in etags]
    done = complete(wire, "a", upload_id, bare)

    assert old.headers["etag"] == f'"{hashlib.md5(DATA).hexdigest().upper()}"'
    assert wire("GET", "new").headers["etag"] == f'"{etag_of(DATA)}"'
    assert bare == [hashlib.md5(DATA).hexdigest().upper(), etag_of(DATA)]
    assert done == multipart_etag(bare)
    assert wire("GET", "a").body == DATA * 2
    assert "sound" in server.cli("fsck")
