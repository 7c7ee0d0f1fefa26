"""What must not come of a half-done upload: an object mixed from two files, parts sent for nothing, words that do not help."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from tests.e2e.ali_oss.support import logged, stored_md5
from tests.e2e.harness import PART
from tests.e2e.interop.shell import EVERY_PART, KEY, SIZE, Sent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import oss2

    from tests.e2e.ali_oss.driver import AliOss
    from tests.e2e.ali_oss.support import Source
    from tests.e2e.harness import Server
    from tests.e2e.interop.shell import Ran, Shell

LATEST = pytest.mark.parametrize("ali_oss", ["latest"], indirect=True)


@pytest.fixture
def begun(ali_oss: AliOss, source: Source, tmp_path: Path) -> str:
    """Four parts are stored by ali-oss, one after the other; its checkpoint is in cp.json. The upload id."""
    arguments = {"key": KEY, "file": str(source.path), "after": 4, "stand": True}
    with ali_oss.start("saved", options={"partSize": PART, "parallel": 1}, **arguments) as running:
        text = running.event("saved")["text"]
        running.kill()
    (tmp_path / "cp.json").write_text(text)
    upload_id: str = json.loads(text)["uploadId"]
    return upload_id


@pytest.fixture
def finish(
    request: pytest.FixtureRequest, begun: str, bucket: oss2.Bucket, shell: Shell, tmp_path: Path
) -> Callable[[Path], Ran]:
    """`uploads import` or `uploads resume` of what ali-oss began, with a file."""
    place = f"oss://{bucket.bucket_name}"
    checkpoint = str(tmp_path / "cp.json")
    if request.param == "import":
        return lambda file: shell.run("uploads", "import", checkpoint, str(file), "--to", place, "--json")
    return lambda file: shell.run("uploads", "resume", begun, str(file), "--json")


BOTH = pytest.mark.parametrize("finish", ["import", "resume"], indirect=True)
BY_IMPORT = pytest.mark.parametrize("finish", ["import"], indirect=True)


def changed(source: Source, folder: Path, *numbers: int) -> Path:
    """A file of the same size that differs in the parts `numbers`, by a byte in the middle of each."""
    data = bytearray(source.path.read_bytes())
    for number in numbers:
        data[(number - 1) * PART + PART // 2] ^= 1
    other = folder / "other.bin"
    other.write_bytes(data)
    return other


@LATEST
@BOTH
def test_of_another_file_of_the_same_size_the_parts_that_differ_are_sent_again(
    server: Server,
    bucket: oss2.Bucket,
    source: Source,
    begun: str,
    finish: Callable[[Path], Ran],
    tmp_path: Path,
) -> None:
    other = changed(source, tmp_path, 2, 4, 9)
    sent = Sent.so_far(server, begun)

    done = finish(other)

    assert done.code == 0, done.err
    assert sorted(sent.before) == [1, 2, 3, 4]
    assert sent.since() == [number for number in EVERY_PART if number not in (1, 3)]
    assert bucket.get_object(KEY).read() == other.read_bytes()


@LATEST
@BY_IMPORT
def test_a_file_of_another_size_is_refused_and_nothing_is_sent(
    server: Server,
    bucket: oss2.Bucket,
    source: Source,
    begun: str,
    finish: Callable[[Path], Ran],
    tmp_path: Path,
) -> None:
    other = tmp_path / "other.bin"
    attempts = Sent.so_far(server, begun).attempts()

    for size in (SIZE + 1, SIZE - PART):
        other.write_bytes((source.path.read_bytes() + b"more")[:size])
        done = finish(other)

        assert done.code == 1
        assert f"for {SIZE} bytes, {other} has {size}: it is another file" in done.err
    assert Sent.so_far(server, begun).attempts() == attempts
    assert [part.part_number for part in bucket.list_parts(KEY, begun).parts] == [1, 2, 3, 4]
    assert not bucket.object_exists(KEY)


@LATEST
@BOTH
def test_an_aborted_upload_is_told_in_plain_words(
    server: Server, bucket: oss2.Bucket, source: Source, begun: str, finish: Callable[[Path], Ran]
) -> None:
    bucket.abort_multipart_upload(KEY, begun)
    attempts = Sent.so_far(server, begun).attempts()

    done = finish(source.path)

    assert done.code == 1
    assert "Traceback" not in done.err
    assert "completed or aborted" in done.err or "there is no unfinished upload" in done.err
    assert "mossaic uploads ls" in done.err
    assert Sent.so_far(server, begun).attempts() == attempts
    assert logged(server, "CompleteMultipartUpload", bucket=bucket.bucket_name) == []


@LATEST
def test_an_export_for_another_file_tells_ali_oss_only_of_parts_that_are_the_same(
    server: Server, bucket: oss2.Bucket, ali_oss: AliOss, source: Source, shell: Shell, tmp_path: Path
) -> None:
    """ali-oss believes every done part: an object mixed from two files can be kept from it here alone."""
    upload_id = shell.cp_stopped(source.path, bucket, by=signal.SIGKILL)
    other = changed(source, tmp_path, 1)
    sent = Sent.so_far(server, upload_id)

    text = shell.ok("uploads", "export", upload_id, "--file", str(other)).out
    ali_oss.run("upload", key=KEY, file=str(other), options={}, checkpoint=json.loads(text))

    assert sent.since() == [1, *(number for number in EVERY_PART if number not in sent.before)]
    assert bucket.get_object(KEY).read() == other.read_bytes()


@LATEST
def test_an_export_after_the_file_changed_tells_only_of_parts_that_are_the_same(
    server: Server, bucket: oss2.Bucket, ali_oss: AliOss, source: Source, shell: Shell, tmp_path: Path
) -> None:
    upload_id = shell.cp_stopped(source.path, bucket, by=signal.SIGINT)
    changed(source, tmp_path, 1).replace(source.path)

    text = shell.ok("uploads", "export", upload_id).out
    ali_oss.run("upload", key=KEY, file=str(source.path), options={}, checkpoint=json.loads(text))

    assert stored_md5(bucket, KEY) != source.md5
    assert bucket.get_object(KEY).read() == source.path.read_bytes()


def test_of_an_upload_begun_here_a_file_of_another_size_is_refused(
    server: Server, bucket: oss2.Bucket, source: Source, shell: Shell, tmp_path: Path
) -> None:
    upload_id = shell.cp_stopped(source.path, bucket, by=signal.SIGKILL)
    longer = tmp_path / "longer.bin"
    longer.write_bytes(source.path.read_bytes() + b"more")
    attempts = Sent.so_far(server, upload_id).attempts()

    for command in (("resume", upload_id, str(longer)), ("export", upload_id, "--file", str(longer))):
        done = shell.run("uploads", *command)

        assert (done.code, done.out) == (1, "")
        assert f"for {SIZE} bytes" in done.err
    assert Sent.so_far(server, upload_id).attempts() == attempts
    assert not bucket.object_exists(KEY)


def test_an_export_that_knows_no_size_fails_in_ali_oss_instead_of_cutting_the_object_off(
    bucket: oss2.Bucket, ali_oss: AliOss, source: Source, shell: Shell
) -> None:
    """Without `fileSize` ali-oss finds nothing to send, and would make an object of the parts that are done."""
    upload_id = bucket.init_multipart_upload(KEY).upload_id
    bucket.upload_part(KEY, upload_id, 1, source.path.read_bytes()[:PART])

    exported = shell.ok("uploads", "export", upload_id)
    error = ali_oss.fails(
        "upload", key=KEY, file=str(source.path), options={}, checkpoint=json.loads(exported.out)
    )

    assert "give --file FILE" in exported.err
    assert error["name"] == "TypeError"
    assert not bucket.object_exists(KEY)
    assert [part.part_number for part in bucket.list_parts(KEY, upload_id).parts] == [1]
