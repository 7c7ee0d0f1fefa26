"""Unmodified ali-oss in Node, at the seed page's version and the newest: only the endpoint and the keys are ours."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.ali_oss.support import (
    KIB,
    MIB,
    given_assumer,
    logged,
    multipart_etag,
    parts_put,
    source_file,
    stored_md5,
)
from tests.e2e.harness import object_etag, statement

if TYPE_CHECKING:
    from pathlib import Path

    import oss2

    from tests.e2e.ali_oss.driver import AliOss
    from tests.e2e.ali_oss.support import Source
    from tests.e2e.harness import CallbackReceiver, Server

KEY = "folder/a key with + and ü.txt"


def test_multipart_upload_reports_progress_after_every_part(
    server: Server, bucket: oss2.Bucket, ali_oss: AliOss, source: Source
) -> None:
    done = ali_oss.run("upload", key=KEY, file=str(source.path), options={"partSize": MIB, "parallel": 4})

    assert [step["done"] for step in done["progress"]] == [0, 1, 2, 3, 4, None]
    assert [step["fraction"] for step in done["progress"]] == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert done["status"] == 200
    assert stored_md5(bucket, KEY) == source.md5
    head = bucket.head_object(KEY)
    assert head.object_type == "Multipart"
    assert done["etag"] == f'"{head.etag}"'


def test_the_etag_is_the_one_of_oss(bucket: oss2.Bucket, ali_oss: AliOss, source: Source) -> None:
    done = ali_oss.run("steps", key=KEY, file=str(source.path), partSize=MIB, size=source.size)

    expected = multipart_etag([part["etag"] for part in done["parts"]])
    assert done["etag"] == f'"{expected}"'
    assert bucket.head_object(KEY).etag == expected


def test_a_cancelled_upload_resumes_with_the_missing_parts_only(
    server: Server, bucket: oss2.Bucket, ali_oss: AliOss, tmp_path: Path
) -> None:
    source = source_file(tmp_path, 2 * MIB + 5)
    options = {"partSize": 200 * KIB, "parallel": 3}

    stopped = ali_oss.run("cancelled", key=KEY, file=str(source.path), options=options, after=4)
    checkpoint = stopped["checkpoint"]
    before = {part["number"] for part in checkpoint["doneParts"]}
    seen = len(parts_put(server, checkpoint["uploadId"]))
    ali_oss.run("upload", key=KEY, file=str(source.path), options=options, checkpoint=checkpoint)

    assert stopped["error"]["name"] == "cancel"
    assert len(before) >= 4
    # A part in flight at cancel() may land later: it is not in the checkpoint and is sent again.
    after = set(parts_put(server, checkpoint["uploadId"])[seen:])
    assert not before & after
    assert set(range(1, 12)) - before <= after
    assert len(logged(server, "InitiateMultipartUpload", bucket=bucket.bucket_name)) == 1
    assert stored_md5(bucket, KEY) == source.md5


def test_a_killed_process_resumes_in_another_with_the_missing_parts_only(
    server: Server, bucket: oss2.Bucket, ali_oss: AliOss, source: Source
) -> None:
    options = {"partSize": 512 * KIB}

    with ali_oss.start("stalled", key=KEY, file=str(source.path), options=options, after=3) as running:
        checkpoint = running.event("stalled")["checkpoint"]
        running.kill()
    done = ali_oss.run("upload", key=KEY, file=str(source.path), options=options, checkpoint=checkpoint)

    assert sorted(parts_put(server, checkpoint["uploadId"])) == [1, 2, 3, 4, 5, 6, 7]
    # From a checkpoint the first call is (done + 1) / (parts + 1).
    assert done["progress"][0] == {"fraction": 0.5, "done": 4}
    assert stored_md5(bucket, KEY) == source.md5


def test_parts_and_uploads_are_listed_during_the_upload(
    bucket: oss2.Bucket, ali_oss: AliOss, source: Source
) -> None:
    done = ali_oss.run("listing", key=KEY, file=str(source.path), options={"partSize": MIB}, after=2)

    seen = done["seen"]
    assert [(part["PartNumber"], part["Size"]) for part in seen["parts"]] == [
        ("1", str(MIB)),
        ("2", str(MIB)),
    ]
    assert [part["ETag"] for part in seen["parts"]] == [
        part["etag"] for part in seen["checkpoint"]["doneParts"]
    ]
    assert seen["isTruncated"] == "false"
    assert [(task["name"], task["uploadId"]) for task in seen["uploads"]] == [
        (KEY, seen["checkpoint"]["uploadId"])
    ]
    assert seen["uploads"][0]["initiated"].endswith(".000Z")
    assert done["left"] == []


def test_an_aborted_upload_is_gone_for_every_call(
    bucket: oss2.Bucket, ali_oss: AliOss, source: Source
) -> None:
    told = ali_oss.run("aborted", key=KEY, file=str(source.path), options={"partSize": 256 * KIB}, after=2)

    assert told["abortStatus"] == 204
    # ali-oss turns the 404 of the next part into this event.
    assert told["error"]["name"] == "abort"
    assert told["error"]["message"] == "upload task has been abort"
    for call in ("again", "list", "part", "complete"):
        assert (call, told[call]["code"], told[call]["status"]) == (call, "NoSuchUpload", 404)
    assert told["list"].get("ecCode") == ("0017-00000244" if reads_ec(ali_oss) else None)
    assert told["uploads"] == []
    assert not bucket.object_exists(KEY)


def reads_ec(ali_oss: AliOss) -> bool:
    """6.18 does not look at EC."""
    return ali_oss.version != "6.18"


def test_the_cancel_button_of_the_seed_page(bucket: oss2.Bucket, ali_oss: AliOss, source: Source) -> None:
    told = ali_oss.run(
        "abortedByItself", key=KEY, file=str(source.path), options={"partSize": 256 * KIB}, after=1
    )

    assert told["abortStatus"] == 204
    assert told["error"]["name"] in {"cancel", "abort"}
    assert list(oss2_uploads(bucket)) == []


def oss2_uploads(bucket: oss2.Bucket) -> list[str]:
    return [upload.upload_id for upload in bucket.list_multipart_uploads().upload_list]


def test_callback_with_custom_variables_answers_through(
    server: Server, bucket: oss2.Bucket, ali_oss: AliOss, source: Source, receiver: CallbackReceiver
) -> None:
    callback = {
        "url": receiver.url,
        "host": "callback.example.com",
        "body": "bucket=${bucket}&object=${object}&size=${size}&etag=${etag}&var1=${x:var1}",
        "contentType": "application/x-www-form-urlencoded",
        "customValue": {"var1": "value1 & more", "var2": "value2"},
    }
    done = ali_oss.run(
        "upload", key=KEY, file=str(source.path), options={"partSize": MIB, "callback": callback}
    )

    request = receiver.calls[-1]
    assert request.form() == {
        "bucket": bucket.bucket_name,
        "object": KEY,
        "size": str(source.size),
        "etag": done["etag"].strip('"'),
        "var1": "value1 & more",
    }
    assert request.signature_holds()
    assert request.headers["host"] == "callback.example.com"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert done["data"] == json.loads(receiver.answer)
    assert stored_md5(bucket, KEY) == source.md5


def test_a_callback_server_that_is_not_there_gives_203_and_keeps_the_object(
    bucket: oss2.Bucket, ali_oss: AliOss, source: Source
) -> None:
    callback = {"url": "http://127.0.0.1:1/", "body": "a=b"}
    error = ali_oss.fails(
        "upload", key=KEY, file=str(source.path), options={"partSize": MIB, "callback": callback}
    )

    assert (error["status"], error["code"]) == (203, "CallbackFailed")
    assert stored_md5(bucket, KEY) == source.md5


def test_a_token_of_assume_role_uploads(
    server: Server, bucket: oss2.Bucket, ali_oss: AliOss, source: Source
) -> None:
    temporary = temporary_client(server, ali_oss)

    temporary.run("upload", key=KEY, file=str(source.path), options={"partSize": MIB})

    assert str(temporary.options["accessKeyId"]).startswith("STS.")
    assert stored_md5(bucket, KEY) == source.md5


def test_a_session_policy_narrows_the_token(
    server: Server, bucket: oss2.Bucket, ali_oss: AliOss, source: Source
) -> None:
    policy = statement("Allow", "oss:PutObject", f"acs:oss:*:*:{bucket.bucket_name}/allowed/*")
    temporary = temporary_client(server, ali_oss, policy=policy)

    temporary.run("upload", key="allowed/a.bin", file=str(source.path), options={"partSize": MIB})
    refused = temporary.fails("upload", key="other/a.bin", file=str(source.path), options={"partSize": MIB})

    assert (refused["status"], refused["code"]) == (403, "AccessDenied")
    assert not bucket.object_exists("other/a.bin")


def temporary_client(server: Server, ali_oss: AliOss, *, policy: dict[str, Any] | None = None) -> AliOss:
    """The same client with the triple that OSS.STS of the same package got from our listener."""
    assumer = given_assumer(server)
    requester = ali_oss.with_options(
        accessKeyId=assumer.access_key_id, accessKeySecret=assumer.access_key_secret
    )
    credentials = requester.run(
        "assumeRole",
        endpoint=f"http://127.0.0.1:{server.port}",
        role=assumer.role_arn,
        policy=policy,
        session="ali-oss-e2e",
    )
    return ali_oss.with_options(
        accessKeyId=credentials["AccessKeyId"],
        accessKeySecret=credentials["AccessKeySecret"],
        stsToken=credentials["SecurityToken"],
    )


def test_every_header_of_the_seed_comes_back(bucket: oss2.Bucket, ali_oss: AliOss, source: Source) -> None:
    headers = {
        "Cache-Control": "no-cache",
        "Content-Disposition": "example.txt",
        "Content-Encoding": "utf-8",
        "Expires": "1000",
        "x-oss-storage-class": "IA",
        "x-oss-tagging": "Tag1=1&Tag2=2",
        "x-oss-forbid-overwrite": "true",
    }
    meta = {"year": 2020, "people": "test"}
    options = {"partSize": MIB, "headers": headers, "meta": meta, "mime": "text/plain"}

    ali_oss.run("upload", key=KEY, file=str(source.path), options=options)

    told = ali_oss.run("head", key=KEY)
    assert told["meta"] == {"year": "2020", "people": "test"}
    kept = {
        name: told["headers"].get(name.lower())
        for name in ("Cache-Control", "Content-Disposition", "Expires")
    }
    assert kept == {"Cache-Control": "no-cache", "Content-Disposition": "example.txt", "Expires": "1000"}
    assert told["headers"]["content-encoding"] == "utf-8"
    assert told["headers"]["content-type"] == "text/plain"
    assert told["headers"]["x-oss-storage-class"] == "IA"
    assert told["headers"]["x-oss-tagging-count"] == "2"
    assert ali_oss.run("tags", key=KEY) == {"Tag1": "1", "Tag2": "2"}


def test_forbid_overwrite_refuses_the_second_upload(
    bucket: oss2.Bucket, ali_oss: AliOss, source: Source
) -> None:
    options = {"partSize": MIB, "headers": {"x-oss-forbid-overwrite": "true"}}
    ali_oss.run("upload", key=KEY, file=str(source.path), options=options)
    etag = bucket.head_object(KEY).etag

    error = ali_oss.fails("upload", key=KEY, file=str(source.path), options=options)

    assert (error["status"], error["code"]) == (409, "FileAlreadyExists")
    assert bucket.head_object(KEY).etag == etag
    assert oss2_uploads(bucket) == []


def test_forbid_overwrite_is_checked_again_on_complete(
    bucket: oss2.Bucket, ali_oss: AliOss, source: Source
) -> None:
    headers = {"x-oss-forbid-overwrite": "true"}
    with ali_oss.start(
        "stalled", key=KEY, file=str(source.path), options={"partSize": 2 * MIB, "headers": headers}, after=1
    ) as running:
        checkpoint = running.event("stalled")["checkpoint"]
        running.kill()
    bucket.put_object(KEY, b"somebody was faster")

    error = ali_oss.fails(
        "upload", key=KEY, file=str(source.path), options={"headers": headers}, checkpoint=checkpoint
    )

    assert (error["status"], error["code"]) == (409, "FileAlreadyExists")
    assert bucket.get_object(KEY).read() == b"somebody was faster"


def test_a_range_across_parts_is_read(ali_oss: AliOss, source: Source) -> None:
    ali_oss.run("upload", key=KEY, file=str(source.path), options={"partSize": MIB})
    start, stop = MIB - 1000, 2 * MIB + 1000

    told = ali_oss.run("get", key=KEY, headers={"Range": f"bytes={start}-{stop - 1}"})

    assert told["status"] == 206
    assert told["headers"]["content-range"] == f"bytes {start}-{stop - 1}/{source.size}"
    assert base64.b64decode(told["base64"]) == source.path.read_bytes()[start:stop]


def test_a_storage_class_on_complete_is_not_supported(
    bucket: oss2.Bucket, ali_oss: AliOss, source: Source
) -> None:
    # ali-oss drops the lower-case name from Complete; written like this it reaches the server.
    options = {"headers": {"X-Oss-Storage-Class": "IA"}}
    error = ali_oss.fails(
        "steps", key=KEY, file=str(source.path), partSize=MIB, size=source.size, completeOptions=options
    )

    assert (error["status"], error["code"]) == (400, "OperationNotSupported")
    assert error.get("ecCode") == ("0042-00000202" if reads_ec(ali_oss) else None)
    assert error["message"] == "The operation is not supported for this resource."
    assert not bucket.object_exists(KEY)


def test_a_small_file_is_one_put(
    server: Server, bucket: oss2.Bucket, ali_oss: AliOss, tmp_path: Path
) -> None:
    source = source_file(tmp_path, 100 * KIB - 1)

    done = ali_oss.run("upload", key=KEY, file=str(source.path), options={})

    assert done["progress"] == [{"fraction": 1, "done": None}]
    assert len(logged(server, "PutObject", bucket=bucket.bucket_name)) == 1
    assert bucket.head_object(KEY).object_type == "Normal"


def test_put_list_and_delete(ali_oss: AliOss, source: Source) -> None:
    ali_oss.run("put", key=KEY, file=str(source.path), options={"meta": {"year": 2020}})

    assert ali_oss.run("list", prefix="folder/") == [
        {"name": KEY, "size": source.size, "etag": f'"{object_etag(source.path.read_bytes())}"'}
    ]
    assert ali_oss.run("remove", key=KEY) == {"status": 204}
    error = ali_oss.fails("head", key=KEY)
    assert (error["status"], error["code"]) == (404, "NoSuchKey")


def test_a_wrong_secret_is_refused_by_name(ali_oss: AliOss, source: Source) -> None:
    stranger = ali_oss.with_options(accessKeySecret="wrong")

    error = stranger.fails("upload", key=KEY, file=str(source.path), options={"partSize": MIB})

    assert (error["status"], error["code"]) == (403, "SignatureDoesNotMatch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """One way of naming the same bucket, as client options; `{port}` is the listener's."""

    name: str
    more: dict[str, object]


