"""Our own SDK with its checks on (CRC-64 of parts and object): a file sync, asyncio, with its journal, and from a pipe."""

from __future__ import annotations

import asyncio
import os
import tempfile
from typing import TYPE_CHECKING, BinaryIO

from bench.clients.job import ACCESS_KEY_ID, ACCESS_KEY_SECRET, BUCKET, KEY
from mossaic.client.aio import AsyncClient
from mossaic.client.client import Client
from mossaic.client.credentials import Static

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.clients.job import Job


def sync(job: Job) -> Callable[[], None]:
    client = _client(job)
    return lambda: _upload(client, job, job.path)


def stream(job: Job) -> Callable[[], None]:
    """Standard input is a pipe that carries the file: it cannot be seeked nor asked for its length."""
    client = _client(job)
    return lambda: _upload(client, job, os.fdopen(0, "rb", buffering=0))


def journal(job: Job) -> Callable[[], None]:
    folder = tempfile.TemporaryDirectory(prefix="bench-journal-")
    os.environ["MOSSAIC_STATE_DIR"] = folder.name
    client = _client(job)

    def upload() -> None:
        with folder:
            client.multipart_upload(KEY, job.path, part_size=job.part_size, parallel=job.parallel)

    return upload


def asynchronous(job: Job) -> Callable[[], None]:
    client = AsyncClient(job.endpoint, bucket=BUCKET, credentials=_credentials())

    async def upload() -> None:
        await client.multipart_upload(
            KEY, job.path, part_size=job.part_size, parallel=job.parallel, resume="never"
        )

    return lambda: asyncio.run(upload())


def _client(job: Job) -> Client:
    return Client(job.endpoint, bucket=BUCKET, credentials=_credentials())


def _credentials() -> Static:
    return Static(ACCESS_KEY_ID, ACCESS_KEY_SECRET)


def _upload(client: Client, job: Job, source: str | BinaryIO) -> None:
    client.multipart_upload(KEY, source, part_size=job.part_size, parallel=job.parallel, resume="never")
