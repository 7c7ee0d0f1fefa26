"""Who starts the service by hand sees the same, however many processes it has."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.e2e.harness import build_server
from tests.e2e.workers.crew import COUNT, Crew, until

if TYPE_CHECKING:
    from pathlib import Path

END_S = 60.0
CHANGES = re.compile(r"127\.0\.0\.1:\d+|^\d{4}-\d\d-\d\d [\d:,]+", re.MULTILINE)


def session(folder: Path, workers: str) -> tuple[int, str]:
    """Start it in a terminal's foreground, wait until all answer, press Ctrl-C once; its exit code and what it said."""
    server = build_server(folder / workers, WORKERS=workers)
    command = [sys.executable, "-m", "mossaic", "serve", "--listen", server.host, "--data", "data"]
    output = folder / f"{workers}.out"
    with output.open("wb") as out:
        server.process = subprocess.Popen(
            command,
            env=server.env,
            cwd=folder / workers,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        until(lambda: "web page" in output.read_text(), "it says where it is")
        if workers != "1":
            Crew(server=server).whole()
        os.killpg(server.process.pid, signal.SIGINT)  # a terminal tells all of them
        return server.process.wait(END_S), CHANGES.sub("", output.read_text())
    finally:
        server.kill()


def test_one_banner_and_one_quiet_end(tmp_path: Path) -> None:
    one, several = session(tmp_path, "1"), session(tmp_path, str(COUNT))

    assert one == several
    assert one[0] == 0
    assert [line.split(":", 1)[0].strip() for line in one[1].splitlines()] == [
        "mossaic",
        "mossaic",
        "INFO mossaic",
    ]
