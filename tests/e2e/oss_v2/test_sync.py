"""alibabacloud-oss-v2, blocking client: the multipart operations one by one, single objects, presigned URLs, errors."""

from __future__ import annotations

import json
from urllib.parse import (
    quote,
    unquote,
)  # a link's target travels encoded, and this SDK leaves that to its caller

import alibabacloud_oss_v2 as oss
import pytest
import requests

from tests.e2e.harness import (
    PART,
    CallbackReceiver,
    Server,
    b64_json,
    callback_fields,
    multipart_etag,
    noise,
    object_etag,
)
from tests.e2e.oss_v2.conftest import config, refused

KEY = "папка/файл +&%.bin"


def begin(client: oss.Client, bucket: str, **options: object) -> str:
    return client.initiate_multipart_upload(
        oss.InitiateMultipartUploadRequest(bucket=bucket, key=KEY, **options)
    ).upload_id


def put_parts(client: oss.Client, bucket: str, upload_id: str, data: bytes) -> list[oss.UploadPart]:
    parts = []
    for number, at in enumerate(range(0, len(data), PART), start=1):
        request = oss.UploadPartRequest(
            bucket=bucket, key=KEY, upload_id=upload_id, part_number=number, body=data[at : at + PART]
        )
        parts.append(oss.UploadPart(part_number=number, etag=client.upload_part(request).etag))
    return parts


def completion(
    bucket: str, upload_id: str, parts: list[oss.UploadPart], **options: object
) -> oss.CompleteMultipartUploadRequest:
    listed = oss.CompleteMultipartUpload(parts=parts)
    return oss.CompleteMultipartUploadRequest(
        bucket=bucket, key=KEY, upload_id=upload_id, complete_multipart_upload=listed, **options
    )


def upload(
    client: oss.Client, bucket: str, data: bytes, **options: object
) -> oss.CompleteMultipartUploadResult:
    upload_id = begin(client, bucket, **options)
    return client.complete_multipart_upload(
        completion(bucket, upload_id, put_parts(client, bucket, upload_id, data))
    )


def read(client: oss.Client, bucket: str, key: str = KEY) -> bytes:
    return client.get_object(oss.GetObjectRequest(bucket=bucket, key=key)).body.read()


def put(client: oss.Client, bucket: str, body: bytes, **options: object) -> oss.PutObjectResult:
    return client.put_object(oss.PutObjectRequest(bucket=bucket, key=KEY, body=body, **options))


def test_parts_and_uploads_are_listed_while_the_upload_is_open(client: oss.Client, bucket: str) -> None:
    upload_id = begin(client, bucket)
    sent = put_parts(client, bucket, upload_id, noise(3 * PART))

    request = oss.ListPartsRequest(bucket=bucket, key=KEY, upload_id=upload_id)
    pages = client.list_parts_paginator(limit=2).iter_page(request)
    parts = [part for page in pages for part in page.parts]
    uploads = client.list_multipart_uploads(oss.ListMultipartUploadsRequest(bucket=bucket)).uploads

    assert [(part.part_number, part.etag, part.size) for part in parts] == [
        (part.part_number, part.etag, PART) for part in sent
    ]
    assert all(part.hash_crc64 for part in parts)
    assert [(one.key, one.upload_id) for one in uploads] == [(KEY, upload_id)]


def test_after_an_abort_the_upload_is_gone(client: oss.Client, bucket: str) -> None:
    upload_id = begin(client, bucket)
    parts = put_parts(client, bucket, upload_id, noise(PART))
    gone = oss.AbortMultipartUploadRequest(bucket=bucket, key=KEY, upload_id=upload_id)

    client.abort_multipart_upload(gone)

    for attempt in (
        lambda: put_parts(client, bucket, upload_id, b"late"),
        lambda: client.list_parts(oss.ListPartsRequest(bucket=bucket, key=KEY, upload_id=upload_id)),
        lambda: client.complete_multipart_upload(completion(bucket, upload_id, parts)),
        lambda: client.abort_multipart_upload(gone),
    ):
        with pytest.raises(oss.exceptions.OperationError) as caught:
            attempt()
        assert (refused(caught).status_code, refused(caught).code) == (404, "NoSuchUpload")


