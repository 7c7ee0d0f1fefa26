"""Power cuts: what a 200 stands on is on the disk before it is sent, in the only order that a cut cannot break."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from mossaic.app import App
from mossaic.config import Settings, StoreSettings
from tests.crash.strace import attached, need_strace
from tests.e2e.harness import PART, noise, object_etag

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.crash.support import Store
    from tests.e2e.harness import Server

MIB = 1024 * 1024
FULL, NORMAL = 2, 1  # SQLite: PRAGMA synchronous
_BLOB = re.compile(r"/blobs/./.")
_CALL = re.compile(r"^(?P<thread>\d+) +(?:<\.\.\. )?(?P<name>\w+)(?P<resumed> resumed>)?\(?(?P<rest>.*)$")


@pytest.mark.parametrize(("sync", "level"), [(True, FULL), (False, NORMAL)])
async def test_the_live_connection_syncs_every_commit(tmp_path: Path, sync: bool, level: int) -> None:
    app = App.open(Settings(data=str(tmp_path), store=StoreSettings(sync=sync)))
    writer = app.metadata._database._writer

    assert writer.execute("PRAGMA synchronous").fetchone() == (level,)
    assert writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)

    await app.close()


def test_syncing_is_the_default() -> None:
    assert Settings().store.sync is True


@dataclass(frozen=True, kw_only=True)
class Event:
    """A call of the kernel that has ended: what it was to us, whose, and the lines of the log where it began and ended."""

    what: str
    thread: str
    began: int
    ended: int


def events(log: str) -> list[Event]:
    """The calls that matter, by the order of their ends."""
    found: list[Event] = []
    begun: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(log.splitlines()):
        match = _CALL.match(line)
        if match is None:
            continue
        thread, rest = match["thread"], match["rest"]
        if match["resumed"]:
            began, what = begun.pop(thread, (number, ""))
        else:
            began, what = number, _meaning(match["name"], rest)
            if line.endswith("<unfinished ...>"):
                begun[thread] = (began, what)
                continue
        if what:
            assert "= -1" not in line, line
            found.append(Event(what=what, thread=thread, began=began, ended=number))
    return found


def _meaning(call: str, rest: str) -> str:
    if call in {"fdatasync", "fsync"}:
        path = rest.partition("<")[2].partition(">")[0]
        if path.endswith("metadata.db-wal"):
            return "commit"
        if _BLOB.search(path):
            return "file" if path[-3:].count("/") == 0 else "folder"
        # Folders of folders are synced when they are made: at the first start, beside the first requests.
        return ""
    if call in {"write", "writev", "sendto", "sendmsg"} and "HTTP/1.1 200" in rest:
        return "answer"
    return ""


@pytest.fixture
def server(make_server: Callable[..., Server]) -> Server:
    """One process: it is the one that is traced."""
    return make_server(WORKERS="1")


def traced(store: Store, tmp_path: Path, work: Callable[[], object], *options: str) -> list[Event]:
    log = tmp_path / "strace.log"
    assert store.server.process is not None
    calls = "--trace=fdatasync,fsync,write,writev,sendto,sendmsg"
    with attached(store.server.process.pid, "-f", "-y", "-o", str(log), "-s", "16", calls, *options):
        work()
    return events(log.read_text())


def in_order(found: list[Event], *wanted: str) -> None:
    """Each of them there, and ended before the next begins."""
    picked = [next(one for one in found if one.what == what) for what in wanted]
    for earlier, later in pairwise(picked):
        assert earlier.ended < later.began, found


def test_a_part_is_synced_file_and_folder_then_metadata_then_answered(store: Store, tmp_path: Path) -> None:
    need_strace()
    upload_id = store.begin("big")

    found = traced(store, tmp_path, lambda: store.client.upload_part("big", upload_id, 1, noise(PART)))

    assert [one.what for one in found].count("answer") == 1
    in_order(found, "file", "commit", "answer")
    in_order(found, "folder", "commit", "answer")


def test_on_a_slow_disk_the_sync_of_a_part_is_over_before_its_metadata_too(
    store: Store, tmp_path: Path
) -> None:
    """A sync takes 100 ms more, which the first part makes known; that of the second begins in another thread."""
    need_strace()
    upload_id = store.begin("big")

    def two_parts() -> None:
        for number in (1, 2):
            store.client.upload_part("big", upload_id, number, noise(5 * MIB, seed=number))

    found = traced(store, tmp_path, two_parts, "--inject=fdatasync:delay_exit=100000")

    first_answer = next(one for one in found if one.what == "answer")
    of_second = [one for one in found if one.began > first_answer.ended]
    first, second = (one for one in found if one.what == "file")
    assert first.thread != second.thread
    commit = next(one for one in of_second if one.what == "commit")
    assert all(one.ended < commit.began for one in of_second if one.what in {"file", "folder"}), of_second
    in_order(of_second, "commit", "answer")
    assert store.parts("big", upload_id)[2] == object_etag(noise(5 * MIB, seed=2))


def test_an_object_is_synced_file_and_folder_then_metadata_then_answered(
    store: Store, tmp_path: Path
) -> None:
    need_strace()

    found = traced(store, tmp_path, lambda: store.client.put_object("large", noise(200_000)))

    in_order(found, "file", "commit", "answer")
    in_order(found, "folder", "commit", "answer")


def test_steps_without_bytes_are_one_commit_then_the_answer(store: Store, tmp_path: Path) -> None:
    need_strace()
    upload_id = store.begin("big")
    part = store.part("big", upload_id, 1, noise(PART))

    for work in (
        lambda: store.client.complete_multipart_upload("big", upload_id, [part]),
        lambda: store.client.put_object("small", b"lies in the database"),
        lambda: store.client.init_multipart_upload("next"),
    ):
        found = [one for one in traced(store, tmp_path, work) if one.what in {"file", "commit", "answer"}]
        assert [one.what for one in found][:2] == ["commit", "answer"], found
        in_order(found, "commit", "answer")
