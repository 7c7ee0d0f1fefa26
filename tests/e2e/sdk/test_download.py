"""Downloads with the SDK: whole or not at all, resumed, never mixed, whatever the line, the object or the process does."""

from __future__ import annotations

import contextlib
import io
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mossaic.client.client import Client
from mossaic.client.credentials import Static
from mossaic.client.download.handle import Download
from mossaic.client.errors import (
    ChecksumMismatch,
    DeadlineExceeded,
    DownloadCancelled,
    NetworkError,
    NoSuchKey,
    ObjectChanged,
    PreconditionFailed,
)
from mossaic.client.options import Timeout
from mossaic.client.store import File, Memory
from mossaic.client.transfer.events import Event
from mossaic.client.upload.progress import Progress
from mossaic.protocol.checksum import crc64
from tests.e2e.harness import PART, Server, noise, statement
from tests.e2e.sdk.conftest import connect
from tests.faults.proxy import FaultProxy, Rule, Seen

BIG = noise(10 * PART + 77)  # eleven ranges
GET = r"^GET /[^?]*/big"


@pytest.fixture
def state(tmp_path: Path) -> File:
    return File(tmp_path / "state")


@pytest.fixture
def direct(server: Server, bucket: str, state: File) -> Iterator[Client]:
    with connect(server, bucket, part_size=PART, parallel=2, store=state) as made:
        made.put("big", BIG)
        yield made


@pytest.fixture
def broken(server: Server, bucket: str, proxy: FaultProxy, direct: Client, state: File) -> Iterator[Client]:
    """Through the proxy; `big` is there."""
    with connect(server, bucket, endpoint=proxy.endpoint, part_size=PART, parallel=2, store=state) as made:
        yield made


