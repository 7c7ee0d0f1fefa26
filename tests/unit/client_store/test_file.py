"""Journals as files: torn and garbled ends, who may read them, what stays in the directory."""

from __future__ import annotations

import json
import os
import stat
import threading
import zlib
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mossaic.client.store import File, Held, StoreError, user_state_dir
from mossaic.client.store import file as file_module

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "upload\nbucket\nphotos/a b.jpg"
RECORDS: list[dict[str, object]] = [{"number": number, "etag": "E" * number} for number in range(1, 7)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


def given_journal(folder: Path, records: list[dict[str, object]] = RECORDS) -> Path:
    with closing(File(folder).open(NAME)) as journal:
        for record in records:
            journal.append(record)
    (path,) = folder.glob("*.journal")
    return path


@pytest.fixture
def journal_file(folder: Path) -> tuple[Path, bytes]:
    """A finished journal's path and content."""
    path = given_journal(folder)
    return path, path.read_bytes()


def whole_lines(data: bytes) -> int:
    """How many records stand before the cut: the lines that are whole, without the first."""
    return max(0, data.count(b"\n") - 1)


def test_cut_at_every_byte_all_records_before_the_cut_come_back_and_writing_goes_on(folder: Path) -> None:
    path = given_journal(folder)
    whole = path.read_bytes()
    store = File(folder)

    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        kept = RECORDS[: whole_lines(whole[:length])]
        assert store.peek(NAME) == kept

        with closing(store.open(NAME)) as journal:
            assert journal.records() == kept
            journal.append({"after": length})
        assert store.peek(NAME) == [*kept, {"after": length}]


@pytest.mark.parametrize(
    "tail", [b"\0" * 4096, b"\n", b"\n\n\n", b"{}\n", b'{"number":7} 00000000\n', b"\xff\xfe", b" "]
)
def test_an_end_that_is_not_ours_is_cut_off(folder: Path, tail: bytes) -> None:
    path = given_journal(folder)
    whole = path.read_bytes()
    path.write_bytes(whole + tail)

    assert File(folder).peek(NAME) == RECORDS
    with closing(File(folder).open(NAME)) as journal:
        journal.append({"after": True})

    assert File(folder).peek(NAME) == [*RECORDS, {"after": True}]
    assert path.read_bytes().startswith(whole)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(data=st.data())
def test_a_flipped_byte_costs_what_stands_behind_it_and_nothing_before(
    folder: Path, journal_file: tuple[Path, bytes], data: st.DataObject
) -> None:
    path, whole = journal_file
    at = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[at]))
    path.write_bytes(whole[:at] + bytes([other]) + whole[at + 1 :])

    kept = RECORDS[: whole_lines(whole[:at])]

    assert File(folder).peek(NAME) == kept
    with closing(File(folder).open(NAME)) as journal:
        assert journal.records() == kept


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(garbage=st.binary(max_size=300))
def test_a_file_of_garbage_is_an_empty_journal(
    folder: Path, journal_file: tuple[Path, bytes], garbage: bytes
) -> None:
    journal_file[0].write_bytes(garbage)

    assert File(folder).peek(NAME) == []
    with closing(File(folder).open(NAME)) as journal:
        assert journal.records() == []
        journal.append({"number": 1})
    assert File(folder).peek(NAME) == [{"number": 1}]


def test_lines_behind_a_damaged_one_never_count_again(folder: Path) -> None:
    """Without a checksum that covers the lines before, overwriting the damaged line would bring the old ones back."""
    path = given_journal(folder)
    lines = path.read_bytes().splitlines(keepends=True)
    third = lines[3]
    damaged = third.replace(b"EEE", b"EXE")
    repaired = damaged[:-10] + b" %08x\n" % zlib.crc32(damaged[:-10])
    path.write_bytes(b"".join([*lines[:3], repaired, *lines[4:]]))

    assert File(folder).peek(NAME) == RECORDS[:2]


def test_a_line_that_is_missing_or_there_twice_ends_the_journal(folder: Path) -> None:
    path = given_journal(folder)
    lines = path.read_bytes().splitlines(keepends=True)

    path.write_bytes(b"".join([*lines[:3], *lines[4:]]))
    assert File(folder).peek(NAME) == RECORDS[:2]
    path.write_bytes(b"".join([*lines[:3], lines[2], *lines[3:]]))
    assert File(folder).peek(NAME) == RECORDS[:2]


def test_a_journal_of_a_later_version_is_refused_and_left_alone(folder: Path) -> None:
    path = given_journal(folder)
    first = json.dumps(["mossaic-journal", 2, NAME]).encode()
    later = first + b" %08x\n" % zlib.crc32(first)
    path.write_bytes(later)

    with pytest.raises(StoreError, match="later version"):
        File(folder).open(NAME)
    with pytest.raises(StoreError, match="later version"):
        File(folder).peek(NAME)
    assert list(File(folder).names()) == []
    assert path.read_bytes() == later
    assert list(folder.glob("*.held")) == []


