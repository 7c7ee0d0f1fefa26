"""What the service costs when nobody asks for anything: start, memory, idle connections."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.server import machine, rows
from bench.server.figure import Reading
from bench.server.load.loop import Line, each
from bench.server.load.message import Request, WrongAnswer
from bench.server.service import make_bucket, service
from bench.server.works import small

if TYPE_CHECKING:
    import socket
    from collections.abc import Generator
    from contextlib import AbstractContextManager

    from bench.server.load.contents import Contents
    from bench.server.service import Service
    from bench.server.stage import Stage

_REST_S: Final = 1.0  # memory is read once the server has been idle for so long
_SLEEP: Final = "import sys, time; print(flush=True); time.sleep(60)"
_WARM: Final = 200  # requests before connections are counted: what is made once is no connection's memory


def start(stage: Stage) -> list[Reading]:
    launched = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    bare = (time.perf_counter() - launched) * 1000
    return [replace(first_answer(_fresh(stage)), limits={rows.INTERPRETER: bare})]


def first_answer(starting: AbstractContextManager[Service]) -> Reading:
    """Start the service, and end it."""
    began = machine.usage(os.getpid())
    with starting as running:
        # Every server is a child of this process: what it and they took is no other's.
        noise = machine.others(began, machine.usage(os.getpid()), 0.0)
        return Reading(row="start", value=running.start_ms, noise=noise)


def memory(stage: Stage) -> list[Reading]:
    with subprocess.Popen([sys.executable, "-c", _SLEEP], stdout=subprocess.PIPE) as bare:
        assert bare.stdout is not None
        bare.stdout.readline()
        limit = machine.memory(bare.pid).proportional
        bare.kill()
    with _fresh(stage) as running:
        time.sleep(_REST_S)
        found = machine.memory(running.pid)
    more = {"resident MiB": found.resident}
    return [Reading(row="memory", value=found.proportional, limits={rows.INTERPRETER: limit}, more=more)]


def connection(stage: Stage) -> list[Reading]:
    """Kept alive after a signed GET of 4 KiB each. The first half fills what was free in the heap, the second half counts."""
    count = stage.scale.connections
    with _fresh(stage) as running, ExitStack() as stack:
        _warm_up(running, stage.contents)
        _connect(running, stack, count)
        before = machine.memory(running.pid).anonymous
        _connect(running, stack, count)
        after = machine.memory(running.pid).anonymous
    return [Reading(row="connection", value=(after - before) * 1024 / count)]


def _connect(running: Service, stack: ExitStack, count: int) -> None:
    """Connections that stay open until `stack` ends."""
    head = running.signer.head("GET", small.key(0))
    for _ in range(count):
        line = Line(running.port)
        stack.callback(line.socket.close)
        line.socket.setblocking(True)
        _one_answer(line.socket, head)
    machine.settle(running.pid)


@contextmanager
def _fresh(stage: Stage) -> Generator[Service]:
    """A server of its own on an empty folder."""
    with (
        tempfile.TemporaryDirectory(dir=stage.folder) as name,
        service(Path(name), stage.command) as running,
    ):
        yield running


def _warm_up(running: Service, contents: Contents) -> None:
    make_bucket(running)
    signer = running.signer
    put = small.put_request(signer, contents, small.key(0), 0)
    get = Request(signer.head("GET", small.key(0)), same=contents.of(0, small.SIZE))
    each(running.port, [put, *[get] * _WARM])


def _one_answer(connection: socket.socket, head: bytes) -> None:
    connection.sendall(head)
    received = b""
    while len(received.partition(b"\r\n\r\n")[2]) < small.SIZE:
        piece = connection.recv(65_536)
        if not piece:
            raise WrongAnswer("an idle connection was closed")
        received += piece
