"""oss2: `resumable_upload`, V4 signatures, its default checks (CRC-64 of parts and object)."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import oss2
from oss2.credentials import StaticCredentialsProvider

from bench.clients.job import ACCESS_KEY_ID, ACCESS_KEY_SECRET, BUCKET, KEY, REGION

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.clients.job import Job


def resumable(job: Job) -> Callable[[], None]:
    provider = StaticCredentialsProvider(ACCESS_KEY_ID, ACCESS_KEY_SECRET)
    bucket = oss2.Bucket(oss2.ProviderAuthV4(provider), job.endpoint, BUCKET, region=REGION)
    folder = tempfile.TemporaryDirectory(prefix="bench-oss2-")

    def upload() -> None:
        with folder as root:
            oss2.resumable_upload(
                bucket,
                KEY,
                job.path,
                multipart_threshold=1,
                part_size=job.part_size,
                num_threads=job.parallel,
                store=oss2.ResumableStore(root=root),
            )

    return upload
