"""An upload as people see it: progress, pauses, a reload, small files, what the callback said, the bandwidth limit."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.browser.engine.conftest import MIB, SIZE, Source, make_source
from tests.browser.engine.place import after, direct, object_crc

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browser.engine.driver import Engine
    from tests.e2e.harness import CallbackReceiver, Server
    from tests.faults.proxy import FaultProxy

PART = 8 * MIB
BIG = 15 * PART  # 120 MiB
LIMIT = 4 * MIB


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Source:
    return make_source(tmp_path_factory.mktemp("big") / "film.mkv", BIG)


def test_120_mib_with_two_pauses_and_a_reload_send_no_stored_part_again(
    broken: Engine, server: Server, big: Source, proxy: FaultProxy
) -> None:
    engine = broken
    held = after(proxy, 10)  # so that the reload comes in the middle
    engine.pick(big.path)
    engine.add("big.bin")
    engine.until(f"task.stored >= {2 * PART}")

    for count in (5, 10):
        engine.call("act", 0, "pause")
        assert engine.seen()["state"] == "paused"
        engine.call("act", 0, "resume")
        engine.until(f"task.stored >= {count * PART}")
    before = engine.seen()
    engine.reload()
    held.open()
    engine.call("restore")
    restored = engine.seen()
    engine.pick(big.path)
    refused = engine.call("provide", 0)
    done = engine.done()

    assert (before["stored"], before["monotonic"]) == (10 * PART, True)
    assert (restored["state"], refused) == ("needs-file", None)
    assert restored["sent"] == restored["stored"] == 10 * PART
    assert done["checkedBytes"] == done["checkTotal"] >= 10 * PART
    assert done["monotonic"]
    assert done["parts"][:10] == [4] * 10
    assert done["result"]["crc64"] == str(big.crc64)
    assert object_crc(server, engine.bucket, "big.bin") == big.crc64
    sent = Counter(server.parts_put(engine.bucket))
    assert sorted(sent) == list(range(1, 16))
    # What was in the air at the reload may land and not be heard of.
    assert {sent[number] for number in range(1, 11)} == {1}


def test_one_click_goes_on_after_a_reload_where_the_browser_has_a_handle(
    engine: Engine, server: Server, source: Source
) -> None:
    engine.call("addStored", engine.bucket, "big.bin", {"partSize": MIB, "parallel": 2}, "kept.bin")
    engine.until(f"task.stored >= {3 * MIB}")
    engine.call("act", 0, "pause")

    engine.reload()
    engine.call("restore")
    restored = engine.seen()
    engine.call("act", 0, "resume")
    engine.done()

    assert restored["state"] == "paused"
    assert object_crc(server, engine.bucket, "big.bin") == source.crc64


def test_a_small_file_and_an_empty_one_have_the_same_shapes(
    engine: Engine, server: Server, tmp_path: Path
) -> None:
    small, empty = tmp_path / "small.txt", tmp_path / "empty.txt"
    small.write_bytes(b"some text")
    empty.write_bytes(b"")
    engine.pick(small, empty)

    engine.add(
        "a 钥+%/x", meta={"Author": "李雷"}, tags={"a b": "c=d"}, headers={"Cache-Control": "no-cache"}
    )
    first, second = engine.done(0), engine.done(1)

    assert (first["sent"], first["uploadId"], second["sent"]) == (9, None, 0)
    assert first["result"]["crc64"] is not None
    head = direct(server, engine.bucket).head_object("a 钥+%/x")
    assert (head.content_length, head.headers["Cache-Control"]) == (9, "no-cache")
    assert head.headers["x-oss-meta-author"].encode("latin-1").decode() == "李雷"
    assert head.content_type == "text/plain"
    tags = direct(server, engine.bucket).get_object_tagging("a 钥+%/x").tag_set.tagging_rule
    assert tags == {"a b": "c=d"}


def test_the_callbacks_answer_is_in_the_result(engine: Engine, receiver: CallbackReceiver) -> None:
    body = "object=${object}&order=${x:order}"
    callback = {"url": receiver.url, "body": body, "customValue": {"order": "7"}}

    engine.add("big.bin", partSize=MIB, callback=callback)
    done = engine.done()

    assert done["result"]["callback"] == {"Status": "OK"}
    assert receiver.calls[-1].form() == {"object": "big.bin", "order": "7"}


def test_the_bandwidth_limit_holds_and_can_be_lifted(engine: Engine) -> None:
    engine.page.evaluate("limit => window.bench.uploads.bandwidth.set(limit)", LIMIT)
    engine.page.evaluate("window.began = performance.now()")

    engine.add("big.bin", partSize=MIB)
    engine.until(f"task.stored >= {6 * MIB}")
    seconds = engine.page.evaluate("(performance.now() - window.began) / 1000")
    engine.page.evaluate("window.bench.uploads.bandwidth.set(0)")
    engine.done()

    # One part may always begin; everything after it has to wait for its turn.
    assert 6 * MIB / seconds < 1.5 * LIMIT


def test_what_a_key_that_is_taken_means(engine: Engine, server: Server, source: Source) -> None:
    direct(server, engine.bucket).put_object("doc/a.txt", b"there before")

    engine.add("doc/a.txt", conflict="rename", partSize=MIB)
    engine.add("doc/a.txt", conflict="refuse", partSize=MIB)
    renamed = engine.done(0)
    refused = engine.until("['done', 'failed'].includes(task.state)", 1)
    engine.add("doc/a (1).txt", conflict="skip")
    skipped = engine.done(2)

    assert renamed["key"] == "doc/a (1).txt"
    assert object_crc(server, engine.bucket, "doc/a (1).txt") == source.crc64
    assert (refused["state"], refused["problem"]["kind"]) == ("failed", "exists")
    assert skipped["result"]["skipped"] is True
    engine.lenient = True
    engine.troubles[:] = [text for text in engine.troubles if "Failed to load resource" not in text]


def test_sums_are_those_of_oss(engine: Engine) -> None:
    sums = engine.page.evaluate(
        """async (size) => {
      const { crc64, joinCrc64 } = await import("/-/console/js/upload/sums/crc64.js");
      const { Sums } = await import("/-/console/js/upload/sums/pool.js");
      const bytes = new TextEncoder().encode("123456789");
      const file = document.querySelector("#file").files[0];
      const cuts = [0, 1, 1048577, 3000000, size];
      const pieces = await Promise.all(cuts.slice(1).map(async (stop, at) => {
        const blob = file.slice(cuts[at], stop);
        return { crc64: (await new Sums().of(blob)).crc64, size: blob.size };
      }));
      const whole = await new Sums().of(file, { md5: true });
      return [crc64(bytes).toString(16), String(joinCrc64(pieces)), String(whole.crc64), whole.md5];
    }""",
        SIZE,
    )

    assert sums[0] == "995dc9bbdf1939fa"
    assert sums[1] == sums[2]
    assert len(sums[3]) == 32