def test_a_journal_under_another_names_file_is_refused_and_left_alone(folder: Path) -> None:
    path = given_journal(folder)
    with closing(File(folder).open("other")) as journal:
        journal.append({"of": "other"})
    (other,) = set(folder.glob("*.journal")) - {path}
    path.replace(other)

    with pytest.raises(StoreError, match="moved"):
        File(folder).open("other")
    assert File(folder).peek("other") == []
    assert list(File(folder).names()) == []
    other.replace(path)
    assert File(folder).peek(NAME) == RECORDS


def test_the_file_is_lines_that_a_person_can_read(folder: Path) -> None:
    path = given_journal(folder, [{"kind": "part", "number": 1}])

    first, second = path.read_text().splitlines()
    assert first.startswith('["mossaic-journal",1,"upload\\nbucket\\nphotos/a b.jpg"] ')
    assert second.startswith('{"kind":"part","number":1} ')
    assert path.name.endswith("-upload-bucket-photos-a-b.jpg.journal")
    assert len(path.name.split("-")[0]) == 64


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_only_its_owner_can_read_from_the_first_moment(folder: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        store = File(folder / "new" / "deep")
        journal = store.open(NAME)
        journal.append({"number": 1})
        seen = {path: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}
        journal.replace([{"number": 2}])
        seen |= {path: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}
        journal.close()
    finally:
        os.umask(before)

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert len(seen) == 4  # two directories, the journal, its lock
    assert {mode for path, mode in seen.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in seen.items() if not path.is_dir()} == {0o600}


def test_a_directory_that_is_there_keeps_its_mode(folder: Path) -> None:
    folder.mkdir(mode=0o755)
    given_journal(folder)

    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_a_planted_symbolic_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    path = given_journal(folder)
    victim = tmp_path / "victim"
    victim.write_text("precious")
    path.unlink()
    path.symlink_to(victim)

    with pytest.raises(StoreError):
        File(folder).open(NAME)
    assert victim.read_text() == "precious"


def test_when_all_is_discarded_the_directory_is_empty(folder: Path) -> None:
    store = File(folder)
    for name in ("a", "b"):
        journal = store.open(name)
        journal.append({"number": 1})
        journal.replace([{"number": 2}])
        journal.discard()
    store.open("c").close()

    assert list(folder.iterdir()) == []


def test_what_a_killed_replace_left_is_removed_by_the_next_opener(folder: Path) -> None:
    path = given_journal(folder)
    left = path.with_name(path.name + ".new")
    left.write_bytes(path.read_bytes()[:50])

    with closing(File(folder).open(NAME)) as journal:
        assert journal.records() == RECORDS
        assert not left.exists()


def test_other_files_in_the_directory_are_no_journals(folder: Path) -> None:
    given_journal(folder)
    (folder / "notes.txt").write_text("mine")
    (folder / "x.journal").write_text("not one")
    (folder / "d.journal").mkdir()

    assert list(File(folder).names()) == [NAME]


def test_replacing_puts_another_file_there_and_the_hold_is_on_the_name(folder: Path) -> None:
    path = given_journal(folder)
    journal = File(folder).open(NAME)
    before = path.stat().st_ino
    kept_open = path.open("rb")  # so that the number is not given again

    journal.replace([{"number": 9}])

    assert path.stat().st_ino != before
    with pytest.raises(Held):
        File(folder).open(NAME)
    journal.append({"number": 10})
    assert File(folder).peek(NAME) == [{"number": 9}, {"number": 10}]
    kept_open.close()
    journal.close()


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was brought to the disk, in order."""
    seen: list[str] = []
    sync_file, sync_directory = file_module.sync_file, file_module.sync_directory

    def file_too(descriptor: int) -> None:
        seen.append("file")
        sync_file(descriptor)

    def directory_too(path: Path) -> None:
        seen.append("directory")
        sync_directory(path)

    monkeypatch.setattr(file_module, "sync_file", file_too)
    monkeypatch.setattr(file_module, "sync_directory", directory_too)
    return seen


def test_a_durable_record_is_synced_with_the_files_name_the_first_time(
    folder: Path, synced: list[str]
) -> None:
    journal = File(folder, sync_every_s=3600).open(NAME)
    journal.append({"number": 1})
    assert synced == []
    journal.append({"number": 2}, durable=True)
    assert synced == ["file", "directory"]
    journal.append({"number": 3}, durable=True)
    assert synced == ["file", "directory", "file"]
    journal.close()
    assert len(synced) == 3  # nothing was left to sync


def test_other_records_are_synced_by_who_finds_the_time_passed_and_by_close(
    folder: Path, synced: list[str]
) -> None:
    eager = File(folder, sync_every_s=0).open(NAME)
    eager.append({"number": 1})
    eager.append({"number": 2})
    eager.close()
    assert synced == ["file", "directory", "file"]

    synced.clear()
    with closing(File(folder, sync_every_s=3600).open(NAME)) as patient:
        patient.append({"number": 3})
        patient.append({"number": 4})
        assert synced == []
    assert synced == ["file", "directory"]


def test_one_sync_serves_all_who_wait_for_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = File(folder, sync_every_s=3600).open(NAME)
    begun, go_on = threading.Semaphore(0), threading.Event()
    sync_file = file_module.sync_file
    syncs: list[int] = []

    def slow(descriptor: int) -> None:
        syncs.append(descriptor)
        begun.release()
        assert go_on.wait(20)
        sync_file(descriptor)

    monkeypatch.setattr(file_module, "sync_file", slow)
    waiting = [
        threading.Thread(target=journal.append, args=({"number": number},), kwargs={"durable": True})
        for number in range(10)
    ]
    waiting[0].start()
    assert begun.acquire(timeout=20)
    for thread in waiting[1:]:
        thread.start()
    journal.append({"number": 10})  # a slow disk keeps nobody from appending
    while len(journal.records()) < 11:
        assert any(thread.is_alive() for thread in waiting)
    go_on.set()
    for thread in waiting:
        thread.join(20)
        assert not thread.is_alive()

    assert len(syncs) == 2
    journal.close()


def failing_once(error: OSError, call: Callable[[int], None]) -> Callable[[int], None]:
    errors = [error]

    def sometimes(descriptor: int) -> None:
        if errors:
            raise errors.pop()
        call(descriptor)

    return sometimes


def test_after_a_failed_sync_the_next_one_writes_everything_anew(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Linux forgets pages that it could not write, and the next fsync succeeds without them."""
    path = given_journal(folder)
    journal = File(folder, sync_every_s=3600).open(NAME)
    before = path.stat().st_ino
    kept_open = path.open("rb")
    monkeypatch.setattr(
        file_module, "sync_file", failing_once(OSError(5, "Input/output error"), file_module.sync_file)
    )

    with pytest.raises(StoreError, match="sync"):
        journal.append({"number": 7}, durable=True)
    journal.append({"number": 8}, durable=True)

    assert path.stat().st_ino != before
    assert File(folder).peek(NAME) == [*RECORDS, {"number": 7}, {"number": 8}]
    kept_open.close()
    journal.close()


def test_a_forked_child_can_neither_write_nor_let_go(folder: Path) -> None:
    store = File(folder)
    journal = store.open(NAME)
    journal.append({"number": 1})
    refused = 0
    child = os.fork()
    if child == 0:
        try:
            for work in (journal.records, journal.discard, lambda: journal.append({"number": 2})):
                try:
                    work()
                except StoreError:
                    refused += 1
            journal.close()
        finally:
            os._exit(0 if refused == 3 else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with pytest.raises(Held):
        store.open(NAME)
    journal.append({"number": 3})
    journal.close()
    assert store.peek(NAME) == [{"number": 1}, {"number": 3}]


def test_the_directory_does_not_follow_a_change_of_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = File("state")
    monkeypatch.chdir("/")

    store.open(NAME).close()

    assert (tmp_path / "state").is_dir()


def test_a_file_where_the_directory_should_be_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    store = File(tmp_path / "state")

    with pytest.raises(StoreError):
        store.open(NAME)
    with pytest.raises(StoreError):
        list(store.names())


# --- where the state belongs ------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("MOSSAIC_STATE_DIR", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_by_default_the_state_is_in_the_users_state_directory(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert user_state_dir() == home / ".local/state/mossaic"
    assert File().directory == user_state_dir()
    monkeypatch.setattr("sys.platform", "darwin")
    assert user_state_dir() == home / "Library/Application Support/mossaic"


def test_the_environment_says_where_the_state_belongs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "xdg"))
    assert user_state_dir() == home / "xdg/mossaic"
    monkeypatch.setenv("MOSSAIC_STATE_DIR", "~/own")
    assert user_state_dir() == home / "own"
    monkeypatch.setenv("MOSSAIC_STATE_DIR", "")
    assert user_state_dir() == home / "xdg/mossaic"


def test_a_relative_xdg_directory_is_ignored(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_STATE_HOME", "relative/state")

    assert user_state_dir() == home / ".local/state/mossaic"


def test_only_opening_makes_the_directory(home: Path) -> None:
    store = File()
    list(store.names())
    store.peek("name")

    assert list(home.iterdir()) == []
