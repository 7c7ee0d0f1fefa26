"""The sending process, the service, or both are killed at any point: run again, the object is whole and no stored part travels twice."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import build_server
from tests.faults import sender
from tests.faults.place import COMPLETE, INITIATE, KEY, MANY, PUT_PART, Place, data_of, part
from tests.faults.proxy import FaultProxy, Rule, Seen

WAIT_S = 200.0  # a busy machine; seconds are the rule


class Sending:
    """One run of the sender. Its end is awaited by `lines`."""

    def __init__(self, place: Place, source: Path | None, *, retries: int = 8) -> None:
        command = [sys.executable, sender.__file__, place.proxy.endpoint, place.bucket, KEY]
        command += ["-" if source is None else str(source), str(place.state), str(retries)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE if source is None else subprocess.DEVNULL, stdout=subprocess.PIPE
        )

    def strike(self, number: signal.Signals) -> None:
        """Returns when the process has gone."""
        self.process.send_signal(number)
        self.process.wait(WAIT_S)

    def lines(self, given: bytes | None = None) -> list[dict[str, Any]]:
        said, _ = self.process.communicate(given, timeout=WAIT_S)
        return [json.loads(line) for line in said.decode().splitlines()]


def struck(
    place: Place, source: Path, *rules: Callable[[Callable[[Seen], None]], Rule], by: signal.Signals
) -> list[dict[str, Any]]:
    """A run that is struck down where one of the rules, given the blow, lets it fall; what it had said."""
    begun, runs = threading.Event(), []

    def blow(_: Seen) -> None:
        assert begun.wait(WAIT_S)
        runs[0].strike(by)

    made = [rule(blow) for rule in rules]
    place.proxy.add(*made)
    runs.append(Sending(place, source))
    begun.set()
    lines = runs[0].lines()
    assert runs[0].process.returncode == (-by if by == signal.SIGKILL else 130)
    place.proxy.clear()
    return lines


def finished(place: Place, source: Path) -> list[dict[str, Any]]:
    """Run it to its end, as a new process."""
    run = Sending(place, source)
    lines = run.lines()
    assert run.process.returncode == 0, lines
    return lines


def halfway(run: Sending, data: bytes) -> None:
    """Feed a run that is killed meanwhile."""
    assert run.process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        run.process.stdin.write(data)
        run.process.stdin.close()
    run.process.wait(WAIT_S)
    assert run.process.returncode == -signal.SIGKILL


def never_came(blow: Callable[[Seen], None]) -> Callable[[Seen], None]:
    """The blow falls, and the service never sees the request."""

    def strike(seen: Seen) -> None:
        blow(seen)
        raise ConnectionAbortedError

    return strike


def after(count: int) -> Callable[[Callable[[Seen], None]], Rule]:
    """When so many parts of this run were asked for, the next one falls."""
    return lambda blow: Rule(pattern=PUT_PART, skip=count, call=blow)


def unheard(pattern: str) -> Callable[[Callable[[Seen], None]], Rule]:
    """When the service has done it, and before the answer leaves."""
    return lambda blow: Rule(pattern=pattern, done=blow, lose_answer=True)


@pytest.fixture
def own_place(tmp_path: Path) -> Iterator[Place]:
    """With a service of its own, which may be killed."""
    server = build_server(tmp_path / "service").start()
    place = Place(server=server, proxy=FaultProxy(server.port), bucket="killed", directory=tmp_path)
    place.direct.put_bucket()
    yield place
    place.close()
    server.kill()


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_a_process_struck_again_and_again_sends_each_part_once(place: Place, by: signal.Signals) -> None:
    data = data_of(MANY)
    source = place.file(data)
    for count in (0, 1, 40, 80):
        struck(place, source, after(count), by=by)
    struck(place, source, unheard(part(MANY - 10)), by=by)
    lines = finished(place, source)
    place.assert_whole(data)
    assert [line["event"] for line in lines if "event" in line] == ["resumed", "completed"]


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_the_answer_to_a_part_that_nobody_lived_to_hear_is_not_needed(
    place: Place, by: signal.Signals
) -> None:
    data = data_of(24)
    source = place.file(data)
    for number in (1, 12, 24):
        struck(place, source, unheard(part(number)), by=by)
    finished(place, source)
    place.assert_whole(data)


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_an_upload_id_that_nobody_lived_to_hear_is_named_by_the_next_run(
    place: Place, by: signal.Signals
) -> None:
    data = data_of(20)
    source = place.file(data)
    struck(place, source, unheard(INITIATE), by=by)
    (left,) = place.open_uploads()
    lines = finished(place, source)
    assert [line["upload_ids"] for line in lines if line.get("event") == "leftover"] == [[left]]
    assert place.open_uploads() == [left]
    place.direct.abort_multipart_upload(KEY, left)
    place.assert_whole(data)


def test_a_process_killed_before_its_initiate_arrived_leaves_nothing(place: Place) -> None:
    data = data_of(20)
    source = place.file(data)
    struck(place, source, lambda blow: Rule(pattern=INITIATE, call=never_came(blow)), by=signal.SIGKILL)
    lines = finished(place, source)
    assert [line for line in lines if line.get("event") == "leftover"] == []
    place.assert_whole(data)


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_a_complete_that_nobody_lived_to_hear_is_recognised(place: Place, by: signal.Signals) -> None:
    data = data_of(MANY)
    source = place.file(data)
    struck(place, source, unheard(COMPLETE), by=by)
    assert place.stored() == data
    lines = finished(place, source)
    assert [line["event"] for line in lines if "event" in line] == ["resolved"]
    place.assert_whole(data)


def test_a_complete_that_never_arrived_is_asked_for_again(place: Place) -> None:
    data = data_of(MANY)
    source = place.file(data)
    struck(place, source, lambda blow: Rule(pattern=COMPLETE, call=never_came(blow)), by=signal.SIGKILL)
    assert place.stored() is None
    finished(place, source)
    place.assert_whole(data)


def test_a_killed_service_is_waited_for_and_nothing_stored_is_sent_again(own_place: Place) -> None:
    place, data = own_place, data_of(MANY)
    source = place.file(data)

    def power_cut(_: Seen) -> None:
        place.server.kill()
        place.server.start()

    place.proxy.add(
        Rule(pattern=part(20), call=power_cut),
        Rule(pattern=part(90), done=power_cut, lose_answer=True),
        Rule(pattern=COMPLETE, call=power_cut),
    )
    run = Sending(place, source, retries=60)
    lines = run.lines()
    assert run.process.returncode == 0, lines
    place.assert_whole(data, logged=False)


def test_service_and_sender_may_both_be_killed_in_one_upload(own_place: Place) -> None:
    place, data = own_place, data_of(MANY)
    source, back = place.file(data), threading.Semaphore(0)

    def both(blow: Callable[[Seen], None]) -> Callable[[Seen], None]:
        def strike(seen: Seen) -> None:
            place.server.kill()
            blow(seen)
            place.server.start()
            back.release()

        return strike

    for rule in (
        lambda blow: Rule(pattern=part(40), done=both(blow), lose_answer=True),
        lambda blow: Rule(pattern=PUT_PART, skip=80, call=both(blow)),
        lambda blow: Rule(pattern=COMPLETE, done=both(blow), lose_answer=True),
    ):
        struck(place, source, rule, by=signal.SIGKILL)
        assert back.acquire(timeout=WAIT_S)
    finished(place, source)
    place.assert_whole(data, logged=False)


def test_a_stream_is_given_again_after_a_kill_and_its_stored_parts_stay(place: Place) -> None:
    data, runs = data_of(60), []
    place.proxy.add(Rule(pattern=part(33), call=lambda _: runs[0].strike(signal.SIGKILL)))
    runs.append(Sending(place, None))
    halfway(runs[0], data)
    run = Sending(place, None)
    lines = run.lines(data)
    assert run.process.returncode == 0, lines
    assert lines[-1]["resumed"] >= 20 * sender.PART
    place.assert_whole(data)


def test_an_unheard_upload_id_of_a_stream_is_named_too(place: Place) -> None:
    data, runs = data_of(20), []
    place.proxy.add(unheard(INITIATE)(lambda _: runs[0].strike(signal.SIGKILL)))
    runs.append(Sending(place, None))
    halfway(runs[0], data)
    (left,) = place.open_uploads()
    run = Sending(place, None)
    lines = run.lines(data)
    assert [line["upload_ids"] for line in lines if line.get("event") == "leftover"] == [[left]]
    place.direct.abort_multipart_upload(KEY, left)
    place.assert_whole(data)


def test_no_lock_of_a_killed_process_keeps_the_next_one_out(place: Place) -> None:
    """The next run takes the same journal, not another beside it."""
    source = place.file(data_of(30))
    struck(place, source, after(10), by=signal.SIGKILL)
    held = place.journals()
    struck(place, source, after(10), by=signal.SIGKILL)
    assert [name for name in place.journals() if name.endswith(".journal")] == [
        name for name in held if name.endswith(".journal")
    ]
    assert len(place.open_uploads()) == 1
    finished(place, source)
    place.assert_whole(data_of(30))
