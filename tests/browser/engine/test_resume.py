"""Going on: only with the file it was begun with, only with parts that are proved, in one tab at a time, begun here or elsewhere."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.browser.engine.conftest import MIB, PARTS, SIZE, Source, make_source
from tests.browser.engine.driver import Engine
from tests.browser.engine.place import direct, object_crc, stand, unfinished
from tests.e2e.interop.shell import KEY, Shell
from tests.e2e.interop.shell import SIZE as SHELL_SIZE

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import BrowserContext

    from tests.e2e.harness import Server
    from tests.faults.proxy import FaultProxy

# Resolves once the browser took the lock from the tab that was closed.
FREE = "name => navigator.locks?.request(name, () => {})"
NO_LOCKS = "Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })"


def test_another_file_is_refused_and_nothing_is_sent(
    broken: Engine, server: Server, source: Source, proxy: FaultProxy, tmp_path: Path
) -> None:
    held = stand(broken, proxy)
    broken.reload()
    held.open()
    broken.call("restore")
    sent = len(proxy.part_numbers())
    other = make_source(tmp_path / "holiday.mov", SIZE, seed=2)
    shorter = make_source(tmp_path / "shorter.mov", SIZE - 1)

    broken.pick(shorter.path)
    at_once = broken.call("provide", 0)
    broken.pick(other.path)
    assert broken.call("provide", 0) is None
    by_content = broken.until("task.state === 'needs-file' && task.problem")
    refused_parts = len(proxy.part_numbers())
    broken.pick(source.path)
    broken.call("provide", 0)
    broken.done()

    assert (at_once["kind"], by_content["problem"]["kind"]) == ("changed", "changed")
    assert by_content["problem"]["code"] == "OtherFile"
    assert refused_parts == sent
    assert object_crc(server, broken.bucket, "big.bin") == source.crc64


def test_a_renamed_and_touched_copy_is_taken_once_its_content_proves_it(
    broken: Engine, server: Server, source: Source, proxy: FaultProxy, tmp_path: Path
) -> None:
    held = stand(broken, proxy)
    broken.reload()
    held.open()
    broken.call("restore")
    copy = tmp_path / "renamed.mov"
    copy.write_bytes(source.data)
    os.utime(copy, (1_700_000_000, 1_700_000_000))

    broken.pick(copy)
    broken.call("provide", 0)
    done = broken.done()

    assert done["checkedBytes"] >= 4 * MIB
    assert done["parts"].count(4) >= 4
    assert object_crc(server, broken.bucket, "big.bin") == source.crc64


def test_a_part_that_somebody_replaced_meanwhile_is_sent_again(
    broken: Engine, server: Server, source: Source, proxy: FaultProxy
) -> None:
    held = stand(broken, proxy)
    upload_id = broken.seen()["uploadId"]
    broken.call("act", 0, "cancel")
    held.open()
    direct(server, broken.bucket).upload_part("big.bin", upload_id, 2, bytes(MIB))

    broken.call("act", 0, "resume")
    done = broken.done()

    assert done["parts"][1] == 2  # sent, not kept
    assert object_crc(server, broken.bucket, "big.bin") == source.crc64


@pytest.mark.parametrize("locks", ["Web Locks", "heartbeats"])
def test_two_tabs_do_not_run_the_same_upload(
    locks: str,
    context: BrowserContext,
    server: Server,
    engine_bucket: str,
    source: Source,
    proxy: FaultProxy,
) -> None:
    if locks == "heartbeats":  # as on plain http, where there are no Web Locks
        context.add_init_script(NO_LOCKS)
    first, second = (
        Engine.open(context, server, engine_bucket, origin=proxy.endpoint, lenient=True) for _ in range(2)
    )
    first.pick(source.path)
    held = stand(first, proxy)
    left = second.call("restore")
    second.pick(source.path)

    upload = {"bucket": engine_bucket, "key": "big.bin", "uploadId": first.seen()["uploadId"]}
    second.call("adopt", upload)
    refused = second.until("task.state === 'failed'")
    first.page.close()
    held.open()
    second.page.evaluate(FREE, f"mossaic-upload:{engine_bucket}/{refused['uploadId']}")
    second.call("act", 0, "retry")
    second.done()

    assert left == []
    assert (refused["problem"]["kind"], refused["problem"]["code"]) == ("conflict", "RunsElsewhere")
    assert object_crc(server, engine_bucket, "big.bin") == source.crc64
    second.assert_calm()


@pytest.fixture
def shell(server: Server, tmp_path: Path) -> Shell:
    return Shell(server=server, home=tmp_path / "home")


def test_begun_here_and_finished_by_the_command_line(
    broken: Engine, server: Server, source: Source, proxy: FaultProxy, shell: Shell, tmp_path: Path
) -> None:
    held = stand(broken, proxy)
    broken.call("act", 0, "cancel")
    held.open()
    (tmp_path / "cp.json").write_text(json.dumps(broken.call("checkpoint", 0)))
    place = f"oss://{broken.bucket}"
    before = set(server.parts_put(broken.bucket))

    done = shell.ok("uploads", "import", str(tmp_path / "cp.json"), str(source.path), "--to", place, "--json")

    sent = server.parts_put(broken.bucket)
    assert done.last()["resumed_bytes"] >= 4 * MIB
    assert sorted(set(sent)) == list(range(1, PARTS + 1))
    assert len(sent) == PARTS
    assert before >= {1, 2, 3, 4}
    assert object_crc(server, broken.bucket, "big.bin") == source.crc64


@pytest.mark.parametrize("exported", [True, False], ids=["by its checkpoint", "by its upload id"])
def test_begun_by_the_command_line_and_finished_here(
    exported: bool, engine: Engine, server: Server, shell: Shell, tmp_path: Path
) -> None:
    file = make_source(tmp_path / "shell.bin", SHELL_SIZE, seed=3)
    upload_id = shell.cp_stopped(file.path, direct(server, engine.bucket), by=signal.SIGKILL)
    before = server.parts_put(engine.bucket)
    engine.pick(file.path)

    if exported:
        engine.call("fromCheckpoint", shell.ok("uploads", "export", upload_id).out, {})
    else:
        engine.call("adopt", {"bucket": engine.bucket, "key": KEY, "uploadId": upload_id})
    done = engine.done()

    sent = server.parts_put(engine.bucket)
    # What was in the air when the shell was killed may have landed after that.
    assert done["parts"].count(4) >= len(before) >= 3
    assert all(sent.count(number) == 1 for number in before)
    assert object_crc(server, engine.bucket, KEY) == file.crc64


def test_parts_of_many_sizes_are_taken_over(engine: Engine, server: Server, source: Source) -> None:
    bucket = direct(server, engine.bucket)
    upload_id = bucket.init_multipart_upload("odd.bin").upload_id
    at = 0
    for number, size in enumerate((MIB, 3 * MIB, 2 * MIB), start=1):
        bucket.upload_part("odd.bin", upload_id, number, source.data[at : at + size])
        at += size

    engine.call("adopt", {"bucket": engine.bucket, "key": "odd.bin", "uploadId": upload_id})
    done = engine.done()

    assert done["parts"][:3] == [4, 4, 4]
    assert object_crc(server, engine.bucket, "odd.bin") == source.crc64


def test_an_upload_of_another_file_is_not_adopted(engine: Engine, server: Server, source: Source) -> None:
    bucket = direct(server, engine.bucket)
    upload_id = bucket.init_multipart_upload("x.bin").upload_id
    bucket.upload_part("x.bin", upload_id, 1, bytes(MIB))

    engine.call("adopt", {"bucket": engine.bucket, "key": "x.bin", "uploadId": upload_id})
    refused = engine.until("task.state === 'needs-file'")

    assert refused["problem"]["code"] == "OtherFile"
    assert unfinished(server, engine.bucket) == [upload_id]
    assert len(server.parts_put(engine.bucket)) == 1
    assert hashlib.md5(source.data).hexdigest()  # the file itself was only read
