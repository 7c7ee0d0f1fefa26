"""oss2 against the seven multipart operations: listings, abort, headers, callback, and the errors users meet."""

from __future__ import annotations

import base64
import json

import oss2
import pytest
from oss2.models import PartInfo

from tests.e2e.conftest import new_bucket
from tests.e2e.harness import (
    PART,
    CallbackReceiver,
    Server,
    b64_json,
    callback_fields,
    multipart_etag,
    noise,
)
from tests.e2e.oss2.conftest import connect

KEY = "folder/файл with spaces+&.bin"  # a key that every encoding step must leave alone


def put_parts(client: oss2.Bucket, upload_id: str, data: bytes, *, key: str = KEY) -> list[PartInfo]:
    pieces = [data[at : at + PART] for at in range(0, len(data), PART)]
    return [
        PartInfo(number, client.upload_part(key, upload_id, number, piece).etag)
        for number, piece in enumerate(pieces, start=1)
    ]


def upload(client: oss2.Bucket, data: bytes, headers: dict[str, str] | None = None) -> object:
    upload_id = client.init_multipart_upload(KEY, headers=headers).upload_id
    return client.complete_multipart_upload(KEY, upload_id, put_parts(client, upload_id, data))


def test_list_parts_shows_what_has_arrived(client: oss2.Bucket) -> None:
    data = noise(3 * PART)
    upload_id = client.init_multipart_upload(KEY).upload_id
    sent = put_parts(client, upload_id, data)

    listed = list(oss2.PartIterator(client, KEY, upload_id, max_parts=1))

    assert [(part.part_number, part.etag, part.size) for part in listed] == [
        (part.part_number, part.etag, PART) for part in sent
    ]
    assert all(part.last_modified > 0 for part in listed)


def test_list_uploads_shows_open_uploads_and_folders(client: oss2.Bucket) -> None:
    opened = {
        key: client.init_multipart_upload(key).upload_id for key in ("a.bin", "b/1.bin", "b/2.bin", KEY)
    }

    everything = {one.key: one.upload_id for one in oss2.MultipartUploadIterator(client, max_uploads=1)}
    top = client.list_multipart_uploads(delimiter="/")

    assert everything == opened
    assert [one.key for one in top.upload_list] == ["a.bin"]
    assert top.prefix_list == ["b/", "folder/"]


def test_two_uploads_of_one_key_stay_apart(client_v4: oss2.Bucket) -> None:
    first = client_v4.init_multipart_upload(KEY).upload_id
    second = client_v4.init_multipart_upload(KEY).upload_id
    put_parts(client_v4, first, noise(PART, seed=1))
    parts = put_parts(client_v4, second, noise(PART, seed=2))

    client_v4.complete_multipart_upload(KEY, second, parts)

    assert client_v4.get_object(KEY).read() == noise(PART, seed=2)
    assert [one.upload_id for one in oss2.MultipartUploadIterator(client_v4)] == [first]


def test_after_an_abort_the_upload_is_gone(client: oss2.Bucket) -> None:
    upload_id = client.init_multipart_upload(KEY).upload_id
    parts = put_parts(client, upload_id, noise(PART))

    client.abort_multipart_upload(KEY, upload_id)

    for attempt in (
        lambda: client.upload_part(KEY, upload_id, 2, b"late"),
        lambda: client.list_parts(KEY, upload_id),
        lambda: client.complete_multipart_upload(KEY, upload_id, parts),
        lambda: client.abort_multipart_upload(KEY, upload_id),
    ):
        with pytest.raises(oss2.exceptions.NoSuchUpload) as caught:
            attempt()
        assert caught.value.status == 404
        assert caught.value.details["UploadId"] == upload_id
    assert not client.object_exists(KEY)


