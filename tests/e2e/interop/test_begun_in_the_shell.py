"""Begun by `mossaic cp`, handed over by `mossaic uploads export`, finished by ali-oss in Node."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from tests.e2e.ali_oss.support import stored_md5
from tests.e2e.interop.shell import KEY, Sent

if TYPE_CHECKING:
    import oss2

    from tests.e2e.ali_oss.driver import AliOss
    from tests.e2e.ali_oss.support import Source
    from tests.e2e.harness import Server
    from tests.e2e.interop.shell import Shell


@pytest.mark.parametrize(
    ("ali_oss", "by"), [("6.18", signal.SIGINT), ("latest", signal.SIGKILL)], indirect=["ali_oss"]
)
def test_stopped_and_finished_by_ali_oss(
    server: Server, bucket: oss2.Bucket, ali_oss: AliOss, source: Source, shell: Shell, by: signal.Signals
) -> None:
    upload_id = shell.cp_stopped(source.path, bucket, by=by)
    sent = Sent.so_far(server, upload_id)

    checkpoint = json.loads(shell.ok("uploads", "export", upload_id).out)
    done = ali_oss.run("upload", key=KEY, file=str(source.path), options={}, checkpoint=checkpoint)

    assert checkpoint["uploadId"] == upload_id
    assert len(checkpoint["doneParts"]) >= 3
    # What was there is there from the first call on: ali-oss takes the JSON for its own.
    assert done["progress"][0]["done"] == len(checkpoint["doneParts"]) + 1
    sent.assert_only_missing_parts_follow()
    assert stored_md5(bucket, KEY) == source.md5
