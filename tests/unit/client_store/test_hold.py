"""Lock files: who has it, who is gone, and file systems without flock."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from mossaic.client.store import hold as hold_module
from mossaic.client.store.hold import Busy, take

if TYPE_CHECKING:
    from pathlib import Path

    from mossaic.client.store.hold import Locking


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "name.held"


@pytest.fixture(params=["flock", "file"])
def locking(request: pytest.FixtureRequest) -> Locking:
    return request.param  # type: ignore[no-any-return]  # the two above


def a_finished_process() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
        return process.pid


def test_it_tells_who_holds_it_and_is_gone_when_let_go(path: Path, locking: Locking) -> None:
    hold = take(path, locking)
    with pytest.raises(Busy) as busy:
        take(path, locking)
    assert busy.value.pid == os.getpid()

    hold.release()

    assert not path.exists()
    take(path, locking).release()


def test_what_a_dead_process_left_is_taken_over(path: Path, locking: Locking) -> None:
    path.write_text(f"{a_finished_process()} {socket.gethostname()}\n")

    hold = take(path, locking)

    assert path.read_text() == f"{os.getpid()} {socket.gethostname()}\n"
    with pytest.raises(Busy):
        take(path, locking)
    hold.release()
    assert list(path.parent.iterdir()) == []


def test_what_an_earlier_process_of_our_number_left_is_taken_over(path: Path) -> None:
    """In a container the program has the same number after every restart."""
    path.write_text(f"{os.getpid()} {socket.gethostname()}\n")

    take(path, "file").release()


def test_a_lock_file_of_a_living_process_is_respected(path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        path.write_text(f"{sleeper.pid} {socket.gethostname()}\n")
        with pytest.raises(Busy) as busy:
            take(path, "file")
        sleeper.kill()

    assert busy.value.pid == sleeper.pid
    take(path, "file").release()


def test_a_lock_file_of_another_host_is_respected_and_its_number_is_not_told(path: Path) -> None:
    path.write_text(f"{a_finished_process()} another-host.example\n")

    with pytest.raises(Busy) as busy:
        take(path, "file")

    assert busy.value.pid is None


def test_a_lock_file_that_was_just_made_is_respected_and_an_old_empty_one_is_not(path: Path) -> None:
    path.touch()
    with pytest.raises(Busy):
        take(path, "file")

    os.utime(path, (1, 1))
    take(path, "file").release()


def test_a_clearing_that_was_killed_does_not_block_for_ever(path: Path) -> None:
    path.write_text(f"{a_finished_process()} {socket.gethostname()}\n")
    guard = path.with_name(path.name + ".clearing")
    guard.touch()
    with pytest.raises(Busy):
        take(path, "file")

    os.utime(guard, (1, 1))
    take(path, "file").release()
    assert list(path.parent.iterdir()) == []


def test_without_flock_the_files_existence_is_the_lock(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unsupported)

    hold = take(path)
    with pytest.raises(Busy) as busy:
        take(path)
    assert busy.value.pid == os.getpid()
    with pytest.raises(OSError, match="not supported"):
        take(path, "flock")
    hold.release()
    assert list(path.parent.iterdir()) == []


def test_a_lock_file_that_goes_before_it_can_be_locked_is_no_hold(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its holder lets go between our opening it and our locking it: we would hold a file that nobody finds any more."""
    flock = fcntl.flock
    goes = [path]

    def late(descriptor: int, operation: int) -> None:
        if goes:
            goes.pop().unlink()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    hold = take(path, "flock")

    assert path.exists()
    with pytest.raises(Busy):
        take(path, "flock")
    hold.release()


def test_a_lock_file_that_goes_by_itself_is_not_taken_for_a_stale_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Removing what is gone would remove what the next holder makes at that moment."""
    told = hold_module._told
    goes, removed = [path], []
    unlink = type(path).unlink

    def late(asked: Path) -> object:
        if goes:
            unlink(goes.pop())
        return told(asked)

    def noted(self: Path, missing_ok: bool = False) -> None:
        removed.append(self)
        unlink(self, missing_ok)

    path.touch()
    monkeypatch.setattr(hold_module, "_told", late)
    monkeypatch.setattr(type(path), "unlink", noted)
    take(path, "file")

    assert (goes, removed) == ([], [])


def test_letting_go_counts_while_a_forked_child_still_has_the_descriptor(path: Path) -> None:
    reading, writing = os.pipe()
    hold = take(path, "flock")
    child = os.fork()
    if child == 0:
        os.close(writing)
        os.read(reading, 1)  # until the parent is done
        os._exit(0)

    before = path.open("rb")
    hold.release()
    fcntl.flock(before, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises when the child's copy still locks it

    before.close()
    os.close(reading)
    os.close(writing)
    os.waitpid(child, 0)


def test_of_many_threads_that_take_it_in_turn_one_has_it_at_a_time(path: Path, locking: Locking) -> None:
    threads = 6
    start = threading.Barrier(threads)
    inside: list[int] = []

    def work(thread: int) -> int:
        start.wait()
        turns = 0
        for _ in range(500):
            try:
                hold = take(path, locking)
            except Busy:
                continue
            inside.append(thread)
            assert inside == [thread]
            inside.remove(thread)
            turns += 1
            hold.release()
        return turns

    with ThreadPoolExecutor(threads) as pool:
        assert sum(pool.map(work, range(threads))) > 0
    assert list(path.parent.iterdir()) == []


def test_who_takes_it_in_the_middle_of_a_release_keeps_it(
    path: Path, locking: Locking, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[object] = []
    next_one = threading.Thread(target=lambda: taken.append(take(path, locking)))
    unlink = type(path).unlink

    def unlink_and_look_away(self: Path, missing_ok: bool = False) -> None:
        unlink(self, missing_ok)
        if self == path and not next_one.ident:
            next_one.start()
            next_one.join(0.3)  # it may have to wait for the rest of the release

    hold = take(path, locking)
    monkeypatch.setattr(type(path), "unlink", unlink_and_look_away)
    hold.release()
    next_one.join(20)

    assert len(taken) == 1
    with pytest.raises(Busy):
        take(path, locking)


def test_of_many_threads_that_take_over_one_gets_it(path: Path, locking: Locking) -> None:
    threads = 8
    gone = a_finished_process()
    start = threading.Barrier(threads)

    def work(_: int) -> object:
        start.wait()
        try:
            return take(path, locking)
        except Busy:
            return None

    with ThreadPoolExecutor(threads) as pool:
        for _ in range(50):
            path.write_text(f"{gone} {socket.gethostname()}\n")
            holds = [hold for hold in pool.map(work, range(threads)) if hold is not None]
            assert len(holds) == 1
            holds[0].release()  # type: ignore[attr-defined]  # a Hold