def test_headers_tags_and_meta_set_at_initiate_come_back(client: oss2.Bucket) -> None:
    stored = {
        "Content-Type": "text/x-story",
        "Cache-Control": "no-cache",
        "Content-Disposition": "example.txt",
        "Content-Encoding": "utf-8",
        "Expires": "1000",
        "x-oss-storage-class": "IA",
        "x-oss-meta-author": "somebody",
    }

    upload(client, noise(2 * PART + 5), headers={**stored, "x-oss-tagging": "Tag1=1&Tag2=a%20b"})

    head = client.head_object(KEY)
    assert {name: head.headers[name] for name in stored} == stored
    assert head.headers["x-oss-object-type"] == "Multipart"
    assert head.headers["x-oss-tagging-count"] == "2"
    assert client.get_object_tagging(KEY).tag_set.tagging_rule == {"Tag1": "1", "Tag2": "a b"}


def test_the_etag_is_that_of_oss_and_the_crc_that_of_the_whole(client: oss2.Bucket) -> None:
    data = noise(3 * PART + 7)

    result = upload(client, data)

    crc = oss2.utils.Crc64()
    crc.update(data)
    assert result.etag == multipart_etag(data, PART)
    assert int(result.headers["x-oss-hash-crc64ecma"]) == crc.crc


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 0), (PART - 3, PART + 3), (10, 3 * PART), (2 * PART, None), (None, 9)]
)
def test_a_range_over_part_borders(client_v4: oss2.Bucket, start: int | None, stop: int | None) -> None:
    data = noise(3 * PART + 50)
    upload(client_v4, data)

    got = client_v4.get_object(KEY, byte_range=(start, stop))

    first = len(data) - (stop or 0) if start is None else start
    end = len(data) if start is None or stop is None else stop + 1
    assert got.status == 206
    assert got.read() == data[first:end]


def test_forbid_overwrite_stops_initiate_when_the_object_is_there(client: oss2.Bucket) -> None:
    client.put_object(KEY, b"first")

    with pytest.raises(oss2.exceptions.ServerError) as caught:
        client.init_multipart_upload(KEY, headers={"x-oss-forbid-overwrite": "true"})

    assert (caught.value.status, caught.value.code) == (409, "FileAlreadyExists")


def test_forbid_overwrite_stops_complete_when_the_object_came_meanwhile(client: oss2.Bucket) -> None:
    guard = {"x-oss-forbid-overwrite": "true"}
    upload_id = client.init_multipart_upload(KEY, headers=guard).upload_id
    parts = put_parts(client, upload_id, noise(PART))
    client.put_object(KEY, b"first")

    with pytest.raises(oss2.exceptions.ServerError) as caught:
        client.complete_multipart_upload(KEY, upload_id, parts, headers=guard)

    assert (caught.value.status, caught.value.code) == (409, "FileAlreadyExists")
    assert client.get_object(KEY).read() == b"first"


def test_a_storage_class_at_complete_is_not_supported(client: oss2.Bucket) -> None:
    upload_id = client.init_multipart_upload(KEY).upload_id
    parts = put_parts(client, upload_id, noise(PART))

    with pytest.raises(oss2.exceptions.ServerError) as caught:
        client.complete_multipart_upload(KEY, upload_id, parts, headers={"x-oss-storage-class": "IA"})

    assert (caught.value.status, caught.value.code) == (400, "OperationNotSupported")
    assert caught.value.message.rstrip(".") == "The operation is not supported for this resource"
    assert caught.value.ec == "0042-00000202"
    client.complete_multipart_upload(KEY, upload_id, parts)


def test_a_small_part_that_is_not_the_last_is_refused(client_v4: oss2.Bucket) -> None:
    upload_id = client_v4.init_multipart_upload(KEY).upload_id
    parts = [PartInfo(n, client_v4.upload_part(KEY, upload_id, n, b"small").etag) for n in (1, 2)]

    with pytest.raises(oss2.exceptions.ServerError) as caught:
        client_v4.complete_multipart_upload(KEY, upload_id, parts)

    assert (caught.value.status, caught.value.code) == (400, "EntityTooSmall")