def beside(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.part"))


def starts(proxy: FaultProxy) -> list[int]:
    """Where the ranges that were asked for begin."""
    return [start for start in map(start_of, proxy.seen) if start is not None]


def start_of(seen: Seen) -> int | None:
    match = re.match(r"bytes=(\d+)-", seen.headers.get("range", ""))
    return int(match[1]) if match else None


def is_whole(seen: Seen) -> bool:
    """A range from its first byte on, not the rest of one that was cut."""
    return (start_of(seen) or 0) % PART == 0


def cancel_after(parts: int, options: dict[str, Any] | None = None) -> tuple[dict[str, Any], list[Download]]:
    """Options with which the download that is put into the list is cancelled once so many parts are there."""
    running: list[Download] = []
    seen: list[Event] = []

    def hear(event: Event) -> None:
        seen.append(event)
        if sum(each.kind == "part" for each in seen) >= parts:
            running[0].cancel()

    return {"on_event": hear, **(options or {})}, running


def cancelled(client: Client, target: Path, *, parts: int = 3, **options: Any) -> DownloadCancelled:
    given, running = cancel_after(parts, options)
    download = client._new_download("big", target, given)  # type: ignore[arg-type]
    running.append(download)
    with pytest.raises(DownloadCancelled) as caught:
        download.run()
    return caught.value


# --- whole --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "size", [0, 1, PART - 1, PART, PART + 1, 3 * PART], ids="none one under part over three".split()
)
def test_every_size_arrives_whole(client: Client, tmp_path: Path, size: int) -> None:
    data = noise(size, seed=size)
    client.put("file", data)

    result = client.download("file", tmp_path / "out", part_size=PART, resume="never")

    assert (tmp_path / "out").read_bytes() == data
    assert (result.size, result.crc64, result.path) == (size, crc64(data), str(tmp_path / "out"))
    assert result.parts == max(1, -(-size // PART))
    assert beside(tmp_path) == []


def test_a_small_object_takes_one_request_and_no_journal(
    server: Server, bucket: str, direct: Client, tmp_path: Path, state: File
) -> None:
    direct.put("small", b"hello")

    direct.download("small", tmp_path / "out")

    asked = [line["operation"] for line in server.log_lines(bucket=bucket) if line["key"] == "small"]
    assert asked == ["PutObject", "GetObject"]
    assert not state.directory.exists()


def test_a_large_object_needs_no_request_but_its_ranges(
    server: Server, bucket: str, direct: Client, tmp_path: Path, state: File
) -> None:
    result = direct.download("big", tmp_path / "out")

    lines = [line for line in server.log_lines(bucket=bucket) if line["operation"] != "PutObject"]
    assert [line["operation"] for line in lines if line["key"] == "big"] == ["GetObject"] * 11
    assert (tmp_path / "out").read_bytes() == BIG
    assert result.parts == 11
    assert list(state.names()) == []


def test_progress_never_falls_and_ends_at_the_whole(direct: Client, tmp_path: Path) -> None:
    heard: list[Progress] = []

    direct.download("big", tmp_path / "out", progress=heard.append)

    sent = [each.sent for each in heard]
    assert sent == sorted(sent)
    assert heard[-1].phase == "done"
    assert (heard[-1].sent, heard[-1].stored, heard[-1].total) == (len(BIG), len(BIG), len(BIG))
    assert (heard[-1].parts_done, heard[-1].parts_total) == (11, 11)
    assert "receiving" in {each.phase for each in heard}


def test_a_file_object_gets_the_bytes_in_order(direct: Client) -> None:
    target = io.BytesIO()

    result = direct.download("big", target)

    assert target.getvalue() == BIG
    assert (result.path, result.crc64) == (None, crc64(BIG))


def test_a_target_that_takes_a_few_bytes_at_a_time_gets_all(direct: Client) -> None:
    class Slow(io.RawIOBase):
        got = b""

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.got += bytes(data[:1000])
            return min(1000, len(data))

    target = Slow()
    direct.download("big", target)

    assert target.got == BIG


def test_a_pipe_is_written_to_and_not_replaced(direct: Client, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()

    direct.download("big", pipe)

    reader.join(10)
    assert got == [BIG]
    assert pipe.is_fifo()


def test_a_symbolic_link_is_followed_on_both_sides(direct: Client, tmp_path: Path) -> None:
    direct.symlink("link", "big")
    (tmp_path / "real").write_bytes(b"before")
    (tmp_path / "alias").symlink_to("real")

    direct.download("link", tmp_path / "alias")

    assert (tmp_path / "alias").is_symlink()
    assert (tmp_path / "real").read_bytes() == BIG


def test_an_appendable_object_arrives(direct: Client, tmp_path: Path) -> None:
    direct.append("log", BIG, 0)
    direct.append("log", b"tail", len(BIG))

    direct.download("log", tmp_path / "out")

    assert (tmp_path / "out").read_bytes() == BIG + b"tail"


def test_a_file_keeps_its_mode_and_a_new_one_has_the_usual(direct: Client, tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"")
    (tmp_path / "old").chmod(0o640)
    (tmp_path / "plain").write_bytes(b"")

    direct.download("big", tmp_path / "old")
    direct.download("big", tmp_path / "new")

    assert (tmp_path / "old").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_name_as_long_as_names_may_be(direct: Client, tmp_path: Path) -> None:
    target = tmp_path / ("ä" * 127)

    direct.download("big", target)

    assert target.read_bytes() == BIG


# --- refused ------------------------------------------------------------------------------------------------------------


def test_a_failed_download_leaves_the_target_as_it_was(direct: Client, tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"precious")

    with pytest.raises(NoSuchKey):
        direct.download("nothing", tmp_path / "out")

    assert (tmp_path / "out").read_bytes() == b"precious"


def test_an_existing_file_is_refused_where_that_is_wanted(
    server: Server, bucket: str, direct: Client, tmp_path: Path
) -> None:
    (tmp_path / "out").write_bytes(b"precious")

    with pytest.raises(FileExistsError):
        direct.download("big", tmp_path / "out", overwrite=False)

    assert (tmp_path / "out").read_bytes() == b"precious"
    assert server.log_lines(bucket=bucket, operation="GetObject") == []


def test_a_file_made_while_it_came_is_not_replaced(direct: Client, tmp_path: Path) -> None:
    def hear(event: Event) -> None:
        if event.kind == "part":
            (tmp_path / "out").write_bytes(b"precious")

    with pytest.raises(FileExistsError):
        direct.download("big", tmp_path / "out", overwrite=False, on_event=hear)

    assert (tmp_path / "out").read_bytes() == b"precious"
    assert beside(tmp_path) == []


def test_a_folder_is_no_target(direct: Client, tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        direct.download("big", tmp_path)
    with pytest.raises(FileNotFoundError):
        direct.download("big", tmp_path / "none" / "out")


def test_another_etag_than_the_wanted_one_is_refused(direct: Client, tmp_path: Path) -> None:
    with pytest.raises(PreconditionFailed):
        direct.download("big", tmp_path / "out", if_match="0" * 32)

    assert direct.download("big", tmp_path / "out", if_match=direct.head("big").etag).size == len(BIG)


def test_bytes_that_are_not_the_objects_are_never_published(
    broken: Client, proxy: FaultProxy, tmp_path: Path, state: File
) -> None:
    (tmp_path / "out").write_bytes(b"precious")
    facts = {
        "ETag": '"A"',
        "x-oss-hash-crc64ecma": "5",
        "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT",
    }
    proxy.add(Rule(pattern="/small", answer=(200, facts, b"hello")))

    with pytest.raises(ChecksumMismatch):
        broken.download("small", tmp_path / "out")

    assert (tmp_path / "out").read_bytes() == b"precious"
    assert beside(tmp_path) == []


def test_without_a_crc_the_size_is_what_counts(broken: Client, proxy: FaultProxy, tmp_path: Path) -> None:
    facts = {"ETag": '"A"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
    proxy.add(Rule(pattern="/small", answer=(200, facts, b"hello")))

    result = broken.download("small", tmp_path / "out")

    assert (tmp_path / "out").read_bytes() == b"hello"
    assert (result.info.crc64, result.crc64) == (None, crc64(b"hello"))


# --- a bad line ---------------------------------------------------------------------------------------------------------


def test_a_range_that_is_cut_goes_on_behind_the_last_byte(
    broken: Client, proxy: FaultProxy, tmp_path: Path
) -> None:
    for skip in (
        0,
        3,
        6,
    ):  # of the ranges that are asked for the first time: how soon one is asked for again is open
        proxy.add(Rule(pattern=GET, skip=skip, when=is_whole, cut_answer=PART // 2))

    result = broken.download("big", tmp_path / "out")

    assert (tmp_path / "out").read_bytes() == BIG
    assert result.retries == 3
    inside = [start % PART for start in starts(proxy) if start % PART]
    assert len(inside) == 3
    assert all(PART // 4 < at < PART // 2 for at in inside)  # the head of the answer is counted, too
    assert len(starts(proxy)) == 11 + 3


def test_a_small_object_and_a_file_object_go_on_as_well(
    broken: Client, proxy: FaultProxy, tmp_path: Path
) -> None:
    proxy.add(Rule(pattern=GET, times=4, cut_answer=5000))
    target = io.BytesIO()

    broken.download("big", target)
    broken.download("big", tmp_path / "out", part_size=1 << 24)

    assert target.getvalue() == BIG
    assert (tmp_path / "out").read_bytes() == BIG


def test_refusals_that_pass_are_waited_out(broken: Client, proxy: FaultProxy, tmp_path: Path) -> None:
    proxy.add(Rule(pattern=GET, skip=2, times=2, answer=(503, {}, b"")))

    result = broken.download("big", tmp_path / "out")

    assert (tmp_path / "out").read_bytes() == BIG
    assert result.retries == 2


def test_a_line_that_stays_dead_ends_in_a_state_to_go_on_from(
    broken: Client, proxy: FaultProxy, tmp_path: Path
) -> None:
    proxy.add(Rule(pattern=GET, skip=5, times=1000, cut_answer=0))
    with pytest.raises(NetworkError):
        broken.download("big", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert len(beside(tmp_path)) == 1
    proxy.clear()
    before = len(proxy.seen)

    result = broken.download("big", tmp_path / "out")

    assert (tmp_path / "out").read_bytes() == BIG
    assert result.resumed_bytes >= 4 * PART
    assert len(proxy.seen) - before == 1 + 11 - 5  # HeadObject and what was missing
    assert beside(tmp_path) == []


def test_silence_counts_as_a_broken_line(
    server: Server, bucket: str, proxy: FaultProxy, direct: Client, tmp_path: Path
) -> None:
    release = threading.Event()
    proxy.add(Rule(pattern=GET, skip=4, call=lambda _: release.wait(20) and None))
    with connect(
        server, bucket, endpoint=proxy.endpoint, part_size=PART, timeout=Timeout(idle=0.2), store=Memory()
    ) as client:
        client.download("big", tmp_path / "out")
    release.set()

    assert (tmp_path / "out").read_bytes() == BIG


def test_a_deadline_holds_for_the_whole(broken: Client, proxy: FaultProxy, tmp_path: Path) -> None:
    release = threading.Event()
    proxy.add(Rule(pattern=GET, skip=4, times=100, call=lambda _: release.wait(20) and None))

    with pytest.raises(DeadlineExceeded):
        broken.download("big", tmp_path / "out", deadline=0.5)

    release.set()
    assert len(beside(tmp_path)) == 1


# --- an object that changes ----------------------------------------------------------------------------------------------


def test_an_object_replaced_in_the_middle_is_never_mixed(
    broken: Client, proxy: FaultProxy, direct: Client, tmp_path: Path, state: File
) -> None:
    (tmp_path / "out").write_bytes(b"precious")
    proxy.add(Rule(pattern=GET, skip=4, call=lambda _: direct.put("big", noise(len(BIG), seed=2)) and None))

    with pytest.raises(ObjectChanged):
        broken.download("big", tmp_path / "out")

    assert (tmp_path / "out").read_bytes() == b"precious"
    assert beside(tmp_path) == []
    assert list(state.names()) == []


def test_an_object_deleted_in_the_middle_is_told_the_same_way(
    broken: Client, proxy: FaultProxy, direct: Client, tmp_path: Path
) -> None:
    proxy.add(Rule(pattern=GET, skip=4, call=lambda _: direct.delete("big") and None))

    with pytest.raises(ObjectChanged):
        broken.download("big", tmp_path / "out")

    assert beside(tmp_path) == []


def test_where_there_are_versions_the_one_that_was_begun_is_finished(
    broken: Client, proxy: FaultProxy, direct: Client, tmp_path: Path
) -> None:
    direct.put_versioning("Enabled")
    first = direct.put("big", BIG)
    proxy.add(Rule(pattern=GET, skip=4, call=lambda _: direct.put("big", noise(len(BIG), seed=2)) and None))

    result = broken.download("big", tmp_path / "out")

    assert (tmp_path / "out").read_bytes() == BIG
    assert result.version_id == first.version_id


def test_an_older_version_is_brought_by_its_id(direct: Client, tmp_path: Path) -> None:
    direct.put_versioning("Enabled")
    first = direct.put("big", BIG)
    direct.put("big", noise(len(BIG), seed=2))

    direct.download("big", tmp_path / "out", version_id=first.version_id)

    assert (tmp_path / "out").read_bytes() == BIG


def test_who_may_not_name_versions_downloads_nevertheless(
    server: Server, bucket: str, direct: Client, tmp_path: Path
) -> None:
    direct.put_versioning("Enabled")
    direct.put("big", BIG)
    pair = server.make_user(
        f"reader-{bucket}", statement("Allow", "oss:GetObject", f"acs:oss:*:*:{bucket}/*")
    )
    with connect(
        server, bucket, credentials=Static(*pair), part_size=PART, parallel=2, store=Memory()
    ) as reader:
        reader.download("big", tmp_path / "out")

    assert (tmp_path / "out").read_bytes() == BIG


def test_another_object_since_the_last_attempt_is_begun_anew(
    broken: Client, proxy: FaultProxy, direct: Client, tmp_path: Path
) -> None:
    cancelled(broken, tmp_path / "out")
    other = noise(len(BIG), seed=3)
    direct.put("big", other)
    heard: list[Event] = []

    result = broken.download("big", tmp_path / "out", on_event=heard.append)

    assert (tmp_path / "out").read_bytes() == other
    assert result.resumed_bytes == 0
    assert [each.kind for each in heard].count("discarded") == 1
    assert beside(tmp_path) == []


# --- interrupted ---------------------------------------------------------------------------------------------------------


def test_a_cancelled_download_goes_on_and_fetches_only_what_is_missing(
    broken: Client, proxy: FaultProxy, tmp_path: Path, state: File
) -> None:
    told = cancelled(broken, tmp_path / "out", parts=4)
    assert told.resumable
    assert not (tmp_path / "out").exists()
    before = set(starts(proxy)[: len(proxy.seen)])
    proxy.seen.clear()

    result = broken.download("big", tmp_path / "out")

    assert (tmp_path / "out").read_bytes() == BIG
    assert result.resumed_bytes >= 4 * PART
    again = [start for start in starts(proxy) if start in before and start % PART == 0]
    assert len(again) <= 2  # the two that were under way and had brought nothing
    assert list(state.names()) == []
    assert beside(tmp_path) == []


def test_what_was_touched_since_is_fetched_again(broken: Client, proxy: FaultProxy, tmp_path: Path) -> None:
    cancelled(broken, tmp_path / "out", parts=4)
    part = tmp_path / beside(tmp_path)[0]
    with part.open("r+b") as file:
        file.seek(10)
        byte = file.read(1)
        file.seek(10)
        file.write(bytes([byte[0] ^ 1]))
    heard: list[Event] = []

    broken.download("big", tmp_path / "out", on_event=heard.append)

    assert (tmp_path / "out").read_bytes() == BIG
    assert [each.about["part_number"] for each in heard if each.kind == "unverified"] == [1]


def test_a_lost_part_file_means_a_new_beginning(broken: Client, tmp_path: Path) -> None:
    cancelled(broken, tmp_path / "out")
    (tmp_path / beside(tmp_path)[0]).unlink()

    broken.download("big", tmp_path / "out")

    assert (tmp_path / "out").read_bytes() == BIG
    assert beside(tmp_path) == []


def test_an_aborted_download_leaves_nothing(direct: Client, tmp_path: Path, state: File) -> None:
    running: list[Download] = []

    def hear(event: Event) -> None:
        if event.kind == "part":
            running[0].abort()

    running.append(direct._new_download("big", tmp_path / "out", {"on_event": hear}))
    with pytest.raises(DownloadCancelled) as caught:
        running[0].run()

    assert not caught.value.resumable
    assert beside(tmp_path) == []
    assert list(state.names()) == []


def test_never_to_be_resumed_means_nothing_is_left(direct: Client, tmp_path: Path, state: File) -> None:
    told = cancelled(direct, tmp_path / "out", resume="never")

    assert not told.resumable
    assert beside(tmp_path) == []
    assert not state.directory.exists()


def test_a_pause_cuts_the_line_and_going_on_finishes(
    broken: Client, proxy: FaultProxy, tmp_path: Path
) -> None:
    paused = threading.Event()
    running: list[Download] = []

    def hear(event: Event) -> None:
        if event.kind == "part" and not paused.is_set():
            running[0].pause()
            paused.set()

    running.append(broken._new_download("big", tmp_path / "out", {"on_event": hear}))
    download = running[0].start()
    assert paused.wait(10)
    with pytest.raises(TimeoutError):
        download.result(0.3)
    parts = download.progress.parts_done
    download.resume()

    download.result(20)

    assert parts < 11
    assert (tmp_path / "out").read_bytes() == BIG
    kinds = [each.kind for each in download.events()]
    assert "paused" in kinds
    assert "continued" in kinds


def test_two_downloads_to_one_target_do_not_meet(direct: Client, tmp_path: Path) -> None:
    both = [direct.start_download("big", tmp_path / "out") for _ in range(2)]

    for each in both:
        each.result(20)

    assert (tmp_path / "out").read_bytes() == BIG
    assert beside(tmp_path) == []


KILLED = """
    import sys
    from mossaic.client.client import Client
    from mossaic.client.credentials import Static
    from mossaic.client.store import File
    endpoint, bucket, key, secret, state, target = sys.argv[1:]
    client = Client(endpoint, bucket=bucket, credentials=Static(key, secret), part_size=102400, parallel=2,
                    store=File(state))
    client.download("big", target)
"""


def test_a_killed_download_goes_on(
    server: Server, bucket: str, broken: Client, proxy: FaultProxy, tmp_path: Path, state: File
) -> None:
    hold, release = threading.Event(), threading.Event()

    def stop(_: Any) -> None:
        hold.set()
        release.wait(20)

    proxy.add(Rule(pattern=GET, skip=6, times=100, call=stop))
    arguments = [
        proxy.endpoint,
        bucket,
        server.access_key_id,
        server.access_key_secret,
        str(state.directory),
        str(tmp_path / "out"),
    ]
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(KILLED), *arguments])
    assert hold.wait(20)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    release.set()
    proxy.clear()
    proxy.seen.clear()
    assert not (tmp_path / "out").exists()

    result = broken.download("big", tmp_path / "out")

    assert (tmp_path / "out").read_bytes() == BIG
    assert (
        result.resumed_bytes >= 4 * PART
    )  # of the six that had been asked for two may have been on their way
    assert len(starts(proxy)) <= 7
    assert beside(tmp_path) == []
    assert list(state.names()) == []


def test_a_full_disk_is_told_and_leaves_nothing(server: Server, direct: Client, tmp_path: Path) -> None:
    script = textwrap.dedent("""
        import resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300000, 300000))
    """)
    arguments = [
        direct.endpoint,
        direct.bucket or "",
        server.access_key_id,
        server.access_key_secret,
        str(tmp_path / "state"),
        str(tmp_path / "out"),
    ]
    done = subprocess.run(
        [sys.executable, "-c", script + textwrap.dedent(KILLED), *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.returncode == 1
    assert "OSError" in done.stderr
    assert not (tmp_path / "out").exists()
    assert beside(tmp_path) == []


def test_a_bandwidth_limit_may_change_while_it_runs(direct: Client, tmp_path: Path) -> None:
    download = direct.start_download("big", tmp_path / "out", bandwidth=20_000)
    with contextlib.suppress(TimeoutError):
        download.result(0.3)
    held = download.progress.sent
    download.set_bandwidth(None)

    download.result(20)

    assert held < len(BIG) // 2
    assert (tmp_path / "out").read_bytes() == BIG
