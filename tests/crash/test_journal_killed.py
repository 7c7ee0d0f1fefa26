"""Journals of the SDK against kill -9, rivals, full and read-only disks, and the order in which things reach the disk."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import resource
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pytest

from mossaic.client.store import File, Held, SQLite, StoreError
from tests.crash.journal_keeper import NAME, RECORDS_A_TURN, STORES, THREADS, TURNS
from tests.e2e.harness import need_tool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mossaic.client.store import Journal

ROOT = Path(__file__).parents[2]
ROUNDS = 6
MIB = 1024 * 1024


@pytest.fixture(params=sorted(STORES))
def kind(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


class Keeper:
    """A process of journal_keeper.py."""

    def __init__(self, work: str, kind: str, folder: Path, *before: str) -> None:
        command = [*before, sys.executable, "-m", "tests.crash.journal_keeper", work, kind, str(folder)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def _stream(self, name: str) -> IO[bytes]:
        stream = getattr(self.process, name)
        assert stream is not None
        return stream  # type: ignore[no-any-return]  # Popen's, asked for above

    def hear(self) -> Any:
        line = self._stream("stdout").readline()
        assert line, self._stream("stderr").read().decode()
        return json.loads(line)

    def kill(self) -> list[Any]:
        """SIGKILL; all that it had said and was not yet heard. A line that was cut was not said."""
        self.process.kill()
        rest = self._stream("stdout").read()
        self.process.wait(20)
        assert self.process.returncode == -signal.SIGKILL, self._stream("stderr").read().decode()
        return [json.loads(line) for line in rest[: rest.rfind(b"\n") + 1].splitlines()]

    def end(self) -> Any:
        """The last thing it says when its input ends; it must end well."""
        out, err = self.process.communicate(timeout=120)
        assert self.process.returncode == 0, err.decode()
        return json.loads(out.splitlines()[-1]) if out else None


@pytest.fixture
def start(kind: str, folder: Path) -> Iterator[Any]:
    """Starts keepers over the folder: `start("append")`."""
    begun: list[Keeper] = []

    def make(work: str, *before: str) -> Keeper:
        begun.append(Keeper(work, kind, folder, *before))
        return begun[-1]

    yield make
    for keeper in begun:
        if keeper.process.poll() is None:
            keeper.process.kill()
        keeper.process.communicate()


def test_all_that_was_appended_before_a_kill_is_there_and_in_order(
    start: Any, kind: str, folder: Path
) -> None:
    """Of a killed process the durable and the other records survive alike: both are in the kernel's hands."""
    said: list[list[int]] = []
    for turn in range(ROUNDS):
        keeper = start("append")
        said += [keeper.hear() for _ in range(1 + 37 * turn)]
        said += keeper.kill()

        with closing(STORES[kind](folder).open(NAME)) as journal:  # free at once
            records = journal.records()
        there = [[record["run"], record["thread"], record["number"]] for record in records]
        missing = [record for record in said if record not in there]
        assert missing == []
        assert STORES[kind](folder).peek(NAME) == records
        for run in {run for run, _, _ in there}:
            for thread in range(THREADS):
                numbers = [number for a, b, number in there if (a, b) == (run, thread)]
                assert numbers == list(range(len(numbers)))


def test_a_kill_in_a_replacement_leaves_the_old_records_or_the_new_ones(
    start: Any, kind: str, folder: Path
) -> None:
    last = 0
    for turn in range(ROUNDS):
        keeper = start("replace")
        heard = [keeper.hear() for _ in range(1 + 3 * turn)] + keeper.kill()
        last = heard[-1]

        with closing(STORES[kind](folder).open(NAME)) as journal:
            records = journal.records()
        turns = {record["turn"] for record in records}
        numbers = [record["number"] for record in records]
        assert len(turns) == 1
        assert turns <= {last, last + 1}
        assert numbers in (list(range(RECORDS_A_TURN)), list(range(RECORDS_A_TURN + 1)))
        if turns == {last}:
            assert len(numbers) == RECORDS_A_TURN + 1  # it had said so


def test_a_rival_is_told_who_holds_the_name_and_has_it_at_once_after_a_kill(
    start: Any, kind: str, folder: Path
) -> None:
    store = STORES[kind](folder)
    keeper = start("hold")
    assert keeper.hear() == "held"

    with pytest.raises(Held) as held:
        store.open(NAME)
    assert held.value.pid == keeper.process.pid
    store.open("another name").close()
    keeper.kill()
    journal = store.open(NAME)

    rival = start("hold")
    assert rival.hear() == {"held by": os.getpid()}
    journal.close()
    last = start("hold")
    assert last.hear() == "held"
    last.end()
    store.open(NAME).discard()


