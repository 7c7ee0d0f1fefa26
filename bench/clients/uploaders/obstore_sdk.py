"""obstore (Rust's object_store): payload unsigned, nothing checked; the fastest peer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.store import S3Store

from bench.clients.job import ACCESS_KEY_ID, ACCESS_KEY_SECRET, BUCKET, KEY

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.clients.job import Job


def unsigned(job: Job) -> Callable[[], None]:
    store = S3Store(
        BUCKET,
        endpoint=job.endpoint,
        access_key_id=ACCESS_KEY_ID,
        secret_access_key=ACCESS_KEY_SECRET,
        region="us-east-1",
        unsigned_payload=True,
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )

    def upload() -> None:
        obstore.put(
            store,
            KEY,
            Path(job.path),
            use_multipart=True,
            chunk_size=job.part_size,
            max_concurrency=job.parallel,
        )

    return upload
