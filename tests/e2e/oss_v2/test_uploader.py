"""The uploader of alibabacloud-oss-v2: progress, a checkpoint file, and a resume that sends only the missing parts."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import alibabacloud_oss_v2 as oss
import pytest

from tests.e2e.conftest import new_bucket
from tests.e2e.harness import PART, Server, multipart_etag, noise
from tests.e2e.oss_v2.conftest import config, refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEY = "папка/big file+&.bin"
SIZE = 7 * PART + 1234

CHILD = """
import sys, threading
import alibabacloud_oss_v2 as oss

endpoint, key_id, secret, bucket, key, file, checkpoints, halt_after, part = sys.argv[1:]
config = oss.config.load_default()
config.region, config.endpoint = "cn-hangzhou", endpoint
config.credentials_provider = oss.credentials.StaticCredentialsProvider(key_id, secret)

def progress(n, written, total):
    if written >= int(halt_after) * int(part):
        sys.stdout.write("halted\\n")
        sys.stdout.flush()
        threading.Event().wait()

oss.Client(config).uploader().upload_file(
    oss.PutObjectRequest(bucket=bucket, key=key, progress_fn=progress), file,
    part_size=int(part), parallel_num=1, enable_checkpoint=True, checkpoint_dir=checkpoints,
)
"""


class BrokenError(Exception):
    """Stands for a lost network in the middle of an upload."""


class Stream(io.BytesIO):
    """Bytes that cannot be sought in and whose number nobody knows, like those of a socket."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: int) -> int:
        raise io.UnsupportedOperation

    tell = seek


def break_after(parts: int) -> Callable[[int, int, int], None]:
    def progress(piece: int, written: int, total: int) -> None:
        del piece, total
        if written >= parts * PART:
            raise BrokenError

    return progress


def upload(
    client: oss.Client, bucket: str, file: Path, progress: object = None, **options: object
) -> oss.UploadResult:
    return client.uploader().upload_file(
        oss.PutObjectRequest(bucket=bucket, key=KEY, progress_fn=progress),
        str(file),
        **{
            "part_size": PART,
            "parallel_num": 1,
            "enable_checkpoint": True,
            "checkpoint_dir": f"{file.parent}{os.sep}",
            **options,
        },
    )


def content(client: oss.Client, bucket: str) -> bytes:
    return client.get_object(oss.GetObjectRequest(bucket=bucket, key=KEY)).body.read()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "big.bin"
    file.write_bytes(noise(SIZE))
    return file


def test_an_upload_reports_progress_and_reads_back(client: oss.Client, bucket: str, source: Path) -> None:
    seen: list[tuple[int, int]] = []

    result = upload(
        client, bucket, source, lambda _, written, total: seen.append((written, total)), parallel_num=4
    )

    assert [written for written, _ in seen] == sorted(written for written, _ in seen)
    assert seen[-1] == (SIZE, SIZE)
    assert result.etag == f'"{multipart_etag(source.read_bytes(), PART)}"'
    assert content(client, bucket) == source.read_bytes()


def test_a_resume_after_an_error_sends_only_the_missing_parts(
    server: Server, client: oss.Client, bucket: str, source: Path
) -> None:
    with pytest.raises(BrokenError):
        upload(client, bucket, source, break_after(3))
    first = server.parts_put(bucket)

    upload(client, bucket, source)

    assert first == [1, 2, 3]
    assert server.parts_put(bucket) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert len(server.log_lines(bucket=bucket, operation="InitiateMultipartUpload")) == 1
    assert content(client, bucket) == source.read_bytes()


def test_a_resume_after_the_client_was_killed_sends_only_the_missing_parts(
    server: Server, client_v4: oss.Client, bucket: str, source: Path
) -> None:
    checkpoints = f"{source.parent}{os.sep}"
    arguments = [
        server.endpoint,
        server.access_key_id,
        server.access_key_secret,
        bucket,
        KEY,
        source,
        checkpoints,
    ]
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, *map(str, arguments), "5", str(PART)], stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"halted\n"
    child.kill()
    child.wait(10)

    upload(client_v4, bucket, source)

    assert server.parts_put(bucket) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert content(client_v4, bucket) == source.read_bytes()


def test_a_resume_after_the_server_was_killed(make_server: Callable[..., Server], source: Path) -> None:
    own = make_server()
    client, name = oss.Client(config(own)), new_bucket(own)
    with pytest.raises(BrokenError):
        upload(client, name, source, break_after(4))

    own.kill()
    own.start()
    upload(client, name, source)

    assert own.parts_put(name) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert content(client, name) == source.read_bytes()


def test_a_stream_of_unknown_length(client_v4: oss.Client, bucket: str, source: Path) -> None:
    client_v4.uploader().upload_from(
        oss.PutObjectRequest(bucket=bucket, key=KEY),
        Stream(source.read_bytes()),
        part_size=PART,
        parallel_num=3,
    )

    assert content(client_v4, bucket) == source.read_bytes()


def test_the_downloader_reads_in_parallel_ranges(
    client: oss.Client, bucket: str, source: Path, tmp_path: Path
) -> None:
    upload(client, bucket, source)
    target = tmp_path / "copy.bin"

    request = oss.GetObjectRequest(bucket=bucket, key=KEY)
    client.downloader().download_file(request, str(target), part_size=PART + 7, parallel_num=4)

    assert target.read_bytes() == source.read_bytes()


def test_the_copier_copies_by_parts(server: Server, client: oss.Client, bucket: str, source: Path) -> None:
    upload(client, bucket, source)

    request = oss.CopyObjectRequest(bucket=bucket, key="copy", source_bucket=bucket, source_key=KEY)
    client.copier().copy(
        request, part_size=PART, multipart_copy_threshold=PART, parallel_num=2, disable_shallow_copy=True
    )

    copy = client.get_object(oss.GetObjectRequest(bucket=bucket, key="copy"))
    assert copy.body.read() == source.read_bytes()
    assert len(server.log_lines(bucket=bucket, operation="UploadPartCopy")) == 8


def test_an_upload_aborted_by_somebody_else_fails_with_no_such_upload(
    client_v4: oss.Client, bucket: str, source: Path
) -> None:
    def abort_once(piece: int, written: int, total: int) -> None:
        del piece, total
        if written == 2 * PART:
            listed = client_v4.list_multipart_uploads(oss.ListMultipartUploadsRequest(bucket=bucket))
            client_v4.abort_multipart_upload(
                oss.AbortMultipartUploadRequest(bucket=bucket, key=KEY, upload_id=listed.uploads[0].upload_id)
            )

    with pytest.raises(oss.exceptions.BaseError) as caught:
        upload(client_v4, bucket, source, abort_once)

    assert refused(caught).code == "NoSuchUpload"
