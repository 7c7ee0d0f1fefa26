"""The supervisor with workers that do nothing, in a process of its own: when it starts, gives up, and renews."""

from __future__ import annotations

import subprocess
import sys
import textwrap

SETTING = r"""
import os, signal, sys, logging
from mossaic.supervisor import CannotReload, Supervisor

logging.basicConfig(level="INFO", stream=sys.stdout, format="%(message)s")

class Service:
    stop_s = 5.0
    def work(self, post): return 0
    def renewed(self): raise CannotReload("not today")
    def starting(self): pass
    def ended(self, slot): print("slot", slot, "is free", flush=True)
    def answering(self): os.write(1, b"answering\n")
    def stopping(self): print("stopping", flush=True)

def serve(post):
    post.ready()
    while True:
        signal.pause()
"""


def outcome(program: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", SETTING + textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_it_gives_up_when_no_worker_ever_answers() -> None:
    code, said = outcome(r"""
        class Doomed(Service):
            def work(self, post): return 7
        sys.exit(Supervisor(Doomed(), count=2).run())
    """)

    assert code == 1
    assert "died: exit code 7" in said
    assert "no worker can be started; giving up" in said
    assert "answering" not in said


def test_an_exception_of_a_worker_is_its_end_and_nothing_else() -> None:
    code, said = outcome(r"""
        class Broken(Service):
            def work(self, post): raise LookupError("what")
        sys.exit(Supervisor(Broken(), count=1).run())
    """)

    assert code == 1
    assert "LookupError: what" in said


def test_who_dies_is_replaced_and_places_are_not_taken_twice() -> None:
    code, said = outcome(r"""
        class Mortal(Service):
            def work(self, post):
                post.ready()
                os.write(1, b"place %d\n" % post.slot)
                if os.fstat(notes).st_size < 3:
                    os.write(notes, b".")
                    return 3
                os.kill(os.getppid(), signal.SIGTERM)
                while True:
                    signal.pause()
        import tempfile
        file = tempfile.TemporaryFile(buffering=0)
        notes = file.fileno()
        sys.exit(Supervisor(Mortal(), count=1).run())
    """)

    assert code == 0, said
    assert said.count("died: exit code 3") == 3
    assert said.count("place 0") == 4
    assert said.count("answering") == 1


def test_a_reload_that_cannot_be_had_changes_nothing() -> None:
    code, said = outcome(r"""
        class Kept(Service):
            def renewed(self):
                os.kill(os.getpid(), signal.SIGTERM)
                return super().renewed()
            def work(self, post):
                post.ready()
                os.kill(os.getppid(), signal.SIGHUP)
                while True:
                    signal.pause()
        sys.exit(Supervisor(Kept(), count=1).run())
    """)

    assert code == 0, said
    assert "not reloaded: not today" in said
    assert said.count("slot 0 is free") == 1


def test_new_workers_that_die_leave_the_old_ones_in_place() -> None:
    code, said = outcome(r"""
        class Next(Service):
            def work(self, post): return 9
        class First(Service):
            def renewed(self): return Next()
            def work(self, post):
                post.ready()
                os.kill(os.getppid(), signal.SIGHUP)
                while True:
                    signal.pause()
            def ended(self, slot):
                super().ended(slot)
                os.kill(os.getpid(), signal.SIGTERM)
        sys.exit(Supervisor(First(), count=1).run())
    """)

    assert code == 0, said
    assert "not reloaded: one of the new workers died; the old ones go on" in said
    assert "slot 1 is free" in said


def test_a_worker_that_does_not_heed_is_killed_in_the_end() -> None:
    code, said = outcome(r"""
        import mossaic.supervisor
        mossaic.supervisor._KILL_S = 0.1
        class Deaf(Service):
            stop_s = 0.1
            def work(self, post):
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                post.ready()
                os.kill(os.getppid(), signal.SIGTERM)
                while True:
                    signal.pause()
        sys.exit(Supervisor(Deaf(), count=1).run())
    """)

    assert code == 1, said
    assert "is killed: it took too long" in said
