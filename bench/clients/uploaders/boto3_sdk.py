"""boto3 with s3transfer: as it comes (SHA-256 signed, CRC-32), and with payload signing and checksums off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

from bench.clients.job import ACCESS_KEY_ID, ACCESS_KEY_SECRET, BUCKET, KEY

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.clients.job import Job


def default(job: Job) -> Callable[[], None]:
    return _upload(job, Config(s3={"addressing_style": "path"}))


def plain(job: Job) -> Callable[[], None]:
    return _upload(
        job,
        Config(
            s3={"addressing_style": "path", "payload_signing_enabled": False},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


def _upload(job: Job, config: Config) -> Callable[[], None]:
    client = boto3.client(
        "s3",
        endpoint_url=job.endpoint,
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=ACCESS_KEY_SECRET,
        region_name="us-east-1",
        config=config,
    )
    how = TransferConfig(
        multipart_threshold=1, multipart_chunksize=job.part_size, max_concurrency=job.parallel
    )
    return lambda: client.upload_file(job.path, BUCKET, KEY, Config=how)