STYLES = [
    Style(name="bucket below localhost", more={"endpoint": "http://localhost:{port}"}),
    Style(name="redirected by DNS", more={"endpoint": "http://oss-cn-hangzhou.aliyuncs.com:{port}"}),
    Style(name="internal endpoint", more={"endpoint": "http://oss-cn-hangzhou-internal.aliyuncs.com:{port}"}),
    Style(name="accelerate endpoint", more={"endpoint": "http://oss-accelerate.aliyuncs.com:{port}"}),
    # With an IP address ali-oss writes BUCKET.oss-cn-hangzhou.aliyuncs.com into Host by itself.
    Style(name="address", more={"endpoint": "http://127.0.0.1:{port}"}),
    Style(name="address and sldEnable", more={"endpoint": "http://127.0.0.1:{port}", "sldEnable": True}),
    Style(name="sldEnable", more={"endpoint": "http://localhost:{port}", "sldEnable": True}),
]


@pytest.mark.parametrize("style", STYLES, ids=[style.name for style in STYLES])
def test_every_form_of_address_reaches_the_bucket(
    server: Server, bucket: oss2.Bucket, ali_oss: AliOss, source: Source, style: Style
) -> None:
    more = {
        name: value.format(port=server.port) if isinstance(value, str) else value
        for name, value in style.more.items()
    }

    ali_oss.with_options(**more).run("upload", key=KEY, file=str(source.path), options={"partSize": MIB})

    assert stored_md5(bucket, KEY) == source.md5


def test_ali_oss_reads_the_reply_of_a_repeated_complete(ali_oss: AliOss, source: Source) -> None:
    first = ali_oss.run("steps", key=KEY, file=str(source.path), partSize=MIB, size=source.size)

    again = ali_oss.run("complete", key=KEY, uploadId=first["uploadId"], parts=first["parts"])

    assert again["etag"] == first["etag"]
