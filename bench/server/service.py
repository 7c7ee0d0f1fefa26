"""The service under test: a process of its own on a free port, with everything switched on."""

from __future__ import annotations

import os
import resource
import shlex
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.server.load.loop import ask
from bench.server.load.message import WrongAnswer
from bench.server.load.signer import PAIR, REGION, Signer

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

OURS: Final = f"{shlex.quote(sys.executable)} -m mossaic serve"
_START_S: Final = 60.0
_STOP_S: Final = 30.0
_GLANCE_S: Final = 0.002  # between two looks whether the port is open


class NoStart(Exception):
    """The server did not come up; the text is the end of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A running server. `start_ms`: from its command to its first answer."""

    pid: int
    port: int
    folder: Path
    start_ms: float

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def signer(self) -> Signer:
        return Signer(self.port)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def service(
    folder: Path, command: str = OURS, *, more: Mapping[str, str] | None = None
) -> Generator[Service]:
    """Run `command --listen 127.0.0.1:PORT --data FOLDER/data`: signatures, checksums, sync and access log are on.

    `more`: further environment. Raises NoStart.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    environment = os.environ | {
        "MOSSAIC_ACCESS_KEY_ID": PAIR.access_key_id,
        "MOSSAIC_ACCESS_KEY_SECRET": PAIR.secret,
        "MOSSAIC_REGION": REGION,
        "MOSSAIC_LOG_ACCESS": str(folder / "access.log"),
        **(more or {}),
    }
    words = [*shlex.split(command), "--listen", f"127.0.0.1:{port}", "--data", str(folder / "data")]
    log = folder / "server.log"
    with log.open("wb") as said:
        began = time.perf_counter()
        process = subprocess.Popen(
            words, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
        )
    try:
        _wait(process, port, log)
        start_ms = (time.perf_counter() - began) * 1000
        yield Service(pid=process.pid, port=port, folder=folder, start_ms=start_ms)
    finally:
        _stop(process)


def make_bucket(running: Service) -> None:
    ask(running.port, running.signer.head("PUT"))


def many_files() -> None:
    """Let this process and those that it starts have as many connections as the system allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.perf_counter() + _START_S
    head = f"GET /-/livez HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    while time.perf_counter() < until and process.poll() is None:
        with suppress(ConnectionRefusedError, ConnectionResetError):
            if ask(port, head).status == 200:
                return
        time.sleep(_GLANCE_S)
    raise NoStart(log.read_text(errors="replace")[-2000:])


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Its whole session: nothing that it started stays."""
    for number, patience in ((signal.SIGTERM, _STOP_S), (signal.SIGKILL, 5.0)):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            return
    raise WrongAnswer("the server does not end")