def test_headers_tags_and_meta_set_at_initiate_come_back(client: oss.Client, bucket: str) -> None:
    upload(
        client,
        bucket,
        noise(PART + 5),
        cache_control="no-cache",
        content_disposition="example.txt",
        content_encoding="utf-8",
        expires="1000",
        content_type="text/x-story",
        storage_class="IA",
        metadata={"author": "somebody"},
        tagging="Tag1=1&Tag2=a%20b",
    )

    head = client.head_object(oss.HeadObjectRequest(bucket=bucket, key=KEY))
    tags = client.get_object_tagging(oss.GetObjectTaggingRequest(bucket=bucket, key=KEY)).tag_set.tags
    assert (head.cache_control, head.content_disposition, head.content_encoding, head.expires) == (
        "no-cache",
        "example.txt",
        "utf-8",
        "1000",
    )
    assert (head.content_type, head.storage_class, head.object_type) == ("text/x-story", "IA", "Multipart")
    assert head.metadata["author"] == "somebody"
    assert sorted((tag.key, tag.value) for tag in tags) == [("Tag1", "1"), ("Tag2", "a b")]


@pytest.mark.parametrize("span", [(0, 0), (PART - 3, PART + 3), (10, 3 * PART)])
def test_a_range_over_part_borders(client: oss.Client, bucket: str, span: tuple[int, int]) -> None:
    data = noise(3 * PART + 50)
    upload(client, bucket, data)

    request = oss.GetObjectRequest(bucket=bucket, key=KEY, range_header=f"bytes={span[0]}-{span[1]}")
    got = client.get_object(request)

    assert got.content_range == f"bytes {span[0]}-{span[1]}/{len(data)}"
    assert got.body.read() == data[span[0] : span[1] + 1]


def test_a_range_past_the_end_depends_on_the_asked_behaviour(client_v4: oss.Client, bucket: str) -> None:
    put(client_v4, bucket, b"hello")
    request = {"bucket": bucket, "key": KEY, "range_header": "bytes=9-20"}

    assert client_v4.get_object(oss.GetObjectRequest(**request)).body.read() == b"hello"
    with pytest.raises(oss.exceptions.OperationError) as caught:
        client_v4.get_object(oss.GetObjectRequest(**request, range_behavior="standard"))
    assert (refused(caught).status_code, refused(caught).code) == (416, "InvalidRange")


def test_forbid_overwrite_at_initiate_and_at_complete(client: oss.Client, bucket: str) -> None:
    upload_id = begin(client, bucket, forbid_overwrite=True)
    parts = put_parts(client, bucket, upload_id, noise(PART))
    put(client, bucket, b"first")

    for attempt in (
        lambda: begin(client, bucket, forbid_overwrite=True),
        lambda: client.complete_multipart_upload(completion(bucket, upload_id, parts, forbid_overwrite=True)),
    ):
        with pytest.raises(oss.exceptions.OperationError) as caught:
            attempt()
        assert (refused(caught).status_code, refused(caught).code) == (409, "FileAlreadyExists")
    assert read(client, bucket) == b"first"


def test_a_storage_class_at_complete_is_not_supported(client: oss.Client, bucket: str) -> None:
    upload_id = begin(client, bucket)
    parts = put_parts(client, bucket, upload_id, noise(PART))

    with pytest.raises(oss.exceptions.OperationError) as caught:
        client.complete_multipart_upload(
            completion(bucket, upload_id, parts, headers={"x-oss-storage-class": "Standard"})
        )

    error = refused(caught)
    assert (error.status_code, error.code, error.ec) == (400, "OperationNotSupported", "0042-00000202")
    assert error.message.rstrip(".") == "The operation is not supported for this resource"


