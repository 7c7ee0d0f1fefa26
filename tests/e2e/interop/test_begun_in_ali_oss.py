"""Begun with ali-oss in Node, finished by the shell or from Python: only what is missing is sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import mossaic
from mossaic import credentials, store
from tests.e2e.ali_oss.support import stored_md5
from tests.e2e.harness import PART
from tests.e2e.interop.shell import KEY, SIZE, Sent

if TYPE_CHECKING:
    from pathlib import Path

    import oss2

    from tests.e2e.ali_oss.driver import AliOss
    from tests.e2e.ali_oss.support import Source
    from tests.e2e.harness import Server
    from tests.e2e.interop.shell import Shell

OPTIONS = {"partSize": PART, "parallel": 3}


def cancelled(ali_oss: AliOss, source: Source, *, key: str = KEY) -> str:
    """The checkpoint's JSON as an application saved it before cancel()."""
    text: str = ali_oss.run("saved", key=key, file=str(source.path), options=OPTIONS, after=4)["text"]
    return text


def killed(ali_oss: AliOss, source: Source) -> str:
    """The same, of a process that was killed."""
    arguments = {"key": KEY, "file": str(source.path), "options": OPTIONS, "after": 4, "stand": True}
    with ali_oss.start("saved", **arguments) as running:
        text: str = running.event("saved")["text"]
        running.kill()
    return text


def test_cancelled_and_finished_by_import(
    server: Server, bucket: oss2.Bucket, ali_oss: AliOss, source: Source, shell: Shell, tmp_path: Path
) -> None:
    text = cancelled(ali_oss, source)
    (tmp_path / "cp.json").write_text(text)
    sent = Sent.so_far(server, json.loads(text)["uploadId"])

    done = shell.ok(
        "uploads", "import", str(tmp_path / "cp.json"), str(source.path), "--to", f"oss://{bucket.bucket_name}", "--json"
    )  # fmt: skip

    assert done.last()["event"] == "uploaded"
    assert SIZE > done.last()["resumed_bytes"] >= 4 * PART
    sent.assert_only_missing_parts_follow()
    assert stored_md5(bucket, KEY) == source.md5


def test_killed_and_finished_by_resume_with_the_upload_id(
    server: Server, bucket: oss2.Bucket, ali_oss: AliOss, source: Source, shell: Shell
) -> None:
    upload_id = json.loads(killed(ali_oss, source))["uploadId"]
    sent = Sent.so_far(server, upload_id)

    done = shell.ok("uploads", "resume", upload_id, str(source.path), "--json")

    assert SIZE > done.last()["resumed_bytes"] >= 4 * PART
    sent.assert_only_missing_parts_follow()
    assert stored_md5(bucket, KEY) == source.md5
    assert list(bucket.list_multipart_uploads().upload_list) == []


def test_killed_and_finished_from_python(
    server: Server, bucket: oss2.Bucket, ali_oss: AliOss, source: Source, tmp_path: Path
) -> None:
    checkpoint = mossaic.Checkpoint.loads(killed(ali_oss, source))
    sent = Sent.so_far(server, checkpoint.upload_id)
    state = store.File(tmp_path / "state")

    with mossaic.Client(
        server.endpoint,
        bucket=bucket.bucket_name,
        credentials=credentials.Static(server.access_key_id, server.access_key_secret),
        store=state,
    ) as client:
        done = client.multipart_upload(KEY, source.path, resume=checkpoint)

    assert (checkpoint.file, checkpoint.file_size, checkpoint.part_size) == (str(source.path), SIZE, PART)
    assert done.upload_id == checkpoint.upload_id
    assert SIZE > done.resumed_bytes >= 4 * PART
    sent.assert_only_missing_parts_follow()
    assert stored_md5(bucket, KEY) == source.md5
    assert list(state.names()) == []


@pytest.mark.parametrize("ali_oss", ["latest"], indirect=True)
def test_a_slash_before_the_key_is_taken_off_as_ali_oss_does(
    server: Server, bucket: oss2.Bucket, ali_oss: AliOss, source: Source, shell: Shell, tmp_path: Path
) -> None:
    """The request has the key without it, the checkpoint has the name as it was given."""
    text = cancelled(ali_oss, source, key=f"/{KEY}")
    (tmp_path / "cp.json").write_text(text)
    sent = Sent.so_far(server, json.loads(text)["uploadId"])

    shell.ok("uploads", "import", str(tmp_path / "cp.json"), "--to", f"oss://{bucket.bucket_name}")

    assert json.loads(text)["name"] == f"/{KEY}"
    sent.assert_only_missing_parts_follow()
    assert stored_md5(bucket, KEY) == source.md5
