"""Run the works against a service of its own, and print each figure beside the limit it is measured against."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench import limits
from bench.client import PAIR, Client

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 1024 * 1024
PART = 100 * 1024
SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Figure:
    """`limit` is in the same unit; None where there is none to compare with."""

    work: str
    value: float
    unit: str
    limit: float | None = None
    against: str = ""

    def line(self) -> str:
        ratio = "" if not self.limit else f"{self.value / self.limit:6.2f}"
        shown = "" if not self.limit else f"{self.limit:10,.0f}"
        return f"| {self.work:<34} | {self.value:10,.1f} {self.unit:<5} | {shown:>10} | {ratio:>6} | {self.against} |"


@contextmanager
def service(folder: Path) -> Iterator[int]:
    """A `mossaic serve` with everything on: signatures, checksums, sync, access log."""
    env = os.environ | {
        "MOSSAIC_ACCESS_KEY_ID": PAIR.access_key_id,
        "MOSSAIC_ACCESS_KEY_SECRET": PAIR.secret,
        "MOSSAIC_LOG_ACCESS": str(folder / "access.log"),
    }
    command = [
        sys.executable,
        "-m",
        "mossaic",
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data",
        str(folder / "data"),
    ]
    process = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    line = process.stderr.readline()
    port = int(line.split("http://127.0.0.1:")[1].split(" ")[0])
    try:
        yield port
    finally:
        process.terminate()
        process.wait(30)


def upload_parts(port: int, size: int, connections: int = 4) -> float:
    """MB/s of parts of `size` bytes over parallel connections."""
    body = memoryview(os.urandom(size))
    with Client(port) as first:
        upload = _begin(first, f"parts-{size}")
    until = time.perf_counter() + SECONDS

    def work(index: int) -> int:
        done, number = 0, index + 1
        with Client(port) as client:
            while time.perf_counter() < until:
                client.call("PUT", f"parts-{size}", f"partNumber={number}&uploadId={upload}", body)
                done, number = done + size, (number + connections - 1) % 9_999 + 1
        return done

    done, took = limits.in_threads(connections, work)
    with Client(port) as last:
        last.call("DELETE", f"parts-{size}", f"uploadId={upload}")
    return done / took / 1e6


def download(port: int, size: int, connections: int = 4) -> float:
    with Client(port) as first:
        first.call("PUT", f"get-{size}", body=memoryview(os.urandom(size)))
    until = time.perf_counter() + SECONDS

    def work(_index: int) -> int:
        done = 0
        with Client(port) as client:
            while time.perf_counter() < until:
                client.exchange(client.head("GET", f"get-{size}"), keep_body=False)
                done += size
        return done

    done, took = limits.in_threads(connections, work)
    return done / took / 1e6


def small_requests(port: int, method: str, index: int) -> int:
    """Requests for 4 KiB objects on 8 connections of one process, signed beforehand; how many were answered."""
    body = os.urandom(4096) if method == "PUT" else b""
    until = time.perf_counter() + SECONDS

    def work(thread: int) -> int:
        done = 0
        with Client(port) as client:
            heads = [client.head(method, f"small-{index}-{thread}-{n}", length=len(body)) for n in range(64)]
            while time.perf_counter() < until:
                client.exchange(heads[done % 64], body)
                done += 1
        return done

    return limits.in_threads(8, work)[0]


def small(port: int, method: str) -> float:
    with ProcessPoolExecutor(2) as pool:
        jobs = [pool.submit(small_requests, port, method, index) for index in range(2)]
        return sum(job.result() for job in jobs) / SECONDS


def complete(port: int, parts: int, size: int) -> float:
    """Milliseconds of CompleteMultipartUpload."""
    key = f"complete-{parts}-{size}"
    body = memoryview(os.urandom(size))
    with Client(port) as client:
        upload = _begin(client, key)
        etags = [
            client.call("PUT", key, f"partNumber={number}&uploadId={upload}", body).headers["etag"]
            for number in range(1, parts + 1)
        ]
        listed = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
            for number, etag in enumerate(etags, 1)
        )
        document = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
        started = time.perf_counter()
        client.call("POST", key, f"uploadId={upload}", document)
        return (time.perf_counter() - started) * 1000


def _begin(client: Client, key: str) -> str:
    answer = client.call("POST", key, "uploads").body.decode()
    return answer.split("<UploadId>")[1].split("</UploadId>")[0]


def measure(port: int, folder: Path) -> Iterator[Figure]:
    md5 = limits.md5_all_cores()
    loop = limits.loopback()
    rows = limits.durable_rows(folder)
    cores = f"MD5 on {os.cpu_count()} cores"
    yield Figure("limit: " + cores, md5, "MB/s")
    yield Figure("limit: loopback, 4 connections", loop, "MB/s")
    for size in (8 * MIB, MIB):
        disk = limits.write_and_sync(folder, size)
        speed = upload_parts(port, size)
        yield Figure(f"limit: write + sync, 4 x {size // MIB} MiB", disk, "MB/s")
        yield Figure(f"UploadPart {size // MIB} MiB, 4 parallel", speed, "MB/s", md5, cores)
        yield Figure(f"UploadPart {size // MIB} MiB, 4 parallel", speed, "MB/s", disk, "write + sync")
    yield Figure("limit: 4 KiB rows, 16 a commit, FULL", rows, "/s")
    yield Figure("PutObject 4 KiB, 16 connections", small(port, "PUT"), "/s", rows, "durable rows")
    yield Figure("GetObject 4 KiB, 16 connections", small(port, "GET"), "/s")
    for size in (8 * MIB, 64 * MIB):
        yield Figure(
            f"GetObject {size // MIB} MiB, 4 parallel", download(port, size), "MB/s", loop, "loopback"
        )
    for parts, size in ((10, PART), (10, 8 * MIB), (1_000, PART), (10_000, PART)):
        yield Figure(f"Complete, {parts:,} parts of {size // 1024:,} KiB", complete(port, parts, size), "ms")


def main() -> None:
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, client on the same machine\n"
    )
    print(f"| {'work':<34} | {'figure':<16} | {'limit':>10} | {'ratio':>6} | against |")
    print("| --- | --- | --- | --- | --- |")
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="mossaic-bench-", dir=os.environ.get("BENCH_DIR")) as name:
        folder = Path(name)
        with service(folder) as port:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/-/readyz", timeout=10).read()
            with Client(port) as client:
                client.call("PUT")
            for figure in measure(port, folder):
                figures.append(figure)
                print(figure.line(), flush=True)
    out = Path(__file__).parent / "out"
    out.mkdir(exist_ok=True)
    rows = [
        {"work": f.work, "value": f.value, "unit": f.unit, "limit": f.limit, "against": f.against}
        for f in figures
    ]
    (out / "latest.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