def test_complete_all_takes_every_part(client: oss.Client, bucket: str) -> None:
    data = noise(2 * PART + 1)
    upload_id = begin(client, bucket)
    put_parts(client, bucket, upload_id, data)

    request = oss.CompleteMultipartUploadRequest(
        bucket=bucket, key=KEY, upload_id=upload_id, complete_all="yes"
    )
    result = client.complete_multipart_upload(request)

    assert result.etag == f'"{multipart_etag(data, PART)}"'
    assert read(client, bucket) == data


def test_parts_copied_from_an_object(client: oss.Client, bucket: str) -> None:
    data = noise(2 * PART)
    put(client, bucket, data)
    request = oss.InitiateMultipartUploadRequest(bucket=bucket, key="copy")
    upload_id = client.initiate_multipart_upload(request).upload_id

    parts = []
    for number in (1, 2):
        copied = client.upload_part_copy(
            oss.UploadPartCopyRequest(
                bucket=bucket,
                key="copy",
                upload_id=upload_id,
                part_number=number,
                source_bucket=bucket,
                source_key=KEY,
                source_range=f"bytes={(number - 1) * PART}-{number * PART - 1}",
            )
        )
        parts.append(oss.UploadPart(part_number=number, etag=copied.etag))
    listed = oss.CompleteMultipartUpload(parts=parts)
    client.complete_multipart_upload(
        oss.CompleteMultipartUploadRequest(
            bucket=bucket, key="copy", upload_id=upload_id, complete_multipart_upload=listed
        )
    )

    assert read(client, bucket, "copy") == data


def test_a_callback_with_a_custom_variable(
    client: oss.Client, bucket: str, receiver: CallbackReceiver
) -> None:
    data = noise(PART + 1)
    upload_id = begin(client, bucket)
    parts = put_parts(client, bucket, upload_id, data)
    callback = {
        "callback": b64_json(callback_fields(receiver.url)),
        "callback_var": b64_json({"x:order": "42 & more"}),
    }

    result = client.complete_multipart_upload(completion(bucket, upload_id, parts, **callback))

    assert json.loads(result.callback_result) == {"Status": "OK"}
    assert receiver.calls[0].form() == {
        "bucket": bucket,
        "object": KEY,
        "etag": multipart_etag(data, PART),
        "size": str(len(data)),
        "order": "42 & more",
    }
    assert receiver.calls[0].signature_holds()


def test_put_get_head_delete(client: oss.Client, bucket: str) -> None:
    result = put(client, bucket, b"hello", metadata={"color": "green"})

    assert result.etag == f'"{object_etag(b"hello")}"'
    assert read(client, bucket) == b"hello"
    assert client.head_object(oss.HeadObjectRequest(bucket=bucket, key=KEY)).metadata["color"] == "green"
    client.delete_object(oss.DeleteObjectRequest(bucket=bucket, key=KEY))
    assert not client.is_object_exist(bucket, KEY)
    with pytest.raises(oss.exceptions.OperationError) as caught:
        client.head_object(oss.HeadObjectRequest(bucket=bucket, key=KEY))
    assert refused(caught).code == "NoSuchKey"


def test_listing_and_deleting_many(client: oss.Client, bucket: str) -> None:
    keys = sorted(["a", "b/1", "b/2", "k <&>", "ü"], key=str.encode)
    for key in keys:
        client.put_object(oss.PutObjectRequest(bucket=bucket, key=key, body=b""))

    for paginator, request in (
        (client.list_objects_paginator(limit=2), oss.ListObjectsRequest(bucket=bucket)),
        (client.list_objects_v2_paginator(limit=2), oss.ListObjectsV2Request(bucket=bucket)),
    ):
        assert [one.key for page in paginator.iter_page(request) for one in page.contents or []] == keys
    objects = [oss.DeleteObject(key=key) for key in keys]
    gone = client.delete_multiple_objects(oss.DeleteMultipleObjectsRequest(bucket=bucket, objects=objects))
    assert sorted(one.key for one in gone.deleted_objects) == sorted(keys)
    assert not client.list_objects_v2(oss.ListObjectsV2Request(bucket=bucket)).contents


