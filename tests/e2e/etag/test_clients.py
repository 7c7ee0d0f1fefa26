"""Official clients and ours against ETags of CRC-64 and size: put, parts with a resume, copies, appends, downloads, all with
their own checks on. Their whole suites run so with E2E_SETTINGS="STORE_ETAG=crc64"; there only assertions of tests about MD5 fail.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import alibabacloud_oss_v2 as oss
import oss2
import pytest

from mossaic.protocol.checksum import crc64, crc64_etag
from tests.e2e.ali_oss.driver import AliOss
from tests.e2e.ali_oss.support import client_options
from tests.e2e.go.test_go import run as run_go
from tests.e2e.harness import PART, Server, noise
from tests.e2e.java.test_java import java
from tests.e2e.oss2.conftest import connect
from tests.e2e.oss2.test_resumable import BrokenError, break_after
from tests.e2e.oss2.test_resumable import upload as oss2_upload
from tests.e2e.oss_v2 import test_uploader as v2
from tests.e2e.oss_v2.conftest import config
from tests.e2e.sdk import conftest as sdk

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.harness import CallbackReceiver

SIZE = 7 * PART + 1234
EIGHT = list(range(1, 9))
WHOLE = noise(SIZE)
LOG = (b"0123", b"4")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "big.bin"
    file.write_bytes(WHOLE)
    return file


def check(server: Server, bucket: str, contents: dict[str, bytes]) -> None:
    """These objects are there with their bytes, CRC-64 and an ETag that is no MD5 of anything."""
    reader = connect(server, bucket)
    listed = {each.key: each.etag for each in oss2.ObjectIterator(reader)}
    for key, content in contents.items():
        found = reader.head_object(key)
        assert int(found.headers["x-oss-hash-crc64ecma"]) == crc64(content)
        assert reader.get_object(key).read() == content
        assert listed[key] == found.etag
        if found.object_type == "Normal":
            assert found.etag == crc64_etag(crc64(content), len(content))
        elif found.object_type == "Multipart":
            assert re.fullmatch(r"[0-9A-F]{32}-[1-9][0-9]*", found.etag)


def test_oss2(server: Server, bucket: str, source: Path, tmp_path: Path) -> None:
    client = connect(server, bucket)
    store = oss2.ResumableStore(root=str(tmp_path))
    client.put_object("put", WHOLE)
    with pytest.raises(BrokenError):
        oss2_upload(client, source, store, break_after(3))
    oss2_upload(client, source, store)
    client.copy_object(bucket, "put", "whole")
    upload_id = client.init_multipart_upload("parts").upload_id
    copied = client.upload_part_copy(bucket, "put", (0, PART - 1), "parts", upload_id, 1)
    client.complete_multipart_upload("parts", upload_id, [oss2.models.PartInfo(1, copied.etag, size=PART)])
    first = client.append_object("log", 0, LOG[0])
    client.append_object("log", first.next_position, LOG[1], init_crc=first.crc)
    oss2.resumable_download(
        client, "put", str(tmp_path / "down"), multiget_threshold=PART, part_size=PART, store=None
    )

    assert server.parts_put(bucket, "big.bin") == EIGHT
    assert (tmp_path / "down").read_bytes() == WHOLE
    check(
        server,
        bucket,
        {"put": WHOLE, "big.bin": WHOLE, "whole": WHOLE, "parts": WHOLE[:PART], "log": b"".join(LOG)},
    )


def test_oss_v2(server: Server, bucket: str, source: Path, tmp_path: Path) -> None:
    client = oss.Client(config(server))
    client.put_object(oss.PutObjectRequest(bucket=bucket, key="put", body=WHOLE))
    with pytest.raises(v2.BrokenError):
        v2.upload(client, bucket, source, v2.break_after(3))
    v2.upload(client, bucket, source)
    client.copier().copy(
        oss.CopyObjectRequest(bucket=bucket, key="parts", source_bucket=bucket, source_key="put"),
        part_size=PART,
        multipart_copy_threshold=PART,
        disable_shallow_copy=True,
    )
    for position, content in zip((0, 4), LOG, strict=True):
        client.append_object(
            oss.AppendObjectRequest(bucket=bucket, key="log", position=position, body=content)
        )
    client.downloader(part_size=PART).download_file(
        oss.GetObjectRequest(bucket=bucket, key=v2.KEY), str(tmp_path / "down")
    )

    assert server.parts_put(bucket, v2.KEY) == EIGHT
    assert (tmp_path / "down").read_bytes() == WHOLE
    check(server, bucket, {"put": WHOLE, v2.KEY: WHOLE, "parts": WHOLE, "log": b"".join(LOG)})


@pytest.mark.parametrize(("version", "signature"), [("6.18", "V1"), ("latest", "V4")])
def test_ali_oss(
    version: str, signature: str, server: Server, bucket: str, source: Path, tmp_path: Path
) -> None:
    client = AliOss(version=version, options=client_options(server, bucket, signature=signature))
    options = {"partSize": PART}
    pieces = [tmp_path / name for name in "ab"]
    for file, content in zip(pieces, LOG, strict=True):
        file.write_bytes(content)

    client.run("put", key="put", file=str(source))
    with client.start("stalled", key="big", file=str(source), options=options, after=3) as running:
        checkpoint = running.event("stalled")["checkpoint"]
        running.kill()
    client.run("upload", key="big", file=str(source), options=options, checkpoint=checkpoint)
    client.run("copied", key="put", bucket=bucket, size=SIZE, partSize=PART)
    client.run("appended", key="log", files=[str(file) for file in pieces])

    assert sorted(server.parts_put(bucket, "big")) == EIGHT
    check(
        server,
        bucket,
        {"put": WHOLE, "big": WHOLE, "put-whole": WHOLE, "put-parts": WHOLE, "log": b"".join(LOG)},
    )


@pytest.mark.parametrize(
    "name",
    [
        "TestV1ResumeSendsOnlyMissingParts",
        "TestV1CopiesAndAppends",
        "TestV2ResumeSendsOnlyMissingParts",
        "TestV2RangesCopiesAppendSymlinkDelete",
        "TestV2Downloader",
    ],
)
def test_go(name: str, server: Server, receiver: CallbackReceiver, go_binary: Path) -> None:
    """The Go tests compare the bytes themselves; their clients check the CRC-64."""
    for bucket in run_go(go_binary, name, server, receiver).values():
        reader = connect(server, bucket)
        stored = {each.key: reader.get_object(each.key).read() for each in oss2.ObjectIterator(reader)}
        check(server, bucket, stored)


def test_java(
    server: Server, bucket: str, receiver: CallbackReceiver, tmp_path: Path, java_classpath: str
) -> None:
    """As in Go; the first flow dies after three parts, and the second goes on."""
    environment = {
        **os.environ,
        "E2E_ENDPOINT": server.endpoint,
        "E2E_KEY_ID": server.access_key_id,
        "E2E_KEY_SECRET": server.access_key_secret,
        "E2E_CALLBACK": receiver.url,
        "E2E_BUCKET": bucket,
        "E2E_FOLDER": str(tmp_path),
    }
    ended = {
        flow: java(java_classpath, environment, flow, "V4").returncode
        for flow in ("appendSymlinkListDelete", "uploadAndDie", "resume", "rangesAndCopies")
    }

    assert ended == {"appendSymlinkListDelete": 0, "uploadAndDie": 9, "resume": 0, "rangesAndCopies": 0}
    assert set(server.parts_put(bucket)) == set(EIGHT)
    data = connect(server, bucket).get_object("copy").read()
    check(server, bucket, {"copy": data, "whole": data})


def test_our_own(server: Server, bucket: str, source: Path, tmp_path: Path) -> None:
    with sdk.connect(server, bucket, checksum="crc64+md5") as client:
        client.put("put", WHOLE)
        client.multipart_upload("big", source, part_size=PART)
        client.copy("put", "whole")
        client.append("log", LOG[0])
        client.append("log", LOG[1])
        client.download("big", tmp_path / "down", part_size=PART)

    assert (tmp_path / "down").read_bytes() == WHOLE
    check(server, bucket, {"put": WHOLE, "big": WHOLE, "whole": WHOLE, "log": b"".join(LOG)})


def test_our_own_folders_know_what_is_the_same_by_the_etag_alone(
    server: Server, bucket: str, tmp_path: Path
) -> None:
    for name, content in {"small": LOG[0], "large": WHOLE * 2, "other": WHOLE}.items():
        (tmp_path / name).write_bytes(content)
    with sdk.connect(server, bucket) as client:
        client.upload_folder(tmp_path)
        (tmp_path / "other").write_bytes(WHOLE[::-1])
        before = len(server.log_lines(bucket=bucket))

        again = client.upload_folder(tmp_path)

    asked = [line["operation"] for line in server.log_lines(bucket=bucket)[before:]]
    assert (again.moved, again.skipped) == (1, 2)
    assert asked == ["ListObjectsV2", "PutObject"]