def test_of_contending_processes_one_at_a_time_has_it_through_replacements_and_discards(
    start: Any, kind: str, folder: Path
) -> None:
    keepers = [start("contend") for _ in range(4)]

    reports = [keeper.end() for keeper in keepers]

    assert [report["done"] for report in reports] == [TURNS] * 4
    assert sum(report["waited"] for report in reports) > 0  # they did meet
    assert not list(folder.glob("*.held"))


def test_many_processes_that_open_a_new_store_at_once_do_not_trip_over_each_other(
    start: Any, kind: str, folder: Path
) -> None:
    keepers = [start("hold") for _ in range(8)]

    heard = [keeper.hear() for keeper in keepers]

    assert heard.count("held") == 1
    holder = keepers[heard.index("held")].process.pid
    assert {word["held by"] for word in heard if word != "held"} <= {holder, None}
    for keeper in keepers:
        keeper.end()


def test_processes_that_make_a_store_together_each_keep_their_own_name(
    start: Any, kind: str, folder: Path
) -> None:
    keepers = [start("begin") for _ in range(8)]

    names = [keeper.end() for keeper in keepers]

    assert sorted(STORES[kind](folder).names()) == sorted(names)
    assert all(STORES[kind](folder).peek(name) == [{"of": name}] for name in names)


