"""A terminal that goes away, and processes for which that is of no matter."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import fcntl, os, signal, sys, termios, time
from mossaic.terminal import Terminal

ours, theirs = os.openpty()
here, there = os.pipe()
started = os.pipe()
if os.fork() == 0:
    os.close(ours)
    os.setsid()
    fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
    os.close(theirs)
    signal.signal(signal.SIGHUP, signal.SIG_IGN if sys.argv[1] == "nohup" else signal.SIG_DFL)
    terminal = Terminal()
    signal.signal(signal.SIGHUP, lambda *_: None)
    before = terminal.went_away()
    os.write(started[1], b".")
    while os.path.exists("/dev/tty"):
        try:
            os.close(os.open("/dev/tty", os.O_RDWR))
        except OSError:
            break
        time.sleep(0.01)
    os.write(there, f"{before} {terminal.went_away()}".encode())
    os._exit(0)
os.close(theirs)
os.close(there)
os.read(started[0], 1)
os.close(ours)
print(os.read(here, 100).decode())
"""


@pytest.mark.parametrize(("how", "said"), [("plain", "False True"), ("nohup", "False False")])
def test_it_is_noticed_unless_nobody_shall_hear_of_it(how: str, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout.strip() == said