def test_wrong_lists_of_parts_are_refused_and_the_upload_stays(client_v4: oss2.Bucket) -> None:
    upload_id = client_v4.init_multipart_upload(KEY).upload_id
    parts = put_parts(client_v4, upload_id, noise(2 * PART))
    wrong = {
        "InvalidPart": [parts[0], PartInfo(2, parts[0].etag)],
        "InvalidPartOrder": parts[::-1],
    }

    for code, listed in wrong.items():
        with pytest.raises(oss2.exceptions.ServerError) as caught:
            complete_unsorted(client_v4, upload_id, listed)
        assert (caught.value.status, caught.value.code) == (400, code)

    client_v4.complete_multipart_upload(KEY, upload_id, parts)
    assert client_v4.get_object(KEY).read() == noise(2 * PART)


def complete_unsorted(client: oss2.Bucket, upload_id: str, parts: list[PartInfo]) -> None:
    """oss2 sorts the list it is given; send it as it is through the SDK's own request path."""
    rows = "".join(
        f"<Part><PartNumber>{p.part_number}</PartNumber><ETag>{p.etag}</ETag></Part>" for p in parts
    )
    body = f"<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>"
    client._Bucket__do_object("POST", KEY, params={"uploadId": upload_id}, data=body)


def test_complete_all_takes_every_part_that_arrived(client: oss2.Bucket) -> None:
    data = noise(2 * PART + 1)
    upload_id = client.init_multipart_upload(KEY).upload_id
    put_parts(client, upload_id, data)

    result = client.complete_multipart_upload(KEY, upload_id, None, headers={"x-oss-complete-all": "yes"})

    assert result.etag == multipart_etag(data, PART)
    assert client.get_object(KEY).read() == data


def test_a_repeated_complete_gives_the_first_result(client_v4: oss2.Bucket) -> None:
    upload_id = client_v4.init_multipart_upload(KEY).upload_id
    parts = put_parts(client_v4, upload_id, noise(2 * PART))
    first = client_v4.complete_multipart_upload(KEY, upload_id, parts)

    again = client_v4.complete_multipart_upload(KEY, upload_id, parts)

    assert (again.status, again.etag, again.crc) == (200, first.etag, first.crc)


def test_a_repeated_complete_is_refused_when_the_window_is_zero(make_server) -> None:
    own = make_server(UPLOAD_REPLAY_S="0")
    client = connect(own, new_bucket(own))
    upload_id = client.init_multipart_upload(KEY).upload_id
    parts = put_parts(client, upload_id, noise(PART))
    client.complete_multipart_upload(KEY, upload_id, parts)

    with pytest.raises(oss2.exceptions.NoSuchUpload):
        client.complete_multipart_upload(KEY, upload_id, parts)


def test_a_part_put_again_replaces_the_first(client: oss2.Bucket) -> None:
    upload_id = client.init_multipart_upload(KEY).upload_id
    client.upload_part(KEY, upload_id, 7, b"old")
    etag = client.upload_part(KEY, upload_id, 7, b"new").etag

    client.complete_multipart_upload(KEY, upload_id, [PartInfo(7, etag)])

    assert client.get_object(KEY).read() == b"new"


def test_parts_copied_from_an_object(client: oss2.Bucket) -> None:
    data = noise(3 * PART)
    client.put_object("source file+1.bin", data)
    upload_id = client.init_multipart_upload(KEY).upload_id

    parts = []
    for number in (1, 2, 3):
        span = ((number - 1) * PART, number * PART - 1)
        copied = client.upload_part_copy(
            client.bucket_name, "source file+1.bin", span, KEY, upload_id, number
        )
        parts.append(PartInfo(number, copied.etag))
    result = client.complete_multipart_upload(KEY, upload_id, parts)

    assert result.etag == multipart_etag(data, PART)
    assert client.get_object(KEY).read() == data


