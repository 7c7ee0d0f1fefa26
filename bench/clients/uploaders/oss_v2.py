"""alibabacloud-oss-v2: `Uploader`, V4 signatures, its default checks (CRC-64 of parts and object)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import alibabacloud_oss_v2 as oss

from bench.clients.job import ACCESS_KEY_ID, ACCESS_KEY_SECRET, BUCKET, KEY, REGION

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.clients.job import Job


def uploader(job: Job) -> Callable[[], None]:
    config = oss.config.load_default()
    config.credentials_provider = oss.credentials.StaticCredentialsProvider(ACCESS_KEY_ID, ACCESS_KEY_SECRET)
    config.region = REGION
    config.endpoint = job.endpoint
    made = oss.Client(config).uploader(part_size=job.part_size, parallel_num=job.parallel)

    def upload() -> None:
        made.upload_file(oss.PutObjectRequest(bucket=BUCKET, key=KEY), filepath=job.path)

    return upload
