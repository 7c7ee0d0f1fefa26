"""SIGHUP: settings and files are read anew while clients go on as if nothing had happened."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import termios
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import oss2
import pytest

from tests.e2e.harness import Server, build_server, noise, self_signed
from tests.e2e.workers.crew import COUNT, Crew, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROUNDS = 3


def test_under_load_no_request_fails(make_crew: Callable[..., Crew]) -> None:
    crew = make_crew()
    crew.client("load").create_bucket()
    stop = threading.Event()
    failures: list[Exception] = []
    done = [0] * 4

    def work(number: int, one_line: bool) -> None:
        client = crew.client("load")
        try:
            while not stop.is_set():
                key = f"k{number}-{done[number]}"
                line = client if one_line else crew.client("load")
                line.put_object(key, key.encode() * 100)
                assert client.get_object(key).read() == key.encode() * 100
                done[number] += 1
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number, number % 2 == 0)) for number in range(len(done))]
    for thread in threads:
        thread.start()
    try:
        for _ in range(ROUNDS):
            before, at = crew.workers(), list(done)
            reloaded = crew.said("reloaded")
            crew.reload()
            until(reloaded, "the new workers answer")
            until(lambda before=before: not set(before) & set(crew.workers()), "the old workers are gone")
            until(
                lambda at=at: failures or all(map(int.__gt__, done, at)), "everybody has done something since"
            )
    finally:
        stop.set()
        for thread in threads:
            thread.join()

    assert failures == []
    assert len(crew.workers()) == COUNT


def test_an_upload_that_was_on_its_way_is_finished_by_the_old_workers(make_crew: Callable[..., Crew]) -> None:
    crew = make_crew(HTTP_SHUTDOWN_S="0.1")  # of no matter for a reload
    client = crew.client("slow")
    client.create_bucket()
    data = noise(3_000_000)
    url = client.sign_url("PUT", "big", 600)
    with socket.create_connection(("127.0.0.1", crew.server.port), timeout=20) as line:
        path = url.removeprefix(crew.server.endpoint)
        head = f"PUT {path} HTTP/1.1\r\nHost: {crew.server.host}\r\nContent-Length: {len(data)}\r\n\r\n"
        line.sendall(head.encode() + data[:1_500_000])
        until(lambda: crew.metric("mossaic_leases") == 1, "the body is on its way")
        before = crew.workers()
        reloaded = crew.said("reloaded")
        crew.reload()
        until(reloaded, "the new workers answer")
        until(lambda: len(set(before) & set(crew.workers())) == 1, "one old worker has nothing to finish")

        line.sendall(data[1_500_000:])

        assert line.recv(4096).startswith(b"HTTP/1.1 200")
    assert client.get_object("big").read() == data
    until(lambda: not set(before) & set(crew.workers()), "the other one is done, too")


def test_another_reload_has_no_patience_with_what_the_one_before_left(make_crew: Callable[..., Crew]) -> None:
    crew = make_crew(HTTP_SHUTDOWN_S="0.1")
    client = crew.client("slow")
    client.create_bucket()
    path = client.sign_url("PUT", "big", 600).removeprefix(crew.server.endpoint)
    with socket.create_connection(("127.0.0.1", crew.server.port), timeout=20) as line:
        head = f"PUT {path} HTTP/1.1\r\nHost: {crew.server.host}\r\nContent-Length: 3000000\r\n\r\n"
        line.sendall(head.encode() + noise(1_500_000))
        until(lambda: crew.metric("mossaic_leases") == 1, "the body is on its way")
        for _ in range(2):
            before = crew.workers()
            reloaded = crew.said("reloaded")
            crew.reload()
            until(reloaded, "the new workers answer")

        until(lambda: len(crew.workers()) == COUNT, "the first workers are gone")
    assert not set(before) & set(crew.workers())
    assert not client.object_exists("big")


def _take_the_terminal() -> None:
    """As a shell does for what it starts, whether these tests run under nohup or not."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.mark.parametrize("workers", ["1", str(COUNT)])
def test_when_its_terminal_goes_away_the_service_stops(tmp_path: Path, workers: str) -> None:
    server = build_server(tmp_path, WORKERS=workers)
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "mossaic", "serve", "--listen", server.host, "--data", str(server.data)]
    process = subprocess.Popen(
        command,
        env=server.env,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=_take_the_terminal,  # noqa: PLW1509  # this test has none
    )
    os.close(theirs)
    try:
        until(lambda: _answers(server), "it serves")

        os.close(ours)

        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