def test_copy_append_and_symlink(client: oss.Client, bucket: str) -> None:
    put(client, bucket, b"hello")
    client.copy_object(oss.CopyObjectRequest(bucket=bucket, key="copy", source_key=KEY))
    for position, body in ((0, b"one "), (4, b"two")):
        client.append_object(oss.AppendObjectRequest(bucket=bucket, key="log", position=position, body=body))
    client.put_symlink(oss.PutSymlinkRequest(bucket=bucket, key="link", target=quote(KEY)))

    assert read(client, bucket, "copy") == b"hello"
    assert read(client, bucket, "log") == b"one two"
    assert read(client, bucket, "link") == b"hello"
    assert unquote(client.get_symlink(oss.GetSymlinkRequest(bucket=bucket, key="link")).target) == KEY
    with pytest.raises(oss.exceptions.OperationError) as caught:
        client.append_object(oss.AppendObjectRequest(bucket=bucket, key="log", position=1, body=b"x"))
    assert (refused(caught).status_code, refused(caught).code) == (409, "PositionNotEqualToLength")


def test_presigned_requests(client: oss.Client, bucket: str) -> None:
    signed_put = client.presign(oss.PutObjectRequest(bucket=bucket, key=KEY, content_type="text/x"))
    stored = requests.request(
        signed_put.method, signed_put.url, data=b"hello", headers=signed_put.signed_headers, timeout=10
    )
    signed_get = client.presign(oss.GetObjectRequest(bucket=bucket, key=KEY, response_content_type="text/y"))
    got = requests.request(signed_get.method, signed_get.url, headers=signed_get.signed_headers, timeout=10)

    assert stored.status_code == 200, stored.text
    assert (got.status_code, got.content, got.headers["Content-Type"]) == (200, b"hello", "text/y")


def test_a_multipart_upload_by_presigned_requests(client: oss.Client, bucket: str) -> None:
    upload_id = begin(client, bucket)
    signed = client.presign(oss.UploadPartRequest(bucket=bucket, key=KEY, upload_id=upload_id, part_number=1))
    put_part = requests.put(signed.url, data=b"alone", headers=signed.signed_headers, timeout=10)

    parts = [oss.UploadPart(part_number=1, etag=put_part.headers["ETag"])]
    client.complete_multipart_upload(completion(bucket, upload_id, parts))

    assert read(client, bucket) == b"alone"


@pytest.mark.parametrize("version", ["v1", "v4"])
def test_buckets_are_made_listed_and_removed(server: Server, bucket: str, version: str) -> None:
    client = oss.Client(config(server, version=version))
    other = f"{bucket}-2"

    client.put_bucket(oss.PutBucketRequest(bucket=other, acl="public-read"))

    listed = client.list_buckets(oss.ListBucketsRequest(prefix=bucket)).buckets
    assert [one.name for one in listed] == [bucket, other]
    assert client.get_bucket_acl(oss.GetBucketAclRequest(bucket=other)).acl == "public-read"
    assert client.get_bucket_info(oss.GetBucketInfoRequest(bucket=other)).bucket_info.name == other
    client.delete_bucket(oss.DeleteBucketRequest(bucket=other))
    assert not client.is_bucket_exist(other)


@pytest.mark.usefixtures("hosted_names")
@pytest.mark.parametrize("version", ["v1", "v4"])
def test_a_redirected_name_works_with_no_change(server: Server, bucket: str, version: str) -> None:
    endpoint = f"http://oss-cn-hangzhou.aliyuncs.com:{server.port}"
    client = oss.Client(config(server, version=version, endpoint=endpoint))

    put(client, bucket, b"hello")

    assert read(client, bucket) == b"hello"
    assert server.log_lines(bucket=bucket, operation="PutObject")[-1]["host"].startswith(f"{bucket}.oss-cn-")


def test_a_wrong_secret_is_refused(server: Server, bucket: str) -> None:
    wrong = config(server)
    wrong.credentials_provider = oss.credentials.StaticCredentialsProvider(server.access_key_id, "wrong")

    with pytest.raises(oss.exceptions.OperationError) as caught:
        put(oss.Client(wrong), bucket, b"x")

    assert (refused(caught).status_code, refused(caught).code) == (403, "SignatureDoesNotMatch")