# --- disks that are full or must not be written -----------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB. Needs root, for the mount."""
    need_tool("mount")
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={MIB}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small file system cannot be mounted here: that needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextlib.contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """No file of this process may grow beyond so many bytes: what a full disk does, without root."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(512))


def append_until_refused(journal: Journal, pad: int = 700) -> list[dict[str, object]]:
    accepted: list[dict[str, object]] = []
    while True:
        record: dict[str, object] = {"number": len(accepted), "pad": "x" * pad}
        try:
            journal.append(record, durable=len(accepted) % 5 == 0)
        except StoreError:
            return accepted
        accepted.append(record)


def test_on_a_full_disk_nothing_accepted_is_lost_and_it_goes_on_when_there_is_room(
    kind: str, small_disk: Path
) -> None:
    store = STORES[kind](small_disk / "state")
    journal = store.open(NAME)
    journal.append({"number": -1}, durable=True)
    (small_disk / "filler").write_bytes(bytes(MIB * 3 // 5))

    accepted = append_until_refused(journal)
    fill(small_disk / "rest")
    for _ in range(3):
        append_until_refused(journal, pad=5000)
        with pytest.raises(StoreError):
            journal.replace([{"number": number, "pad": "z" * 500} for number in range(1000)])

    kept = journal.records()
    assert kept[: len(accepted) + 1] == [{"number": -1}, *accepted]
    (small_disk / "filler").unlink()
    (small_disk / "rest").unlink()
    journal.append({"after": True}, durable=True)
    journal.close()
    after = STORES[kind](small_disk / "state").peek(NAME)
    assert after[: len(kept)] == kept
    assert after[-1] == {"after": True}


def test_on_a_full_disk_a_new_journal_is_refused_and_leaves_nothing(kind: str, small_disk: Path) -> None:
    store = STORES[kind](small_disk / "state")
    with closing(store.open(NAME)) as journal:
        journal.append({"number": 1}, durable=True)
    fill(small_disk / "filler")

    with contextlib.suppress(StoreError), closing(store.open("another")) as other:
        other.append({"number": 1, "pad": "x" * 5000})
        pytest.fail("a record found room on a full disk")

    assert list((small_disk / "state").glob("*.held")) == []
    assert list(store.names()) == [NAME]
    assert store.peek(NAME) == [{"number": 1}]
    (small_disk / "filler").unlink()
    with closing(store.open("another")) as other:
        other.append({"number": 2}, durable=True)


@pytest.mark.parametrize("limit", range(150, 500, 7))
def test_a_record_that_fits_in_part_is_taken_back_as_a_whole(folder: Path, limit: int) -> None:
    """A disk that becomes full in the middle of a line."""
    store = File(folder)
    journal = store.open(NAME)
    accepted: list[dict[str, object]] = []
    with no_file_beyond(limit):
        for number in range(20):
            record: dict[str, object] = {"number": number, "pad": "x" * 30}
            try:
                journal.append(record)
            except StoreError as error:
                full = error
                break
            accepted.append(record)
        else:
            pytest.fail("nothing was refused")
        assert isinstance(full.__cause__, OSError)
        assert full.__cause__.errno == errno.EFBIG
        (path,) = folder.glob("*.journal")
        assert path.read_bytes().endswith(b"\n")
        assert store.peek(NAME) == accepted

    journal.append({"after": True})
    journal.close()
    assert store.peek(NAME) == [*accepted, {"after": True}]


def test_sqlite_takes_back_what_finds_no_room(folder: Path) -> None:
    store = SQLite(folder / "journals.db")
    journal = store.open(NAME)
    journal.append({"number": -1}, durable=True)
    (wal,) = folder.glob("*-wal")
    with no_file_beyond(wal.stat().st_size + 20_000):
        accepted = append_until_refused(journal)

    journal.append({"after": True}, durable=True)
    journal.close()
    assert store.peek(NAME) == [{"number": -1}, *accepted, {"after": True}]


def read_only(folder: Path) -> Iterator[None]:
    """Root may write whatever the mode says, so for root it is the mount that refuses."""
    if os.geteuid() != 0:
        folder.chmod(0o500)
        yield
        folder.chmod(0o700)
        return
    need_tool("mount")
    done = subprocess.run(["mount", "--bind", str(folder), str(folder)], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("nothing can be mounted here")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True, capture_output=True)
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_directory_that_must_not_be_written_is_refused_but_read(kind: str, folder: Path) -> None:
    store = STORES[kind](folder)
    with closing(store.open(NAME)) as journal:
        journal.append({"number": 1}, durable=True)

    with contextlib.contextmanager(read_only)(folder):
        for name in (NAME, "another"):
            with pytest.raises(StoreError):
                store.open(name)
        assert store.peek(NAME) == [{"number": 1}]
        assert list(store.names()) == [NAME]

    with closing(store.open(NAME)) as journal:
        assert journal.records() == [{"number": 1}]


def test_a_place_that_cannot_be_made_is_a_store_error(kind: str, folder: Path) -> None:
    folder.mkdir()
    with contextlib.contextmanager(read_only)(folder), pytest.raises(StoreError):
        STORES[kind](folder / "deep" / "er").open(NAME)


# --- power failures ---------------------------------------------------------------------------------------------------


def calls_of(log: str, folder: Path) -> list[str]:
    """What the kernel was asked to do with the journal and its directory, as `pwrite64 journal`, in order."""
    found: list[str] = []
    for line in log.splitlines():
        match = re.match(r"(?:\d+ +)?(\w+)\((.*)\) += (\d+)", line)
        if match is None or str(folder) not in match[2]:
            continue
        names = re.findall(rf"[<\"]{re.escape(str(folder))}(/[^>\"]*)?[>\"]", match[2])
        suffixes = [Path(name).suffix.removeprefix(".") or "directory" for name in names]
        if suffixes and suffixes[0] != "held":
            found.append(" ".join([match[1], *suffixes]))
    return [
        call for call in found if call.split()[0] in {"pwrite64", "fdatasync", "fsync", "rename", "unlink"}
    ]


def watched(kind: str, folder: Path, tmp_path: Path) -> list[str]:
    """The calls of the keeper's work `open_once`."""
    need_tool("strace")
    log = tmp_path / "strace.log"
    calls = "--trace=pwrite64,fdatasync,fsync,rename,renameat,renameat2,unlink,unlinkat"
    keeper = Keeper("open_once", kind, folder, "strace", "-f", "-y", "-s", "0", calls, "-o", str(log))
    _, err = keeper.process.communicate(timeout=60)
    if keeper.process.returncode != 0 and b"ptrace" in err:
        pytest.skip("this machine does not allow tracing")
    assert keeper.process.returncode == 0, err.decode()
    return calls_of(log.read_text(), folder)


def test_what_a_promise_stands_on_reaches_the_disk_before_the_promise(folder: Path, tmp_path: Path) -> None:
    calls = watched("File", folder, tmp_path)

    assert [call for call in calls if not call.startswith("unlink new")] == [
        "pwrite64 journal",  # the first line
        "pwrite64 journal",
        "fdatasync journal",
        "fsync directory",  # the file's name, once
        "pwrite64 journal",
        "fdatasync journal",
        "pwrite64 new",
        "fdatasync new",
        "rename new journal",
        "fsync directory",
        "unlink journal",
        "fsync directory",
    ]


def test_sqlite_syncs_its_log_for_every_promise(folder: Path, tmp_path: Path) -> None:
    with closing(SQLite(folder / "journals.db").open("another")) as journal:
        journal.append({"number": 1})  # the tables are there

    calls = watched("SQLite", folder, tmp_path)

    log = [call.split()[0] for call in calls if call.endswith(" db-wal")]
    turns = [call for call, before in zip(log, ["", *log], strict=False) if call != before]
    promises = 4  # two durable records, the replacement, the end; before them the log's head
    assert turns[: 2 * (1 + promises)] == ["pwrite64", "fdatasync"] * (1 + promises)