def test_settings_of_the_file_are_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "mossaic.toml"
    file.write_text('region = "cn-hangzhou"\nmax_buckets = 1\n')
    crew, ends = _with_file(tmp_path, file)
    try:
        crew.client("first").create_bucket()
        _expect_too_many(crew)

        file.write_text('region = "cn-hangzhou"\nmax_buckets = 2\n')
        reloaded = crew.said("reloaded")
        crew.reload()
        until(reloaded, "the new workers answer")

        crew.client("second").create_bucket()
    finally:
        ends()


def test_what_cannot_be_reloaded_is_refused_and_the_old_workers_go_on(tmp_path: Path) -> None:
    file = tmp_path / "mossaic.toml"
    file.write_text("max_buckets = 1\n")
    crew, ends = _with_file(tmp_path, file)
    try:
        before = set(crew.workers())
        for text, words in (
            ('account_id = "77"\n', "not reloaded: account_id was changed"),
            ("max_buckets = 0\n", "not reloaded: "),
            ("nonsense = 1\n", "not reloaded: "),
            ('[tls]\ncertificate = "/nowhere.pem"\n', "not reloaded: cannot use the certificate"),
        ):
            file.write_text(text)
            refused = crew.said(words)
            crew.reload()
            until(refused, words)

        assert set(crew.workers()) == before
        crew.client("first").create_bucket()
        _expect_too_many(crew)
    finally:
        ends()


def test_a_certificate_is_exchanged_with_several_workers(
    make_crew: Callable[..., Crew], tmp_path: Path
) -> None:
    first, second = _certificates(tmp_path)
    crew = make_crew(**first)
    assert _shown_certificate(crew.server) == _pem(first)

    shutil.copy(second["TLS_CERTIFICATE"], first["TLS_CERTIFICATE"])
    shutil.copy(second["TLS_KEY"], first["TLS_KEY"])
    reloaded = crew.said("reloaded")
    crew.reload()
    until(reloaded, "the new workers answer")

    until(lambda: _shown_certificate(crew.server) == _pem(second), "the new certificate is shown")


def test_a_certificate_is_exchanged_with_one_process(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    first, second = _certificates(tmp_path)
    crew = Crew(server=make_server(WORKERS="1", **first))
    old = _pem(first)
    certificate, key = tmp_path / "first" / "tls.pem", tmp_path / "first" / "tls.key"

    certificate.write_text("nothing of use")
    refused = crew.said("the certificate stays as it was")
    crew.reload()
    until(refused, "the bad one is refused")
    assert _shown_certificate(crew.server) == old

    shutil.copy(second["TLS_CERTIFICATE"], certificate)
    shutil.copy(second["TLS_KEY"], key)
    taken = crew.said("the certificate was read anew")
    crew.reload()
    until(taken, "the good one is taken")
    assert _shown_certificate(crew.server) == _pem(second)


def test_counts_go_on_over_reloads_and_deaths(make_crew: Callable[..., Crew]) -> None:
    crew = make_crew()
    clients = crew.clients("counted")
    name = 'mossaic_requests_total{operation="GetBucketStat",status="2xx"}'
    for client in clients:
        client.get_bucket_stat()
    until(lambda: crew.metric(name) == len(clients), "all are counted")

    reloaded = crew.said("reloaded")
    crew.reload()
    until(reloaded, "the new workers answer")
    assert crew.metric(name) == len(clients)
    for pid in crew.workers():
        os.kill(pid, signal.SIGKILL)
    until(lambda: crew.metric("mossaic_workers") == COUNT, "there are new ones")

    assert crew.metric(name) == len(clients)
    crew.client("counted").get_bucket_stat()
    until(lambda: crew.metric(name) == len(clients) + 1, "the next one is counted")


def _answers(server: Server) -> bool:
    with suppress(OSError):
        return server.request("GET", "/-/livez")[0] == 200
    return False


def _with_file(tmp_path: Path, file: Path) -> tuple[Crew, Callable[[], object]]:
    server = build_server(tmp_path / "server", WORKERS=str(COUNT))
    for name in ("MAX_BUCKETS", "ACCOUNT_ID"):
        del server.env[f"MOSSAIC_{name}"]
    server.options = ("--config", str(file))
    return Crew(server=server.start()).whole(), server.kill


def _expect_too_many(crew: Crew) -> None:
    with pytest.raises(oss2.exceptions.ServerError) as caught:
        crew.client("second").create_bucket()
    assert caught.value.code == "TooManyBuckets"


def _certificates(tmp_path: Path) -> tuple[dict[str, str], dict[str, str]]:
    folders = (tmp_path / "first", tmp_path / "second")
    for folder in folders:
        folder.mkdir()
    first, second = map(self_signed, folders)
    return first, second


def _pem(settings: dict[str, str]) -> str:
    with open(settings["TLS_CERTIFICATE"]) as file:  # noqa: PTH123
        return file.read().strip()


def _shown_certificate(server: Server) -> str:
    return ssl.get_server_certificate(("127.0.0.1", server.port)).strip()
