"""Tells the two meanings of SIGHUP apart: somebody wants files to be read anew, or the terminal went away."""

from __future__ import annotations

import os
import signal
from typing import Final

_TERMINAL: Final = "/dev/tty"  # of the process that opens it


class Terminal:
    """The one that the process has when this is made, if it has one. Made while SIGHUP is ignored, as under `nohup`, it never went."""

    def __init__(self) -> None:
        self._was_there = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN and _is_there()

    def went_away(self) -> bool:
        return self._was_there and not _is_there()


def _is_there() -> bool:
    try:
        os.close(os.open(_TERMINAL, os.O_RDWR | getattr(os, "O_NOCTTY", 0)))
    except OSError:
        return False
    return True
