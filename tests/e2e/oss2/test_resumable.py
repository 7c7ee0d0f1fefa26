"""oss2's resumable upload: progress, interruption, and a resume that sends only the missing parts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import oss2
import pytest

from tests.e2e.conftest import new_bucket
from tests.e2e.harness import PART, Server, multipart_etag, noise
from tests.e2e.oss2.conftest import connect

if TYPE_CHECKING:
    from collections.abc import Callable

CHILD = Path(__file__).with_name("uploading_child.py")
SIZE = 7 * PART + 1234  # eight parts, the last one short


class BrokenError(Exception):
    """Stands for a lost network in the middle of an upload."""


def break_after(parts: int) -> Callable[[int, int | None], None]:
    def progress(done: int, total: int | None) -> None:
        del total
        if done >= parts * PART:
            raise BrokenError

    return progress


def upload(client: oss2.Bucket, file: Path, store: oss2.ResumableStore, progress: object = None) -> object:
    return oss2.resumable_upload(
        client,
        "big.bin",
        str(file),
        store=store,
        multipart_threshold=PART,
        part_size=PART,
        num_threads=1,
        progress_callback=progress,
    )


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "big.bin"
    file.write_bytes(noise(SIZE))
    return file


@pytest.fixture
def store(tmp_path: Path) -> oss2.ResumableStore:
    return oss2.ResumableStore(root=str(tmp_path))


def test_an_upload_in_parts_reports_progress_and_reads_back(
    client: oss2.Bucket, source: Path, store: oss2.ResumableStore
) -> None:
    seen: list[tuple[int, int | None]] = []

    result = upload(client, source, store, lambda done, total: seen.append((done, total)))

    assert seen[0] == (0, SIZE)
    assert seen[-1] == (SIZE, SIZE)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert result.etag == multipart_etag(source.read_bytes(), PART)
    assert client.get_object("big.bin").read() == source.read_bytes()


def test_many_threads_give_the_same_object(client_v4: oss2.Bucket, tmp_path: Path) -> None:
    data = noise(40 * PART + 1, seed=4)
    file = tmp_path / "many.bin"
    file.write_bytes(data)

    result = oss2.resumable_upload(
        client_v4,
        "many.bin",
        str(file),
        store=oss2.ResumableStore(root=str(tmp_path)),
        multipart_threshold=PART,
        part_size=PART,
        num_threads=8,
    )

    assert result.etag == multipart_etag(data, PART)
    assert client_v4.get_object("many.bin").read() == data


def test_a_resume_after_an_error_sends_only_the_missing_parts(
    server: Server, client: oss2.Bucket, source: Path, store: oss2.ResumableStore
) -> None:
    with pytest.raises(BrokenError):
        upload(client, source, store, break_after(3))
    first = server.parts_put(client.bucket_name)

    upload(client, source, store)

    assert first == [1, 2, 3]
    assert server.parts_put(client.bucket_name) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert len(server.log_lines(bucket=client.bucket_name, operation="InitiateMultipartUpload")) == 1
    assert client.get_object("big.bin").read() == source.read_bytes()


def test_a_resume_after_the_client_was_killed_sends_only_the_missing_parts(
    server: Server, client_v4: oss2.Bucket, source: Path, tmp_path: Path
) -> None:
    name = client_v4.bucket_name
    arguments = [
        server.endpoint,
        server.access_key_id,
        server.access_key_secret,
        name,
        "big.bin",
        source,
        tmp_path,
        5,
    ]
    child = subprocess.Popen([sys.executable, CHILD, *map(str, arguments)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"halted\n"
    child.kill()
    child.wait(10)
    assert server.parts_put(name) == [1, 2, 3, 4, 5]

    upload(client_v4, source, oss2.ResumableStore(root=str(tmp_path)))

    assert server.parts_put(name) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert client_v4.get_object("big.bin").read() == source.read_bytes()


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_acknowledged_parts_outlive_the_server(
    end: str, make_server: Callable[..., Server], source: Path, store: oss2.ResumableStore
) -> None:
    own = make_server()
    client = connect(own, new_bucket(own))
    with pytest.raises(BrokenError):
        upload(client, source, store, break_after(4))

    getattr(own, end)()
    own.start()
    upload(client, source, store)

    assert own.parts_put(client.bucket_name) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert client.get_object("big.bin").read() == source.read_bytes()


def test_a_resume_of_an_aborted_upload_starts_anew(
    server: Server, client_v4: oss2.Bucket, source: Path, store: oss2.ResumableStore
) -> None:
    with pytest.raises(BrokenError):
        upload(client_v4, source, store, break_after(2))
    for open_upload in oss2.MultipartUploadIterator(client_v4):
        client_v4.abort_multipart_upload("big.bin", open_upload.upload_id)

    upload(client_v4, source, store)

    assert server.parts_put(client_v4.bucket_name) == [1, 2, 1, 2, 3, 4, 5, 6, 7, 8]
    assert client_v4.get_object("big.bin").read() == source.read_bytes()


def test_a_resumable_download_reads_the_parts_back(client: oss2.Bucket, source: Path, tmp_path: Path) -> None:
    client.put_object_from_file("big.bin", str(source))
    target = tmp_path / "copy.bin"

    oss2.resumable_download(
        client,
        "big.bin",
        str(target),
        store=oss2.ResumableDownloadStore(root=str(tmp_path)),
        multiget_threshold=PART,
        part_size=PART,
        num_threads=4,
    )

    assert target.read_bytes() == source.read_bytes()
