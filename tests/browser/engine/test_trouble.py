"""What goes wrong on the way, and how the engine gets over it or says that it cannot."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.browser.engine.conftest import MIB, PARTS, Source, make_source
from tests.browser.engine.driver import Engine
from tests.browser.engine.place import direct, eventually, object_crc, stand, unfinished
from tests.e2e.ali_oss.support import bytes_below
from tests.e2e.conftest import new_bucket
from tests.faults.proxy import FaultProxy, Rule, error

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import BrowserContext

    from tests.e2e.harness import Server

# The session as of somebody who signed in with temporary keys.
ONLY_A_TRIPLE = """() => {
  const { credentials, principal, endpoint, region } = window.bench.session.live.value;
  const { accessKeyId, accessKeySecret, stsToken } = credentials;
  window.triple = { accessKeyId, accessKeySecret, securityToken: stsToken };
  window.bench.session.adopt({ ...window.triple, principal, endpoint, region });
}"""
OPTIONS = {"partSize": MIB, "parallel": 2}


def test_the_server_restarts_in_the_middle(
    context: BrowserContext, make_server: Callable[..., Server], source: Source
) -> None:
    server = make_server()
    engine = Engine.open(context, server, new_bucket(server), lenient=True)
    engine.pick(source.path)
    engine.page.evaluate("window.bench.uploads.bandwidth.set(4 * 1024 * 1024)")
    engine.add("big.bin", **OPTIONS)
    engine.until(f"task.stored >= {2 * MIB}")

    server.kill()
    offline = engine.until("task.state === 'offline'")
    server.start()
    engine.page.evaluate("window.bench.uploads.bandwidth.set(0)")
    done = engine.done()

    assert offline["problem"] is None
    assert done["monotonic"]
    assert object_crc(server, engine.bucket, "big.bin") == source.crc64
    engine.assert_calm()


def test_offline_in_the_middle_waits_and_goes_on_by_itself(
    broken: Engine, context: BrowserContext, server: Server, source: Source, proxy: FaultProxy
) -> None:
    held = stand(broken, proxy)

    context.set_offline(True)
    broken.until("task.state === 'offline'")
    held.open()
    context.set_offline(False)
    done = broken.done()

    assert done["states"][-3:] == ["sending", "completing", "done"]
    assert done["monotonic"]
    assert object_crc(server, broken.bucket, "big.bin") == source.crc64


def test_a_token_that_expires_in_the_middle_is_renewed_and_the_part_sent_again(
    broken: Engine, server: Server, source: Source, proxy: FaultProxy
) -> None:
    proxy.add(Rule(pattern="^PUT .*partNumber=5", answer=error(403, "SecurityTokenExpired")))

    broken.add("big.bin", **OPTIONS)
    done = broken.done()

    renewals = [seen for seen in proxy.seen if "/-/api/session" in seen.target]
    assert len(renewals) == 2  # sign-in, and one more
    assert Counter(proxy.part_numbers())[5] == 2
    assert done["problem"] is None
    assert object_crc(server, broken.bucket, "big.bin") == source.crc64


def test_keys_that_cannot_be_renewed_stop_the_upload_until_new_ones_are_given(
    broken: Engine, server: Server, source: Source, proxy: FaultProxy
) -> None:
    broken.page.evaluate(ONLY_A_TRIPLE)
    proxy.add(Rule(pattern="^PUT .*partNumber=5", answer=error(403, "SecurityTokenExpired")))

    broken.add("big.bin", **OPTIONS)
    failed = broken.until("task.state === 'failed'")
    broken.page.evaluate("window.bench.session.provide(window.triple)")
    done = broken.done()

    assert failed["problem"]["kind"] == "expired"
    assert done["monotonic"]
    assert object_crc(server, broken.bucket, "big.bin") == source.crc64


def test_a_damaged_part_is_noticed_and_sent_again(
    broken: Engine, server: Server, source: Source, proxy: FaultProxy
) -> None:
    proxy.add(Rule(pattern="^PUT .*partNumber=3&", damage=500_000))

    broken.add("big.bin", **OPTIONS)
    done = broken.done()

    assert done["retries"] == 1
    assert Counter(server.parts_put(broken.bucket)) == {
        number: 1 + (number == 3) for number in range(1, PARTS + 1)
    }
    assert done["result"]["crc64"] == str(source.crc64)


def test_broken_lines_and_a_busy_server_are_got_over(
    broken: Engine, server: Server, source: Source, proxy: FaultProxy
) -> None:
    proxy.add(
        Rule(pattern="^PUT .*partNumber=2&", cut_request=300_000),
        Rule(pattern="^PUT .*partNumber=4&", answer=error(503, "ServiceUnavailable")),
        Rule(pattern="^PUT .*partNumber=6&", lose_answer=True),
        Rule(pattern="^POST .*uploads", answer=error(500, "InternalError")),
    )

    broken.add("big.bin", **OPTIONS)
    done = broken.done()

    # Chromium itself repeats what broke on a connection that had been used before.
    assert done["retries"] >= 2
    assert done["monotonic"]
    assert object_crc(server, broken.bucket, "big.bin") == source.crc64


def test_a_lost_answer_to_complete_is_asked_for_again(
    broken: Engine, server: Server, source: Source, proxy: FaultProxy
) -> None:
    proxy.add(Rule(pattern="^POST .*uploadId=", lose_answer=True))

    broken.add("big.bin", **OPTIONS)
    done = broken.done()

    assert done["result"]["crc64"] == str(source.crc64)


def test_a_lost_answer_to_complete_is_looked_up_where_the_upload_is_forgotten(
    context: BrowserContext, make_server: Callable[..., Server], proxy: FaultProxy, source: Source
) -> None:
    server = make_server(UPLOAD_REPLAY_S="0")
    proxy._target = server.port
    engine = Engine.open(context, server, new_bucket(server), origin=proxy.endpoint, lenient=True)
    engine.pick(source.path)
    proxy.add(Rule(pattern="^POST .*uploadId=", lose_answer=True))

    engine.add("big.bin", **OPTIONS)
    done = engine.done()

    assert done["result"]["found"] is True
    assert done["result"]["crc64"] == str(source.crc64)
    engine.assert_calm()


def test_an_upload_that_is_gone_says_so_and_begins_anew(
    broken: Engine, server: Server, source: Source, proxy: FaultProxy
) -> None:
    held = stand(broken, proxy)
    gone = broken.seen()["uploadId"]
    direct(server, broken.bucket).abort_multipart_upload("big.bin", gone)

    held.open()
    failed = broken.until("task.state === 'failed'")
    broken.call("act", 0, "retry")
    done = broken.done()

    assert (failed["problem"]["kind"], failed["problem"]["code"]) == ("missing", "NoSuchUpload")
    assert done["uploadId"] != gone
    assert object_crc(server, broken.bucket, "big.bin") == source.crc64


def test_cancel_stops_the_part_in_flight_and_abort_frees_what_is_stored(
    broken: Engine, server: Server, proxy: FaultProxy
) -> None:
    engine, blobs = broken, server.data / "blobs"
    empty = bytes_below(blobs)
    held = stand(engine, proxy)
    stored = bytes_below(blobs)

    with engine.page.expect_event("requestfailed") as stopped:
        engine.call("act", 0, "cancel")
    cancelled = engine.seen()
    held.open()
    kept = unfinished(server, engine.bucket)
    problem = engine.call("act", 0, "abort")

    assert cancelled["state"] == "cancelled"
    assert "partNumber=" in stopped.value.url
    assert stopped.value.failure == "net::ERR_ABORTED"
    assert kept == [cancelled["uploadId"]]
    assert stored >= empty + 4 * MIB
    assert (problem, engine.seen()["state"]) == (None, "aborted")
    assert unfinished(server, engine.bucket) == []
    assert eventually(lambda: bytes_below(blobs) < empty + MIB)


def test_a_file_that_changes_meanwhile_is_not_sent_as_a_mixture(
    broken: Engine, server: Server, proxy: FaultProxy, source: Source
) -> None:
    copy = source.path.with_name("changing.mov")
    copy.write_bytes(source.data)
    broken.pick(copy)
    held = stand(broken, proxy)

    copy.write_bytes(source.data[::-1])
    proxy.cut_all()
    held.open()
    changed = broken.until("['needs-file', 'done', 'failed'].includes(task.state)")

    assert (changed["state"], changed["problem"]["code"]) == ("needs-file", "FileChanged")
    assert len(unfinished(server, broken.bucket)) == 1


def test_where_etags_are_no_md5s_files_are_checked_and_lost_answers_found(
    context: BrowserContext, make_server: Callable[..., Server], source: Source, tmp_path: Path
) -> None:
    server = make_server(STORE_ETAG="crc64")
    proxy = FaultProxy(server.port)
    engine = Engine.open(context, server, new_bucket(server), origin=proxy.endpoint, lenient=True)
    small = make_source(tmp_path / "small.bin", 1000)
    engine.pick(source.path)
    engine.add("big.bin", **OPTIONS, verify="md5")
    whole = engine.done()

    proxy.add(Rule(pattern="^PUT .*small.bin", swap_answer=error(500, "InternalError")))
    engine.pick(small.path)
    found = engine.done(engine.add("small.bin", conflict="refuse"))
    proxy.close()

    assert whole["retries"] == 0
    assert object_crc(server, engine.bucket, "big.bin") == source.crc64
    assert found["result"]["crc64"] == str(small.crc64)
    assert proxy.seen[-1].method == "HEAD"
    engine.assert_calm()
