"""Worker threads: bounded, started when needed, and whatever they were given is finished."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from mossaic.gateway.http.limits import HttpLimits
from mossaic.gateway.http.workers import Workers
from mossaic.protocol.errors import OssError

MOST = 3


@pytest.fixture
def workers() -> Workers:
    return Workers(HttpLimits(max_threads=MOST), lent=lambda _: None)


def threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "mossaic-http"}


async def test_results_and_errors_come_back(workers: Workers) -> None:
    def fails() -> None:
        raise ValueError("no")

    assert await workers.run(lambda: 42) == 42
    with pytest.raises(ValueError, match="no"):
        await workers.run(fails)
    assert workers.busy == 0
    workers.close()


async def test_one_job_at_a_time_is_work_for_few_threads() -> None:
    workers = Workers(HttpLimits(max_threads=64), lent=lambda _: None)
    before = threads()

    for _ in range(200):
        assert await workers.run(lambda: 1) == 1

    # Not always one: the loop may hear of a result, and have more work, before the thread is back at the queue.
    assert len(threads() - before) < 16
    workers.close()


async def test_when_the_system_has_no_threads_left_clients_are_told_to_come_again(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_more(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    finished: list[int] = []
    with monkeypatch.context() as short:
        short.setattr(threading.Thread, "start", no_more)
        for number in range(MOST + 1):
            with pytest.raises(OssError) as told:
                await workers.run(lambda: 1, finish=partial(finished.append, number))
            assert told.value.row.status == 503

    assert finished == list(range(MOST + 1))
    assert await asyncio.wait_for(workers.run(lambda: 42), 30) == 42
    assert workers.busy == 0
    workers.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a priority for each thread")
async def test_the_event_loop_goes_before_its_threads(workers: Workers) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)

    theirs = await workers.run(lambda: os.getpriority(os.PRIO_PROCESS, 0))

    assert theirs > own or own == 19  # the last there is
    assert os.getpriority(os.PRIO_PROCESS, 0) == own
    workers.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how often a thread was woken")
async def test_a_job_wakes_one_thread(workers: Workers) -> None:
    """Threads that wait for one queue together wake one too many, which takes the interpreter from the one that works."""
    before = threads()
    gate = threading.Event()
    blocked = [asyncio.create_task(workers.run(gate.wait)) for _ in range(MOST)]
    while len(threads() - before) < MOST:
        await asyncio.sleep(0.001)
    gate.set()
    await asyncio.gather(*blocked)
    slept: dict[int | None, int] = {}
    while slept != (slept := {thread.native_id: sleeps(thread) for thread in threads() - before}):
        await asyncio.sleep(0.1)  # until all of them wait again

    ran: set[int] = set()
    for _ in range(50):
        ran.add(await workers.run(threading.get_native_id))
        await asyncio.sleep(0.001)  # it waits again, and was the last to begin to

    others = [thread for thread in threads() - before if thread.native_id not in ran]
    assert others
    assert [sleeps(thread) - slept[thread.native_id] for thread in others] == [0] * len(others)
    workers.close()


def sleeps(thread: threading.Thread) -> int:
    """How often the thread has gone to sleep of itself."""
    status = Path(f"/proc/self/task/{thread.native_id}/status").read_text()
    return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status, re.MULTILINE)[1])


async def test_no_more_threads_than_there_may_be(workers: Workers) -> None:
    before = threads()
    gate = threading.Event()
    seen: set[int] = set()

    def wait() -> None:
        seen.add(threading.get_ident())
        gate.wait()

    running = [asyncio.create_task(workers.run(wait)) for _ in range(3 * MOST)]
    while len(seen) < MOST:
        await asyncio.sleep(0.001)
    assert len(threads() - before) == MOST
    gate.set()
    await asyncio.gather(*running)
    assert len(seen) == MOST
    workers.close()


async def test_finish_comes_after_the_work_and_before_its_result(workers: Workers) -> None:
    told: list[str] = []
    await workers.run(lambda: told.append("work"), finish=lambda: told.append("finish"))
    told.append("result")
    assert told == ["work", "finish", "result"]
    workers.close()


async def test_what_waits_for_a_thread_is_not_begun_when_its_caller_is_gone(workers: Workers) -> None:
    gate = threading.Event()
    finished = threading.Event()
    begun: list[str] = []
    blocking = [asyncio.create_task(workers.run(gate.wait)) for _ in range(MOST)]
    await asyncio.sleep(0)
    waiting = asyncio.create_task(workers.run(lambda: begun.append("begun"), finish=finished.set))
    await asyncio.sleep(0)

    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    gate.set()
    await asyncio.gather(*blocking)

    assert await asyncio.to_thread(finished.wait, 30)
    assert begun == []
    workers.close()


async def test_what_runs_goes_on_when_its_caller_is_gone(workers: Workers) -> None:
    begun, gate, finished = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        gate.wait()

    running = asyncio.create_task(workers.run(work, finish=finished.set))
    await asyncio.to_thread(begun.wait)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert not finished.is_set()
    gate.set()
    assert await asyncio.to_thread(finished.wait, 30)
    workers.close()


async def test_after_the_close_what_waits_still_runs_and_nothing_more_is_taken(workers: Workers) -> None:
    gate = threading.Event()
    blocking = [asyncio.create_task(workers.run(gate.wait)) for _ in range(MOST)]
    waiting = asyncio.create_task(workers.run(lambda: "done"))
    await asyncio.sleep(0)
    finished: list[str] = []

    workers.close()

    with pytest.raises(OssError) as refused:
        await workers.run(lambda: 1, finish=lambda: finished.append("refused"))
    assert refused.value.status == 503
    workers.release(lambda: finished.append("released"))  # it runs here, because it must
    assert finished == ["refused", "released"]
    gate.set()
    await asyncio.gather(*blocking)
    assert await waiting == "done"


async def test_released_work_that_fails_takes_no_thread_with_it(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    def fails() -> None:
        raise OSError("gone")

    for _ in range(2 * MOST):
        workers.release(fails)
    assert await workers.run(lambda: "still here") == "still here"
    workers.close()
    assert caplog.records == [] or "nobody waits" in caplog.text
