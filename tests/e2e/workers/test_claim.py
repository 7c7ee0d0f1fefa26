"""A data directory is served by one service at a time."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.crash.support import Store, blob_files, status_of
from tests.e2e.harness import free_port, noise
from tests.e2e.workers.crew import COUNT, until

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
def test_one_that_finishes_its_last_requests_is_not_in_the_way(
    make_server: Callable[..., Server], workers: str
) -> None:
    server = make_server(WORKERS=workers)
    store = Store.on(server)
    body = noise(3_000_000)
    with store.raw_part("big", store.begin("big"), 1, body).send(2_000_000) as connection:
        until(lambda: bool(blob_files(server)), "the part arrives")
        first = server.process
        assert first is not None
        first.terminate()
        until(lambda: "stopping" in server.output, "it stops")
        server.start()
        connection.sendall(body[2_000_000:])
        assert status_of(connection) == 200
    assert first.wait(20) == 0


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
