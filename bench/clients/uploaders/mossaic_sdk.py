"""Our own SDK with its checks on (CRC-64 of parts and object): a file sync, asyncio, with its journal, and from a pipe."""

from __future__ import annotations

import asyncio
import os
import tempfile
from typing import TYPE_CHECKING, BinaryIO

import mossaic
from bench.clients.job import ACCESS_KEY_ID, ACCESS_KEY_SECRET, BUCKET, KEY

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
    """With what is on by default: everything that a later run needs to go on is written down as it happens."""
    folder = tempfile.TemporaryDirectory(prefix="bench-journal-")
    client = mossaic.Client(
        job.endpoint, bucket=BUCKET, credentials=_credentials(), store=mossaic.store.File(folder.name)
    )

    def upload() -> None:
        with folder:
            client.multipart_upload(KEY, job.path, part_size=job.part_size, parallel=job.parallel)

    return upload


def asynchronous(job: Job) -> Callable[[], None]:
    client = mossaic.AsyncClient(job.endpoint, bucket=BUCKET, credentials=_credentials())

    async def upload() -> None:
        await client.multipart_upload(
            KEY, job.path, part_size=job.part_size, parallel=job.parallel, resume="never"
        )

    return lambda: asyncio.run(upload())


def _client(job: Job) -> mossaic.Client:
    return mossaic.Client(job.endpoint, bucket=BUCKET, credentials=_credentials())


def _credentials() -> mossaic.credentials.Static:
    return mossaic.credentials.Static(ACCESS_KEY_ID, ACCESS_KEY_SECRET)


def _upload(client: mossaic.Client, job: Job, source: str | BinaryIO) -> None:
    client.multipart_upload(KEY, source, part_size=job.part_size, parallel=job.parallel, resume="never")
