"""Samples find their floor by the innermost place of ours."""

from __future__ import annotations

import pytest

from bench.server.profile.groups import IDLE, LOOP, Group, Place, group_of, grouped
from bench.server.profile.report import table

ROOT = "/srv/lib/mossaic"
LIBRARY = "/usr/lib/python3.11"


def ours(path: str, function: str = "work", text: str = "call()") -> Place:
    return Place(f"{ROOT}/{path}", function, 1, text)


def theirs(path: str, function: str = "run") -> Place:
    return Place(f"{LIBRARY}/{path}", function, 1, "call()")


@pytest.mark.parametrize(
    ("place", "group"),
    [
        (ours("gateway/http/framing.py"), "framing"),
        (ours("gateway/http/reader.py", text="count = self._socket.recv_into(buffer)"), "kernel: receive"),
        (ours("gateway/http/channel.py", text="self.transport.write(data)"), "kernel: send"),
        (ours("stores/blobs/files.py", text="os.write(self._descriptor, data)"), "kernel: write"),
        (ours("stores/blobs/disk.py", text="os.fdatasync(descriptor)"), "kernel: reserve, sync"),
        (ours("service/intake.py", text="digest.update(piece)"), "MD5"),
        (ours("protocol/checksum.py", text="return _fastcrc.xz(data, value)"), "CRC-64"),
        (ours("service/intake.py", text="md5=received.md5"), "service"),
        (ours("gateway/route.py"), "address and route"),
        (ours("protocol/signing/v4.py"), "signature"),
        (ours("gateway/admit.py", "authenticate"), "signature"),
        (ours("gateway/admit.py", "authorize"), "policy"),
        (ours("model/policy.py"), "policy"),
        (ours("stores/sql/objects.py"), "store: metadata"),
        (ours("gateway/plain_get.py"), "decode and answer"),
        (ours("gateway/repeats/template.py"), "repeats"),
        (ours("telemetry.py"), "log and metrics"),
        (ours("cli/serve.py"), LOOP),
        (ours("workers.py", "run"), LOOP),
        (ours("threads.py", "_run"), IDLE),
        (theirs("asyncio/events.py"), LOOP),
    ],
)
def test_a_place_belongs_to_a_floor(place: Place, group: str) -> None:
    assert group_of([place, ours("gateway/pipeline.py")] if place.path else [place])[0] == group


def test_code_of_others_counts_for_whoever_of_us_called_it() -> None:
    stack = [theirs("hmac.py"), ours("protocol/signing/request.py", "mac"), ours("gateway/admit.py")]

    assert group_of(stack) == ("signature", "protocol/signing/request.py:mac")


def test_a_thread_that_waits_uses_nothing_and_its_time_goes_to_what_it_was_seen_doing() -> None:
    hashing = [ours("service/intake.py", text="digest.update(piece)")]
    writing = [ours("stores/blobs/files.py", text="os.write(a, b)")]
    waiting = [theirs("queue.py", "get"), theirs("concurrent/futures/thread.py")]

    groups = grouped([("worker", hashing, 3.0), ("worker", writing, 1.0), ("worker", waiting, 4.0)])

    assert {name: group.seconds for name, group in groups.items()} == {"MD5": 6.0, "kernel: write": 2.0}


def test_a_thread_that_only_waits_is_shown_as_waiting() -> None:
    groups = grouped([("idle", [theirs("threading.py", "wait")], 0.5)])

    assert list(groups) == [IDLE]


def test_the_table_gives_shares_and_costs_most_first() -> None:
    groups = grouped(
        [("main", [ours("telemetry.py", "write")], 1.0), ("main", [ours("gateway/route.py", "find")], 3.0)]
    )

    lines = table(groups, 0.5, "us").splitlines()

    assert lines[2] == "| address and route | 6.00 | 75.0% | `gateway/route.py:find` 75% |"
    assert lines[3] == "| log and metrics | 2.00 | 25.0% | `telemetry.py:write` 25% |"
    assert lines[4] == "| all | 8.00 | 100% | |"
    assert isinstance(groups["log and metrics"], Group)