def test_a_callback_with_a_custom_variable(client: oss2.Bucket, receiver: CallbackReceiver) -> None:
    data = noise(PART + 1)
    upload_id = client.init_multipart_upload(KEY).upload_id
    parts = put_parts(client, upload_id, data)
    receiver.answer = b'{"order":"taken"}'
    headers = {
        "x-oss-callback": b64_json(callback_fields(f"{receiver.url}/a%20b?shop=1")),
        "x-oss-callback-var": b64_json({"x:order": "42 & more"}),
    }

    result = client.complete_multipart_upload(KEY, upload_id, parts, headers=headers)

    called = receiver.calls[0]
    assert json.loads(result.resp.read()) == {"order": "taken"}
    assert called.target == "/hook/a%20b?shop=1"
    assert called.form() == {
        "bucket": client.bucket_name,
        "object": KEY,
        "etag": multipart_etag(data, PART),
        "size": str(len(data)),
        "order": "42 & more",
    }
    assert called.signature_holds()
    assert client.get_object(KEY).read() == data


def test_a_callback_in_json(client_v4: oss2.Bucket, receiver: CallbackReceiver) -> None:
    fields = {
        "callbackUrl": receiver.url,
        "callbackBody": '{"bucket":${bucket},"object":${object},"size":${size},"type":${mimeType},"order":${x:order}}',
        "callbackBodyType": "application/json",
    }
    headers = {"x-oss-callback": b64_json(fields), "x-oss-callback-var": b64_json({"x:order": '4"2'})}

    result = client_v4.put_object(KEY, b"hello", headers={**headers, "Content-Type": "text/plain"})

    assert json.loads(result.resp.read()) == {"Status": "OK"}
    assert receiver.calls[0].headers["content-type"] == "application/json"
    assert receiver.calls[0].json() == {
        "bucket": client_v4.bucket_name,
        "object": KEY,
        "size": 5,
        "type": "text/plain",
        "order": '4"2',
    }
    assert receiver.calls[0].signature_holds()


def test_a_failed_callback_keeps_the_object(client: oss2.Bucket, receiver: CallbackReceiver) -> None:
    receiver.status = 404

    answer = client.put_object(
        KEY, b"kept", headers={"x-oss-callback": b64_json(callback_fields(receiver.url))}
    )

    # oss2 takes every 2xx for success; a caller sees the failure in the status and the body
    error = oss2.exceptions.make_exception(answer.resp)
    assert (error.status, error.code) == (203, "CallbackFailed")
    assert client.get_object(KEY).read() == b"kept"


def test_a_callback_that_is_not_base64_is_refused_before_anything_is_stored(client: oss2.Bucket) -> None:
    with pytest.raises(oss2.exceptions.InvalidArgument):
        client.put_object(KEY, b"x", headers={"x-oss-callback": "{not base64}"})

    assert not client.object_exists(KEY)


def test_a_private_callback_target_is_refused_by_default(make_server, receiver: CallbackReceiver) -> None:
    own: Server = make_server(CALLBACK_ALLOW_LOOPBACK="false")
    client = connect(own, new_bucket(own))

    headers = {"x-oss-callback": b64_json(callback_fields(receiver.url))}
    with pytest.raises(oss2.exceptions.ServerError) as caught:
        client.put_object(KEY, b"x", headers=headers)

    assert (caught.value.status, caught.value.code) == (400, "InvalidArgument")
    assert receiver.calls == []


def test_content_md5_is_checked_before_a_part_counts(client: oss2.Bucket) -> None:
    upload_id = client.init_multipart_upload(KEY).upload_id
    wrong = base64.b64encode(b"0123456789abcdef").decode()

    with pytest.raises(oss2.exceptions.InvalidDigest):
        client.upload_part(KEY, upload_id, 1, b"data", headers={"Content-MD5": wrong})

    assert client.list_parts(KEY, upload_id).parts == []
