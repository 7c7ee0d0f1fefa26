"""`mossaic …` as a real process with a clean environment, also on a pseudo-terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import subprocess
import sys
import termios
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.harness import Server

_FOREIGN = ("OSS_", "MOSSAIC_", "ALIBABA_CLOUD_", "OSSUTIL_", "NO_COLOR", "XDG_")
_LIMIT_S = 120.0
_PRESS_AGAIN_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Done:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    def rows(self) -> list[list[str]]:
        """The fields of plain lines."""
        return [line.split("\t") for line in self.lines]

    def records(self) -> list[dict[str, Any]]:
        """Objects, one a line."""
        return [json.loads(line) for line in self.lines]

    def error(self) -> dict[str, Any]:
        """The last line of standard error as an object."""
        found: dict[str, Any] = json.loads(self.err.splitlines()[-1])
        return found


@dataclass(kw_only=True)
class Command:
    """The command line of one user. `run` is any, `ok` has to succeed."""

    home: Path
    server: Server
    more: dict[str, str] = field(default_factory=dict)

    def env(self) -> dict[str, str]:
        clean = {name: text for name, text in os.environ.items() if not name.startswith(_FOREIGN)}
        known = {
            "OSS_ACCESS_KEY_ID": self.server.access_key_id,
            "OSS_ACCESS_KEY_SECRET": self.server.access_key_secret,
            "OSS_ENDPOINT": self.server.endpoint,
            "MOSSAIC_STATE_DIR": str(self.home / "state"),
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "COLUMNS": "120",
            "TERM": "xterm",
        }
        merged = clean | known | self.more
        return {name: text for name, text in merged.items() if text != "UNSET"}

    def run(self, *arguments: str, stdin: bytes = b"", **more: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "mossaic", *arguments],
            env={name: text for name, text in (self.env() | more).items() if text != "UNSET"},
            cwd=self.home, input=stdin, capture_output=True, timeout=_LIMIT_S, check=False,
        )  # fmt: skip
        said = Done(code=done.returncode, out=done.stdout.decode(), err=done.stderr.decode())
        assert "Traceback" not in said.err, said.err
        return said

    def ok(self, *arguments: str, stdin: bytes = b"", **more: str) -> Done:
        done = self.run(*arguments, stdin=stdin, **more)
        assert done.code == 0, (arguments, done)
        return done

    def fails(self, code: int, *arguments: str, stdin: bytes = b"", **more: str) -> Done:
        done = self.run(*arguments, stdin=stdin, **more)
        assert done.code == code, (arguments, done)
        return done

    def on_terminal(
        self, *arguments: str, typed: bytes = b"", when: bytes = b"", **more: str
    ) -> tuple[int, str]:
        """Run on a pseudo-terminal; `typed` goes in once `when` was seen. (exit code, everything on the screen).

        Ctrl-C is pressed again every few seconds, as people do: Python drops one that arrives while a finalizer runs.
        """
        master, slave = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "mossaic", *arguments],
            env=self.env() | more, cwd=self.home, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509  # it does one system call
        )  # fmt: skip
        os.close(slave)
        screen, until, pressed_at = b"", time.monotonic() + _LIMIT_S, 0.0
        while time.monotonic() < until:
            ready, _, _ = select.select([master], [], [], 0.2)
            if ready:
                try:
                    chunk = os.read(master, 65536)
                except OSError:  # Linux tells the end of a terminal so
                    break
                if not chunk:
                    break
                screen += chunk
            elif process.poll() is not None:
                break
            if typed and when in screen and time.monotonic() - pressed_at > _PRESS_AGAIN_S:
                os.write(master, typed)
                pressed_at = time.monotonic()
                typed = typed if typed == b"\x03" else b""
        os.close(master)
        return process.wait(_LIMIT_S), screen.decode()


def _take_terminal() -> None:
    """Make standard input the terminal that controls the process, so that a typed Ctrl-C reaches it."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
