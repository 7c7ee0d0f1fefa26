"""What tests against a running server share: a bucket with a client, raw requests, waiting, and looking into its folder."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import oss2

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.harness import Server

WAIT_S = 20.0
BUCKET = "crash-bucket"


@dataclass(frozen=True, kw_only=True)
class Store:
    """A bucket on a server. `client` is not shared between threads: `again` makes another."""

    server: Server
    client: oss2.Bucket

    @classmethod
    def on(cls, server: Server, bucket: str = BUCKET) -> Store:
        store = cls(server=server, client=_client(server, bucket))
        store.client.create_bucket()
        return store

    def again(self) -> oss2.Bucket:
        """The same bucket for another thread, or for after a restart."""
        return _client(self.server, self.client.bucket_name)

    def get(self, key: str) -> bytes:
        data: bytes = self.client.get_object(key).read()
        return data

    def begin(self, key: str, **headers: str) -> str:
        upload_id: str = self.client.init_multipart_upload(key, headers=headers).upload_id
        return upload_id

    def part(self, key: str, upload_id: str, number: int, data: bytes) -> Any:
        """Put a part; what Complete takes of it."""
        return oss2.models.PartInfo(
            number, self.client.upload_part(key, upload_id, number, data).etag, size=len(data)
        )

    def parts(self, key: str, upload_id: str) -> dict[int, str]:
        """Number → ETag of what is there."""
        return {part.part_number: part.etag for part in self.client.list_parts(key, upload_id).parts}

    def raw(self, method: str, key: str, body: bytes, params: dict[str, str] | None = None) -> Raw:
        """A signed request as bytes, not yet sent."""
        url = urlsplit(self.client.sign_url(method, key, 600, params=params or {}, slash_safe=True))
        head = (
            f"{method} {url.path}?{url.query} HTTP/1.1\r\nHost: {self.server.host}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return Raw(port=self.server.port, head=head.encode(), body=body)

    def raw_part(self, key: str, upload_id: str, number: int, body: bytes) -> Raw:
        return self.raw("PUT", key, body, {"uploadId": upload_id, "partNumber": str(number)})


@dataclass(frozen=True, kw_only=True)
class Raw:
    """A request, and how much of it is sent."""

    port: int
    head: bytes
    body: bytes

    def send(self, count: int | None = None) -> socket.socket:
        """Head and the first `count` bytes of the body (None: all); the connection stays open."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_S)
        connection.sendall(self.head + self.body[:count])
        return connection


def status_of(connection: socket.socket) -> int:
    """Read an answer to the end of its head."""
    data = b""
    while b"\r\n\r\n" not in data:
        received = connection.recv(65_536)
        if not received:
            raise ConnectionResetError(data)
        data += received
    return int(data.split(b" ", 2)[1])


def _client(server: Server, bucket: str) -> oss2.Bucket:
    auth = oss2.Auth(server.access_key_id, server.access_key_secret)
    return oss2.Bucket(auth, server.endpoint, bucket, enable_crc=True)


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait for something that the server does by itself."""
    deadline = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline, f"{what}: not within {WAIT_S} s"
        time.sleep(0.01)


def blob_files(server: Server) -> list[Path]:
    return [path for path in (server.data / "blobs").glob("?/?/*") if path.is_file()]


def fsck(server: Server) -> tuple[int, str]:
    """Exit code and report of `mossaic fsck`."""
    command = [sys.executable, "-m", "mossaic", "fsck", "--data", str(server.data)]
    done = subprocess.run(command, env=server.env, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def answers(server: Server, operation: str) -> list[dict[str, Any]]:
    """Lines of the access log so far; a request whose client went away has one, too."""
    text = server.log.read_text() if server.log.exists() else ""
    lines = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
    return [line for line in lines if line["operation"] == operation]
