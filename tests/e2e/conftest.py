"""Fixtures that every end-to-end suite shares: a running server, a fresh bucket, a callback receiver, fake DNS."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import oss2
import pytest

from tests.e2e.harness import CallbackReceiver, Server, build_server, need_tool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
BUILD_S = 240
HOSTED_SUFFIXES = (".localhost", ".oss-cn-hangzhou.aliyuncs.com")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the whole session; tests keep apart by buckets of their own. It has as many workers as it has by default."""
    workers = os.environ.get("MOSSAIC_TEST_WORKERS", "auto")
    running = build_server(tmp_path_factory.mktemp("mossaic"), WORKERS=workers).start()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start special servers: `make_server(UPLOAD_REPLAY_S="0")`. All are killed after the test."""
    made: list[Server] = []

    def make(**settings: str) -> Server:
        one = build_server(tmp_path / f"server-{len(made)}", **settings)
        made.append(one)
        return one.start()

    yield make
    for one in made:
        one.kill()


@pytest.fixture
def bucket(server: Server) -> str:
    """The name of a fresh private bucket on the shared server."""
    return new_bucket(server)


def new_bucket(server: Server) -> str:
    """Create a bucket with a name no other test has; the name."""
    name = f"e2e-{secrets.token_hex(6)}"
    auth = oss2.Auth(server.access_key_id, server.access_key_secret)
    oss2.Bucket(auth, server.endpoint, name).create_bucket()
    return name


@pytest.fixture
def receiver() -> Iterator[CallbackReceiver]:
    running = CallbackReceiver()
    yield running
    running.close()


@pytest.fixture(scope="session")
def go_binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Go tests of tests/e2e/go, built."""
    go = need_tool("go")
    target = tmp_path_factory.mktemp("go") / "e2e.test"
    command = [go, "test", "-c", "-o", str(target), "."]
    built = subprocess.run(
        command, cwd=HERE / "go", capture_output=True, text=True, timeout=BUILD_S, check=False
    )
    assert built.returncode == 0, built.stderr
    return target


@pytest.fixture(scope="session")
def java_classpath() -> str:
    """The Maven project of tests/e2e/java, built."""
    need_tool("java")
    project = HERE / "java"
    command = [need_tool("mvn"), "-q", "-B", "process-classes"]
    offline = subprocess.run(
        [*command, "-o"], cwd=project, capture_output=True, text=True, timeout=BUILD_S, check=False
    )
    if offline.returncode != 0:  # the first build fetches the SDK and Maven's plugins
        built = subprocess.run(
            command, cwd=project, capture_output=True, text=True, timeout=BUILD_S, check=False
        )
        assert built.returncode == 0, built.stdout + built.stderr
    return f"{project / 'target/classes'}:{project / 'target/lib'}/*"


@pytest.fixture
def hosted_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resolve *.localhost and Hangzhou's OSS names to loopback in this process, as a redirecting DNS would."""
    resolve = socket.getaddrinfo

    def redirected(host: Any, *rest: Any, **named: Any) -> Any:
        text = host.decode() if isinstance(host, bytes) else host
        known = isinstance(text, str) and f".{text}".endswith(HOSTED_SUFFIXES)
        return resolve("127.0.0.1" if known else host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", redirected)
