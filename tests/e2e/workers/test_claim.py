"""A data directory is served by one service at a time."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.e2e.harness import free_port
from tests.e2e.workers.crew import COUNT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.harness import Server


@pytest.mark.parametrize(("first", "second"), [("1", str(COUNT)), (str(COUNT), "1")])
def test_a_second_service_is_refused(make_server: Callable[..., Server], first: str, second: str) -> None:
    server = make_server(WORKERS=first)
    command = [sys.executable, "-m", "mossaic", "serve", "--data", str(server.data), "--workers", second]

    done = subprocess.run(
        [*command, "--listen", f"127.0.0.1:{free_port()}"],
        env=server.env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert f"another mossaic serve uses the data directory {server.data}" in done.stderr
    assert server.request("GET", "/-/readyz")[0] == 200
    server.cli("check")
    server.cli("fsck")
    server.cli("user", "create", "beside")


@pytest.mark.parametrize("workers", ["1", str(COUNT)])
def test_one_that_was_killed_is_not_in_the_way_of_the_next(
    make_server: Callable[..., Server], workers: str
) -> None:
    server = make_server(WORKERS=workers)
    for _ in range(3):
        assert server.process is not None
        server.process.kill()  # and not its workers
        server.process.wait()
        server.start()
